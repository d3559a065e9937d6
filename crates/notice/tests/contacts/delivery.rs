//! Attempts, fallbacks and receipts.

use crate::payer::Payer;
use notice::{Channel, ReceiptStatus, next_wake};

const FIRM: &str = "A d+7 3 2026-11-16 2026-11-23 whatsapp>sms+email";
const CHAIN: &str = "A d+1 2 2026-11-19 2026-11-23 whatsapp>sms>email";
const ID: &str = "2026-11-23.BRL.all";
const OPEN: &str = "2026-11-23T12:00:00Z";
const LATER: &str = "2026-11-23T12:01:00Z";

fn handed(items: &str) -> Payer {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", items);
    payer.look(OPEN);
    payer
}

fn attempt(chain: u32, link: u32) -> String {
    format!("{ID}.{chain}.{link}")
}

#[test]
fn the_first_channel_that_accepts_executes_the_step() {
    let mut payer = handed(FIRM);
    assert_eq!(payer.answer(&attempt(1, 0), "accepted", LATER), format!("accepted {ID}.1.0 email\nconcluded {ID} by email: A executed"));
    assert_eq!(payer.answer(&attempt(0, 0), "accepted", LATER), format!("accepted {ID}.0.0 whatsapp"), "no second outcome");
    assert_eq!(payer.answer(&attempt(0, 0), "accepted", LATER), "nothing");
    assert_eq!(payer.answer(&attempt(0, 0), "refused", LATER), "refused attempt_id attempt_settled");
}

#[test]
fn a_refusal_tries_the_next_channel_after_another_look() {
    let mut payer = handed(CHAIN);
    assert_eq!(payer.answer(&attempt(0, 0), "refused", LATER), format!("refused {ID}.0.0 bad_address"));
    payer.owes("A", "4000");
    assert_eq!(payer.look(LATER), format!("again {ID} as tone-2 says A 4000\nstarts {ID}.0.1 sms"));
    assert_eq!(payer.look(LATER), "nothing due");
}

#[test]
fn a_payment_between_refusal_and_fallback_ends_the_contact() {
    let mut payer = handed(&format!("{CHAIN}\nB d+1 2 2026-11-20 2026-11-23 sms"));
    payer.answer(&attempt(0, 0), "refused", LATER);
    payer.owes("A", "paid");
    assert_eq!(payer.look(LATER), format!("again {ID} as tone-2 says B 10000 without A superseded paid\nstarts {ID}.0.1 sms"));
    payer.answer(&attempt(0, 1), "refused", LATER);
    payer.owes("B", "paid");
    assert_eq!(payer.look(LATER), format!("concluded {ID}: B superseded paid"));
    assert_eq!(payer.look(LATER), "nothing due");
}

/// Two chains and two debts; one chain is refused while the other has not answered.
fn one_chain_in_flight() -> Payer {
    let mut payer = handed("A d+1 2 2026-11-19 2026-11-23 voice>email+whatsapp\nB d+1 2 2026-11-20 2026-11-23 sms");
    payer.answer(&attempt(0, 0), "refused", LATER);
    payer
}

#[test]
fn what_is_paid_while_another_chain_is_in_flight_ends_and_is_not_said_by_the_fallback() {
    let mut payer = one_chain_in_flight();
    payer.owes("B", "paid");
    assert_eq!(payer.look(LATER), format!("again {ID} as tone-2 says A 10000 without B superseded paid\nstarts {ID}.0.1 email"));
    let accepted = payer.answer(&attempt(1, 0), "accepted", LATER);
    assert!(accepted.ends_with(&format!("concluded {ID} by whatsapp: A executed")), "{accepted}");
}

#[test]
fn what_would_wait_while_another_chain_may_be_saying_it_stops_the_fallback() {
    let mut payer = one_chain_in_flight();
    payer.owes("B", "disputed");
    assert_eq!(payer.look(LATER), format!("stopped {ID} [0] nothing_to_say"));
    let accepted = payer.answer(&attempt(1, 0), "accepted", LATER);
    assert!(accepted.ends_with(&format!("concluded {ID} by whatsapp: A executed, B executed")), "{accepted}");
}

#[test]
fn a_contact_refused_on_every_channel_is_undeliverable_and_leaves_the_budget() {
    let mut payer = handed(FIRM);
    payer.answer(&attempt(0, 0), "refused", LATER);
    payer.answer(&attempt(1, 0), "refused", LATER);
    payer.look(LATER);
    assert_eq!(
        payer.answer(&attempt(0, 1), "refused", LATER),
        format!("refused {ID}.0.1 bad_address\nconcluded {ID}: A undeliverable all_refused")
    );
    assert!(payer.day("2026-11-23", "B d+3 2 2026-11-20 2026-11-23 email USD").ends_with("B executed"));
}

