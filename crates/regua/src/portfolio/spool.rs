//! Good rows on disk, in order of days: a file of any size is replayed in bounded memory.

use super::{read::Rows, row::Row, row::RowFault};
use anyhow::Context;
use chrono::NaiveDate;
use kernel::calendar;
use sql::{Column, Db, Durability, Keys, Kind, Migration, Value};
use std::{collections::HashMap, io::Read, path::Path};

const BATCH: usize = 1000;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "spool",
    sqlite: "CREATE TABLE customer (seq INTEGER PRIMARY KEY, customer_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, tax_id TEXT NOT NULL, \
             email TEXT NOT NULL, phone TEXT NOT NULL, state TEXT NOT NULL, municipality TEXT NOT NULL, first_day INTEGER NOT NULL);
             CREATE TABLE invoice (seq INTEGER PRIMARY KEY, invoice_id TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL, day INTEGER NOT NULL, \
             issued_on TEXT NOT NULL, due_on TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, paid_minor INTEGER NOT NULL);
             CREATE TABLE payment (seq INTEGER PRIMARY KEY, invoice_id TEXT NOT NULL, day INTEGER NOT NULL, amount_minor INTEGER);
             CREATE INDEX customer_day ON customer (first_day, seq);
             CREATE INDEX invoice_day ON invoice (day, seq);
             CREATE INDEX payment_day ON payment (day, seq);",
    postgres: "",
}];

const TEXT_ID: &[Column] = &[Column::new("id", Kind::Text)];

/// The rows of one portfolio.
pub struct Spool {
    db: Db,
    /// Rows that were refused, all of them counted.
    pub refused_rows: u64,
    /// The first refused rows, for the reader.
    pub faults: Vec<RowFault>,
    /// First day of issue; `None` without good rows.
    pub first_day: Option<NaiveDate>,
}

/// How many refused rows are kept to be shown.
const SHOWN_FAULTS: usize = 1000;

/// An invoice to be issued.
pub struct SpooledInvoice {
    /// Place in the file.
    pub seq: i64,
    /// The receivable.
    pub invoice_id: String,
    /// The payer.
    pub customer_id: String,
    /// Civil date.
    pub issued_on: String,
    /// Civil date.
    pub due_on: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A payer that becomes known.
pub struct SpooledCustomer {
    /// Place in the file.
    pub seq: i64,
    /// The payer.
    pub customer_id: String,
    /// May be empty.
    pub name: String,
    /// May be empty.
    pub tax_id: String,
    /// May be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// May be empty.
    pub state: String,
    /// Of that state; may be empty.
    pub municipality: String,
}

/// A payment to be recorded.
pub struct SpooledPayment {
    /// Place in the file.
    pub seq: i64,
    /// The receivable.
    pub invoice_id: String,
    /// Minor units, more than zero.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// What an earlier row said of an invoice.
#[derive(Clone, PartialEq, Eq)]
struct Known {
    customer_id: String,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    amount_minor: i64,
    currency: String,
}

impl Known {
    fn of(row: &Row) -> Self {
        Self {
            customer_id: row.customer_id.to_string(),
            issued_on: row.issued_on,
            due_on: row.due_on,
            amount_minor: row.amount_minor,
            currency: row.currency.to_string(),
        }
    }

