//! The scheduler: of all that could happen next it lets one thing happen, chosen by the seed; and now and then something goes wrong.

use crate::bug::Bug;
use crate::history::{DAYS, Who, beginning, day_of};
use crate::journal::Refusal;
use crate::reader::{Mishap, Reader, Taken};
use crate::service::Partitions;
use crate::witness::Invariant;
use crate::world::{ENGINE_READER, NOTIFICATION_READER, VIEWS_READER, World};
use chrono::{DateTime, TimeDelta, Utc};
use dunning_engine::aggregate::Order;
use eventlog::bus::{Message, Place};
use ladder::Command;

/// More steps than any history needs: whoever takes more does not come to rest.
const MOST_STEPS: u32 = 60_000;

/// Something that could happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Tell(Who),
    TellAgain(usize),
    Relay(Who),
    Take(&'static str, Place),
    Wake(Who),
    Carry(usize),
    ReadOffice,
    Errand(usize),
    Receipt(usize),
}

impl World {
    /// Plays the history to its end, lets everything come to rest, and judges what is left.
    pub(crate) fn run(&mut self) {
        self.register();
        let end = beginning() + TimeDelta::days(DAYS);
        for _ in 0..MOST_STEPS {
            if !self.witness.violations.is_empty() {
                // What went wrong may have led to more.
                return self.witness.judge_climbs(self.history.tenant, self.now);
            }
            self.note_outages();
            let mut steps = self.enabled();
            let goes_wrong = self.chance.permille(self.history.faults_permille);
            if goes_wrong {
                let readable = self.to_read();
                self.mishap(&readable);
                continue;
            }
            if steps.is_empty() {
                match self.next_moment().filter(|at| *at < end) {
                    Some(at) => self.now = at.max(self.now),
                    None => return self.finish(end),
                }
                continue;
            }
            let step = steps.swap_remove(self.chance.place(steps.len()));
            self.take_step(step);
            self.watch();
        }
        self.accuse(Invariant::Contracts, "the system does not come to rest".to_owned());
    }

    /// No outages and no faults any more: what is under way arrives.
    fn finish(&mut self, end: DateTime<Utc>) {
        (self.now, self.history.faults_permille) = (end, 0);
        self.history.outages.clear();
        self.note_outages();
        for _ in 0..MOST_STEPS {
            let Some(step) = self.enabled().into_iter().next() else { break };
            self.take_step(step);
            self.watch();
        }
        self.judge();
    }

    fn register(&mut self) {
        for payer in 0..self.history.payers.len() {
            let known = self.history.payers[payer].clone();
            let attributes = receivable::Attributes { zone: (!known.zone.is_empty()).then(|| known.zone.to_owned()), ..Default::default() };
            let register = receivable::RegisterCustomer {
                customer_id: kernel::CustomerId::new(&known.id).expect("an id"),
                attributes,
                consents: known.consents.iter().map(ToString::to_string).collect(),
            };
            let registered = self.of_invoice(payer, receivable::Command::RegisterCustomer(register), None);
            self.say(|| format!("registered {known:?}: {registered:?}"));
        }
    }

    fn enabled(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for who in Who::ALL.into_iter().filter(|who| !self.is_out(*who)).collect::<Vec<_>>() {
            if self.letters.get(&who).and_then(|letters| letters.front()).is_some_and(|letter| letter.planned.at <= self.now) {
                steps.push(Step::Tell(who));
            }
            if self.lag(who) > 0 {
                steps.push(Step::Relay(who));
            }
            // Whoever decides that money is missing first hears of what came: payments that waited for the owner come before its timers.
            let hears_first = who == Who::Invoice && steps.contains(&Step::Tell(who));
            if !hears_first && self.next_timer(who).is_some_and(|at| at <= self.now) {
                steps.push(Step::Wake(who));
            }
        }
        let owner_is_out = self.is_out(Who::Invoice);
        let again = self.unanswered.iter().position(|(at, _)| *at <= self.now && !owner_is_out);
        steps.extend(again.map(Step::TellAgain));
        for (reader, place) in self.to_read() {
            steps.push(Step::Take(reader, place));
        }
        if self.lanes_run() {
            steps.extend((0..self.lanes.len()).filter(|payer| self.lane_wants(*payer)).map(Step::Carry));
            steps.extend(self.provider.receipts.iter().position(|receipt| receipt.at <= self.now).map(Step::Receipt));
        }
        if self.office_is_open() {
            if self.office_lags() {
                steps.push(Step::ReadOffice);
            }
            steps.extend(self.office.errands.iter().position(|(at, _, _)| *at <= self.now).map(Step::Errand));
        }
        steps
    }

