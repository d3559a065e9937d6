//! Occurrences and what became of them: proto ↔ domain.

use super::field::{DecodeFault, id};
use contracts::notification::v1 as proto;
use kernel::{InvoiceId, StepId};
use notice::{ItemOutcome, Occurrence, Outcome, Reason, Said};

fn reason(slug: &str) -> Result<Reason, DecodeFault> {
    Reason::named(slug).ok_or(DecodeFault::Field("reason"))
}

pub(super) fn key(invoice_id: &str, cycle: u32, step_id: &str, occurrence: u32) -> Result<Occurrence, DecodeFault> {
    Ok(Occurrence {
        invoice_id: id("invoice_id", invoice_id, InvoiceId::new)?,
        cycle,
        step_id: id("step_id", step_id, StepId::new)?,
        occurrence,
    })
}

pub(super) fn key_in(m: &proto::StepOccurrence) -> Result<Occurrence, DecodeFault> {
    key(&m.invoice_id, m.cycle, &m.step_id, m.occurrence)
}

pub(super) fn key_out(key: &Occurrence) -> proto::StepOccurrence {
    proto::StepOccurrence {
        invoice_id: key.invoice_id.to_string(),
        cycle: key.cycle,
        step_id: key.step_id.to_string(),
        occurrence: key.occurrence,
    }
}

pub(super) fn outcome_out(outcome: &ItemOutcome) -> proto::ItemOutcome {
    proto::ItemOutcome {
        invoice_id: outcome.key.invoice_id.to_string(),
        cycle: outcome.key.cycle,
        step_id: outcome.key.step_id.to_string(),
        occurrence: outcome.key.occurrence,
        outcome: outcome.outcome.slug().to_owned(),
        reason: outcome.outcome.reason().map(|reason| reason.slug().to_owned()).unwrap_or_default(),
        // A net balance that the owner gave is more than zero.
        net_minor: outcome.net_minor.unwrap_or(0),
    }
}

pub(super) fn outcome_in(m: &proto::ItemOutcome) -> Result<ItemOutcome, DecodeFault> {
    let outcome = match m.outcome.as_str() {
        "executed" => Outcome::Executed,
        "superseded" => Outcome::Superseded(reason(&m.reason)?),
        "suppressed" => Outcome::Suppressed(reason(&m.reason)?),
        "deferred" => Outcome::Deferred(reason(&m.reason)?),
        "undeliverable" => Outcome::Undeliverable(reason(&m.reason)?),
        _ => return Err(DecodeFault::Field("outcome")),
    };
    let net_minor = (m.net_minor != 0).then_some(m.net_minor);
    Ok(ItemOutcome { key: key(&m.invoice_id, m.cycle, &m.step_id, m.occurrence)?, outcome, net_minor })
}

pub(crate) fn outcomes_out(outcomes: &[ItemOutcome]) -> Vec<proto::ItemOutcome> {
    outcomes.iter().map(outcome_out).collect()
}

pub(super) fn outcomes_in(outcomes: &[proto::ItemOutcome]) -> Result<Vec<ItemOutcome>, DecodeFault> {
    outcomes.iter().map(outcome_in).collect()
}

pub(super) fn said_out(said: &[Said]) -> Vec<proto::GatedItem> {
    let one = |said: &Said| proto::GatedItem {
        invoice_id: said.key.invoice_id.to_string(),
        net_minor: said.net_minor,
        cycle: said.key.cycle,
        step_id: said.key.step_id.to_string(),
        occurrence: said.key.occurrence,
    };
    said.iter().map(one).collect()
}

pub(super) fn said_in(items: &[proto::GatedItem]) -> Result<Vec<Said>, DecodeFault> {
    let one = |m: &proto::GatedItem| Ok(Said { key: key(&m.invoice_id, m.cycle, &m.step_id, m.occurrence)?, net_minor: m.net_minor });
    items.iter().map(one).collect()
}
