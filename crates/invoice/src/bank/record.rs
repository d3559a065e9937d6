//! What a record of a bank's file asks of an account. Decided by what the movement code means, never by an amount.

use brazil::cnab::{BankEvent, Settlement, TitleFact};
use chrono::NaiveDate;
use kernel::{Currency, InvoiceId, PaymentId, ids::IdFault};
use receivable::{BankNotice, BankRecord, Command, RecordBankNotice, Source, UndoBankPayment, unapplied::Receipt};
use sha2::{Digest, Sha256};

/// Characters of a hash that are kept: 160 bits.
const HASH_CHARS: usize = 40;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Money for the title.
    Pay(Receipt),
    /// Money of which the movement does not say that it settles the title: a person decides.
    Hold(Receipt, &'static str),
    /// A payment told of before is taken back.
    Undo,
    /// Something that moves no money of the payer.
    Note(BankNotice),
    /// Nothing: the title is only listed.
    Nothing,
}

/// Id of a record: equal in every file that tells of the same event.
pub fn record_id(fact: &TitleFact) -> String {
    let hash = hex::encode(Sha256::digest(fact.key.as_str()));
    format!("cnab-{}", hash.get(..HASH_CHARS).unwrap_or_default())
}

/// What a fact asks. Errors: none in practice; the id of a record is made of letters and digits.
pub fn asked(fact: &TitleFact) -> Result<Asked, IdFault> {
    let slug = fact.event.slug();
    Ok(match fact.event {
        BankEvent::PaymentReceived { .. } => match receipt(fact)? {
            Some(receipt) => Asked::Pay(receipt),
            None => Asked::Note(BankNotice::Other(slug.to_owned())),
        },
        BankEvent::ChequeCleared => match receipt(fact)? {
            Some(receipt) => Asked::Hold(receipt, slug),
            None => Asked::Note(BankNotice::Other(slug.to_owned())),
        },
        BankEvent::PaymentReversed | BankEvent::ChequeBounced => Asked::Undo,
        BankEvent::Registered => Asked::Note(BankNotice::Registered),
        BankEvent::RegistrationRejected => Asked::Note(BankNotice::Rejected),
        BankEvent::WrittenOff { .. } => Asked::Note(BankNotice::WrittenOff),
        BankEvent::FeeDebited if fact.fee_cents > 0 => Asked::Note(BankNotice::Fee),
        BankEvent::OpenTitleListed => Asked::Nothing,
        BankEvent::FeeDebited
        | BankEvent::ChequePending
        | BankEvent::OperationalWriteOff
        | BankEvent::OperationalWriteOffCancelled
        | BankEvent::InstructionAcknowledged
        | BankEvent::InstructionRejected
        | BankEvent::Protest(_)
        | BankEvent::PayerEvent
        | BankEvent::DdaRecognised
        | BankEvent::DdaRefused
        | BankEvent::DdaRefusedByClearing
        | BankEvent::BureauEntryRemoved => Asked::Note(BankNotice::Other(slug.to_owned())),
    })
}

/// The money of a fact; `None` where it has no amount or no day.
fn receipt(fact: &TitleFact) -> Result<Option<Receipt>, IdFault> {
    let Some((settlement, paid_on)) = fact.settlement.zip(fact.event_on) else { return Ok(None) };
    let amount_minor = paid_minor(fact, &settlement);
    if amount_minor <= 0 {
        return Ok(None);
    }
    Ok(Some(Receipt {
        payment_id: PaymentId::new(&record_id(fact))?,
        source: if fact.may_repeat_a_pix { Source::BankFileOrPix } else { Source::BankFile },
        amount_minor,
        currency: Currency::BRL,
        paid_on,
        reference: reference(fact),
        account: bank(fact),
        end_to_end_id: String::new(),
        reason: String::new(),
        suggested: None,
        fee_minor: fact.fee_cents.max(0),
    }))
}

/// Where a file knows only what was credited, the fee was the payer's money too, as far as the title asks for it: without it a title
/// that was paid in full would stay open by the bank's fee.
fn paid_minor(fact: &TitleFact, settlement: &Settlement) -> i64 {
    let asked = fact.nominal_cents.saturating_add(settlement.additions_cents);
    let asked = asked.saturating_sub(settlement.discount_cents).saturating_sub(settlement.abatement_cents);
    let with_fee = settlement.paid_cents.saturating_add(fact.fee_cents);
    if settlement.paid_is_net && fact.fee_cents > 0 && with_fee <= asked { with_fee } else { settlement.paid_cents }
}

/// What the file names the title by.
fn reference(fact: &TitleFact) -> String {
    let title = &fact.title;
    match (&title.barcode, title.check) {
        (Some(slip), _) => slip.barcode(),
        (None, Some(check)) => format!("{}-{check}", title.nosso_numero),
        (None, None) => title.nosso_numero.clone(),
    }
}

fn bank(fact: &TitleFact) -> String {
    format!("{:03}", fact.bank)
}

/// The command that keeps a notice. `today` dates a fee whose record has no day.
pub fn noting(fact: &TitleFact, notice: BankNotice, invoice_id: InvoiceId, today: NaiveDate) -> Command {
    let record = BankRecord {
        invoice_id,
        record_id: record_id(fact),
        bank: bank(fact),
        movement: fact.movement.clone(),
        reasons: fact.reasons.clone(),
        event_on: fact.event_on,
    };
    Command::RecordBankNotice(RecordBankNotice { record, notice, fee_minor: fact.fee_cents.max(0), today })
}

/// The command that takes a payment back.
pub fn undoing(fact: &TitleFact, invoice_id: InvoiceId, today: NaiveDate) -> Command {
    Command::UndoBankPayment(UndoBankPayment {
        record_id: record_id(fact),
        invoice_id,
        amount_minor: fact.settlement.map_or(0, |settlement| paid_minor(fact, &settlement).max(0)),
        reason: fact.event.slug().to_owned(),
        undone_on: fact.event_on.unwrap_or(today),
    })
}
