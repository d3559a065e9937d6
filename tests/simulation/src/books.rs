//! What is owed, computed from the facts that were acknowledged and from nothing that the services say.

use crate::agreements::Pact;
use crate::history::{Fact, later};
use chrono::NaiveDate;
use receivable::{Account, Phase};
use std::collections::BTreeMap;

/// A receivable as a careful clerk would keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debt {
    /// Minor units asked.
    pub amount_minor: i64,
    /// Minor units given up.
    pub credited_minor: i64,
    /// Minor units received for it and not given back.
    pub paid_minor: i64,
    /// When it was issued.
    pub issued_on: NaiveDate,
    /// When it is due.
    pub due_on: NaiveDate,
    /// No longer owed.
    pub cancelled: bool,
    /// Fine and interest were agreed.
    pub charged: bool,
    /// Money or a reduction went back, or the amount changed: what was paid past the rest is credit of the payer from then on, and
    /// covers whatever is due first.
    pub disturbed: bool,
    /// The agreement whose instalment it is.
    pub instalment_of: Option<String>,
    /// Principal that is owed by the instalments of an agreement in its place.
    pub moved_minor: Option<i64>,
    /// What had been received for it then.
    pub paid_when_moved_minor: i64,
    /// Since then money of an earlier agreement's instalments went back that had been put on it: that is owed beside.
    pub owed_beside: bool,
    /// What was put on it of the payments of instalments, once their agreement was broken.
    pub put_minor: i64,
}

impl Debt {
    /// Minor units still to be paid, before any credit.
    pub fn open_minor(&self) -> i64 {
        if self.cancelled { 0 } else { (self.amount_minor - self.credited_minor - self.paid_minor - self.put_minor).max(0) }
    }

    /// Whether nobody may ask for it any more, whatever charges are. With charges a payment of the bare amount may leave some.
    pub fn is_settled(&self) -> bool {
        let enough = if self.charged { self.amount_minor * 3 / 2 } else { self.amount_minor - self.credited_minor };
        // Under an agreement only what went back since may be asked for.
        let moved = self.moved_minor.is_some() && self.paid_minor >= self.paid_when_moved_minor && !self.owed_beside;
        self.cancelled || moved || (!self.disturbed && self.paid_minor + self.put_minor >= enough)
    }

    /// Whether a clerk can tell in the head what is open.
    pub fn is_plain(&self) -> bool {
        !self.charged && !self.disturbed
    }
}

/// All debts of one payer.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// By receivable.
    pub debts: BTreeMap<String, Debt>,
    /// Credit of the payer as a whole, minor units.
    pub credit_minor: i64,
    /// Agreements, by id.
    pub pacts: BTreeMap<String, Pact>,
    payments: BTreeMap<String, (String, i64)>,
    notes: BTreeMap<String, (Option<String>, i64)>,
}

impl Books {
    /// The due day that a fact of today means.
    pub fn moved(&self, invoice: &str, days: i64) -> Option<NaiveDate> {
        self.debts.get(invoice).map(|debt| later(debt.due_on, days))
    }

    /// Takes in a fact that the owner of balances has acknowledged.
    pub fn note(&mut self, invoice: &str, fact: &Fact, today: NaiveDate) {
        match fact {
            Fact::Issued { amount_minor, term_days, charged, .. } => {
                let debt = Debt {
                    amount_minor: *amount_minor,
                    issued_on: today,
                    due_on: later(today, *term_days),
                    charged: *charged,
                    ..Debt::default()
                };
                self.debts.insert(invoice.to_owned(), debt);
            }
            Fact::Paid { payment, amount_minor } => {
                self.payments.insert(payment.clone(), (invoice.to_owned(), *amount_minor));
                self.of(invoice, |debt| debt.paid_minor += amount_minor);
            }
            Fact::Reversed { payment } => self.give_back(payment, i64::MAX),
            Fact::ReturnedInPart { payment, amount_minor } => self.give_back(payment, *amount_minor),
            Fact::DueMoved { days } => self.of(invoice, |debt| debt.due_on = later(debt.due_on, *days)),
            Fact::AmountChanged { amount_minor } => self.of(invoice, |debt| {
                debt.disturbed |= debt.amount_minor != *amount_minor;
                debt.amount_minor = *amount_minor;
            }),
            Fact::Cancelled => self.of(invoice, |debt| debt.cancelled = true),
            Fact::Credited { note, amount_minor, whole_payer } => {
                let of = (!whole_payer).then(|| invoice.to_owned());
                self.notes.insert(note.clone(), (of.clone(), *amount_minor));
                self.give_up(of, *amount_minor);
            }
            Fact::CreditTakenBack { note } => {
                if let Some((of, amount_minor)) = self.notes.remove(note) {
                    self.give_up(of, -amount_minor);
                }
            }
            // What agreements do is taken in where they are made and broken.
            Fact::Agreed { .. }
            | Fact::Broken
            | Fact::Held { .. }
            | Fact::Disputed { .. }
            | Fact::Promised { .. }
            | Fact::Announced { .. }
            | Fact::Ended { .. }
            | Fact::WrittenOff
            | Fact::HandedOff
            | Fact::OptedOut { .. }
            | Fact::OptedIn { .. }
            | Fact::Erased
            | Fact::Migrated => {}
        }
    }

