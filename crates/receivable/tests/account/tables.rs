//! Decisions as tables: the command, then what it does.

use crate::script::{check, check_from, look};
use kernel::{Currency, DateTime, InvoiceId, MAX_AMOUNT_MINOR, Utc};
use receivable::{Account, Phase, Standing};

#[test]
fn a_customer_is_registered_once_and_amended_when_something_differs() {
    check_from(
        Account::default(),
        "issue I1 100 2026-01-01 2026-02-01  => not_found customer_id customer_unknown
         pay P1 I1 60 2026-01-20             => not_found customer_id customer_unknown
         erase                               => not_found customer_id customer_unknown
         register zone=Mars/Base             => invalid attributes.zone zone_unknown
         register language=                  => invalid attributes.language text_refused
         register segment=small              => registered c1
         register segment=small              => nothing
         register segment=small consent=sms  => amended c1
         register zone=America/Manaus        => amended c1",
    );
}

#[test]
fn an_erased_customer_still_pays_and_is_neither_invoiced_nor_reminded() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         erase                               => erased c1
         erase                               => nothing
         register segment=x                  => precondition customer_id customer_erased
         issue I2 100 2026-01-01 2026-02-01  => precondition customer_id customer_erased
         look C1 tol=0 I1                    => nothing
         pay P1 I1 60 2026-01-20             => received P1 applied 60 credit 0 open 40",
    );
    assert_eq!(account.standing, Standing::Erased);
    assert_eq!(look(&account, "look C1 tol=0 I1 I9"), "I1 customer_erased, I9 unknown");
}

#[test]
fn wrong_amounts_and_dates_are_refused_by_field() {
    let large = MAX_AMOUNT_MINOR + 1;
    check(&format!(
        "issue I1 0 2026-01-01 2026-02-01        => invalid amount_minor amount_not_positive
         issue I1 -1 2026-01-01 2026-02-01       => invalid amount_minor amount_not_positive
         issue I1 {large} 2026-01-01 2026-02-01  => invalid amount_minor amount_too_large
         issue I1 100 2026-02-01 2026-01-31      => invalid due_on due_before_issue
         issue I1 100 2026-02-01 2026-02-01      => issued I1 100 BRL
         pay P1 I1 0 2026-02-01                  => invalid amount_minor amount_not_positive
         pay P1 I1 {large} 2026-02-01            => invalid amount_minor amount_too_large
         pay P1 I1 50 2026-02-01 USD             => precondition currency currency_mismatch
         pay P1 I9 50 2026-02-01                 => not_found invoice_id invoice_unknown
         reverse P9 why 2026-02-01               => not_found payment_id payment_unknown
         amend I9 amount=1                       => not_found invoice_id invoice_unknown
         amend I1 amount=0                       => invalid amount_minor amount_not_positive
         amend I1 due=2026-01-31                 => invalid due_on due_before_issue
         cancel I9 why                           => not_found invoice_id invoice_unknown
         cancel I1                               => invalid reason text_refused
         look C1 tol=-1 I1                       => invalid tolerance_minor tolerance_negative
         look C1 tol=0 I1:min=-1                 => invalid items.min_outstanding_minor minimum_negative
         look C1 tol=0 I1:disputed=-1            => invalid items.disputed_minor disputed_negative"
    ));
}

