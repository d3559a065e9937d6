//! Holds, disputes, promises, announced payments, write-off and hand-off: what each does, and when it is refused.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, day, id, reminders, tasks};
use kernel::{ArrangementId, Currency};
use ladder::arrangement::{ArrangementEnd, ArrangementKind};
use ladder::ladder::{Arrange, Outcome};
use ladder::terms::Method;
use ladder::{Command, Event, Reason};

/// Due on 10 January, climbed by `until`.
fn climbed(until: &str) -> World {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", until);
    world
}

fn arrangement(text: &str) -> ArrangementId {
    ArrangementId::new(text).unwrap()
}

fn order(on: &str, what: Arrange) -> Command {
    Command::Arrange { at: at(day(on), 8), by: "ana".into(), why: "ligou".into(), what }
}

fn hold(until: Option<&str>, review_on: Option<&str>) -> Arrange {
    Arrange::Hold { id: arrangement("h"), invoice_id: id("i"), until: until.map(day), review_on: review_on.map(day) }
}

fn dispute(amount_minor: Option<i64>) -> Arrange {
    Arrange::Dispute { id: arrangement("d"), invoice_id: id("i"), amount_minor }
}

fn promise(name: &str, items: &[&str], amount_minor: i64, promised_on: &str) -> Arrange {
    Arrange::Promise {
        id: arrangement(name),
        invoice_ids: items.iter().map(|item| id(item)).collect(),
        amount_minor,
        currency: Currency::BRL,
        promised_on: day(promised_on),
        method: Some(Method::Pix),
    }
}

fn announce(name: &str, method: Method) -> Arrange {
    Arrange::Announce { id: arrangement(name), invoice_id: id("i"), method }
}

fn end(kind: ArrangementKind, end: ArrangementEnd) -> Arrange {
    Arrange::End { invoice_id: id("i"), kind, end }
}

/// `hold lapsed 2026-01-21`, one for each arrangement that ended.
fn ends(world: &World) -> Vec<String> {
    let one = |event: &Event| match event {
        Event::ArrangementEnded { kind, end, day, received_minor, .. } if *received_minor > 0 => {
            Some(format!("{} {} {day} {received_minor}", kind.name(), end.slug()))
        }
        Event::ArrangementEnded { kind, end, day, .. } => Some(format!("{} {} {day}", kind.name(), end.slug())),
        _ => None,
    };
    world.log.iter().filter_map(one).collect()
}

fn standing(world: &World, on: &str) -> &'static str {
    world.track("i").standing_on(day(on))
}

#[test]
fn a_held_debt_is_left_alone_and_goes_on_by_the_rule_of_the_day() {
    let mut world = climbed("2026-01-11"); // d+1, tone 2
    world.tell(order("2026-01-12", hold(Some("2026-01-20"), None)));
    assert_eq!(world.next_timer(at(day("2026-01-12"), 9)), Some(at(day("2026-01-21"), 9)), "nothing to wake for before its end");
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!((world.sent("i").matches('@').count(), standing(&world, "2026-01-20")), (3, "held"));
    world.mornings("2026-01-21", "2026-01-25");
    assert_eq!(standing(&world, "2026-01-21"), "active");
    assert!(world.sent("i").ends_with("d+1@2026-01-11 d+7@2026-01-21 d+15@2026-01-25"), "{}", world.sent("i"));
    assert_eq!(ends(&world), ["hold lapsed 2026-01-21"]);
}

#[test]
fn a_hold_for_review_asks_a_person_once_and_lasts_until_it_is_lifted() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", hold(None, Some("2026-01-15"))));
    world.timers(day("2026-01-12"), day("2026-02-20"));
    assert_eq!((tasks(&world.log), standing(&world, "2026-02-20")), (vec!["hold_review"], "held"));
    assert_eq!(world.next_timer(at(day("2026-02-20"), 9)), None);
    world.tell(order("2026-02-21", end(ArrangementKind::Hold, ArrangementEnd::Lifted)));
    world.mornings("2026-02-21", "2026-02-23");
    assert!(world.sent("i").ends_with("d+15@2026-02-21 d+30@2026-02-22"), "{}", world.sent("i"));
    assert_eq!(ends(&world), ["hold lifted 2026-02-21"]);
}

