//! SQL reads.

mod customer;
mod finding;
mod titles;
mod unapplied;

pub use customer::{search as search_customers, searchable};
pub use finding::{Listed as ListedFinding, list as findings};
pub use titles::titles;
pub use unapplied::{key as unapplied_key, list as unapplied};

use crate::wire::{Contact, Receiver};
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use host::request::Page;
use kernel::personal::Personal;
use sql::{Db, Row, SqlError, Value};
use std::collections::BTreeMap;

/// Ids that are asked for in one read.
const IDS_AT_A_TIME: usize = 200;
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

/// Who receives the money of a collection account.
pub async fn receiver(db: &Db, tenant: &str, account_id: &str) -> Result<Option<Receiver>, SqlError> {
    let text = "SELECT name, tax_id, address, pix_key, pix_name, pix_city FROM collection_receiver WHERE tenant = $1 AND account_id = $2";
    let rows = db.query(text, &[tenant.into(), account_id.into()]).await?;
    rows.first().map(read_receiver).transpose()
}

/// Who receives the money of each collection account of a tenant, by account.
pub async fn receivers(db: &Db, tenant: &str) -> Result<BTreeMap<String, Receiver>, SqlError> {
    let rows = db.query("SELECT * FROM collection_receiver WHERE tenant = $1", &[tenant.into()]).await?;
    rows.iter().map(|row| Ok((row.text("account_id")?, read_receiver(row)?))).collect()
}

fn read_receiver(row: &Row) -> Result<Receiver, SqlError> {
    let personal = |column: &str| row.text(column).map(Personal::new);
    Ok(Receiver {
        name: personal("name")?,
        tax_id: personal("tax_id")?,
        address: personal("address")?,
        pix_key: personal("pix_key")?,
        pix_name: personal("pix_name")?,
        pix_city: personal("pix_city")?,
    })
}

/// Filter of a list of receivables; empty texts = all.
pub struct InvoiceFilter {
    /// Payer.
    pub customer_id: String,
    /// `open`, `settled`, `cancelled`, `renegotiated`.
    pub status: &'static str,
    /// First due date.
    pub due_from: NaiveDate,
    /// Last due date.
    pub due_until: NaiveDate,
    /// Beginning of id or document.
    pub search: String,
}

/// Receivables in order of their id.
pub async fn invoices(views: &Views, tenant: &str, filter: &InvoiceFilter, page: &Page) -> Result<Vec<proto::Invoice>, ProjectionError> {
    let text = "SELECT * FROM {invoice} WHERE tenant = $1 AND invoice_id > $2 AND ($3 = '' OR customer_id = $3) AND ($4 = '' OR status = $4) \
                AND due_on >= $5 AND due_on <= $6 \
                AND ($7 = '' OR substr(invoice_id, 1, length($7)) = $7 OR substr(document, 1, length($7)) = $7) ORDER BY invoice_id LIMIT $8";
    let args: [Value; 8] = [
        tenant.into(),
        page.after.as_str().into(),
        filter.customer_id.as_str().into(),
        filter.status.into(),
        filter.due_from.into(),
        filter.due_until.into(),
        filter.search.as_str().into(),
        page.limit().into(),
    ];
    views.query(text, &args).await?.iter().map(read_invoice).collect()
}

fn read_invoice(row: &Row) -> Result<proto::Invoice, ProjectionError> {
    let status = match row.text("status")?.as_str() {
        "open" => proto::InvoiceStatus::Open,
        "settled" => proto::InvoiceStatus::Settled,
        "cancelled" => proto::InvoiceStatus::Cancelled,
        "renegotiated" => proto::InvoiceStatus::Renegotiated,
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
        automatic_debit_on: row.text("automatic_debit_on")?,
        instruments: None,
        due_minor: 0,
        due_unknown: String::new(),
        charges: None,
        agreement_id: String::new(),
        instalment: 0,
        instalments: 0,
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
    rows.iter().map(read_customer).collect()
}

/// The payers of these ids that the view knows.
pub async fn customers_of(views: &Views, tenant: &str, ids: &[&str]) -> Result<Vec<proto::CustomerLine>, ProjectionError> {
    let mut lines = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS_AT_A_TIME) {
        let mut args: Vec<Value> = vec![tenant.into()];
        args.extend(chunk.iter().map(|id| Value::from(*id)));
        let places: Vec<String> = (2..=args.len()).map(|place| format!("${place}")).collect();
        let text = format!("SELECT * FROM {{customer}} WHERE tenant = $1 AND customer_id IN ({})", places.join(", "));
        for row in &views.query(&text, &args).await? {
            lines.push(read_customer(row)?);
        }
    }
    Ok(lines)
}

fn read_customer(row: &Row) -> Result<proto::CustomerLine, ProjectionError> {
    let attributes = proto::CustomerAttributes {
        segment: row.text("segment")?,
        language: row.text("language")?,
        time_zone: row.text("time_zone")?,
        state: row.text("state")?,
        municipality: row.text("municipality")?,
    };
    Ok(proto::CustomerLine { customer_id: row.text("customer_id")?, attributes: Some(attributes), name: String::new() })
}

/// Sums of a receivable's entries until the end of a day.
pub struct Sum {
    /// The receivable.
    pub invoice_id: String,
    /// Currency.
    pub currency: String,
    /// Owed, minor units.
    pub amount_minor: i64,
    /// Unapplied credit that came of it, minor units.
    pub credit_minor: i64,
    /// Version of the account that the views have seen, whatever the day.
    pub last_version: u64,
}

/// Sums of all receivables of a payer.
pub async fn sums(views: &Views, tenant: &str, customer_id: &str, as_of: NaiveDate) -> Result<Vec<Sum>, ProjectionError> {
    let text = "SELECT invoice_id, currency, MAX(version) AS last_version, \
                CAST(SUM(CASE WHEN effective_on <= $3 THEN amount_minor ELSE 0 END) AS BIGINT) AS amount_minor, \
                CAST(SUM(CASE WHEN effective_on <= $3 THEN credit_minor ELSE 0 END) AS BIGINT) AS credit_minor \
                FROM {entry} WHERE tenant = $1 AND customer_id = $2 GROUP BY invoice_id, currency";
    let rows = views.query(text, &[tenant.into(), customer_id.into(), as_of.into()]).await?;
    let read = |row: &Row| {
        Ok(Sum {
            invoice_id: row.text("invoice_id")?,
            currency: row.text("currency")?,
            amount_minor: row.int("amount_minor")?,
            credit_minor: row.int("credit_minor")?,
            last_version: row.int("last_version")?.unsigned_abs(),
        })
    };
    rows.iter().map(read).collect()
}
