//! What counts as a catch-up, what waits for its approval, and what approval and refusal do.

use crate::book::SIMPLES;
use crate::world::{World, at, day, enrolment, id, reminders};
use kernel::ArrangementId;
use ladder::catch_up::Forecast;
use ladder::ladder::{Arrange, Outcome};
use ladder::plan::plan;
use ladder::{Command, Event, Reason};

fn world() -> World {
    let mut world = World::new(SIMPLES);
    world.approvals_given = false;
    world.terms.late_after_days = Some(2);
    world
}

/// Due on 10 January; the engine ran until the 9th and is back on D+16.
fn after_an_outage() -> World {
    let mut world = world();
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-09");
    world.morning("2026-01-26");
    world
}

fn began(world: &World) -> Vec<(String, Forecast)> {
    let one = |event: &Event| match event {
        Event::CatchUpBegan { day, forecast } => Some((day.to_string(), forecast.clone())),
        _ => None,
    };
    world.log.iter().filter_map(one).collect()
}

fn end(world: &mut World, released: bool, on: &str) -> Vec<Event> {
    world.tell(Command::EndCatchUp { number: 1, released, now: at(day(on), 9) })
}

#[test]
fn after_an_outage_the_payer_waits_and_the_report_says_for_what() {
    let mut world = after_an_outage();
    let all = began(&world);
    assert_eq!(all.len(), 1);
    let (on, forecast) = &all[0];
    assert_eq!((on.as_str(), forecast.contacts), ("2026-01-26", 1));
    let steps: Vec<String> =
        forecast.steps.iter().map(|((_, step, channel), count)| format!("{step} {} {count}", channel.name())).collect();
    assert_eq!(steps, ["d+1 email 1"], "tone 2 comes first");
    assert!(forecast.superseded.is_empty() && forecast.expired.is_empty());
    let deferred = world.log.iter().any(|event| matches!(event, Event::StepDeferred { reason: Reason::CatchUpUnapproved, .. }));
    assert!(deferred && world.sent("i").ends_with("d-1@2026-01-09"));
    world.mornings("2026-01-27", "2026-02-20");
    let waiting: Vec<&str> =
        plan(&world.ladder, day("2026-02-20"), &world.book, false).not_offered.iter().map(|at| at.waiting.slug()).collect();
    assert_eq!((waiting, began(&world).len()), (vec!["catch_up_unapproved"], 1), "asked once");
    assert_eq!(world.next_timer(at(day("2026-02-20"), 9)), None, "only the approval wakes it");
}

#[test]
fn what_expired_and_what_will_be_superseded_is_counted() {
    let mut world = world();
    for invoice in ["a", "b"] {
        world.enroll(invoice, "2026-01-01", "2026-01-10");
    }
    // Nothing ran before: both reminders before due expired, d+1 is offered.
    world.morning("2026-01-20");
    let (_, forecast) = &began(&world)[0];
    assert_eq!((forecast.contacts, forecast.expired[&Reason::DuePassed]), (1, 4));
    assert_eq!((forecast.steps.values().sum::<u32>(), forecast.superseded.len()), (2, 0), "expired is not superseded");
    let mut later = World::new("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a 1 2 roll=none\n b 3 2 roll=none");
    (later.approvals_given, later.terms.late_after_days) = (false, Some(2));
    later.enroll("i", "2026-01-01", "2026-01-10");
    later.morning("2026-01-20");
    assert_eq!(began(&later)[0].1.superseded[&Reason::Late], 1);
}

#[test]
fn an_approved_catch_up_goes_out_at_once_and_the_following_days_are_none() {
    let mut world = after_an_outage();
    let events = end(&mut world, true, "2026-01-28");
    assert_eq!(reminders(&events).len(), 1);
    let conclusion = events.iter().find_map(|event| world.conclusion(event)).unwrap();
    world.tell(conclusion);
    world.mornings("2026-01-29", "2026-02-09");
    assert!(world.sent("i").ends_with("d+1@2026-01-28 d+15@2026-01-29 d+30@2026-02-09"), "{}", world.sent("i"));
    assert_eq!(began(&world).len(), 1);
    assert_eq!(end(&mut world, true, "2026-02-10"), [], "once");
}

#[test]
fn a_refused_catch_up_sends_nothing_of_what_is_reached() {
    let mut world = after_an_outage();
    end(&mut world, false, "2026-01-28");
    let refused = "d+1:suppressed(catch_up_refused) d+7:suppressed(catch_up_refused) d+15:suppressed(catch_up_refused) d+30:open";
    assert!(world.steps("i").ends_with(refused), "{}", world.steps("i"));
    assert_eq!(crate::world::tasks(&world.log), ["no_allowed_step"], "a person goes on where the tone would jump");
}

#[test]
fn where_approvals_are_given_the_catch_up_is_noted_and_nothing_waits() {
    let mut plain = World::new(SIMPLES);
    let mut noted = World::new(SIMPLES);
    noted.terms.late_after_days = Some(2);
    for world in [&mut plain, &mut noted] {
        world.enroll("i", "2026-01-01", "2026-01-10");
        world.mornings("2026-01-01", "2026-01-09");
        world.mornings("2026-01-26", "2026-02-20");
    }
    assert_eq!((plain.sent("i"), began(&noted).len(), began(&plain).len()), (noted.sent("i"), 1, 0));
}

#[test]
fn only_what_nobody_looked_at_is_a_catch_up() {
    // A day missed is none; a step that was deferred, or waited for the one before, is none.
    let mut missed = world();
    missed.enroll("i", "2026-01-01", "2026-01-10");
    missed.mornings("2026-01-01", "2026-01-10");
    missed.morning("2026-01-12");
    assert!(missed.sent("i").ends_with("d+1@2026-01-12"));
    let mut deferred = world();
    deferred.outcomes.insert("d+1".into(), Outcome::Deferred(Reason::BudgetSpent));
    deferred.enroll("i", "2026-01-01", "2026-01-10");
    deferred.mornings("2026-01-01", "2026-01-16");
    deferred.outcomes.clear();
    deferred.mornings("2026-01-17", "2026-01-20");
    assert!(deferred.sent("i").contains("d+7@2026-01-17") || deferred.sent("i").contains("d+1@2026-01-17"), "{}", deferred.sent("i"));
    assert!(began(&missed).is_empty() && began(&deferred).is_empty());
}

#[test]
fn a_hold_that_ends_late_and_a_debt_that_comes_overdue_are_catch_ups() {
    let mut held = world();
    held.enroll("i", "2026-01-01", "2026-01-10");
    held.mornings("2026-01-01", "2026-01-11");
    let hold = Arrange::Hold { id: ArrangementId::new("h").unwrap(), invoice_id: id("i"), until: Some(day("2026-01-20")), review_on: None };
    held.tell(Command::Arrange { at: at(day("2026-01-12"), 8), by: "ana".into(), why: "x".into(), what: hold });
    held.mornings("2026-01-12", "2026-01-21");
    assert_eq!(began(&held)[0].0, "2026-01-21");
    let mut imported = world();
    imported.tell(enrolment("i", day("2025-10-01"), day("2025-11-01"), at(day("2026-01-05"), 8)));
    imported.mornings("2026-01-05", "2026-01-06");
    assert_eq!(began(&imported)[0].0, "2026-01-06");
    let mut short_term = world();
    short_term.enroll("i", "2026-01-05", "2026-01-07");
    short_term.mornings("2026-01-05", "2026-01-08");
    assert!(began(&short_term).is_empty(), "a ladder that is longer than the term is no catch-up");
}
