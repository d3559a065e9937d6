//! Which step a track offers on a day, and what its execution does to the others.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, day, reminders, tasks};
use kernel::StepId;
use ladder::Command;
use ladder::Reason;
use ladder::ladder::Outcome;
use ladder::plan::plan;

fn waiting(world: &World, on: &str) -> Vec<&'static str> {
    plan(&world.ladder, day(on), &world.book, world.approvals_given).not_offered.iter().map(|at| at.waiting.slug()).collect()
}

#[test]
fn a_debt_that_nobody_pays_climbs_step_by_step() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-03-01");
    assert_eq!(world.sent("i"), "d-5@2026-01-05 d-1@2026-01-09 d+1@2026-01-11 d+7@2026-01-17 d+15@2026-01-25 d+30@2026-02-09");
    assert_eq!(tasks(&world.log), ["exhausted"]);
    assert_eq!(world.track("i").phase.slug(), "exhausted");
    assert_eq!(world.next_timer(at(day("2026-03-01"), 9)), None);
}

#[test]
fn nothing_is_offered_on_the_day_on_which_the_invoice_became_known() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-05", "2026-01-10");
    world.mornings("2026-01-05", "2026-01-05");
    assert_eq!((world.sent("i"), waiting(&world, "2026-01-05")), (String::new(), vec!["just_known"]));
    world.mornings("2026-01-06", "2026-01-06");
    assert_eq!(world.sent("i"), "d-5@2026-01-06");
}

#[test]
fn steps_brought_to_one_day_are_superseded_by_the_latest_when_it_is_executed() {
    // Due Monday 12 January: D+1 is Tuesday, D+5 Saturday and D+6 Sunday roll to Monday 19.
    let mut world = World::new("a 1 1\n b 5 2\n c 6 2\n d 7 2");
    world.enroll("i", "2026-01-01", "2026-01-12");
    world.mornings("2026-01-01", "2026-01-19");
    assert_eq!(world.steps("i"), "a:executed b:superseded(same_day) c:superseded(same_day) d:executed");
}

#[test]
fn a_step_is_not_superseded_by_one_that_was_only_chosen() {
    let mut world = World::new(SIMPLES);
    world.outcomes.insert("d+7".into(), Outcome::Deferred(Reason::BudgetSpent));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.outcomes.insert("d+1".into(), Outcome::Suppressed(Reason::BelowMinimum));
    world.mornings("2026-01-01", "2026-01-17");
    let before = "d-5:executed d-1:executed d+1:suppressed(below_minimum)";
    // Tone 1 was the last executed one, so tone 3 is too high; nothing of tone 2 is left.
    assert_eq!(world.steps("i"), format!("{before} d+7:open d+15:open d+30:open"));
    assert_eq!(tasks(&world.log), ["no_allowed_step"]);
}

#[test]
fn a_residue_within_tolerance_ends_dunning_without_a_task() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-09");
    world.pay("i", "2026-01-10", 3);
    world.outcomes.insert("d+1".into(), Outcome::Superseded(Reason::WithinTolerance));
    world.mornings("2026-01-10", "2026-03-01");
    let rest = ["d+1", "d+7", "d+15", "d+30"].map(|step| format!("{step}:superseded(within_tolerance)")).join(" ");
    assert_eq!(world.steps("i"), format!("d-5:executed d-1:executed {rest}"));
    assert_eq!((world.track("i").phase, world.track("i").outstanding_minor), (ladder::track::Phase::Settled, 3));
    assert!(tasks(&world.log).is_empty());
}

#[test]
fn a_deferred_step_is_offered_again_on_later_days_and_can_expire_or_be_overtaken() {
    let mut world = World::new(SIMPLES);
    for step in ["d-1", "d+1"] {
        world.outcomes.insert(step.into(), Outcome::Deferred(Reason::BudgetSpent));
    }
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-13");
    let offered: Vec<String> =
        reminders(&world.log).iter().map(|(on, items)| format!("{}@{}", items[0].step_id, on.format("%d"))).collect();
    assert_eq!(offered, ["d-5@05", "d-1@09", "d-1@10", "d+1@11", "d+1@12", "d+1@13"]);
    assert_eq!(world.steps("i"), "d-5:executed d-1:expired(due_passed) d+1:open d+7:open d+15:open d+30:open");
    world.outcomes.clear();
    world.mornings("2026-01-14", "2026-01-14");
    assert_eq!(world.sent("i"), "d-5@2026-01-05 d+1@2026-01-14");
}

#[test]
fn an_undeliverable_step_raises_a_task_and_the_track_does_not_climb() {
    let mut world = World::new(SIMPLES);
    world.outcomes.insert("d+1".into(), Outcome::Undeliverable(Reason::NoAddress));
    world.enroll("i", "2026-01-08", "2026-01-10");
    world.mornings("2026-01-08", "2026-02-20");
    assert_eq!(world.steps("i"), "d-5:superseded(late) d-1:executed d+1:undeliverable(no_address) d+7:open d+15:open d+30:open");
    assert_eq!(tasks(&world.log), ["undeliverable", "no_allowed_step"], "each once, however often the engine runs");
    assert_eq!(world.next_timer(at(day("2026-02-20"), 9)), None, "a blocked track is not looked at for ever");
}

#[test]
fn after_a_failed_step_a_lower_reached_one_is_offered_on_the_next_day() {
    let mut world = World::new("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a 1 1 roll=none\n b 2 2 roll=none");
    world.outcomes.insert("b".into(), Outcome::Undeliverable(Reason::AllChannelsFailed));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-12", "2026-01-13");
    assert_eq!(world.steps("i"), "a:executed b:undeliverable(all_channels_failed)");
    assert_eq!(world.sent("i"), "a@2026-01-13");
}

