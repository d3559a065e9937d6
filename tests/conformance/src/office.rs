//! The owner of balances and the sender of messages as they run, with a provider at the end and an engine that only reminds.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use contracts::dunning::v1 as dunning;
use contracts::invoice::v1 as proto;
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::bus::{Bus, InProcess, Verbatim};
use eventlog::{Activity, Append, Expected, Log, Meta, NewEvent};
use host::access::DEFAULT_TENANT;
use host::clock::VirtualClock;
use host::config::{Access, Listen, Storage};
use host::ids::TimeOrdered;
use host::{Process, Service};
use kernel::Zone;
use notification::channel::{ChannelConfig, Kind};
use notification::{ChannelsConfig, Creditor};
use prost::Message;
use sql::Durability;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use crate::moment::{PATIENCE, unique};
use crate::property::gate::Gate;
use crate::storage::Place;

/// A Monday, an hour before the window opens in São Paulo.
const MORNING: &str = "2026-11-23T11:00:00Z";
const OPENING: &str = "2026-11-23T12:00:00Z";
/// What every payer owes.
const OWED_MINOR: i64 = 10_000;

/// What the owner's log says of one payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Issued { amount_minor: i64 },
    Paid { amount_minor: i64 },
    Authorized { contact_id: String, net_minor: i64 },
}

/// Contacts that reached the provider, by payer.
type Taken = Arc<Mutex<BTreeMap<String, String>>>;

/// Both services at work.
pub(crate) struct Office {
    clock: Arc<VirtualClock>,
    activity: Activity,
    engine: Log,
    owner: Service,
    sender: Service,
    client: InvoiceServiceClient<Channel>,
    taken: Taken,
    stop: CancellationToken,
}

impl Office {
    pub(crate) async fn open(place: &Place, gate: Gate) -> Result<Office> {
        let (activity, stop) = (Activity::new(), CancellationToken::new());
        let clock = VirtualClock::new(MORNING.parse()?, activity.clone());
        let bus = InProcess::new();
        let engine = Log::memory(clock.clone(), Arc::new(TimeOrdered));
        bus.offer("regua.dunning.v1", engine.clone(), Arc::new(Verbatim));
        let process = Process {
            clock: clock.clone(),
            ids: Arc::new(TimeOrdered),
            activity: activity.clone(),
            bus: Bus::InProcess(bus),
            access: Access::default(),
            partitions: 1,
            durability: Durability::Throwaway,
            stop: stop.clone(),
        };
        let storage = storage(place);
        let settings = invoice::Settings {
            storage: storage.clone(),
            listen: loopback(),
            zone: Zone::SAO_PAULO,
            tolerance_minor: 0,
            payment_feed_max_age_hours: 0,
            pix: invoice::PixConfig::default(),
        };
        let owner = invoice::start(&process, settings).await?;
        let url = format!("http://{}", owner.grpc().context("the owner listens")?);
        let client = InvoiceServiceClient::connect(url.clone()).await?;
        let asked = match gate {
            Gate::AtTheOwner => url,
            Gate::TakenOut => say_yes().await?,
        };
        let (channels, taken) = provider().await?;
        let settings = notification::Settings {
            storage,
            listen: loopback(),
            zone: Zone::SAO_PAULO,
            creditor: Creditor {
                name: "Credor de Teste".into(),
                address: "Rua Fictícia, 1".into(),
                email_from: "credor@example.invalid".into(),
                ..Creditor::default()
            },
            channels,
            owner: asked,
        };
        let sender = notification::start(&process, settings).await?;
        Ok(Office { clock, activity, engine, owner, sender, client, taken, stop })
    }

    /// Payers with one overdue debt each.
    pub(crate) async fn bill(&self, payers: u64) -> Result<()> {
        let one = async |payer: u64| -> Result<()> {
            let mut client = self.client.clone();
            let customer = proto::Customer { customer_id: payer.to_string(), ..customer() };
            let known = proto::RegisterCustomerRequest { command_id: format!("r{payer}"), customer: Some(customer) };
            client.register_customer(known).await?;
            let invoice = proto::NewInvoice {
                invoice_id: format!("i{payer}"),
                customer_id: payer.to_string(),
                amount_minor: OWED_MINOR,
                issued_on: "2026-11-01".into(),
                due_on: "2026-11-16".into(),
                ..proto::NewInvoice::default()
            };
            client.issue_invoice(proto::IssueInvoiceRequest { command_id: format!("i{payer}"), invoice: Some(invoice) }).await?;
            Ok(())
        };
        futures::future::try_join_all((0..payers).map(one)).await.map(drop)
    }

