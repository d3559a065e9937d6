//! The service without its listeners, on a virtual clock and a log in memory, with an owner on the other side of a wire.

use crate::{channel::creditor, owner};
use chrono::TimeDelta;
use eventlog::{Activity, Clock, Log, Shards, Submission, TimerHandle, TimerLoop, TimerOptions, Writer, WriterOptions};
use host::{clock::VirtualClock, config::Access, ids::TimeOrdered, metrics::Metrics};
use kernel::{Calendar, ContactId, Currency, CustomerId, DateTime, InvoiceId, Purpose, StepId, Utc, Zone};
use notice::{
    Channel, Command, Compose, Event, Evidence, Gate, Item, ItemOutcome, OwnerAnswer, Reachability, Reminder, Rules, channel::Address,
};
use notification::{
    ChannelsConfig,
    aggregate::{self, Addressed, AllContacts, Book},
    channel::Channels,
    effects::{self, Effects, OwnerClient, Wiring},
    holidays::{self, Heard, HolidayBook, Holidays},
    template::Templates,
    wire,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const TENANT: &str = "acme";
/// Monday 23 November 2026, 08:00 in São Paulo: an hour before the window opens.
pub const MORNING: &str = "2026-11-23T11:00:00Z";

pub struct House {
    pub clock: Arc<VirtualClock>,
    pub activity: Activity,
    pub log: Log,
    pub writer: Writer<AllContacts>,
    pub holidays: Writer<Holidays>,
    pub channels: Arc<Channels>,
    pub owner: owner::Shared,
    pub metrics: Metrics,
    client: OwnerClient,
    running: Option<Running>,
}

struct Running {
    stop: CancellationToken,
    _timers: TimerHandle,
    followed: JoinHandle<()>,
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl House {
    /// A house whose effects rest.
    pub async fn quiet(channels: &ChannelsConfig) -> Self {
        let activity = Activity::new();
        let clock = VirtualClock::new(at(MORNING), activity.clone());
        let log = Log::memory(clock.clone(), Arc::new(TimeOrdered));
        let options = WriterOptions { activity: activity.clone(), ..WriterOptions::default() };
        let writer = Writer::spawn(Arc::new(AllContacts), log.clone(), options.clone());
        let holidays = Writer::spawn(Arc::new(Holidays), log.clone(), options);
        let channels = Arc::new(Channels::open(channels, &creditor()).unwrap());
        let (url, owner) = owner::serve().await;
        let client = effects::owner(&url, &Access::default()).unwrap();
        let metrics = Metrics::new("test").unwrap();
        Self { clock, activity, log, writer, holidays, channels, owner, metrics, client, running: None }
    }

    /// A house at work.
    pub async fn open(channels: &ChannelsConfig) -> Self {
        let mut house = Self::quiet(channels).await;
        house.start().await;
        house
    }

    /// The process starts, on what the log says.
    pub async fn start(&mut self) {
        let stop = CancellationToken::new();
        let wiring = Wiring {
            writer: self.writer.clone(),
            holidays: HolidayBook::new(self.log.clone()),
            channels: Arc::clone(&self.channels),
            templates: Arc::new(Templates::bundled()),
            creditor: creditor().creditor(),
            owner: self.client.clone(),
            clock: self.clock.clone(),
            shards: Shards::All,
            partitions: 1,
            stop: stop.clone(),
        };
        let effects = Effects::new(wiring, &self.activity, &self.metrics);
        let followed = effects.clone().start().await.unwrap();
        let options = TimerOptions::for_log(&self.log, self.activity.clone());
        let timers = TimerLoop::spawn(self.writer.clone(), Arc::new(move |due, now| effects.wake(due, now)), options);
        self.running = Some(Running { stop, _timers: timers, followed });
    }

    /// The process ends in good order.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.cancel();
            running.followed.await.unwrap();
        }
    }

    /// Lets time pass until an instant, from one moment at which something happens to the next.
    pub async fn until(&self, instant: &str) {
        until(&self.clock, &self.activity, instant).await;
    }

    pub async fn submit(&self, customer: &str, command: Command) -> Arc<Book> {
        self.submit_returned(customer, command, BTreeSet::new()).await
    }

    pub async fn submit_returned(&self, customer: &str, command: Command, returned: BTreeSet<notice::Occurrence>) -> Arc<Book> {
        let customer_id = CustomerId::new(customer).unwrap();
        let (stream, meta) = (aggregate::stream(TENANT, customer), aggregate::meta(TENANT, customer));
        let addressed = Addressed { customer_id, command, returned };
        self.writer.submit(Submission::new(stream, meta, addressed)).await.unwrap().state
    }

    /// The engine says something of a holiday.
    pub async fn hear(&self, heard: Heard) {
        let meta = eventlog::Meta { tenant: TENANT.into(), key: TENANT.into(), ..eventlog::Meta::default() };
        self.holidays.submit(Submission::new(holidays::stream(TENANT), meta, heard)).await.unwrap();
    }

    pub async fn compose(&self, customer: &str, items: Vec<Item>) -> Arc<Book> {
        self.submit(customer, compose(items)).await
    }

    /// What happened to a payer, one line an event.
    pub async fn transcript(&self, customer: &str) -> Vec<String> {
        let events = self.log.read_streams(&[(aggregate::stream(TENANT, customer), 0)]).await.unwrap();
        let fact = |event: &eventlog::Recorded| wire::decode(&event.event_type, &event.payload).unwrap().unwrap();
        events.iter().map(|event| line(&fact(event).event)).collect()
    }
}