    pub(crate) fn of(&mut self, invoice: &str, change: impl FnOnce(&mut Debt)) {
        if let Some(debt) = self.debts.get_mut(invoice) {
            change(debt);
        }
    }

    fn give_back(&mut self, payment: &str, most_minor: i64) {
        let Some((invoice, left_minor)) = self.payments.get_mut(payment) else { return };
        let back_minor = most_minor.min(*left_minor);
        *left_minor -= back_minor;
        let invoice = invoice.clone();
        self.of(&invoice, |debt| (debt.paid_minor, debt.disturbed) = (debt.paid_minor - back_minor, true));
        // It goes back from wherever its parts were put.
        let debts =
            self.pacts.values().filter(|pact| pact.broken && pact.instalments.contains(&invoice)).flat_map(|pact| pact.debts.clone());
        for debt in debts.collect::<Vec<_>>() {
            self.of(&debt, |debt| (debt.disturbed, debt.owed_beside) = (true, debt.moved_minor.is_some()));
        }
    }

    fn give_up(&mut self, invoice: Option<String>, amount_minor: i64) {
        match invoice {
            Some(invoice) => self.of(&invoice, |debt| (debt.credited_minor, debt.disturbed) = (debt.credited_minor + amount_minor, true)),
            None => self.credit_minor += amount_minor,
        }
    }

    /// Minor units owed over all receivables less all credit; `None` where charges were agreed, which no clerk does in the head.
    pub fn net_minor(&self) -> Option<i64> {
        let left = |debt: &Debt| debt.amount_minor - debt.credited_minor - debt.paid_minor - debt.moved_minor.unwrap_or(0);
        let owed = |debt: &Debt| if debt.cancelled { -debt.paid_minor } else { left(debt) };
        let plain = self.debts.values().all(|debt| !debt.charged);
        plain.then(|| self.debts.values().map(owed).sum::<i64>() - self.credit_minor)
    }

    /// Where an account says otherwise.
    pub fn differs(&self, account: &Account) -> Option<String> {
        for (name, debt) in &self.debts {
            let Some((_, invoice)) = account.invoices.iter().find(|(id, _)| id.as_str() == name) else {
                return Some(format!("{name} is not in the account"));
            };
            if (invoice.amount_minor, invoice.due_on) != (debt.amount_minor, debt.due_on) {
                return Some(format!("{name}: {} due {}, the facts say {debt:?}", invoice.amount_minor, invoice.due_on));
            }
            if (invoice.phase == Phase::Renegotiated) != debt.moved_minor.is_some() {
                return Some(format!("{name} is {:?}, the facts say {debt:?}", invoice.phase));
            }
            if (invoice.phase == Phase::Cancelled) != debt.cancelled {
                return Some(format!("{name} is {:?}, the facts say {debt:?}", invoice.phase));
            }
        }
        let open_minor: i64 = account.invoices.values().map(|invoice| invoice.open_minor).sum();
        let net_minor = open_minor - account.credit.values().sum::<i64>();
        let expected = self.net_minor()?;
        (net_minor != expected).then(|| format!("net {net_minor}, the facts say {expected}"))
    }
}