    /// The engine's reminder for each of them; contacts are composed and wait.
    pub(crate) async fn remind(&self, payers: u64) -> Result<()> {
        let reminders = (0..payers).map(|payer| reminder(&payer.to_string())).collect();
        for appended in self.engine.append(reminders).await? {
            appended.ok().context("a reminder was refused")?;
        }
        self.settled().await
    }

    /// All that a payer owes; acknowledged when this returns.
    pub(crate) async fn pay(&self, payer: u64) -> Result<()> {
        let payment = proto::NewPayment {
            payment_id: format!("p{payer}"),
            invoice_id: format!("i{payer}"),
            amount_minor: OWED_MINOR,
            ..proto::NewPayment::default()
        };
        let request = proto::RecordPaymentRequest { command_id: format!("p{payer}"), payment: Some(payment) };
        self.client.clone().record_payment(request).await?;
        Ok(())
    }

    /// The window opens: every contact that waits is looked at and handed over.
    pub(crate) async fn open_the_window(&self) -> Result<()> {
        // Nothing else is due before it, and a loop that polls may have no sleeper on the clock to be asked for.
        self.clock.advance_to(OPENING.parse()?);
        self.settled().await
    }

    async fn settled(&self) -> Result<()> {
        let settled = tokio::time::timeout(PATIENCE, self.activity.settled()).await;
        settled.with_context(|| format!("never settled, busy: {:?}", self.activity.busy()))
    }

    /// The contacts that reached the provider, by payer.
    pub(crate) fn messages(&self) -> BTreeMap<String, String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the owner's log says of a payer, in order.
    pub(crate) async fn told(&self, payer: u64) -> Result<Vec<Told>> {
        let stream = format!("account/{DEFAULT_TENANT}/{payer}");
        let mut told = Vec::new();
        for event in self.owner.environment().log.read_streams(&[(stream, 0)]).await? {
            let payload = event.payload.as_slice();
            match event.event_type.as_str() {
                "InvoiceIssued" => told.push(Told::Issued { amount_minor: proto::InvoiceIssued::decode(payload)?.amount_minor }),
                "PaymentReceived" => told.push(Told::Paid { amount_minor: proto::PaymentReceived::decode(payload)?.applied_minor }),
                "ReminderAuthorized" => {
                    let m = proto::ReminderAuthorized::decode(payload)?;
                    let net_minor = m.items.iter().map(|item| item.net_minor).sum();
                    told.push(Told::Authorized { contact_id: m.contact_id, net_minor });
                }
                _ => {}
            }
        }
        Ok(told)
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.sender.stop().await;
        self.owner.stop().await;
    }
}

fn customer() -> proto::Customer {
    proto::Customer { name: "Pessoa de Teste".into(), phones: vec!["+5511999990000".into()], ..proto::Customer::default() }
}

fn storage(place: &Place) -> Storage {
    storage_named(place, unique("office_") + "_")
}

/// The place of a service beside a log; `prefix` is that of its schemas, which have at most 63 letters with the service's name.
pub(crate) fn storage_named(place: &Place, prefix: String) -> Storage {
    let storage = |kind: &str| Storage {
        kind: kind.into(),
        directory: std::path::PathBuf::new(),
        url: String::new(),
        max_connections: 8,
        statement_timeout_seconds: 30,
        prefix: String::new(),
    };
    match place {
        Place::Sqlite(file) => Storage { directory: file.parent().map(Into::into).unwrap_or_default(), ..storage("sqlite") },
        Place::Postgres { url, .. } => Storage { url: url.clone(), prefix, ..storage("postgres") },
    }
}

/// A prefix that every process of a test finds again.
pub(crate) fn prefix_beside(place: &Place) -> String {
    match place {
        Place::Sqlite(_) => String::new(),
        Place::Postgres { schema, .. } => format!("{schema}_s_"),
    }
}

pub(crate) fn loopback() -> Listen {
    let any = ([127, 0, 0, 1], 0).into();
    Listen { grpc: any, http: any, url: String::new() }
}

