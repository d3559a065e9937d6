//! Receivables as callers see them: by themselves, and as a reminder may mention them.

use super::{charges::charge_terms_out, instrument::instruments_view};
use brazil::{
    charges::{LegalRates, Statement},
    cnab::remittance::RemittanceWriter,
};
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use kernel::{CustomerId, InvoiceId, Purpose, written};
use receivable::{
    Account, Answer, Invoice, Phase, Verdict,
    charges::{due_minor, statement_now},
};

/// A receivable on a day; `None` where the account has no such one.
pub fn invoice_view(
    customer_id: &CustomerId,
    invoice_id: &InvoiceId,
    account: &Account,
    (today, rates): (NaiveDate, &LegalRates),
) -> Option<proto::Invoice> {
    let invoice = account.invoices.get(invoice_id)?;
    let (due_minor, due_unknown) = due(account, invoice, (today, rates));
    let agreement = invoice.instalment.as_ref().map(|of| &of.agreement_id).or(invoice.renegotiated_by.as_ref());
    Some(proto::Invoice {
        invoice_id: invoice_id.to_string(),
        customer_id: customer_id.to_string(),
        amount_minor: invoice.amount_minor,
        outstanding_minor: invoice.open_minor,
        currency: invoice.currency.to_string(),
        issued_on: written::date_text(invoice.issued_on),
        due_on: written::date_text(invoice.due_on),
        status: status(invoice.phase).into(),
        document: invoice.issued.document.clone().unwrap_or_default(),
        instruments: invoice.instruments.as_ref().map(instruments_view),
        due_minor,
        due_unknown,
        charges: invoice.charges.as_ref().map(charge_terms_out),
        automatic_debit_on: invoice.automatic_debit_on.map(written::date_text).unwrap_or_default(),
        agreement_id: agreement.map(ToString::to_string).unwrap_or_default(),
        instalment: invoice.instalment.as_ref().map_or(0, |of| of.number),
        instalments: invoice.instalment.as_ref().map_or(0, |of| of.count),
    })
}

/// Where a receivable stands, as callers see it.
pub(super) fn status(phase: Phase) -> proto::InvoiceStatus {
    match phase {
        Phase::Open => proto::InvoiceStatus::Open,
        Phase::Settled => proto::InvoiceStatus::Settled,
        Phase::Cancelled => proto::InvoiceStatus::Cancelled,
        Phase::Renegotiated => proto::InvoiceStatus::Renegotiated,
    }
}

/// Minor units that settle a receivable on a day; else 0 and why nobody can say.
fn due(account: &Account, invoice: &Invoice, (today, rates): (NaiveDate, &LegalRates)) -> (i64, String) {
    match due_minor(account, invoice, today, rates) {
        Ok(minor) => (minor, String::new()),
        Err(fault) => (0, fault.slug().to_owned()),
    }
}

/// Fills in what settles a receivable of a list on a day.
pub fn say_what_is_due(shown: &mut proto::Invoice, account: &Account, on: (NaiveDate, &LegalRates)) {
    let invoice = InvoiceId::new(&shown.invoice_id).ok().and_then(|invoice_id| account.invoices.get(&invoice_id));
    if let Some(invoice) = invoice {
        (shown.due_minor, shown.due_unknown) = due(account, invoice, on);
    }
}

/// What the owner says of one item on a day, with what the message shows.
pub fn verdict(verdict: &Verdict, account: &Account, on: (NaiveDate, &LegalRates)) -> proto::ReminderVerdict {
    let (authorized, reason, net_minor) = match verdict.answer {
        Answer::Authorized { net_minor } => (true, String::new(), net_minor),
        Answer::Refused(reason) => (false, reason.slug().to_owned(), 0),
    };
    let said =
        proto::ReminderVerdict { invoice_id: verdict.item.invoice_id.to_string(), authorized, reason, net_minor, ..Default::default() };
    match account.invoices.get(&verdict.item.invoice_id) {
        // Who is told that nothing is owed is told no way to pay.
        Some(invoice) => of_invoice(said, account, (invoice, verdict.item.purpose == Purpose::Reminder), on),
        None => said,
    }
}

fn of_invoice(
    said: proto::ReminderVerdict,
    account: &Account,
    (invoice, is_asked_for): (&Invoice, bool),
    (today, rates): (NaiveDate, &LegalRates),
) -> proto::ReminderVerdict {
    let is_payable = said.authorized && is_asked_for;
    let (due_minor, _) = due(account, invoice, (today, rates));
    let charged = statement_now(account, invoice, today, rates).ok().filter(|_| invoice.charges.is_some());
    let untouched = invoice.open_minor == invoice.amount_minor && charged.as_ref().is_none_or(|statement| statement.paid_cents == 0);
    let boleto_fits = is_payable && untouched && said.net_minor == due_minor && bank_says_the_same(invoice, charged.as_ref());
    proto::ReminderVerdict {
        outstanding_minor: invoice.open_minor,
        currency: invoice.currency.to_string(),
        due_on: written::date_text(invoice.due_on),
        document: invoice.issued.document.clone().unwrap_or_default(),
        due_minor,
        fine_minor: charged.as_ref().map_or(0, |statement| statement.fine_cents),
        interest_minor: charged.as_ref().map_or(0, |statement| statement.interest_cents),
        discount_minor: charged.as_ref().map_or(0, |statement| statement.discount_cents),
        instruments: invoice.instruments.as_ref().filter(|_| is_payable).map(instruments_view),
        boleto_fits,
        agreement_id: invoice.instalment.as_ref().map(|of| of.agreement_id.to_string()).unwrap_or_default(),
        instalment: invoice.instalment.as_ref().map_or(0, |of| of.number),
        instalments: invoice.instalment.as_ref().map_or(0, |of| of.count),
        ..said
    }
}

/// Whether the bank adds and takes off by itself what the statement of the day says: only what its file can say, and only where a file
/// is written for it.
fn bank_says_the_same(invoice: &Invoice, charged: Option<&Statement>) -> bool {
    let Some((terms, statement)) = invoice.charges.as_ref().zip(charged) else { return true };
    let at_bank = terms.at_bank(invoice.amount_minor, invoice.due_on);
    let boleto = invoice.instruments.as_ref().and_then(|instruments| instruments.boleto.as_ref());
    let is_told = boleto.is_some_and(|slip| RemittanceWriter::writes(slip.boleto.bank()));
    let late = statement.fine_cents == 0 && statement.interest_cents == 0 || at_bank.late && is_told;
    let early = statement.discount_cents == 0 || at_bank.early && is_told;
    late && early
}
