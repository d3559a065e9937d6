//! Steps that come again, and steps whose date counts from the execution of the step before.

use crate::book::policy;
use crate::world::{World, at, day, tasks};
use ladder::ladder::Outcome;
use ladder::{Event, Reason};

const DAILY: &str = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun";

fn world(steps: &str) -> World {
    let mut world = World::new(&format!("{DAILY}\n {steps}"));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

#[test]
fn a_repeated_step_comes_again_on_days_that_count_from_the_due_date() {
    let mut world = world("a 1 2 every=7 most=3\n b 30 3");
    world.mornings("2026-01-01", "2026-03-01");
    assert_eq!(world.sent("i"), "a@2026-01-11 a@2026-01-18 a@2026-01-25 b@2026-02-09");
    let keys: Vec<u32> = world.track("i").current().iter().map(|at| at.occurrence).collect();
    assert_eq!(keys, [1, 2, 3, 1]);
    assert_eq!(tasks(&world.log), ["exhausted"]);
}

#[test]
fn a_late_run_does_not_shift_the_occurrences_that_follow() {
    let mut world = world("a 1 2 every=7 most=3");
    world.mornings("2026-01-14", "2026-01-25");
    assert_eq!(world.sent("i"), "a@2026-01-14 a@2026-01-18 a@2026-01-25");
}

#[test]
fn of_several_reached_occurrences_the_latest_goes_and_the_lower_ones_are_superseded_by_their_own_step() {
    let mut world = world("a 1 2 every=7 most=3");
    world.mornings("2026-01-19", "2026-01-25");
    assert_eq!(world.steps("i"), "a:superseded(late) a:executed a:executed");
    let by: Vec<String> = world
        .log
        .iter()
        .filter_map(|event| if let Event::StepsClosed { closings, .. } = event { Some(closings) } else { None })
        .flatten()
        .filter_map(|closing| if let ladder::track::End::Superseded { by, .. } = &closing.end { by.as_ref() } else { None })
        .map(ToString::to_string)
        .collect();
    assert_eq!(by, ["a"]);
}

#[test]
fn in_a_replay_every_occurrence_goes_out_in_order() {
    let mut world = world("catch_up replay\n a 1 2 every=7 most=3");
    world.mornings("2026-02-01", "2026-02-05");
    assert_eq!(world.sent("i"), "a@2026-02-01 a@2026-02-02 a@2026-02-03");
}

#[test]
fn a_later_step_ends_the_repetition_of_an_earlier_one_and_a_repetition_keeps_its_tone() {
    let mut world = world("a 1 2 every=3 most=5\n b 5 3");
    world.mornings("2026-01-01", "2026-02-10");
    assert_eq!(world.sent("i"), "a@2026-01-11 a@2026-01-14 b@2026-01-15");
    assert_eq!(world.steps("i"), "a:executed a:executed a:superseded(late) a:superseded(late) a:superseded(late) b:executed");
    assert!(world.track("i").current().iter().take(5).all(|at| at.tone == 2));
}

#[test]
fn each_occurrence_has_its_own_last_day_and_fails_by_itself() {
    let mut world = world("a 1 2 every=7 most=3 expires=2");
    world.outcomes.insert("a".into(), Outcome::Deferred(Reason::BudgetSpent));
    world.mornings("2026-01-01", "2026-01-15");
    assert_eq!(world.steps("i"), "a:expired(too_old) a:open a:open");
    world.outcomes.insert("a".into(), Outcome::Undeliverable(Reason::NoAddress));
    world.mornings("2026-01-16", "2026-01-18");
    world.outcomes.clear();
    world.mornings("2026-01-19", "2026-01-26");
    assert_eq!(world.steps("i"), "a:expired(too_old) a:undeliverable(no_address) a:executed");
    assert_eq!(world.sent("i"), "a@2026-01-25");
}

#[test]
fn what_requires_a_repeated_step_is_content_with_any_of_its_occurrences() {
    let mut world = world("a 1 2 every=7 most=3\n b 30 3 kind=bureau requires=a:executed:20");
    world.mornings("2026-01-01", "2026-02-09");
    assert!(world.sent("i").ends_with("a@2026-01-25 b@2026-02-09"), "{}", world.sent("i"));
}

#[test]
fn a_payment_ends_the_occurrences_that_are_left() {
    let mut world = world("a 1 2 every=7 most=3");
    world.mornings("2026-01-01", "2026-01-12");
    world.pay("i", "2026-01-13", 0);
    assert_eq!(world.steps("i"), "a:executed a:superseded(paid) a:superseded(paid)");
}

#[test]
fn after_a_return_the_occurrence_that_was_just_sent_is_not_repeated_and_later_ones_come() {
    let mut world = world("a 1 2 every=7 most=3 gap=3");
    world.mornings("2026-01-01", "2026-01-18");
    world.pay("i", "2026-01-19", 0);
    world.reverse("i", "2026-01-20", 10_000);
    assert_eq!(world.steps("i"), "a:superseded(recently_sent) a:superseded(recently_sent) a:open");
}

#[test]
fn a_step_counts_from_the_day_on_which_the_one_before_was_executed() {
    let mut world = world("a 1 2\n b 5 3 anchor=previous_executed\n c 60 3");
    world.mornings("2026-01-01", "2026-01-10");
    assert_eq!(world.track("i").current()[1].planned_on, None);
    // Out on the 11th and 12th: the execution counts, and not the planned date.
    world.mornings("2026-01-13", "2026-01-13");
    assert_eq!(world.track("i").current()[1].planned_on, Some(day("2026-01-18")));
    assert_eq!(world.next_timer(at(day("2026-01-13"), 9)), Some(at(day("2026-01-18"), 9)));
    world.mornings("2026-01-20", "2026-01-20");
    assert_eq!(world.sent("i"), "a@2026-01-13 b@2026-01-20", "a late run does not move the date, it only finds it passed");
}

#[test]
fn how_often_the_engine_runs_does_not_move_a_date_that_counts_from_an_execution() {
    let mut often = world("a 1 2\n b 5 3 anchor=previous_executed");
    for hour in 0..24 {
        often.wake(at(day("2026-01-11"), hour));
    }
    let mut once = world("a 1 2\n b 5 3 anchor=previous_executed");
    once.timers(day("2026-01-01"), day("2026-01-11"));
    assert_eq!(often.ladder, once.ladder);
}

#[test]
fn after_a_repeated_step_the_last_execution_counts_once_none_is_left() {
    let mut world = world("a 1 2 every=3 most=3\n b 2 3 anchor=previous_executed");
    world.mornings("2026-01-01", "2026-01-14");
    assert_eq!(world.track("i").current()[3].planned_on, None, "a third reminder is to come");
    world.mornings("2026-01-15", "2026-01-19");
    assert_eq!(world.sent("i"), "a@2026-01-11 a@2026-01-14 a@2026-01-17 b@2026-01-19");
}

#[test]
fn a_date_that_is_over_when_it_becomes_known_expires_at_once() {
    let mut world = world("a 1 2 every=3 most=2\n b 2 2 anchor=previous_executed expires=1\n c 30 2");
    world.mornings("2026-01-01", "2026-01-11");
    world.outcomes.insert("a".into(), Outcome::Undeliverable(Reason::NoAddress));
    world.mornings("2026-01-20", "2026-01-20");
    assert_eq!(world.steps("i"), "a:executed a:undeliverable(no_address) b:expired(too_old) c:open");
}

#[test]
fn a_date_that_becomes_known_below_the_place_is_overtaken_at_once() {
    let mut world = world("a 1 2 every=3 most=3\n b 4 2 anchor=previous_executed\n c 20 2");
    world.mornings("2026-01-01", "2026-01-11");
    world.mornings("2026-01-30", "2026-01-30");
    assert_eq!(world.steps("i"), "a:executed a:superseded(late) a:superseded(late) b:superseded(late) c:executed");
}

#[test]
fn what_counts_from_a_step_that_was_not_executed_is_lost_with_it_all_along_the_chain() {
    let mut world = world("a 1 2\n b 5 2 anchor=previous_executed\n c 1 2 anchor=previous_executed\n d 9 2");
    world.outcomes.insert("a".into(), Outcome::Suppressed(Reason::BelowMinimum));
    world.mornings("2026-01-01", "2026-01-11");
    assert_eq!(world.steps("i"), "a:suppressed(below_minimum) b:superseded(anchor_lost) c:superseded(anchor_lost) d:open");
    world.mornings("2026-01-12", "2026-01-19");
    assert_eq!(world.sent("i"), "d@2026-01-19");
}

#[test]
fn a_step_that_was_overtaken_takes_with_it_what_counts_from_it() {
    let mut world = world("a 1 2\n b 5 2 anchor=previous_executed\n c 3 2");
    world.mornings("2026-01-14", "2026-01-14");
    assert_eq!(world.steps("i"), "a:superseded(late) b:superseded(anchor_lost) c:executed");
}

#[test]
fn a_track_whose_next_step_counts_from_one_that_can_never_go_tells_a_person() {
    let mut world = world("a 1 2\n b 2 3\n c 1 3 anchor=previous_executed");
    world.outcomes.insert("a".into(), Outcome::Undeliverable(Reason::NoAddress));
    world.mornings("2026-01-01", "2026-01-20");
    assert_eq!(world.steps("i"), "a:undeliverable(no_address) b:open c:open");
    assert_eq!(tasks(&world.log), ["undeliverable", "no_allowed_step"]);
}

#[test]
fn a_new_cycle_counts_from_its_own_executions() {
    let mut world = world("a 1 2\n b 5 3 anchor=previous_executed");
    world.mornings("2026-01-01", "2026-01-11");
    world.amend("i", "2026-01-12", "2026-01-20", 10_000);
    assert_eq!(world.track("i").current()[1].planned_on, None);
    world.mornings("2026-01-13", "2026-01-26");
    assert_eq!(world.sent("i"), "a@2026-01-11 a@2026-01-21 b@2026-01-26");
}

#[test]
fn the_default_is_once_and_from_the_due_date() {
    let steps = policy("a 1 1");
    assert_eq!((steps.steps()[0].times(), steps.steps()[0].anchor), (1, ladder::policy::Anchor::Due));
}

#[test]
fn a_fact_closes_what_was_lost_before_it_as_lost() {
    let mut world = world("a 1 2 expires=2\n b 5 2 anchor=previous_executed\n c 30 2");
    // Nobody looked since the step before expired.
    world.pay("i", "2026-01-20", 0);
    assert_eq!(world.steps("i"), "a:expired(too_old) b:superseded(anchor_lost) c:superseded(paid)");
}
