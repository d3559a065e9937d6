//! State of one payer's account.

use crate::{
    agreement::{Agreement, InstalmentOf},
    charges::ChargeTerms,
    event::AuthorizedItem,
    instrument::Instruments,
    rating::Rating,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};
use kernel::{AgreementId, ContactId, CreditNoteId, Currency, DateTime, InvoiceId, NaiveDate, PaymentId, Utc};
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

/// One payer with all invoices, payments and unapplied credit. What grows with every invoice is kept in maps that share what they have in
/// common: each decision makes a new state beside the one before, and that must not cost more for a payer of ten thousand invoices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Whether the payer is known.
    pub standing: Standing,
    /// Neutral attributes; nothing personal.
    pub attributes: Attributes,
    /// Slugs of the channels on which the payer agreed to be contacted.
    pub consents: BTreeSet<String>,
    /// The rating that holds; `None` where nobody rated the payer, or its data was erased.
    pub rating: Option<Rating>,
    /// Every invoice ever issued to the payer.
    pub invoices: RedBlackTreeMapSync<InvoiceId, Invoice>,
    /// Every payment ever recorded.
    pub payments: RedBlackTreeMapSync<PaymentId, Payment>,
    /// Every credit note ever issued, cancelled ones too.
    pub credit_notes: BTreeMap<CreditNoteId, CreditNote>,
    /// Every agreement ever made, broken ones too.
    pub agreements: BTreeMap<AgreementId, Agreement>,
    /// Unapplied credit in minor units, never negative; a currency without credit is absent.
    pub credit: BTreeMap<Currency, i64>,
    /// What was authorised lately, by contact; kept for two days, so that asking again adds nothing.
    pub authorizations: BTreeMap<ContactId, Authorization>,
    /// Bank records that were taken in, so that the same record in another file adds nothing.
    pub bank_records: RedBlackTreeSetSync<String>,
}

impl Account {
    /// Unapplied credit of a currency, in minor units.
    pub fn credit_minor(&self, currency: Currency) -> i64 {
        self.credit.get(&currency).copied().unwrap_or(0)
    }

    /// What is open on an invoice before any credit, in minor units; 0 where there is no such invoice.
    pub fn open_minor(&self, invoice_id: &InvoiceId) -> i64 {
        self.invoices.get(invoice_id).map_or(0, |invoice| invoice.open_minor)
    }
}

/// Whether a payer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Never registered.
    #[default]
    Unknown,
    /// Registered.
    Active,
    /// Personal data deleted: what is owed stays in the ledger, nothing new is issued, nobody is contacted.
    Erased,
}

/// Neutral attributes of a payer: they may travel in events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The creditor's own grouping.
    pub segment: Option<String>,
    /// Language of what the payer reads (BCP 47).
    pub language: String,
    /// IANA name of the payer's time zone.
    pub zone: Option<String>,
    /// State (UF) of the payer's address.
    pub state: Option<String>,
    /// Municipality (code of IBGE) of the payer's address.
    pub municipality: Option<String>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { segment: None, language: "pt-BR".to_string(), zone: None, state: None, municipality: None }
    }
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// As it was first issued; a repeated issue is compared with this, also after an amendment.
    pub issued: Terms,
    /// Amount as it stands, in minor units.
    pub amount_minor: i64,
    /// Currency, for good.
    pub currency: Currency,
    /// Day of issue.
    pub issued_on: NaiveDate,
    /// Due day as it stands.
    pub due_on: NaiveDate,
    /// What credit notes took off it in all, in minor units: from 0 to `amount_minor`.
    pub credited_minor: i64,
    /// What is left of the principal, in minor units: from 0 to `amount_minor`; 0 once cancelled. Charges are never in it. Once
    /// renegotiated it is what went back of earlier payments since: the agreement does not cover it.
    pub open_minor: i64,
    /// Day of its automatic debit, as it stands.
    pub automatic_debit_on: Option<NaiveDate>,
    /// Where it stands.
    pub phase: Phase,
    /// Payments recorded for it, in the order of recording, reversed ones too.
    pub payments: Vec<PaymentId>,
    /// What it can be paid with.
    pub instruments: Option<Instruments>,
    /// Charges and discounts that were agreed.
    pub charges: Option<ChargeTerms>,
    /// What the bank said last of its boleto.
    pub bank_standing: BankStanding,
    /// Its boleto was written off while nothing was owed: should it be owed again, it needs another one.
    pub boleto_spent: bool,
    /// The agreement whose instalment it is.
    pub instalment: Option<InstalmentOf>,
    /// The agreement by which it is owed in instalments, as long as that holds.
    pub renegotiated_by: Option<AgreementId>,
    /// When the payer opened it last; `None` where nobody said that it was opened.
    pub viewed_at: Option<DateTime<Utc>>,
}