    /// The first column in which a further row differs.
    fn difference(&self, row: &Row) -> Option<&'static str> {
        let other = Self::of(row);
        let same = [
            ("customer_id", self.customer_id == other.customer_id),
            ("issued_on", self.issued_on == other.issued_on),
            ("due_on", self.due_on == other.due_on),
            ("amount", self.amount_minor == other.amount_minor),
            ("currency", self.currency == other.currency),
        ];
        same.into_iter().find(|(_, same)| !same).map(|(column, _)| column)
    }
}

fn number(day: NaiveDate) -> i64 {
    calendar::days_between(NaiveDate::default(), day)
}

fn day_of(number: i64) -> NaiveDate {
    calendar::add_days(NaiveDate::default(), number)
}

impl Spool {
    /// Reads all rows into a file of `directory`. `strict` stops at the first wrong row. Errors: an unreadable file, a full disk,
    /// with `strict` the first wrong row.
    pub async fn fill<R: Read>(mut rows: Rows<R>, directory: &Path, strict: bool, progress: impl Fn(u64)) -> anyhow::Result<Self> {
        let db = Db::open_sqlite(&directory.join("portfolio.sqlite"), Durability::Throwaway)
            .await
            .context("the portfolio cannot be kept on disk")?;
        db.migrate(MIGRATIONS).await?;
        let mut spool = Self { db, refused_rows: 0, faults: Vec::new(), first_day: None };
        let mut batch = Vec::with_capacity(BATCH);
        let mut count = 0;
        while let Some(outcome) = rows.next_row()? {
            count += 1;
            match outcome {
                Ok(row) => batch.push(row),
                Err(fault) => {
                    if strict {
                        // A row before this one may be wrong beside its neighbours: the first one is to be told.
                        spool.store(std::mem::take(&mut batch), strict).await?;
                    }
                    spool.refuse(fault, strict)?;
                }
            }
            if batch.len() == BATCH {
                spool.store(std::mem::take(&mut batch), strict).await?;
                progress(count);
            }
        }
        spool.store(batch, strict).await?;
        progress(count);
        spool.settle_first_days().await?;
        spool.first_day = spool.min_day().await?;
        Ok(spool)
    }

    fn refuse(&mut self, fault: RowFault, strict: bool) -> anyhow::Result<()> {
        anyhow::ensure!(!strict, "{fault}");
        self.refused_rows += 1;
        if self.faults.len() < SHOWN_FAULTS {
            self.faults.push(fault);
        }
        Ok(())
    }