#[test]
fn the_same_fact_again_adds_nothing_and_another_under_its_id_is_refused() {
    check(
        "issue I1 100 2026-01-01 2026-02-01 BRL nf-1  => issued I1 100 BRL
         issue I1 100 2026-01-01 2026-02-01 BRL nf-1  => nothing
         issue I1 100 2026-01-01 2026-02-01 BRL nf-2  => precondition invoice_id invoice_exists
         issue I1 101 2026-01-01 2026-02-01 BRL nf-1  => precondition invoice_id invoice_exists
         amend I1 amount=120                          => amended I1 100->120 2026-02-01->2026-02-01 open 120
         issue I1 100 2026-01-01 2026-02-01 BRL nf-1  => nothing
         amend I1 amount=120                          => nothing
         amend I1                                     => nothing
         pay P1 I1 60 2026-01-20                      => received P1 applied 60 credit 0 open 60
         pay P1 I1 60 2026-01-20                      => nothing
         pay P1 I1 61 2026-01-20                      => precondition payment_id payment_exists
         reverse P1 chargeback 2026-01-25             => reversed P1 applied 60 credit 0 open 120
         reverse P1 chargeback 2026-01-25             => nothing
         reverse P1 chargeback 2026-01-26             => precondition payment_id payment_already_reversed
         pay P1 I1 60 2026-01-20                      => nothing
         cancel I1 mistake                            => cancelled I1 was 120
         cancel I1 mistake                            => nothing
         issue I1 100 2026-01-01 2026-02-01 BRL nf-1  => nothing",
    );
}

#[test]
fn what_exceeds_the_open_amount_becomes_credit() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         pay P1 I1 60 2026-01-20             => received P1 applied 60 credit 0 open 40
         pay P2 I1 70 2026-01-21             => received P2 applied 40 credit 30 open 0
         pay P3 I1 10 2026-01-22             => received P3 applied 0 credit 10 open 0",
    );
    assert_eq!(account.credit_minor(Currency::BRL), 40);
    assert_eq!(account.invoices.values().next().unwrap().phase, Phase::Settled);
}

#[test]
fn a_reversal_takes_its_credit_back_and_reopens_its_invoice() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         pay P1 I1 60 2026-01-20             => received P1 applied 60 credit 0 open 40
         pay P2 I1 70 2026-01-21             => received P2 applied 40 credit 30 open 0
         reverse P2 bounced 2026-01-25       => reversed P2 applied 40 credit 30 open 40
         pay P3 I1 90 2026-01-26             => received P3 applied 40 credit 50 open 0
         reverse P1 bounced 2026-01-27       => reversed P1 applied 60 credit 0 open 60",
    );
    assert_eq!(account.credit_minor(Currency::BRL), 50);
    assert_eq!(account.invoices.values().next().unwrap().phase, Phase::Open);
    assert_eq!(look(&account, "look C1 tol=0 I1"), "I1 10");
}

#[test]
fn an_amendment_below_what_was_paid_releases_the_newest_money() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         pay P1 I1 50 2026-01-20             => received P1 applied 50 credit 0 open 50
         pay P2 I1 40 2026-01-21             => received P2 applied 40 credit 0 open 10
         amend I1 amount=30                  => amended I1 100->30 2026-02-01->2026-02-01 open 0 P2:40 P1:20
         reverse P2 bounced 2026-01-25       => reversed P2 applied 0 credit 40 open 0
         reverse P1 bounced 2026-01-25       => reversed P1 applied 30 credit 20 open 30
         amend I1 amount=80 due=2026-03-01   => amended I1 30->80 2026-02-01->2026-03-01 open 80",
    );
    assert_eq!(account.credit_minor(Currency::BRL), 0);
}

#[test]
fn a_settled_invoice_opens_again_when_its_amount_rises() {
    check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         pay P1 I1 100 2026-01-20            => received P1 applied 100 credit 0 open 0
         amend I1 amount=130                 => amended I1 100->130 2026-02-01->2026-02-01 open 30",
    );
}

#[test]
fn a_cancelled_invoice_gives_its_money_back_as_credit_and_takes_no_more() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         pay P1 I1 60 2026-01-20             => received P1 applied 60 credit 0 open 40
         cancel I1 returned                  => cancelled I1 was 40 P1:60
         pay P2 I1 40 2026-01-22             => precondition invoice_id invoice_cancelled
         amend I1 amount=50                  => precondition invoice_id invoice_cancelled
         issue I2 80 2026-01-01 2026-02-01   => issued I2 80 BRL
         look C1 tol=0 I1 I2                 => authorized C1 I2 20
         reverse P1 bounced 2026-01-25       => reversed P1 applied 0 credit 60 open 0",
    );
    assert_eq!(account.invoices[&InvoiceId::new("I1").unwrap()].phase, Phase::Cancelled);
    assert_eq!(account.credit_minor(Currency::BRL), 0);
}

