//! The whole system in one process: three services, their consumers, providers, persons, and the clock that they share.

use crate::books::Books;
use crate::bug::{Bug, engine_rules, owner_rules};
use crate::carrier::Lane;
use crate::chance::Chance;
use crate::history::{History, Outage, Who, beginning};
use crate::journal::{Disk, Journal, Memory, Order, Refusal, Sqlite};
use crate::office::Office;
use crate::policy::books;
use crate::provider::Provider;
use crate::reader::Reader;
use crate::service::Service;
use crate::tell::Letter;
use crate::views::Views;
use crate::witness::{Invariant, Witness};
use chrono::{DateTime, Utc};
use dunning_engine::Ladders;
use eventlog::Aggregate;
use invoice::Accounts;
use ladder::Terms;
use notification::AllContacts;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How a history is played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Play {
    /// On the product's own log in files, in place of the model in memory.
    pub on_disk: bool,
    /// Without the history's outages.
    pub without_outages: bool,
    /// With a planted bug; in memory only.
    pub bug: Option<Bug>,
    /// What happens is written down.
    pub told: bool,
}

/// Everything there is while a history is played.
pub struct World {
    pub(crate) history: History,
    pub(crate) play: Play,
    pub(crate) now: DateTime<Utc>,
    pub(crate) chance: Chance,
    pub(crate) invoice: Service<Accounts>,
    pub(crate) engine: Service<Ladders>,
    pub(crate) notification: Service<AllContacts>,
    pub(crate) readers: BTreeMap<&'static str, Reader>,
    /// Consumers of processes that were taken for dead and are not.
    pub(crate) zombies: BTreeMap<&'static str, Reader>,
    pub(crate) views: Views,
    pub(crate) provider: Provider,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) office: Office,
    pub(crate) letters: BTreeMap<Who, VecDeque<Letter>>,
    /// Letters whose acknowledgement was lost, with the moment of the next try.
    pub(crate) unanswered: Vec<(DateTime<Utc>, Letter)>,
    pub(crate) books: Vec<Books>,
    pub(crate) witness: Witness,
    pub(crate) coverage: BTreeMap<String, u64>,
    pub(crate) transcript: Vec<String>,
    pub(crate) was_out: Vec<Who>,
    /// The streams of contacts, by payer.
    pub(crate) contacts: Vec<Arc<str>>,
    /// Position up to which the witness has read the engine's log.
    pub(crate) witnessed: u64,
    /// Position up to which the clerk has read the owner's log.
    pub(crate) audited: u64,
    /// Payers whose account is to be compared with the clerk's books.
    pub(crate) to_audit: Vec<usize>,
    /// Files outlive the services that write them.
    _disk: Option<Disk>,
}

/// The consumer of the engine.
pub const ENGINE_READER: &str = dunning_engine::INBOUND_CONSUMER;
/// The consumer of notification.
pub const NOTIFICATION_READER: &str = notification::INBOUND_CONSUMER;
/// The consumer of the read models.
pub const VIEWS_READER: &str = "views";

impl World {
    /// The world before anything has happened.
    pub fn new(history: History, play: Play) -> World {
        let disk = play.on_disk.then(|| Disk::new().expect("a folder for throw-away files can be had"));
        let terms = Terms { late_after_days: Some(2), ..Terms::default() };
        let ladders = Arc::new(Ladders::new(books(), history.approvals_given, terms));
        let knows = play.bug != Some(Bug::CommandIdsForgotten);
        let invoice = journal(&Arc::new(Accounts::default()), disk.as_ref(), "invoice", knows, owner_rules(play.bug));
        let engine = journal(&ladders, disk.as_ref(), "engine", true, engine_rules(play.bug));
        let contacts = journal(
            &Arc::new(AllContacts),
            disk.as_ref(),
            "notification",
            true,
            Box::new(|rules, state, command| rules.decide(state, command)),
        );
        let readers = [ENGINE_READER, NOTIFICATION_READER, VIEWS_READER].map(|name| (name, Reader::new(name)));
        let streams = history.payers.iter().map(|payer| notification::aggregate::stream(history.tenant, &payer.id).into());
        World {
            now: beginning(),
            chance: Chance::new(history.seed, 2),
            invoice: Service::new(invoice::TOPIC, Arc::new(Accounts::default()), invoice, Box::new(invoice::publish::PublicFacts)),
            engine: Service::new(dunning_engine::TOPIC, ladders, engine, Box::new(dunning_engine::publish::PublicFacts)),
            notification: Service::new(notification::TOPIC, Arc::new(AllContacts), contacts, Box::new(notification::publish::PublicFacts)),
            zombies: BTreeMap::new(),
            readers: readers.into(),
            views: Views { unfenced: play.bug == Some(Bug::OffsetsUnfenced), ..Views::default() },
            provider: Provider::default(),
            lanes: history.payers.iter().map(|_| Lane::default()).collect(),
            office: Office::default(),
            letters: crate::tell::letters(&history),
            unanswered: Vec::new(),
            books: history.payers.iter().map(|_| Books::default()).collect(),
            witness: Witness::default(),
            coverage: BTreeMap::new(),
            transcript: Vec::new(),
            was_out: Vec::new(),
            contacts: streams.collect(),
            witnessed: 0,
            audited: 0,
            to_audit: Vec::new(),
            history,
            play,
            _disk: disk,
        }
    }

