//! What a payer owes: invoices, payments and unapplied credit, one aggregate per payer. Where payers pay: [`collection`].
//!
//! Pure: no IO, no clock, no randomness, no serialisation. `decide` turns a command into events or a [`Rejection`],
//! `evolve` folds events into an [`Account`], [`last_look()`] answers whether a reminder may still go out.
//!
//! Invariants (property tests in `tests/`):
//! - no invoice has less than nothing open, and no currency less than no credit;
//! - what is open minus unapplied credit = issued amounts and paid charges minus discounts and payments, cancelled and reversed ones left out;
//! - where charges were agreed, what is open and what is due are those of [`charges::statement_on`], whatever the order of recording;
//! - the postings of [`ledger`] fold to the same balances as the state;
//! - an agreement and its end change what is owed by the discount, interest and charges that their events say, and by nothing else;
//! - a command that is repeated word for word adds no event.
#![no_std]
#![warn(missing_docs)]
extern crate alloc;

pub mod account;
pub mod agreement;
pub mod bank_charges;
pub mod charges;
pub mod collection;
pub mod command;
pub mod coverage;
mod decide;
pub mod event;
mod evolve;
pub mod feed;
pub mod finding;
pub mod instrument;
pub mod last_look;
pub mod ledger;
pub mod legal_rates;
pub mod rating;
pub mod rejection;
pub mod remittance;
mod settlement;
pub mod unapplied;
pub mod view;

pub use account::{
    Account, Attributes, Authorization, BankStanding, CreditNote, Invoice, Payment, Phase, Return, Reversal, Source, Standing, Terms,
};
pub use agreement::{
    Agreement, AgreementBroken, AgreementMade, AgreementMoved, BreakAgreement, BreakCause, InstalmentOf, InvoiceRenegotiated,
    InvoiceReopened, MakeAgreement, Original, PartOf, Stage,
};
pub use bank_charges::{AtBank, BankCharges};
pub use charges::ChargeTerms;
pub use command::{
    AmendInvoice, AuthorizationItem, AuthorizeReminder, BankNotice, CancelCreditNote, CancelInvoice, Command, EraseCustomer,
    IssueCreditNote, IssueInvoice, NewCharges, RecordBankNotice, RecordPayment, RecordReceipt, RegisterCustomer, RenewBoleto,
    ReturnPayment, ReversePayment, UndoBankPayment,
};
pub use decide::decide;
pub use event::{
    AuthorizedItem, BankFeeCharged, BankRecord, BoletoNoticed, CreditNoteCancelled, CreditNoteIssued, CustomerAmended, CustomerErased,
    CustomerRegistered, Event, InstrumentsAssigned, InvoiceAmended, InvoiceCancelled, InvoiceIssued, PaymentConfirmed, PaymentReceived,
    PaymentReversed, Release, ReminderAuthorized,
};
pub use evolve::evolve;
pub use feed::{BankFileTaken, FeedCommand, FeedEvent, FeedRejection, PaymentFeed, PaymentFeedReported, ReportPaymentFeed, TakeBankFile};
pub use instrument::{Instruments, NewInstruments, Slip};
pub use last_look::{Answer, RefusalReason, Verdict, last_look, uncontested};
pub use rejection::{Kind, Rejection};