impl Invoice {
    /// Whether anything of it may be asked for, boletos and reminders alike.
    pub fn is_owed(&self) -> bool {
        match self.phase {
            Phase::Open => true,
            Phase::Renegotiated => self.open_minor > 0,
            Phase::Settled | Phase::Cancelled => false,
        }
    }
}

/// Where a boleto stands at its bank, as far as the bank has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BankStanding {
    /// The bank has said nothing, or nothing of the boleto that it has now.
    #[default]
    Unsaid,
    /// It takes payments.
    Registered,
    /// It was not registered.
    Rejected,
    /// It takes payments no more.
    WrittenOff,
}

/// What an invoice said when it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Minor units.
    pub amount_minor: i64,
    /// Due day.
    pub due_on: NaiveDate,
    /// Number of the fiscal document, if any.
    pub document: Option<String>,
    /// Day of its automatic debit, if any.
    pub automatic_debit_on: Option<NaiveDate>,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Something is left to pay.
    Open,
    /// Nothing is left to pay.
    Settled,
    /// No longer owed.
    Cancelled,
    /// Owed by the instalments of an agreement in its place.
    Renegotiated,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The invoice that it names.
    pub invoice_id: InvoiceId,
    /// What was paid, in minor units.
    pub amount_minor: i64,
    /// Currency, that of its invoice.
    pub currency: Currency,
    /// The money that pays its invoice, charges included; the rest is unapplied credit. 0 once reversed.
    pub applied_minor: i64,
    /// Day of payment.
    pub paid_on: NaiveDate,
    /// How it was paid, as told.
    pub method: String,
    /// Who told of it.
    pub source: Source,
    /// The id under which a second channel told of the same money.
    pub confirmed_by: Option<PaymentId>,
    /// Parts that went back, by the id of each return.
    pub returns: BTreeMap<String, Return>,
    /// What went back in all, minor units.
    pub returned_minor: i64,
    /// Set once all of the money went back.
    pub reversed: Option<Reversal>,
    /// The payment of which this is a part, put on a debt whose agreement was broken.
    pub part_of: Option<PaymentId>,
    /// What other entries have of it as its parts, minor units.
    pub parts_minor: i64,
}

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// The invoice that it lowers; `None` for one that is the payer's own.
    pub invoice_id: Option<InvoiceId>,
    /// Minor units.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Why, as told.
    pub reason: String,
    /// From when it counts in the books.
    pub noted_on: NaiveDate,
    /// Until when it counted, once it was taken back.
    pub cancelled_on: Option<NaiveDate>,
}

impl CreditNote {
    /// Whether it counts on a day.
    pub fn counts_on(&self, day: NaiveDate) -> bool {
        self.noted_on <= day && self.cancelled_on.is_none_or(|cancelled_on| day < cancelled_on)
    }
}

/// A part of a payment that went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Minor units.
    pub amount_minor: i64,
    /// The money of it that had paid the invoice, in minor units.
    pub applied_minor: i64,
    /// When.
    pub returned_on: NaiveDate,
}

/// Who told of a payment. Two channels may tell of the same money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// A caller.
    #[default]
    Caller,
    /// The Pix network.
    Pix,
    /// A bank's return file.
    BankFile,
    /// A bank's return file, of money that the Pix network may tell of too (Itaú's occurrence 10).
    BankFileOrPix,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 4] = [Source::Caller, Source::Pix, Source::BankFile, Source::BankFileOrPix];

    /// Stable name; empty for a caller.
    pub fn slug(self) -> &'static str {
        match self {
            Source::Caller => "",
            Source::Pix => "pix",
            Source::BankFile => "bank_file",
            Source::BankFileOrPix => "bank_file_or_pix",
        }
    }

    /// By its name.
    pub fn named(slug: &str) -> Option<Self> {
        Source::ALL.into_iter().find(|source| source.slug() == slug)
    }

    /// Whether a bank's file told of it.
    pub fn is_bank_file(self) -> bool {
        match self {
            Source::BankFile | Source::BankFileOrPix => true,
            Source::Caller | Source::Pix => false,
        }
    }

    /// Whether the same money may come once by each of two channels.
    pub fn may_repeat(self, other: Source) -> bool {
        matches!((self, other), (Source::Pix, Source::BankFileOrPix) | (Source::BankFileOrPix, Source::Pix))
    }
}

impl Payment {
    /// The part that is unapplied credit, in minor units; 0 once reversed.
    pub fn unapplied_minor(&self) -> i64 {
        self.amount_minor.saturating_sub(self.returned_minor).saturating_sub(self.applied_minor).saturating_sub(self.parts_minor)
    }
}

/// A payment that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Why, as told.
    pub reason: String,
    /// When.
    pub reversed_on: NaiveDate,
    /// The money that had paid the invoice until then, parts that went back one by one left out, in minor units.
    pub applied_minor: i64,
}

/// What a contact was authorised for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// When.
    pub at: DateTime<Utc>,
    /// For which items, at which net balances.
    pub items: Vec<AuthorizedItem>,
}
