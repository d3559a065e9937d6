//! What happened to an account. Each event carries what a reader needs who has no state of its own.

use crate::account::{Attributes, Source};
use crate::agreement::{AgreementBroken, AgreementMade, AgreementMoved, InstalmentOf, InvoiceRenegotiated, InvoiceReopened, PartOf};
use crate::charges::ChargeTerms;
use crate::instrument::Instruments;
use crate::rating::CustomerRated;
use crate::view::InvoiceViewed;
use alloc::{collections::BTreeSet, string::String, vec::Vec};
use kernel::{ContactId, CreditNoteId, Currency, CustomerId, DateTime, InvoiceId, NaiveDate, PaymentId, StepId, Utc};

/// A fact about one payer's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The payer became known.
    CustomerRegistered(CustomerRegistered),
    /// Attributes or consents changed.
    CustomerAmended(CustomerAmended),
    /// Personal data was deleted.
    CustomerErased(CustomerErased),
    /// The payer was rated.
    CustomerRated(CustomerRated),
    /// The payer opened an invoice.
    InvoiceViewed(InvoiceViewed),
    /// An invoice was issued.
    InvoiceIssued(InvoiceIssued),
    /// Amount or due day changed.
    InvoiceAmended(InvoiceAmended),
    /// An invoice is no longer owed.
    InvoiceCancelled(InvoiceCancelled),
    /// A part of what is owed was given up.
    CreditNoteIssued(CreditNoteIssued),
    /// A credit note was taken back.
    CreditNoteCancelled(CreditNoteCancelled),
    /// An agreement was made.
    AgreementMade(AgreementMade),
    /// A debt is owed by the instalments of an agreement.
    InvoiceRenegotiated(InvoiceRenegotiated),
    /// An agreement was broken.
    AgreementBroken(AgreementBroken),
    /// A debt is owed by itself again.
    InvoiceReopened(InvoiceReopened),
    /// Every instalment of an agreement is paid.
    AgreementCompleted(AgreementMoved),
    /// A payment went back, and the agreement is open again.
    AgreementResumed(AgreementMoved),
    /// Money came.
    PaymentReceived(PaymentReceived),
    /// Money went back.
    PaymentReversed(PaymentReversed),
    /// A second channel told of a payment that is known.
    PaymentConfirmed(PaymentConfirmed),
    /// The bank registered a boleto.
    BoletoRegistered(BankRecord),
    /// The bank did not register a boleto.
    BoletoRejected(BankRecord),
    /// The bank takes no more payments of a boleto.
    BoletoWrittenOff(BankRecord),
    /// The bank said something else of a boleto.
    BoletoNoticed(BoletoNoticed),
    /// The bank took a fee.
    BankFeeCharged(BankFeeCharged),
    /// A contact was allowed to go out.
    ReminderAuthorized(ReminderAuthorized),
    /// An invoice got what it can be paid with, or got it anew after a change.
    InstrumentsAssigned(InstrumentsAssigned),
}

impl Event {
    /// The civil day from which the fact counts in the books; `None` for facts that move no money.
    pub fn effective_on(&self) -> Option<NaiveDate> {
        match self {
            Event::InvoiceIssued(event) => Some(event.issued_on),
            Event::InvoiceAmended(event) => Some(event.amended_on),
            Event::InvoiceCancelled(event) => Some(event.cancelled_on),
            Event::CreditNoteIssued(event) => Some(event.noted_on),
            Event::CreditNoteCancelled(event) => Some(event.cancelled_on),
            Event::InvoiceRenegotiated(event) => Some(event.renegotiated_on),
            Event::InvoiceReopened(event) => Some(event.reopened_on),
            Event::PaymentReceived(event) => Some(event.part_of.as_ref().map_or(event.paid_on, |part| part.moved_on)),
            Event::PaymentReversed(event) => Some(event.reversed_on),
            Event::CustomerRegistered(_)
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
}

/// The payer became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRegistered {
    /// The payer.
    pub customer_id: CustomerId,
    /// Neutral attributes.
    pub attributes: Attributes,
    /// Slugs of the channels consented to.
    pub consents: BTreeSet<String>,
}

/// Attributes or consents changed; both are given whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerAmended {
    /// The payer.
    pub customer_id: CustomerId,
    /// All attributes after the change.
    pub attributes: Attributes,
    /// All consents after the change.
    pub consents: BTreeSet<String>,
}