    async fn store(&mut self, batch: Vec<Row>, strict: bool) -> anyhow::Result<()> {
        let mut known = self.known(&batch).await?;
        let (mut invoices, mut payments, mut customers) = (Vec::new(), Vec::new(), Vec::new());
        for row in batch {
            let id = row.invoice_id.to_string();
            match known.get(&id) {
                Some(first) => {
                    if let Some(fault) = further_row_fault(first, &row) {
                        self.refuse(fault, strict)?;
                        continue;
                    }
                }
                None => {
                    known.insert(id, Known::of(&row));
                    customers.push(customer_values(&row));
                    invoices.push(invoice_values(&row));
                }
            }
            payments.extend(payment_values(&row));
        }
        let mut tx = self.db.begin().await?;
        tx.bulk_insert_missing("customer", CUSTOMER, customers).await?;
        tx.bulk_insert("invoice", INVOICE, invoices).await?;
        tx.bulk_insert("payment", PAYMENT, payments).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn known(&self, batch: &[Row]) -> anyhow::Result<HashMap<String, Known>> {
        let keys = Keys { columns: TEXT_ID, rows: batch.iter().map(|row| vec![row.invoice_id.as_str().into()]).collect() };
        let found = self.db.query_keyed("SELECT i.* FROM {keys} k JOIN invoice i ON i.invoice_id = k.id", keys, &[]).await?;
        let mut known = HashMap::new();
        for row in found {
            let entry = Known {
                customer_id: row.text("customer_id")?,
                issued_on: row.date("issued_on")?,
                due_on: row.date("due_on")?,
                amount_minor: row.int("amount_minor")?,
                currency: row.text("currency")?,
            };
            known.insert(row.text("invoice_id")?, entry);
        }
        Ok(known)
    }

    /// A payer becomes known with the earliest invoice, wherever that stands in the file.
    async fn settle_first_days(&self) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute("CREATE INDEX invoice_customer ON invoice (customer_id, day)", &[]).await?;
        let text = "UPDATE customer SET first_day = (SELECT MIN(i.day) FROM invoice i WHERE i.customer_id = customer.customer_id)";
        tx.execute(text, &[]).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn min_day(&self) -> anyhow::Result<Option<NaiveDate>> {
        let rows = self.db.query("SELECT MIN(day) AS day FROM invoice", &[]).await?;
        Ok(rows.first().map(|row| row.opt_int("day")).transpose()?.flatten().map(day_of))
    }

    /// The first day after `day` on which something is issued or paid.
    pub async fn next_day(&self, day: NaiveDate) -> anyhow::Result<Option<NaiveDate>> {
        let text = "SELECT MIN(day) AS day FROM (SELECT MIN(day) AS day FROM invoice WHERE day > $1 UNION ALL SELECT MIN(day) FROM payment WHERE day > $1)";
        let rows = self.db.query(text, &[number(day).into()]).await?;
        Ok(rows.first().map(|row| row.opt_int("day")).transpose()?.flatten().map(day_of))
    }

    /// Payers whose first invoice is issued on a day, in file order, after the place `after`.
    pub async fn customers(&self, day: NaiveDate, after: i64, limit: i64) -> anyhow::Result<Vec<SpooledCustomer>> {
        let text = "SELECT c.* FROM customer c WHERE c.first_day = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3";
        let rows = self.db.query(text, &[number(day).into(), after.into(), limit.into()]).await?;
        let read = |row: &sql::Row| {
            Ok(SpooledCustomer {
                seq: row.int("seq")?,
                customer_id: row.text("customer_id")?,
                name: row.text("name")?,
                tax_id: row.text("tax_id")?,
                email: row.text("email")?,
                phone: row.text("phone")?,
                state: row.text("state")?,
                municipality: row.text("municipality")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Invoices of a day, in file order, after the place `after`.
    pub async fn invoices(&self, day: NaiveDate, after: i64, limit: i64) -> anyhow::Result<Vec<SpooledInvoice>> {
        let text = "SELECT * FROM invoice WHERE day = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let rows = self.db.query(text, &[number(day).into(), after.into(), limit.into()]).await?;
        let read = |row: &sql::Row| {
            Ok(SpooledInvoice {
                seq: row.int("seq")?,
                invoice_id: row.text("invoice_id")?,
                customer_id: row.text("customer_id")?,
                issued_on: row.date("issued_on")?.to_string(),
                due_on: row.date("due_on")?.to_string(),
                amount_minor: row.int("amount_minor")?,
                currency: row.text("currency")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Payments of a day, in file order, after the place `after`; one without an amount pays all that is open then. The second
    /// value is the last place that was looked at.
    pub async fn payments(&self, day: NaiveDate, after: i64, limit: i64) -> anyhow::Result<(Vec<SpooledPayment>, Option<i64>)> {
        let text = "SELECT p.seq, p.invoice_id, p.amount_minor, i.amount_minor AS owed_minor, i.paid_minor, i.currency FROM payment p \
                    JOIN invoice i ON i.invoice_id = p.invoice_id WHERE p.day = $1 AND p.seq > $2 ORDER BY p.seq LIMIT $3";
        let rows = self.db.query(text, &[number(day).into(), after.into(), limit.into()]).await?;
        let mut paid: HashMap<String, i64> = HashMap::new();
        let (mut payments, mut last) = (Vec::new(), None);
        for row in &rows {
            let (seq, invoice_id) = (row.int("seq")?, row.text("invoice_id")?);
            last = Some(seq);
            let stored_minor = row.int("paid_minor")?;
            let paid_minor = paid.entry(invoice_id.clone()).or_insert(stored_minor);
            let amount_minor = row.opt_int("amount_minor")?.unwrap_or_else(|| row.int("owed_minor").unwrap_or(0) - *paid_minor);
            if amount_minor <= 0 {
                continue;
            }
            *paid_minor += amount_minor;
            payments.push(SpooledPayment { seq, invoice_id, amount_minor, currency: row.text("currency")? });
        }
        self.note_paid(paid).await?;
        Ok((payments, last))
    }

    async fn note_paid(&self, paid: HashMap<String, i64>) -> anyhow::Result<()> {
        let mut tx = self.db.begin().await?;
        for (invoice_id, paid_minor) in paid {
            tx.execute("UPDATE invoice SET paid_minor = $2 WHERE invoice_id = $1", &[invoice_id.into(), paid_minor.into()]).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn further_row_fault(first: &Known, row: &Row) -> Option<RowFault> {
    if let Some(column) = first.difference(row) {
        return Some(RowFault { line: row.line, column, reason: format!("differs from an earlier row of invoice {}", row.invoice_id) });
    }
    if row.paid_on.is_none() {
        return Some(RowFault {
            line: row.line,
            column: "paid_on",
            reason: format!("is missing: invoice {} is repeated without a payment", row.invoice_id),
        });
    }
    None
}

const CUSTOMER: &[Column] = &[
    Column::new("seq", Kind::Int),
    Column::new("customer_id", Kind::Text),
    Column::new("name", Kind::Text),
    Column::new("tax_id", Kind::Text),
    Column::new("email", Kind::Text),
    Column::new("phone", Kind::Text),
    Column::new("state", Kind::Text),
    Column::new("municipality", Kind::Text),
    Column::new("first_day", Kind::Int),
];

const INVOICE: &[Column] = &[
    Column::new("seq", Kind::Int),
    Column::new("invoice_id", Kind::Text),
    Column::new("customer_id", Kind::Text),
    Column::new("day", Kind::Int),
    Column::new("issued_on", Kind::Date),
    Column::new("due_on", Kind::Date),
    Column::new("amount_minor", Kind::Int),
    Column::new("currency", Kind::Text),
    Column::new("paid_minor", Kind::Int),
];

const PAYMENT: &[Column] = &[
    Column::new("seq", Kind::Int),
    Column::new("invoice_id", Kind::Text),
    Column::new("day", Kind::Int),
    Column::optional("amount_minor", Kind::Int),
];

fn seq(row: &Row) -> Value {
    Value::Int(i64::try_from(row.line).unwrap_or(i64::MAX))
}

fn customer_values(row: &Row) -> Vec<Value> {
    let clean = |text: &str, max| kernel::text::bounded(text, max).unwrap_or_default();
    // Contact data that cannot be used is no address: the payer is then found undeliverable, not the row refused.
    let tax_id = brazil::tax_id::TaxId::parse(&row.tax_id).map(|id| id.reveal().to_owned()).unwrap_or_default();
    let phone = brazil::phone::Phone::parse(&row.phone).map(|phone| phone.e164()).unwrap_or_default();
    let email = Some(clean(&row.email, 254)).filter(|email| kernel::text::is_email(email)).unwrap_or_default();
    let state = if kernel::Zone::of_state(&row.state).is_some() { row.state.as_str() } else { "" };
    let municipality = brazil::Municipality::parse(&row.municipality).ok().filter(|of| of.state().code() == state);
    vec![
        seq(row),
        row.customer_id.as_str().into(),
        clean(&row.name, 120).into(),
        tax_id.into(),
        email.into(),
        phone.into(),
        state.into(),
        municipality.map(|of| of.to_string()).unwrap_or_default().into(),
        number(row.issued_on).into(),
    ]
}

fn invoice_values(row: &Row) -> Vec<Value> {
    vec![
        seq(row),
        row.invoice_id.as_str().into(),
        row.customer_id.as_str().into(),
        number(row.issued_on).into(),
        row.issued_on.into(),
        row.due_on.into(),
        row.amount_minor.into(),
        row.currency.as_str().into(),
        0_i64.into(),
    ]
}

fn payment_values(row: &Row) -> Option<Vec<Value>> {
    // A payment before issue is recorded at issue.
    let day = row.paid_on?.max(row.issued_on);
    Some(vec![seq(row), row.invoice_id.as_str().into(), number(day).into(), row.paid_minor.into()])
}
