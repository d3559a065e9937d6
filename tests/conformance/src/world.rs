//! Two services for the properties of the bus: a bank that publishes, and a mirror that pays every amount again on its own accounts and
//! keeps a read model of the bank's.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use eventlog::bus::Bus;
use eventlog::consumer::{Consumer, ConsumerSpec, StreamKey};
use eventlog::projection::{OwnLog, Projections};
use eventlog::relay::Relay;
use eventlog::{Activity, Log, Recorded, Writer, WriterOptions};
use tokio_util::sync::CancellationToken;

use crate::account::{Accounts, Command, Ear, PublicFacts, mirrored, on};
use crate::balances::{Balances, Line, lines};
use crate::faults::Switchboard;
use crate::history::{folded, whole};
use crate::moment::{PATIENCE, clock, ids, until};
use crate::storage::Storage;
use crate::wire::{Route, Wire};

/// The bank's topic.
pub const BANK: &str = "bank.v1";
/// The topic of the mirror's own log.
pub const MIRROR: &str = "mirror.v1";
/// The mirror's consumer of the bank.
pub const INBOUND: &str = "mirror.inbound";
/// The mirror's consumer of itself.
pub const OWN: &str = "mirror.own";
/// Messages in one transaction: few, so that there are many pages.
const PAGE_LIMIT: usize = 7;

/// A service: its log, its writer and its crash points.
pub struct Service {
    /// Its log.
    pub log: Log,
    /// Its writer.
    pub writer: Writer<Accounts>,
    /// Its crash points.
    pub faults: Arc<Switchboard>,
}

impl Service {
    /// Opens a service.
    ///
    /// # Errors
    /// Its log cannot be opened.
    pub async fn open(storage: &impl Storage, activity: &Activity) -> Result<Service> {
        Ok(Service::over(storage.open().await?, storage.faults(), activity))
    }

    /// A service over an open log.
    pub fn over(log: Log, faults: &Arc<Switchboard>, activity: &Activity) -> Service {
        let options = WriterOptions { activity: activity.clone(), ..WriterOptions::default() };
        Service { writer: Writer::spawn(Arc::new(Accounts), log.clone(), options), log, faults: faults.clone() }
    }

    /// Pays amounts, one command each.
    pub(crate) async fn pay(&self, amounts: &[(&str, i64)]) -> Result<()> {
        for (account, amount) in amounts {
            self.submit(account, Command::Pay(vec![*amount])).await?;
        }
        Ok(())
    }

    pub(crate) async fn submit(&self, account: &str, command: Command) -> Result<()> {
        self.writer.submit(on(account, command)).await?;
        Ok(())
    }

    fn spec(&self, name: &'static str) -> Result<ConsumerSpec> {
        let Some(db) = self.log.db().cloned() else { bail!("a memory log cannot keep a place") };
        Ok(ConsumerSpec::new(name, db, clock(), ids()).page_limit(PAGE_LIMIT).with_faults(self.faults.clone()))
    }

    /// Starts the consumer that keeps the read model over this service's own log.
    ///
    /// # Errors
    /// The log has no database, or it cannot be reached.
    pub async fn start_own(&self, activity: &Activity, stop: &CancellationToken) -> Result<Reader> {
        let spec = self.spec(OWN)?;
        let own = OwnLog { topic: MIRROR.into(), log: self.log.clone() };
        let models = Projections::new(spec.db.clone(), OWN, Some(own), vec![Balances::own(&self.faults)])?;
        let token = stop.child_token();
        let nowhere = Route::InProcess.bus();
        let consumer = Consumer::start(spec.projections(models.clone()), &nowhere, activity, token.clone()).await?;
        Ok(Reader { consumer, models, token, table: "own_balances" })
    }

    /// Starts the consumer that listens to the bank.
    ///
    /// # Errors
    /// The bus or the database cannot be reached.
    pub(crate) async fn start_inbound(&self, bus: &Bus, ear: Arc<Ear>, wiring: (&Activity, &CancellationToken)) -> Result<Reader> {
        let spec = self.spec(INBOUND)?;
        let models = Projections::new(spec.db.clone(), INBOUND, None, vec![Balances::of_the_bank(&self.faults)])?;
        let spec = spec.topics(&[BANK]).projections(models.clone());
        let token = wiring.1.child_token();
        let consumer = Consumer::start_with_inbound(spec, self.writer.clone(), ear, bus, (wiring.0, token.clone())).await?;
        Ok(Reader { consumer, models, token, table: "balances" })
    }

    /// Starts the consumer that listens to the bank and understands everything.
    ///
    /// # Errors
    /// The bus or the database cannot be reached.
    pub async fn listen(&self, bus: &Bus, activity: &Activity, stop: &CancellationToken) -> Result<Reader> {
        self.start_inbound(bus, Arc::new(Ear::default()), (activity, stop)).await
    }
}

/// A running consumer with its read model.
pub struct Reader {
    /// The consumer.
    pub consumer: Consumer,
    /// Its read models.
    pub models: Projections,
    token: CancellationToken,
    table: &'static str,
}

impl Reader {
    /// Stops it and waits for that.
    pub async fn stop(self) {
        self.token.cancel();
        self.consumer.stopped().await;
    }

    pub(crate) async fn lines(&self) -> Result<BTreeMap<String, Line>> {
        lines(&self.models, self.table).await
    }