#[test]
fn a_step_that_was_offered_before_the_hold_is_the_gates_and_comes_back() {
    let mut world = climbed("2026-01-10");
    world.notifier_down = true;
    let claim = world.morning("2026-01-11");
    world.tell(order("2026-01-11", hold(Some("2026-01-12"), None)));
    world.outcomes.insert("d+1".into(), Outcome::Deferred(Reason::Held));
    let conclusion = world.conclusion(&claim[claim.len() - 1]).unwrap();
    world.tell(conclusion);
    (world.notifier_down, world.outcomes) = (false, Default::default());
    world.mornings("2026-01-12", "2026-01-13");
    assert!(world.sent("i").ends_with("d+1@2026-01-13"), "{}", world.sent("i"));
}

#[test]
fn steps_expire_by_their_dates_while_a_debt_is_held() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.tell(order("2026-01-02", hold(Some("2026-01-31"), None)));
    world.timers(day("2026-01-02"), day("2026-02-01"));
    assert!(world.steps("i").starts_with("d-5:expired(due_passed) d-1:expired(due_passed) d+1:executed"), "{}", world.steps("i"));
    assert_eq!(world.sent("i"), "d+1@2026-02-01", "tone 2 comes first, whatever else is reached");
}

#[test]
fn a_disputed_debt_is_left_out_and_a_person_is_told() {
    let mut world = climbed("2026-01-11");
    assert_eq!(tasks(&world.tell(order("2026-01-12", dispute(None)))), ["dispute_open"]);
    world.timers(day("2026-01-12"), day("2026-06-01"));
    assert_eq!((standing(&world, "2026-06-01"), world.track("i").disputed_minor()), ("disputed", 10_000));
    assert_eq!(world.next_timer(at(day("2026-02-01"), 0)), None, "only a person can go on");
    world.tell(order("2026-06-02", end(ArrangementKind::Dispute, ArrangementEnd::Rejected)));
    world.mornings("2026-06-02", "2026-06-02");
    assert!(world.sent("i").ends_with("d+15@2026-06-02"));
}

#[test]
fn a_part_that_is_disputed_is_not_asked_for_and_the_rest_goes_on() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", dispute(Some(4_000))));
    let events = world.morning("2026-01-17");
    let item = &reminders(&events)[0].1[0];
    assert_eq!((item.step_id.as_str(), item.disputed_minor), ("d+7", 4_000));
    // What is left undisputed is paid: the rest is the dispute, and nothing is asked for.
    world.pay("i", "2026-01-18", 4_000);
    world.mornings("2026-01-18", "2026-02-20");
    assert_eq!((standing(&world, "2026-02-20"), world.sent("i").ends_with("d+7@2026-01-17")), ("disputed", true));
}

#[test]
fn a_debt_that_is_disputed_in_part_is_not_listed_at_a_bureau() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-02-12");
    world.deliver("i", "d+30", "2026-02-12");
    world.tell(order("2026-02-13", dispute(Some(1))));
    world.timers(day("2026-02-13"), day("2026-03-10"));
    assert!(world.sent("i").ends_with("d+30@2026-02-11"), "{}", world.sent("i"));
    world.tell(order("2026-03-10", end(ArrangementKind::Dispute, ArrangementEnd::Accepted)));
    world.mornings("2026-03-11", "2026-03-11");
    assert!(world.sent("i").ends_with("d+45@2026-03-11"), "{}", world.sent("i"));
}

