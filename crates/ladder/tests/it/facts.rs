//! What each fact does to a track, and what the same fact told twice does not.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, closings, day, enrolment, id, reminders, tasks};
use kernel::{ContactId, NaiveDate, StepId};
use ladder::ladder::{ActionOutcome, ItemOutcome, Outcome};
use ladder::policy::Channel;
use ladder::{Command, Event, Reason};

/// Due on 10 January, climbed by `until`.
fn climbed(until: &str) -> World {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", until);
    world
}

#[test]
fn a_payment_ends_every_open_step_and_leaves_the_other_tracks_their_place() {
    let mut world = climbed("2026-01-11");
    world.enroll("other", "2026-01-09", "2026-01-30");
    world.pay("i", "2026-01-12", 0);
    assert_eq!(world.steps("i"), "d-5:executed d-1:executed d+1:executed d+7:superseded(paid) d+15:superseded(paid) d+30:superseded(paid)");
    assert_eq!((world.track("i").phase.slug(), world.track("other").phase.slug()), ("settled", "enrolled"));
    assert_eq!(world.next_timer(at(day("2026-01-12"), 8)), Some(at(day("2026-01-25"), 9)), "only the other one wakes");
}

#[test]
fn a_payment_on_a_later_day_finds_expired_what_had_expired() {
    for (paid_on, steps) in [
        ("2026-01-10", "superseded(paid) superseded(paid) superseded(paid)"),
        ("2026-01-11", "expired(due_passed) expired(due_passed) superseded(paid)"),
    ] {
        let mut world = World::new(SIMPLES);
        world.enroll("i", "2026-01-01", "2026-01-10");
        world.pay("i", paid_on, 0);
        let ends: Vec<String> = world.steps("i").split(' ').take(3).map(|at| at.split_once(':').unwrap().1.to_string()).collect();
        assert_eq!(ends.join(" "), steps, "{paid_on}");
    }
}

#[test]
fn an_invoice_issued_and_paid_on_one_day_is_enrolled_and_over() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.pay("i", "2026-01-01", 0);
    assert!(world.steps("i").split(' ').all(|at| at.ends_with("superseded(paid)")));
}

#[test]
fn a_partial_payment_keeps_the_place() {
    let mut world = climbed("2026-01-11");
    let events = world.pay("i", "2026-01-12", 4_000);
    assert!(matches!(events.as_slice(), [Event::OutstandingNoted { outstanding_minor: 4_000, .. }]));
    world.mornings("2026-01-12", "2026-01-17");
    assert!(world.sent("i").ends_with("d+1@2026-01-11 d+7@2026-01-17"));
}

#[test]
fn a_claimed_step_survives_a_payment_and_its_conclusion_ends_it() {
    for (outcome, ending) in [
        (Outcome::Superseded(Reason::Paid), "superseded(paid)"),
        (Outcome::Deferred(Reason::NotAuthorised), "superseded(paid)"),
        (Outcome::Executed { channel: Channel::Sms }, "executed"),
    ] {
        let mut world = climbed("2026-01-10");
        world.notifier_down = true;
        let claim = world.morning("2026-01-11");
        world.pay("i", "2026-01-12", 0);
        assert!(world.steps("i").contains("d+1:claimed d+7:superseded(paid)"));
        world.outcomes.insert("d+1".into(), outcome);
        let conclusion = world.conclusion(&claim[claim.len() - 1]).unwrap();
        world.tell(conclusion.clone());
        assert!(world.steps("i").contains(&format!("d+1:{ending} ")), "{outcome:?}: {}", world.steps("i"));
        assert_eq!(world.tell(conclusion), [], "told again");
        assert_eq!(tasks(&world.log), Vec::<&str>::new());
    }
}

