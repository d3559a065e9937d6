//! Events → tables: payers, receivables, and dated entries from which every past balance is a sum.

mod finding;
mod instrument;
mod unapplied;

pub use finding::FindingTables;
pub use instrument::{BOLETO, InstrumentTables};
pub use unapplied::UnappliedTables;

use crate::{
    movement::movement,
    wire::{self, Fact},
};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use receivable::Event;
use sql::{Column, Keys, Kind, Row, Value};
use std::collections::BTreeMap;

/// Accounts as tables.
pub struct AccountTables;

const TENANT: Column = Column::new("tenant", Kind::Text);
const CUSTOMER_ID: Column = Column::new("customer_id", Kind::Text);
const INVOICE_ID: Column = Column::new("invoice_id", Kind::Text);

const CUSTOMER: TableDef = TableDef {
    name: "customer",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        Column::new("segment", Kind::Text),
        Column::new("language", Kind::Text),
        Column::new("time_zone", Kind::Text),
        Column::new("state", Kind::Text),
        Column::new("municipality", Kind::Text),
        Column::new("consents", Kind::Text),
        Column::new("erased", Kind::Bool),
    ],
    key: &["tenant", "customer_id"],
    indexes: &[],
};

const INVOICE: TableDef = TableDef {
    name: "invoice",
    columns: &[
        TENANT,
        INVOICE_ID,
        CUSTOMER_ID,
        Column::new("amount_minor", Kind::Int),
        Column::new("open_minor", Kind::Int),
        Column::new("currency", Kind::Text),
        Column::new("issued_on", Kind::Date),
        Column::new("due_on", Kind::Date),
        Column::new("status", Kind::Text),
        Column::new("document", Kind::Text),
        Column::new("automatic_debit_on", Kind::Text),
    ],
    key: &["tenant", "invoice_id"],
    indexes: &[&["tenant", "customer_id"], &["tenant", "due_on"]],
};

const ENTRY: TableDef = TableDef {
    name: "entry",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        // Version of the account's stream: one entry an event.
        Column::new("version", Kind::Int),
        INVOICE_ID,
        Column::new("effective_on", Kind::Date),
        Column::new("recorded_at", Kind::Instant),
        Column::new("currency", Kind::Text),
        Column::new("kind", Kind::Text),
        Column::new("amount_minor", Kind::Int),
        Column::new("credit_minor", Kind::Int),
    ],
    key: &["tenant", "customer_id", "version"],
    indexes: &[&["tenant", "invoice_id"]],
};

impl Projection for AccountTables {
    fn name(&self) -> &'static str {
        "invoice-accounts"
    }

    fn version(&self) -> u32 {
        3
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[CUSTOMER, INVOICE, ENTRY]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut told = Told { facts: Vec::with_capacity(page.len()), ..Told::default() };
        for message in page {
            let decoded = wire::decode(&message.event.event_type, &message.event.payload);
            if let Some(fact) = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))? {
                told.customers.extend(customer_row(&message.event.tenant, &fact));
                told.entries.extend(entry_row(message, &fact));
                told.facts.push((message.event.tenant.clone(), fact));
            }
        }
        Ok(Box::new(told))
    }
}

/// What a page tells of accounts.
#[derive(Default)]
struct Told {
    customers: Vec<Vec<Value>>,
    entries: Vec<Vec<Value>>,
    /// Each with its tenant.
    facts: Vec<(String, Fact)>,
}

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        view.upsert("customer", self.customers).await?;
        erase_customers(view, &self.facts).await?;
        view.insert_missing("entry", self.entries).await?;
        let mut invoices = stored_invoices(view, &self.facts).await?;
        for (tenant, fact) in &self.facts {
            fold_invoice(&mut invoices, tenant, fact);
        }
        view.upsert("invoice", invoices.into_values().map(InvoiceRow::values).collect()).await
    }
}

