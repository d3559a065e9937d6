//! A tenant's collection accounts: where payers pay, and the running numbers of their boletos.
//!
//! Invariants:
//! - numbers are set aside in blocks that follow one another; none is ever set aside twice, an unused one is never used;
//! - once a number was set aside, the agreement stays as it is: the bank knows the titles by it;
//! - at most one account is the default.
//!
//! Who receives the money (name, document, address, Pix key) is no part of it: it is in no event.

mod layout;

pub use layout::{Agreement, AgreementFault};

use crate::ChargeTerms;
use alloc::{collections::BTreeMap, vec, vec::Vec};
use brazil::charges::ChargeFault;
use kernel::{CollectionAccountId, NaiveDate};

/// Most numbers in one block.
pub const MAX_BLOCK: u32 = 1024;

/// Charges are tried on this amount: R$ 1.000.000,00.
const SAMPLE_MINOR: i64 = 100_000_000;

/// All collection accounts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collection {
    /// By id.
    pub accounts: BTreeMap<CollectionAccountId, CollectionAccount>,
    /// Where receivables that name no account are paid.
    pub default: Option<CollectionAccountId>,
}

/// A collection account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CollectionAccount {
    /// The agreement for boletos.
    pub agreement: Option<Agreement>,
    /// Whether it has a Pix key.
    pub has_pix: bool,
    /// First number that nobody has set aside; 0 before the first block.
    pub next_number: u64,
    /// The block set aside last.
    pub block: Option<Block>,
    /// Charges and discounts of invoices that bring none of their own.
    pub charges: Option<ChargeTerms>,
}

impl CollectionAccount {
    /// First number that nobody has set aside; `None` without an agreement.
    pub fn next_number(&self) -> Option<u64> {
        self.agreement.as_ref().map(|agreement| self.next_number.max(agreement.first_number))
    }
}

/// Numbers that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first.
    pub first: u64,
    /// How many, at least 1.
    pub count: u32,
}

/// What is asked of a tenant's collection accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "commands on accounts are few and live for a moment")]
pub enum CollectionCommand {
    /// Makes an account known, or replaces what is known of it.
    Register(AccountTerms),
    /// Sets numbers aside: as many as asked, fewer at the end of the layout's numbers.
    ReserveNumbers {
        /// The account.
        account_id: CollectionAccountId,
        /// 1 to [`MAX_BLOCK`]; more counts as that.
        count: u32,
    },
}

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTerms {
    /// The account.
    pub account_id: CollectionAccountId,
    /// The agreement for boletos.
    pub agreement: Option<Agreement>,
    /// Whether it has a Pix key.
    pub has_pix: bool,
    /// Whether receivables that name no account are paid here.
    pub is_default: bool,
    /// Charges and discounts of invoices that bring none of their own.
    pub charges: Option<ChargeTerms>,
}

/// What happened to a tenant's collection accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectionEvent {
    /// An account became known.
    Registered(AccountTerms),
    /// An account changed.
    Amended(AccountTerms),
    /// Numbers were set aside.
    NumbersReserved {
        /// The account.
        account_id: CollectionAccountId,
        /// The numbers.
        block: Block,
    },
}

/// Why a command on collection accounts is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CollectionRejection {
    /// Neither an agreement nor a Pix key.
    #[error("the account has neither an agreement for boletos nor a Pix key")]
    NothingToPayWith,
    /// The agreement makes no boletos.
    #[error(transparent)]
    Agreement(#[from] AgreementFault),
    /// Numbers were set aside under the agreement as it is.
    #[error("boletos are numbered under the agreement as it is: register another account")]
    InUse,
    /// No such account.
    #[error("the collection account is unknown")]
    Unknown,
    /// No agreement for boletos.
    #[error("the account has no agreement for boletos")]
    NoAgreement,
    /// The layout has no number left.
    #[error("the agreement has no number left")]
    NumbersExhausted,
    /// The charges cannot be computed.
    #[error("charges: {0}")]
    Charges(ChargeFault),
}

impl CollectionRejection {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            CollectionRejection::NothingToPayWith => "nothing_to_pay_with",
            CollectionRejection::Agreement(fault) => fault.slug(),
            CollectionRejection::InUse => "account_in_use",
            CollectionRejection::Unknown => "unknown_collection_account",
            CollectionRejection::NoAgreement => "no_agreement",
            CollectionRejection::NumbersExhausted => "numbers_exhausted",
            CollectionRejection::Charges(fault) => fault.slug(),
        }
    }
}

/// What a command does: events, none where nothing is new, or the reason why not.
pub fn decide_collection(state: &Collection, command: &CollectionCommand) -> Result<Vec<CollectionEvent>, CollectionRejection> {
    match command {
        CollectionCommand::Register(terms) => register(state, terms),
        CollectionCommand::ReserveNumbers { account_id, count } => reserve(state, account_id, *count),
    }
}

fn register(state: &Collection, terms: &AccountTerms) -> Result<Vec<CollectionEvent>, CollectionRejection> {
    if terms.agreement.is_none() && !terms.has_pix {
        return Err(CollectionRejection::NothingToPayWith);
    }
    if let Some(agreement) = &terms.agreement {
        agreement.check()?;
    }
    if let Some(charges) = &terms.charges {
        charges.check(SAMPLE_MINOR, NaiveDate::default()).map_err(CollectionRejection::Charges)?;
    }
    let Some(account) = state.accounts.get(&terms.account_id) else { return Ok(vec![CollectionEvent::Registered(terms.clone())]) };
    if account.block.is_some() && account.agreement != terms.agreement {
        return Err(CollectionRejection::InUse);
    }
    let was_default = state.default.as_ref() == Some(&terms.account_id);
    let same = account.agreement == terms.agreement && account.has_pix == terms.has_pix && was_default == terms.is_default;
    let same = same && account.charges == terms.charges;
    Ok(if same { vec![] } else { vec![CollectionEvent::Amended(terms.clone())] })
}

fn reserve(state: &Collection, account_id: &CollectionAccountId, count: u32) -> Result<Vec<CollectionEvent>, CollectionRejection> {
    let account = state.accounts.get(account_id).ok_or(CollectionRejection::Unknown)?;
    let agreement = account.agreement.as_ref().ok_or(CollectionRejection::NoAgreement)?;
    let first = account.next_number.max(agreement.first_number);
    let left = (agreement.last_number() + 1).saturating_sub(first);
    let count = u32::try_from(left).unwrap_or(u32::MAX).min(count.clamp(1, MAX_BLOCK));
    if count == 0 {
        return Err(CollectionRejection::NumbersExhausted);
    }
    Ok(vec![CollectionEvent::NumbersReserved { account_id: account_id.clone(), block: Block { first, count } }])
}

/// The accounts after an event. Total.
pub fn evolve_collection(mut state: Collection, event: &CollectionEvent) -> Collection {
    match event {
        CollectionEvent::Registered(terms) | CollectionEvent::Amended(terms) => {
            let account = state.accounts.entry(terms.account_id.clone()).or_default();
            account.agreement = terms.agreement.clone();
            account.has_pix = terms.has_pix;
            account.charges = terms.charges.clone();
            if terms.is_default {
                state.default = Some(terms.account_id.clone());
            } else if state.default.as_ref() == Some(&terms.account_id) {
                state.default = None;
            }
        }
        CollectionEvent::NumbersReserved { account_id, block } => {
            let account = state.accounts.entry(account_id.clone()).or_default();
            account.next_number = block.first.saturating_add(u64::from(block.count));
            account.block = Some(*block);
        }
    }
    state
}
