//! What becomes one contact.

use crate::payer::Payer;
use kernel::Currency;
use notice::{Class, Merge};

const THREE: &str = "UP d-1 1 2026-11-24 2026-11-23 email
                     LATE d+7 3 2026-11-16 2026-11-23 whatsapp>sms+email
                     LATER d+3 2 2026-11-20 2026-11-23 email";

#[test]
fn a_day_is_one_contact_with_what_is_overdue_on_top() {
    assert_eq!(Payer::new().offer("2026-11-23", THREE), "composed 2026-11-23.BRL.all: LATE LATER UP");
}

#[test]
fn each_currency_is_its_own_contact() {
    let shown = Payer::new().offer(
        "2026-11-23",
        "A d+3 2 2026-11-20 2026-11-23 email BRL
         B d+3 2 2026-11-20 2026-11-23 email USD",
    );
    assert_eq!(shown, "composed 2026-11-23.BRL.all: A\ncomposed 2026-11-23.USD.all: B");
}

#[test]
fn a_tenant_may_keep_overdue_and_upcoming_apart_or_merge_nothing() {
    for (merge, contacts) in [
        (Merge::ByClass, "composed 2026-11-23.BRL.overdue: LATE LATER\ncomposed 2026-11-23.BRL.upcoming: UP"),
        (Merge::None, "composed 2026-11-23.BRL.LATE: LATE\ncomposed 2026-11-23.BRL.LATER: LATER\ncomposed 2026-11-23.BRL.UP: UP"),
    ] {
        let mut payer = Payer::new();
        payer.rules.merge = merge;
        assert_eq!(payer.offer("2026-11-23", THREE), contacts, "{merge:?}");
    }
}

#[test]
fn two_contacts_of_a_day_go_out_where_the_budget_allows_two() {
    for (max_per_day, out) in [(1, 1), (2, 2)] {
        let mut payer = Payer::new();
        payer.rules.merge = Merge::ByClass;
        payer.rules.max_per_day = max_per_day;
        let shown = payer.day("2026-11-23", THREE);
        assert_eq!(shown.matches("gated").count(), out, "{shown}");
        assert_eq!(shown.contains("UP deferred budget_spent"), max_per_day == 1, "overdue goes first: {shown}");
    }
}

#[test]
fn an_invoice_id_too_long_for_a_contact_id_is_cut_and_stays_unique() {
    let (one, other) = (format!("{}1", "x".repeat(63)), format!("{}2", "x".repeat(63)));
    let mut payer = Payer::new();
    payer.rules.merge = Merge::None;
    payer.offer("2026-11-23", &format!("{one} d+3 2 2026-11-20 2026-11-23 email\n{other} d+3 2 2026-11-20 2026-11-23 email"));
    let ids: Vec<usize> = payer.contacts.contacts.keys().map(|id| id.as_str().len()).collect();
    assert_eq!(ids, [48, 48]);
    payer.look("2026-11-23T12:00:00Z");
    assert_eq!(payer.started(), 1, "the attempt's id fits as well");
}

#[test]
fn the_carrying_item_has_the_highest_tone_then_the_oldest_due_then_the_largest_balance_then_the_smallest_id() {
    for (items, balances, carrying) in [
        ("A d 2 2026-11-10 2026-11-23 email\nB d 3 2026-11-20 2026-11-23 email", [("A", "999"), ("B", "1")], "B"),
        ("A d 2 2026-11-12 2026-11-23 email\nB d 2 2026-11-11 2026-11-23 email", [("A", "999"), ("B", "1")], "B"),
        ("A d 2 2026-11-11 2026-11-23 email\nB d 2 2026-11-11 2026-11-23 email", [("A", "1"), ("B", "2")], "B"),
        ("A d 2 2026-11-11 2026-11-23 email\nB d 2 2026-11-11 2026-11-23 email", [("A", "2"), ("B", "2")], "A"),
    ] {
        let mut payer = Payer::new();
        for (invoice, balance) in balances {
            payer.owes(invoice, balance);
        }
        payer.offer("2026-11-23", items);
        payer.look("2026-11-23T12:00:00Z");
        let contact = payer.contacts.contacts.values().next().unwrap();
        assert_eq!(contact.carrying.as_ref().map(|key| key.invoice_id.as_str()), Some(carrying), "{items}");
    }
}

#[test]
fn a_contact_goes_out_over_the_chains_of_the_item_that_carries_it_among_those_that_remain() {
    let mut payer = Payer::new();
    payer.owes("LATE", "paid");
    payer.offer("2026-11-23", THREE);
    assert_eq!(
        payer.look("2026-11-23T12:00:00Z"),
        "gated 2026-11-23.BRL.all as tone-2 says LATER 10000, UP 10000 by email without LATE superseded paid\n\
         starts 2026-11-23.BRL.all.0.0 email"
    );
}

#[test]
fn items_that_come_before_the_gate_join_the_contact_of_their_day() {
    let mut payer = Payer::new();
    payer.offer("2026-11-23", "A d+3 2 2026-11-20 2026-11-23 email");
    assert_eq!(payer.offer("2026-11-23", "B d+3 2 2026-11-19 2026-11-23 email"), "composed 2026-11-23.BRL.all: B A");
    assert_eq!(payer.contacts.contacts.size(), 1);
}

#[test]
fn items_that_come_after_the_gate_wait_for_another_day_whatever_the_budget() {
    let mut payer = Payer::new();
    payer.rules.max_per_day = 99;
    payer.rules.max_per_7_days = 99;
    payer.day("2026-11-23", "A d+3 2 2026-11-20 2026-11-23 email");
    assert_eq!(payer.offer("2026-11-23", "B d+3 2 2026-11-19 2026-11-23 email"), "composed 2026-11-23.BRL.all.2: B");
    assert_eq!(payer.look("2026-11-23T13:00:00Z"), "concluded 2026-11-23.BRL.all.2: B deferred day_taken");
    assert!(payer.day("2026-11-24", "B d+3 2 2026-11-19 2026-11-23 email").ends_with("B executed"));
}

#[test]
fn of_two_cycles_or_steps_of_one_track_only_the_newest_goes_out() {
    let mut payer = Payer::new();
    payer.offer(
        "2026-11-23",
        "A d+3 2 2026-11-20 2026-11-23 email
         A d-1 1 2026-11-24 2026-11-23 email cycle=2
         B d+1 2 2026-11-20 2026-11-21 email
         B d+3 2 2026-11-20 2026-11-23 email",
    );
    let shown = payer.look("2026-11-23T12:00:00Z");
    assert!(shown.contains("says B 10000, A 10000 by email without A superseded new_cycle, B superseded same_day"), "{shown}");
}

#[test]
fn a_class_is_told_by_its_slug() {
    let invoice_id = kernel::InvoiceId::new("A").unwrap();
    for class in [Class::All, Class::Overdue, Class::Upcoming, Class::Single(invoice_id.clone())] {
        assert_eq!(Class::named(class.slug(), &invoice_id), Some(class));
    }
    assert_eq!(Currency::BRL.as_str(), "BRL");
}