fn customer_row(tenant: &str, fact: &Fact) -> Option<Vec<Value>> {
    let (attributes, consents) = match &fact.event {
        Event::CustomerRegistered(e) => (&e.attributes, &e.consents),
        Event::CustomerAmended(e) => (&e.attributes, &e.consents),
        Event::CustomerErased(_)
        | Event::CustomerRated(_)
        | Event::InvoiceViewed(_)
        | Event::InvoiceIssued(_)
        | Event::InvoiceAmended(_)
        | Event::InvoiceCancelled(_)
        | Event::CreditNoteIssued(_)
        | Event::CreditNoteCancelled(_)
        | Event::PaymentReceived(_)
        | Event::PaymentReversed(_)
        | Event::AgreementMade(_)
        | Event::AgreementBroken(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_)
        | Event::InvoiceRenegotiated(_)
        | Event::InvoiceReopened(_)
        | Event::PaymentConfirmed(_)
        | Event::BoletoRegistered(_)
        | Event::BoletoRejected(_)
        | Event::BoletoWrittenOff(_)
        | Event::BoletoNoticed(_)
        | Event::BankFeeCharged(_)
        | Event::InstrumentsAssigned(_)
        | Event::ReminderAuthorized(_) => return None,
    };
    let consents: Vec<&str> = consents.iter().map(String::as_str).collect();
    Some(vec![
        tenant.into(),
        fact.customer_id.as_str().into(),
        attributes.segment.clone().unwrap_or_default().into(),
        attributes.language.as_str().into(),
        attributes.zone.clone().unwrap_or_default().into(),
        attributes.state.clone().unwrap_or_default().into(),
        attributes.municipality.clone().unwrap_or_default().into(),
        Value::Text(consents.join(" ")),
        false.into(),
    ])
}

/// Neutral attributes stay, so that figures by segment do. Nobody is registered again after an erasure: the order within a page is right.
async fn erase_customers(view: &mut View<'_>, facts: &[(String, Fact)]) -> Result<(), ProjectionError> {
    for (tenant, fact) in facts.iter().filter(|(_, fact)| matches!(fact.event, Event::CustomerErased(_))) {
        let sql = "UPDATE {customer} SET erased = $1, consents = $2 WHERE tenant = $3 AND customer_id = $4";
        let args = [true.into(), "".into(), tenant.as_str().into(), fact.customer_id.as_str().into()];
        view.execute(sql, &args).await?;
    }
    Ok(())
}

fn entry_row(message: &Message, fact: &Fact) -> Option<Vec<Value>> {
    let entry = movement(&fact.event)?;
    Some(vec![
        message.event.tenant.as_str().into(),
        fact.customer_id.as_str().into(),
        Value::Int(i64::try_from(message.event.version).unwrap_or(i64::MAX)),
        entry.invoice_id.map_or("", |invoice_id| invoice_id.as_str()).into(),
        entry.effective_on.into(),
        message.event.recorded_at.into(),
        entry.currency.as_str().into(),
        entry.kind.into(),
        entry.amount_minor.into(),
        entry.credit_minor.into(),
    ])
}

/// A receivable as it is stored.
struct InvoiceRow {
    tenant: String,
    invoice_id: String,
    customer_id: String,
    amount_minor: i64,
    open_minor: i64,
    currency: String,
    issued_on: chrono::NaiveDate,
    due_on: chrono::NaiveDate,
    status: &'static str,
    document: String,
    /// Civil date; empty where there is none.
    automatic_debit_on: String,
}

