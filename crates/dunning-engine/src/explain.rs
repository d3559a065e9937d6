//! Why was this payer contacted, or not, on that day? What was recorded for the day, and for every other step of a running track what the
//! planner says of the state at the end of the day. Pure.

use crate::query::Decision;
use chrono::NaiveDate;
use ladder::{
    Ladder, PolicyBook, Reason,
    notices::Notice,
    plan::{self, Waiting},
    policy::Expires,
    track::{Occurrence, OccurrenceState, Track},
};

/// What an explanation is made of.
pub struct Asked<'a> {
    /// The local day.
    pub day: NaiveDate,
    /// The payer's local day now.
    pub today: NaiveDate,
    /// The payer's ladders at the end of the day (or now, where it is not over).
    pub ladder: &'a Ladder,
    /// The policies.
    pub book: &'a dyn PolicyBook,
    /// Whether steps that ask for approval need none.
    pub approvals_given: bool,
    /// What was recorded for the day.
    pub decisions: &'a [Decision],
    /// The name of the payer's local holiday on the day.
    pub holiday: Option<&'a str>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// Whether anything was handed over on that day.
    pub contacted: bool,
    /// Every step considered, in policy order within its track.
    pub considered: Vec<Considered>,
    /// For a person: what happened first, then what did not and why.
    pub lines: Vec<String>,
    /// What was known of each receivable.
    pub facts: Vec<Known>,
}

/// What was known of a receivable at the end of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its phase, or what an arrangement made of it on that day.
    pub standing: &'static str,
    /// The contested part, minor units.
    pub disputed_minor: i64,
    /// The hardest tone that its next step may have.
    pub tone_cap: u8,
    /// The rest.
    pub track: Track,
}

/// What was decided about one step on the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The receivable.
    pub invoice_id: String,
    /// The cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: String,
    /// Its occurrence.
    pub occurrence: u32,
    /// The ladder.
    pub policy_id: String,
    /// Its version.
    pub policy_version: u32,
    /// The variant of that version; empty where it is the base.
    pub variant: String,
    /// First allowed day; `None` while it counts from an execution that has not come.
    pub planned_on: Option<NaiveDate>,
    /// What was decided.
    pub decision: String,
    /// Slug; may be empty.
    pub reason: String,
    detail: String,
}

impl Considered {
    /// `d+7`, or `d+7 #2` where it is not the first occurrence.
    fn step(&self) -> String {
        if self.occurrence > 1 { format!("{} #{}", self.step_id, self.occurrence) } else { self.step_id.clone() }
    }
}

/// Why a step that is open on `day` reads as over by its dates; `None` where it does not.
pub fn expired(book: &dyn PolicyBook, track: &Track, occurrence: &Occurrence, day: NaiveDate) -> Option<Reason> {
    let expires = || track.policy(book)?.step(&occurrence.step_id).map(|step| step.expires);
    occurrence.is_past(day).then(|| match expires() {
        Some(Expires::AfterDays(_)) => Reason::TooOld,
        Some(Expires::AtDue | Expires::Never) | None => Reason::DuePassed,
    })
}

/// Explains a day.
pub fn explain(asked: &Asked<'_>) -> Explanation {
    let plan = plan::plan(asked.ladder, asked.day, asked.book, asked.approvals_given);
    let (mut over, mut paused) = (Vec::new(), Vec::new());
    let mut considered = Vec::new();
    for track in asked.ladder.tracks.values() {
        let recorded = Recorded::of(asked, track);
        if !track.phase.is_running() && recorded.0.is_empty() {
            over.push(format!("{} is {}", track.invoice_id, track.phase.slug()));
            continue;
        }
        paused.extend(pause(track, asked.day));
        considered.extend(of_track(asked, track, &recorded, &plan));
        considered.extend(notices(track, &recorded));
    }
    let mut lines = lines(&considered);
    if lines.is_empty() && over.is_empty() {
        lines.push(format!("no receivable of this payer was on a ladder on {}", asked.day));
    }
    lines.extend(asked.holiday.map(|name| format!("{} is a local holiday of this payer: {name}", asked.day)));
    lines.extend(paused);
    lines.extend(over);
    let contacted = asked.decisions.iter().any(|made| made.decision == "executed" && !made.contact_id.is_empty());
    let known = |track: &Track| Known {
        standing: track.standing_on(asked.day),
        disputed_minor: track.disputed_minor(),
        tone_cap: track.tone_cap(),
        track: track.clone(),
    };
    Explanation { contacted, considered, lines, facts: asked.ladder.tracks.values().map(known).collect() }
}

