//! Agreements in histories: when they are made, how their instalments are paid, and what the books of a careful clerk say of them.

use crate::books::{Books, Debt};
use crate::chance::Chance;
use crate::history::{Fact, Planned, day_of, fact, later, moment};
use crate::witness::Invariant;
use crate::world::World;
use chrono::{NaiveDate, TimeDelta};
use kernel::Calendar;
use receivable::{Account, AgreementBroken, BreakCause, Event, MakeAgreement, Stage};

/// Agreements of a payer, with what happens to them and to their instalments.
pub fn agreements(chance: &mut Chance, payer: usize, facts: &mut Vec<Planned>) {
    for number in 0..[0, 0, 1, 1, 2][chance.place(5)] {
        let name = format!("a{payer}-{number}");
        let made_on = chance.within(8, 40);
        let mut due = chance.within(0, 13);
        let mut instalments = Vec::new();
        for _ in 0..chance.within(1, 5) {
            instalments.push((chance.within(5, 200) * 100, due));
            due += chance.within(3, 10);
        }
        let agreed = Fact::Agreed {
            debts: chance.place(3) + 1,
            instalments: instalments.clone(),
            breach_after_days: [0, 2, 8, 30][chance.place(4)],
            charged: chance.permille(150),
        };
        let at = moment(chance, made_on);
        facts.push(Planned { at, payer, invoice: name.clone(), fact: agreed });
        // Kept, kept in part, or not at all.
        let kept_permille = [1000, 1000, 600, 0][chance.place(4)];
        for (place, (amount_minor, days)) in instalments.into_iter().enumerate() {
            let invoice = format!("{name}-{}", place + 1);
            let told = of_instalment(chance, (&invoice, amount_minor), (made_on, days), kept_permille);
            let told = told.into_iter().map(|(when, fact)| (when.max(at + TimeDelta::minutes(1)), fact));
            facts.extend(told.map(|(at, fact)| Planned { at, payer, invoice: invoice.clone(), fact }));
        }
        if chance.permille(200) {
            let day = made_on + chance.within(0, 40);
            facts.push(Planned { at: moment(chance, day), payer, invoice: name, fact: Fact::Broken });
        }
    }
}

type Told = Vec<(chrono::DateTime<chrono::Utc>, Fact)>;

fn of_instalment(chance: &mut Chance, of: (&str, i64), (made_on, days): (i64, i64), kept_permille: u64) -> Told {
    let (mut told, mut payments) = (Vec::new(), 0);
    if chance.permille(kept_permille) {
        payments += 1;
        let paid_minor = if chance.permille(150) { of.1 + chance.within(1, 100) * 100 } else { of.1 };
        let payment = format!("p.{}.{payments}", of.0);
        let day = (made_on + days + chance.within(-4, 3)).max(made_on);
        let at = moment(chance, day);
        if chance.permille(120) {
            told.push((at + TimeDelta::days(chance.within(1, 20)), Fact::Reversed { payment: payment.clone() }));
        }
        told.push((at, Fact::Paid { payment, amount_minor: paid_minor }));
    }
    if chance.permille(300) {
        let day = chance.within(made_on, made_on + days + 10);
        let at = moment(chance, day);
        told.push((at, fact(chance, of, &mut payments)));
    }
    told
}

/// An agreement as a clerk keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pact {
    /// Its debts.
    pub debts: Vec<String>,
    /// Its instalments.
    pub instalments: Vec<String>,
    /// Days that an instalment may be overdue.
    pub breach_after_days: u32,
    /// It was broken.
    pub broken: bool,
}

impl Books {
    /// Debts of which a clerk believes that they may be renegotiated, at most so many.
    pub fn to_renegotiate(&self, most: usize) -> Vec<String> {
        let is_open = |debt: &Debt| !debt.cancelled && !debt.is_settled() && debt.moved_minor.is_none() && debt.instalment_of.is_none();
        self.debts.iter().filter(|(_, debt)| is_open(debt)).map(|(name, _)| name.clone()).take(most).collect()
    }