#[test]
fn min_gap_delays_the_chosen_step_and_nothing_else_goes_in_its_place() {
    let mut world = World::new("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a 1 1 roll=none\n b 2 2 roll=none gap=5");
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-11", "2026-01-15");
    assert_eq!((world.sent("i"), waiting(&world, "2026-01-15")), ("a@2026-01-11".into(), vec!["min_gap"]));
    world.mornings("2026-01-16", "2026-01-16");
    assert_eq!(world.sent("i"), "a@2026-01-11 b@2026-01-16");
}

#[test]
fn the_bureau_step_waits_for_its_delivered_notice_and_for_a_person() {
    let mut world = World::new(PADRAO);
    world.approvals_given = false;
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-03-01");
    assert!(world.sent("i").ends_with("d+30@2026-02-11"), "{}", world.sent("i"));
    assert_eq!(waiting(&world, "2026-03-02"), ["requires_unmet"]);
    world.deliver("i", "d+30", "2026-02-25");
    world.mornings("2026-03-02", "2026-03-06");
    assert_eq!(waiting(&world, "2026-03-06"), ["requires_unmet"], "nine days");
    world.mornings("2026-03-07", "2026-03-09");
    assert_eq!(waiting(&world, "2026-03-09"), ["awaiting_approval"]);
    let step_id = StepId::new("d+45").unwrap();
    world.tell(crate::world::approval("i", step_id, "2026-03-09"));
    world.mornings("2026-03-10", "2026-03-10");
    assert!(world.sent("i").ends_with("d+45@2026-03-10"));
    world.mornings("2026-03-11", "2026-03-13");
    assert!(world.sent("i").ends_with("d+60@2026-03-13"));
    assert_eq!(world.track("i").phase.slug(), "handed_off");
}

#[test]
fn a_bureau_whose_notice_was_never_delivered_is_overtaken_by_the_hand_off() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-03-20");
    assert!(world.steps("i").ends_with("d+45:superseded(late) d+60:executed"), "{}", world.steps("i"));
    assert_eq!(world.track("i").phase.slug(), "handed_off");
}

#[test]
fn one_reminder_a_day_lists_every_track_of_the_payer() {
    let mut world = World::new(SIMPLES);
    for (invoice, due) in [("a", "2026-01-10"), ("b", "2026-01-12"), ("c", "2026-01-16")] {
        world.enroll(invoice, "2026-01-01", due);
    }
    world.mornings("2026-01-11", "2026-01-11");
    let all = reminders(&world.log);
    let items: Vec<String> = all[0].1.iter().map(|item| format!("{} {} {}", item.invoice_id, item.step_id, item.overdue)).collect();
    assert_eq!((all.len(), items), (1, vec!["a d+1 true".into(), "b d-1 false".into(), "c d-5 false".into()]));
}

#[test]
fn a_second_reminder_of_a_day_goes_out_where_the_policy_merges_less() {
    // At nine `a` is overdue; at two `b` is upcoming and `c` overdue.
    for (merge, afternoon) in [("per_day", vec![]), ("by_class", vec!["b"]), ("none", vec!["b", "c"])] {
        let steps = "pre -1 1 roll=none from=14:00\n post 1 2 roll=none\n late 2 2 roll=none from=14:00";
        let mut world = World::new(&format!("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n merge {merge}\n {steps}"));
        for (invoice, due) in [("a", "2026-01-10"), ("b", "2026-01-12"), ("c", "2026-01-09")] {
            world.enroll(invoice, "2026-01-08", due);
        }
        world.mornings("2026-01-08", "2026-01-10");
        let of = |events: &[ladder::Event]| -> Vec<String> {
            reminders(events).iter().flat_map(|(_, items)| items.iter().map(|item| item.invoice_id.to_string())).collect()
        };
        let now = at(day("2026-01-11"), 9);
        let events = world.wake(now);
        assert_eq!(of(&events), ["a"], "{merge}");
        let next = if afternoon.is_empty() { "2026-01-12" } else { "2026-01-11" };
        assert_eq!(world.next_timer(now), Some(at(day(next), 14)), "{merge}");
        let events = world.wake(at(day("2026-01-11"), 14));
        assert_eq!(of(&events), afternoon, "{merge}");
        let events = world.wake(at(day("2026-01-11"), 15));
        assert_eq!(of(&events), Vec::<String>::new(), "{merge}: nothing goes twice");
    }
}

#[test]
fn the_window_is_that_of_the_payers_zone() {
    let mut world = World::new(SIMPLES);
    world.tell(Command::NotePayer { zone: kernel::Zone::of_state("AC"), segment: None, state: None, municipality: None });
    world.enroll("i", "2026-01-01", "2026-01-10");
    assert_eq!(world.next_timer(at(day("2026-01-05"), 0)), Some(at(day("2026-01-05"), 11)), "nine o'clock in Acre");
    assert!(world.wake(at(day("2026-01-05"), 9)).is_empty());
    assert_eq!(reminders(&world.wake(at(day("2026-01-05"), 11))).len(), 1);
}

#[test]
fn replay_sends_every_step_in_order_a_gap_apart() {
    let text = format!("catch_up replay\n{SIMPLES}");
    let mut world = World::new(&text);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-02-20", "2026-02-28");
    assert_eq!(world.sent("i"), "d+1@2026-02-20 d+7@2026-02-21 d+15@2026-02-22 d+30@2026-02-23");
    assert!(world.steps("i").starts_with("d-5:expired(due_passed) d-1:expired(due_passed)"));
}
