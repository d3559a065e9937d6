//! The whole service on its own files: facts come in by the bus, people ask by gRPC, providers by HTTP.

use crate::{
    channel::creditor,
    house::{MORNING, at, until},
    owner,
    webhook::{self, SECRET},
    wire::due,
};
use contracts::{
    dunning::v1 as dunning,
    invoice::v1 as invoice,
    notification::v1::{self as proto, notification_service_client::NotificationServiceClient},
};
use eventlog::{
    Activity, Append, Expected, Log, Meta, NewEvent,
    bus::{Bus, InProcess, Verbatim},
};
use host::{
    Process, Service,
    clock::VirtualClock,
    config::{Access, Listen, Storage},
    ids::TimeOrdered,
    refusal::reason_of,
    signed::signature,
};
use kernel::Zone;
use notification::{ChannelsConfig, Settings};
use prost::Message;
use sql::Durability;
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

struct Installation {
    clock: Arc<VirtualClock>,
    activity: Activity,
    engine: Log,
    invoices: Log,
    service: Service,
    client: NotificationServiceClient<Channel>,
}

impl Installation {
    async fn start(directory: &Path, channels: ChannelsConfig, owner: String) -> Self {
        let activity = Activity::new();
        let clock = VirtualClock::new(at(MORNING), activity.clone());
        let bus = InProcess::new();
        let logs = ["regua.dunning.v1", "regua.invoice.v1"].map(|topic| {
            let log = Log::memory(clock.clone(), Arc::new(TimeOrdered));
            bus.offer(topic, log.clone(), Arc::new(Verbatim));
            log
        });
        let process = Process {
            clock: clock.clone(),
            ids: Arc::new(TimeOrdered),
            activity: activity.clone(),
            bus: Bus::InProcess(bus),
            access: Access::default(),
            partitions: 1,
            durability: Durability::Throwaway,
            stop: CancellationToken::new(),
        };
        let service = notification::start(&process, settings(directory, channels, owner)).await.unwrap();
        let url = format!("http://{}", service.grpc().unwrap());
        let client = NotificationServiceClient::connect(url).await.unwrap();
        let [engine, invoices] = logs;
        Self { clock, activity, engine, invoices, service, client }
    }

    async fn until(&self, instant: &str) {
        until(&self.clock, &self.activity, instant).await;
    }

    async fn contacts(&self, request: proto::ListContactsRequest) -> proto::ListContactsResponse {
        self.client.clone().list_contacts(request).await.unwrap().into_inner()
    }
}

fn settings(directory: &Path, channels: ChannelsConfig, owner: String) -> Settings {
    let storage = toml::toml! { kind = "sqlite" directory = "" url = "" max_connections = 2 statement_timeout_seconds = 30 prefix = "" };
    let any = toml::toml! { grpc = "127.0.0.1:0" http = "127.0.0.1:0" url = "" };
    let storage: Storage = storage.try_into().unwrap();
    Settings {
        storage: Storage { directory: directory.to_owned(), ..storage },
        listen: any.try_into::<Listen>().unwrap(),
        zone: Zone::SAO_PAULO,
        creditor: creditor(),
        channels,
        owner,
    }
}

async fn tell(log: &Log, stream: &str, customer: &str, (event_type, payload): (&'static str, Vec<u8>)) {
    let event = NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None };
    let meta = Meta { tenant: "default".into(), key: format!("default/{customer}"), ..Meta::default() };
    let append = Append {
        stream: format!("{stream}/default/{customer}"),
        expected: Expected::Any,
        events: vec![event],
        meta,
        command: None,
        claims: vec![],
        side: vec![],
        answer: vec![],
    };
    log.append(vec![append]).await.unwrap().remove(0).unwrap();
}

