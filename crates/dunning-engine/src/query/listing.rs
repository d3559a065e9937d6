//! Reads of entries at bureaus and protest offices, and of the tasks that ask for their removal.

use super::{SEPARATOR, small};
use crate::listings::EntryKey;
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use kernel::{CustomerId, InvoiceId, StepId, TenantId};
use sql::Row;

/// Filter of a list of entries.
pub struct ListingFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// Empty = all.
    pub invoice_id: &'a str,
    /// Empty = both.
    pub kind: &'a str,
    /// `open`, `leaving`, `over` or `all`.
    pub status: &'a str,
    /// Key of the last row of the page before; empty = from the start.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Entries, by payer, receivable, cycle and step, each with the key of its row for the next page.
pub async fn listings(views: &Views, filter: ListingFilter<'_>) -> Result<Vec<(proto::Listing, String)>, ProjectionError> {
    let mut key = filter.after.split(SEPARATOR);
    let mut part = || key.next().unwrap_or("").to_owned();
    let (customer_id, invoice_id, cycle, step_id) = (part(), part(), part(), part());
    let text = "SELECT * FROM {listing} WHERE tenant = $1 AND ($2 = '' OR customer_id = $2) AND ($3 = '' OR invoice_id = $3) \
                AND ($4 = '' OR kind = $4) AND ($5 = 'all' OR ($5 = 'over' AND phase IN ('refused', 'withdrawn', 'removed')) \
                OR ($5 = 'open' AND phase NOT IN ('refused', 'withdrawn', 'removed')) \
                OR ($5 = 'leaving' AND cause <> '' AND phase NOT IN ('refused', 'withdrawn', 'removed'))) \
                AND (customer_id, invoice_id, cycle, step_id) > ($6, $7, $8, $9) \
                ORDER BY customer_id, invoice_id, cycle, step_id LIMIT $10";
    let args = [
        filter.tenant.into(),
        filter.customer_id.into(),
        filter.invoice_id.into(),
        filter.kind.into(),
        filter.status.into(),
        customer_id.into(),
        invoice_id.into(),
        cycle.parse::<i64>().unwrap_or(0).into(),
        step_id.into(),
        filter.limit.into(),
    ];
    let keyed = |row: &Row| {
        let one = read(row)?;
        let key = [one.customer_id.as_str(), &one.invoice_id, &one.cycle.to_string(), &one.step_id].join(&SEPARATOR.to_string());
        Ok((one, key))
    };
    views.query(text, &args).await?.iter().map(keyed).collect()
}

fn read(row: &Row) -> Result<proto::Listing, ProjectionError> {
    let date = |column: &str| row.opt_date(column).map(|day| day.map(|day| day.to_string()).unwrap_or_default());
    Ok(proto::Listing {
        customer_id: row.text("customer_id")?,
        invoice_id: row.text("invoice_id")?,
        cycle: small(row, "cycle")?,
        step_id: row.text("step_id")?,
        occurrence: small(row, "occurrence")?,
        kind: row.text("kind")?,
        phase: row.text("phase")?,
        amount_minor: row.int("amount_minor")?,
        currency: row.text("currency")?,
        due_on: row.date("due_on")?.to_string(),
        requested_on: row.date("requested_on")?.to_string(),
        notice_delivered_on: date("notice_delivered_on")?,
        cause: row.text("cause")?,
        until: date("until")?,
        alarm: row.text("alarm")?,
        reason: row.text("reason")?,
        reference: row.text("reference")?,
    })
}

/// The keys of all entries that something may be due for, of all tenants, after one. What is listed and may stay is left out.
pub async fn unsettled_listings(views: &Views, after: Option<&EntryKey>, limit: i64) -> Result<Vec<EntryKey>, ProjectionError> {
    let text = "SELECT * FROM {listing} WHERE (phase IN ('requested', 'sent', 'taken', 'removal_due', 'removal_sent', 'removal_refused')) \
                AND (tenant, customer_id, invoice_id, cycle, step_id, occurrence) > ($1, $2, $3, $4, $5, $6) \
                ORDER BY tenant, customer_id, invoice_id, cycle, step_id, occurrence LIMIT $7";
    let of = |part: fn(&EntryKey) -> &str| after.map(part).unwrap_or_default().into();
    let args = [
        of(|key| key.tenant.as_str()),
        of(|key| key.customer_id.as_str()),
        of(|key| key.invoice_id.as_str()),
        after.map_or(0, |key| key.cycle).into(),
        of(|key| key.step_id.as_str()),
        after.map_or(0, |key| key.occurrence).into(),
        limit.into(),
    ];
    let rows = views.query(text, &args).await?;
    Ok(rows.iter().map(key_of).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// The keys of a payer's entries.
pub async fn listings_of(views: &Views, tenant: &str, customer_id: &str) -> Result<Vec<EntryKey>, ProjectionError> {
    let text = "SELECT * FROM {listing} WHERE tenant = $1 AND customer_id = $2 ORDER BY invoice_id, cycle, step_id, occurrence";
    let rows = views.query(text, &[tenant.into(), customer_id.into()]).await?;
    Ok(rows.iter().map(key_of).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// The key of a row; `None` where a part is no id, which no event writes.
fn key_of(row: &Row) -> Result<Option<EntryKey>, ProjectionError> {
    let ids = (TenantId::new(&row.text("tenant")?), CustomerId::new(&row.text("customer_id")?));
    let of_step = (InvoiceId::new(&row.text("invoice_id")?), StepId::new(&row.text("step_id")?));
    let (cycle, occurrence) = (small(row, "cycle")?, small(row, "occurrence")?);
    let ((Ok(tenant), Ok(customer_id)), (Ok(invoice_id), Ok(step_id))) = (ids, of_step) else { return Ok(None) };
    Ok(Some(EntryKey { tenant, customer_id, invoice_id, cycle, step_id, occurrence }))
}

/// How many entries are there, or may be, by kind.
pub async fn open_listings(views: &Views) -> Result<Vec<(String, u64)>, ProjectionError> {
    let text =
        "SELECT kind, COUNT(*) AS n FROM {listing} WHERE phase NOT IN ('refused', 'withdrawn', 'removed') GROUP BY kind ORDER BY kind";
    let rows = views.query(text, &[]).await?;
    rows.iter().map(|row| Ok((row.text("kind")?, row.int("n")?.unsigned_abs()))).collect()
}

/// Open tasks that ask for a removal, whoever sees to it: those whose last day is at most `soon_until`, and those where it lies before today.
pub async fn removals(views: &Views, (today, soon_until): (NaiveDate, NaiveDate)) -> Result<(u64, u64), ProjectionError> {
    let text = "SELECT COUNT(*) AS n FROM {task} WHERE status = 'open' AND reason IN ('remove_bureau_listing', 'remove_protest') \
                AND until >= $1 AND until <= $2";
    let count = async |from: NaiveDate, until: NaiveDate| {
        let rows = views.query(text, &[from.into(), until.into()]).await?;
        rows.first().map_or(Ok(0), |row| Ok::<_, ProjectionError>(row.int("n")?.unsigned_abs()))
    };
    let (first, yesterday) = (NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or(today), kernel::calendar::previous(today));
    Ok((count(today, soon_until).await?, count(first, yesterday).await?))
}
