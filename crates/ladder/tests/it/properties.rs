//! The invariants of ladder.md section 11 that the planner answers for (3, 4, 5, 7, 8), over generated histories.

use crate::histories::{DAYS, History, PLAIN, Play, first_day, histories, play};
use crate::world::{World, at, closings};
use kernel::{InvoiceId, NaiveDate, StepId, calendar};
use ladder::ladder::Closing;
use ladder::notices::NoticeKind;
use ladder::track::{End, OccurrenceState, Phase};
use ladder::{Event, Ladder, evolve};
use proptest::prelude::*;
use std::collections::BTreeSet;

type Key = (InvoiceId, u32, StepId, u32);

/// Every execution of a track: day, cycle, place in policy order, tone; in the order of the log.
fn executions(world: &World, invoice: &InvoiceId) -> Vec<(NaiveDate, u32, (usize, u32), u8)> {
    let steps = world.ladder.tracks[invoice].policy(&world.book).unwrap().steps();
    let mut all = Vec::new();
    for event in &world.log {
        let Event::StepsClosed { invoice_id, cycle, day, closings, .. } = event else { continue };
        let executed = closings.iter().filter(|closing| invoice_id == invoice && matches!(closing.end, End::Executed { .. }));
        for closing in executed {
            let index = steps.iter().position(|step| step.id == closing.step_id).unwrap();
            all.push((*day, *cycle, (index, closing.occurrence), steps[index].tone));
        }
    }
    all
}

/// Every offer: what, on which day.
fn offers(world: &World) -> Vec<(NaiveDate, Key)> {
    let mut all = Vec::new();
    for event in &world.log {
        match event {
            Event::ReminderDue { day, items, .. } => {
                all.extend(items.iter().map(|at| (*day, (at.invoice_id.clone(), at.cycle, at.step_id.clone(), at.occurrence))));
            }
            Event::ActionDue { invoice_id, cycle, step_id, occurrence, day, .. } => {
                all.push((*day, (invoice_id.clone(), *cycle, step_id.clone(), *occurrence)));
            }
            _ => {}
        }
    }
    all
}

fn end_instant() -> kernel::DateTime<kernel::Utc> {
    at(calendar::add_days(first_day(), DAYS), 0)
}

fn every_way(history: &History) -> [World; 4] {
    [
        play(history, PLAIN),
        play(history, Play { outage: true, ..PLAIN }),
        play(history, Play { twice: true, ..PLAIN }),
        play(history, Play { twice: true, outage: true, often: true }),
    ]
}

/// 3: running more often, or hearing everything twice, changes nothing; the log alone gives the state.
fn extra_runs_add_nothing(history: &History) -> Result<(), TestCaseError> {
    for outage in [false, true] {
        let plain = play(history, Play { outage, ..PLAIN });
        let often = play(history, Play { outage, often: true, twice: true });
        prop_assert_eq!(&often.ladder, &plain.ladder);
        prop_assert_eq!(offers(&often), offers(&plain));
        let replayed = plain.log.iter().fold(Ladder::default(), evolve);
        prop_assert_eq!(replayed, plain.ladder);
    }
    Ok(())
}

/// 4 and 5: tone rises by one at most over all cycles, the place only rises within a cycle.
fn tone_and_place_are_steady(world: &World) -> Result<(), TestCaseError> {
    for invoice in world.ladder.tracks.keys() {
        for pair in executions(world, invoice).windows(2) {
            let [(day, cycle, place, tone), (next_day, next_cycle, next_place, next_tone)] = [pair[0], pair[1]];
            prop_assert!(next_tone <= tone + 1, "{} {:?}", invoice, pair);
            prop_assert!(next_cycle > cycle || next_place > place, "{} {:?}", invoice, pair);
            prop_assert!(next_day > day, "two steps of a track on one day: {} {:?}", invoice, pair);
        }
    }
    Ok(())
}

/// 7: one end each, with a reason; what is open has not expired, and is open for a reason that anybody can see.
fn every_step_ends_once(world: &World) -> Result<(), TestCaseError> {
    let mut ended = BTreeSet::new();
    for (invoice, cycle, Closing { step_id, occurrence, end }) in closings(&world.log) {
        prop_assert!(ended.insert((invoice, cycle, step_id.clone(), occurrence)), "{} ends twice", step_id);
        prop_assert_eq!(end.reason().is_some(), !matches!(end, End::Executed { .. }));
    }
    let today = calendar::add_days(first_day(), DAYS - 1);
    for track in world.ladder.tracks.values() {
        for at in &track.occurrences {
            prop_assert_eq!(at.is_ended(), ended.contains(&(track.invoice_id.clone(), at.cycle, at.step_id.clone(), at.occurrence)));
            let is_current = at.cycle == track.cycle && matches!(track.phase, Phase::Active | Phase::Enrolled);
            prop_assert!(at.is_ended() || track.is_claimed() || (is_current && !at.is_past(today)), "{}: {:?}", track.invoice_id, at);
        }
    }
    Ok(())
}

