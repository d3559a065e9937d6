//! Receivables as callers see them: by themselves, and as a reminder may mention them.

use super::{charges::charge_terms_out, instrument::instruments_view};
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use kernel::{CustomerId, InvoiceId};
use receivable::{
    Account, Answer, Invoice, Phase, Verdict,
    charges::{due_minor, statement_now},
};

/// A receivable on a day; `None` where the account has no such one.
pub fn invoice_view(customer_id: &CustomerId, invoice_id: &InvoiceId, account: &Account, today: NaiveDate) -> Option<proto::Invoice> {
    let invoice = account.invoices.get(invoice_id)?;
    let status = match invoice.phase {
        Phase::Open => proto::InvoiceStatus::Open,
        Phase::Settled => proto::InvoiceStatus::Settled,
        Phase::Cancelled => proto::InvoiceStatus::Cancelled,
    };
    Some(proto::Invoice {
        invoice_id: invoice_id.to_string(),
        customer_id: customer_id.to_string(),
        amount_minor: invoice.amount_minor,
        outstanding_minor: invoice.open_minor,
        currency: invoice.currency.to_string(),
        issued_on: invoice.issued_on.to_string(),
        due_on: invoice.due_on.to_string(),
        status: status.into(),
        document: invoice.issued.document.clone().unwrap_or_default(),
        instruments: invoice.instruments.as_ref().map(instruments_view),
        due_minor: due_minor(account, invoice, today),
        charges: invoice.charges.as_ref().map(charge_terms_out),
        automatic_debit_on: invoice.automatic_debit_on.map(|day| day.to_string()).unwrap_or_default(),
    })
}

/// What the owner says of one item on a day, with what the message shows.
pub fn verdict(verdict: &Verdict, account: &Account, today: NaiveDate) -> proto::ReminderVerdict {
    let (authorized, reason, net_minor) = match verdict.answer {
        Answer::Authorized { net_minor } => (true, String::new(), net_minor),
        Answer::Refused(reason) => (false, reason.slug().to_owned(), 0),
    };
    let said =
        proto::ReminderVerdict { invoice_id: verdict.item.invoice_id.to_string(), authorized, reason, net_minor, ..Default::default() };
    match account.invoices.get(&verdict.item.invoice_id) {
        Some(invoice) => of_invoice(said, account, invoice, today),
        None => said,
    }
}

fn of_invoice(said: proto::ReminderVerdict, account: &Account, invoice: &Invoice, today: NaiveDate) -> proto::ReminderVerdict {
    let due_minor = due_minor(account, invoice, today);
    let charged = statement_now(account, invoice, today).ok().filter(|_| invoice.charges.is_some());
    let untouched = invoice.open_minor == invoice.amount_minor && charged.as_ref().is_none_or(|statement| statement.paid_cents == 0);
    proto::ReminderVerdict {
        outstanding_minor: invoice.open_minor,
        currency: invoice.currency.to_string(),
        due_on: invoice.due_on.to_string(),
        document: invoice.issued.document.clone().unwrap_or_default(),
        due_minor,
        fine_minor: charged.as_ref().map_or(0, |statement| statement.fine_cents),
        interest_minor: charged.as_ref().map_or(0, |statement| statement.interest_cents),
        discount_minor: charged.as_ref().map_or(0, |statement| statement.discount_cents),
        instruments: invoice.instruments.as_ref().filter(|_| said.authorized).map(instruments_view),
        boleto_fits: said.authorized && untouched && said.net_minor == due_minor,
        ..said
    }
}
