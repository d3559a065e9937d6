//! Thanks and corrections: contacts of their own, beside reminders and their budget.

use crate::payer::Payer;
use notice::{Channel, Rules};

const THANKS: &str = "A notice:thank_you 1 2026-11-20 2026-11-23 email for=thank_you";
const CORRECTION: &str = "B notice:correction 1 2026-11-20 2026-11-23 sms>email for=correction";
const LATE: &str = "C d+3 2 2026-11-20 2026-11-23 email";
const OPEN: &str = "2026-11-23T12:00:00Z";

#[test]
fn thanks_are_a_contact_of_their_own_that_a_reminder_neither_joins_nor_bars() {
    let mut payer = Payer::new();
    let composed = payer.offer("2026-11-23", LATE);
    assert_eq!(composed, "composed 2026-11-23.BRL.all: C");
    assert_eq!(
        payer.offer("2026-11-23", &format!("{THANKS}\nD notice:thank_you 1 2026-11-20 2026-11-23 email for=thank_you")),
        "composed 2026-11-23.BRL.thank_you: A D"
    );
    let shown = payer.look(OPEN);
    assert!(shown.contains("2026-11-23.BRL.all") && shown.contains("2026-11-23.BRL.thank_you"), "{shown}");
    assert_eq!(payer.in_flight().len(), 2, "one reminder a day, and the thanks beside it");
}

#[test]
fn thanks_spend_nothing_of_the_budget_and_go_where_it_is_spent() {
    let mut payer = Payer { rules: Rules { max_per_7_days: 1, ..Rules::default() }, ..Payer::new() };
    assert!(payer.day("2026-11-23", THANKS).ends_with("A executed"));
    assert!(payer.day("2026-11-24", LATE).ends_with("C executed"), "the thanks were none of it");
    assert!(payer.day("2026-11-25", CORRECTION).ends_with("B executed"), "though it is spent");
    assert!(payer.day("2026-11-26", "E d+3 2 2026-11-20 2026-11-26 email").ends_with("E deferred budget_spent"));
}

#[test]
fn one_of_them_goes_out_a_day() {
    let mut payer = Payer::new();
    assert!(payer.day("2026-11-23", CORRECTION).ends_with("B executed"));
    payer.offer("2026-11-23", THANKS);
    assert_eq!(payer.look("2026-11-23T13:00:00Z"), "concluded 2026-11-23.BRL.thank_you: A deferred day_taken");
    assert!(payer.day("2026-11-24", THANKS).ends_with("A executed"));
    assert_eq!(payer.offer("2026-11-25", THANKS), "nothing", "once for ever");
}

#[test]
fn the_window_consent_and_the_owners_word_hold_for_them_as_for_all() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", THANKS);
    assert_eq!(payer.look("2026-11-23T11:59:00Z"), "nothing due");
    payer.owes("A", "owed_again");
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.thank_you: A superseded owed_again");
    let mut silent = Payer::new();
    silent.opt_out(Channel::Email);
    silent.offer("2026-11-23", THANKS);
    assert_eq!(silent.look(OPEN), "concluded 2026-11-23.BRL.thank_you: A suppressed opted_out");
}

#[test]
fn that_a_debt_stands_still_keeps_it_from_being_asked_for_and_from_nothing_else() {
    let mut payer = Payer::new();
    payer.suspend("A", "track_over");
    payer.offer("2026-11-23", THANKS);
    assert!(payer.look(OPEN).contains("says A 10000 by email"));
}
