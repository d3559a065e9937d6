//! Views of invoices and ratings of payers: requests → commands, state → responses.

use super::command::timestamp;
use super::feed::{instant, whole_micros};
use chrono::{DateTime, NaiveDate, Utc};
use contracts::invoice::v1 as proto;
use host::{
    Refusal,
    request::{date_or, id},
};
use kernel::{CustomerId, InvoiceId, written};
use receivable::{
    Account, Command,
    rating::{RateCustomer, Rating},
    view::RecordView,
};

/// A view. Errors: INVALID_ARGUMENT on the field at fault.
pub fn view(m: &proto::RecordViewRequest, now: DateTime<Utc>) -> Result<(InvoiceId, Command), Refusal> {
    let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
    let now = whole_micros(now);
    let viewed_at = m.viewed_at.as_ref().map_or(Ok(now), |told| instant("viewed_at", told))?;
    let record = RecordView { invoice_id: invoice_id.clone(), viewed_at, through: m.through.clone(), now };
    Ok((invoice_id, Command::RecordView(record)))
}

/// The newest view that is known.
pub fn viewed(account: &Account, invoice_id: &InvoiceId) -> proto::RecordViewResponse {
    let viewed_at = account.invoices.get(invoice_id).and_then(|invoice| invoice.viewed_at);
    proto::RecordViewResponse { viewed_at: viewed_at.map(timestamp) }
}

/// A rating. Errors: INVALID_ARGUMENT on the field at fault.
pub fn rate(m: &proto::RateCustomerRequest, today: NaiveDate) -> Result<(CustomerId, Command), Refusal> {
    let customer_id = id("customer_id", &m.customer_id, CustomerId::new)?;
    let score = m.score.ok_or_else(|| Refusal::invalid("score", "missing", "is missing"))?;
    let rated_on = date_or("rated_on", &m.rated_on, today)?;
    let rate = RateCustomer { customer_id: customer_id.clone(), score, source: m.source.clone(), rated_on, today };
    Ok((customer_id, Command::RateCustomer(rate)))
}

/// The rating that holds; `None` where nobody rated the payer, or its data was erased.
pub fn rating(account: &Account) -> Option<proto::CustomerRating> {
    let view = |rating: &Rating| proto::CustomerRating {
        score: rating.score.into(),
        source: rating.source.clone(),
        rated_on: written::date_text(rating.rated_on),
    };
    account.rating.as_ref().map(view)
}
