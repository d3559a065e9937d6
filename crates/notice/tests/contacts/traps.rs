//! Traps that other products fell into, one test each: those that concern contacts.

use crate::payer::Payer;
use notice::{Channel, next_wake};

const LATE: &str = "A d+3 2 2026-11-20 2026-11-23 email";
const OPEN: &str = "2026-11-23T12:00:00Z";

#[test]
fn a_run_every_minute_sends_one_copy() {
    let mut payer = Payer::new();
    for minute in 0..60 {
        payer.offer("2026-11-23", LATE);
        payer.look(&format!("2026-11-23T12:{minute:02}:00Z"));
        payer.answer("2026-11-23.BRL.all.0.0", "accepted", &format!("2026-11-23T12:{minute:02}:01Z"));
    }
    assert_eq!(payer.started(), 1);
}

#[test]
fn an_executed_step_offered_on_another_day_is_not_sent_again() {
    let mut payer = Payer::new();
    payer.day("2026-11-23", LATE);
    assert_eq!(payer.offer("2026-11-24", LATE), "nothing");
    assert_eq!(payer.started(), 1);
}

#[test]
fn the_day_of_a_contact_is_the_payers_and_not_that_of_utc() {
    let mut payer = Payer::new();
    payer.rules.window.until = "23:00:00".parse().unwrap();
    payer.offer("2026-11-23", LATE);
    // 22:30 on the 23rd in São Paulo is the 24th in UTC.
    assert!(payer.look("2026-11-24T01:30:00Z").starts_with("gated 2026-11-23.BRL.all"));
}

#[test]
fn a_reminder_for_an_invoice_whose_payment_is_not_linked_yet_waits() {
    let mut payer = Payer::new();
    payer.feed_fresh = false;
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A deferred stale_feed");
    payer.feed_fresh = true;
    payer.owes("A", "paid");
    assert!(payer.day("2026-11-24", LATE).ends_with("A superseded paid"));
    assert_eq!(payer.started(), 0);
}

#[test]
fn the_text_says_what_is_left_and_not_the_total() {
    let mut payer = Payer::new();
    payer.owes("A", "2550");
    payer.offer("2026-11-23", LATE);
    assert!(payer.look(OPEN).starts_with("gated 2026-11-23.BRL.all as tone-2 says A 2550 by email"));
}

#[test]
fn a_payer_in_credit_is_not_dunned() {
    let mut payer = Payer::new();
    payer.owes("A", "covered_by_credit");
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A suppressed covered_by_credit");
}

#[test]
fn a_started_attempt_is_not_taken_for_sent_and_leaves_the_fallback_channel_open() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", "A d+1 2 2026-11-19 2026-11-23 whatsapp>sms");
    assert!(payer.look(OPEN).ends_with("starts 2026-11-23.BRL.all.0.0 whatsapp"));
    assert!(payer.contacts.done.is_empty());
    payer.answer("2026-11-23.BRL.all.0.0", "refused", OPEN);
    assert!(payer.look(OPEN).ends_with("starts 2026-11-23.BRL.all.0.1 sms"));
}

#[test]
fn twenty_invoices_are_one_message() {
    let mut payer = Payer::new();
    let items: String = (0..20).map(|number| format!("I{number} d+3 2 2026-11-20 2026-11-23 email\n")).collect();
    let shown = payer.day("2026-11-23", &items);
    assert_eq!(payer.started(), 1);
    assert_eq!(shown.matches("executed").count(), 20);
}

#[test]
fn no_attempt_is_counted_where_there_is_no_address() {
    let mut payer = Payer::reached_by("email");
    payer.offer("2026-11-23", "A d+3 2 2026-11-20 2026-11-20 sms BRL\nB d+3 2 2026-11-20 2026-11-23 email USD");
    assert_eq!(
        payer.look(OPEN),
        "concluded 2026-11-23.BRL.all: A undeliverable no_address\n\
         gated 2026-11-23.USD.all as tone-2 says B 10000 by email\n\
         starts 2026-11-23.USD.all.0.0 email"
    );
}

#[test]
fn an_item_that_cannot_be_reached_does_not_ride_with_one_that_can() {
    let mut payer = Payer::reached_by("email");
    let shown = payer.day("2026-11-23", &format!("{LATE}\nB d+7 3 2026-11-16 2026-11-23 whatsapp>sms"));
    assert_eq!(
        shown,
        "gated 2026-11-23.BRL.all as tone-2 says A 10000 by email without B undeliverable no_address\n\
         starts 2026-11-23.BRL.all.0.0 email\n\
         accepted 2026-11-23.BRL.all.0.0 email\n\
         concluded 2026-11-23.BRL.all by email: A executed"
    );
}

#[test]
fn a_concluded_contact_is_never_looked_at_again() {
    for refused in [false, true] {
        let mut payer = Payer::new();
        payer.offer("2026-11-23", LATE);
        payer.look(OPEN);
        payer.answer("2026-11-23.BRL.all.0.0", if refused { "refused" } else { "accepted" }, OPEN);
        assert_eq!(next_wake(&payer.contacts), None);
        assert_eq!(payer.gate("2026-11-23.BRL.all", OPEN), "nothing");
    }
}

#[test]
fn a_step_put_off_is_not_offered_to_the_gate_twice_on_one_day() {
    let mut payer = Payer::new();
    payer.day("2026-11-23", "X d+3 2 2026-11-19 2026-11-20 email USD");
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A deferred budget_spent");
    assert_eq!(payer.offer("2026-11-23", LATE), "nothing");
    assert!(payer.day("2026-11-24", LATE).ends_with("A executed"));
}

#[test]
fn an_opt_out_between_composing_and_the_gate_is_honoured() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", LATE);
    payer.opt_out(Channel::Email);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A suppressed opted_out");
}
