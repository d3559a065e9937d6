//! Thanks and corrections: planned by a fact, sent on a later day, at most one a day and at most once each.

use crate::book::{draft, policy};
use crate::world::{World, at, day, id, tasks};
use kernel::{ContactId, StepId};
use ladder::draft::validate;
use ladder::ladder::{ItemOutcome, Outcome};
use ladder::notices::{NoticeKind, NoticeState};
use ladder::policy::Channel;
use ladder::{Command, Event, Reason};

const POLICY: &str = "calendar none\n weekdays mon,tue,wed,thu,fri,sat,sun\n a -5 1\n b 1 2\n c 7 3\n d 30 4\n\
    notice thank_you channels=email\n notice correction channels=sms>email expires=4";

fn world() -> World {
    let mut world = World::new(POLICY);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

/// `thank_you i@2026-01-13`: what was told, and on which day.
fn told(world: &World) -> String {
    let mut told = Vec::new();
    for event in &world.log {
        if let Event::NoticeDue { kind, day, items, .. } = event {
            told.push(format!("{} {}@{day}", kind.name(), items.iter().map(|item| item.invoice_id.as_str()).collect::<Vec<_>>().join(",")));
        }
    }
    told.join(" ")
}

/// `executed`, `open`, `superseded(reopened)`: the newest notice of a receivable; empty where it has none.
fn stands(world: &World, invoice: &str) -> String {
    world.track(invoice).notices.last().map_or_else(String::new, |notice| match &notice.state {
        NoticeState::Open => "open".into(),
        NoticeState::Claimed { .. } => "claimed".into(),
        NoticeState::Ended { end, .. } => end.reason().map_or(end.slug().into(), |reason| format!("{}({reason})", end.slug())),
    })
}

#[test]
fn a_full_payment_is_thanked_for_on_a_later_day_once() {
    let mut world = world();
    world.mornings("2026-01-01", "2026-01-11");
    world.pay("i", "2026-01-12", 4_000);
    world.mornings("2026-01-12", "2026-01-13");
    assert_eq!(told(&world), "", "a part of it is not what thanks are for");
    world.pay("i", "2026-01-14", 0);
    world.wake(at(day("2026-01-14"), 15));
    assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), ("", "open"), "not on the day itself");
    assert_eq!(world.next_timer(at(day("2026-01-14"), 15)), Some(at(day("2026-01-15"), 9)));
    world.mornings("2026-01-15", "2026-01-31");
    assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), ("thank_you i@2026-01-15", "executed"));
    assert_eq!(world.next_timer(at(day("2026-01-31"), 9)), None);
    assert_eq!((world.track("i").last_contact_on, tasks(&world.log)), (Some(day("2026-01-11")), vec![]), "it is no step");
}

#[test]
fn a_returned_payment_drops_the_thanks_and_the_next_payment_is_thanked_for() {
    let mut world = world();
    world.pay("i", "2026-01-08", 0);
    world.reverse("i", "2026-01-08", 10_000);
    assert_eq!(stands(&world, "i"), "superseded(reopened)");
    world.mornings("2026-01-09", "2026-01-12");
    world.pay("i", "2026-01-12", 0);
    world.mornings("2026-01-13", "2026-01-14");
    assert_eq!(told(&world), "thank_you i@2026-01-13");
    world.reverse("i", "2026-01-15", 10_000);
    world.pay("i", "2026-01-16", 0);
    world.mornings("2026-01-17", "2026-01-18");
    assert_eq!(told(&world), "thank_you i@2026-01-13 thank_you i@2026-01-17", "one for each payment");
}

#[test]
fn thanks_that_were_over_when_the_payment_was_returned_had_expired_whoever_looked_when() {
    for looks in [true, false] {
        let mut world = World::new(&POLICY.replace("thank_you channels=email", "thank_you channels=email expires=2"));
        world.enroll("i", "2026-01-01", "2026-01-10");
        world.pay("i", "2026-01-08", 0);
        if looks {
            world.wake(at(day("2026-01-11"), 1));
        }
        world.reverse("i", "2026-01-11", 10_000);
        assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), ("", "expired(too_old)"), "{looks}");
    }
}