#[test]
fn a_gate_that_saw_the_payment_first_does_not_exhaust_the_track() {
    let mut world = climbed("2026-02-08");
    world.outcomes.insert("d+30".into(), Outcome::Superseded(Reason::Paid));
    world.morning("2026-02-09");
    assert_eq!((tasks(&world.log), world.track("i").phase.slug()), (vec![], "active"));
    assert_eq!(world.next_timer(at(day("2026-02-09"), 9)), Some(at(day("2026-02-10"), 9)), "in case the fact never comes");
    world.pay("i", "2026-02-09", 0);
    assert_eq!(world.track("i").phase.slug(), "settled");
}

#[test]
fn a_returned_payment_reopens_with_a_new_cycle_no_harsher_than_before() {
    let mut world = climbed("2026-01-18"); // d+7, tone 3, on the 17th
    world.pay("i", "2026-01-19", 0);
    world.reverse("i", "2026-02-15", 10_000);
    let track = world.track("i");
    assert_eq!((track.cycle, track.phase.slug(), track.tone_cap()), (2, "active", 3));
    let events = world.morning("2026-02-15");
    let (_, items) = &reminders(&events)[0];
    assert_eq!((items[0].step_id.as_str(), items[0].cycle, items[0].payment_returned, items[0].overdue), ("d+15", 2, true, true));
    let next = world.morning("2026-02-16");
    let (_, items) = &reminders(&next)[0];
    assert_eq!((items[0].step_id.as_str(), items[0].payment_returned), ("d+30", false));
}

#[test]
fn steps_sent_within_the_gap_are_not_repeated_after_a_return() {
    let mut world = World::new("calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a 1 2 roll=none gap=5\n b 20 2 roll=none");
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-01", "2026-01-11");
    world.pay("i", "2026-01-12", 0);
    world.reverse("i", "2026-01-15", 10_000);
    assert_eq!(world.steps("i"), "a:superseded(recently_sent) b:open");
}

#[test]
fn facts_told_twice_change_nothing() {
    let mut world = climbed("2026-01-11");
    world.pay("i", "2026-01-12", 5_000);
    assert_eq!(world.pay("i", "2026-01-12", 5_000), []);
    world.pay("i", "2026-01-13", 0);
    assert_eq!((world.pay("i", "2026-01-12", 5_000), world.pay("i", "2026-01-13", 0)), (vec![], vec![]));
    world.reverse("i", "2026-01-20", 10_000);
    assert_eq!((world.reverse("i", "2026-01-20", 10_000), world.pay("i", "2026-01-13", 0)), (vec![], vec![]));
    world.amend("i", "2026-01-21", "2026-02-10", 10_000);
    assert_eq!(world.amend("i", "2026-01-21", "2026-02-10", 10_000), []);
    assert_eq!(world.enroll("i", "2026-01-01", "2026-03-10"), [], "the same receivable again");
    world.cancel("i", "2026-01-22");
    assert_eq!((world.cancel("i", "2026-01-22"), world.reverse("i", "2026-01-23", 10_000)), (vec![], vec![]));
    assert_eq!(world.track("i").cycle, 3);
}

#[test]
fn two_payments_returned_at_once_open_one_cycle() {
    let mut world = climbed("2026-01-11");
    world.pay("i", "2026-01-12", 0);
    world.reverse("i", "2026-01-20", 4_000);
    world.reverse("i", "2026-01-20", 10_000);
    assert_eq!((world.track("i").cycle, world.track("i").outstanding_minor), (2, 10_000));
}

#[test]
fn a_cancellation_stops_the_track_for_good() {
    let mut world = climbed("2026-01-11");
    world.cancel("i", "2026-01-12");
    assert!(world.steps("i").ends_with("d+30:superseded(cancelled)"));
    assert_eq!(world.reverse("i", "2026-01-20", 10_000), []);
    assert_eq!(world.morning("2026-01-25"), []);
}

