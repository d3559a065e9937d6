//! ContactComposed.

use super::{Aside, Fact, with_aside};
use crate::wire::field::{DecodeFault, calendar, channel, currency, day, id, tone, window, zone};
use contracts::notification::v1 as proto;
use kernel::{ContactId, InvoiceId, Purpose, StepId, window::close_text, written};
use notice::{Channel, Class, ContactComposed, Event, Item, Merge, Rules};
use std::collections::BTreeSet;

pub(super) fn out(customer_id: String, e: &ContactComposed, aside: &Aside) -> proto::ContactComposed {
    let is_returned = |item: &Item| matches!(aside, Aside::Returned(keys) if keys.contains(&item.key()));
    proto::ContactComposed {
        customer_id,
        contact_id: e.contact_id.to_string(),
        day: written::date_text(e.day),
        currency: e.currency.to_string(),
        class: e.class.slug().to_owned(),
        items: e.items.iter().map(|item| item_out(item, is_returned(item))).collect(),
        max_per_day: e.rules.max_per_day,
        max_per_7_days: e.rules.max_per_7_days,
        max_voice_per_day: e.rules.max_voice_per_day,
        weekdays: e.rules.window.weekdays.to_vec(),
        window_from: written::time_text(e.rules.window.from),
        window_until: close_text(e.rules.window.until),
        calendar: e.calendar.name().to_owned(),
        time_zone: e.zone.name().to_owned(),
        merge: e.rules.merge.slug().to_owned(),
    }
}

fn item_out(item: &Item, payment_returned: bool) -> proto::ContactItem {
    proto::ContactItem {
        invoice_id: item.invoice_id.to_string(),
        cycle: item.cycle,
        step_id: item.step_id.to_string(),
        occurrence: item.occurrence,
        tone: u32::from(item.tone),
        template: item.template.clone(),
        chains: chains_out(&item.chains),
        planned_on: written::date_text(item.planned_on),
        due_on: written::date_text(item.due_on),
        effective_due: written::date_text(item.effective_due),
        overdue: item.overdue,
        currency: item.currency.to_string(),
        min_outstanding_minor: item.min_outstanding_minor,
        fallback_after_hours: item.fallback_after_hours,
        payment_returned,
        disputed_minor: item.disputed_minor,
        purpose: item.purpose.slug().to_owned(),
    }
}

pub(super) fn chains_out(chains: &[Vec<Channel>]) -> Vec<proto::ContactChain> {
    let chain = |chain: &Vec<Channel>| proto::ContactChain { channels: chain.iter().map(|channel| channel.slug().to_owned()).collect() };
    chains.iter().map(chain).collect()
}

pub(super) fn chains_in(chains: &[proto::ContactChain]) -> Result<Vec<Vec<Channel>>, DecodeFault> {
    chains.iter().map(|chain| chain.channels.iter().map(|name| channel(name)).collect()).collect()
}

pub(super) fn into_fact(m: proto::ContactComposed) -> Result<Fact, DecodeFault> {
    let items = m.items.iter().map(item_in).collect::<Result<Vec<Item>, _>>()?;
    let first = items.first().ok_or(DecodeFault::Field("items"))?;
    let returned: BTreeSet<_> = items.iter().zip(&m.items).filter(|(_, wire)| wire.payment_returned).map(|(item, _)| item.key()).collect();
    let event = ContactComposed {
        contact_id: id("contact_id", &m.contact_id, ContactId::new)?,
        day: day("day", &m.day)?,
        currency: currency(&m.currency)?,
        class: Class::named(&m.class, &first.invoice_id).ok_or(DecodeFault::Field("class"))?,
        rules: Rules {
            merge: Merge::named(&m.merge).ok_or(DecodeFault::Field("merge"))?,
            max_per_day: m.max_per_day,
            max_per_7_days: m.max_per_7_days,
            max_voice_per_day: m.max_voice_per_day,
            window: window(&m.weekdays, &m.window_from, &m.window_until)?,
        },
        calendar: calendar(&m.calendar)?,
        zone: zone(&m.time_zone)?,
        items,
    };
    let aside = if returned.is_empty() { Aside::Nothing } else { Aside::Returned(returned) };
    with_aside(&m.customer_id, Event::ContactComposed(event), aside)
}

fn item_in(m: &proto::ContactItem) -> Result<Item, DecodeFault> {
    Ok(Item {
        invoice_id: id("items.invoice_id", &m.invoice_id, InvoiceId::new)?,
        cycle: m.cycle,
        step_id: id("items.step_id", &m.step_id, StepId::new)?,
        occurrence: m.occurrence,
        tone: tone(m.tone)?,
        template: m.template.clone(),
        chains: chains_in(&m.chains)?,
        planned_on: day("items.planned_on", &m.planned_on)?,
        due_on: day("items.due_on", &m.due_on)?,
        effective_due: day("items.effective_due", &m.effective_due)?,
        overdue: m.overdue,
        currency: currency(&m.currency)?,
        min_outstanding_minor: m.min_outstanding_minor,
        disputed_minor: m.disputed_minor,
        fallback_after_hours: m.fallback_after_hours,
        purpose: Purpose::named(&m.purpose).ok_or(DecodeFault::Field("items.purpose"))?,
    })
}