#[test]
fn what_is_no_payment_or_no_news_gets_no_thanks() {
    let mut credited = world();
    credited.tell(Command::NoteCredit { invoice_id: id("i"), outstanding_minor: 0, recorded_at: at(day("2026-01-08"), 8) });
    assert_eq!(stands(&credited, "i"), "");
    let mut imported = World::new(POLICY);
    imported.tell(crate::world::enrolment("i", day("2025-11-01"), day("2025-12-10"), at(day("2026-01-05"), 8)));
    imported.pay("i", "2026-01-05", 0);
    assert_eq!(stands(&imported, "i"), "", "it became known with its payment");
    let mut silent = World::new("calendar none\n a 1 2");
    silent.enroll("i", "2026-01-01", "2026-01-10");
    silent.pay("i", "2026-01-08", 0);
    assert_eq!(stands(&silent, "i"), "", "the policy has no thanks");
    let mut erased = world();
    erased.pay("i", "2026-01-08", 0);
    erased.tell(Command::ForgetPayer { recorded_at: at(day("2026-01-08"), 9) });
    assert_eq!(stands(&erased, "i"), "superseded(payer_forgotten)");
}

#[test]
fn thanks_are_dropped_by_an_agreement_and_by_its_breach() {
    let agreement_id = || kernel::AgreementId::new("g").unwrap();
    let mut renegotiated = world();
    renegotiated.pay("i", "2026-01-08", 0);
    renegotiated.tell(Command::NoteAgreement { invoice_id: id("i"), agreement_id: agreement_id(), recorded_at: at(day("2026-01-08"), 9) });
    assert_eq!(stands(&renegotiated, "i"), "superseded(renegotiated)");
    let mut broken = world();
    broken.pay("i", "2026-01-08", 0);
    broken.tell(Command::NoteBreach { invoice_id: id("i"), outstanding_minor: 5_000, recorded_at: at(day("2026-01-08"), 9) });
    assert_eq!(stands(&broken, "i"), "superseded(reopened)");
}

#[test]
fn a_cancellation_is_corrected_where_something_was_sent_and_was_still_owed() {
    let mut world = world();
    world.mornings("2026-01-01", "2026-01-11");
    world.cancel("i", "2026-01-12");
    world.cancel("i", "2026-01-12");
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), ("correction i@2026-01-13", "executed"));
    world.enroll("unsent", "2026-01-20", "2026-02-20");
    world.cancel("unsent", "2026-01-22");
    assert_eq!(stands(&world, "unsent"), "");
    world.enroll("paid", "2026-01-20", "2026-01-26");
    world.mornings("2026-01-21", "2026-01-27");
    world.pay("paid", "2026-01-28", 0);
    world.cancel("paid", "2026-01-28");
    assert_eq!(stands(&world, "paid"), "superseded(cancelled)", "thanks that are not true any more, and nothing to correct");
}

#[test]
fn a_contact_that_was_on_its_way_at_the_cancellation_is_corrected_too() {
    let mut world = world();
    world.notifier_down = true;
    let offered = world.morning("2026-01-05");
    world.cancel("i", "2026-01-05");
    assert_eq!(stands(&world, "i"), "");
    let conclusion = world.conclusion(offered.last().unwrap()).unwrap();
    world.tell(conclusion);
    world.notifier_down = false;
    world.mornings("2026-01-06", "2026-01-06");
    assert_eq!(told(&world), "correction i@2026-01-06");
}

#[test]
fn notices_of_a_payer_are_merged_one_a_day_and_corrections_go_first() {
    let mut world = world();
    for invoice in ["j", "k", "l"] {
        world.enroll(invoice, "2026-01-01", "2026-01-10");
    }
    world.mornings("2026-01-02", "2026-01-11");
    world.pay("i", "2026-01-12", 0);
    world.pay("k", "2026-01-12", 0);
    world.cancel("j", "2026-01-12");
    world.cancel("l", "2026-01-12");
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!(told(&world), "correction j,l@2026-01-13 thank_you i,k@2026-01-14");
}