#[test]
fn a_promise_pauses_until_the_money_can_be_known_and_is_kept_by_its_amount() {
    let mut world = climbed("2026-01-11");
    world.enroll("j", "2026-01-01", "2026-01-30");
    let events = world.tell(order("2026-01-12", promise("p", &["i", "j"], 12_000, "2026-01-16")));
    assert!(matches!(&events[..], [Event::Arranged { arrangement }] if arrangement.until == Some(day("2026-01-16"))), "{events:?}");
    world.mornings("2026-01-12", "2026-01-15");
    world.pay("i", "2026-01-15", 0);
    assert_eq!(ends(&world), Vec::<String>::new(), "ten of twelve");
    world.pay("j", "2026-01-16", 8_000);
    assert_eq!(ends(&world), ["promise kept 2026-01-16 12000"]);
    let record = world.ladder.promises;
    assert_eq!((record.made, record.kept, record.broken), (1, 1, 0));
    world.mornings("2026-01-25", "2026-01-25");
    assert_eq!(world.sent("j"), "d-5@2026-01-25", "the rest goes on");
}

#[test]
fn a_broken_promise_is_an_event_a_text_and_a_resumption() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 10_000, "2026-01-20")));
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!(standing(&world, "2026-01-20"), "promised");
    let events = world.morning("2026-01-21");
    let item = &reminders(&events)[0].1[0];
    assert_eq!((item.step_id.as_str(), item.promise_broken), ("d+7", true));
    assert_eq!((ends(&world), world.ladder.promises.broken), (vec!["promise broken 2026-01-21".to_string()], 1));
    let next = world.morning("2026-01-25");
    assert!(!reminders(&next)[0].1[0].promise_broken, "said once");
}

#[test]
fn a_promise_that_is_kept_in_part_counts_by_itself_and_the_text_speaks_of_it() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 10_000, "2026-01-20")));
    world.pay("i", "2026-01-19", 7_000);
    let events = world.morning("2026-01-21");
    assert_eq!((ends(&world), world.ladder.promises.partly_kept), (vec!["promise partly_kept 2026-01-21 3000".to_string()], 1));
    assert!(reminders(&events)[0].1[0].promise_broken);
}

#[test]
fn a_payment_after_the_last_day_does_not_keep_a_promise_even_if_nobody_looked_in_between() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 10_000, "2026-01-20")));
    world.pay("i", "2026-01-21", 0);
    assert_eq!((ends(&world), world.track("i").phase.slug()), (vec!["promise broken 2026-01-21".to_string()], "settled"));
}

#[test]
fn a_credit_note_reduces_the_debt_and_keeps_no_promise() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 5_000, "2026-01-20")));
    world.tell(Command::NoteCredit { invoice_id: id("i"), outstanding_minor: 4_000, recorded_at: at(day("2026-01-13"), 8) });
    assert_eq!((world.track("i").outstanding_minor, ends(&world).len()), (4_000, 0));
    world.morning("2026-01-21");
    assert_eq!(ends(&world), ["promise broken 2026-01-21"]);
    world.tell(Command::NoteCredit { invoice_id: id("i"), outstanding_minor: 0, recorded_at: at(day("2026-01-22"), 8) });
    assert_eq!(world.track("i").phase.slug(), "settled");
}

#[test]
fn a_returned_payment_counts_against_the_promise() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 10_000, "2026-01-20")));
    world.pay("i", "2026-01-14", 4_000);
    world.reverse("i", "2026-01-15", 10_000);
    world.pay("i", "2026-01-16", 4_000);
    assert_eq!(ends(&world), Vec::<String>::new(), "six came, and not twelve");
}

#[test]
fn a_promise_about_an_exhausted_debt_is_taken_and_a_person_hears_of_its_breach() {
    let mut world = climbed("2026-02-20");
    assert_eq!(world.track("i").phase.slug(), "exhausted");
    world.tell(order("2026-02-21", promise("p", &["i"], 10_000, "2026-02-25")));
    world.timers(day("2026-02-21"), day("2026-03-10"));
    assert_eq!((tasks(&world.log), world.track("i").phase.slug()), (vec!["exhausted", "promise_broken"], "exhausted"));
}