#[test]
fn a_due_date_moved_later_starts_tone_and_steps_again() {
    let mut world = climbed("2026-01-18");
    world.amend("i", "2026-01-19", "2026-02-10", 10_000);
    let track = world.track("i");
    assert_eq!((track.cycle, track.tone_cap(), track.effective_due), (2, 2, day("2026-02-10")));
    let ended: Vec<_> = closings(&world.log).into_iter().filter_map(|(_, _, closing)| closing.end.reason()).collect();
    assert_eq!(ended, [Reason::Rescheduled, Reason::Rescheduled]);
    world.mornings("2026-01-19", "2026-02-11");
    assert!(world.sent("i").ends_with("d-5@2026-02-05 d-1@2026-02-09 d+1@2026-02-11"));
}

#[test]
fn a_due_date_moved_earlier_expires_what_is_past_and_tone_goes_on() {
    let mut world = climbed("2026-01-06"); // d-5, tone 1
    world.amend("i", "2026-01-07", "2026-01-06", 10_000);
    assert_eq!(world.steps("i"), "d-5:expired(already_past) d-1:expired(already_past) d+1:open d+7:open d+15:open d+30:open");
    world.mornings("2026-01-07", "2026-01-13");
    assert!(world.sent("i").ends_with("d+1@2026-01-07 d+7@2026-01-13"));
}

#[test]
fn an_amended_amount_keeps_the_place() {
    let mut world = climbed("2026-01-11");
    assert_eq!(world.amend("i", "2026-01-12", "2026-01-10", 9_000).len(), 1);
    assert_eq!((world.track("i").cycle, world.track("i").outstanding_minor), (1, 9_000));
    world.amend("i", "2026-01-13", "2026-01-10", 0);
    assert_eq!(world.track("i").phase.slug(), "settled");
}

#[test]
fn a_paid_debt_leaves_the_bureau_within_five_business_days() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-02-12");
    world.deliver("i", "d+30", "2026-02-12");
    world.mornings("2026-02-13", "2026-02-26");
    assert!(world.sent("i").ends_with("d+45@2026-02-26"), "{}", world.sent("i"));
    let events = world.pay("i", "2026-02-27", 0); // a Friday
    let until = |event: &Event| if let Event::TaskRaised { until, .. } = event { *until } else { None };
    assert_eq!((tasks(&events), events.iter().find_map(until)), (vec!["remove_bureau_listing"], Some(day("2026-03-06"))));
    assert_eq!(tasks(&world.cancel("i", "2026-02-28")), Vec::<&str>::new(), "asked once");
}

#[test]
fn a_debt_paid_after_hand_off_is_told_to_a_person() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-03-20");
    assert_eq!(tasks(&world.pay("i", "2026-03-23", 0)), ["paid_after_hand_off"]);
    assert_eq!(world.track("i").phase.slug(), "handed_off");
}

#[test]
fn an_erased_payer_is_offered_nothing_more() {
    let mut world = climbed("2026-01-11");
    let forget = Command::ForgetPayer { recorded_at: at(day("2026-01-12"), 8) };
    world.tell(forget.clone());
    assert_eq!(world.tell(forget), []);
    assert!(world.steps("i").ends_with("d+30:superseded(payer_forgotten)"));
    world.reverse("i", "2026-01-20", 10_000);
    assert_eq!((world.morning("2026-01-21"), world.next_timer(at(day("2026-01-21"), 9))), (vec![], None));
    // What a later fact plans is over at once: nobody would ever end it.
    let track = world.track("i");
    assert_eq!((track.cycle, track.phase.slug()), (2, "exhausted"));
    assert!(track.occurrences.iter().all(|at| at.is_ended()));
}

#[test]
fn a_deferral_told_again_does_not_open_a_newer_claim() {
    let mut world = climbed("2026-01-10");
    world.outcomes.insert("d+1".into(), Outcome::Deferred(Reason::StaleFeed));
    world.notifier_down = true;
    let first = world.morning("2026-01-11");
    let first = world.conclusion(&first[first.len() - 1]).unwrap();
    world.tell(first.clone());
    world.morning("2026-01-12");
    assert_eq!(world.tell(first), []);
    assert!(world.steps("i").contains("d+1:claimed"));
}

