//! The books: dated entries that fold to balances. Principal + charges − credits − payments = balance, at every instant.

use crate::agreement::InvoiceRenegotiated;
use crate::event::{Event, PaymentReceived, PaymentReversed, Release, released_minor};
use alloc::{vec, vec::Vec};
use kernel::{Currency, DateTime, InvoiceId, NaiveDate, PaymentId, Utc};

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// What was invoiced.
    Principal,
    /// Fine and interest.
    Charges,
    /// Credit notes.
    Credits,
    /// Money applied.
    Payments,
}

/// A dated entry. A correction is a further entry of the opposite sign, never a change of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub column: Column,
    /// Minor units; negative takes back.
    pub amount_minor: i64,
    /// The civil day from which it counts.
    pub effective_on: NaiveDate,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
}

/// Sums of entries, in minor units, wide enough for any number of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Invoiced.
    pub principal_minor: i128,
    /// Fine and interest.
    pub charges_minor: i128,
    /// Credit notes.
    pub credits_minor: i128,
    /// Money applied.
    pub payments_minor: i128,
}

impl Sums {
    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) {
        let column = match entry.column {
            Column::Principal => &mut self.principal_minor,
            Column::Charges => &mut self.charges_minor,
            Column::Credits => &mut self.credits_minor,
            Column::Payments => &mut self.payments_minor,
        };
        *column += i128::from(entry.amount_minor);
    }

    /// Principal + charges − credits − payments.
    pub fn balance_minor(&self) -> i128 {
        self.principal_minor + self.charges_minor - self.credits_minor - self.payments_minor
    }
}

/// Sums of the entries that count on a day (its end included), as known now or, with `known_at`, as known at that instant.
pub fn sums_on(entries: &[Entry], day: NaiveDate, known_at: Option<DateTime<Utc>>) -> Sums {
    let mut sums = Sums::default();
    let counts = |entry: &&Entry| entry.effective_on <= day && known_at.is_none_or(|at| entry.recorded_at <= at);
    entries.iter().filter(counts).for_each(|entry| sums.add(entry));
    sums
}

/// Where an event is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Book {
    /// On a receivable.
    Invoice(InvoiceId),
    /// On the payer's unapplied credit.
    Unapplied(Currency),
}

/// An event's entry in one book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub book: Book,
    /// The payment that moved, if it was one.
    pub payment_id: Option<PaymentId>,
    /// What.
    pub entry: Entry,
}

/// The postings of an event. A posting on unapplied credit counts the credit as positive, in the payments column.
pub fn postings(event: &Event, recorded_at: DateTime<Utc>) -> Vec<Posting> {
    let mut postings = with_zeros(event, recorded_at);
    postings.retain(|posting| posting.entry.amount_minor != 0);
    postings
}

