//! What was owed at the end of a day: the entries of the views, and those that the views have not taken in yet.
//!
//! A caller whose payment was acknowledged sees it in the next balance, however far behind the views are.

use crate::{
    movement::{Movement, movement},
    query, wire,
};
use chrono::NaiveDate;
use eventlog::{
    Log, LogError, Recorded,
    projection::{ProjectionError, Views},
};
use std::collections::BTreeMap;

/// What a payer owed and had at the end of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balances {
    /// Minor units owed, by currency and receivable; below zero where it was paid before it was issued.
    pub open_minor: BTreeMap<(String, String), i64>,
    /// Minor units of unapplied credit, by currency.
    pub credit_minor: BTreeMap<String, i64>,
}

/// Why balances could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The views.
    #[error(transparent)]
    Views(#[from] ProjectionError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event of the account.
    #[error("position {0} cannot be read")]
    Event(u64),
}

impl Balances {
    /// Of a payer whose account is `stream`. Errors: see [`Unread`].
    pub async fn read(views: &Views, log: &Log, payer: (&str, &str, &str), as_of: NaiveDate) -> Result<Self, Unread> {
        let (tenant, customer_id, stream) = payer;
        let mut balances = Self::default();
        let mut seen = 0;
        for sum in query::sums(views, tenant, customer_id, as_of).await? {
            seen = sum.last_version.max(seen);
            balances.add(sum.currency, sum.invoice_id, (sum.amount_minor, sum.credit_minor));
        }
        for event in log.read_streams(&[(stream.to_owned(), seen)]).await? {
            balances.take_in(&event, as_of)?;
        }
        Ok(balances)
    }

    fn take_in(&mut self, event: &Recorded, as_of: NaiveDate) -> Result<(), Unread> {
        let fact = wire::decode(&event.event_type, &event.payload).map_err(|_| Unread::Event(event.position))?;
        if let Some(Movement { invoice_id, effective_on, currency, amount_minor, credit_minor, .. }) =
            fact.as_ref().and_then(|fact| movement(&fact.event))
        {
            let counts = effective_on <= as_of;
            let amounts = if counts { (amount_minor, credit_minor) } else { (0, 0) };
            self.add(currency.to_string(), invoice_id.map(ToString::to_string).unwrap_or_default(), amounts);
        }
        Ok(())
    }

    fn add(&mut self, currency: String, invoice_id: String, (amount_minor, credit_minor): (i64, i64)) {
        *self.credit_minor.entry(currency.clone()).or_default() += credit_minor;
        *self.open_minor.entry((currency, invoice_id)).or_default() += amount_minor;
    }

    /// Owed on one receivable, minor units.
    pub fn of_invoice(&self, currency: &str, invoice_id: &str) -> i64 {
        self.open_minor.get(&(currency.to_owned(), invoice_id.to_owned())).copied().unwrap_or(0).max(0)
    }

    /// Owed on all receivables of a currency, minor units.
    pub fn of_currency(&self, currency: &str) -> i64 {
        let of_it = self.open_minor.iter().filter(|((other, _), _)| other == currency);
        of_it.map(|(_, open_minor)| (*open_minor).max(0)).fold(0, i64::saturating_add)
    }
}