    fn to_read(&self) -> Vec<(&'static str, Place)> {
        let open = |name: &&'static str| match *name {
            ENGINE_READER => !self.is_out(Who::Engine),
            NOTIFICATION_READER => !self.is_out(Who::Notification),
            _ => true,
        };
        let readers = [ENGINE_READER, NOTIFICATION_READER, VIEWS_READER].into_iter().filter(open);
        readers.flat_map(|name| self.lagging(name, &self.readers[name]).map(move |place| (name, place.clone()))).collect()
    }

    /// The partitions of which a consumer has not read everything.
    pub(crate) fn lagging<'a>(&'a self, name: &str, reader: &'a Reader) -> impl Iterator<Item = &'a Place> {
        let (invoice, engine, notification) = (self.invoice.places(), self.engine.places(), self.notification.places());
        let topics: [&[Place]; 3] = match name {
            ENGINE_READER => [invoice, notification, &[]],
            NOTIFICATION_READER => [engine, invoice, &[]],
            _ => [invoice, engine, notification],
        };
        topics.into_iter().flatten().filter(|place| reader.lag(self.topic_of(place), place) > 0)
    }

    /// The topic of a place.
    pub(crate) fn topic_of(&self, place: &Place) -> &Partitions {
        match place.topic.as_str() {
            invoice::TOPIC => &self.invoice.topic,
            dunning_engine::TOPIC => &self.engine.topic,
            _ => &self.notification.topic,
        }
    }

    /// Lets a consumer take its next page.
    pub(crate) fn take_page(&mut self, name: &'static str, place: &Place, mishap: Mishap) {
        let reader = self.readers.remove(name).expect("every consumer has a name");
        let reader = self.read(reader, place, mishap);
        self.readers.insert(name, reader);
    }

    /// The next moment at which something becomes possible.
    fn next_moment(&mut self) -> Option<DateTime<Utc>> {
        let now = self.now;
        let mut moments: Vec<DateTime<Utc>> = Vec::new();
        for who in Who::ALL.into_iter().filter(|who| !self.is_out(*who)).collect::<Vec<_>>() {
            moments.extend(self.letters.get(&who).and_then(|letters| letters.front()).map(|letter| letter.planned.at));
            // Whoever waits for an owner that is out looks again every half minute: here, once in a while.
            let patience = if self.is_out(Who::Invoice) { TimeDelta::minutes(45) } else { TimeDelta::zero() };
            moments.extend(self.next_timer(who).map(|at| at.max(now + patience)));
        }
        moments.extend(self.unanswered.iter().map(|(at, _)| *at));
        moments.extend(self.provider.receipts.iter().map(|receipt| receipt.at));
        moments.extend(self.office.errands.iter().map(|(at, _, _)| *at));
        moments.extend(self.outages().flat_map(|outage| [outage.from, outage.until]));
        moments.into_iter().filter(|at| *at > now).min()
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Tell(who) => {
                let letter = self.letters.get_mut(&who).and_then(std::collections::VecDeque::pop_front);
                letter.into_iter().for_each(|letter| self.tell(letter));
            }
            Step::TellAgain(number) => {
                let (_, letter) = self.unanswered.swap_remove(number);
                self.tell(letter);
            }
            Step::Relay(who) => {
                let limit = self.chance.place(20) + 1;
                match who {
                    Who::Invoice => self.invoice.relay(limit),
                    Who::Engine => self.engine.relay(limit),
                    Who::Notification => self.notification.relay(limit),
                }
            }
            Step::Take(name, place) => self.take_page(name, &place, Mishap::None),
            Step::Wake(who) => self.wake(who),
            Step::Carry(payer) => self.carry(payer),
            Step::ReadOffice => self.read_office(),
            Step::Errand(number) => self.run_errand(number),
            Step::Receipt(number) => self.receive(number),
        }
    }

    /// Lets a consumer take its next page; gives it back as it is then.
    pub(crate) fn read(&mut self, mut reader: Reader, place: &Place, mishap: Mishap) -> Reader {
        let limit = (self.chance.place(8) + 1, mishap);
        let now = self.now;
        let taken = match reader.name {
            VIEWS_READER => self.read_views(&mut reader, place, limit),
            ENGINE_READER => {
                let topic = if place.topic == invoice::TOPIC { &self.invoice.topic } else { &self.notification.topic };
                reader.take((topic, place), (&mut self.engine, &dunning_engine::inbound::Facts), limit, now)
            }
            _ => {
                let topic = if place.topic == invoice::TOPIC { &self.invoice.topic } else { &self.engine.topic };
                let deaf = crate::deaf::Deaf { forgets_standstills: self.play.bug == Some(Bug::StandstillForgotten) };
                reader.take((topic, place), (&mut self.notification, &deaf), limit, now)
            }
        };
        self.say(|| format!("page: {} of {}/{}: {:?}", reader.name, place.topic, place.partition, taken.as_ref().map(|(taken, _)| taken)));
        match taken {
            Ok((Taken::Stored(_, duplicates), fresh)) => {
                if duplicates > 0 {
                    self.count("fault: message came twice");
                }
                self.heard(reader.name, &fresh);
            }
            Ok((Taken::Fenced, _)) => self.count("fault: fenced off"),
            Ok((Taken::Nothing, _)) => {}
            Err(what) => self.accuse(Invariant::Contracts, what),
        }
        reader
    }

    fn read_views(
        &mut self,
        reader: &mut Reader,
        place: &Place,
        (limit, mishap): (usize, Mishap),
    ) -> Result<(Taken, Vec<Message>), String> {
        let sorted = reader.page(self.topic_of(place), place, limit, mishap)?;
        if sorted.is_empty() || mishap == Mishap::LostBefore {
            reader.known = self.views.places.clone();
            return Ok((Taken::Nothing, Vec::new()));
        }
        match self.views.take(&sorted) {
            Ok(()) if mishap == Mishap::LostAfter => reader.known = self.views.places.clone(),
            Ok(()) => reader.stored(&sorted),
            Err(Refusal::Fenced) => {
                reader.known = self.views.places.clone();
                return Ok((Taken::Fenced, Vec::new()));
            }
            Err(Refusal::Rejected(reason) | Refusal::Fault(reason)) => return Err(reason),
        }
        if mishap == Mishap::LostAfter && self.play.bug == Some(Bug::ViewSkips) {
            self.views.skips = 1;
        }
        Ok((Taken::Stored(sorted.fresh.len(), sorted.duplicates), Vec::new()))
    }

    fn heard(&mut self, reader: &'static str, fresh: &[Message]) {
        for message in fresh.iter().filter(|_| reader == NOTIFICATION_READER) {
            let payer = self.payer_of(&message.event.key);
            self.witness.heard(payer, message);
        }
    }

    fn wake(&mut self, who: Who) {
        let timer = match who {
            Who::Invoice => self.invoice.journal.next_timer(),
            Who::Engine => self.engine.journal.next_timer(),
            Who::Notification => self.notification.journal.next_timer(),
        };
        let Some(timer) = timer else { return };
        let (payer, now) = (self.payer_of(&timer.key), self.now);
        if who == Who::Invoice {
            return self.wake_owner(payer, &timer.stream);
        }
        if who == Who::Notification {
            let closed = self.of_notification(payer, notice::Command::CloseStale(notice::CloseStale { now }), (None, Some(now)));
            self.say(|| format!("wake: {} -> {:?}", timer.stream, closed.map(|facts| facts.len())));
            return;
        }
        let woken = self.of_engine(payer, Order::Ladder(Command::Wake { now }), (None, Some(now)));
        let names = |facts: Vec<<dunning_engine::Ladders as eventlog::Aggregate>::Event>| {
            facts.iter().map(|fact| format!("{:?}", fact.event).chars().take(160).collect::<String>()).collect::<Vec<_>>()
        };
        match woken {
            Ok(facts) => self.say(|| format!("wake: {} -> {:?}", timer.stream, names(facts))),
            Err(error) => self.accuse(Invariant::Contracts, format!("a wake: {error:?}")),
        }
        if self.chance.permille(100) {
            self.wake_again(payer);
        }
    }

    /// Agreements that are late are broken, as the owner's timers do it.
    fn wake_owner(&mut self, payer: usize, stream: &str) {
        let (cause, today) = (receivable::BreakCause::Late, day_of(self.now));
        let late = receivable::BreakAgreement { agreement_id: None, cause, reason: cause.slug().to_owned(), today };
        let woken = self.of_woken_invoice(payer, receivable::Command::BreakAgreement(late), (None, Some(self.now)));
        self.say(|| format!("wake: {stream} -> {woken:?}"));
        if let Err(error) = woken {
            self.accuse(Invariant::Contracts, format!("a wake of the owner: {error:?}"));
        }
    }

    /// A run more at the same moment adds nothing.
    fn wake_again(&mut self, payer: usize) {
        let again = self.of_engine(payer, Order::Ladder(Command::Wake { now: self.now }), (None, None));
        self.count("fault: woken again");
        match again {
            Ok(facts) if facts.is_empty() => {}
            Ok(facts) => self.accuse(Invariant::SamePlan, format!("a run more adds {:?}", facts[0].event)),
            Err(error) => self.accuse(Invariant::Contracts, format!("a wake: {error:?}")),
        }
    }

    fn lag(&mut self, who: Who) -> u64 {
        match who {
            Who::Invoice => self.invoice.lag(),
            Who::Engine => self.engine.lag(),
            Who::Notification => self.notification.lag(),
        }
    }

    fn next_timer(&mut self, who: Who) -> Option<DateTime<Utc>> {
        match who {
            Who::Invoice => self.invoice.journal.next_due(),
            Who::Engine => self.engine.journal.next_due(),
            Who::Notification => self.notification.journal.next_due(),
        }
    }
}