#[test]
fn an_announced_payment_pauses_for_the_time_of_its_method() {
    // Monday 12 January; every day is a business day of this calendar.
    for (method, until) in [(Method::Pix, "2026-01-12"), (Method::Transfer, "2026-01-13"), (Method::Boleto, "2026-01-14")] {
        let mut world = climbed("2026-01-11");
        let events = world.tell(order("2026-01-12", announce("a", method)));
        assert!(matches!(&events[..], [Event::Arranged { arrangement }] if arrangement.until == Some(day(until))), "{method:?}");
        assert_eq!((standing(&world, until), world.track("i").arrangements.len()), ("in_process", 1));
        world.timers(day("2026-01-12"), day("2026-01-17"));
        assert_eq!(ends(&world), [format!("announcement lapsed {}", kernel::calendar::next(day(until)))]);
        assert!(world.sent("i").ends_with("d+7@2026-01-17"));
    }
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    // Friday 16 January: the slip is known on Tuesday.
    let events = world.tell(order("2026-01-16", announce("a", Method::Boleto)));
    assert!(matches!(&events[..], [Event::Arranged { arrangement }] if arrangement.until == Some(day("2026-01-20"))), "{events:?}");
}

#[test]
fn a_payment_confirms_an_announcement_and_what_is_left_is_reminded_of_again() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-16", announce("a", Method::Boleto)));
    world.pay("i", "2026-01-17", 2_000);
    assert_eq!(ends(&world), ["announcement confirmed 2026-01-17 8000"]);
    world.morning("2026-01-17");
    assert!(world.sent("i").ends_with("d+7@2026-01-17"));
}

#[test]
fn a_debt_that_is_written_off_or_handed_over_by_a_person_is_over() {
    for (what, phase, reason, task) in [
        (Arrange::WriteOff { invoice_id: id("i") }, "written_off", "written_off", "paid_after_write_off"),
        (Arrange::HandOff { invoice_id: id("i") }, "handed_off", "handed_off", "paid_after_hand_off"),
    ] {
        let mut world = climbed("2026-01-11");
        world.tell(order("2026-01-12", what.clone()));
        assert_eq!(world.tell(order("2026-01-13", what)), [], "once");
        assert!(world.steps("i").ends_with(&format!("d+30:superseded({reason})")));
        world.timers(day("2026-01-13"), day("2026-03-01"));
        assert_eq!((world.track("i").phase.slug(), world.sent("i").matches('@').count()), (phase, 3));
        assert_eq!(tasks(&world.pay("i", "2026-03-02", 0)), [task]);
        assert_eq!(world.reverse("i", "2026-03-03", 10_000).len(), 1, "only the balance");
        assert_eq!(world.track("i").phase.slug(), phase);
    }
}

#[test]
fn several_arrangements_hold_side_by_side_and_each_ends_by_itself() {
    let mut world = climbed("2026-01-11");
    world.tell(order("2026-01-12", promise("p", &["i"], 10_000, "2026-01-14")));
    world.tell(order("2026-01-12", dispute(None)));
    world.tell(order("2026-01-12", hold(Some("2026-01-13"), None)));
    assert_eq!(standing(&world, "2026-01-13"), "held");
    world.mornings("2026-01-13", "2026-01-14");
    assert_eq!(standing(&world, "2026-01-14"), "disputed");
    world.tell(order("2026-01-14", end(ArrangementKind::Dispute, ArrangementEnd::Lifted)));
    assert_eq!((standing(&world, "2026-01-14"), standing(&world, "2026-01-15")), ("promised", "active"));
}

#[test]
fn the_same_arrangement_told_again_changes_nothing() {
    for what in
        [hold(Some("2026-01-20"), None), dispute(Some(5)), promise("p", &["i"], 10_000, "2026-01-20"), announce("a", Method::Boleto)]
    {
        let mut world = climbed("2026-01-11");
        world.terms.max_promises = 1;
        world.terms.max_announcements = 1;
        assert!(!world.tell(order("2026-01-12", what.clone())).is_empty());
        assert_eq!(world.tell(order("2026-01-12", what.clone())), [], "{what:?}");
    }
}

