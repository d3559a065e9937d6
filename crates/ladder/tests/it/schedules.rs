//! Dates: effective due date, offset, roll, window, last day.

use crate::book::{PADRAO, SIMPLES, policy};
use crate::world::day;
use ladder::preview::preview;
use ladder::schedule::{effective_due, planned_steps};

fn plan(policy_text: &str, due: &str) -> Vec<String> {
    let steps = planned_steps(&policy(policy_text), day(due), false);
    let date = |day: Option<kernel::NaiveDate>| day.map_or("-".into(), |day| day.to_string());
    steps.iter().map(|at| format!("{} {} {}", at.step_id, date(at.planned_on), date(at.last_day))).collect()
}

#[test]
fn a_due_date_on_a_weekend_or_holiday_is_effective_on_the_next_business_day() {
    for (calendar, due, effective) in [
        ("br-settlement", "2026-11-20", "2026-11-23"), // Friday, holiday
        ("br-settlement", "2026-11-21", "2026-11-23"), // Saturday
        ("br-settlement", "2026-11-23", "2026-11-23"),
        ("none", "2026-11-21", "2026-11-21"),
    ] {
        assert_eq!(effective_due(day(due), kernel::Calendar::named(calendar).unwrap()), day(effective), "{calendar} {due}");
    }
}

#[test]
fn the_default_ladder_rolls_back_before_due_and_forward_after() {
    // Monday 5 January 2026. D-1 is Sunday: back to Friday. D+60 is 6 March, D+45 is 19 February (Carnival is 16 and 17).
    assert_eq!(
        plan(PADRAO, "2026-01-05"),
        [
            "d-7 2025-12-29 2026-01-05",
            "d-1 2026-01-02 2026-01-05",
            "d0 2026-01-05 2026-01-05",
            "d+1 2026-01-06 -",
            "d+3 2026-01-08 -",
            "d+7 2026-01-12 -",
            "d+15 2026-01-20 -",
            "d+30 2026-02-04 -",
            "d+45 2026-02-19 -",
            "d+60 2026-03-06 -",
        ]
    );
}

#[test]
fn the_simple_ladder_counts_every_day() {
    let expected = ["d-5 2026-01-05 2026-01-10", "d-1 2026-01-09 2026-01-10", "d+1 2026-01-11 -", "d+7 2026-01-17 -"];
    assert_eq!(plan(SIMPLES, "2026-01-10")[..4], expected);
}

#[test]
fn a_step_without_roll_still_waits_for_its_window() {
    // Saturday 10 January: D+1 is Sunday.
    for (options, planned) in [
        ("roll=none", "a 2026-01-12 -"),
        ("roll=none weekdays=sun", "a 2026-01-11 -"),
        ("roll=back", "a 2026-01-12 -"), // every day is a business day of the calendar `none`
        ("roll=none expires=3", "a 2026-01-12 2026-01-15"),
        ("roll=none expires=after_3_days", "a 2026-01-12 2026-01-15"),
    ] {
        assert_eq!(plan(&format!("calendar none\n a 1 1 {options}"), "2026-01-10"), [planned], "{options}");
    }
}

#[test]
fn business_day_offsets_skip_weekends_and_holidays() {
    for (offset, planned) in [("1", "2026-11-24"), ("-1", "2026-11-19"), ("-4", "2026-11-16"), ("5", "2026-11-30")] {
        let text = format!("a {offset} 1 day_kind=business");
        assert!(plan(&text, "2026-11-23")[0].starts_with(&format!("a {planned}")), "{offset}: {:?}", plan(&text, "2026-11-23"));
    }
}

#[test]
fn a_holiday_is_outside_every_window_and_a_sunday_only_where_it_is_not_listed() {
    // 21 April 2026 is a Tuesday and a holiday; 26 April is a Sunday.
    let every_day = "weekdays mon,tue,wed,thu,fri,sat,sun";
    assert_eq!(plan(&format!("{every_day}\n a 1 1 roll=none"), "2026-04-20"), ["a 2026-04-22 -"]);
    assert_eq!(plan(&format!("{every_day}\n a 3 1 roll=none"), "2026-04-23"), ["a 2026-04-26 -"]);
}

#[test]
fn a_preview_shows_weekdays_and_steps_that_could_never_go_out() {
    // Due on Sunday 11 January without a calendar: D-1 is Saturday, its window opens on Monday, after its last day.
    let lines = preview(&policy("calendar none\n a -1 1\n b 1 2"), day("2026-01-11"));
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let (planned_on, weekday) = line.planned_on.unwrap();
            format!("{} {weekday} {planned_on} {:+} {}", line.step_id, line.days_from_due.unwrap(), line.never_reached)
        })
        .collect();
    assert_eq!(shown, ["a Mon 2026-01-12 +1 true", "b Mon 2026-01-12 +1 false"]);
}

#[test]
fn a_preview_shows_each_occurrence_and_what_counts_from_another_step() {
    let text = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a 3 1 roll=none every=7 most=2\n b 2 2 anchor=previous_executed";
    let shown: Vec<String> = preview(&policy(text), day("2026-01-10"))
        .iter()
        .map(|line| {
            let when = line.planned_on.map_or("-".into(), |(day, _)| day.to_string());
            let after = line.after.as_ref().map_or(String::new(), |step| format!(" after {step}"));
            format!("{} #{} {:+} {when}{after}", line.step_id, line.occurrence, line.offset_days)
        })
        .collect();
    assert_eq!(shown, ["a #1 +3 2026-01-13", "a #2 +10 2026-01-20", "b #1 +2 - after a"]);
}

#[test]
fn occurrences_count_from_the_anchor_and_roll_each_by_itself() {
    // Due on Monday 5 January: +5 is Saturday and +12 too.
    let expected = ["a 2026-01-12 -", "a 2026-01-19 -", "a 2026-01-26 -"];
    assert_eq!(plan("a 5 1 every=7 most=3", "2026-01-05"), expected);
    // Business days of the step's kind; `until` counts from the first, `at_due` from the effective due date.
    assert_eq!(plan("a 1 1 day_kind=business every=2 until=3", "2026-01-05"), ["a 2026-01-06 -", "a 2026-01-08 -"]);
    assert_eq!(plan("a 1 1 every=1 most=9 until=after_2_days", "2026-01-05").len(), 3, "of two bounds the nearer one");
    let before = plan("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a -5 1 roll=none every=2 until=at_due", "2026-01-10");
    assert_eq!(before, ["a 2026-01-05 2026-01-10", "a 2026-01-07 2026-01-10", "a 2026-01-09 2026-01-10"]);
}

#[test]
fn what_counts_from_an_execution_has_no_date_and_still_ends_at_due_where_it_says_so() {
    let text = "a -5 1\n b 2 1 anchor=previous_executed\n c 1 1 anchor=previous_executed expires=at_due";
    assert_eq!(plan(text, "2026-01-12")[1..], ["b - -", "c - 2026-01-12"]);
}