#[test]
fn a_notice_that_is_put_off_goes_on_another_day_and_not_after_its_last() {
    let mut world = world();
    world.mornings("2026-01-01", "2026-01-11");
    world.outcomes.insert("notice:correction".into(), Outcome::Deferred(Reason::WindowShut));
    world.cancel("i", "2026-01-12");
    world.mornings("2026-01-13", "2026-01-16");
    let days = ["13", "14", "15", "16"].map(|day| format!("correction i@2026-01-{day}")).join(" ");
    assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), (days.as_str(), "open"));
    world.mornings("2026-01-17", "2026-01-20");
    assert_eq!((told(&world).as_str(), stands(&world, "i").as_str()), (days.as_str(), "expired(too_old)"));
}

#[test]
fn what_the_gate_said_of_a_notice_is_kept_and_told_again_changes_nothing() {
    for (outcome, expected) in [
        (Outcome::Superseded(Reason::Reopened), "superseded(reopened)"),
        (Outcome::Suppressed(Reason::OptedOut), "suppressed(opted_out)"),
        (Outcome::Undeliverable(Reason::NoAddress), "undeliverable(no_address)"),
    ] {
        let mut world = world();
        world.outcomes.insert("notice:thank_you".into(), outcome);
        world.pay("i", "2026-01-08", 0);
        world.mornings("2026-01-09", "2026-01-12");
        assert_eq!((stands(&world, "i").as_str(), tasks(&world.log)), (expected, vec![]), "nobody has to do anything");
    }
    let mut world = world();
    world.pay("i", "2026-01-08", 0);
    world.mornings("2026-01-09", "2026-01-09");
    let item = |cycle| ItemOutcome {
        invoice_id: id("i"),
        cycle,
        step_id: NoticeKind::ThankYou.step_id(),
        occurrence: 1,
        outcome: Outcome::Executed { channel: Channel::Sms },
    };
    let told_again =
        |cycle| Command::ConcludeContact { contact_id: ContactId::new("c9").unwrap(), day: day("2026-01-09"), items: vec![item(cycle)] };
    assert_eq!(world.tell(told_again(1)), []);
    assert_eq!(world.try_tell(&told_again(2)).map_err(|rejection| rejection.slug()), Err("unknown_occurrence"));
    let (invoice_id, step_id) = (id("i"), NoticeKind::ThankYou.step_id());
    assert_eq!(world.tell(Command::NoteDelivery { invoice_id, cycle: 1, step_id, occurrence: 1, delivered_on: day("2026-01-10") }), []);
}

#[test]
fn thanks_that_were_on_their_way_at_the_return_end_with_it() {
    let mut world = world();
    world.pay("i", "2026-01-08", 0);
    world.notifier_down = true;
    let offered = world.morning("2026-01-09");
    world.reverse("i", "2026-01-09", 10_000);
    assert_eq!(stands(&world, "i"), "claimed", "the gate decides");
    world.outcomes.insert("notice:thank_you".into(), Outcome::Deferred(Reason::WindowShut));
    let conclusion = world.conclusion(offered.last().unwrap()).unwrap();
    world.tell(conclusion);
    assert_eq!(stands(&world, "i"), "superseded(reopened)");
}

#[test]
fn each_fault_of_a_notice_names_its_field_and_no_step_has_the_name_of_one() {
    for (text, fault) in [
        ("a 1 1\n notice thank_you", "notices.thank_you.channels channels_missing"),
        ("a 1 1\n notice thank_you channels=fax", "notices.thank_you.channels[0] unknown_channel"),
        ("a 1 1\n notice correction channels=email expires=0", "notices.correction.expires unknown_expires"),
        ("a 1 1\n notice correction channels=email expires=31", "notices.correction.expires unknown_expires"),
        ("a 1 1\n notice correction channels=email expires=never", "notices.correction.expires unknown_expires"),
        ("notice:thank_you 1 1", "step[0].id reserved_id"),
        ("notice:x 1 1", "step[0].id reserved_id"),
    ] {
        let faults = validate(&draft(text)).err().unwrap_or_default();
        assert_eq!(faults.iter().map(|fault| format!("{} {}", fault.path, fault.slug)).collect::<Vec<_>>(), [fault], "{text}");
    }
    let notices = policy(POLICY).notices().clone();
    assert_eq!(notices.thank_you.map(|rule| rule.expires_days), Some(2));
    assert_eq!(NoticeKind::of_step(&StepId::new("thank_you").unwrap()), None);
}
