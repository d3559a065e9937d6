//! When a track may next have something to do.

use super::{Ladder, anchor, arrange, lapse};
use crate::plan::{first_contact_day, gap_day, is_barred_by_dispute, is_possible, met_from, remaining};
use crate::policy::{CatchUp, Policy, PolicyBook, Step, StepKind};
use crate::track::{Occurrence, OccurrenceState, Track};
use kernel::{DateTime, InvoiceId, NaiveDate, NaiveTime, Utc, Window, Zone, calendar};

/// The earliest instant strictly after `after` at which a track may have something to do; `None` where only a fact, a
/// conclusion or an approval can change anything, or where invoice or policy are unknown.
///
/// For an offer it is a window opening in the payer's zone; for a lapse it is the opening hour of the day after the last
/// day, whether or not the window opens on that day. A wake may turn out to be superfluous, none is missing: local holidays are not
/// read here, so that one that is recorded or withdrawn later changes no timer. Who is woken on one offers nothing and is woken again at the
/// next opening.
pub fn next_wake(ladder: &Ladder, invoice_id: &InvoiceId, book: &dyn PolicyBook, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let track = ladder.tracks.get(invoice_id).filter(|track| track.is_watched() && !ladder.forgotten)?;
    let policy = track.policy(book)?;
    let zone = ladder.zone(book)?;
    let waking = Waking { ladder, track, policy, zone, after, today: zone.day_of(after) };
    if !track.phase.is_running() {
        return waking.arrangements().chain(waking.notices()).min();
    }
    let lapses = track.current().iter().enumerate().filter_map(|(index, at)| waking.lapse(index, at));
    lapses.chain(waking.offers()).chain(waking.standstill()).chain(waking.arrangements()).chain(waking.notices()).min()
}

struct Waking<'a> {
    ladder: &'a Ladder,
    track: &'a Track,
    policy: &'a Policy,
    zone: Zone,
    after: DateTime<Utc>,
    /// The day of `after` in the zone.
    today: NaiveDate,
}

impl Waking<'_> {
    /// When an open step lapses by its dates.
    fn lapse(&self, index: usize, occurrence: &Occurrence) -> Option<DateTime<Utc>> {
        if !occurrence.is_open() || lapse::awaits_claim(self.track, index) {
            return None;
        }
        let step = self.policy.step(&occurrence.step_id)?;
        let overtaken = self.track.place().filter(|place| index < *place).and(occurrence.planned_on);
        let day = overtaken.into_iter().chain(occurrence.last_day.map(calendar::next)).min()?;
        Some(self.hour_from(day, step))
    }

    /// When an arrangement is over, or wants to be looked at again.
    fn arrangements(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let ends = self.track.arrangements.iter().filter_map(|open| open.arrangement.until.map(calendar::next));
        let days = ends.chain(arrange::review_day(self.track));
        days.filter_map(|day| Some(self.hour_from(day, self.policy.steps().first()?)))
    }

    /// When a notice may be sent, or is too late.
    fn notices(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let window = self.policy.contact_window(self.ladder.state.as_deref());
        self.track.notices.iter().filter(|notice| notice.is_open()).filter_map(move |notice| {
            let first = notice.first_day();
            let day = first.max(self.ladder.last_notice_on.map_or(first, calendar::next));
            let lapses = self.time_from(calendar::next(notice.last_day), window.from);
            self.opening(day, window).into_iter().chain([lapses]).min()
        })
    }

    /// Where the gate ended the last step for a fact that has not come by the next morning, a person must be told.
    fn standstill(&self) -> Option<DateTime<Utc>> {
        if !anchor::is_behind(self.track, self.policy) {
            lapse::standstill(self.track, self.policy, self.today)?;
        }
        self.policy.steps().first().map(|step| self.hour_from(self.today, step))
    }

    /// The opening hour of the step's window on the first day from `day` on that is after `after`.
    fn hour_from(&self, day: NaiveDate, step: &Step) -> DateTime<Utc> {
        self.time_from(day, self.window(step).from)
    }

    /// That time of the first day from `day` on that is after `after`.
    fn time_from(&self, day: NaiveDate, from: NaiveTime) -> DateTime<Utc> {
        let mut day = day.max(self.today);
        loop {
            let at = self.zone.instant(day, from);
            if at > self.after {
                return at;
            }
            // Its hour has passed.
            day = calendar::next(day);
        }
    }

    /// When the steps that may still be offered may be.
    fn offers(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let claimed = self.track.is_claimed();
        let steps = remaining(self.track).filter(move |(index, _)| !claimed && !self.is_behind_question(*index));
        steps.filter_map(|(_, occurrence)| self.offer(occurrence))
    }

    /// A step that a person was asked about bars those that the rule of the day puts behind it.
    fn is_behind_question(&self, index: usize) -> bool {
        let mut asked = remaining(self.track).filter(|(_, at)| matches!(at.state, OccurrenceState::AwaitingApproval { .. }));
        match self.policy.catch_up() {
            CatchUp::Latest => asked.any(|(at, _)| index <= at),
            CatchUp::Replay => asked.any(|(at, _)| index >= at),
        }
    }

    fn offer(&self, occurrence: &Occurrence) -> Option<DateTime<Utc>> {
        if !is_possible(self.track, self.policy, occurrence) {
            return None;
        }
        let step = self.policy.step(&occurrence.step_id)?;
        if step.kind == StepKind::Notify && self.ladder.catch_up_since.is_some() {
            return None;
        }
        if is_barred_by_dispute(self.track, step.kind) {
            return None;
        }
        let mut day = occurrence.planned_on?.max(first_contact_day(self.track, self.policy));
        for needed in &step.requires {
            day = day.max(met_from(self.track, needed)?);
        }
        day = day.max(self.track.last_offer_on.map_or(day, calendar::next));
        if step.kind == StepKind::Notify {
            day = day.max(gap_day(self.track, step).unwrap_or(day));
            // The contact of a day that has gone is not made again that day.
            let gone = self.ladder.last_reminder_on.filter(|last| self.ladder.has_reminded(self.track, self.policy.contact().merge, *last));
            day = day.max(gone.map_or(day, calendar::next));
        }
        // A pause without an end is over when a person says so, which gives new timers.
        while let Some(pause) = self.track.pause_on(day.max(self.today)) {
            day = calendar::next(pause.until?);
        }
        self.opening_from(day, step)
    }

    /// The first window opening from `day` on that is after `after`.
    fn opening_from(&self, day: NaiveDate, step: &Step) -> Option<DateTime<Utc>> {
        self.opening(day, self.window(step))
    }

    fn opening(&self, day: NaiveDate, window: Window) -> Option<DateTime<Utc>> {
        let first = self.time_from(day, window.from);
        let open_on = window.first_day(self.zone.day_of(first), self.policy.calendar())?;
        Some(self.zone.instant(open_on, window.from))
    }

    fn window(&self, step: &Step) -> Window {
        self.policy.window_of(step, self.ladder.state.as_deref())
    }
}