fn with_zeros(event: &Event, recorded_at: DateTime<Utc>) -> Vec<Posting> {
    let Some(effective_on) = event.effective_on() else { return vec![] };
    let entry = |column, amount_minor| Entry { column, amount_minor, effective_on, recorded_at };
    let on = |invoice_id: &InvoiceId| Book::Invoice(invoice_id.clone());
    let post = |book, id: Option<&PaymentId>, column, amount| Posting { book, payment_id: id.cloned(), entry: entry(column, amount) };
    match event {
        Event::InvoiceIssued(event) => vec![post(on(&event.invoice_id), None, Column::Principal, event.amount_minor)],
        Event::InvoiceAmended(event) => vec![
            post(on(&event.invoice_id), None, Column::Principal, event.amount_minor.saturating_sub(event.previous_amount_minor)),
            post(on(&event.invoice_id), None, Column::Payments, released_minor(&event.released).saturating_neg()),
            post(on(&event.invoice_id), None, Column::Charges, event.charges_minor),
            post(on(&event.invoice_id), None, Column::Credits, event.discount_minor),
            post(Book::Unapplied(event.currency), None, Column::Payments, released_minor(&event.released)),
        ],
        Event::InvoiceCancelled(event) => vec![
            post(on(&event.invoice_id), None, Column::Principal, event.amount_minor.saturating_neg()),
            post(on(&event.invoice_id), None, Column::Payments, released_minor(&event.released).saturating_neg()),
            post(on(&event.invoice_id), None, Column::Charges, event.charges_minor.saturating_neg()),
            post(on(&event.invoice_id), None, Column::Credits, event.discount_minor.saturating_add(event.credited_minor).saturating_neg()),
            post(Book::Unapplied(event.currency), None, Column::Payments, released_minor(&event.released)),
        ],
        Event::InvoiceRenegotiated(InvoiceRenegotiated { original: o, currency, .. }) => {
            agreement((&o.invoice_id, *currency), o.moved_minor().saturating_neg(), (o.charges_minor, o.discount_minor), &[], &entry)
        }
        Event::InvoiceReopened(e) => {
            agreement((&e.invoice_id, e.currency), e.moved_minor, (e.charges_minor, e.discount_minor), &e.released, &entry)
        }
        Event::CreditNoteIssued(e) => {
            credit_note((e.invoice_id.as_ref(), e.currency), e.amount_minor, (e.charges_minor, e.discount_minor), &e.released, &entry)
        }
        Event::CreditNoteCancelled(e) => {
            credit_note((e.invoice_id.as_ref(), e.currency), -e.amount_minor, (e.charges_minor, e.discount_minor), &e.released, &entry)
        }
        Event::PaymentReceived(event) => vec![
            post(on(&event.invoice_id), Some(&event.payment_id), Column::Payments, money_in(event)),
            post(on(&event.invoice_id), None, Column::Payments, released_minor(&event.released).saturating_neg()),
            post(on(&event.invoice_id), None, Column::Charges, event.charges_minor),
            post(on(&event.invoice_id), None, Column::Credits, event.discount_minor),
            post(Book::Unapplied(event.currency), Some(&event.payment_id), Column::Payments, event.credit_minor()),
            post(Book::Unapplied(event.currency), None, Column::Payments, released_minor(&event.released)),
        ],
        Event::PaymentReversed(event) => vec![
            post(on(&event.invoice_id), Some(&event.payment_id), Column::Payments, money_back(event).saturating_neg()),
            post(on(&event.invoice_id), None, Column::Charges, event.charges_minor.saturating_neg()),
            post(on(&event.invoice_id), None, Column::Credits, event.discount_minor.saturating_neg()),
            post(Book::Unapplied(event.currency), Some(&event.payment_id), Column::Payments, event.unapplied_minor.saturating_neg()),
        ],
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
        | Event::ReminderAuthorized(_) => vec![],
    }
}

/// Postings of a debt that moves into instalments, its principal less by it, or back.
fn agreement(
    (invoice_id, currency): (&InvoiceId, Currency),
    moved_minor: i64,
    (charges_minor, discount_minor): (i64, i64),
    released: &[Release],
    entry: &impl Fn(Column, i64) -> Entry,
) -> Vec<Posting> {
    let post = |book, column, amount_minor| Posting { book, payment_id: None, entry: entry(column, amount_minor) };
    let (on, released_minor) = (|| Book::Invoice(invoice_id.clone()), released_minor(released));
    vec![
        post(on(), Column::Principal, moved_minor),
        post(on(), Column::Charges, charges_minor),
        post(on(), Column::Credits, discount_minor),
        post(on(), Column::Payments, released_minor.saturating_neg()),
        post(Book::Unapplied(currency), Column::Payments, released_minor),
    ]
}

/// Postings of a credit note; one that is taken back has a negative amount. Without an invoice it is the payer's own credit.
fn credit_note(
    (invoice_id, currency): (Option<&InvoiceId>, Currency),
    amount_minor: i64,
    (charges_minor, discount_minor): (i64, i64),
    released: &[Release],
    entry: &impl Fn(Column, i64) -> Entry,
) -> Vec<Posting> {
    let post = |book, column, amount_minor| Posting { book, payment_id: None, entry: entry(column, amount_minor) };
    let Some(invoice_id) = invoice_id else {
        return vec![post(Book::Unapplied(currency), Column::Payments, amount_minor)];
    };
    let (on, released_minor) = (|| Book::Invoice(invoice_id.clone()), released_minor(released));
    vec![
        post(on(), Column::Credits, amount_minor.saturating_add(discount_minor)),
        post(on(), Column::Payments, released_minor.saturating_neg()),
        post(on(), Column::Charges, charges_minor),
        post(Book::Unapplied(currency), Column::Payments, released_minor),
    ]
}

/// What of a payment went to its invoice.
fn money_in(event: &PaymentReceived) -> i64 {
    event.amount_minor.saturating_sub(event.unapplied_minor)
}

/// The money that a reversal takes off its invoice.
fn money_back(event: &PaymentReversed) -> i64 {
    event.applied_minor.saturating_add(event.charges_minor).saturating_sub(event.discount_minor)
}