impl InvoiceRow {
    fn values(self) -> Vec<Value> {
        vec![
            self.tenant.into(),
            self.invoice_id.into(),
            self.customer_id.into(),
            self.amount_minor.into(),
            self.open_minor.into(),
            self.currency.into(),
            self.issued_on.into(),
            self.due_on.into(),
            self.status.into(),
            self.document.into(),
            self.automatic_debit_on.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, ProjectionError> {
        let open_minor = row.int("open_minor")?;
        Ok(Self {
            tenant: row.text("tenant")?,
            invoice_id: row.text("invoice_id")?,
            customer_id: row.text("customer_id")?,
            amount_minor: row.int("amount_minor")?,
            open_minor,
            currency: row.text("currency")?,
            issued_on: row.date("issued_on")?,
            due_on: row.date("due_on")?,
            status: match row.text("status")?.as_str() {
                CANCELLED => CANCELLED,
                RENEGOTIATED => RENEGOTIATED,
                _ => status(open_minor),
            },
            document: row.text("document")?,
            automatic_debit_on: row.text("automatic_debit_on")?,
        })
    }

    fn stand(&mut self, open_minor: i64) {
        self.open_minor = open_minor;
        // What went back while an agreement holds is owed, and the receivable renegotiated all the same.
        if self.status != RENEGOTIATED {
            self.status = status(open_minor);
        }
    }
}

const CANCELLED: &str = "cancelled";
const RENEGOTIATED: &str = "renegotiated";

fn status(open_minor: i64) -> &'static str {
    if open_minor > 0 { "open" } else { "settled" }
}

fn debit(day: Option<chrono::NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

type Invoices = BTreeMap<(String, String), InvoiceRow>;

fn amended_invoice(event: &Event) -> Option<&kernel::InvoiceId> {
    match event {
        Event::InvoiceAmended(e) => Some(&e.invoice_id),
        Event::InvoiceCancelled(e) => Some(&e.invoice_id),
        Event::CreditNoteIssued(e) => e.invoice_id.as_ref(),
        Event::CreditNoteCancelled(e) => e.invoice_id.as_ref(),
        Event::PaymentReceived(e) => Some(&e.invoice_id),
        Event::PaymentReversed(e) => Some(&e.invoice_id),
        Event::InvoiceRenegotiated(e) => Some(&e.original.invoice_id),
        Event::InvoiceReopened(e) => Some(&e.invoice_id),
        Event::InvoiceIssued(_)
        | Event::CustomerRegistered(_)
        | Event::CustomerAmended(_)
        | Event::CustomerErased(_)
        | Event::CustomerRated(_)
        | Event::InvoiceViewed(_)
        | Event::AgreementMade(_)
        | Event::AgreementBroken(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_)
        | Event::PaymentConfirmed(_)
        | Event::BoletoRegistered(_)
        | Event::BoletoRejected(_)
        | Event::BoletoWrittenOff(_)
        | Event::BoletoNoticed(_)
        | Event::BankFeeCharged(_)
        | Event::InstrumentsAssigned(_)
        | Event::ReminderAuthorized(_) => None,
    }
}

async fn stored_invoices(view: &mut View<'_>, facts: &[(String, Fact)]) -> Result<Invoices, ProjectionError> {
    let key = |(tenant, fact): &(String, Fact)| amended_invoice(&fact.event).map(|id| vec![tenant.as_str().into(), id.as_str().into()]);
    let mut rows: Vec<Vec<Value>> = facts.iter().filter_map(key).collect();
    rows.sort();
    rows.dedup();
    if rows.is_empty() {
        return Ok(Invoices::new());
    }
    let keys = Keys { columns: &[TENANT, INVOICE_ID], rows };
    let text = "SELECT i.* FROM {keys} k CROSS JOIN {invoice} i WHERE i.tenant = k.tenant AND i.invoice_id = k.invoice_id";
    let found = view.query_keyed(text, keys, &[]).await?;
    let read = |row: &Row| InvoiceRow::read(row).map(|row| ((row.tenant.clone(), row.invoice_id.clone()), row));
    found.iter().map(read).collect()
}

fn fold_invoice(invoices: &mut Invoices, tenant: &str, fact: &Fact) {
    if let Event::InvoiceIssued(e) = &fact.event {
        let row = InvoiceRow {
            tenant: tenant.to_owned(),
            invoice_id: e.invoice_id.to_string(),
            customer_id: fact.customer_id.to_string(),
            amount_minor: e.amount_minor,
            open_minor: e.amount_minor,
            currency: e.currency.to_string(),
            issued_on: e.issued_on,
            due_on: e.due_on,
            status: status(e.amount_minor),
            document: e.document.clone().unwrap_or_default(),
            automatic_debit_on: debit(e.automatic_debit_on),
        };
        invoices.insert((tenant.to_owned(), e.invoice_id.to_string()), row);
    }
    let Some(row) = amended_invoice(&fact.event).and_then(|id| invoices.get_mut(&(tenant.to_owned(), id.to_string()))) else { return };
    match &fact.event {
        Event::InvoiceAmended(e) => {
            (row.amount_minor, row.due_on) = (e.amount_minor, e.due_on);
            row.automatic_debit_on = debit(e.automatic_debit_on);
            row.stand(e.outstanding_minor);
        }
        Event::InvoiceCancelled(_) => (row.open_minor, row.status) = (0, CANCELLED),
        Event::InvoiceRenegotiated(_) => (row.open_minor, row.status) = (0, RENEGOTIATED),
        Event::InvoiceReopened(e) => {
            row.status = "";
            row.stand(e.outstanding_minor);
        }
        Event::CreditNoteIssued(e) => row.stand(e.outstanding_minor),
        Event::CreditNoteCancelled(e) => row.stand(e.outstanding_minor),
        Event::PaymentReceived(e) => row.stand(e.outstanding_minor),
        Event::PaymentReversed(e) if row.status != CANCELLED => row.stand(e.outstanding_minor),
        Event::PaymentReversed(_)
        | Event::InvoiceIssued(_)
        | Event::CustomerRegistered(_)
        | Event::CustomerAmended(_)
        | Event::CustomerErased(_)
        | Event::CustomerRated(_)
        | Event::InvoiceViewed(_)
        | Event::AgreementMade(_)
        | Event::AgreementBroken(_)
        | Event::AgreementCompleted(_)
        | Event::AgreementResumed(_)
        | Event::PaymentConfirmed(_)
        | Event::BoletoRegistered(_)
        | Event::BoletoRejected(_)
        | Event::BoletoWrittenOff(_)
        | Event::BoletoNoticed(_)
        | Event::BankFeeCharged(_)
        | Event::InstrumentsAssigned(_)
        | Event::ReminderAuthorized(_) => {}
    }
}
