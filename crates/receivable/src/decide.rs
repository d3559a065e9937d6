//! Commands to events: one function each, in the order malformed, not there, not allowed, nothing new, new.

mod agreement;
mod bank;
mod credit;
mod customer;
mod invoice;
mod payment;
mod reminder;
mod view;

use crate::{Account, Command, Event, Invoice, Rejection, Release, Standing};
use alloc::{string::String, vec::Vec};
use brazil::charges::LegalRates;
use kernel::{Currency, InvoiceId, MAX_AMOUNT_MINOR, text};

/// What a command does to an account: events, none where nothing is new, or the reason why not. `rates` are the legal rates that are known;
/// they matter where an invoice bears them.
pub fn decide(account: &Account, command: &Command, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let events = by_itself(account, command, rates)?;
    Ok(agreement::follow(account, events))
}

fn by_itself(account: &Account, command: &Command, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::RegisterCustomer(command) => customer::register(account, command),
        Command::IssueInvoice(command) => invoice::issue(account, command),
        Command::AmendInvoice(command) => invoice::amend(account, command, rates),
        Command::CancelInvoice(command) => invoice::cancel(account, command, rates),
        Command::IssueCreditNote(command) => credit::issue(account, command, rates),
        Command::CancelCreditNote(command) => credit::cancel(account, command, rates),
        Command::MakeAgreement(command) => agreement::make(account, command, rates),
        Command::BreakAgreement(command) => agreement::break_up(account, command, rates),
        Command::RecordPayment(command) => payment::record(account, command, rates),
        Command::RecordReceipt(command) => payment::receive(account, command, rates),
        Command::ReversePayment(command) => payment::reverse(account, command, rates),
        Command::ReturnPayment(command) => payment::give_back(account, command, rates),
        Command::UndoBankPayment(command) => bank::undo(account, command, rates),
        Command::RecordBankNotice(command) => bank::notice(account, command),
        Command::RecordView(command) => view::record(account, command),
        Command::RateCustomer(command) => view::rate(account, command),
        Command::RenewBoleto(command) => bank::renew(account, command),
        Command::AuthorizeReminder(command) => reminder::authorize(account, command, rates),
        Command::EraseCustomer(command) => customer::erase(account, command),
    }
}

fn known(account: &Account) -> Result<(), Rejection> {
    match account.standing {
        Standing::Unknown => Err(Rejection::CustomerUnknown),
        Standing::Active | Standing::Erased => Ok(()),
    }
}

fn found<'a>(account: &'a Account, invoice_id: &InvoiceId) -> Result<&'a Invoice, Rejection> {
    known(account)?;
    account.invoices.get(invoice_id).ok_or(Rejection::InvoiceUnknown)
}

fn bounded(field: &'static str, value: &str, max_chars: usize) -> Result<String, Rejection> {
    text::bounded(value, max_chars).map_err(|fault| Rejection::TextRefused { field, fault })
}

fn bounded_option(field: &'static str, value: Option<&String>, max_chars: usize) -> Result<Option<String>, Rejection> {
    value.map(|value| bounded(field, value, max_chars)).transpose()
}

/// Money that comes must have room as credit beside all that the account holds: whatever it pays now, a cancellation may give it back. So no
/// invoice is ever too full to be cancelled.
fn room_for_money(account: &Account, currency: Currency, more_minor: i64) -> Result<(), Rejection> {
    let of_currency = account.payments.values().filter(|payment| payment.currency == currency);
    let applied_minor = of_currency.fold(0_i64, |sum, payment| sum.saturating_add(payment.applied_minor));
    room_for_credit(account, currency, applied_minor.saturating_add(more_minor))
}

fn room_for_credit(account: &Account, currency: Currency, more_minor: i64) -> Result<(), Rejection> {
    let after = account.credit_minor(currency).saturating_add(more_minor);
    if after > MAX_AMOUNT_MINOR { Err(Rejection::CreditTooLarge) } else { Ok(()) }
}

/// Takes `excess_minor` off the payments of an invoice, the newest first: the oldest money stays where it was meant to go.
fn release(account: &Account, invoice: &Invoice, excess_minor: i64) -> Vec<Release> {
    let mut left = excess_minor;
    let mut released = Vec::new();
    for payment_id in invoice.payments.iter().rev() {
        let applied = account.payments.get(payment_id).map_or(0, |payment| payment.applied_minor);
        let amount_minor = applied.min(left);
        if amount_minor > 0 {
            left -= amount_minor;
            released.push(Release { payment_id: payment_id.clone(), amount_minor });
        }
    }
    released
}