/// A track that stands still for good has told a person, waits for one, or waits for a delivery.
fn nothing_is_forgotten(world: &World) -> Result<(), TestCaseError> {
    for track in world.ladder.tracks.values().filter(|track| track.phase.is_running() && !track.is_claimed()) {
        let waits_for_delivery = track.current().iter().any(|at| {
            let step = track.policy(&world.book).unwrap().step(&at.step_id).unwrap();
            at.is_open() && step.requires.iter().any(|needed| needed.delivered)
        });
        let asked = track.current().iter().any(|at| matches!(at.state, OccurrenceState::AwaitingApproval { .. }));
        let wakes = ladder::next_wake(&world.ladder, &track.invoice_id, &world.book, end_instant()).is_some();
        let told = track.blocked_cycle == Some(track.cycle);
        // A person ends a dispute, or a hold for which somebody was asked.
        let arranged = track
            .arrangements
            .iter()
            .any(|open| open.arrangement.until.is_none() && (open.review_asked || open.arrangement.review_on().is_none()));
        prop_assert!(wakes || asked || told || waits_for_delivery || arranged, "{:?}", track);
    }
    Ok(())
}

/// Each offer is of a reached step on one of its days, on a day that has a window, of a track whose debt was open.
fn offers_keep_the_rules(world: &World) -> Result<(), TestCaseError> {
    let mut ladder = Ladder::default();
    let mut reminded = BTreeSet::new();
    for event in &world.log {
        if let Event::ReminderDue { day, .. } = event {
            prop_assert!(reminded.insert(*day), "two reminders on {}", day);
        }
        for (day, (invoice, cycle, step_id, occurrence)) in offers_of(event) {
            let track = &ladder.tracks[&invoice];
            let at = track.occurrence(cycle, &step_id, occurrence).unwrap();
            let step = track.policy(&world.book).unwrap().step(&step_id).unwrap();
            prop_assert!(at.is_open() && !track.is_claimed() && track.phase.is_running() && cycle == track.cycle);
            prop_assert!(track.pause_on(day).is_none(), "{} is {}", invoice, track.standing_on(day));
            prop_assert!(at.is_reached(day) && !at.is_past(day) && track.known_on < day);
            prop_assert!(step.window.opens_on(day, world.book.first.calendar()) && at.tone <= track.tone_cap());
        }
        ladder = evolve(ladder, event);
    }
    Ok(())
}

fn offers_of(event: &Event) -> Vec<(NaiveDate, Key)> {
    let mut world = World::new(crate::book::SIMPLES);
    world.log.push(event.clone());
    offers(&world)
}

/// What says that a debt is over is said on a later day, while it is true, once, and at most one contact a day; a reminder never is it.
fn notices_keep_the_rules(world: &World) -> Result<(), TestCaseError> {
    let (mut ladder, mut days, mut executed) = (Ladder::default(), BTreeSet::new(), BTreeSet::new());
    for event in &world.log {
        if let Event::NoticeDue { kind, day, items, .. } = event {
            prop_assert!(days.insert(*day), "two notices on {}", day);
            for item in items {
                let track = &ladder.tracks[&item.invoice_id];
                let over = if *kind == NoticeKind::ThankYou { Phase::Settled } else { Phase::Cancelled };
                let notice = track.notice(item.cycle, *kind).unwrap();
                prop_assert!(track.phase == over && track.cycle == item.cycle, "{:?} of {:?}", kind, track);
                prop_assert!(notice.is_open() && notice.fact_on < *day && *day <= notice.last_day);
                prop_assert!(*kind == NoticeKind::ThankYou || track.last_contact_on.is_some());
            }
        } else if let Event::NoticeClosed { invoice_id, cycle, kind, end: End::Executed { .. }, .. } = event {
            prop_assert!(executed.insert((invoice_id.clone(), *cycle, *kind)), "told twice");
        }
        ladder = evolve(ladder, event);
    }
    let today = calendar::add_days(first_day(), DAYS - 1);
    let mut left = world.ladder.tracks.values().flat_map(|track| &track.notices);
    prop_assert!(!left.any(|notice| notice.is_open() && notice.last_day < today), "a notice is left open");
    Ok(())
}

/// 8: an outage changes which steps end how; never what is owed, and nothing goes out twice.
fn an_outage_changes_no_debt(history: &History) -> Result<(), TestCaseError> {
    let (plain, outage) = (play(history, PLAIN), play(history, Play { outage: true, ..PLAIN }));
    for (id, track) in &plain.ladder.tracks {
        // Not the cycle: a hand-off that the outage delayed lets a later reversal still open one.
        prop_assert_eq!(outage.ladder.tracks[id].outstanding_minor, track.outstanding_minor);
    }
    let mut executed = BTreeSet::new();
    for (invoice, cycle, closing) in closings(&outage.log) {
        if matches!(closing.end, End::Executed { .. }) {
            prop_assert!(executed.insert((invoice, cycle, closing.step_id, closing.occurrence)));
        }
    }
    Ok(())
}

/// `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(96), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn extra_runs_and_repeated_facts_add_nothing(history in histories()) {
        extra_runs_add_nothing(&history)?;
    }

    #[test]
    fn tone_and_place_only_rise_step_by_step(history in histories()) {
        for world in every_way(&history) {
            tone_and_place_are_steady(&world)?;
        }
    }

    #[test]
    fn every_occurrence_ends_in_exactly_one_way_with_a_reason(history in histories()) {
        for world in every_way(&history) {
            every_step_ends_once(&world)?;
            nothing_is_forgotten(&world)?;
        }
    }

    #[test]
    fn every_offer_keeps_the_rule_of_its_day(history in histories()) {
        for world in every_way(&history) {
            offers_keep_the_rules(&world)?;
        }
    }

    #[test]
    fn thanks_and_corrections_are_said_once_while_they_are_true(history in histories()) {
        for world in every_way(&history) {
            notices_keep_the_rules(&world)?;
        }
    }

    #[test]
    fn an_outage_changes_neither_the_debt_nor_the_count_of_copies(history in histories()) {
        an_outage_changes_no_debt(&history)?;
    }
}
