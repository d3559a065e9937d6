//! A run in the night knows less than one of the morning, and changes nothing of what the morning finds (ladder.md section 11, 3).

use crate::book::SIMPLES;
use crate::world::{World, at, day, id, tasks};
use kernel::{ArrangementId, Currency};
use ladder::arrangement::ArrangementEnd;
use ladder::ladder::Arrange;
use ladder::{Command, Event};

fn order(on: &str, what: Arrange) -> Command {
    Command::Arrange { at: at(day(on), 8), by: "ana".into(), why: "ligou".into(), what }
}

fn arrangement() -> ArrangementId {
    ArrangementId::new("a").unwrap()
}

/// Due on 10 January, and known since the first.
fn enrolled(policy: &str) -> World {
    let mut world = World::new(policy);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

#[test]
fn nobody_is_asked_in_the_night_to_look_at_a_hold_again() {
    let mut world = enrolled(SIMPLES);
    let hold = Arrange::Hold { id: arrangement(), invoice_id: id("i"), until: None, review_on: Some(day("2026-01-05")) };
    world.tell(order("2026-01-02", hold));
    assert_eq!(tasks(&world.wake(at(day("2026-01-05"), 0))), Vec::<&str>::new());
    assert_eq!(tasks(&world.wake(at(day("2026-01-05"), 9))), ["hold_review"]);
}

#[test]
fn nobody_is_told_in_the_night_of_a_standstill_that_a_payment_of_the_morning_ends() {
    let mut world = enrolled("calendar none\nweekdays mon,tue,wed,thu,fri,sat,sun\na 1 3");
    let hold = Arrange::Hold { id: arrangement(), invoice_id: id("i"), until: Some(day("2026-01-12")), review_on: None };
    world.tell(order("2026-01-02", hold));
    assert_eq!(tasks(&world.wake(at(day("2026-01-13"), 0))), Vec::<&str>::new());
    world.pay("i", "2026-01-13", 0);
    assert_eq!(tasks(&world.log), Vec::<&str>::new());
}

#[test]
fn what_was_just_sent_when_the_payment_was_returned_is_not_over_before_its_contact_says_so() {
    for nightly in [false, true] {
        let mut world = enrolled(SIMPLES);
        world.notifier_down = true;
        let offered = world.morning("2026-01-10");
        let conclusion = offered.iter().find_map(|event| world.conclusion(event)).unwrap();
        world.tell(Command::NoteReversal { invoice_id: id("i"), outstanding_minor: 9_000, recorded_at: at(day("2026-01-10"), 12) });
        if nightly {
            world.wake(at(day("2026-01-11"), 0));
        }
        world.tell(conclusion);
        assert!(world.steps("i").contains("d-1:superseded(recently_sent)"), "{}", world.steps("i"));
    }
}

#[test]
fn what_was_overtaken_before_a_payment_was_not_ended_by_it() {
    for nightly in [false, true] {
        let mut world = enrolled("calendar none\nweekdays mon,tue,wed,thu,fri,sat,sun\na 2 2 roll=none\nb 1 2 roll=none\nc 9 2");
        world.morning("2026-01-11");
        if nightly {
            world.wake(at(day("2026-01-13"), 0));
        }
        world.pay("i", "2026-01-13", 0);
        assert_eq!(world.steps("i"), "a:superseded(late) b:executed c:superseded(paid)");
    }
}

#[test]
fn a_promise_about_a_debt_written_off_is_not_kept_by_what_comes_after_its_last_day() {
    for nightly in [false, true] {
        let mut world = enrolled(SIMPLES);
        let promise = Arrange::Promise {
            id: arrangement(),
            invoice_ids: vec![id("i")],
            amount_minor: 10_000,
            currency: Currency::BRL,
            promised_on: day("2026-01-12"),
            method: None,
        };
        world.tell(order("2026-01-11", promise));
        world.tell(order("2026-01-11", Arrange::WriteOff { invoice_id: id("i") }));
        if nightly {
            world.wake(at(day("2026-01-20"), 0));
        }
        world.pay("i", "2026-01-20", 0);
        let ends = world.log.iter().filter_map(|event| if let Event::ArrangementEnded { end, .. } = event { Some(*end) } else { None });
        assert_eq!(ends.collect::<Vec<_>>(), [ArrangementEnd::Lapsed]);
    }
}

#[test]
fn a_late_word_of_an_earlier_day_says_nothing_of_what_a_run_of_the_night_has_ended_since() {
    let mut ladders = Vec::new();
    for nightly in [false, true] {
        let mut world = World::new(SIMPLES);
        world.enroll("i", "2026-01-11", "2026-01-14");
        world.notifier_down = true;
        let offered = world.morning("2026-01-12");
        let conclusion = offered.iter().find_map(|event| world.conclusion(event)).unwrap();
        // Nobody looked for two days; the owner's word of the second comes first.
        world.tell(Command::NoteReversal { invoice_id: id("i"), outstanding_minor: 1, recorded_at: at(day("2026-01-14"), 8) });
        if nightly {
            world.wake(at(day("2026-01-15"), 0));
        }
        world.tell(conclusion);
        world.morning("2026-01-15");
        assert_eq!(tasks(&world.log), ["no_allowed_step"]);
        ladders.push(world.ladder);
    }
    assert_eq!(ladders[0], ladders[1]);
}