async fn offer(installation: &Installation, customer: &str) {
    let reminder = dunning::ReminderDue { customer_id: customer.into(), ..due() };
    tell(&installation.engine, "ladder", customer, ("ReminderDue", reminder.encode_to_vec())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_comes_by_the_bus_goes_out_and_is_listed() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    for customer in ["c1", "c2", "c3"] {
        offer(&installation, customer).await;
    }
    installation.until("2026-11-23T11:30:00Z").await;
    let composed = installation.contacts(proto::ListContactsRequest::default()).await.contacts;
    assert!(composed.iter().all(|contact| contact.status == "composed") && composed.len() == 3, "{composed:?}");
    installation.until("2026-11-23T12:00:00Z").await;
    let page = proto::ListContactsRequest { page_size: 2, ..proto::ListContactsRequest::default() };
    let first = installation.contacts(page.clone()).await;
    let second = installation.contacts(proto::ListContactsRequest { page_token: first.next_page_token.clone(), ..page }).await;
    let customers: Vec<&str> = first.contacts.iter().chain(&second.contacts).map(|contact| contact.customer_id.as_str()).collect();
    assert_eq!((customers, second.next_page_token.as_str()), (vec!["c1", "c2", "c3"], ""));
    let expected = proto::Contact {
        customer_id: "c1".into(),
        contact_id: "2026-11-23.BRL.all".into(),
        day: "2026-11-23".into(),
        currency: "BRL".into(),
        status: "sent".into(),
        channels: vec!["whatsapp".into()],
        template: "vencida-firme".into(),
        receipt: "delivered".into(),
        // What is contested of it is not asked for.
        net_minor: 9_300,
        item_count: 1,
    };
    assert_eq!(first.contacts[0], expected);
    for (day_from, day_until, found) in [("2026-11-23", "", 3), ("2026-11-24", "", 0), ("", "2026-11-22", 0)] {
        let filter =
            proto::ListContactsRequest { day_from: day_from.into(), day_until: day_until.into(), ..proto::ListContactsRequest::default() };
        assert_eq!(installation.contacts(filter).await.contacts.len(), found, "{day_from}..{day_until}");
    }
    let views = &installation.service.projections()[0];
    let verified = views.verify("notification-contacts").await.unwrap();
    assert_eq!(verified.live_hash, verified.rebuilt_hash, "{verified:?}");
    assert_eq!(verified.rows, 6, "three contacts, three attempts");
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payers_own_no_stands_before_the_owners_yes() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    let mut client = installation.client.clone();
    let no = proto::RecordConsentRequest { command_id: "k1".into(), customer_id: "c1".into(), channel: "whatsapp".into(), granted: false };
    client.record_consent(no.clone()).await.unwrap();
    client.record_consent(no.clone()).await.unwrap();
    let reused = client.record_consent(proto::RecordConsentRequest { granted: true, ..no.clone() }).await.unwrap_err();
    assert_eq!(reason_of(&reused), "command_reused");
    let fax = client.record_consent(proto::RecordConsentRequest { channel: "fax".into(), ..no }).await.unwrap_err();
    assert_eq!((reason_of(&fax), fax.message()), ("unknown_channel", "channel: should be email, whatsapp, sms, voice or letter"));
    offer(&installation, "c1").await;
    installation.until("2026-11-23T12:00:00Z").await;
    let contacts = installation.contacts(proto::ListContactsRequest::default()).await.contacts;
    assert_eq!(contacts[0].channels, ["sms"]);
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opted_out_of_everything_hears_nothing_more_and_the_engine_is_told_why() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    let mut client = installation.client.clone();
    let no = proto::OptOutRequest { command_id: "k1".into(), customer_id: "c1".into(), channel: String::new() };
    client.opt_out(no.clone()).await.unwrap();
    client.opt_out(no.clone()).await.unwrap();
    let reused = client.opt_out(proto::OptOutRequest { channel: "sms".into(), ..no.clone() }).await.unwrap_err();
    assert_eq!(reason_of(&reused), "command_reused");
    let fax = proto::OptOutRequest { command_id: "k2".into(), channel: "fax".into(), ..no };
    assert_eq!(reason_of(&client.opt_out(fax).await.unwrap_err()), "unknown_channel");
    offer(&installation, "c1").await;
    installation.until("2026-11-23T12:00:00Z").await;
    let events = installation.service.environment().log.read(0, 100).await.unwrap();
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["OptedOut", "OptedOut", "OptedOut", "OptedOut", "OptedOut", "ContactComposed", "ReminderConcluded"]);
    let concluded = <contracts::notification::v1::ReminderConcluded as Message>::decode(events[6].payload.as_slice()).unwrap();
    assert_eq!((concluded.items[0].outcome.as_str(), concluded.items[0].reason.as_str()), ("suppressed", "opted_out"));
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_that_left_its_ladder_before_the_window_opened_is_not_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    offer(&installation, "c1").await;
    installation.until("2026-11-23T11:30:00Z").await;
    let handed_off = dunning::TrackHandedOff { customer_id: "c1".into(), invoice_id: "i1".into(), ..Default::default() };
    tell(&installation.engine, "ladder", "c1", ("TrackHandedOff", handed_off.encode_to_vec())).await;
    installation.until("2026-11-23T12:00:00Z").await;
    let contacts = installation.contacts(proto::ListContactsRequest::default()).await.contacts;
    assert_eq!((contacts[0].status.as_str(), contacts[0].channels.len()), ("not_sent", 0));
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_payer_hears_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    offer(&installation, "c1").await;
    installation.until("2026-11-23T11:30:00Z").await;
    let erased = invoice::CustomerErased { customer_id: "c1".into() };
    tell(&installation.invoices, "account", "c1", ("CustomerErased", erased.encode_to_vec())).await;
    installation.until("2026-11-23T12:00:00Z").await;
    let contacts = installation.contacts(proto::ListContactsRequest::default()).await.contacts;
    assert_eq!((contacts[0].status.as_str(), contacts[0].channels.len()), ("not_sent", 0));
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_posts_its_receipt_to_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let (config, provider) = webhook::provider(&[], "").await;
    let installation = Installation::start(directory.path(), ChannelsConfig::all(config), owner).await;
    offer(&installation, "c1").await;
    installation.until("2026-11-23T12:00:00Z").await;
    let key = provider.lock().unwrap().taken.keys().next().unwrap().clone();
    let body = format!(r#"{{"attempt_id": "{key}", "status": "read"}}"#);
    let (_, http) = installation.service.addresses().iter().find(|(protocol, _)| *protocol == "http").unwrap();
    let posted = reqwest::Client::new()
        .post(format!("http://{http}/callbacks/whatsapp"))
        .header("X-Regua-Signature-256", signature::sign(SECRET.as_bytes(), body.as_bytes()))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 204);
    installation.until("2026-11-23T12:00:01Z").await;
    assert_eq!(installation.contacts(proto::ListContactsRequest::default()).await.contacts[0].receipt, "read");
    installation.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_listed_and_shown_with_data_of_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let (owner, _) = owner::serve().await;
    let installation = Installation::start(directory.path(), ChannelsConfig::recording(), owner).await;
    let mut client = installation.client.clone();
    let listed = client.list_templates(proto::ListTemplatesRequest {}).await.unwrap().into_inner().templates;
    assert_eq!(listed.len(), 16);
    for line in listed {
        for channel in ["", "email", "sms", "whatsapp", "voice", "letter"] {
            let request =
                proto::RenderTemplateRequest { template: line.template.clone(), language: line.language.clone(), channel: channel.into() };
            let shown = client.render_template(request).await.unwrap().into_inner();
            assert!(shown.text.contains("Loja da Pra"), "{}", shown.text);
            assert_eq!(shown.html.is_empty(), !matches!(channel, "" | "email"));
        }
    }
    let unknown = proto::RenderTemplateRequest { template: "nonsense".into(), ..proto::RenderTemplateRequest::default() };
    assert_eq!(reason_of(&client.render_template(unknown).await.unwrap_err()), "unknown_template");
    installation.service.stop().await;
}
