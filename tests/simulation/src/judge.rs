//! What must hold after each step, and once everything has come to rest.

use crate::history::{DAYS, Who, day_of, later};
use crate::views::rebuilt;
use crate::witness::Invariant;
use crate::world::World;
use kernel::NaiveDate;
use ladder::track::{Phase, Track};
use receivable::charges::statement_on;
use receivable::{Account, Invoice};

impl World {
    /// After a step: what the engine has recorded, and what the owner's books say.
    pub(crate) fn watch(&mut self) {
        self.watch_owner();
        for recorded in self.engine.journal.read(self.witnessed, 1000) {
            self.witnessed = recorded.position;
            if recorded.event_type != "StepsClosed" {
                continue;
            }
            let payer = self.payer_of(&recorded.key);
            if let Some(fact) = self.engine.decoded(&recorded) {
                self.witness.planned((self.history.tenant, payer), &fact.event, self.now);
            }
        }
    }

    /// What the owner's account says otherwise than the facts.
    pub(crate) fn audit(&mut self, payer: usize) {
        let account = self.account(payer);
        if let Some(what) = self.books[payer].differs(&account) {
            self.accuse(Invariant::Ledger, what);
        }
    }

    /// At the end.
    pub(crate) fn judge(&mut self) {
        self.witness.judge_climbs(self.history.tenant, self.now);
        for payer in 0..self.history.payers.len() {
            self.audit(payer);
            self.judge_charges(payer);
            self.judge_agreements(payer);
            self.judge_tracks(payer);
        }
        self.judge_views();
        self.judge_logs();
    }

    /// Interest by the day is what its rate says, from the day on which it begins; computed in one go or in two.
    fn judge_charges(&mut self, payer: usize) {
        let account = self.account(payer);
        let unpaid = |(_, invoice): &(&kernel::InvoiceId, &Invoice)| {
            invoice.charges.is_some() && invoice.payments.is_empty() && invoice.credited_minor == 0
        };
        // A note that was taken back counts on the days before.
        let noted = |id: &kernel::InvoiceId| account.credit_notes.values().any(|note| note.invoice_id.as_ref() == Some(id));
        let mut found = Vec::new();
        for (id, invoice) in account
            .invoices
            .iter()
            .filter(unpaid)
            .filter(|(id, _)| !noted(id))
            .filter(|(_, invoice)| invoice.phase == receivable::Phase::Open)
        {
            let last = later(crate::history::first_day(), DAYS);
            let days: Vec<NaiveDate> = (0..5).map(|nth| later(invoice.due_on, nth * 17)).filter(|day| *day <= last).collect();
            for day in days {
                let Some(expected) = interest_minor(&account, (id, invoice), day) else { continue };
                if expected.0.abs_diff(expected.1) > 1 {
                    found.push(format!("{id}: interest of {day} is {}, its rate says {}", expected.0, expected.1));
                }
            }
        }
        found.into_iter().for_each(|what| self.accuse(Invariant::Ledger, what));
    }

    fn judge_tracks(&mut self, payer: usize) {
        let account = self.account(payer);
        let stream = dunning_engine::aggregate::stream(self.history.tenant, self.payer(payer));
        let (state, _) = self.engine.journal.state(&stream);
        let today = day_of(self.now);
        let mut found = Vec::new();
        for (id, track) in &state.ladder.tracks {
            let Some(invoice) = account.invoices.get(id) else { continue };
            let plain = invoice.charges.is_none() && invoice.phase != receivable::Phase::Cancelled;
            if plain && track.outstanding_minor != invoice.open_minor {
                let what = format!("{id}: the engine believes {} open, the owner says {}", track.outstanding_minor, invoice.open_minor);
                found.push((Invariant::Outage, what));
            }
            if plain && track.phase == Phase::Settled && invoice.open_minor > 0 {
                found.push((Invariant::Outage, format!("{id} is settled for the engine and open for the owner")));
            }
            found.extend(unended(track, today).map(|what| (Invariant::OneEnd, what)));
        }
        let missing = account.invoices.keys().find(|id| !state.ladder.tracks.contains_key(*id));
        found.extend(missing.map(|id| (Invariant::Outage, format!("{id} never came to the engine"))));
        found.into_iter().for_each(|(invariant, what)| self.accuse(invariant, what));
    }

    fn judge_views(&mut self) {
        let again = rebuilt([&self.invoice.topic, &self.engine.topic, &self.notification.topic]);
        if again != self.views.fold {
            let differs = again.told.iter().find(|(key, count)| self.views.fold.told.get(*key) != Some(count));
            self.accuse(Invariant::Views, format!("rebuilt from zero they differ, first in {differs:?}"));
        }
        for payer in 0..self.history.payers.len() {
            let (account, key) = (self.account(payer), format!("{}/{}", self.history.tenant, self.payer(payer)));
            for (id, invoice) in account.invoices.iter().filter(|(_, invoice)| invoice.charges.is_none()) {
                let seen = self.views.fold.open_minor.get(&(key.clone(), id.to_string())).copied();
                if seen != Some(invoice.open_minor) {
                    self.accuse(Invariant::Views, format!("{id}: the views say {seen:?} open, the owner {}", invoice.open_minor));
                }
            }
        }
    }

    /// The log alone gives the state: a process that starts anew knows what the old one knew.
    fn judge_logs(&mut self) {
        for payer in 0..self.history.payers.len() {
            let (tenant, customer) = (self.history.tenant, self.payer(payer).to_owned());
            let account = invoice::aggregate::stream(tenant, &customer);
            let ladder = dunning_engine::aggregate::stream(tenant, &customer);
            let contacts = notification::aggregate::stream(tenant, &customer);
            let before =
                (self.invoice.journal.state(&account), self.engine.journal.state(&ladder), self.notification.journal.state(&contacts));
            Who::ALL.into_iter().for_each(|who| self.crash(who));
            let after =
                (self.invoice.journal.state(&account), self.engine.journal.state(&ladder), self.notification.journal.state(&contacts));
            if before != after {
                self.accuse(Invariant::SamePlan, format!("{customer}: read from its log, the state is another"));
            }
        }
    }
}

/// Interest as the account states it, and as its rate says: 1 % a month of thirty days, from the due day on.
fn interest_minor(account: &Account, named: (&kernel::InvoiceId, &Invoice), day: NaiveDate) -> Option<(i64, i64)> {
    let statement = statement_on(account, named, day, &Default::default()).ok()?;
    let late = kernel::calendar::days_between(named.1.due_on, day);
    let effective = kernel::Calendar::BrSettlement.following(named.1.due_on);
    let expected = if day > effective { named.1.amount_minor * late / 3000 } else { 0 };
    Some((statement.interest_cents, expected))
}

/// Steps of a track that should have ended.
fn unended(track: &Track, today: NaiveDate) -> Option<String> {
    let running = matches!(track.phase, Phase::Active | Phase::Enrolled);
    let open = |at: &&ladder::track::Occurrence| !at.is_ended() && !track.is_claimed();
    let bad = |at: &&ladder::track::Occurrence| !running || at.cycle != track.cycle || at.is_past(today);
    let found = track.occurrences.iter().filter(open).find(bad)?;
    Some(format!("{} is {} and {}/{} has not ended: {:?}", track.invoice_id, track.phase.slug(), found.step_id, found.cycle, found.state))
}