/// `I1 is held until 2026-12-04 by ana: em negociação`.
fn pause(track: &Track, day: NaiveDate) -> Option<String> {
    let arrangement = track.pause_on(day).filter(|_| track.phase.is_running())?;
    let until = arrangement.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let (state, by, why) = (arrangement.kind().state(), &arrangement.by, &arrangement.why);
    Some(format!("{} is {state}{until} by {by}: {why}", track.invoice_id))
}

/// What was recorded about one track.
struct Recorded<'a>(Vec<&'a Decision>);

impl<'a> Recorded<'a> {
    fn of(asked: &Asked<'a>, track: &Track) -> Self {
        Self(asked.decisions.iter().filter(|made| made.invoice_id == track.invoice_id.as_str()).collect())
    }

    /// The last thing that was decided about an occurrence: its end, else what was done with its offer.
    fn of_occurrence(&self, at: &Occurrence) -> Option<&'a Decision> {
        let same = |made: &&&Decision| made.cycle == at.cycle && made.occurrence == at.occurrence && made.step_id == at.step_id.as_str();
        self.0.iter().filter(same).copied().max_by_key(|made| rank(&made.decision))
    }

    /// Whether a later step of the cycle was put forward on that day.
    fn put_forward_after(&self, track: &Track, index: usize) -> bool {
        let later = track.current().iter().skip(index + 1).filter_map(|at| self.of_occurrence(at));
        later.into_iter().any(|made| !matches!(made.decision.as_str(), "superseded" | "expired"))
    }
}

fn rank(decision: &str) -> u8 {
    match decision {
        "approval_requested" => 0,
        "offered" => 1,
        "deferred" => 2,
        _ => 3,
    }
}

fn of_track(asked: &Asked<'_>, track: &Track, recorded: &Recorded<'_>, plan: &plan::Plan) -> Vec<Considered> {
    let earlier_cycles = track.occurrences.iter().filter(|at| at.cycle != track.cycle && recorded.of_occurrence(at).is_some());
    let mut found: Vec<Considered> = earlier_cycles.filter_map(|at| Some(made(track, at, recorded.of_occurrence(at)?))).collect();
    for (index, at) in track.current().iter().enumerate() {
        let one = match recorded.of_occurrence(at) {
            Some(decision) => on_holiday(asked, made(track, at, decision)),
            None => {
                let (decision, reason) = judge(asked, track, (index, at), recorded, plan);
                on_holiday(asked, considered(track, at, decision, &reason))
            }
        };
        found.push(one);
    }
    found
}

/// The slug of what is not offered because the day is a local holiday of the payer.
const LOCAL_HOLIDAY: &str = "local_holiday";

/// Says for which holiday the window was shut.
fn on_holiday(asked: &Asked<'_>, mut one: Considered) -> Considered {
    let was_shut = one.reason == LOCAL_HOLIDAY || one.reason == Waiting::WindowShut.slug();
    if let Some(name) = asked.holiday.filter(|_| was_shut) {
        one.detail.push_str(&format!(" on {name}"));
    }
    one
}

fn considered(track: &Track, at: &Occurrence, decision: &str, reason: &str) -> Considered {
    Considered {
        invoice_id: track.invoice_id.to_string(),
        cycle: at.cycle,
        step_id: at.step_id.to_string(),
        occurrence: at.occurrence,
        policy_id: track.policy_id.to_string(),
        policy_version: track.policy_version,
        variant: track.variant.as_ref().map(ToString::to_string).unwrap_or_default(),
        planned_on: at.planned_on,
        decision: decision.to_owned(),
        reason: reason.to_owned(),
        detail: String::new(),
    }
}

/// What was done on that day about thanks and corrections.
fn notices(track: &Track, recorded: &Recorded<'_>) -> Vec<Considered> {
    let one = |notice: &Notice| {
        let step_id = notice.kind.step_id();
        let same = |made: &&&Decision| made.cycle == notice.cycle && made.step_id == step_id.as_str();
        let decision = recorded.0.iter().filter(same).max_by_key(|made| rank(&made.decision))?;
        Some(Considered {
            invoice_id: track.invoice_id.to_string(),
            cycle: notice.cycle,
            step_id: step_id.to_string(),
            occurrence: decision.occurrence,
            policy_id: track.policy_id.to_string(),
            policy_version: track.policy_version,
            variant: track.variant.as_ref().map(ToString::to_string).unwrap_or_default(),
            planned_on: Some(notice.first_day()),
            decision: decision.decision.clone(),
            reason: decision.reason.clone(),
            detail: detail(decision),
        })
    };
    track.notices.iter().filter_map(one).collect()
}

