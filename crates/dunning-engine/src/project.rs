//! Events → tables: tracks, step occurrences, what was decided on which day, and what a person has to do.
//!
//! Keys are those of the domain: occurrence keys, days, slugs. No position, event id or clock of ours, so the tables are the same however
//! the service runs.

mod arrangement;
mod decision;
mod listing;
mod rows;
mod step;
mod table;
mod task;
mod track;

pub use listing::ListingTable;

use crate::wire::{self, Fact};
use async_trait::async_trait;
use eventlog::bus::Message;
use eventlog::projection::{Change, Projection, ProjectionError, TableDef, View};

/// Ladders as tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct LadderTables;

impl Projection for LadderTables {
    fn name(&self) -> &'static str {
        "dunning-ladders"
    }

    fn version(&self) -> u32 {
        4
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[table::TRACK, table::STEP_OCCURRENCE, table::DECISION, table::TASK, table::ARRANGEMENT]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut facts = Vec::with_capacity(page.len());
        for message in page {
            let event = &message.event;
            let decoded = wire::decode(&event.tenant, &event.event_type, &event.payload);
            facts.extend(decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))?);
        }
        Ok(Box::new(Told(facts)))
    }
}

/// What a page tells of ladders.
struct Told(Vec<Fact>);

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        let facts = self.0;
        if facts.is_empty() {
            return Ok(());
        }
        let mut tracks = track::stored(view, &facts).await?;
        facts.iter().for_each(|fact| track::fold(&mut tracks, fact));
        view.upsert("track", tracks.changed().map(track::TrackRow::values).collect()).await?;
        let mut arrangements = arrangement::stored(view, &facts).await?;
        facts.iter().for_each(|fact| arrangement::fold(&mut arrangements, fact));
        view.upsert("arrangement", arrangements.changed().map(arrangement::ArrangementRow::values).collect()).await?;
        let mut steps = step::stored(view, &facts).await?;
        facts.iter().for_each(|fact| step::fold(&mut steps, fact));
        let mut tasks = task::stored(view, &facts).await?;
        facts.iter().for_each(|fact| task::fold(&mut tasks, fact, &steps));
        view.upsert("step_occurrence", steps.changed().map(step::StepRow::values).collect()).await?;
        view.upsert("decision", facts.iter().flat_map(decision::rows).collect()).await?;
        view.upsert("task", tasks.changed().map(task::TaskRow::values).collect()).await
    }
}

/// The receivables that a fact says something of.
fn invoice_ids(fact: &Fact) -> Vec<&kernel::InvoiceId> {
    match &fact.event {
        ladder::Event::ReminderDue { items, .. } => items.iter().map(|item| &item.invoice_id).collect(),
        event => event.invoice_ids().iter().collect(),
    }
}