    /// Counts that something was played.
    pub(crate) fn count(&mut self, what: &str) {
        *self.coverage.entry(what.to_owned()).or_default() += 1;
    }

    /// Writes down what happens, where somebody wants to read it.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.play.told {
            let line = format!("{} {}", self.now.format("%F %T"), what());
            self.transcript.push(line);
        }
    }

    /// Notes that something did not hold.
    pub(crate) fn accuse(&mut self, invariant: Invariant, what: String) {
        self.say(|| format!("VIOLATION {} | {what}", invariant.name()));
        self.witness.accuse(invariant, self.now, what);
    }

    /// Whether a service is out now.
    pub(crate) fn is_out(&self, who: Who) -> bool {
        self.outages().any(|outage| outage.who == who && (outage.from..outage.until).contains(&self.now))
    }

    /// The outages that are played.
    pub(crate) fn outages(&self) -> impl Iterator<Item = &Outage> {
        self.history.outages.iter().filter(|_| !self.play.without_outages)
    }

    pub(crate) fn payer(&self, payer: usize) -> &str {
        &self.history.payers[payer].id
    }

    /// The payer of a partition key.
    pub(crate) fn payer_of(&self, key: &str) -> usize {
        let is_of = |payer: &crate::history::Payer| key.rsplit('/').next() == Some(payer.id.as_str());
        self.history.payers.iter().position(is_of).expect("every key is that of a payer")
    }

    /// Orders something of the owner of balances.
    pub(crate) fn of_invoice(&mut self, payer: usize, command: receivable::Command, key: Option<String>) -> Result<usize, Refusal> {
        self.of_woken_invoice(payer, command, (key, None))
    }

    /// The same, where a timer may have caused it.
    pub(crate) fn of_woken_invoice(
        &mut self,
        payer: usize,
        command: receivable::Command,
        (key, wake): (Option<String>, Option<DateTime<Utc>>),
    ) -> Result<usize, Refusal> {
        let (tenant, customer) = (self.history.tenant, self.payer(payer).to_owned());
        let customer_id = kernel::CustomerId::new(&customer).expect("an id");
        let addressed = invoice::aggregate::Addressed { customer_id, command, rates: Arc::default() };
        let (stream, meta) = (invoice::aggregate::stream(tenant, &customer), invoice::aggregate::meta(tenant, &customer));
        self.invoice.submit(Order { stream, meta, command: addressed, key, wake }, self.now).map(|events| events.len())
    }

    /// Orders something of the engine; the events that it caused.
    pub(crate) fn of_engine(
        &mut self,
        payer: usize,
        order: dunning_engine::aggregate::Order,
        (key, wake): (Option<String>, Option<DateTime<Utc>>),
    ) -> Result<Vec<<Ladders as Aggregate>::Event>, Refusal> {
        use dunning_engine::aggregate::{Addressed, meta, stream};
        let (tenant, customer) = (self.history.tenant, self.payer(payer).to_owned());
        let customer_id = kernel::CustomerId::new(&customer).expect("an id");
        let command = Addressed { tenant: tenant.to_owned(), customer_id, order };
        let (stream, meta) = (stream(tenant, &customer), meta(tenant, &customer));
        self.engine.submit(Order { stream, meta, command, key, wake }, self.now)
    }

    /// Orders something of notification; the events that it caused.
    pub(crate) fn of_notification(
        &mut self,
        payer: usize,
        command: notice::Command,
        (key, wake): (Option<String>, Option<DateTime<Utc>>),
    ) -> Result<Vec<notification::wire::Fact>, Refusal> {
        use notification::aggregate::{Addressed, meta, stream};
        let (tenant, customer) = (self.history.tenant, self.payer(payer).to_owned());
        let command = Addressed::new(kernel::CustomerId::new(&customer).expect("an id"), command);
        let (stream, meta) = (stream(tenant, &customer), meta(tenant, &customer));
        self.notification.submit(Order { stream, meta, command, key, wake }, self.now)
    }
}

fn journal<A: Aggregate>(
    aggregate: &Arc<A>,
    disk: Option<&Disk>,
    name: &str,
    knows_commands: bool,
    rules: crate::journal::Rules<A>,
) -> Box<dyn Journal<A>> {
    if let Some(disk) = disk {
        return Box::new(Sqlite::new(Arc::clone(aggregate), disk, name));
    }
    let mut memory = Memory::new(Arc::clone(aggregate), rules);
    memory.knows_commands = knows_commands;
    Box::new(memory)
}