#[test]
fn credit_past_two_to_the_53_is_refused_and_never_wraps() {
    let most = MAX_AMOUNT_MINOR;
    check(&format!(
        "issue I1 1 2026-01-01 2026-02-01    => issued I1 1 BRL
         pay P1 I1 1 2026-01-20              => received P1 applied 1 credit 0 open 0
         pay P2 I1 {most} 2026-01-20         => precondition amount_minor credit_too_large
         pay P2 I1 {rest} 2026-01-20         => received P2 applied 0 credit {rest} open 0
         pay P3 I1 1 2026-01-20              => precondition amount_minor credit_too_large
         cancel I1 why                       => cancelled I1 was 0 P1:1",
        rest = most - 1
    ));
}

#[test]
fn credit_covers_the_oldest_due_first_within_its_currency() {
    let account = check(
        "issue I0 10 2026-01-01 2026-01-10       => issued I0 10 BRL
         pay P0 I0 135 2026-01-05                => received P0 applied 10 credit 125 open 0
         issue I1 100 2026-01-02 2026-02-01      => issued I1 100 BRL
         issue I2 100 2026-01-01 2026-02-01      => issued I2 100 BRL
         issue I3 100 2026-01-01 2026-03-01      => issued I3 100 BRL
         issue I4 100 2026-01-01 2026-01-15 USD  => issued I4 100 USD",
    );
    // Equal due dates: the older issue first, whatever its id.
    assert_eq!(look(&account, "look C1 tol=0 I1 I2 I3 I4"), "I1 75, I2 covered_by_credit, I3 100, I4 100");
    // The order does not depend on what is asked.
    assert_eq!(look(&account, "look C1 tol=0 I3"), "I3 100");
}

#[test]
fn an_invoice_that_was_paid_twice_is_not_asked_for_when_one_of_the_payments_goes_back() {
    let account = check(
        "issue I0 100 2026-01-01 2026-01-05 => issued I0 100 BRL
         issue I1 100 2026-01-01 2026-01-20 => issued I1 100 BRL
         pay P1 I1 100 2026-01-18 => received P1 applied 100 credit 0 open 0
         pay P2 I1 130 2026-01-19 => received P2 applied 0 credit 130 open 0",
    );
    // As long as nothing else needs it, it covers what is due first.
    assert_eq!(look(&account, "look C1 tol=0 I0 I1"), "I0 covered_by_credit, I1 paid");
    let account = check_from(account, "reverse P1 bounced 2026-01-25 => reversed P1 applied 100 credit 0 open 100");
    assert_eq!(look(&account, "look C2 tol=0 I0 I1"), "I0 70, I1 covered_by_credit");
    let account = check_from(account, "reverse P2 bounced 2026-01-26 => reversed P2 applied 0 credit 130 open 100");
    assert_eq!(look(&account, "look C3 tol=0 I0 I1"), "I0 100, I1 100");
}

