//! Steps that are only for some: by segment, broken promises, returned payments, days overdue.

use crate::world::{World, at, day, id, tasks};
use ladder::Command;

const DAILY: &str = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun";

/// The payer opened the invoice on a day, at that hour.
fn view(world: &mut World, invoice: &str, on: &str, hour: u32) -> Vec<ladder::Event> {
    world.tell(Command::NoteView { invoice_id: id(invoice), viewed_at: at(day(on), hour) })
}

fn world(segment: Option<&str>, steps: &str) -> World {
    let mut world = World::new(&format!("{DAILY}\n {steps}"));
    world.tell(Command::NotePayer { zone: None, segment: segment.map(String::from), state: None, municipality: None });
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

#[test]
fn a_step_is_for_the_segments_that_it_names() {
    for (segment, options, is_sent) in [
        (Some("pj"), "segment=pj", true),
        (Some("pj"), "segment=pf,pj", true),
        (Some("pf"), "segment=pj", false),
        (None, "segment=pj", false),
        (Some("pj"), "not_segment=pj", false),
        (Some("pf"), "not_segment=pj,mei", true),
        (None, "not_segment=pj", true),
        (Some("pj"), "segment=pj not_segment=pj", false),
    ] {
        let mut world = world(segment, &format!("a 1 2 {options}"));
        world.mornings("2026-01-11", "2026-01-12");
        let expected = if is_sent { "a:executed" } else { "a:suppressed(condition_not_met)" };
        assert_eq!(world.steps("i"), expected, "{segment:?} {options}");
        assert_eq!(tasks(&world.log), ["exhausted"], "once");
    }
}

#[test]
fn a_step_that_is_for_others_ends_on_the_day_on_which_it_would_have_gone_and_the_ladder_goes_on() {
    let mut world = world(Some("pf"), "a 1 1\n b 3 2 segment=pj\n c 5 2");
    world.mornings("2026-01-01", "2026-01-12");
    assert_eq!(world.steps("i"), "a:executed b:open c:open", "not before its day: the segment may change");
    world.mornings("2026-01-13", "2026-01-13");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met) c:open");
    world.mornings("2026-01-14", "2026-01-15");
    assert_eq!(world.sent("i"), "a@2026-01-11 c@2026-01-15");
}

#[test]
fn the_segment_is_that_of_the_day() {
    let mut world = world(Some("pf"), "a 1 2 segment=pj");
    world.tell(Command::NotePayer { zone: None, segment: Some("pj".into()), state: None, municipality: None });
    world.mornings("2026-01-11", "2026-01-11");
    assert_eq!(world.sent("i"), "a@2026-01-11");
}

#[test]
fn where_the_step_of_the_day_is_for_others_the_next_lower_one_goes_on_the_same_day() {
    let mut world = world(None, "a 1 2\n b 2 2 segment=pj\n c 3 2 returned=true");
    world.mornings("2026-01-14", "2026-01-14");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met) c:suppressed(condition_not_met)");
}

#[test]
fn a_condition_is_asked_before_a_person_is() {
    let mut world = world(None, "a 1 2\n b 2 2 segment=pj approval=true");
    world.approvals_given = false;
    world.mornings("2026-01-11", "2026-01-13");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met)");
}

#[test]
fn nothing_ends_by_its_condition_while_the_track_could_not_offer_it() {
    let mut world = world(None, "a 1 2\n b 2 2 segment=pj gap=5");
    world.mornings("2026-01-11", "2026-01-15");
    assert_eq!(world.steps("i"), "a:executed b:open");
    assert_eq!(world.next_timer(at(day("2026-01-15"), 9)), Some(at(day("2026-01-16"), 9)));
    world.mornings("2026-01-16", "2026-01-16");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met)");
}

#[test]
fn a_step_may_ask_for_a_returned_payment() {
    let mut world = world(None, "a 1 2 returned=true\n b 2 2 returned=false");
    world.mornings("2026-01-11", "2026-01-12");
    assert_eq!(world.sent("i"), "b@2026-01-12");
    world.pay("i", "2026-01-13", 0);
    world.reverse("i", "2026-01-20", 10_000);
    world.mornings("2026-01-21", "2026-01-21");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met)");
}

#[test]
fn a_step_may_ask_for_days_overdue_which_matters_where_its_date_is_no_measure_of_them() {
    let mut world = world(None, "a -3 1\n b 2 2 anchor=previous_executed overdue=5");
    world.mornings("2026-01-01", "2026-01-20");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met)");
    let mut late = World::new(&format!("{DAILY}\n a 1 1\n b 4 2 anchor=previous_executed overdue=5"));
    late.enroll("i", "2026-01-01", "2026-01-10");
    late.mornings("2026-01-01", "2026-01-20");
    assert_eq!(late.sent("i"), "a@2026-01-11 b@2026-01-15");
}