#[test]
fn refusals_name_the_field_and_nothing_happens() {
    let mut world = climbed("2026-01-11");
    world.enroll("j", "2026-01-01", "2026-01-30");
    world.enroll("gone", "2026-01-01", "2026-01-30");
    world.cancel("gone", "2026-01-11");
    for (what, slug) in [
        (hold(None, None), "hold_without_end"),
        (hold(Some("2026-01-11"), None), "date_in_past"),
        (hold(None, Some("2026-01-11")), "date_in_past"),
        (Arrange::Hold { id: arrangement("h"), invoice_id: id("x"), until: Some(day("2026-02-01")), review_on: None }, "unknown_invoice"),
        (Arrange::WriteOff { invoice_id: id("gone") }, "track_over"),
        (Arrange::HandOff { invoice_id: id("gone") }, "track_over"),
        (promise("p", &["gone"], 1, "2026-01-20"), "track_over"),
        (promise("p", &["i", "x"], 1, "2026-01-20"), "unknown_invoice"),
        (promise("p", &[], 1, "2026-01-20"), "items_not_distinct"),
        (promise("p", &["i", "i"], 1, "2026-01-20"), "items_not_distinct"),
        (promise("p", &["i"], 1, "2026-01-11"), "date_in_past"),
        (promise("p", &["i"], 1, "2026-02-27"), "promise_too_far"),
        (promise("p", &["i"], 0, "2026-01-20"), "amount_not_positive"),
        (promise("p", &["i", "j"], 20_001, "2026-01-20"), "amount_too_large"),
        (dispute(Some(-1)), "amount_not_positive"),
        (dispute(Some(10_001)), "amount_too_large"),
        (end(ArrangementKind::Hold, ArrangementEnd::Lifted), "not_arranged"),
    ] {
        assert_eq!(world.try_tell(&order("2026-01-12", what.clone())).map_err(|rejection| rejection.slug()), Err(slug), "{what:?}");
    }
    let mut dollars = promise("p", &["i"], 1, "2026-01-20");
    if let Arrange::Promise { currency, .. } = &mut dollars {
        *currency = Currency::new("USD").unwrap();
    }
    assert_eq!(world.try_tell(&order("2026-01-12", dollars)).map_err(|rejection| rejection.slug()), Err("currency_mismatch"));
    assert!(world.track("i").arrangements.is_empty());
}

#[test]
fn the_creditors_limits_hold() {
    let mut world = climbed("2026-01-11");
    for (number, promised) in [("p1", "2026-01-13"), ("p2", "2026-01-15")] {
        world.tell(order("2026-01-12", promise(number, &["i"], 10_000, promised)));
        assert_eq!(
            world.try_tell(&order("2026-01-12", promise("more", &["i"], 1, promised))).map_err(|rejection| rejection.slug()),
            Err(if number == "p1" { "already_arranged" } else { "too_many_promises" })
        );
        world.tell(order("2026-01-12", end(ArrangementKind::Promise, ArrangementEnd::Lifted)));
    }
    assert_eq!(
        world.try_tell(&order("2026-01-12", promise("p1", &["i"], 1, "2026-01-13"))).map_err(|rejection| rejection.slug()),
        Err("arrangement_exists")
    );
    world.tell(order("2026-01-12", announce("a1", Method::Pix)));
    world.tell(order("2026-01-14", announce("a2", Method::Pix)));
}

#[test]
fn what_was_over_before_a_fact_is_over_by_what_was_known_then_whoever_looked_when() {
    let fact = |world: &mut World, number: usize| match number {
        0 => world.reverse("i", "2026-01-20", 9_000),
        1 => world.amend("i", "2026-01-20", "2026-03-01", 9_000),
        _ => world.cancel("i", "2026-01-20"),
    };
    for number in 0..3 {
        let mut world = World::new(SIMPLES);
        world.enroll("i", "2026-01-01", "2026-01-10");
        let what = ladder::ladder::Arrange::Promise {
            id: kernel::ArrangementId::new("p1").unwrap(),
            invoice_ids: vec![id("i")],
            amount_minor: 1_000,
            currency: kernel::Currency::BRL,
            promised_on: day("2026-01-14"),
            method: None,
        };
        world.tell(Command::Arrange { at: at(day("2026-01-12"), 9), by: "ana".into(), why: "ligou".into(), what });
        // Nobody woke the payer between the end of the promise and the fact.
        fact(&mut world, number);
        assert_eq!((world.ladder.promises.broken, world.ladder.promises.kept), (1, 0), "fact {number}");
    }
}
