//! What an account is asked to do.

use crate::account::{Attributes, Source};
use crate::agreement::{BreakAgreement, MakeAgreement};
use crate::charges::ChargeTerms;
use crate::event::BankRecord;
use crate::instrument::NewInstruments;
use crate::rating::RateCustomer;
use crate::view::RecordView;
use alloc::{collections::BTreeSet, string::String, vec::Vec};
use kernel::{ContactId, CreditNoteId, Currency, CustomerId, DateTime, InvoiceId, NaiveDate, PaymentId, Purpose, StepId, Utc, Zone};

/// A command on one payer's account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "issuing is the most frequent command: a box for each would cost more than the room")]
pub enum Command {
    /// Makes the payer known, or changes the attributes.
    RegisterCustomer(RegisterCustomer),
    /// Issues an invoice.
    IssueInvoice(IssueInvoice),
    /// Changes amount or due day.
    AmendInvoice(AmendInvoice),
    /// Takes an invoice back.
    CancelInvoice(CancelInvoice),
    /// Gives up a part of what is owed.
    IssueCreditNote(IssueCreditNote),
    /// Takes a credit note back.
    CancelCreditNote(CancelCreditNote),
    /// Owes debts anew, in instalments.
    MakeAgreement(MakeAgreement),
    /// Ends an agreement that is not kept.
    BreakAgreement(BreakAgreement),
    /// Records money received.
    RecordPayment(RecordPayment),
    /// Records money that the bank or the Pix network told of.
    RecordReceipt(RecordReceipt),
    /// Records that all of a payment went back.
    ReversePayment(ReversePayment),
    /// Records that a part of a payment went back.
    ReturnPayment(ReturnPayment),
    /// Records that a bank took back a payment that its file had told of.
    UndoBankPayment(UndoBankPayment),
    /// Records what a bank says of an invoice's boleto.
    RecordBankNotice(RecordBankNotice),
    /// Records that the payer opened an invoice.
    RecordView(RecordView),
    /// Rates the payer.
    RateCustomer(RateCustomer),
    /// Gives an invoice another boleto in place of one that was written off.
    RenewBoleto(RenewBoleto),
    /// Asks whether a reminder may go out now.
    AuthorizeReminder(AuthorizeReminder),
    /// Ends all use of personal data.
    EraseCustomer(EraseCustomer),
}

/// Makes the payer known. The same again adds nothing; other attributes amend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterCustomer {
    /// The payer.
    pub customer_id: CustomerId,
    /// Neutral attributes. Texts of 1 to 64 characters; the zone must be a known IANA name.
    pub attributes: Attributes,
    /// Slugs of the channels on which the payer agreed to be contacted (1 to 64 characters each).
    pub consents: BTreeSet<String>,
}

/// Issues an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueInvoice {
    /// New id, unique within the tenant.
    pub invoice_id: InvoiceId,
    /// Minor units, 1 to 2^53.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Day of issue.
    pub issued_on: NaiveDate,
    /// Due day, not before the day of issue.
    pub due_on: NaiveDate,
    /// Number of the fiscal document, 1 to 120 characters.
    pub document: Option<String>,
    /// Day on which a bank debits it by itself, not before the day of issue.
    pub automatic_debit_on: Option<NaiveDate>,
    /// What it shall be paid with; BRL only.
    pub instruments: Option<NewInstruments>,
    /// Charges and discounts; none where nothing was agreed.
    pub charges: Option<NewCharges>,
}

/// Charges and discounts of a new invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCharges {
    /// What is agreed. Terms that charge nothing and take nothing off are as none.
    pub terms: ChargeTerms,
    /// Whether the caller named them, or they are those of the collection account.
    pub named: bool,
}

/// Changes amount, due day or automatic debit. What equals the present value changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendInvoice {
    /// Which.
    pub invoice_id: InvoiceId,
    /// New amount in minor units, 1 to 2^53. What was paid past it becomes unapplied credit.
    pub amount_minor: Option<i64>,
    /// New due day, not before the day of issue.
    pub due_on: Option<NaiveDate>,
    /// New day of automatic debit, not before the day of issue; `Some(None)` takes it off automatic debit.
    pub automatic_debit_on: Option<Option<NaiveDate>>,
    /// Effective day of the change.
    pub today: NaiveDate,
}

/// Takes an invoice back. What was paid on it becomes unapplied credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelInvoice {
    /// Which.
    pub invoice_id: InvoiceId,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// Effective day of the cancellation.
    pub today: NaiveDate,
}