    /// An agreement was made, as the account shows it. Gives what it says otherwise than the facts.
    pub fn agreed(&mut self, make: &MakeAgreement, account: &Account, charged: bool) -> Option<String> {
        let shown = account.agreements.get(&make.agreement_id)?;
        let mut wrong = None;
        for original in &shown.originals {
            let Some(debt) = self.debts.get_mut(original.invoice_id.as_str()) else { continue };
            let owed_minor = debt.amount_minor - debt.credited_minor - debt.paid_minor - debt.put_minor;
            if debt.is_plain() && original.principal_minor != owed_minor {
                wrong = Some(format!("{}: {} is renegotiated, the facts say {debt:?}", make.agreement_id, original.principal_minor));
            }
            (debt.moved_minor, debt.paid_when_moved_minor) = (Some(original.principal_minor), debt.paid_minor);
            debt.owed_beside = false;
        }
        for issue in &make.instalments {
            let debt = Debt {
                amount_minor: issue.amount_minor,
                issued_on: issue.issued_on,
                due_on: issue.due_on,
                charged,
                instalment_of: Some(make.agreement_id.to_string()),
                ..Debt::default()
            };
            self.debts.insert(issue.invoice_id.to_string(), debt);
        }
        let pact = Pact {
            debts: make.originals.iter().map(ToString::to_string).collect(),
            instalments: make.instalments.iter().map(|issue| issue.invoice_id.to_string()).collect(),
            breach_after_days: make.breach_after_days,
            broken: false,
        };
        self.pacts.insert(make.agreement_id.to_string(), pact);
        wrong
    }

    /// The first day on which an agreement counts as broken; `None` where nothing is late, or a clerk cannot tell in the head.
    pub fn late_from(&self, pact: &Pact) -> Option<NaiveDate> {
        let instalments: Vec<&Debt> = pact.instalments.iter().filter_map(|name| self.debts.get(name)).collect();
        if !instalments.iter().all(|debt| debt.is_plain()) {
            return None;
        }
        let open = instalments.iter().filter(|debt| debt.open_minor() > 0);
        let due = open.map(|debt| Calendar::BrSettlement.following(debt.due_on)).min()?;
        Some(later(due, i64::from(pact.breach_after_days) + 1))
    }

    /// An agreement was broken: its debts are owed again, less what was paid, the oldest due first. Gives what should be open of each debt
    /// now, where a clerk can tell, or what is wrong with the breach.
    pub fn broken(&mut self, event: &AgreementBroken) -> Result<Vec<(String, i64)>, String> {
        let Some(pact) = self.pacts.get(event.agreement_id.as_str()).cloned() else {
            return Err(format!("{} is broken and was never made", event.agreement_id));
        };
        let instalments: Vec<Debt> = pact.instalments.iter().filter_map(|name| self.debts.get(name)).cloned().collect();
        let plain = instalments.iter().all(Debt::is_plain);
        if plain && event.cause == BreakCause::Late && self.late_from(&pact).is_none_or(|from| event.broken_on < from) {
            return Err(format!("{} is broken on {}, and nothing is late: {instalments:?}", event.agreement_id, event.broken_on));
        }
        let mut paid_minor: i64 = instalments.iter().map(|debt| debt.paid_minor.min(debt.amount_minor - debt.credited_minor)).sum();
        for name in &pact.instalments {
            self.of(name, |debt| debt.cancelled = true);
        }
        let mut debts: Vec<&String> = pact.debts.iter().collect();
        debts.sort_by_key(|name| self.debts.get(*name).map(|debt| (debt.due_on, debt.issued_on, (*name).clone())));
        let whole = plain && debts.iter().all(|name| self.debts.get(*name).is_some_and(Debt::is_plain));
        let mut open = Vec::new();
        for name in debts {
            self.of(name, |debt| {
                debt.moved_minor = None;
                if whole {
                    let left_minor = debt.open_minor();
                    let part_minor = paid_minor.min(left_minor);
                    (debt.put_minor, paid_minor) = (debt.put_minor + part_minor, paid_minor - part_minor);
                    open.push((name.clone(), left_minor - part_minor));
                } else {
                    // What was put on which of them no clerk tells in the head.
                    debt.disturbed = true;
                }
            });
        }
        self.pacts.insert(event.agreement_id.to_string(), Pact { broken: true, ..pact });
        Ok(open)
    }
}

