//! SQL reads.

use crate::wire::Contact;
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use kernel::personal::Personal;
use sql::{Db, Row, SqlError, Value};

/// Separates phones in their column: no phone holds it.
pub const PHONE_SEPARATOR: &str = " ";

/// Contact data of a payer; `None` where there is none (never given, or erased).
pub async fn contact(db: &Db, tenant: &str, customer_id: &str) -> Result<Option<Contact>, SqlError> {
    let text = "SELECT name, tax_id, email, phones, address FROM customer_contact WHERE tenant = $1 AND customer_id = $2";
    let rows = db.query(text, &[tenant.into(), customer_id.into()]).await?;
    rows.first().map(read_contact).transpose()
}

fn read_contact(row: &Row) -> Result<Contact, SqlError> {
    let personal = |column: &str| row.text(column).map(Personal::new);
    Ok(Contact {
        name: personal("name")?,
        tax_id: personal("tax_id")?,
        email: personal("email")?,
        phones: row.text("phones")?.split_whitespace().map(Personal::new).collect(),
        address: personal("address")?,
    })
}

/// Filter of a list of receivables.
pub struct InvoiceFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// Empty = all.
    pub status: &'a str,
    /// First due date.
    pub due_from: NaiveDate,
    /// Last due date.
    pub due_until: NaiveDate,
    /// Beginning of id or document; empty = all.
    pub search: &'a str,
    /// Only ids after this one.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Receivables in order of their id.
pub async fn invoices(views: &Views, filter: InvoiceFilter<'_>) -> Result<Vec<proto::Invoice>, ProjectionError> {
    let text = "SELECT * FROM {invoice} WHERE tenant = $1 AND invoice_id > $2 AND ($3 = '' OR customer_id = $3) AND ($4 = '' OR status = $4) \
                AND due_on >= $5 AND due_on <= $6 \
                AND ($7 = '' OR substr(invoice_id, 1, length($7)) = $7 OR substr(document, 1, length($7)) = $7) ORDER BY invoice_id LIMIT $8";
    let args: [Value; 8] = [
        filter.tenant.into(),
        filter.after.into(),
        filter.customer_id.into(),
        filter.status.into(),
        filter.due_from.into(),
        filter.due_until.into(),
        filter.search.into(),
        filter.limit.into(),
    ];
    views.query(text, &args).await?.iter().map(read_invoice).collect()
}

fn read_invoice(row: &Row) -> Result<proto::Invoice, ProjectionError> {
    let status = match row.text("status")?.as_str() {
        "open" => proto::InvoiceStatus::Open,
        "settled" => proto::InvoiceStatus::Settled,
        "cancelled" => proto::InvoiceStatus::Cancelled,
        _ => proto::InvoiceStatus::Unspecified,
    };
    Ok(proto::Invoice {
        invoice_id: row.text("invoice_id")?,
        customer_id: row.text("customer_id")?,
        amount_minor: row.int("amount_minor")?,
        outstanding_minor: row.int("open_minor")?,
        currency: row.text("currency")?,
        issued_on: row.date("issued_on")?.to_string(),
        due_on: row.date("due_on")?.to_string(),
        status: status.into(),
        document: row.text("document")?,
    })
}

/// Payers in order of their id.
pub async fn customers(
    views: &Views,
    tenant: &str,
    segment: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<proto::CustomerLine>, ProjectionError> {
    let text =
        "SELECT * FROM {customer} WHERE tenant = $1 AND customer_id > $2 AND ($3 = '' OR segment = $3) ORDER BY customer_id LIMIT $4";
    let rows = views.query(text, &[tenant.into(), after.into(), segment.into(), limit.into()]).await?;
    let read = |row: &Row| {
        let attributes = proto::CustomerAttributes {
            segment: row.text("segment")?,
            language: row.text("language")?,
            time_zone: row.text("time_zone")?,
            state: row.text("state")?,
        };
        Ok(proto::CustomerLine { customer_id: row.text("customer_id")?, attributes: Some(attributes) })
    };
    rows.iter().map(read).collect()
}

/// What a receivable owed at the end of a day: minor units, currency; `None` where it had no entry yet.
pub async fn invoice_balance(
    views: &Views,
    tenant: &str,
    invoice_id: &str,
    as_of: NaiveDate,
) -> Result<Option<(i64, String)>, ProjectionError> {
    let text = "SELECT currency, CAST(SUM(amount_minor) AS BIGINT) AS open_minor FROM {entry} \
                WHERE tenant = $1 AND invoice_id = $2 AND effective_on <= $3 GROUP BY currency";
    let rows = views.query(text, &[tenant.into(), invoice_id.into(), as_of.into()]).await?;
    rows.first().map(|row| Ok((row.int("open_minor")?, row.text("currency")?))).transpose()
}

/// What a payer owed and had at the end of a day, per currency.
pub async fn customer_balance(
    views: &Views,
    tenant: &str,
    customer_id: &str,
    as_of: NaiveDate,
) -> Result<Vec<proto::CurrencyBalance>, ProjectionError> {
    let text = "SELECT currency, CAST(SUM(amount_minor) AS BIGINT) AS open_minor, CAST(SUM(credit_minor) AS BIGINT) AS credit_minor FROM {entry} \
                WHERE tenant = $1 AND customer_id = $2 AND effective_on <= $3 GROUP BY currency ORDER BY currency";
    let rows = views.query(text, &[tenant.into(), customer_id.into(), as_of.into()]).await?;
    let read = |row: &Row| {
        Ok(proto::CurrencyBalance {
            currency: row.text("currency")?,
            outstanding_minor: row.int("open_minor")?,
            credit_minor: row.int("credit_minor")?,
        })
    };
    rows.iter().map(read).collect()
}
