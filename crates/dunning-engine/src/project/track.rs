//! Rows of `track`.

use super::table::{INVOICE_ID, TENANT};
use super::{Fact, ProjectionError, View, invoice_ids, rows::Rows};
use chrono::NaiveDate;
use ladder::{Event, track::Phase};
use sql::{Keys, Row, Value};

/// (tenant, invoice) → row.
pub(super) type Tracks = Rows<(String, String), TrackRow>;

/// A track as it is stored.
pub(super) struct TrackRow {
    tenant: String,
    invoice_id: String,
    customer_id: String,
    policy_id: String,
    policy_version: i64,
    cycle: i64,
    phase: String,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    effective_due: NaiveDate,
    known_on: NaiveDate,
    outstanding_minor: i64,
    currency: String,
}

impl TrackRow {
    pub(super) fn values(self) -> Vec<Value> {
        vec![
            self.tenant.into(),
            self.invoice_id.into(),
            self.customer_id.into(),
            self.policy_id.into(),
            self.policy_version.into(),
            self.cycle.into(),
            self.phase.into(),
            self.issued_on.into(),
            self.due_on.into(),
            self.effective_due.into(),
            self.known_on.into(),
            self.outstanding_minor.into(),
            self.currency.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, ProjectionError> {
        Ok(Self {
            tenant: row.text("tenant")?,
            invoice_id: row.text("invoice_id")?,
            customer_id: row.text("customer_id")?,
            policy_id: row.text("policy_id")?,
            policy_version: row.int("policy_version")?,
            cycle: row.int("cycle")?,
            phase: row.text("phase")?,
            issued_on: row.date("issued_on")?,
            due_on: row.date("due_on")?,
            effective_due: row.date("effective_due")?,
            known_on: row.date("known_on")?,
            outstanding_minor: row.int("outstanding_minor")?,
            currency: row.text("currency")?,
        })
    }

    fn stand(&mut self, phase: Phase) {
        phase.slug().clone_into(&mut self.phase);
    }

    fn reopen(&mut self, cycle: u32, outstanding_minor: i64) {
        self.cycle = cycle.into();
        self.outstanding_minor = outstanding_minor;
        self.stand(Phase::Active);
    }
}

/// The stored rows that the facts of a page may change.
pub(super) async fn stored(view: &mut View<'_>, facts: &[Fact]) -> Result<Tracks, ProjectionError> {
    let Some(keys) = keys_of(facts.iter().filter(|fact| change(&fact.event).is_some())) else { return Ok(Tracks::none()) };
    let text = "SELECT t.* FROM {keys} k CROSS JOIN {track} t WHERE t.tenant = k.tenant AND t.invoice_id = k.invoice_id";
    let found = view.query_keyed(text, keys, &[]).await?;
    let read = |row: &Row| TrackRow::read(row).map(|row| ((row.tenant.clone(), row.invoice_id.clone()), row));
    found.iter().map(read).collect()
}

/// (tenant, invoice) of all facts, each once; `None` where no fact is about an invoice.
pub(super) fn keys_of<'f>(facts: impl Iterator<Item = &'f Fact>) -> Option<Keys<'static>> {
    let of = |fact: &'f Fact| invoice_ids(fact).into_iter().map(move |id| vec![fact.tenant.as_str().into(), id.as_str().into()]);
    let mut rows: Vec<Vec<Value>> = facts.flat_map(of).collect();
    rows.sort();
    rows.dedup();
    (!rows.is_empty()).then_some(Keys { columns: &[TENANT, INVOICE_ID], rows })
}

pub(super) fn fold(tracks: &mut Tracks, fact: &Fact) {
    if let Some(row) = enrolled(fact) {
        tracks.insert((row.tenant.clone(), row.invoice_id.clone()), row);
        return;
    }
    let Some((invoice_id, change)) = fact.event.invoice_id().zip(change(&fact.event)) else { return };
    if let Some(row) = tracks.change(&(fact.tenant.clone(), invoice_id.to_string())) {
        change(row);
    }
}

/// What an event does to the row of its track.
type RowChange<'e> = Box<dyn FnOnce(&mut TrackRow) + 'e>;

/// What an event changes in the row of its track, if anything.
fn change(event: &Event) -> Option<RowChange<'_>> {
    let change: RowChange<'_> = match event {
        Event::OutstandingNoted { outstanding_minor, .. } => Box::new(|row| row.outstanding_minor = *outstanding_minor),
        Event::TrackReopened { cycle, outstanding_minor, .. } | Event::TrackAgreementBroken { cycle, outstanding_minor, .. } => {
            Box::new(|row| row.reopen(*cycle, *outstanding_minor))
        }
        Event::TrackRenegotiated { .. } => Box::new(|row| {
            row.outstanding_minor = 0;
            row.stand(Phase::Renegotiated);
        }),
        Event::TrackRescheduled { cycle, due_on, effective_due, outstanding_minor, .. } => Box::new(|row| {
            row.reopen(*cycle, *outstanding_minor);
            (row.due_on, row.effective_due) = (*due_on, *effective_due);
        }),
        Event::TrackMigrated { policy_id, policy_version, effective_due, .. } => Box::new(|row| {
            (row.policy_id, row.policy_version) = (policy_id.to_string(), (*policy_version).into());
            row.effective_due = *effective_due;
        }),
        Event::TrackSettled { .. } => Box::new(|row| row.stand(Phase::Settled)),
        Event::TrackCancelled { .. } => Box::new(|row| row.stand(Phase::Cancelled)),
        Event::TrackExhausted { .. } => Box::new(|row| row.stand(Phase::Exhausted)),
        Event::TrackHandedOff { .. } => Box::new(|row| row.stand(Phase::HandedOff)),
        Event::TrackWrittenOff { .. } => Box::new(|row| row.stand(Phase::WrittenOff)),
        // It is a row of its own.
        Event::TrackEnrolled { .. }
        | Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::RatingNoted { .. }
        | Event::NoticePlanned { .. }
        | Event::NoticeDue { .. }
        | Event::NoticeDeferred { .. }
        | Event::NoticeClosed { .. }
        | Event::ViewNoted { .. }
        | Event::StepsPlanned { .. }
        | Event::StepsClosed { .. }
        | Event::ReminderDue { .. }
        | Event::StepDeferred { .. }
        | Event::ApprovalRequested { .. }
        | Event::ApprovalGiven { .. }
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::ActionDue { .. }
        | Event::TaskRaised { .. }
        | Event::CatchUpBegan { .. }
        | Event::CatchUpEnded { .. }
        | Event::Arranged { .. }
        | Event::ArrangementEnded { .. }
        | Event::StepDelivered { .. } => return None,
    };
    Some(change)
}

fn enrolled(fact: &Fact) -> Option<TrackRow> {
    let Event::TrackEnrolled {
        invoice_id,
        policy_id,
        policy_version,
        cycle,
        amount_minor,
        currency,
        issued_on,
        due_on,
        effective_due,
        known_on,
        ..
    } = &fact.event
    else {
        return None;
    };
    Some(TrackRow {
        tenant: fact.tenant.clone(),
        invoice_id: invoice_id.to_string(),
        customer_id: fact.customer_id.to_string(),
        policy_id: policy_id.to_string(),
        policy_version: (*policy_version).into(),
        cycle: (*cycle).into(),
        phase: Phase::Active.slug().to_owned(),
        issued_on: *issued_on,
        due_on: *due_on,
        effective_due: *effective_due,
        known_on: *known_on,
        outstanding_minor: *amount_minor,
        currency: currency.to_string(),
    })
}