#[test]
fn a_step_may_be_for_those_who_have_not_opened_the_invoice_or_for_those_who_have() {
    let steps = "a 1 2 unseen=true\n b 3 2 unseen=false\n c 5 2 unseen=true";
    let mut opened = world(None, steps);
    opened.mornings("2026-01-11", "2026-01-12");
    assert_eq!(view(&mut opened, "i", "2026-01-12", 20).len(), 1);
    opened.mornings("2026-01-13", "2026-01-15");
    assert_eq!(opened.steps("i"), "a:executed b:executed c:suppressed(condition_not_met)");
    let mut unseen = world(None, steps);
    unseen.mornings("2026-01-11", "2026-01-15");
    assert_eq!(unseen.steps("i"), "a:executed b:suppressed(condition_not_met) c:executed");
}

#[test]
fn a_view_is_asked_of_on_the_day_of_the_step_and_told_again_or_late_it_changes_nothing() {
    let mut world = world(None, "a 1 2 unseen=true");
    assert_eq!(view(&mut world, "i", "2026-01-09", 12).len(), 1, "before due, and before the step");
    assert_eq!(view(&mut world, "i", "2026-01-09", 12), []);
    assert_eq!(view(&mut world, "i", "2026-01-08", 12), [], "an older one that comes late");
    world.mornings("2026-01-11", "2026-01-11");
    assert_eq!(world.steps("i"), "a:suppressed(condition_not_met)");
    let unknown = Command::NoteView { invoice_id: id("x"), viewed_at: at(day("2026-01-09"), 12) };
    assert_eq!(world.try_tell(&unknown).map_err(|rejection| rejection.slug()), Err("unknown_invoice"));
    world.pay("i", "2026-01-12", 0);
    assert_eq!(view(&mut world, "i", "2026-01-13", 12), [], "nothing asks a paid debt");
}

#[test]
fn a_view_counts_in_the_cycle_in_which_it_was() {
    let mut world = world(None, "a 1 2 unseen=true");
    view(&mut world, "i", "2026-01-09", 12);
    world.amend("i", "2026-01-10", "2026-01-20", 10_000);
    world.mornings("2026-01-11", "2026-01-21");
    assert_eq!(world.sent("i"), "a@2026-01-21", "what was opened said another due date");
    world.pay("i", "2026-01-22", 0);
    world.reverse("i", "2026-01-25", 10_000);
    view(&mut world, "i", "2026-01-25", 9);
    world.mornings("2026-01-26", "2026-01-27");
    assert_eq!(world.steps("i"), "a:suppressed(condition_not_met)");
}

#[test]
fn a_view_from_before_the_invoice_was_imported_is_one() {
    let mut world = World::new(&format!("{DAILY}\n a 1 2 unseen=true"));
    world.tell(crate::world::enrolment("i", day("2025-12-20"), day("2026-01-10"), at(day("2026-01-05"), 8)));
    view(&mut world, "i", "2025-12-24", 12);
    world.mornings("2026-01-11", "2026-01-11");
    assert_eq!(world.steps("i"), "a:suppressed(condition_not_met)");
}

#[test]
fn a_step_may_ask_for_a_rating_and_nobody_is_risky_before_somebody_says_so() {
    for (score, is_sent) in [(None, false), (Some(69), false), (Some(70), true), (Some(100), true)] {
        let mut world = world(None, "a 1 2 risk=70");
        if let Some(score) = score {
            assert_eq!(world.tell(Command::NoteRating { score }).len(), 1);
            assert_eq!(world.tell(Command::NoteRating { score }), []);
        }
        world.mornings("2026-01-11", "2026-01-11");
        let expected = if is_sent { "a:executed" } else { "a:suppressed(condition_not_met)" };
        assert_eq!(world.steps("i"), expected, "{score:?}");
    }
}

#[test]
fn the_rating_is_that_of_the_day_and_goes_with_the_payers_data() {
    let mut world = world(None, "a 1 2 risk=70\n b 3 2 risk=70");
    world.tell(Command::NoteRating { score: 90 });
    world.mornings("2026-01-11", "2026-01-12");
    world.tell(Command::NoteRating { score: 20 });
    world.mornings("2026-01-13", "2026-01-13");
    assert_eq!(world.steps("i"), "a:executed b:suppressed(condition_not_met)");
    world.tell(Command::ForgetPayer { recorded_at: at(day("2026-01-14"), 8) });
    assert_eq!(world.ladder.risk_score, None);
    assert_eq!(world.tell(Command::NoteRating { score: 20 }), [], "of nobody");
}