    /// Whether a model that is built again from zero is the live one.
    /// # Errors
    /// It is not.
    pub async fn verify(&self) -> Result<()> {
        let verified = self.models.verify(self.table).await?;
        ensure!(verified.agrees() && verified.rows == verified.rebuilt_rows, "rebuilt is not live: {verified:?}");
        Ok(())
    }

    /// Waits until the model holds exactly these lines.
    pub(crate) async fn until_lines(&self, expected: &BTreeMap<String, Line>) -> Result<()> {
        let result = until("the read model holds all events", async || Ok(self.lines().await? == *expected)).await;
        match result {
            Ok(()) => Ok(()),
            Err(error) => bail!("{error:#}: {:?}, expected {expected:?}, {:?}", self.lines().await?, self.consumer.status()),
        }
    }
}

/// Both services on a bus.
pub(crate) struct World {
    pub(crate) activity: Activity,
    pub(crate) bus: Bus,
    pub(crate) bank: Service,
    pub(crate) mirror: Service,
    pub(crate) stop: CancellationToken,
    relay: Option<Relay>,
}

impl World {
    pub(crate) async fn new(wire: &impl Wire) -> Result<World> {
        let mut world = World::silent(wire).await?;
        world.publish().await?;
        Ok(world)
    }

    /// A world in which the bank does not publish yet.
    pub(crate) async fn silent(wire: &impl Wire) -> Result<World> {
        let activity = Activity::new();
        let bank = Service::open(wire.bank(), &activity).await?;
        let mirror = Service::open(wire.mirror(), &activity).await?;
        Ok(World { activity, bus: wire.route().bus(), bank, mirror, stop: CancellationToken::new(), relay: None })
    }

    pub(crate) async fn publish(&mut self) -> Result<()> {
        let (log, publish, stop) = (self.bank.log.clone(), Arc::new(PublicFacts), self.stop.child_token());
        self.relay = self.bus.offer(BANK, log, publish, &self.activity, stop).await?;
        Ok(())
    }

    /// Why the relay cannot go on now.
    pub(crate) fn relay_trouble(&self) -> Option<String> {
        self.relay.as_ref().and_then(|relay| relay.status().trouble)
    }

    /// Starts the mirror's consumer.
    pub(crate) async fn listen(&self) -> Result<Reader> {
        self.mirror.listen(&self.bus, &self.activity, &self.stop).await
    }

    /// Starts it with another ear.
    pub(crate) async fn listen_with(&self, ear: &Arc<Ear>) -> Result<Reader> {
        self.mirror.start_inbound(&self.bus, ear.clone(), (&self.activity, &self.stop)).await
    }

    /// Starts the consumer of the mirror's own log.
    pub(crate) async fn listen_to_itself(&self) -> Result<Reader> {
        self.mirror.start_own(&self.activity, &self.stop).await
    }

    /// Waits until nothing is in hand.
    pub(crate) async fn settled(&self) -> Result<()> {
        if tokio::time::timeout(PATIENCE, self.activity.settled()).await.is_err() {
            bail!("never settled, busy: {:?}", self.activity.busy());
        }
        Ok(())
    }

    /// Once nothing is in hand: whether the mirror holds each of the bank's amounts exactly once, in its log and in its read model, and the
    /// model is the one that a rebuild gives.
    pub(crate) async fn mirrored_exactly(&self, reader: &Reader) -> Result<()> {
        self.mirrors(&whole(&self.bank.log).await?, reader).await
    }

    /// The same for facts that the caller knows.
    pub(crate) async fn mirrors(&self, facts: &[Recorded], reader: &Reader) -> Result<()> {
        self.settled().await?;
        let expected = folded(facts, "Paid")?;
        let found = reader.lines().await?;
        ensure!(found == expected, "the read model holds {found:?}, should hold {expected:?}");
        let copies = whole(&self.mirror.log).await?;
        let mut causes: BTreeMap<uuid::Uuid, u32> = BTreeMap::new();
        for event in &copies {
            *causes.entry(event.causation_id.unwrap_or_default()).or_default() += 1;
        }
        let paid: Vec<_> = facts.iter().filter(|fact| fact.event_type == "Paid").collect();
        for fact in &paid {
            let times = causes.get(&fact.event_id).copied().unwrap_or(0);
            ensure!(times == 1, "{}@{} is mirrored {times} times", fact.stream, fact.version);
        }
        ensure!(copies.len() == paid.len(), "{} amounts, {} mirrored", paid.len(), copies.len());
        let found = folded(&copies, "Paid")?;
        for (account, line) in &expected {
            let mirror = found.get(&mirrored(account)).copied().unwrap_or_default();
            ensure!((mirror.balance, mirror.entries) == (line.balance, line.entries), "{account}: {line:?} is mirrored as {mirror:?}");
        }
        reader.verify().await
    }

    /// Ends everything in order.
    pub(crate) async fn end(self, readers: Vec<Reader>) {
        self.stop.cancel();
        for reader in readers {
            reader.stop().await;
        }
        if let Some(relay) = self.relay {
            relay.stopped().await;
        }
    }
}

/// A stream of the bank.
pub(crate) fn of_the_bank(stream: &str) -> StreamKey {
    StreamKey { topic: BANK.into(), stream: stream.into() }
}
