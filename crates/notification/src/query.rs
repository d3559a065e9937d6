//! SQL reads.

use chrono::NaiveDate;
use contracts::notification::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use sql::{Row, Value};

/// Between the parts of a place; no id and no date has it.
const SEPARATOR: char = '~';

/// Filter of a list of contacts.
pub struct ContactFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// First local day.
    pub day_from: NaiveDate,
    /// Last local day.
    pub day_until: NaiveDate,
    /// Only what comes after this place in the list; `None` = from its start.
    pub after: Option<Place>,
    /// At most this many.
    pub limit: i64,
}

/// The place of a contact in the list: newest day first, then payer, then contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    day: NaiveDate,
    customer_id: String,
    contact_id: String,
}

impl Place {
    /// From a token's text; `None` where it is no place.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(SEPARATOR);
        let day = parts.next()?.parse().ok()?;
        Some(Self { day, customer_id: parts.next()?.to_owned(), contact_id: parts.next()?.to_owned() })
    }
}

/// A contact with its place as text.
pub struct Found {
    /// The contact.
    pub contact: proto::Contact,
    /// For the token of the next page.
    pub place: String,
}

/// Contacts, newest day first.
pub async fn contacts(views: &Views, filter: ContactFilter<'_>) -> Result<Vec<Found>, ProjectionError> {
    let text = "SELECT * FROM {contact} WHERE tenant = $1 AND ($2 = '' OR customer_id = $2) AND day >= $3 AND day <= $4 \
                AND (day < $5 OR (day = $5 AND (customer_id > $6 OR (customer_id = $6 AND contact_id > $7)))) \
                ORDER BY day DESC, customer_id, contact_id LIMIT $8";
    // A place before all others.
    let first =
        Place { day: filter.day_until.succ_opt().unwrap_or(filter.day_until), customer_id: String::new(), contact_id: String::new() };
    let after = filter.after.unwrap_or(first);
    let args: [Value; 8] = [
        filter.tenant.into(),
        filter.customer_id.into(),
        filter.day_from.into(),
        filter.day_until.into(),
        after.day.into(),
        after.customer_id.into(),
        after.contact_id.into(),
        filter.limit.into(),
    ];
    views.query(text, &args).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Found, ProjectionError> {
    let contact = proto::Contact {
        customer_id: row.text("customer_id")?,
        contact_id: row.text("contact_id")?,
        day: row.date("day")?.to_string(),
        currency: row.text("currency")?,
        status: row.text("status")?,
        channels: row.text("channels")?.split_whitespace().map(str::to_owned).collect(),
        template: row.text("template")?,
        receipt: row.text("receipt")?,
        net_minor: row.int("net_minor")?,
        item_count: i32::try_from(row.int("item_count")?).unwrap_or(i32::MAX),
    };
    let place = format!("{}{SEPARATOR}{}{SEPARATOR}{}", contact.day, contact.customer_id, contact.contact_id);
    Ok(Found { contact, place })
}
