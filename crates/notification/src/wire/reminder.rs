//! Facts of other contexts as this one understands them.

use super::field::{DecodeFault, calendar, channel, currency, day, id, message, tone, window, zone};
use contracts::{dunning::v1 as dunning, invoice::v1 as invoice};
use kernel::{CustomerId, InvoiceId, Purpose, StepId};
use notice::{Item, Merge, Occurrence, Reminder, Rules, Standstill};
use std::collections::BTreeSet;

/// A reminder that the engine offers: the payer, what is offered, and the items whose payment was returned.
/// Errors: damaged bytes or fields.
pub fn reminder(payload: &[u8]) -> Result<(CustomerId, Reminder, BTreeSet<Occurrence>), DecodeFault> {
    offered(&message("ReminderDue", payload)?, Purpose::Reminder)
}

/// Thanks or a correction that the engine offers, as a reminder that asks for nothing. Errors: damaged bytes or fields.
pub fn notice(payload: &[u8]) -> Result<(CustomerId, Reminder), DecodeFault> {
    let m: dunning::NoticeDue = message("NoticeDue", payload)?;
    let purpose = Purpose::named(&m.kind).filter(|purpose| *purpose != Purpose::Reminder).ok_or(DecodeFault::Field("kind"))?;
    let (customer_id, reminder, _) = offered(m.reminder.as_ref().ok_or(DecodeFault::Field("reminder"))?, purpose)?;
    Ok((customer_id, reminder))
}

fn offered(m: &dunning::ReminderDue, purpose: Purpose) -> Result<(CustomerId, Reminder, BTreeSet<Occurrence>), DecodeFault> {
    let rules = m.rules.as_ref().ok_or(DecodeFault::Field("rules"))?;
    let items = m.items.iter().map(|m| item(m, purpose)).collect::<Result<Vec<Item>, _>>()?;
    let returned = items.iter().zip(&m.items).filter(|(_, wire)| wire.payment_returned).map(|(item, _)| item.key()).collect();
    let reminder = Reminder {
        day: day("day", &m.day)?,
        rules: Rules {
            merge: Merge::named(&rules.merge).ok_or(DecodeFault::Field("rules.merge"))?,
            max_per_day: rules.max_per_day,
            max_per_7_days: rules.max_per_7_days,
            max_voice_per_day: rules.max_voice_per_day,
            window: window(&rules.weekdays, &rules.window_from, &rules.window_until)?,
        },
        calendar: calendar(&m.calendar)?,
        zone: zone(&m.time_zone)?,
        items,
    };
    Ok((id("customer_id", &m.customer_id, CustomerId::new)?, reminder, returned))
}

fn item(m: &dunning::DueItem, purpose: Purpose) -> Result<Item, DecodeFault> {
    let chain = |chain: &dunning::ChannelChain| chain.channels.iter().map(|name| channel(name)).collect();
    Ok(Item {
        invoice_id: id("items.invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("items.step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        tone: tone(m.tone)?,
        template: m.template.clone(),
        chains: m.chains.iter().map(chain).collect::<Result<_, _>>()?,
        planned_on: day("items.planned_on", &m.planned_on)?,
        due_on: day("items.due_on", &m.due_on)?,
        effective_due: day("items.effective_due", &m.effective_due)?,
        overdue: m.overdue,
        currency: currency(&m.currency)?,
        min_outstanding_minor: m.min_outstanding_minor,
        disputed_minor: m.disputed_minor,
        fallback_after_hours: m.fallback_after_hours,
        purpose,
    })
}

/// A debt that a collector took, with its payer. Errors: damaged bytes or fields.
pub fn handed_off(payload: &[u8]) -> Result<(CustomerId, InvoiceId), DecodeFault> {
    let m: dunning::TrackHandedOff = message("TrackHandedOff", payload)?;
    Ok((id("customer_id", &m.customer_id, CustomerId::new)?, id("invoice_id", &m.invoice_id, InvoiceId::new)?))
}

/// What a person or a payer arranged about debts, as far as it keeps them out of contacts: the payer, the debts, and how they stand. A
/// dispute of a part too: what was offered before asks for all of it, and the engine offers the rest again. `None` for another type. Errors: damaged bytes or fields.
pub fn arranged(event_type: &str, payload: &[u8]) -> Result<Option<(CustomerId, Vec<InvoiceId>, Standstill)>, DecodeFault> {
    let (customer_id, invoice_ids, standstill) = match event_type {
        "HoldPlaced" => {
            let m: dunning::HoldPlaced = message("HoldPlaced", payload)?;
            (m.customer_id, vec![m.invoice_id], Standstill::Held)
        }
        "DisputeOpened" => {
            let m: dunning::DisputeOpened = message("DisputeOpened", payload)?;
            (m.customer_id, vec![m.invoice_id], Standstill::Disputed)
        }
        "PromiseMade" => {
            let m: dunning::PromiseMade = message("PromiseMade", payload)?;
            (m.customer_id, m.invoice_ids, Standstill::Promised)
        }
        "PaymentAnnounced" => {
            let m: dunning::PaymentAnnounced = message("PaymentAnnounced", payload)?;
            (m.customer_id, vec![m.invoice_id], Standstill::InProcess)
        }
        "TrackWrittenOff" => {
            let m: dunning::TrackWrittenOff = message("TrackWrittenOff", payload)?;
            (m.customer_id, vec![m.invoice_id], Standstill::Over)
        }
        _ => return Ok(None),
    };
    let invoice_ids = invoice_ids.iter().map(|text| id("invoice_id", text, InvoiceId::new)).collect::<Result<_, _>>()?;
    Ok(Some((id("customer_id", &customer_id, CustomerId::new)?, invoice_ids, standstill)))
}

/// The payer whose personal data was deleted. Errors: damaged bytes or fields.
pub fn erased(payload: &[u8]) -> Result<CustomerId, DecodeFault> {
    let m: invoice::CustomerErased = message("CustomerErased", payload)?;
    id("customer_id", &m.customer_id, CustomerId::new)
}