/// Lets time pass until an instant, from one moment at which something happens to the next.
pub async fn until(clock: &VirtualClock, activity: &Activity, instant: &str) {
    let end = at(instant);
    loop {
        let settled = tokio::time::timeout(Duration::from_secs(30), activity.settled()).await;
        settled.unwrap_or_else(|_| panic!("still busy: {:?}", activity.busy()));
        match clock.next_deadline().filter(|next| *next <= end) {
            Some(next) => clock.advance_to(next),
            None if clock.now() < end => clock.advance_to(end),
            None => return,
        }
    }
}

pub fn compose(items: Vec<Item>) -> Command {
    let reminder = Reminder {
        day: "2026-11-23".parse().unwrap(),
        rules: Rules::default(),
        calendar: Calendar::BrSettlement,
        zone: Zone::SAO_PAULO,
        items,
    };
    Command::Compose(Compose { reminder })
}

/// An overdue item; chains as in a policy: `"whatsapp > sms, email"`.
pub fn item(invoice: &str, chains: &str) -> Item {
    let channel = |name: &str| Channel::named(name.trim()).unwrap();
    Item {
        invoice_id: InvoiceId::new(invoice).unwrap(),
        cycle: 1,
        step_id: StepId::new("d+3").unwrap(),
        occurrence: 1,
        tone: 2,
        template: "vencida".into(),
        chains: chains.split(',').map(|chain| chain.split('>').map(channel).collect()).collect(),
        planned_on: "2026-11-23".parse().unwrap(),
        due_on: "2026-11-20".parse().unwrap(),
        effective_due: "2026-11-20".parse().unwrap(),
        overdue: true,
        currency: Currency::BRL,
        min_outstanding_minor: 0,
        disputed_minor: 0,
        fallback_after_hours: 4,
        purpose: Purpose::Reminder,
    }
}

/// The look of a process that died right after it: everything allowed, at an instant.
pub fn gate(items: &[Item], now: &str) -> Command {
    let verdicts: BTreeMap<_, _> = items.iter().map(|item| (item.key(), OwnerAnswer::Authorized { net_minor: 10_000 })).collect();
    let reach = Channel::ALL.into_iter().map(|channel| (channel, Reachability { address: Address::Valid, consent: true })).collect();
    let evidence = Evidence { now: at(now), verdicts, reach, local_holiday: false };
    Command::Gate(Gate { contact_id: ContactId::new("2026-11-23.BRL.all").unwrap(), evidence })
}

fn outcomes(outcomes: &[ItemOutcome]) -> String {
    let one = |outcome: &ItemOutcome| {
        let reason = outcome.outcome.reason().map(|reason| format!(":{}", reason.slug())).unwrap_or_default();
        format!(" {}={}{reason}", outcome.key.invoice_id, outcome.outcome.slug())
    };
    outcomes.iter().map(one).collect()
}

fn line(event: &Event) -> String {
    match event {
        Event::ContactComposed(e) => format!("composed {}", e.contact_id),
        Event::ContactGated(e) => format!("gated {}{}", e.contact_id, outcomes(&e.outcomes)),
        Event::FallbackGated(e) => format!("gated again{}", outcomes(&e.outcomes)),
        Event::FallbackStopped(e) => format!("fallback stopped {}", e.reason.slug()),
        Event::AttemptStarted(e) => format!("started {}", e.channel.slug()),
        Event::AttemptRetried(_) => "retried".into(),
        Event::AttemptAccepted(e) => format!("accepted {}", e.channel.slug()),
        Event::AttemptRefused(e) => format!("refused {} {}", e.channel.slug(), e.reason),
        Event::AttemptUnknown(e) => format!("unknown {}", e.channel.slug()),
        Event::ReceiptNoted(e) => format!("receipt {} {}", e.channel.slug(), e.status.slug()),
        Event::ContactConcluded(e) => format!("concluded{}", outcomes(&e.outcomes)),
        Event::OptedOut(e) => format!("opted out {}", e.channel.slug()),
        Event::OptedIn(e) => format!("opted in {}", e.channel.slug()),
        Event::Forgotten(_) => "forgotten".into(),
        Event::Suspended(e) => format!("suspended {}", e.standstill.slug()),
    }
}

/// A later instant, for what comes after a pause.
pub fn plus_seconds(instant: &str, seconds: i64) -> String {
    (at(instant) + TimeDelta::seconds(seconds)).to_rfc3339()
}