/// Personal data was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerErased {
    /// The payer.
    pub customer_id: CustomerId,
}

/// An invoice was issued; all of it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceIssued {
    /// Id.
    pub invoice_id: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Day of issue.
    pub issued_on: NaiveDate,
    /// Due day.
    pub due_on: NaiveDate,
    /// Number of the fiscal document.
    pub document: Option<String>,
    /// Day of its automatic debit.
    pub automatic_debit_on: Option<NaiveDate>,
    /// Charges and discounts that were agreed.
    pub charges: Option<ChargeTerms>,
    /// The agreement whose instalment it is.
    pub instalment: Option<InstalmentOf>,
}

/// Amount or due day changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceAmended {
    /// Which.
    pub invoice_id: InvoiceId,
    /// Currency.
    pub currency: Currency,
    /// Amount before, minor units.
    pub previous_amount_minor: i64,
    /// Amount after, minor units.
    pub amount_minor: i64,
    /// Due day before.
    pub previous_due_on: NaiveDate,
    /// Due day after.
    pub due_on: NaiveDate,
    /// Left to pay after the change, minor units.
    pub outstanding_minor: i64,
    /// What was paid past the new amount, now unapplied credit.
    pub released: Vec<Release>,
    /// Day of automatic debit after the change.
    pub automatic_debit_on: Option<NaiveDate>,
    /// Money that pays more (less where negative) of charges than before the change, minor units.
    pub charges_minor: i64,
    /// Discount more (less where negative) than before the change, minor units.
    pub discount_minor: i64,
    /// Effective day.
    pub amended_on: NaiveDate,
}

/// An invoice is no longer owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceCancelled {
    /// Which.
    pub invoice_id: InvoiceId,
    /// Currency.
    pub currency: Currency,
    /// Its amount, minor units.
    pub amount_minor: i64,
    /// What was left to pay until now, minor units.
    pub previous_outstanding_minor: i64,
    /// What was paid on it, charges included, now unapplied credit.
    pub released: Vec<Release>,
    /// Of it what had paid charges, minor units.
    pub charges_minor: i64,
    /// Discount that had been taken, minor units.
    pub discount_minor: i64,
    /// What credit notes had taken off it, minor units.
    pub credited_minor: i64,
    /// Why.
    pub reason: String,
    /// Effective day.
    pub cancelled_on: NaiveDate,
}

/// A part of what is owed was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNoteIssued {
    /// Id.
    pub credit_note_id: CreditNoteId,
    /// The invoice; `None` where the payer has it as unapplied credit.
    pub invoice_id: Option<InvoiceId>,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Why.
    pub reason: String,
    /// By how much less principal of the invoice is open, minor units.
    pub applied_minor: i64,
    /// Money that pays more (less where negative) of charges than before, minor units.
    pub charges_minor: i64,
    /// Discount more (less where negative) than before, minor units.
    pub discount_minor: i64,
    /// What was paid past what is left, now unapplied credit.
    pub released: Vec<Release>,
    /// Left to pay of the invoice, minor units.
    pub outstanding_minor: i64,
    /// Effective day.
    pub noted_on: NaiveDate,
}

/// A credit note was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNoteCancelled {
    /// Id.
    pub credit_note_id: CreditNoteId,
    /// The invoice, as it was issued for.
    pub invoice_id: Option<InvoiceId>,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Why.
    pub reason: String,
    /// By how much more principal of the invoice is open, minor units.
    pub applied_minor: i64,
    /// Money that pays more (less where negative) of charges than before, minor units.
    pub charges_minor: i64,
    /// Discount more (less where negative) than before, minor units.
    pub discount_minor: i64,
    /// What was paid past what is left, now unapplied credit.
    pub released: Vec<Release>,
    /// Left to pay of the invoice, minor units.
    pub outstanding_minor: i64,
    /// Due day of the invoice.
    pub due_on: Option<NaiveDate>,
    /// Effective day.
    pub cancelled_on: NaiveDate,
}

/// A part of a payment that left its invoice and became unapplied credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The payment.
    pub payment_id: PaymentId,
    /// Minor units, more than zero.
    pub amount_minor: i64,
}

/// Sum of releases, minor units.
pub fn released_minor(released: &[Release]) -> i64 {
    released.iter().fold(0, |sum, release| sum.saturating_add(release.amount_minor))
}

