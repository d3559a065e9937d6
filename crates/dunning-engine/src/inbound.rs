//! Facts of other contexts → own commands.
//!
//! `recorded_at` of a fact is that of its envelope: when its owner's log took it. A fact about an invoice that was never seen is refused by
//! the aggregate, and its stream parked: in order it cannot happen.

use crate::aggregate::{Addressed, Entry, Order, stream};
use crate::wire::{DecodeFault, currency, day, id, message, optional_id};
use brazil::{Municipality, State};
use chrono::DateTime;
use contracts::{invoice::v1 as invoice, notification::v1 as notification};
use eventlog::bus::Message;
use eventlog::consumer::{Inbound, InboundCommand, Poison};
use kernel::{AgreementId, ContactId, CustomerId, InvoiceId, StepId, Zone};
use ladder::{
    Command, Reason,
    ladder::{ItemOutcome, Outcome},
    policy::Channel,
};

/// The topic of invoices and payments.
pub const INVOICE_TOPIC: &str = "regua.invoice.v1";
/// The topic of contacts.
pub const NOTIFICATION_TOPIC: &str = "regua.notification.v1";

const KNOWN: [(&str, &[&str]); 2] = [
    (
        INVOICE_TOPIC,
        &[
            "CustomerRegistered",
            "CustomerAmended",
            "CustomerErased",
            "CustomerRated",
            "InvoiceViewed",
            "InvoiceIssued",
            "InvoiceAmended",
            "InvoiceCancelled",
            "CreditNoteIssued",
            "CreditNoteCancelled",
            "InvoiceRenegotiated",
            "InvoiceReopened",
            "PaymentReceived",
            "PaymentReversed",
            // What an agreement is as a whole its owner knows; what it does to each debt and instalment comes with those.
            "AgreementMade",
            "AgreementBroken",
            "AgreementCompleted",
            "AgreementResumed",
            // What an invoice is paid with is of no interest here.
            "InstrumentsAssigned",
            // What banks say beside money, and money that is nobody's yet, are of no interest here.
            "PaymentConfirmed",
            "BoletoRegistered",
            "BoletoRejected",
            "BoletoWrittenOff",
            "BoletoNoticed",
            "BankFeeCharged",
            "UnappliedPaymentReceived",
            "UnappliedPaymentAssigned",
            "UnappliedPaymentApplied",
            "UnappliedPaymentReleased",
            "UnappliedPaymentDismissed",
            "UnappliedPaymentReturned",
        ],
    ),
    // Consents and tries are the gate's business: known, and of no interest here.
    (NOTIFICATION_TOPIC, &["ReminderConcluded", "AttemptEnded", "ReceiptNoted", "OptedOut", "OptedIn"]),
];

/// What the engine makes of others' facts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts;

type Understood = Result<Vec<(String, Order)>, DecodeFault>;

impl Inbound<Addressed> for Facts {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Addressed>>, Poison> {
        let understood = match message.topic.as_str() {
            INVOICE_TOPIC => of_invoice(message),
            NOTIFICATION_TOPIC => of_notification(message),
            _ => Ok(Vec::new()),
        };
        let poison = |fault: DecodeFault| Poison::new(format!("{}: {fault}", message.event.event_type));
        let addressed = |(payer, order): (String, Order)| {
            let customer_id = id("customer_id", &payer, CustomerId::new).map_err(poison)?;
            let tenant = message.event.tenant.clone();
            let to = stream(&tenant, customer_id.as_str());
            let mut command = InboundCommand::caused_by(message, to, Addressed { tenant, customer_id, order });
            command.meta.traceparent = host::trace::consumed(&message.event.event_type, message.event.traceparent.as_deref());
            Ok(command)
        };
        understood.map_err(poison)?.into_iter().map(addressed).collect()
    }

    fn knows(&self, topic: &str, event_type: &str) -> bool {
        KNOWN.iter().any(|(known, types)| *known == topic && types.contains(&event_type))
    }
}

fn one(payer: String, command: Command) -> Understood {
    Ok(vec![(payer, Order::Ladder(command))])
}

