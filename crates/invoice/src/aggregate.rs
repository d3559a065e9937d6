//! The account of one payer, as the event log runs it.

use crate::wire::{self, Fact};
use brazil::charges::LegalRates;
use eventlog::{Aggregate, DecodeError, DueStream, Meta, NewEvent, NextTimer, Submission, Told};
use kernel::{AgreementId, CustomerId, DateTime, NaiveDate, Utc, Zone, calendar::add_days};
use receivable::{Account, BreakAgreement, BreakCause, Command, Rejection, agreement::late_from};
use std::sync::Arc;

/// Accounts, one stream per payer.
#[derive(Debug, Clone, Copy)]
pub struct Accounts {
    /// Zone of the tenant's civil dates: an agreement breaks when a day begins there.
    pub zone: Zone,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { zone: Zone::SAO_PAULO }
    }
}

/// A command with the payer whose account it is for.
#[derive(Debug, Clone)]
pub struct Addressed {
    /// The payer.
    pub customer_id: CustomerId,
    /// What is asked.
    pub command: Command,
    /// The tenant's legal rates: what an invoice that bears them is decided by.
    pub rates: Arc<LegalRates>,
}

impl Aggregate for Accounts {
    type State = Account;
    type Command = Addressed;
    type Event = Fact;
    type Rejection = Rejection;

    fn decide(&self, state: &Account, addressed: &Addressed) -> Result<Vec<Fact>, Rejection> {
        let events = receivable::decide(state, &addressed.command, &addressed.rates)?;
        Ok(events.into_iter().map(|event| Fact { customer_id: addressed.customer_id.clone(), event }).collect())
    }

    fn evolve(&self, state: Account, fact: &Fact) -> Account {
        receivable::evolve(state, &fact.event)
    }

    fn encode(&self, fact: &Fact) -> NewEvent {
        let (event_type, payload) = wire::encode(fact);
        NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: fact.event.effective_on() }
    }

    fn decode(&self, told: &Told) -> Result<Option<Fact>, DecodeError> {
        wire::decode(&told.event_type, &told.payload).map_err(|fault| DecodeError::new(told, fault.to_string()))
    }

    /// One for each agreement that may break. One that could not be broken when it was to be (the legal rate of a month is missing, or
    /// payments may be) is tried again the next day.
    fn timers(&self, account: &Account, after: DateTime<Utc>) -> Vec<NextTimer> {
        let next = |(id, agreement): (&AgreementId, &receivable::Agreement)| {
            let breaks_at = self.zone.midnight(late_from(account, agreement)?);
            let tomorrow = self.zone.midnight(add_days(self.zone.day_of(after), 1));
            Some(NextTimer { track: id.to_string(), due_at: Some(if breaks_at > after { breaks_at } else { tomorrow }) })
        };
        account.agreements.iter().filter_map(next).collect()
    }
}

/// The command for a payer one of whose agreements may break now. Where payments may be missing nothing counts as late: the timer is only
/// set anew, for the next day.
pub fn wake(
    due: &DueStream,
    now: DateTime<Utc>,
    (zone, (rates, payments_missing)): (Zone, (Arc<LegalRates>, bool)),
) -> Submission<Accounts> {
    let traceparent = host::trace::begun("wake account");
    let meta = Meta { tenant: due.tenant.clone(), key: due.key.clone(), traceparent, ..Meta::default() };
    // Only accounts have timers, and their name was made by `stream`.
    let customer_id = customer_of(&due.tenant, &due.stream).and_then(|id| CustomerId::new(id).ok());
    let customer_id = customer_id.expect("a stream with timers is a payer's");
    let today = if payments_missing { NaiveDate::MIN } else { zone.day_of(now) };
    let late = BreakAgreement { agreement_id: None, cause: BreakCause::Late, reason: BreakCause::Late.slug().to_owned(), today };
    Submission::new(due.stream.clone(), meta, Addressed { customer_id, command: Command::BreakAgreement(late), rates })
}

/// The stream of a payer's account.
pub fn stream(tenant: &str, customer_id: &str) -> String {
    format!("account/{tenant}/{customer_id}")
}

/// The payer whose account a stream is.
pub fn customer_of<'a>(tenant: &str, stream: &'a str) -> Option<&'a str> {
    stream.strip_prefix("account/")?.strip_prefix(tenant)?.strip_prefix('/')
}

/// What the events of a request share.
pub fn meta(tenant: &str, customer_id: &str) -> Meta {
    Meta { tenant: tenant.to_owned(), key: format!("{tenant}/{customer_id}"), traceparent: host::trace::traceparent(), ..Meta::default() }
}
