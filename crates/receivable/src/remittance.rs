//! What was ordered of a bank: one aggregate per collection account.
//!
//! Invariants:
//! - files are numbered from 1 without gaps; a file without orders is not written;
//! - a title is registered once, unless the bank rejected it and it changed since; a change is ordered once; a title that is no longer
//!   to be paid is written off once, and then nothing more is ordered of it; under another number it is another title;
//! - fine, interest and discounts are ordered with the title, and again where they, or the days from which they count, change.

use crate::bank_charges::BankCharges;
use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use brazil::cnab::remittance::InterestOrder;
use kernel::{CustomerId, DateTime, InvoiceId, NaiveDate, Utc};

/// Most orders of one file: its event stays small enough for every bus.
pub const MAX_ORDERS: usize = 5_000;
/// The last number that six digits hold.
const LAST_SEQUENCE: u32 = 999_999;

/// What was ordered so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remittances {
    /// Number of the last file; 0 before the first.
    pub sequence: u32,
    /// Titles as they were ordered last.
    pub ordered: BTreeMap<InvoiceId, Ordered>,
}

/// A title as the bank was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Due day.
    pub due_on: NaiveDate,
    /// Minor units.
    pub amount_minor: i64,
    /// Charges and discounts.
    pub charges: BankCharges,
    /// Whether its write-off was ordered.
    pub written_off: bool,
    /// The bank's number of it; empty where it was ordered before numbers were kept.
    pub nosso_numero: String,
}

/// A title as it should be at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// Its payer.
    pub customer_id: CustomerId,
    /// Due day.
    pub due_on: NaiveDate,
    /// Minor units of the title.
    pub amount_minor: i64,
    /// Charges and discounts that the bank is to add and take off.
    pub charges: BankCharges,
    /// The bank's number of it, with its check digit.
    pub nosso_numero: String,
    /// What it should be.
    pub want: Want,
}

/// What a title should be at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Registered: it takes payments.
    Registered,
    /// Registered, and the bank has rejected it.
    RegisteredAgain,
    /// Written off: it is cancelled, or was paid elsewhere.
    WrittenOff,
    /// As it is: the bank has settled it or closed it.
    AsItIs,
}

/// What is asked of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    /// Register.
    Enter,
    /// Another due day.
    ChangeDue,
    /// Another amount.
    ChangeAmount,
    /// Other interest, or from another day.
    ChangeInterest,
    /// No interest any more.
    WaiveInterest,
    /// Another fine, or from another day.
    ChangeFine,
    /// No fine any more.
    WaiveFine,
    /// Another abatement.
    GrantAbatement,
    /// No abatement any more.
    CancelAbatement,
    /// Other discounts, or until other days.
    GrantDiscounts,
    /// No discount any more.
    CancelDiscounts,
    /// Write off.
    WriteOff,
}

impl Instruction {
    /// All of them.
    pub const ALL: [Instruction; 12] = [
        Instruction::Enter,
        Instruction::ChangeDue,
        Instruction::ChangeAmount,
        Instruction::ChangeInterest,
        Instruction::WaiveInterest,
        Instruction::ChangeFine,
        Instruction::WaiveFine,
        Instruction::GrantAbatement,
        Instruction::CancelAbatement,
        Instruction::GrantDiscounts,
        Instruction::CancelDiscounts,
        Instruction::WriteOff,
    ];

    /// Movement code of the remittance (FEBRABAN C004).
    pub fn code(self) -> &'static str {
        match self {
            Instruction::Enter => "01",
            Instruction::WriteOff => "02",
            Instruction::ChangeDue => "06",
            Instruction::GrantAbatement => "04",
            Instruction::CancelAbatement => "05",
            Instruction::GrantDiscounts => "07",
            Instruction::CancelDiscounts => "08",
            Instruction::ChangeInterest => "12",
            Instruction::WaiveInterest => "13",
            Instruction::ChangeFine => "14",
            Instruction::WaiveFine => "15",
            Instruction::ChangeAmount => "47",
        }
    }

    /// By its movement code.
    pub fn of(code: &str) -> Option<Self> {
        Instruction::ALL.into_iter().find(|instruction| instruction.code() == code)
    }
}

/// One order of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What is asked.
    pub instruction: Instruction,
    /// Of which invoice's title.
    pub invoice_id: InvoiceId,
    /// Its payer.
    pub customer_id: CustomerId,
    /// Due day as it is told.
    pub due_on: NaiveDate,
    /// Minor units as they are told.
    pub amount_minor: i64,
    /// Charges and discounts as they are told.
    pub charges: BankCharges,
    /// The bank's number of the title, with its check digit; empty in files of before numbers were kept.
    pub nosso_numero: String,
}

/// A file was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemittanceWritten {
    /// Its number.
    pub sequence: u32,
    /// When.
    pub written_at: DateTime<Utc>,
    /// What it asks; never empty.
    pub orders: Vec<Order>,
}