#[test]
fn each_refusal_at_the_gate_has_its_reason() {
    let account = check(
        "issue PAID 100 2026-01-01 2026-01-10    => issued PAID 100 BRL
         pay P0 PAID 130 2026-01-05              => received P0 applied 100 credit 30 open 0
         issue GONE 100 2026-01-01 2026-01-10    => issued GONE 100 BRL
         cancel GONE why                         => cancelled GONE was 100
         issue RESIDUE 100 2026-01-01 2026-02-01 => issued RESIDUE 100 BRL
         pay P1 RESIDUE 98 2026-01-05            => received P1 applied 98 credit 0 open 2
         issue COVERED 29 2026-01-01 2026-02-02  => issued COVERED 29 BRL
         issue SMALL 50 2026-01-01 2026-02-03    => issued SMALL 50 BRL",
    );
    for (asked, answer) in [
        ("look C1 tol=2 PAID GONE RESIDUE NONE", "PAID paid, GONE cancelled, RESIDUE within_tolerance, NONE unknown"),
        // Credit of 30 covers RESIDUE (2), then 28 of COVERED: one cent is left, and one cent is tolerated.
        ("look C1 tol=1 COVERED", "COVERED covered_by_credit"),
        ("look C1 tol=0 RESIDUE COVERED", "RESIDUE covered_by_credit, COVERED 1"),
        ("look C1 tol=0 SMALL:min=50", "SMALL 50"),
        ("look C1 tol=0 SMALL:min=51", "SMALL below_minimum"),
    ] {
        assert_eq!(look(&account, asked), answer, "{asked}");
    }
}

#[test]
fn asking_again_adds_an_event_only_when_something_changed() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01  => issued I1 100 BRL
         issue I2 50 2026-01-01 2026-02-01   => issued I2 50 BRL
         look C1 tol=0 I1 I2                 => authorized C1 I1 100 I2 50
         look C1 tol=0 I1 I2                 => nothing
         look C2 tol=0 I1                    => authorized C2 I1 100
         pay P1 I1 40 2026-01-20             => received P1 applied 40 credit 0 open 60
         look C1 tol=0 I1 I2                 => authorized C1 I1 60 I2 50
         pay P2 I1 60 2026-01-20             => received P2 applied 60 credit 0 open 0
         look C1 tol=0 I1 I2                 => authorized C1 I2 50
         look C2 tol=0 I1                    => nothing",
    );
    assert_eq!(look(&account, "look C2 tol=0 I1"), "I1 paid", "an old authorisation never outlives a payment");
}

#[test]
fn authorisations_are_forgotten_after_two_days() {
    let mut account = check("issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL");
    for number in 0..5 {
        let at: DateTime<Utc> = format!("2026-02-0{}T12:00:00Z", number + 1).parse().unwrap();
        let receivable::Command::AuthorizeReminder(command) = crate::script::parse(&format!("look C{number} tol=0 I1")) else { panic!() };
        let command = receivable::Command::AuthorizeReminder(receivable::AuthorizeReminder { at, ..command });
        account = crate::script::apply(account, &command).0;
    }
    assert_eq!(account.authorizations.len(), 3);
}

#[test]
fn thanks_and_corrections_go_out_as_long_as_what_they_say_is_true() {
    let account = check(
        "issue OPEN 100 2026-01-01 2026-02-01  => issued OPEN 100 BRL
         issue PART 100 2026-01-01 2026-02-01  => issued PART 100 BRL
         issue PAID 100 2026-01-01 2026-02-01  => issued PAID 100 BRL
         issue VOID 100 2026-01-01 2026-02-01  => issued VOID 100 BRL
         pay P1 PART 60 2026-01-20             => received P1 applied 60 credit 0 open 40
         pay P2 PAID 100 2026-01-20            => received P2 applied 100 credit 0 open 0
         cancel VOID why                       => cancelled VOID was 100",
    );
    let asked = |purpose: &str| {
        let items = ["OPEN", "PART", "PAID", "VOID", "NONE"].map(|invoice| format!("{invoice}:for={purpose}")).join(" ");
        format!("look C1 tol=0 {items} feed=stale")
    };
    assert_eq!(look(&account, &asked("thank_you")), "OPEN owed_again, PART owed_again, PAID 100, VOID cancelled, NONE unknown");
    assert_eq!(look(&account, &asked("correction")), "OPEN owed_again, PART owed_again, PAID paid, VOID 100, NONE unknown");
    let account = check_from(account, "reverse P2 chargeback 2026-01-25 => reversed P2 applied 100 credit 0 open 100\n erase => erased c1");
    assert_eq!(look(&account, "look C1 tol=0 PAID:for=thank_you VOID:for=correction"), "PAID customer_erased, VOID customer_erased");
}
