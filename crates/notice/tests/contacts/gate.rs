//! The last look.

use crate::payer::Payer;
use kernel::{ContactId, Zone};
use notice::{Address, Channel, Command, Compose, Gate, Merge, Outcome, Reason};

const LATE: &str = "A d+3 2 2026-11-20 2026-11-23 email";
const OPEN: &str = "2026-11-23T12:00:00Z";

fn only(payer: &mut Payer) -> String {
    payer.offer("2026-11-23", LATE);
    payer.look(OPEN)
}

#[test]
fn each_refusal_of_the_owner_has_its_outcome() {
    for (refusal, outcome) in [
        ("paid", "superseded paid"),
        ("cancelled", "superseded cancelled"),
        ("renegotiated", "superseded renegotiated"),
        ("within_tolerance", "superseded within_tolerance"),
        ("covered_by_credit", "suppressed covered_by_credit"),
        ("below_minimum", "suppressed below_minimum"),
        ("unknown", "suppressed unknown_invoice"),
        ("customer_erased", "suppressed customer_erased"),
        ("owed_again", "superseded owed_again"),
        ("automatic_debit", "deferred automatic_debit"),
        ("stale_feed", "deferred stale_feed"),
    ] {
        let mut payer = Payer::new();
        payer.owes("A", refusal);
        assert_eq!(only(&mut payer), format!("concluded 2026-11-23.BRL.all: A {outcome}"));
    }
}

#[test]
fn what_waits_for_its_automatic_debit_costs_no_budget_and_goes_after_its_day() {
    let mut payer = Payer::new();
    payer.owes("A", "automatic_debit");
    payer.offer("2026-11-23", &format!("{LATE}\nB d+3 2 2026-11-20 2026-11-23 sms"));
    let shown = payer.look(OPEN);
    assert!(shown.contains("says B 10000 by sms without A deferred automatic_debit"), "{shown}");
    payer.owes("A", "10000");
    assert!(payer.day("2026-11-24", LATE).ends_with("A executed"));
}

#[test]
fn without_address_and_without_consent_are_two_things() {
    for (address, consent, outcome) in [
        (Address::Missing, true, "A undeliverable no_address"),
        (Address::Invalid, true, "A undeliverable no_address"),
        (Address::Valid, false, "A suppressed no_consent"),
    ] {
        let mut payer = Payer::new();
        payer.reach.insert(Channel::Email, notice::Reachability { address, consent });
        assert_eq!(only(&mut payer), format!("concluded 2026-11-23.BRL.all: {outcome}"));
    }
}

#[test]
fn the_payers_own_word_stands_before_the_owners() {
    let mut payer = Payer::new();
    assert_eq!(payer.opt_out(Channel::Email), "opted out email");
    assert_eq!(payer.opt_out(Channel::Email), "nothing");
    assert_eq!(only(&mut payer), "concluded 2026-11-23.BRL.all: A suppressed opted_out");
    assert_eq!(payer.opt_in(Channel::Email), "opted in email");
    assert!(payer.day("2026-11-24", "B d+3 2 2026-11-20 2026-11-23 email").ends_with("B executed"));
    assert_eq!(payer.run(&Command::Forget(notice::Forget)), "forgotten");
    assert_eq!(payer.run(&Command::Forget(notice::Forget)), "nothing");
    assert!(payer.day("2026-11-25", "C d+3 2 2026-11-20 2026-11-23 email").ends_with("C suppressed no_consent"));
}

#[test]
fn a_no_to_everything_is_a_no_to_every_channel_once() {
    let mut payer = Payer::new();
    payer.opt_out(Channel::Sms);
    assert_eq!(payer.opt_out_of_all(), "opted out email\nopted out whatsapp\nopted out voice\nopted out letter");
    assert_eq!(payer.opt_out_of_all(), "nothing");
    assert_eq!(payer.opt_in(Channel::Sms), "opted in sms");
    payer.offer("2026-11-23", &format!("{LATE}\nB d+3 2 2026-11-20 2026-11-23 whatsapp>sms"));
    let shown = payer.look(OPEN);
    assert!(shown.contains("says B 10000 by sms without A suppressed opted_out"), "{shown}");
}

