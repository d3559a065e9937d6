//! Views of invoices, ratings of payers.

use super::{bounded, found};
use crate::rating::{CustomerRated, MAX_SCORE, RateCustomer, Rating};
use crate::view::{InvoiceViewed, RecordView};
use crate::{Account, Event, Rejection, Standing};
use alloc::{vec, vec::Vec};

const MAX_CHARS: usize = 64;

pub(super) fn record(account: &Account, command: &RecordView) -> Result<Vec<Event>, Rejection> {
    let through = bounded("through", &command.through, MAX_CHARS)?;
    if command.viewed_at > command.now {
        return Err(Rejection::ViewedInFuture);
    }
    let invoice = found(account, &command.invoice_id)?;
    if account.standing == Standing::Erased || invoice.viewed_at.is_some_and(|known| command.viewed_at <= known) {
        return Ok(vec![]);
    }
    let (invoice_id, viewed_at) = (command.invoice_id.clone(), command.viewed_at);
    Ok(vec![Event::InvoiceViewed(InvoiceViewed { invoice_id, viewed_at, through })])
}

pub(super) fn rate(account: &Account, command: &RateCustomer) -> Result<Vec<Event>, Rejection> {
    let source = bounded("source", &command.source, MAX_CHARS)?;
    let score = u8::try_from(command.score).ok().filter(|_| command.score <= MAX_SCORE).ok_or(Rejection::ScoreOutOfRange)?;
    if command.rated_on > command.today {
        return Err(Rejection::RatedInFuture);
    }
    match account.standing {
        Standing::Unknown => return Err(Rejection::CustomerUnknown),
        Standing::Erased => return Err(Rejection::CustomerErased),
        Standing::Active => {}
    }
    let rating = Rating { score, source, rated_on: command.rated_on };
    let is_news = account.rating.as_ref().is_none_or(|known| rating.rated_on >= known.rated_on && rating != *known);
    let rated = Event::CustomerRated(CustomerRated { customer_id: command.customer_id.clone(), rating });
    Ok(if is_news { vec![rated] } else { vec![] })
}