impl World {
    /// What the owner has recorded of agreements, taken into the clerk's books; and the books against the account wherever money moved.
    pub(crate) fn watch_owner(&mut self) {
        for recorded in self.invoice.journal.read(self.audited, 1000) {
            self.audited = recorded.position;
            if recorded.event_type == "ReminderAuthorized" {
                continue;
            }
            let payer = self.payer_of(&recorded.key);
            match self.invoice.decoded(&recorded).map(|fact| fact.event) {
                Some(Event::AgreementBroken(event)) => self.note_broken(payer, &event),
                Some(Event::AgreementCompleted(_)) => self.count("agreement: completed"),
                Some(Event::AgreementResumed(_)) => self.count("agreement: open again"),
                Some(Event::InvoiceRenegotiated(_)) => self.count("agreement: debt renegotiated"),
                Some(Event::PaymentReceived(event)) if event.part_of.is_some() => self.count("agreement: payment put on a debt"),
                _ => {}
            }
            if !self.to_audit.contains(&payer) {
                self.to_audit.push(payer);
            }
        }
        for payer in std::mem::take(&mut self.to_audit) {
            self.audit(payer);
        }
    }

    fn note_broken(&mut self, payer: usize, event: &AgreementBroken) {
        self.count(&format!("agreement: broken, {}", event.cause.slug()));
        let account = self.account(payer);
        match self.books[payer].broken(event) {
            Err(what) => self.accuse(Invariant::Ledger, what),
            Ok(open) => {
                for (name, open_minor) in open {
                    let found = account.invoices.iter().find(|(id, _)| id.as_str() == name).map(|(_, invoice)| invoice.open_minor);
                    if found != Some(open_minor) {
                        let what =
                            format!("{name}: {open_minor} should be open after the breach of {}, it is {found:?}", event.agreement_id);
                        self.accuse(Invariant::Ledger, what);
                    }
                }
            }
        }
    }

    /// At the end: what is late enough is broken, what is paid is completed, and what is renegotiated is not on its ladder.
    pub(crate) fn judge_agreements(&mut self, payer: usize) {
        let (account, today) = (self.account(payer), day_of(self.now));
        let stream = dunning_engine::aggregate::stream(self.history.tenant, self.payer(payer));
        let (state, _) = self.engine.journal.state(&stream);
        let books = self.books[payer].clone();
        let mut found = Vec::new();
        for (id, agreement) in &account.agreements {
            let Some(pact) = books.pacts.get(id.as_str()) else {
                found.push(format!("{id} was made, the facts do not say so"));
                continue;
            };
            let is_broken = matches!(agreement.stage, Stage::Broken { .. });
            if is_broken != pact.broken {
                found.push(format!("{id} is {:?}, the facts say {pact:?}", agreement.stage));
            }
            let covered = account.credit.values().any(|credit| *credit > 0);
            if !is_broken && !covered && books.late_from(pact).is_some_and(|from| from <= today) {
                found.push(format!("{id} is {:?} and late since {:?}", agreement.stage, books.late_from(pact)));
            }
            let instalments: Vec<&Debt> = pact.instalments.iter().filter_map(|name| books.debts.get(name)).collect();
            let is_paid = instalments.iter().all(|debt| debt.is_plain() && debt.open_minor() == 0);
            if !is_broken && is_paid && !matches!(agreement.stage, Stage::Completed { .. }) {
                found.push(format!("{id} is {:?}, and everything is paid: {instalments:?}", agreement.stage));
            }
        }
        for (id, invoice) in account.invoices.iter().filter(|(_, invoice)| invoice.renegotiated_by.is_some() && invoice.open_minor == 0) {
            let running = state.ladder.tracks.get(id).filter(|track| track.phase.is_running());
            found.extend(running.map(|track| format!("{id} is {:?} and climbs as {}", invoice.phase, track.phase.slug())));
        }
        found.into_iter().for_each(|what| self.accuse(Invariant::Ledger, what));
    }

    /// Counts what a message asks for, as far as agreements are concerned.
    pub(crate) fn count_reminded(&mut self, payer: usize, names: &[String]) {
        for name in names {
            let Some(debt) = self.books[payer].debts.get(name) else { continue };
            let is_instalment = debt.instalment_of.is_some();
            let after_breach = self.books[payer].pacts.values().any(|pact| pact.broken && pact.debts.contains(name));
            if is_instalment {
                self.count("agreement: instalment reminded of");
            } else if after_breach {
                self.count("agreement: debt reminded of after a breach");
            }
        }
    }
}