/// Gives up a part of what an invoice asks, as if it had never been asked: charges and discounts are those of the rest, and what was
/// paid past it becomes unapplied credit. Without an invoice the payer has it as unapplied credit at once. The same again adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueCreditNote {
    /// New id, unique within the tenant.
    pub credit_note_id: CreditNoteId,
    /// The invoice; `None` for the payer as a whole.
    pub invoice_id: Option<InvoiceId>,
    /// Minor units, 1 to what no credit note has taken off the invoice yet.
    pub amount_minor: i64,
    /// Must be the currency of the invoice.
    pub currency: Currency,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// From when it counts in the books.
    pub noted_on: NaiveDate,
}

/// Takes a credit note back. One that is cancelled already adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelCreditNote {
    /// Which.
    pub credit_note_id: CreditNoteId,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// Effective day.
    pub today: NaiveDate,
}

/// Records money received for an invoice. What exceeds the open amount becomes unapplied credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPayment {
    /// New id, unique within the tenant.
    pub payment_id: PaymentId,
    /// For which invoice.
    pub invoice_id: InvoiceId,
    /// Minor units, 1 to 2^53.
    pub amount_minor: i64,
    /// Must be the currency of the invoice.
    pub currency: Currency,
    /// Day of payment.
    pub paid_on: NaiveDate,
    /// How it was paid, 1 to 64 characters.
    pub method: String,
}

/// Records that a payment went back: its unapplied part leaves the credit, its applied part reopens the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversePayment {
    /// Which.
    pub payment_id: PaymentId,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// When it went back.
    pub reversed_on: NaiveDate,
}

/// Records money that another channel than a caller told of. Where two channels may tell of the same money, the second only
/// confirms the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReceipt {
    /// The payment.
    pub payment: RecordPayment,
    /// Who told of it.
    pub source: Source,
    /// What the bank took for it, in minor units, not negative.
    pub fee_minor: i64,
}

/// Records that a part of a payment went back: first its unapplied part, then what reduces the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPayment {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Id of this return, 1 to 64 characters; the same again adds nothing.
    pub return_id: String,
    /// Minor units, 1 to what has not gone back yet.
    pub amount_minor: i64,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// When.
    pub returned_on: NaiveDate,
}

/// Records that a bank took back a payment that its file had told of: the newest of that amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoBankPayment {
    /// Id of the record, 1 to 64 characters; the same again adds nothing.
    pub record_id: String,
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// Minor units as they were paid; 0 where the record does not say: the newest payment then.
    pub amount_minor: i64,
    /// Why, 1 to 200 characters.
    pub reason: String,
    /// When.
    pub undone_on: NaiveDate,
}

/// Records what a bank says of an invoice's boleto. It moves no money of the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordBankNotice {
    /// What was said, and where.
    pub record: BankRecord,
    /// What it means.
    pub notice: BankNotice,
    /// What the bank took for it, in minor units, not negative.
    pub fee_minor: i64,
    /// The day of a fee where the record has none.
    pub today: NaiveDate,
}

/// Gives an invoice another boleto, under a number of its own, in place of one that the bank has written off. Where nothing is owed, or the
/// boleto that it has was not written off, it adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewBoleto {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// Where it is paid, and the new number.
    pub instruments: NewInstruments,
}

/// What a record of a bank's file means for a boleto, other than money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankNotice {
    /// It takes payments now.
    Registered,
    /// It was not registered; the reasons are the record's.
    Rejected,
    /// It takes payments no more.
    WrittenOff,
    /// A fee, and nothing else.
    Fee,
    /// Anything else, by its stable name of 1 to 64 characters.
    Other(String),
}

/// Asks, immediately before a contact is handed to a provider, which of its items may still go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizeReminder {
    /// The contact.
    pub contact_id: ContactId,
    /// What it wants to say.
    pub items: Vec<AuthorizationItem>,
    /// The moment of asking.
    pub at: DateTime<Utc>,
    /// The creditor's civil day of it: charges and discounts are those of this day.
    pub day: NaiveDate,
    /// A residue of at most this much is not worth a reminder; minor units, not negative.
    pub tolerance_minor: i64,
    /// Zone in which the day of asking is read where the payer has none of their own.
    pub zone: Zone,
    /// Whether payments may be missing: the tenant's payment feed is older than its limit.
    pub feed_stale: bool,
}

/// One step occurrence that a contact wants to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationItem {
    /// The receivable.
    pub invoice_id: InvoiceId,
    /// Cycle of its track.
    pub cycle: u32,
    /// Step.
    pub step_id: StepId,
    /// Occurrence of a repeated step.
    pub occurrence: u32,
    /// The step's minimum net balance, in minor units, not negative.
    pub min_outstanding_minor: i64,
    /// Whether it would be said of an overdue debt: only that can be wrong where a payment is not known yet.
    pub overdue: bool,
    /// The contested part, in minor units, not negative: it is not asked for.
    pub disputed_minor: i64,
    /// Why the payer is told of it.
    pub purpose: Purpose,
}

/// Ends all use of personal data of the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseCustomer {
    /// The payer.
    pub customer_id: CustomerId,
}
