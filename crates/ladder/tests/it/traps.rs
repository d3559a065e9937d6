//! Traps that other products fell into (ladder.md section 12), as far as the planner is concerned.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, closings, day, reminders, tasks};
use ladder::Reason;
use ladder::ladder::Outcome;

#[test]
fn a_run_every_minute_sends_one_copy() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    for minute in 0..24 * 60 {
        world.wake(at(day("2026-01-05"), 0) + chrono::TimeDelta::minutes(minute));
    }
    assert_eq!(world.sent("i"), "d-5@2026-01-05");
    assert_eq!(world.log.len(), 3, "enrolled, due, closed");
}

#[test]
fn a_run_every_minute_asks_once_while_the_notifier_is_down() {
    let mut world = World::new(SIMPLES);
    world.notifier_down = true;
    world.enroll("i", "2026-01-01", "2026-01-10");
    for hour in 0..24 * 30 {
        world.wake(at(day("2026-01-05"), 0) + chrono::TimeDelta::hours(hour));
    }
    assert_eq!(reminders(&world.log).len(), 1);
}

#[test]
fn an_outage_does_not_lose_a_step_that_fires_on_one_day_and_the_mild_reminder_comes_first() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-09");
    world.mornings("2026-01-26", "2026-01-28"); // back on D+16
    assert_eq!(world.sent("i"), "d-5@2026-01-05 d-1@2026-01-09 d+1@2026-01-26 d+15@2026-01-27");
    assert!(world.steps("i").contains("d+7:superseded(late)"));
    world.mornings("2026-01-29", "2026-02-09");
    assert!(world.sent("i").ends_with("d+30@2026-02-09"));
}

#[test]
fn a_late_run_does_not_shift_the_steps_that_follow() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    for on in ["2026-01-07", "2026-01-09", "2026-01-14", "2026-01-17", "2026-01-25", "2026-02-09"] {
        world.wake(at(day(on), 17));
    }
    assert_eq!(world.sent("i"), "d-5@2026-01-07 d-1@2026-01-09 d+1@2026-01-14 d+7@2026-01-17 d+15@2026-01-25 d+30@2026-02-09");
}

#[test]
fn due_today_is_not_overdue() {
    let mut world = World::new("d0 0 1\n d+1 1 2");
    world.enroll("i", "2026-01-05", "2026-01-12");
    world.mornings("2026-01-05", "2026-01-13");
    let overdue: Vec<(String, bool)> = reminders(&world.log).iter().map(|(on, items)| (on.to_string(), items[0].overdue)).collect();
    assert_eq!(overdue, [("2026-01-12".into(), false), ("2026-01-13".into(), true)]);
}

#[test]
fn a_day_is_the_payers_and_not_that_of_utc() {
    let mut world = World::new("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a -1 1 roll=none");
    // Recorded at 22:00 of 8 January in São Paulo: already the 9th in UTC.
    let enroll = crate::world::enrolment("i", day("2026-01-08"), day("2026-01-10"), at(day("2026-01-08"), 22));
    world.tell(enroll);
    assert_eq!(world.track("i").known_on, day("2026-01-08"));
    world.mornings("2026-01-09", "2026-01-09");
    assert_eq!(world.sent("i"), "a@2026-01-09");
}

#[test]
fn a_friday_start_does_not_burn_steps_over_a_weekend() {
    // Due Friday 9 January: D+1 and D+2 roll to Monday, D+3 is Monday: the latest goes out, none is lost silently.
    let mut world = World::new("d+1 1 1\n d+2 2 2\n d+3 3 2\n d+4 4 3");
    world.enroll("i", "2026-01-02", "2026-01-09");
    world.mornings("2026-01-02", "2026-01-11");
    assert_eq!(world.sent("i"), "", "nothing on Saturday and Sunday");
    world.mornings("2026-01-12", "2026-01-13");
    assert_eq!(world.steps("i"), "d+1:superseded(same_day) d+2:superseded(same_day) d+3:executed d+4:executed");
    assert_eq!(world.sent("i"), "d+3@2026-01-12 d+4@2026-01-13");
}