#[test]
fn who_said_no_to_one_channel_and_never_yes_to_the_other_has_not_agreed() {
    let mut payer = Payer::new();
    payer.reach.insert(Channel::Whatsapp, notice::Reachability { address: Address::Valid, consent: false });
    payer.opt_out(Channel::Sms);
    payer.offer("2026-11-23", "A d+1 2 2026-11-20 2026-11-23 whatsapp>sms");
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A suppressed no_consent");
}

#[test]
fn channels_without_address_or_consent_are_left_out_of_the_chains() {
    let mut payer = Payer::reached_by("sms email letter");
    payer.opt_out(Channel::Letter);
    payer.offer("2026-11-23", "A d+7 3 2026-11-16 2026-11-23 whatsapp>sms+letter+email");
    assert_eq!(
        payer.look(OPEN),
        "gated 2026-11-23.BRL.all as tone-3 says A 10000 by sms+email\n\
         starts 2026-11-23.BRL.all.0.0 sms\n\
         starts 2026-11-23.BRL.all.1.0 email"
    );
}

#[test]
fn a_stale_feed_puts_off_what_is_overdue_and_nothing_else() {
    let mut payer = Payer::new();
    payer.feed_fresh = false;
    payer.offer("2026-11-23", &format!("{LATE}\nUP d-1 1 2026-11-24 2026-11-23 sms"));
    assert_eq!(
        payer.look(OPEN),
        "gated 2026-11-23.BRL.all as tone-1 says UP 10000 by sms without A deferred stale_feed\n\
         starts 2026-11-23.BRL.all.0.0 sms"
    );
}

#[test]
fn the_budget_is_one_over_all_currencies_and_goes_to_the_oldest_plan() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", "A d+3 2 2026-11-19 2026-11-23 email BRL\nB d+3 2 2026-11-18 2026-11-20 email USD");
    assert_eq!(
        payer.look(OPEN),
        "gated 2026-11-23.USD.all as tone-2 says B 10000 by email\n\
         starts 2026-11-23.USD.all.0.0 email\n\
         concluded 2026-11-23.BRL.all: A deferred budget_spent"
    );
}

#[test]
fn ties_go_by_currency_then_overdue_then_invoice() {
    let mut payer = Payer::new();
    payer.rules.merge = Merge::None;
    payer.offer(
        "2026-11-23",
        "D d-1 1 2026-11-24 2026-11-20 email BRL
         C d+3 2 2026-11-18 2026-11-20 email USD
         B d+3 2 2026-11-18 2026-11-20 email BRL
         A d+3 2 2026-11-18 2026-11-20 email BRL",
    );
    let now = OPEN.parse().unwrap();
    let turns: Vec<String> = notice::due(&payer.contacts, now).iter().map(ToString::to_string).collect();
    assert_eq!(turns, ["2026-11-23.BRL.A", "2026-11-23.BRL.B", "2026-11-23.BRL.D", "2026-11-23.USD.C"]);
    assert_eq!(payer.gate("2026-11-23.BRL.B", OPEN), "refused contact_id out_of_turn");
}

#[test]
fn a_debt_that_stands_still_is_left_out_until_it_is_offered_again() {
    for why in notice::Standstill::ALL.map(notice::Standstill::slug) {
        let mut payer = Payer::new();
        payer.offer("2026-11-23", &format!("{LATE}\nB d+3 2 2026-11-20 2026-11-23 sms"));
        assert_eq!(payer.suspend("A", why), format!("suspended A {why}"));
        assert_eq!(payer.suspend("A", why), "nothing");
        payer.offer("2026-11-23", "C d+3 2 2026-11-20 2026-11-23 sms");
        let shown = payer.look(OPEN);
        assert!(shown.contains(&format!("says B 10000, C 10000 by sms without A deferred {why}")), "{shown}");
        assert!(payer.day("2026-11-24", LATE).ends_with("A executed"));
    }
}

