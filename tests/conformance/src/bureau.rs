//! The engine as it runs, with steps that list debts at a bureau, a bureau that may fall silent, and an owner who says yes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use contracts::dunning::v1 as dunning;
use contracts::dunning::v1::dunning_service_client::DunningServiceClient;
use dunning_engine::aggregate::{Addressed, Entry, Order, meta, stream};
use dunning_engine::listings::{ProviderConfig, ProviderKind};
use dunning_engine::policies::PolicyBooks;
use dunning_engine::{Ladders, Limits, ProvidersConfig};
use eventlog::bus::{Bus, InProcess, Verbatim};
use eventlog::{Activity, Log, Submission, Writer, WriterOptions};
use host::access::DEFAULT_TENANT;
use host::clock::VirtualClock;
use host::config::Access;
use host::ids::TimeOrdered;
use host::{Process, Service};
use kernel::{ContactId, Currency, CustomerId, InvoiceId, StepId, Zone};
use ladder::ladder::{ItemOutcome, Outcome};
use ladder::policy::Channel;
use sql::Durability;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::moment::until;
use crate::office::{loopback, prefix_beside, storage_named};
use crate::storage::Place;

/// A notice, and three days later the entry.
const POLICY: &str = "policy = \"harsh\"\ncalendar = \"br-settlement\"\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"vencida\"\n\
    [[step]]\nid = \"d+4\"\nkind = \"bureau\"\noffset_days = 4\ntone = 3\n\
    requires = [{ step = \"d+1\", delivered_days_ago = 2 }]\nrequires_approval = true\n";
/// Eight o'clock of a Monday in São Paulo, when everything is known; and the opening of the window on the day of the notice.
const KNOWN_AT: &str = "2026-11-16T11:00:00Z";
const NOTICE_AT: &str = "2026-11-24T12:00:00Z";
/// The Friday of the entries, an hour after the window opened.
const LISTED_AT: &str = "2026-11-27T13:00:00Z";
const SECRET: &str = "a secret of the suite";

/// Where an engine is, whom it asks, and whom it lists at.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Its log and tables.
    pub place: Place,
    /// The owner of balances.
    pub owner: String,
    /// The bureau.
    pub bureau: String,
}

/// An engine on the day of the entries, so many minutes after its window opened: it begins to list.
///
/// # Errors
/// It cannot be started.
pub async fn lists(reached: &Reached, minutes: i64) -> Result<Service> {
    let at: DateTime<Utc> = LISTED_AT.parse()?;
    Ok(start(reached, at + TimeDelta::minutes(minutes)).await?.0)
}

async fn start(reached: &Reached, now: DateTime<Utc>) -> Result<(Service, Arc<VirtualClock>)> {
    let activity = Activity::new();
    let clock = VirtualClock::new(now, activity.clone());
    let bus = InProcess::new();
    for topic in [dunning_engine::inbound::INVOICE_TOPIC, dunning_engine::inbound::NOTIFICATION_TOPIC] {
        bus.offer(topic, Log::memory(clock.clone(), Arc::new(TimeOrdered)), Arc::new(Verbatim));
    }
    let process = Process {
        clock: clock.clone(),
        ids: Arc::new(TimeOrdered),
        activity,
        bus: Bus::InProcess(bus),
        access: Access::default(),
        partitions: 1,
        durability: Durability::Full,
        stop: CancellationToken::new(),
    };
    let bureau = ProviderConfig {
        provider: ProviderKind::Http,
        url: reached.bureau.clone(),
        status_url: reached.bureau.clone(),
        secret: SECRET.to_owned(),
        timeout_seconds: 120,
        ..ProviderConfig::default()
    };
    let settings = dunning_engine::Settings {
        storage: storage_named(&reached.place, prefix_beside(&reached.place)),
        listen: loopback(),
        zone: Zone::SAO_PAULO,
        approvals_given: true,
        owner: reached.owner.clone(),
        limits: Limits::default(),
        providers: ProvidersConfig { bureau, ..ProvidersConfig::default() },
    };
    Ok((dunning_engine::start(&process, settings).await?, clock))
}