#[test]
fn silence_falls_back_after_its_hours_and_delivery_ends_the_chain() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "accepted", "2026-11-23T12:00:10Z");
    assert_eq!(next_wake(&payer.contacts), Some("2026-11-23T16:00:10Z".parse().unwrap()));
    assert_eq!(payer.look("2026-11-23T16:00:09Z"), "nothing due");
    assert_eq!(payer.look("2026-11-23T16:00:10Z"), format!("again {ID} as tone-2 says A 10000\nstarts {ID}.0.1 sms"));
    assert_eq!(payer.answer(&attempt(0, 1), "accepted", "2026-11-23T16:00:11Z"), format!("accepted {ID}.0.1 sms"));
    assert_eq!(payer.receipt(&attempt(0, 1), "delivered", "2026-11-23T16:00:12Z"), format!("delivered {ID}.0.1"));
    assert_eq!(next_wake(&payer.contacts), None);
}

#[test]
fn silence_never_falls_back_outside_the_window_of_its_day() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "accepted", "2026-11-23T17:30:00Z");
    assert_eq!(next_wake(&payer.contacts), None, "21:30 is past six in the evening");
    let mut asleep = handed(CHAIN);
    asleep.answer(&attempt(0, 0), "accepted", OPEN);
    assert_eq!(asleep.look("2026-11-23T21:30:00Z"), format!("stopped {ID} [0] window_shut"));
    assert_eq!(next_wake(&asleep.contacts), None);
}

#[test]
fn zero_hours_mean_that_silence_is_left_alone() {
    let mut payer = handed("A d+1 2 2026-11-19 2026-11-23 whatsapp>sms wait=0");
    payer.answer(&attempt(0, 0), "accepted", OPEN);
    assert_eq!(next_wake(&payer.contacts), None);
}

#[test]
fn a_bounce_falls_back_at_once_unless_the_debt_is_paid_by_then() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "accepted", OPEN);
    assert_eq!(payer.receipt(&attempt(0, 0), "failed", LATER), format!("failed {ID}.0.0"));
    payer.owes("A", "paid");
    assert_eq!(payer.look(LATER), format!("stopped {ID} [0] nothing_to_say"), "the outcome stays executed");
    assert_eq!(payer.look(LATER), "nothing due");
}

#[test]
fn receipts_come_in_any_order_and_any_number() {
    for (order, known) in [
        ("delivered read", ReceiptStatus::Read),
        ("read delivered", ReceiptStatus::Read),
        ("failed delivered", ReceiptStatus::Delivered),
        ("delivered failed", ReceiptStatus::Delivered),
        ("read read failed delivered", ReceiptStatus::Read),
        ("failed failed", ReceiptStatus::Failed),
    ] {
        let mut payer = handed(CHAIN);
        payer.answer(&attempt(0, 0), "accepted", OPEN);
        for status in order.split(' ') {
            payer.receipt(&attempt(0, 0), status, LATER);
        }
        let contact = payer.contacts.contacts.values().next().unwrap();
        assert_eq!(contact.chains[0].attempts[0].receipt, Some(known), "{order}");
    }
}

#[test]
fn a_receipt_that_overtakes_the_answer_settles_it() {
    let mut payer = handed(CHAIN);
    assert_eq!(
        payer.receipt(&attempt(0, 0), "read", LATER),
        format!("accepted {ID}.0.0 whatsapp\nconcluded {ID} by whatsapp: A executed\nread {ID}.0.0")
    );
    assert_eq!(payer.answer(&attempt(0, 0), "accepted", LATER), "nothing");
    let mut payer = handed("A d+1 2 2026-11-19 2026-11-23 email>sms");
    assert_eq!(
        payer.receipt(&attempt(0, 0), "failed", LATER),
        format!("accepted {ID}.0.0 email\nconcluded {ID} by email: A executed\nfailed {ID}.0.0"),
        "it was taken, or nothing could fail on its way"
    );
    assert_eq!(payer.offer("2026-11-24", "A d+1 2 2026-11-19 2026-11-23 email>sms"), "nothing", "so it is not said again");
    assert!(payer.look(LATER).ends_with(&format!("starts {ID}.0.1 sms")), "but the next channel stands in");
    assert_eq!(payer.receipt("2026-11-23.BRL.all.7.7", "read", LATER), "refused attempt_id attempt_unknown");
}