/// Money came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReceived {
    /// Id.
    pub payment_id: PaymentId,
    /// For which invoice.
    pub invoice_id: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Day of payment.
    pub paid_on: NaiveDate,
    /// How.
    pub method: String,
    /// By how much the principal is lower, discount included, minor units.
    pub applied_minor: i64,
    /// Money that paid charges, minor units; below zero where earlier money pays less of them, now that this is known.
    pub charges_minor: i64,
    /// Discount that was taken with it, minor units.
    pub discount_minor: i64,
    /// Its part that is unapplied credit, minor units.
    pub unapplied_minor: i64,
    /// Parts of other payments that are too much, now that this one is known.
    pub released: Vec<Release>,
    /// Left to pay on the invoice afterwards, minor units: principal, or charges where no principal is; 0 = settled.
    pub outstanding_minor: i64,
    /// Who told of it.
    pub source: Source,
    /// Where it is no new money but a part of a payment on an instalment: it leaves unapplied credit.
    pub part_of: Option<PartOf>,
}

impl PaymentReceived {
    /// What the payer has more as unapplied credit by it, minor units; a part of another payment leaves credit.
    pub fn credit_minor(&self) -> i64 {
        let taken_minor = if self.part_of.is_some() { self.amount_minor } else { 0 };
        self.unapplied_minor.saturating_sub(taken_minor)
    }
}

/// Money went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReversed {
    /// Which.
    pub payment_id: PaymentId,
    /// The invoice that it was for.
    pub invoice_id: InvoiceId,
    /// What went back, minor units: all that was left of the payment, or the part of one return.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// By how much the principal is higher, minor units.
    pub applied_minor: i64,
    /// Money that pays less of charges than before, minor units.
    pub charges_minor: i64,
    /// Discount that is lost, minor units.
    pub discount_minor: i64,
    /// The part taken out of unapplied credit, minor units.
    pub unapplied_minor: i64,
    /// Left to pay on the invoice afterwards, minor units.
    pub outstanding_minor: i64,
    /// Why.
    pub reason: String,
    /// When.
    pub reversed_on: NaiveDate,
    /// Id of the return, where only a part may have gone back.
    pub return_id: Option<String>,
    /// The payment of which it is a part: that tells of the same money going back, after it.
    pub part_of: Option<PaymentId>,
}

/// A second channel told of a payment that is known: nothing moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentConfirmed {
    /// The payment.
    pub payment_id: PaymentId,
    /// The invoice that it is for.
    pub invoice_id: InvoiceId,
    /// The id under which the second channel told of it.
    pub confirmed_by: PaymentId,
    /// The second channel.
    pub source: Source,
}

/// A record of a bank's file about a boleto.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankRecord {
    /// The invoice of the boleto.
    pub invoice_id: InvoiceId,
    /// Id of the record: equal in every file that tells of the same event; 1 to 64 characters.
    pub record_id: String,
    /// COMPE code, three digits.
    pub bank: String,
    /// The bank's movement code.
    pub movement: String,
    /// The bank's reason codes.
    pub reasons: Vec<String>,
    /// Day of the event as the bank has it.
    pub event_on: Option<NaiveDate>,
}

/// The bank said something of a boleto that changes neither money nor registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoletoNoticed {
    /// Where.
    pub record: BankRecord,
    /// What, by its stable name.
    pub notice: String,
}

/// The bank took a fee. It is the creditor's cost: the payer's books do not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFeeCharged {
    /// The invoice of the boleto.
    pub invoice_id: InvoiceId,
    /// Id of the record.
    pub record_id: String,
    /// Minor units, more than zero.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// When.
    pub charged_on: NaiveDate,
}

/// What an invoice can be paid with from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentsAssigned {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// All of them.
    pub instruments: Instruments,
}

/// A contact was allowed to go out, at balances known at this place of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderAuthorized {
    /// The contact.
    pub contact_id: ContactId,
    /// What it may say: never empty.
    pub items: Vec<AuthorizedItem>,
    /// The moment of asking.
    pub at: DateTime<Utc>,
}

/// A step occurrence that may be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizedItem {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Cycle of its track.
    pub cycle: u32,
    /// Step.
    pub step_id: StepId,
    /// Occurrence of a repeated step.
    pub occurrence: u32,
    /// Left to pay after credit, minor units, more than zero.
    pub net_minor: i64,
}