/// Brings the debts of so many payers to the eve of their entries: the notice was sent and delivered.
pub(crate) async fn bring_to_the_eve(reached: &Reached, payers: u64) -> Result<()> {
    let (service, clock) = start(reached, KNOWN_AT.parse()?).await?;
    publish(&service).await?;
    let log = service.environment().log.clone();
    let ladders = Ladders::new(PolicyBooks::load(log.clone()).await?, true, Limits::default().terms);
    let writer = Writer::spawn(Arc::new(ladders), log.clone(), WriterOptions { partitions: 1, ..WriterOptions::default() });
    for payer in 0..payers {
        order(&writer, payer, Order::Enter(entry(payer)?)).await?;
    }
    clock.advance_to(NOTICE_AT.parse()?);
    until("the notices are due", async || Ok(count(&log, "ReminderDue").await? >= payers)).await?;
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).context("a day")?;
    for payer in 0..payers {
        let (invoice_id, step_id) = (InvoiceId::new(&format!("i{payer}"))?, StepId::new("d+1")?);
        let outcome = Outcome::Executed { channel: Channel::Email };
        let item = ItemOutcome { invoice_id: invoice_id.clone(), cycle: 1, step_id: step_id.clone(), occurrence: 1, outcome };
        let contact_id = ContactId::new(&format!("k{payer}"))?;
        order(&writer, payer, Order::Ladder(ladder::Command::ConcludeContact { contact_id, day, items: vec![item] })).await?;
        let delivered = ladder::Command::NoteDelivery { invoice_id, cycle: 1, step_id, occurrence: 1, delivered_on: day };
        order(&writer, payer, Order::Ladder(delivered)).await?;
    }
    service.stop().await;
    Ok(())
}

async fn publish(service: &Service) -> Result<()> {
    let url = format!("http://{}", service.grpc().context("the engine listens")?);
    let mut client = DunningServiceClient::connect(url).await?;
    let (command_id, toml, preview_due_on) = ("policy".to_owned(), POLICY.to_owned(), "2026-11-23".to_owned());
    client.publish_policy(dunning::PublishPolicyRequest { command_id, toml, preview_due_on }).await?;
    let assign = dunning::AssignPolicyRequest {
        command_id: "assignment".to_owned(),
        scope: "tenant".to_owned(),
        policy_id: "harsh".to_owned(),
        ..dunning::AssignPolicyRequest::default()
    };
    client.assign_policy(assign).await?;
    Ok(())
}

fn entry(payer: u64) -> Result<Entry> {
    Ok(Entry {
        invoice_id: InvoiceId::new(&format!("i{payer}"))?,
        amount_minor: 10_000,
        currency: Currency::BRL,
        issued_on: NaiveDate::from_ymd_opt(2026, 11, 16).context("a day")?,
        due_on: NaiveDate::from_ymd_opt(2026, 11, 23).context("a day")?,
        recorded_at: KNOWN_AT.parse()?,
        instalment_of: None,
    })
}

async fn order(writer: &Writer<Ladders>, payer: u64, order: Order) -> Result<()> {
    let customer = payer.to_string();
    let addressed = Addressed { tenant: DEFAULT_TENANT.to_owned(), customer_id: CustomerId::new(&customer)?, order };
    let submission = Submission::new(stream(DEFAULT_TENANT, &customer), meta(DEFAULT_TENANT, &customer), addressed);
    writer.submit(submission).await.map(drop).context("an order was refused")
}

/// How many events of a type a log has.
pub(crate) async fn count(log: &Log, event_type: &str) -> Result<u64> {
    let events = log.read(0, 100_000).await?;
    Ok(events.iter().filter(|event| event.event_type == event_type).count() as u64)
}

/// Where the next command stands still, and whether the bureau has it then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stall {
    pub after: u64,
    pub taken: bool,
}

/// What the bureau has, by idempotency key, and how it behaves.
#[derive(Default)]
pub(crate) struct Bureau {
    /// What every command said.
    pub taken: BTreeMap<String, String>,
    /// Commands that were posted although it had them.
    pub again: Vec<String>,
    /// It stood still.
    pub stalled: bool,
    stall: Option<Stall>,
    forgets: bool,
}

/// The bureau in the hands of a property.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Bureau>>);

impl Shared {
    /// A bureau that listens. `forgets`: when it is asked it says that it never had anything.
    pub async fn open(forgets: bool) -> Result<(Shared, String)> {
        let shared = Shared(Arc::new(Mutex::new(Bureau { forgets, ..Bureau::default() })));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/entries", listener.local_addr()?);
        let router = Router::new().route("/entries", post(take).get(ask)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((shared, url))
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut Bureau) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn stand_still(&self, stall: Option<Stall>) {
        self.look(|bureau| (bureau.stall, bureau.stalled) = (stall, false));
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let stands_still = shared.look(|bureau| {
        if bureau.taken.contains_key(&key) {
            bureau.again.push(key.clone());
        }
        let (stalls, takes) = match &mut bureau.stall {
            Some(Stall { after: 0, taken }) => (true, *taken),
            Some(stall) => {
                stall.after -= 1;
                (false, true)
            }
            None => (false, true),
        };
        if takes {
            bureau.taken.insert(key, String::from_utf8_lossy(&body).into_owned());
        }
        bureau.stalled |= stalls;
        stalls
    });
    if stands_still {
        std::future::pending::<()>().await;
    }
    "{\"status\":\"accepted\"}".into_response()
}

async fn ask(State(shared): State<Shared>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let has = shared.look(|bureau| !bureau.forgets && query.get("key").is_some_and(|key| bureau.taken.contains_key(key)));
    if has { "{\"status\":\"accepted\"}".into_response() } else { StatusCode::NOT_FOUND.into_response() }
}