fn of_invoice(from: &Message) -> Understood {
    let payload = &from.event.payload;
    let recorded_at = from.event.recorded_at;
    match from.event.event_type.as_str() {
        "CustomerRegistered" => {
            let m: invoice::CustomerRegistered = message("CustomerRegistered", payload)?;
            one(m.customer_id, payer(m.attributes)?)
        }
        "CustomerAmended" => {
            let m: invoice::CustomerAmended = message("CustomerAmended", payload)?;
            one(m.customer_id, payer(m.attributes)?)
        }
        "CustomerErased" => {
            let m: invoice::CustomerErased = message("CustomerErased", payload)?;
            one(m.customer_id, Command::ForgetPayer { recorded_at })
        }
        "CustomerRated" => {
            let m: invoice::CustomerRated = message("CustomerRated", payload)?;
            let score = u8::try_from(m.score).map_err(|_| DecodeFault::Field("score"))?;
            one(m.customer_id, Command::NoteRating { score })
        }
        "InvoiceViewed" => {
            let m: invoice::InvoiceViewed = message("InvoiceViewed", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            let viewed_at = DateTime::from_timestamp_micros(m.viewed_at_us).ok_or(DecodeFault::Field("viewed_at_us"))?;
            one(m.customer_id, Command::NoteView { invoice_id, viewed_at })
        }
        "InvoiceIssued" => issued(from),
        "InvoiceAmended" => {
            let m: invoice::InvoiceAmended = message("InvoiceAmended", payload)?;
            let (invoice_id, due_on) = (id("invoice_id", &m.invoice_id, InvoiceId::new)?, day("due_on", &m.due_on)?);
            one(m.customer_id, Command::NoteAmendment { invoice_id, outstanding_minor: m.outstanding_minor, due_on, recorded_at })
        }
        "InvoiceCancelled" => {
            let m: invoice::InvoiceCancelled = message("InvoiceCancelled", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            one(m.customer_id, Command::NoteCancellation { invoice_id, recorded_at })
        }
        "CreditNoteIssued" | "CreditNoteCancelled" => credit_note(from),
        "InvoiceRenegotiated" => {
            let m: invoice::InvoiceRenegotiated = message("InvoiceRenegotiated", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            let agreement_id = id("agreement_id", &m.agreement_id, AgreementId::new)?;
            one(m.customer_id, Command::NoteAgreement { invoice_id, agreement_id, recorded_at })
        }
        "InvoiceReopened" => {
            let m: invoice::InvoiceReopened = message("InvoiceReopened", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            one(m.customer_id, Command::NoteBreach { invoice_id, outstanding_minor: m.outstanding_minor, recorded_at })
        }
        "PaymentReceived" => {
            let m: invoice::PaymentReceived = message("PaymentReceived", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            one(m.customer_id, Command::NotePayment { invoice_id, outstanding_minor: m.outstanding_minor, recorded_at })
        }
        "PaymentReversed" => {
            let m: invoice::PaymentReversed = message("PaymentReversed", payload)?;
            let invoice_id = id("invoice_id", &m.invoice_id, InvoiceId::new)?;
            one(m.customer_id, Command::NoteReversal { invoice_id, outstanding_minor: m.outstanding_minor, recorded_at })
        }
        _ => Ok(Vec::new()),
    }
}

/// Credit of the payer as a whole is the owner's business, at the last look. A note that was taken back is a debt that grew.
fn credit_note(from: &Message) -> Understood {
    let (payload, recorded_at) = (&from.event.payload, from.event.recorded_at);
    if from.event.event_type == "CreditNoteIssued" {
        let m: invoice::CreditNoteIssued = message("CreditNoteIssued", payload)?;
        let Some(invoice_id) = optional_id("invoice_id", &m.invoice_id, InvoiceId::new)? else { return Ok(Vec::new()) };
        return one(m.customer_id, Command::NoteCredit { invoice_id, outstanding_minor: m.outstanding_minor, recorded_at });
    }
    let m: invoice::CreditNoteCancelled = message("CreditNoteCancelled", payload)?;
    let Some(invoice_id) = optional_id("invoice_id", &m.invoice_id, InvoiceId::new)? else { return Ok(Vec::new()) };
    let due_on = day("due_on", &m.due_on)?;
    one(m.customer_id, Command::NoteAmendment { invoice_id, outstanding_minor: m.outstanding_minor, due_on, recorded_at })
}

/// The payer's own zone, else that of the state, else none: then the policy's holds. What is no state is none, what no municipality neither.
fn payer(attributes: Option<invoice::CustomerAttributes>) -> Result<Command, DecodeFault> {
    let a = attributes.unwrap_or_default();
    let zone = match (a.time_zone.as_str(), a.state.as_str()) {
        ("", state) => Zone::of_state(state),
        (zone, _) => Some(Zone::named(zone).ok_or(DecodeFault::Field("attributes.time_zone"))?),
    };
    let state = State::named(&a.state).map(|state| state.code().to_owned());
    let municipality = Municipality::parse(&a.municipality).ok().map(|municipality| municipality.to_string());
    Ok(Command::NotePayer { zone, segment: (!a.segment.is_empty()).then_some(a.segment), state, municipality })
}

fn issued(from: &Message) -> Understood {
    let m: invoice::InvoiceIssued = message("InvoiceIssued", &from.event.payload)?;
    let entry = Entry {
        invoice_id: id("invoice_id", &m.invoice_id, InvoiceId::new)?,
        amount_minor: m.amount_minor,
        currency: currency("currency", &m.currency)?,
        issued_on: day("issued_on", &m.issued_on)?,
        due_on: day("due_on", &m.due_on)?,
        recorded_at: from.event.recorded_at,
        instalment_of: optional_id("agreement_id", &m.agreement_id, AgreementId::new)?,
    };
    Ok(vec![(m.customer_id, Order::Enter(entry))])
}

fn of_notification(from: &Message) -> Understood {
    match from.event.event_type.as_str() {
        "ReminderConcluded" => concluded(message("ReminderConcluded", &from.event.payload)?),
        "ReceiptNoted" => received(message("ReceiptNoted", &from.event.payload)?),
        _ => Ok(Vec::new()),
    }
}

fn concluded(m: notification::ReminderConcluded) -> Understood {
    let items = m.items.iter().map(|item| item_outcome(item, &m.channels)).collect::<Result<Vec<_>, _>>()?;
    let contact_id = id("contact_id", &m.contact_id, ContactId::new)?;
    one(m.customer_id, Command::ConcludeContact { contact_id, day: day("day", &m.day)?, items })
}

fn item_outcome(m: &notification::ItemOutcome, channels: &[String]) -> Result<ItemOutcome, DecodeFault> {
    let reason = reason_of_gate(&m.reason);
    let first_channel = || channels.first().and_then(|name| Channel::named(name)).ok_or(DecodeFault::Field("channels"));
    let outcome = match m.outcome.as_str() {
        "executed" => Outcome::Executed { channel: first_channel()? },
        "superseded" => Outcome::Superseded(reason),
        "suppressed" => Outcome::Suppressed(reason),
        "deferred" => Outcome::Deferred(reason),
        "undeliverable" => Outcome::Undeliverable(reason),
        _ => return Err(DecodeFault::Field("items.outcome")),
    };
    Ok(ItemOutcome {
        invoice_id: id("items.invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("items.step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        outcome,
    })
}

/// The gate's word for why, in the engine's: most are the same.
pub(crate) fn reason_of_gate(slug: &str) -> Reason {
    match slug {
        "new_cycle" => Reason::Rescheduled,
        "customer_erased" => Reason::PayerForgotten,
        "unknown" | "unknown_invoice" | "charges_unknown" => Reason::NotAuthorised,
        "all_refused" => Reason::AllChannelsFailed,
        "owed_again" => Reason::Reopened,
        "day_taken" => Reason::BudgetSpent,
        same => Reason::from_slug(same).unwrap_or(Reason::Other),
    }
}

fn received(m: notification::ReceiptNoted) -> Understood {
    if !["delivered", "read"].contains(&m.status.as_str()) {
        return Ok(Vec::new());
    }
    let delivered_on = day("day", &m.day)?;
    let one = |item: &notification::ItemOutcome| {
        let command = Command::NoteDelivery {
            invoice_id: id("items.invoice_id", &item.invoice_id, InvoiceId::new)?,
            cycle: item.cycle,
            step_id: id("items.step_id", &item.step_id, StepId::new)?,
            occurrence: item.occurrence,
            delivered_on,
        };
        Ok((m.customer_id.clone(), Order::Ladder(command)))
    };
    // An empty contact id would be no receipt of ours.
    optional_id("contact_id", &m.contact_id, ContactId::new)?.ok_or(DecodeFault::Field("contact_id"))?;
    m.items.iter().map(one).collect()
}

#[cfg(test)]
mod tests;