#[test]
fn refusals_name_what_is_wrong_and_nothing_happens() {
    let mut world = climbed("2026-01-04");
    let step_id = StepId::new("d+1").unwrap();
    let unknown_step = StepId::new("d+99").unwrap();
    let item = |invoice: &str, step_id: &StepId| {
        let outcome = Outcome::Executed { channel: Channel::Email };
        let item = ItemOutcome { invoice_id: id(invoice), cycle: 1, step_id: step_id.clone(), occurrence: 1, outcome };
        Command::ConcludeContact { contact_id: ContactId::new("c").unwrap(), day: day("2026-01-05"), items: vec![item] }
    };
    let enroll = |invoice: &str, due: NaiveDate| enrolment(invoice, day("2026-01-01"), due, at(day("2026-01-01"), 8));
    let mut other_policy = enroll("new", day("2026-01-10"));
    let mut no_amount = other_policy.clone();
    if let Command::Enroll { policy_version, .. } = &mut other_policy {
        *policy_version = 2;
    }
    if let Command::Enroll { amount_minor, .. } = &mut no_amount {
        *amount_minor = 0;
    }
    let action = Command::ConcludeAction {
        invoice_id: id("i"),
        cycle: 1,
        step_id: step_id.clone(),
        occurrence: 1,
        day: day("2026-01-11"),
        outcome: ActionOutcome::Executed,
    };
    for (command, slug) in [
        (Command::NotePayment { invoice_id: id("x"), outstanding_minor: 0, recorded_at: at(day("2026-01-05"), 8) }, "unknown_invoice"),
        (item("x", &step_id), "unknown_invoice"),
        (item("i", &unknown_step), "unknown_occurrence"),
        (action, "wrong_kind"),
        (other_policy, "unknown_policy"),
        (no_amount, "amount_not_positive"),
        (enroll("new", NaiveDate::MAX), "date_out_of_range"),
    ] {
        assert_eq!(world.try_tell(&command).map_err(|rejection| rejection.slug()), Err(slug), "{command:?}");
    }
    assert!(world.steps("i").starts_with("d-5:open"));
}

#[test]
fn the_day_of_a_fact_is_that_of_the_payers_zone_on_both_sides_of_midnight() {
    // Due on 9 January. Half an hour before and after midnight of Acre (two hours behind São Paulo) and of Noronha (one ahead).
    let expired = "d-1:expired(due_passed)";
    for (zone, utc, end) in [
        ("America/Rio_Branco", "2026-01-10T04:30:00Z", "d-1:superseded(paid)"),
        ("America/Rio_Branco", "2026-01-10T05:30:00Z", expired),
        ("America/Noronha", "2026-01-10T01:30:00Z", "d-1:superseded(paid)"),
        ("America/Noronha", "2026-01-10T02:30:00Z", expired),
    ] {
        let mut world = World::new(SIMPLES);
        world.tell(Command::NotePayer { zone: kernel::Zone::named(zone), segment: None, state: None, municipality: None });
        world.enroll("i", "2026-01-08", "2026-01-09");
        world.tell(Command::NotePayment { invoice_id: id("i"), outstanding_minor: 0, recorded_at: utc.parse().unwrap() });
        assert!(world.steps("i").contains(end), "{zone} {utc}: {}", world.steps("i"));
    }
}

#[test]
fn an_invoice_becomes_known_on_the_payers_day() {
    for (zone, known_on) in [("America/Rio_Branco", "2026-01-07"), ("America/Sao_Paulo", "2026-01-08")] {
        let mut world = World::new(SIMPLES);
        world.tell(Command::NotePayer { zone: kernel::Zone::named(zone), segment: None, state: None, municipality: None });
        let recorded_at = "2026-01-08T04:00:00Z".parse().unwrap();
        world.tell(enrolment("i", day("2026-01-05"), day("2026-01-10"), recorded_at));
        assert_eq!(world.track("i").known_on, day(known_on), "{zone}");
    }
}