fn reminder(payer: &str) -> Append {
    let item = dunning::DueItem {
        invoice_id: format!("i{payer}"),
        cycle: 1,
        step_id: "d+7".into(),
        occurrence: 1,
        tone: 2,
        template: "vencida".into(),
        chains: vec![dunning::ChannelChain { channels: vec!["sms".into()] }],
        planned_on: "2026-11-23".into(),
        due_on: "2026-11-16".into(),
        effective_due: "2026-11-16".into(),
        overdue: true,
        currency: "BRL".into(),
        ..dunning::DueItem::default()
    };
    let rules = dunning::ContactRules {
        merge: "per_day".into(),
        max_per_day: 1,
        max_per_7_days: 3,
        max_voice_per_day: 1,
        weekdays: vec![true; 7],
        window_from: "09:00".into(),
        window_until: "18:00".into(),
    };
    let reminder = dunning::ReminderDue {
        customer_id: payer.into(),
        day: "2026-11-23".into(),
        items: vec![item],
        rules: Some(rules),
        calendar: "none".into(),
        time_zone: "America/Sao_Paulo".into(),
    };
    let payload = reminder.encode_to_vec();
    Append {
        stream: format!("ladder/{DEFAULT_TENANT}/{payer}"),
        expected: Expected::Any,
        events: vec![NewEvent { event_type: "ReminderDue", schema_version: 1, payload, occurred_at: None, effective_on: None }],
        meta: Meta { tenant: DEFAULT_TENANT.into(), key: format!("{DEFAULT_TENANT}/{payer}"), ..Meta::default() },
        command: None,
        claims: vec![],
        side: vec![],
        answer: vec![],
    }
}

/// A provider that takes everything.
async fn provider() -> Result<(ChannelsConfig, Taken)> {
    let taken = Taken::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/messages", listener.local_addr()?);
    let router = axum::Router::new().route("/messages", post(take)).with_state(taken.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let sms = ChannelConfig { kind: Kind::Webhook, url, secret: "a secret of the suite".into(), ..ChannelConfig::default() };
    Ok((ChannelsConfig { sms, ..ChannelsConfig::default() }, taken))
}

async fn take(State(taken): State<Taken>, body: Bytes) {
    let message: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
    taken.lock().unwrap_or_else(PoisonError::into_inner).insert(text("customer_id"), text("contact_id"));
}

/// An owner that never looks: whatever is asked may go out, and everybody is known.
pub(crate) async fn say_yes() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(Server::builder().add_service(YesSayer).serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(url)
}

#[derive(Clone)]
struct YesSayer;

impl NamedService for YesSayer {
    const NAME: &'static str = "regua.invoice.v1.InvoiceService";
}

/// Only last looks and payers are ever asked of it.
impl tonic::codegen::Service<http::Request<Body>> for YesSayer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let asks_who = request.uri().path().ends_with("/GetCustomer");
        Box::pin(async move {
            Ok(match asks_who {
                true => Grpc::new(WhoCodec::default()).unary(YesSayer, request).await,
                false => Grpc::new(LookCodec::default()).unary(YesSayer, request).await,
            })
        })
    }
}

type WhoCodec = tonic_prost::ProstCodec<proto::GetCustomerResponse, proto::GetCustomerRequest>;
type LookCodec = tonic_prost::ProstCodec<proto::AuthorizeReminderResponse, proto::AuthorizeReminderRequest>;

impl UnaryService<proto::GetCustomerRequest> for YesSayer {
    type Response = proto::GetCustomerResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, request: Request<proto::GetCustomerRequest>) -> Self::Future {
        let (customer_id, tax_id) = (request.into_inner().customer_id, "529.982.247-25".into());
        let customer = Some(proto::Customer { customer_id, tax_id, ..customer() });
        ready(Ok(Response::new(proto::GetCustomerResponse { customer, ..proto::GetCustomerResponse::default() })))
    }
}

impl UnaryService<proto::AuthorizeReminderRequest> for YesSayer {
    type Response = proto::AuthorizeReminderResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, request: Request<proto::AuthorizeReminderRequest>) -> Self::Future {
        let yes = |item: &proto::ReminderItem| proto::ReminderVerdict {
            invoice_id: item.invoice_id.clone(),
            authorized: true,
            net_minor: OWED_MINOR,
            ..proto::ReminderVerdict::default()
        };
        let verdicts = request.get_ref().items.iter().map(yes).collect();
        let answer = proto::AuthorizeReminderResponse { verdicts, customer: Some(customer()), ..Default::default() };
        ready(Ok(Response::new(answer)))
    }
}