#[test]
fn a_negative_offset_is_before_due() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    let planned: Vec<String> = world.track("i").current().iter().take(4).map(|at| at.planned_on.unwrap().to_string()).collect();
    assert_eq!(planned, ["2026-01-05", "2026-01-09", "2026-01-12", "2026-01-13"]);
}

#[test]
fn no_reminder_for_a_payment_that_came_in_the_same_morning() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.pay("i", "2026-01-05", 0);
    assert_eq!(world.morning("2026-01-05"), []);
}

#[test]
fn a_covered_debt_is_suppressed_and_a_missing_address_spends_nothing_of_the_track() {
    for (outcome, end) in [
        (Outcome::Suppressed(Reason::CoveredByCredit), "suppressed(covered_by_credit)"),
        (Outcome::Undeliverable(Reason::NoAddress), "undeliverable(no_address)"),
    ] {
        let mut world = World::new(SIMPLES);
        world.outcomes.insert("d-5".into(), outcome);
        world.enroll("i", "2026-01-01", "2026-01-10");
        world.mornings("2026-01-05", "2026-01-05");
        assert!(world.steps("i").starts_with(&format!("d-5:{end} d-1:open")));
        let track = world.track("i");
        assert_eq!((track.last_contact_on, track.place(), track.tone_cap()), (None, None, 2));
    }
}

#[test]
fn many_invoices_of_a_payer_make_one_reminder_a_day() {
    let mut world = World::new(SIMPLES);
    for number in 0..50 {
        world.enroll(&format!("i{number}"), "2026-01-01", "2026-01-10");
    }
    world.timers(day("2026-01-01"), day("2026-03-01"));
    let all = reminders(&world.log);
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|(_, items)| items.len() == 50));
}

#[test]
fn a_returned_payment_is_overdue_again_by_its_dates_and_not_by_what_was_sent() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-11");
    world.pay("i", "2026-01-12", 0);
    world.reverse("i", "2026-01-18", 10_000);
    world.morning("2026-01-18");
    assert_eq!(world.steps("i"), "d-5:expired(due_passed) d-1:expired(due_passed) d+1:executed d+7:open d+15:open d+30:open");
}

#[test]
fn the_last_state_is_not_looked_at_for_ever() {
    let mut world = World::new(SIMPLES);
    world.outcomes.insert("d+7".into(), Outcome::Undeliverable(Reason::AllChannelsFailed));
    world.outcomes.insert("d+15".into(), Outcome::Undeliverable(Reason::AllChannelsFailed));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.timers(day("2026-01-01"), day("2026-12-31"));
    assert_eq!(world.next_timer(at(day("2026-03-01"), 0)), None);
    assert_eq!(tasks(&world.log), ["undeliverable", "undeliverable", "no_allowed_step"]);
}

#[test]
fn a_question_that_nobody_answers_is_not_looked_at_for_ever() {
    let mut world = World::new(&SIMPLES.replace("d+30 30 4", "d+30 30 4 approval=true"));
    world.approvals_given = false;
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.timers(day("2026-01-01"), day("2026-12-31"));
    assert!(world.steps("i").ends_with("d+30:awaiting"));
    assert_eq!(world.next_timer(at(day("2026-02-10"), 0)), None);
}

#[test]
fn an_expiry_is_recorded_on_the_day_after_even_where_the_window_is_shut() {
    // Due Friday 9 January: the step was deferred on its only days, Saturday has no window.
    let mut world = World::new("d-1 -1 1\n d+1 1 2");
    world.outcomes.insert("d-1".into(), Outcome::Deferred(Reason::BudgetSpent));
    world.enroll("i", "2026-01-02", "2026-01-09");
    world.timers(day("2026-01-02"), day("2026-01-10"));
    assert_eq!(world.steps("i"), "d-1:expired(due_passed) d+1:open");
    assert_eq!(closings(&world.log).len(), 1);
}
