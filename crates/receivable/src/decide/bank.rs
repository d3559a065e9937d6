//! What banks say of boletos in their files.

use super::payment::{Back, went_back};
use super::{bounded, found};
use crate::{
    Account, BankFeeCharged, BankNotice, BankRecord, BankStanding, BoletoNoticed, Event, Instruments, InstrumentsAssigned, Payment,
    RecordBankNotice, Rejection, RenewBoleto, UndoBankPayment,
};
use alloc::{string::String, vec, vec::Vec};
use brazil::charges::LegalRates;
use kernel::{InvoiceId, NaiveDate, PaymentId};

/// Reason codes that are kept of a record.
const MAX_REASONS: usize = 10;

pub(super) fn notice(account: &Account, command: &RecordBankNotice) -> Result<Vec<Event>, Rejection> {
    let record = checked(&command.record)?;
    found(account, &record.invoice_id)?;
    if account.bank_records.contains(&record.record_id) {
        return Ok(vec![]);
    }
    let charged_on = record.event_on.unwrap_or(command.today);
    let fees = fee(account, (&record.invoice_id, &record.record_id), command.fee_minor, charged_on)?;
    let mut events = match &command.notice {
        BankNotice::Registered => vec![Event::BoletoRegistered(record)],
        BankNotice::Rejected => vec![Event::BoletoRejected(record)],
        BankNotice::WrittenOff => vec![Event::BoletoWrittenOff(record)],
        BankNotice::Fee => vec![],
        BankNotice::Other(notice) => vec![Event::BoletoNoticed(BoletoNoticed { record, notice: bounded("notice", notice, 64)? })],
    };
    events.extend(fees);
    Ok(events)
}

pub(super) fn renew(account: &Account, command: &RenewBoleto) -> Result<Vec<Event>, Rejection> {
    let invoice = found(account, &command.invoice_id)?;
    let had = invoice.instruments.as_ref().filter(|had| had.boleto.is_some());
    let (true, BankStanding::WrittenOff, Some(had)) = (invoice.is_owed(), invoice.bank_standing, had) else { return Ok(vec![]) };
    let new = command.instruments.assign(invoice.issued_on, invoice.due_on, invoice.amount_minor).map_err(Rejection::Boleto)?;
    let instruments = Instruments { txid: had.txid.clone(), ..new };
    Ok(vec![Event::InstrumentsAssigned(InstrumentsAssigned { invoice_id: command.invoice_id.clone(), instruments })])
}

fn checked(record: &BankRecord) -> Result<BankRecord, Rejection> {
    Ok(BankRecord {
        invoice_id: record.invoice_id.clone(),
        record_id: bounded("record_id", &record.record_id, 64)?,
        bank: bounded("bank", &record.bank, 3)?,
        movement: bounded("movement", &record.movement, 8)?,
        reasons: record.reasons.iter().take(MAX_REASONS).map(|reason| bounded("reasons", reason, 8)).collect::<Result<_, _>>()?,
        event_on: record.event_on,
    })
}

/// The fee of a record; nothing where there is none, or it was taken in before.
pub(super) fn fee(
    account: &Account,
    (invoice_id, record_id): (&InvoiceId, &str),
    fee_minor: i64,
    charged_on: NaiveDate,
) -> Result<Option<Event>, Rejection> {
    if fee_minor < 0 {
        return Err(Rejection::FeeNegative);
    }
    if fee_minor == 0 || account.bank_records.contains(record_id) {
        return Ok(None);
    }
    let currency = found(account, invoice_id)?.currency;
    let (invoice_id, record_id) = (invoice_id.clone(), String::from(record_id));
    Ok(Some(Event::BankFeeCharged(BankFeeCharged { invoice_id, record_id, amount_minor: fee_minor, currency, charged_on })))
}

pub(super) fn undo(account: &Account, command: &UndoBankPayment, rates: &LegalRates) -> Result<Vec<Event>, Rejection> {
    let reason = bounded("reason", &command.reason, 200)?;
    let record_id = bounded("record_id", &command.record_id, 64)?;
    let invoice = found(account, &command.invoice_id)?;
    let known = invoice.payments.iter().rev().filter_map(|id| account.payments.get(id).map(|payment| (id, payment)));
    let known: Vec<(&PaymentId, &Payment)> = known.collect();
    if known.iter().any(|(_, payment)| payment.returns.contains_key(&record_id)) {
        return Ok(vec![]);
    }
    let undone = |payment: &Payment| {
        payment.source.is_bank_file()
            && payment.part_of.is_none()
            && payment.returned_minor == 0
            && (command.amount_minor == 0 || payment.amount_minor == command.amount_minor)
    };
    let (payment_id, payment) = known.into_iter().find(|(_, payment)| undone(payment)).ok_or(Rejection::PaymentUnknown)?;
    let back = Back { amount_minor: payment.amount_minor, return_id: Some(record_id), reason, on: command.undone_on };
    went_back(account, (payment_id, payment), back, rates)
}
