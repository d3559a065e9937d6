//! The events of one decision so far, and the tracks as they are after them.

use super::command::Rejection;
use super::decide::Context;
use super::event::{Closing, Event};
use super::{Ladder, evolve};
use crate::Policy;
use crate::reason::Reason;
use crate::track::{End, Track};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use kernel::{InvoiceId, NaiveDate, PolicyId, Zone};

/// A decision in the making. Tracks are copied when first touched, so that a payer with many receivables costs no more
/// than those that change.
pub(super) struct Pending<'a> {
    ladder: &'a Ladder,
    context: &'a Context<'a>,
    touched: Ladder,
    events: Vec<Event>,
}

impl<'a> Pending<'a> {
    pub(super) fn new(ladder: &'a Ladder, context: &'a Context<'a>) -> Self {
        Self { ladder, context, touched: Ladder::default(), events: Vec::new() }
    }

    /// The state before the decision.
    pub(super) fn ladder(&self) -> &'a Ladder {
        self.ladder
    }

    pub(super) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// How many events there are so far.
    pub(super) fn count(&self) -> usize {
        self.events.len()
    }

    /// How many steps expired in this decision, by reason.
    pub(super) fn expired(&self) -> BTreeMap<Reason, u32> {
        let mut counts = BTreeMap::new();
        for event in &self.events {
            let Event::StepsClosed { closings, .. } = event else { continue };
            for closing in closings {
                if let End::Expired { reason } = closing.end {
                    crate::catch_up::add(&mut counts, reason, 1);
                }
            }
        }
        counts
    }

    /// A track as it is after the events so far.
    pub(super) fn track(&self, id: &InvoiceId) -> Result<&Track, Rejection> {
        let found = self.touched.tracks.get(id).or_else(|| self.ladder.tracks.get(id));
        found.ok_or_else(|| Rejection::UnknownInvoice(id.clone()))
    }

    pub(super) fn policy(&self, id: &PolicyId, version: u32) -> Result<&'a Policy, Rejection> {
        let found = self.context.policies.policy(id, version);
        found.ok_or_else(|| Rejection::UnknownPolicy { policy_id: id.clone(), version })
    }

    /// The policy that a track is pinned to, as its variant has it.
    pub(super) fn policy_of(&self, track: &Track) -> Result<&'a Policy, Rejection> {
        let missing = || Rejection::UnknownPolicy { policy_id: track.policy_id.clone(), version: track.policy_version };
        track.policy(self.context.policies).ok_or_else(missing)
    }

    /// The zone of a fact's local day: the payer's, as everywhere; that of `policy` for the first track of a payer without one.
    pub(super) fn zone_by(&self, policy: &Policy) -> Zone {
        self.ladder.zone(self.context.policies).unwrap_or(policy.time_zone())
    }

    pub(super) fn emit(&mut self, event: Event) {
        event.invoice_ids().iter().for_each(|id| self.touch(id));
        evolve::apply(&mut self.touched, &event);
        self.events.push(event);
    }

    /// Records ends of occurrences of one cycle; nothing where there are none.
    pub(super) fn close(&mut self, invoice_id: &InvoiceId, cycle: u32, day: NaiveDate, closings: Vec<Closing>) {
        if !closings.is_empty() {
            self.emit(Event::StepsClosed { invoice_id: invoice_id.clone(), cycle, day, closings });
        }
    }

    /// Whether something happened in this decision that the planner does not find out by itself: a step got its date, or a promise that
    /// conditions ask for was broken.
    pub(super) fn has_news(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::StepsPlanned { .. } | Event::ArrangementEnded { .. }))
    }

    /// The state after the events so far.
    pub(super) fn evolved(&self) -> Ladder {
        self.events.iter().fold(self.ladder.clone(), evolve::evolve)
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }

    fn touch(&mut self, id: &InvoiceId) {
        if self.touched.tracks.contains_key(id) {
            return;
        }
        if let Some(track) = self.ladder.tracks.get(id) {
            self.touched.tracks.insert_mut(id.clone(), track.clone());
        }
    }
}