#[test]
fn a_debt_that_came_to_a_standstill_after_its_hand_over_is_neither_repeated_nor_followed_up() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", "A d+1 2 2026-11-20 2026-11-23 whatsapp>sms");
    payer.look(OPEN);
    payer.answer("2026-11-23.BRL.all.0.0", "unknown", OPEN);
    payer.suspend("A", "disputed");
    assert_eq!(payer.retry("2026-11-23.BRL.all.0.0", true, OPEN), "refused attempt_id retries_spent");
    payer.answer("2026-11-23.BRL.all.0.0", "refused", OPEN);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A deferred disputed");
}

#[test]
fn what_the_owner_ends_is_over_though_it_stands_still() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", LATE);
    payer.suspend("A", "promised");
    payer.owes("A", "paid");
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A superseded paid");
}

#[test]
fn what_was_put_off_goes_before_what_is_planned_later() {
    let mut payer = Payer::new();
    payer.day("2026-11-23", "X d+3 2 2026-11-19 2026-11-20 email USD");
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A deferred budget_spent");
    payer.offer("2026-11-24", &format!("{LATE}\nY d+3 2 2026-11-20 2026-11-24 email USD"));
    let shown = payer.look("2026-11-24T12:00:00Z");
    assert!(shown.starts_with("gated 2026-11-24.BRL.all") && shown.ends_with("Y deferred budget_spent"), "{shown}");
}

#[test]
fn seven_days_are_the_local_day_and_the_six_before() {
    let mut payer = Payer::new();
    payer.calendar = kernel::Calendar::None;
    let mut shown = |day: &str, invoice: &str| {
        let shown = payer.day(day, &format!("{invoice} d+3 2 2026-11-01 {day} email"));
        shown.lines().last().unwrap().rsplit_once(": ").unwrap().1.to_owned()
    };
    for (day, invoice, outcome) in [
        ("2026-11-16", "A", "A executed"),
        ("2026-11-17", "B", "B executed"),
        ("2026-11-18", "C", "C executed"),
        ("2026-11-19", "D", "D deferred budget_spent"),
        ("2026-11-20", "D", "D deferred budget_spent"),
        ("2026-11-23", "D", "D executed"), // the 16th is seven days ago
        ("2026-11-24", "E", "E executed"),
        ("2026-11-24", "F", "F deferred day_taken"),
    ] {
        assert_eq!(shown(day, invoice), outcome, "{day}");
    }
}

#[test]
fn owner_refusals_come_before_the_budget() {
    let mut payer = Payer::new();
    payer.day("2026-11-23", "X d+3 2 2026-11-19 2026-11-23 email USD");
    payer.owes("A", "paid");
    payer.offer("2026-11-23", &format!("{LATE}\nB d+3 2 2026-11-20 2026-11-23 sms\nC d+3 2 2026-11-20 2026-11-23 letter"));
    payer.reach.remove(&Channel::Letter);
    assert_eq!(
        payer.look("2026-11-23T13:00:00Z"),
        "concluded 2026-11-23.BRL.all: A superseded paid, C undeliverable no_address, B deferred budget_spent"
    );
}

#[test]
fn one_call_a_day_and_the_next_link_instead_of_a_second() {
    let mut payer = Payer::new();
    payer.rules.max_per_day = 2;
    payer.day("2026-11-23", "A d+15 3 2026-11-08 2026-11-23 voice>sms BRL");
    payer.offer("2026-11-23", "B d+15 3 2026-11-08 2026-11-23 voice>sms USD");
    assert_eq!(
        payer.look("2026-11-23T13:00:00Z"),
        "gated 2026-11-23.USD.all as tone-3 says B 10000 by voice>sms\n\
         starts 2026-11-23.USD.all.0.1 sms"
    );
}

#[test]
fn a_contact_that_could_only_be_a_second_call_waits() {
    let mut payer = Payer::new();
    payer.rules.max_per_day = 2;
    payer.day("2026-11-23", "A d+15 3 2026-11-08 2026-11-23 voice BRL");
    payer.offer("2026-11-23", "B d+15 3 2026-11-08 2026-11-23 voice USD");
    assert_eq!(payer.look("2026-11-23T13:00:00Z"), "concluded 2026-11-23.USD.all: B deferred budget_spent");
}