fn made(track: &Track, at: &Occurrence, decision: &Decision) -> Considered {
    Considered { detail: detail(decision), ..considered(track, at, &decision.decision, &decision.reason) }
}

fn detail(decision: &Decision) -> String {
    let mut detail = String::new();
    for (word, value) in [(" on ", &decision.channel), (" by contact ", &decision.contact_id), (" in favour of ", &decision.by_step_id)] {
        if !value.is_empty() {
            detail.push_str(word);
            detail.push_str(value);
        }
    }
    detail
}

/// What to say of a step about which nothing was recorded on that day.
fn judge(
    asked: &Asked<'_>,
    track: &Track,
    (index, at): (usize, &Occurrence),
    recorded: &Recorded<'_>,
    plan: &plan::Plan,
) -> (&'static str, String) {
    if let OccurrenceState::Ended { end, .. } = &at.state {
        return ("ended_before", end.reason().map_or(end.slug(), Reason::slug).to_owned());
    }
    if let Some(reason) = expired(asked.book, track, at, asked.day) {
        return ("expired", reason.slug().to_owned());
    }
    if !at.is_reached(asked.day) {
        let reason = if at.planned_on.is_some() { "planned_later" } else { "previous_not_executed" };
        return ("not_reached", reason.to_owned());
    }
    if track.place().is_some_and(|place| index < place) {
        return ("superseded", Reason::Late.slug().to_owned());
    }
    ("not_offered", why_not_offered(asked, track, (index, at), recorded, plan))
}

fn why_not_offered(
    asked: &Asked<'_>,
    track: &Track,
    (index, at): (usize, &Occurrence),
    recorded: &Recorded<'_>,
    plan: &plan::Plan,
) -> String {
    if at.tone > track.tone_cap() {
        return Waiting::ToneTooHigh.slug().to_owned();
    }
    let is_unmet =
        |offer: &plan::Offer| (&offer.invoice_id, &offer.step_id, offer.occurrence) == (&track.invoice_id, &at.step_id, at.occurrence);
    if plan.unmet.iter().any(is_unmet) {
        return Waiting::ConditionNotMet.slug().to_owned();
    }
    if recorded.put_forward_after(track, index) {
        return "later_step_chosen".to_owned();
    }
    if let Some(offer) = plan.offers.iter().find(|offer| offer.invoice_id == track.invoice_id) {
        return match (&offer.step_id, offer.occurrence) == (&at.step_id, at.occurrence) {
            false => "other_step_chosen".to_owned(),
            true if asked.holiday.is_some() => LOCAL_HOLIDAY.to_owned(),
            // The plan of the day would offer it, and no wake carried that out: the window is still to open, or the engine was out.
            true if asked.day >= asked.today => "still_to_come".to_owned(),
            true => "engine_out".to_owned(),
        };
    }
    let waits = plan.not_offered.iter().find(|waits| waits.invoice_id == track.invoice_id);
    waits.map_or("nothing_reached", |waits| waits.waiting.slug()).to_owned()
}

/// What happened, then what was held back, then for each track the step that comes next.
fn lines(considered: &[Considered]) -> Vec<String> {
    let of = |wanted: fn(&str) -> bool| considered.iter().filter(move |one| wanted(&one.decision)).map(line);
    let happened = of(|decision| !matches!(decision, "not_offered" | "not_reached" | "ended_before"));
    let held_back = of(|decision| decision == "not_offered");
    let mut lines: Vec<String> = happened.chain(held_back).collect();
    let mut last_invoice = "";
    for next in considered.iter().filter(|one| one.decision == "not_reached") {
        if next.invoice_id != last_invoice {
            let on = next.planned_on.map_or("once the step before was executed".to_owned(), |day| format!("on {day}"));
            lines.push(format!("{} next: {} {on}", next.invoice_id, next.step()));
        }
        last_invoice = &next.invoice_id;
    }
    lines
}

fn line(one: &Considered) -> String {
    let Considered { invoice_id, cycle, policy_id, policy_version, variant, decision, reason, detail, .. } = one;
    let (step, planned) = (one.step(), one.planned_on.map_or("without a date yet".to_owned(), |day| format!("planned for {day}")));
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let variant = if variant.is_empty() { String::new() } else { format!(" variant {variant}") };
    format!("{invoice_id} {step} {decision}{why}{detail}; cycle {cycle} of {policy_id} version {policy_version}{variant}, {planned}")
}
