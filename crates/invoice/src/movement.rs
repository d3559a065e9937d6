//! What an event moves: at most one dated entry, on one receivable and on the payer's unapplied credit.

use chrono::NaiveDate;
use kernel::{Currency, InvoiceId};
use receivable::{Event, event::released_minor};

/// A dated entry. The sum of all entries of a receivable until a day is what it owed at the end of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement<'a> {
    /// The receivable; `None` where only the payer's credit moves.
    pub invoice_id: Option<&'a InvoiceId>,
    /// The civil day from which it counts.
    pub effective_on: NaiveDate,
    /// Currency of both amounts.
    pub currency: Currency,
    /// `issued`, `amended`, `cancelled`, `credit_note`, `credit_note_cancelled`, `payment`, `reversal`, `renegotiated`, `reopened`.
    pub kind: &'static str,
    /// What the receivable owes more (less where negative), minor units.
    pub amount_minor: i64,
    /// What the payer has more as unapplied credit (less where negative), minor units.
    pub credit_minor: i64,
}

/// The entry of an event; `None` where no money moves.
pub fn movement(event: &Event) -> Option<Movement<'_>> {
    let at =
        |invoice_id, effective_on, currency| Movement { invoice_id, effective_on, currency, kind: "", amount_minor: 0, credit_minor: 0 };
    let entry = match event {
        Event::InvoiceIssued(e) => {
            Movement { kind: "issued", amount_minor: e.amount_minor, ..at(Some(&e.invoice_id), e.issued_on, e.currency) }
        }
        Event::InvoiceAmended(e) => {
            let credit_minor = released_minor(&e.released);
            let amount_minor = e.amount_minor - e.previous_amount_minor + credit_minor + e.charges_minor - e.discount_minor;
            Movement { kind: "amended", amount_minor, credit_minor, ..at(Some(&e.invoice_id), e.amended_on, e.currency) }
        }
        Event::InvoiceCancelled(e) => {
            let (amount_minor, credit_minor) = (-e.previous_outstanding_minor, released_minor(&e.released));
            Movement { kind: "cancelled", amount_minor, credit_minor, ..at(Some(&e.invoice_id), e.cancelled_on, e.currency) }
        }
        Event::InvoiceRenegotiated(e) => {
            let at = at(Some(&e.original.invoice_id), e.renegotiated_on, e.currency);
            Movement { kind: "renegotiated", amount_minor: -e.original.principal_minor, ..at }
        }
        Event::InvoiceReopened(e) => {
            let (amount_minor, credit_minor) = (e.grown_minor(), released_minor(&e.released));
            Movement { kind: "reopened", amount_minor, credit_minor, ..at(Some(&e.invoice_id), e.reopened_on, e.currency) }
        }
        Event::CreditNoteIssued(e) => {
            let own_minor = if e.invoice_id.is_none() { e.amount_minor } else { 0 };
            let (amount_minor, credit_minor) = (-e.applied_minor, own_minor + released_minor(&e.released));
            Movement { kind: "credit_note", amount_minor, credit_minor, ..at(e.invoice_id.as_ref(), e.noted_on, e.currency) }
        }
        Event::CreditNoteCancelled(e) => {
            let own_minor = if e.invoice_id.is_none() { e.amount_minor } else { 0 };
            let (amount_minor, credit_minor) = (e.applied_minor, released_minor(&e.released) - own_minor);
            let at = at(e.invoice_id.as_ref(), e.cancelled_on, e.currency);
            Movement { kind: "credit_note_cancelled", amount_minor, credit_minor, ..at }
        }
        Event::PaymentReceived(e) => {
            let (amount_minor, credit_minor) = (-e.applied_minor, e.credit_minor() + released_minor(&e.released));
            let counts_on = e.part_of.as_ref().map_or(e.paid_on, |part| part.moved_on);
            Movement { kind: "payment", amount_minor, credit_minor, ..at(Some(&e.invoice_id), counts_on, e.currency) }
        }
        Event::PaymentReversed(e) => {
            let (amount_minor, credit_minor) = (e.applied_minor, -e.unapplied_minor);
            Movement { kind: "reversal", amount_minor, credit_minor, ..at(Some(&e.invoice_id), e.reversed_on, e.currency) }
        }
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
        | Event::ReminderAuthorized(_) => return None,
    };
    Some(entry)
}