#[test]
fn nothing_goes_out_before_the_window_opens_or_after_it_shuts() {
    for (at, shown) in [
        ("2026-11-23T11:59:59Z", "nothing due"),
        ("2026-11-23T21:00:00Z", "concluded 2026-11-23.BRL.all: A deferred window_shut"),
        ("2026-11-24T12:00:00Z", "concluded 2026-11-23.BRL.all: A deferred window_shut"),
    ] {
        let mut payer = Payer::new();
        payer.offer("2026-11-23", LATE);
        assert_eq!(payer.look(at), shown, "{at}");
    }
    let mut payer = Payer::new();
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.gate("2026-11-23.BRL.all", "2026-11-23T11:59:59Z"), "nothing", "early looks leave it as it is");
    assert_eq!(notice::next_wake(&payer.contacts), Some(OPEN.parse().unwrap()));
}

#[test]
fn the_window_is_the_payers_own() {
    let mut payer = Payer::new();
    payer.zone = Zone::of_state("AC").unwrap();
    payer.offer("2026-11-23", LATE);
    assert_eq!(payer.look("2026-11-23T13:59:59Z"), "nothing due");
    assert!(payer.look("2026-11-23T14:00:00Z").starts_with("gated"));
}

#[test]
fn a_holiday_is_outside_every_window() {
    let mut payer = Payer::new();
    payer.offer("2026-11-20", "A d+3 2 2026-11-17 2026-11-20 email");
    assert_eq!(payer.look("2026-11-20T15:00:00Z"), "concluded 2026-11-20.BRL.all: A deferred window_shut");
}

#[test]
fn a_local_holiday_that_is_recorded_after_the_offer_puts_it_off() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", LATE);
    payer.local_holiday = true;
    assert_eq!(payer.look(OPEN), "concluded 2026-11-23.BRL.all: A deferred window_shut");
    payer.owes("A", "paid");
    payer.offer("2026-11-24", LATE);
    assert_eq!(payer.look("2026-11-24T12:00:00Z"), "concluded 2026-11-24.BRL.all: A superseded paid", "what is over is over");
}

#[test]
fn evidence_with_a_hole_or_an_empty_balance_is_refused() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", LATE);
    let contact_id = ContactId::new("2026-11-23.BRL.all").unwrap();
    let mut evidence = payer.evidence(&contact_id, OPEN);
    evidence.verdicts.clear();
    assert_eq!(payer.run(&Command::Gate(Gate { contact_id, evidence })), "refused evidence.verdicts verdict_missing");
    payer.owes("A", "0");
    assert_eq!(payer.look(OPEN), "refused evidence.verdicts net_not_positive");
    assert_eq!(payer.gate("2026-11-23.BRL.none", OPEN), "refused contact_id contact_unknown");
}

#[test]
fn a_reminder_without_template_is_refused_whole() {
    let mut payer = Payer::new();
    let mut reminder = payer.reminder("2026-11-23", &format!("{LATE}\nB d+3 2 2026-11-20 2026-11-23 sms"));
    reminder.items[1].template.clear();
    assert_eq!(payer.run(&Command::Compose(Compose { reminder })), "refused reminder.items.template text_refused");
    assert!(payer.contacts.contacts.is_empty());
}

#[test]
fn every_outcome_and_reason_is_told_by_its_slug() {
    for reason in Reason::ALL {
        assert_eq!(Reason::named(reason.slug()), Some(reason));
        for outcome in [Outcome::Superseded(reason), Outcome::Suppressed(reason), Outcome::Deferred(reason), Outcome::Undeliverable(reason)]
        {
            assert_eq!(Outcome::named(outcome.slug(), outcome.reason()), Some(outcome));
            assert_eq!(Outcome::named(outcome.slug(), None), None);
        }
    }
    assert_eq!(Outcome::named("executed", None), Some(Outcome::Executed));
    assert!(Channel::ALL.into_iter().all(|channel| Channel::named(channel.slug()) == Some(channel)));
}