#[test]
fn an_unknown_outcome_is_never_blindly_sent_again() {
    let mut payer = handed(CHAIN);
    assert_eq!(payer.answer(&attempt(0, 0), "unknown", LATER), format!("unknown {ID}.0.0"));
    assert_eq!(payer.look("2026-11-23T20:59:00Z"), "nothing due", "no fallback either: it may have arrived");
    assert_eq!(payer.retry(&attempt(0, 0), false, LATER), "refused channel_is_idempotent retry_forbidden");
    assert_eq!(payer.offer("2026-11-24", CHAIN), "nothing", "nor another contact while nobody knows");
    assert_eq!(payer.close("2026-11-24T12:00:00Z"), "nothing");
    assert_eq!(payer.close("2026-11-27T03:00:00Z"), format!("concluded {ID}: A undeliverable outcome_unknown"));
    assert_eq!(payer.close("2026-11-27T03:00:00Z"), "nothing");
    assert_eq!(
        payer.receipt(&attempt(0, 0), "delivered", "2026-11-27T04:00:00Z"),
        format!("accepted {ID}.0.0 whatsapp\ndelivered {ID}.0.0")
    );
}

#[test]
fn an_idempotent_channel_is_called_again_with_the_same_key_a_few_times() {
    let mut payer = handed(CHAIN);
    for _ in 0..4 {
        payer.answer(&attempt(0, 0), "unknown", LATER);
        assert_eq!(payer.retry(&attempt(0, 0), true, LATER), format!("retries {ID}.0.0"));
    }
    assert_eq!(payer.retry(&attempt(0, 0), true, LATER), "refused attempt_id retries_spent");
    assert_eq!(
        payer.answer(&attempt(0, 0), "accepted", LATER),
        format!("accepted {ID}.0.0 whatsapp\nconcluded {ID} by whatsapp: A executed")
    );
    let mut payer = handed(CHAIN);
    assert_eq!(payer.retry(&attempt(0, 0), true, "2026-11-23T12:10:01Z"), "refused attempt_id retries_spent", "the look is too old");
}

#[test]
fn parallel_chains_never_use_a_channel_twice() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", "A d+7 3 2026-11-16 2026-11-23 whatsapp>email+email>sms");
    assert!(payer.look(OPEN).ends_with(&format!("starts {ID}.0.0 whatsapp\nstarts {ID}.1.0 email")));
    payer.answer(&attempt(0, 0), "refused", LATER);
    assert_eq!(payer.look(LATER), format!("stopped {ID} [0] no_channel_left"));
    payer.answer(&attempt(1, 0), "refused", LATER);
    assert!(payer.look(LATER).ends_with(&format!("starts {ID}.1.1 sms")));
}

#[test]
fn a_fallback_looks_at_consent_again() {
    let mut payer = handed("A d+1 2 2026-11-19 2026-11-23 whatsapp>sms");
    payer.opt_out(Channel::Sms);
    payer.answer(&attempt(0, 0), "refused", LATER);
    assert_eq!(payer.look(LATER), format!("stopped {ID} [0] no_channel_left\nconcluded {ID}: A undeliverable all_refused"));
}

#[test]
fn a_refusal_after_the_window_shut_puts_the_step_off() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "refused", "2026-11-23T21:00:01Z");
    assert_eq!(payer.look("2026-11-23T21:00:02Z"), format!("stopped {ID} [0] window_shut\nconcluded {ID}: A deferred window_shut"));
    assert_eq!(payer.offer("2026-11-24", CHAIN), "composed 2026-11-24.BRL.all: A");
}

#[test]
fn a_refusal_on_a_day_that_has_become_a_holiday_puts_the_step_off() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "refused", LATER);
    payer.local_holiday = true;
    assert_eq!(payer.look(LATER), format!("stopped {ID} [0] window_shut\nconcluded {ID}: A deferred window_shut"));
}

#[test]
fn a_contact_between_two_channels_keeps_its_place_in_the_budget() {
    let mut payer = handed(CHAIN);
    payer.answer(&attempt(0, 0), "refused", LATER);
    payer.offer("2026-11-23", "B d+3 2 2026-11-20 2026-11-20 email USD");
    assert_eq!(payer.gate("2026-11-23.USD.all", LATER), "concluded 2026-11-23.USD.all: B deferred budget_spent");
}

#[test]
fn contacts_that_nobody_looked_at_are_closed_and_offered_again() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", CHAIN);
    assert_eq!(
        payer.offer("2026-11-24", CHAIN.replace(">sms>email", "").as_str()),
        format!("concluded {ID}: A deferred window_shut\ncomposed 2026-11-24.BRL.all: A")
    );
    assert_eq!(payer.close("2026-11-25T03:00:00Z"), "concluded 2026-11-24.BRL.all: A deferred window_shut");
}

#[test]
fn concluded_contacts_are_kept_two_months_and_executed_steps_for_ever() {
    let mut payer = Payer::new();
    payer.day("2026-11-23", "A d+3 2 2026-11-20 2026-11-23 email");
    payer.offer("2027-02-01", "B d+3 2 2026-11-20 2026-11-23 email");
    assert_eq!(payer.contacts.contacts.keys().map(ToString::to_string).collect::<Vec<_>>(), ["2027-02-01.BRL.all"]);
    assert_eq!(payer.offer("2027-02-01", "A d+3 2 2026-11-20 2026-11-23 email"), "nothing");
}
