//! Who waits for which catch-up: a fold over the engine's log.

use super::CatchUpEvent;
use crate::wire::{self, DecodeFault};
use eventlog::Recorded;
use kernel::CustomerId;
use ladder::{Event, catch_up::Forecast};
use std::collections::BTreeMap;

/// A payer that began to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The payer.
    pub customer_id: CustomerId,
    /// Place of the beginning.
    pub position: u64,
    /// What for.
    pub forecast: Forecast,
    /// The payer went on before anybody planned: approvals were given once for all.
    pub is_over: bool,
}

/// The payers of a planned catch-up that still wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Approved or refused; `None` while a person must decide.
    pub released: Option<bool>,
    /// With the place of their beginning.
    pub payers: BTreeMap<CustomerId, u64>,
}

/// One tenant's payers that wait.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    /// In no catch-up yet, in the order of the log.
    pub gathered: Vec<Waiting>,
    /// By the number of the catch-up.
    pub batches: BTreeMap<u32, Batch>,
}

/// All tenants.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// By name.
    pub tenants: BTreeMap<String, Tenant>,
}

impl Book {
    /// Takes in an event of the log. Errors: one that cannot be read.
    pub fn absorb(&mut self, recorded: &Recorded) -> Result<(), DecodeFault> {
        match recorded.event_type.as_str() {
            "CatchUpBegan" | "CatchUpEnded" => {
                let Some(fact) = wire::decode(&recorded.tenant, &recorded.event_type, &recorded.payload)? else { return Ok(()) };
                let tenant = self.tenants.entry(recorded.tenant.clone()).or_default();
                if let Event::CatchUpBegan { forecast, .. } = fact.event {
                    let (customer_id, position) = (fact.customer_id, recorded.position);
                    tenant.gathered.push(Waiting { customer_id, position, forecast, is_over: false });
                } else {
                    tenant.goes_on(&fact.customer_id);
                }
            }
            "CatchUpPlanned" | "CatchUpDecided" => {
                let Some(event) = wire::decode_catch_up(&recorded.event_type, &recorded.payload)? else { return Ok(()) };
                self.tenants.entry(recorded.tenant.clone()).or_default().decided(event);
            }
            _ => return Ok(()),
        }
        self.tenants.retain(|_, tenant| !tenant.is_empty());
        Ok(())
    }

    /// The place before which nobody waits any more; `None` where nobody waits at all.
    pub fn first_position(&self) -> Option<u64> {
        let of = |tenant: &Tenant| {
            let gathered = tenant.gathered.iter().map(|waiting| waiting.position);
            gathered.chain(tenant.batches.values().flat_map(|batch| batch.payers.values().copied())).min()
        };
        self.tenants.values().filter_map(of).min()
    }
}

impl Tenant {
    fn is_empty(&self) -> bool {
        self.gathered.is_empty() && self.batches.is_empty()
    }

    fn goes_on(&mut self, customer_id: &CustomerId) {
        self.gathered.iter_mut().filter(|waiting| waiting.customer_id == *customer_id).for_each(|waiting| waiting.is_over = true);
        self.batches.values_mut().for_each(|batch| _ = batch.payers.remove(customer_id));
        self.batches.retain(|_, batch| !batch.payers.is_empty());
    }

    fn decided(&mut self, event: CatchUpEvent) {
        match event {
            CatchUpEvent::Planned(report) => {
                let (planned, later) =
                    std::mem::take(&mut self.gathered).into_iter().partition(|one| one.position <= report.until_position);
                self.gathered = later;
                let waiting = planned.into_iter().filter(|one: &Waiting| !one.is_over);
                let payers: BTreeMap<CustomerId, u64> = waiting.map(|one| (one.customer_id, one.position)).collect();
                if !payers.is_empty() {
                    self.batches.insert(report.number, Batch { released: report.approved.then_some(true), payers });
                }
            }
            CatchUpEvent::Decided { number, verdict } => {
                if let Some(batch) = self.batches.get_mut(&number) {
                    batch.released = Some(verdict.approved);
                }
            }
        }
    }
}
