//! Running tracks that move from one version of a policy to another.

use crate::book::policy;
use crate::world::{World, at, day, id, reminders, standing, tasks};
use kernel::PolicyId;
use ladder::ladder::Outcome;
use ladder::{Command, Event, Reason, migration};

const DAILY: &str = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun";
const OLD: &str = "a -5 1 roll=none\n b 1 2 roll=none\n c 7 3 roll=none\n d 15 3 roll=none";

fn world(new: &str) -> World {
    world_of(OLD, new)
}

fn world_of(old: &str, new: &str) -> World {
    let mut world = World::new(&format!("{DAILY}\n {old}"));
    world.book.second = Some(policy(&format!("{DAILY}\n {new}")));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

fn command(on: &str, to_version: u32) -> Command {
    let policy_id = || PolicyId::new("p").unwrap();
    let (by, why) = ("ana".into(), "mais brando".into());
    Command::Migrate { from: (policy_id(), 1), to: (policy_id(), to_version), by, why, now: at(day(on), 12) }
}

fn migrate(world: &mut World, on: &str) -> Vec<Event> {
    world.tell(command(on, 2))
}

#[test]
fn steps_are_mapped_by_id_and_what_was_done_is_not_done_again() {
    let mut world = world("a -5 1 roll=none\n b 2 2 roll=none\n x 4 2 roll=none\n d 20 3 roll=none");
    world.mornings("2026-01-01", "2026-01-11");
    migrate(&mut world, "2026-01-11");
    assert_eq!(world.track("i").policy_version, 2);
    assert_eq!(world.steps("i"), "c:superseded(policy_migrated) a:executed b:executed x:open d:open");
    world.mornings("2026-01-12", "2026-02-01");
    assert_eq!(world.sent("i"), "a@2026-01-05 b@2026-01-11 x@2026-01-14 d@2026-01-30");
    assert_eq!(tasks(&world.log), ["exhausted"]);
}

#[test]
fn told_again_it_changes_nothing_and_other_versions_are_left_alone() {
    let mut world = world("a -5 1 roll=none\n b 2 2 roll=none");
    assert_eq!(migrate(&mut world, "2026-01-02").len(), 2);
    assert_eq!(migrate(&mut world, "2026-01-02"), []);
    assert_eq!(world.try_tell(&command("2026-01-02", 3)).map_err(|rejection| rejection.slug()), Err("unknown_policy"));
}

#[test]
fn a_new_step_below_the_place_is_never_sent() {
    let mut world = world("a -5 1 roll=none\n x -1 1 roll=none expires=never\n b 1 2 roll=none\n d 15 3 roll=none");
    world.mornings("2026-01-01", "2026-01-11");
    migrate(&mut world, "2026-01-12");
    world.mornings("2026-01-12", "2026-01-26");
    assert_eq!(world.sent("i"), "a@2026-01-05 b@2026-01-11 d@2026-01-25");
    assert!(world.steps("i").contains("x:superseded(late)"), "{}", world.steps("i"));
}

#[test]
fn where_the_last_executed_step_has_vanished_the_track_stands_where_it_stood() {
    // b is gone: x is planned no later than it was, y stands above.
    let mut world = world("a -5 1 roll=none\n x 0 2 roll=none\n y 3 2 roll=none\n z 5 3 roll=none");
    world.mornings("2026-01-01", "2026-01-11");
    migrate(&mut world, "2026-01-11");
    let steps = "a:executed x:open b:executed c:superseded(policy_migrated) d:superseded(policy_migrated) y:open z:open";
    assert_eq!(world.steps("i"), steps);
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!(world.sent("i"), "a@2026-01-05 b@2026-01-11 y@2026-01-13 z@2026-01-15");
}

#[test]
fn the_tone_rises_by_one_from_what_was_executed_whatever_the_new_version_says() {
    let mut world = world("b 1 2 roll=none\n c 2 3 roll=none\n d 3 4 roll=none");
    world.mornings("2026-01-01", "2026-01-10");
    assert_eq!(world.sent("i"), "a@2026-01-05");
    migrate(&mut world, "2026-01-14");
    world.mornings("2026-01-14", "2026-01-16");
    assert_eq!(world.sent("i"), "a@2026-01-05 b@2026-01-14 c@2026-01-15 d@2026-01-16");
}

#[test]
fn on_the_day_of_the_move_a_payer_gets_one_contact_whatever_the_new_version_merges() {
    let new = "merge none\n pre -1 1 roll=none from=14:00\n b 1 2 roll=none";
    let mut world = world_of("merge none\n a 30 1", new);
    world.enroll("j", "2026-01-01", "2026-01-12");
    world.enroll("k", "2026-01-01", "2026-01-10");
    world.tell(command("2026-01-11", 2));
    let events = world.wake(at(day("2026-01-11"), 13));
    let merge = |event: &Event| if let Event::ReminderDue { rules, .. } = event { Some(rules.merge) } else { None };
    assert_eq!(events.iter().filter_map(merge).collect::<Vec<_>>(), [ladder::policy::Merge::PerDay]);
    assert_eq!(reminders(&events)[0].1.len(), 2);
    assert!(reminders(&world.wake(at(day("2026-01-11"), 15))).is_empty());
    assert_eq!(reminders(&world.wake(at(day("2026-01-12"), 15))).len(), 1, "the next day as the policy says");
}

#[test]
fn a_payer_who_was_reminded_that_morning_is_not_reminded_again_after_the_move() {
    let mut world = world("b 1 2 roll=none\n x 1 2 roll=none");
    world.mornings("2026-01-11", "2026-01-11");
    migrate(&mut world, "2026-01-11");
    assert!(reminders(&world.wake(at(day("2026-01-11"), 15))).is_empty());
    world.mornings("2026-01-12", "2026-01-12");
    assert_eq!(world.sent("i"), "b@2026-01-11 x@2026-01-12");
}

#[test]
fn a_track_of_which_a_step_is_being_carried_out_is_moved_once_it_is_concluded() {
    let mut world = world("b 1 2 roll=none\n x 3 2 roll=none");
    world.notifier_down = true;
    let events = world.morning("2026-01-11");
    assert_eq!(migration::plan(world.track("i"), world.book.second.as_ref().unwrap()), None);
    assert_eq!(migrate(&mut world, "2026-01-11"), []);
    let conclusion = events.iter().find_map(|event| world.conclusion(event)).unwrap();
    world.tell(conclusion);
    migrate(&mut world, "2026-01-11");
    assert_eq!(world.track("i").policy_version, 2);
}

#[test]
fn an_approval_is_asked_again_for_the_new_text() {
    let mut world = world_of("a 1 2 approval=true", "a 1 2 approval=true channels=sms");
    world.approvals_given = false;
    world.mornings("2026-01-11", "2026-01-11");
    let step_id = kernel::StepId::new("a").unwrap();
    world.tell(crate::world::approval("i", step_id, "2026-01-11"));
    migrate(&mut world, "2026-01-11");
    world.mornings("2026-01-12", "2026-01-12");
    assert_eq!(world.steps("i"), "a:awaiting");
}

#[test]
fn what_had_expired_by_the_old_version_stays_expired_and_nothing_that_ended_comes_back() {
    let mut world = world_of("a -5 1 expires=2\n b 1 2", "a -5 1 expires=90\n b 1 2");
    migrate(&mut world, "2026-01-09");
    assert_eq!(world.steps("i"), "a:expired(too_old) b:open");
    assert_eq!(standing(&world.track("i").current()[0].state), "expired(too_old)");
}

#[test]
fn a_person_is_told_where_the_new_version_leaves_no_step_and_again_where_it_leaves_none_of_an_allowed_tone() {
    let mut world = world("a -5 1 roll=none");
    world.mornings("2026-01-01", "2026-01-05");
    migrate(&mut world, "2026-01-06");
    assert_eq!((world.track("i").phase.slug(), tasks(&world.log)), ("exhausted", vec!["exhausted"]));

    let mut blocked = world_of("b 1 2\n c 2 3", "c 9 3\n d 12 4");
    blocked.outcomes.insert("b".into(), Outcome::Undeliverable(Reason::NoAddress));
    blocked.mornings("2026-01-01", "2026-01-12");
    migrate(&mut blocked, "2026-01-12");
    assert_eq!(tasks(&blocked.log), ["undeliverable", "no_allowed_step", "no_allowed_step"]);
}

#[test]
fn a_step_that_counts_from_an_execution_under_the_old_version_has_its_date_under_the_new_one() {
    let mut world = world("b 1 2 roll=none\n x 4 3 anchor=previous_executed");
    world.mornings("2026-01-01", "2026-01-12");
    migrate(&mut world, "2026-01-12");
    assert_eq!(world.track("i").current().last().unwrap().planned_on, Some(day("2026-01-15")));
}

#[test]
fn fewer_occurrences_end_the_rest_and_more_are_planned() {
    for (times, left) in [(2, "a:superseded(policy_migrated) a:executed a:open"), (4, "a:executed a:open a:open a:open")] {
        let mut world = world_of("a 1 2 every=7 most=3", &format!("a 1 2 every=9 most={times}"));
        world.mornings("2026-01-01", "2026-01-11");
        migrate(&mut world, "2026-01-12");
        assert_eq!(world.steps("i"), left);
        assert_eq!(world.track("i").occurrence(1, &kernel::StepId::new("a").unwrap(), 2).unwrap().planned_on, Some(day("2026-01-20")));
    }
}

#[test]
fn paid_and_cancelled_tracks_stay_where_they_are_and_a_held_one_moves_and_stays_held() {
    let mut world = world("b 1 2 roll=none");
    world.pay("i", "2026-01-02", 0);
    assert_eq!(migrate(&mut world, "2026-01-02"), []);
    world.enroll("j", "2026-01-01", "2026-01-10");
    let what = ladder::ladder::Arrange::Hold {
        id: kernel::ArrangementId::new("h").unwrap(),
        invoice_id: id("j"),
        until: Some(day("2026-01-20")),
        review_on: None,
    };
    world.tell(Command::Arrange { at: at(day("2026-01-02"), 9), by: "ana".into(), why: "x".into(), what });
    migrate(&mut world, "2026-01-02");
    world.mornings("2026-01-03", "2026-01-21");
    assert_eq!((world.track("j").policy_version, world.sent("j")), (2, "b@2026-01-21".into()));
}