/// Writes the next file of what is needed of these titles, at most [`MAX_ORDERS`] orders; none where nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRemittance {
    /// The titles, in the order in which they are to stand in the file.
    pub candidates: Vec<Candidate>,
    /// The creditor's civil day: a discount that is over by then is neither told nor missed.
    pub today: NaiveDate,
    /// When.
    pub now: DateTime<Utc>,
}

/// Why no file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemittanceRejection {
    /// Six digits hold no further number.
    #[error("the account has no file number left")]
    SequenceExhausted,
}

/// What is to be asked of the bank on a day for a title, in order; nothing where the bank was told all of it.
pub fn needed(state: &Remittances, candidate: &Candidate, today: NaiveDate) -> Vec<Instruction> {
    let same = |told: &&Ordered| told.nosso_numero.is_empty() || told.nosso_numero == candidate.nosso_numero;
    let Some(told) = state.ordered.get(&candidate.invoice_id).filter(same) else {
        return match candidate.want {
            Want::Registered | Want::RegisteredAgain => vec![Instruction::Enter],
            Want::WrittenOff | Want::AsItIs => vec![],
        };
    };
    if told.written_off {
        return vec![];
    }
    let changed = changes(told, candidate, today);
    match candidate.want {
        Want::Registered => changed,
        Want::RegisteredAgain if !changed.is_empty() => vec![Instruction::Enter],
        Want::WrittenOff => vec![Instruction::WriteOff],
        Want::RegisteredAgain | Want::AsItIs => vec![],
    }
}

/// The due day first: the days of charges and discounts must fit it.
fn changes(told: &Ordered, candidate: &Candidate, today: NaiveDate) -> Vec<Instruction> {
    let (before, after) = (told.charges.from_day(today), candidate.charges.from_day(today));
    let due = (told.due_on != candidate.due_on).then_some(Instruction::ChangeDue);
    let amount = (told.amount_minor != candidate.amount_minor).then_some(Instruction::ChangeAmount);
    let interest = (before.interest != after.interest).then_some(match after.interest {
        InterestOrder::Exempt => Instruction::WaiveInterest,
        InterestOrder::CentsPerDay(..) | InterestOrder::PercentPerMonth(..) => Instruction::ChangeInterest,
    });
    let fine = (before.fine != after.fine).then_some(match after.fine {
        None => Instruction::WaiveFine,
        Some(_) => Instruction::ChangeFine,
    });
    let discounts = (before.discounts != after.discounts).then_some(match after.discounts.as_slice() {
        [] => Instruction::CancelDiscounts,
        [..] => Instruction::GrantDiscounts,
    });
    let abatement = (before.abatement_minor != after.abatement_minor).then_some(match after.abatement_minor {
        0 => Instruction::CancelAbatement,
        _ => Instruction::GrantAbatement,
    });
    [due, amount, abatement, interest, fine, discounts].into_iter().flatten().collect()
}

/// The file that a command writes; none where nothing is needed. Errors: [`RemittanceRejection`].
pub fn decide_remittance(state: &Remittances, command: &WriteRemittance) -> Result<Vec<RemittanceWritten>, RemittanceRejection> {
    let mut orders = Vec::new();
    for candidate in &command.candidates {
        let asked = needed(state, candidate, command.today);
        if orders.len() + asked.len() > MAX_ORDERS {
            break;
        }
        orders.extend(asked.into_iter().map(|instruction| candidate.order(instruction, command.today)));
    }
    if orders.is_empty() {
        return Ok(vec![]);
    }
    if state.sequence >= LAST_SEQUENCE {
        return Err(RemittanceRejection::SequenceExhausted);
    }
    Ok(vec![RemittanceWritten { sequence: state.sequence + 1, written_at: command.now, orders }])
}

impl Candidate {
    /// An order of it on a day.
    pub fn order(&self, instruction: Instruction, today: NaiveDate) -> Order {
        Order {
            instruction,
            invoice_id: self.invoice_id.clone(),
            customer_id: self.customer_id.clone(),
            due_on: self.due_on,
            amount_minor: self.amount_minor,
            charges: self.charges.from_day(today),
            nosso_numero: self.nosso_numero.clone(),
        }
    }
}

/// What was ordered after a file. Total.
pub fn evolve_remittance(mut state: Remittances, event: &RemittanceWritten) -> Remittances {
    state.sequence = event.sequence;
    for order in &event.orders {
        let written_off = order.instruction == Instruction::WriteOff;
        let ordered = Ordered {
            due_on: order.due_on,
            amount_minor: order.amount_minor,
            charges: order.charges.clone(),
            written_off,
            nosso_numero: order.nosso_numero.clone(),
        };
        state.ordered.insert(order.invoice_id.clone(), ordered);
    }
    state
}
