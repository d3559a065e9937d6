//! Migrations of a tenant: what one does, added up over payers. Pure. What it does to one track: [`ladder::migration`].

use kernel::{InvoiceId, NaiveDate, PolicyId, StepId, VariantId};
use ladder::{Event, Ladder, PolicyBook, Reason, plan, track::End};
use std::collections::{BTreeMap, BTreeSet};

/// A ladder and one of its versions.
pub type Version = (PolicyId, u32);

/// What a migration does, over payers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Payers with running tracks of the version.
    pub payers: u64,
    /// Tracks that move.
    pub moved: u64,
    /// Tracks that stay, because a step is being carried out.
    pub left: u64,
    /// Tracks that move to a variant of the new version, by its name.
    pub variants: BTreeMap<VariantId, u64>,
    /// By step of either version.
    pub steps: BTreeMap<StepId, Counts>,
}

/// What happens to the occurrences of one step, in tracks that move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Only the new version has them.
    pub added: u64,
    /// They end: the new version does not have them.
    pub vanished: u64,
    /// Their track offers them on the day of the move, the hour left aside.
    pub due: u64,
}

/// The payer's day on which a migration is judged, and by what.
pub struct Asked<'a> {
    /// The version that tracks were pinned to.
    pub from: &'a Version,
    /// The payer's local day.
    pub day: NaiveDate,
    /// The policies.
    pub book: &'a dyn PolicyBook,
    /// Whether steps that ask for approval need none.
    pub approvals_given: bool,
}

impl Report {
    /// Of one payer: the events of the migration, and the ladders after them.
    pub fn of<'e>(asked: &Asked<'_>, events: impl Iterator<Item = &'e Event>, after: &Ladder) -> Report {
        let mut report = Report { payers: 1, ..Report::default() };
        let mut moved: BTreeSet<&InvoiceId> = BTreeSet::new();
        for event in events {
            if let Event::TrackMigrated { invoice_id, steps, variant, .. } = event {
                moved.insert(invoice_id);
                variant.iter().for_each(|variant| *report.variants.entry(variant.clone()).or_default() += 1);
                steps.iter().filter(|step| step.is_new).for_each(|step| report.step(&step.planned.step_id).added += 1);
            } else if let Event::StepsClosed { closings, .. } = event {
                let vanished = closings.iter().filter(|at| matches!(at.end, End::Superseded { reason: Reason::PolicyMigrated, .. }));
                vanished.for_each(|closing| report.step(&closing.step_id).vanished += 1);
            }
        }
        let plan = plan::plan(after, asked.day, asked.book, asked.approvals_given);
        let due = plan.offers.iter().filter(|offer| moved.contains(&offer.invoice_id));
        due.for_each(|offer| report.step(&offer.step_id).due += 1);
        let is_left = |track: &&ladder::track::Track| {
            track.phase.is_running() && (&track.policy_id, track.policy_version) == (&asked.from.0, asked.from.1)
        };
        report.left = after.tracks.values().filter(is_left).count() as u64;
        report.moved = moved.len() as u64;
        report
    }

    /// Adds another payer's.
    pub fn add(&mut self, other: &Report) {
        self.payers += other.payers;
        self.moved += other.moved;
        self.left += other.left;
        for (variant, count) in &other.variants {
            *self.variants.entry(variant.clone()).or_default() += count;
        }
        for (step_id, counts) in &other.steps {
            let sum = self.step(step_id);
            sum.added += counts.added;
            sum.vanished += counts.vanished;
            sum.due += counts.due;
        }
    }

    fn step(&mut self, step_id: &StepId) -> &mut Counts {
        self.steps.entry(step_id.clone()).or_default()
    }
}
