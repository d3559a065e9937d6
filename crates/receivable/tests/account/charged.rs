//! Invoices with a fine, interest and discounts: what each payment does, and what holds after any commands whatever.

use crate::script::{apply, check, look, parse, rates};
use kernel::{InvoiceId, NaiveDate};
use proptest::prelude::*;
use receivable::ledger::{Book, Entry, postings, sums_on};
use receivable::{Account, Event, Phase, charges::statement_on, decide, evolve};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `fine 200 interest 33 discount 0 paid 0 due 10233` of I1.
fn stands(account: &Account, on: &str) -> String {
    let s = statement_on(account, account.invoices.get_key_value(&InvoiceId::new("I1").unwrap()).unwrap(), day(on), &rates()).unwrap();
    format!("fine {} interest {} discount {} paid {} due {}", s.fine_cents, s.interest_cents, s.discount_cents, s.paid_cents, s.due_cents)
}

// 2026-02-02 is a Monday.
#[test]
fn a_late_payment_pays_charges_first_and_what_is_left_bears_interest() {
    let account = check("owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL");
    assert_eq!(stands(&account, "2026-02-02"), "fine 0 interest 0 discount 0 paid 0 due 10000");
    assert_eq!(stands(&account, "2026-02-12"), "fine 200 interest 33 discount 0 paid 0 due 10233");
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-02-12"), "I1 10233");
    let account = crate::script::check_from(
        account,
        "pay P1 I1 5000 2026-02-12 => received P1 applied 4767 charges 233 credit 0 open 5233
         pay P2 I1 6000 2026-03-14 => received P2 applied 5233 charges 53 credit 714 open 0",
    );
    assert_eq!(stands(&account, "2026-02-11"), "fine 200 interest 30 discount 0 paid 0 due 10230");
    assert_eq!(account.invoices.values().next().unwrap().phase, Phase::Settled);
}

/// What is contested counts as if it had never been asked: charges are on the rest.
#[test]
fn what_is_contested_is_not_asked_for_and_bears_no_charges_in_a_reminder() {
    let account = check("owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL");
    assert_eq!(look(&account, "look C1 tol=0 I1:disputed=4000 on=2026-02-02"), "I1 6000");
    assert_eq!(look(&account, "look C1 tol=0 I1:disputed=4000 on=2026-02-12"), "I1 6140", "120 of fine, 20 of interest");
    assert_eq!(look(&account, "look C1 tol=0 I1:min=6141:disputed=4000 on=2026-02-12"), "I1 below_minimum");
    assert_eq!(look(&account, "look C1 tol=0 I1:disputed=10000 on=2026-02-12"), "I1 disputed");
    assert_eq!(look(&account, "look C1 tol=0 I1:disputed=99999 on=2026-02-12"), "I1 disputed");
    let part = crate::script::check_from(account, "pay P1 I1 7000 2026-02-02 => received P1 applied 7000 credit 0 open 3000");
    assert_eq!(look(&part, "look C1 tol=0 I1:disputed=2000 on=2026-02-02"), "I1 1000");
    assert_eq!(look(&part, "look C1 tol=0 I1:disputed=3000 on=2026-02-02"), "I1 disputed");
    let plain = check(
        "owe I1 10000 2026-01-01 2026-02-02 => issued I1 10000 BRL
         pay P1 I1 10500 2026-02-01 => received P1 applied 10000 credit 500 open 0
         owe I2 10000 2026-01-01 2026-02-02 => issued I2 10000 BRL
         look C1 tol=0 I2:disputed=4000 => authorized C1 I2 5500",
    );
    assert_eq!(look(&plain, "look C1 tol=0 I2:disputed=4000"), "I2 5500", "credit covers the rest");
    assert_eq!(look(&plain, "look C1 tol=0 I1:disputed=4000"), "I1 paid");
}

#[test]
fn paying_everything_early_takes_the_discount_and_a_part_does_not() {
    check(
        "owe I1 10000 2026-01-01 2026-02-02 discount=10:5 => issued I1 10000 BRL
         pay P1 I1 9500 2026-01-20 => received P1 applied 10000 discount 500 credit 0 open 0
         reverse P1 bounced 2026-01-25 => reversed P1 applied 10000 discount 500 credit 0 open 10000",
    );
    check(
        "owe I1 10000 2026-01-01 2026-02-02 discount=10:5 => issued I1 10000 BRL
         pay P1 I1 4000 2026-01-20 => received P1 applied 4000 credit 0 open 6000
         pay P2 I1 5600 2026-01-22 => received P2 applied 6000 discount 500 credit 100 open 0",
    );
    let account = check("owe I1 10000 2026-01-01 2026-02-02 discount=10:5 => issued I1 10000 BRL");
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-01-23"), "I1 9500");
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-01-24"), "I1 10000");
}

#[test]
fn a_payment_that_is_told_late_counts_from_its_day_and_what_was_too_much_is_released() {
    check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL
         pay P1 I1 10233 2026-02-12 => received P1 applied 10000 charges 233 credit 0 open 0
         pay P2 I1 10000 2026-02-02 => received P2 applied 0 charges -233 credit 0 open 0 P1:10233",
    );
}

#[test]
fn a_later_due_day_takes_charges_away_and_an_earlier_one_brings_them_back() {
    check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL
         pay P1 I1 10233 2026-02-12 => received P1 applied 10000 charges 233 credit 0 open 0
         amend I1 due=2026-02-12 => amended I1 10000->10000 2026-02-02->2026-02-12 open 0 charges -233 P1:233
         amend I1 due=2026-02-02 => amended I1 10000->10000 2026-02-12->2026-02-02 open 233 charges 233
         cancel I1 why => cancelled I1 was 233 charges 233 P1:10000",
    );
}

#[test]
fn principal_first_leaves_the_charges_open() {
    let account = check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 first=principal => issued I1 10000 BRL
         pay P1 I1 10000 2026-02-12 => received P1 applied 10000 credit 0 open 233",
    );
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-03-30"), "I1 233");
    crate::script::check_from(account, "pay P2 I1 300 2026-03-30 => received P2 applied 0 charges 233 credit 67 open 0");
}

#[test]
fn terms_are_part_of_what_an_invoice_says_and_must_leave_something_to_pay() {
    check(
        "owe I1 10000 2026-01-01 2026-02-02 discount=0:100 => invalid charges charges_terms
         owe I1 10000 2026-01-01 2026-02-02 fine=2 => issued I1 10000 BRL
         owe I1 10000 2026-01-01 2026-02-02 fine=2 => nothing
         owe I1 10000 2026-01-01 2026-02-02 fine=3 => precondition invoice_id invoice_exists
         owe I2 10000 2026-01-01 2026-02-02 => issued I2 10000 BRL
         issue I2 10000 2026-01-01 2026-02-02 => nothing",
    );
}

#[test]
fn a_credit_note_lowers_what_is_owed_as_if_it_had_never_been_asked() {
    let account = check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL
         credit N1 I1 3000 2026-02-12    => credited N1 applied 3000 open 7000
         credit N1 I1 3000 2026-02-12    => nothing
         credit N1 I1 3001 2026-02-12    => precondition credit_note_id credit_note_exists
         credit N2 I1 7001 2026-02-12    => precondition amount_minor credit_note_too_large
         credit N2 I9 1 2026-02-12       => not_found invoice_id invoice_unknown
         credit N2 I1 0 2026-02-12       => invalid amount_minor amount_not_positive
         credit N2 I1 1 2026-02-12 USD   => precondition currency currency_mismatch
         amend I1 amount=2999            => precondition amount_minor below_credited",
    );
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-02-12"), "I1 7163", "140 of fine, 23 of interest");
    assert_eq!(stands(&account, "2026-02-11"), "fine 200 interest 30 discount 0 paid 0 due 10230", "the day before");
    crate::script::check_from(
        account.clone(),
        "pay P1 I1 7163 2026-02-12     => received P1 applied 7000 charges 163 credit 0 open 0
         uncredit N1 2026-02-12        => uncredited N1 applied 3070 charges 70 open 3070
         uncredit N1 2026-02-12        => nothing
         uncredit N9 2026-02-12        => not_found credit_note_id credit_note_unknown
         cancel I1 why                 => cancelled I1 was 3070 charges 233 P1:7163",
    );
    crate::script::check_from(
        account,
        "credit N2 I1 7000 2026-02-13  => credited N2 applied 7000 open 0
         pay P1 I1 10 2026-02-14       => received P1 applied 0 credit 10 open 0
         cancel I1 why                 => cancelled I1 was 0
         uncredit N2 2026-02-15        => precondition invoice_id invoice_cancelled",
    );
}

#[test]
fn what_was_paid_past_a_credit_note_is_released_and_a_payer_may_have_credit_of_their_own() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         pay P1 I1 80 2026-01-20            => received P1 applied 80 credit 0 open 20
         credit N1 I1 30 2026-01-25         => credited N1 applied 20 open 0 P1:10
         credit N2 - 50 2026-01-26          => credited N2 applied 0 open 0
         uncredit N1 2026-01-27             => uncredited N1 applied 30 open 30",
    );
    assert_eq!(account.credit_minor(kernel::Currency::BRL), 60);
    assert_eq!(look(&account, "look C1 tol=0 I1"), "I1 covered_by_credit");
    crate::script::check_from(
        account,
        "uncredit N2 2026-01-28             => uncredited N2 applied 0 open 0
         credit N3 - 50 2026-01-29          => credited N3 applied 0 open 0
         reverse P1 bounced 2026-01-30      => reversed P1 applied 70 credit 10 open 100
         uncredit N3 2026-01-31             => uncredited N3 applied 0 open 0",
    );
}

// The legal rate of these tests is 0,6 % for each month until 2026-09.
#[test]
fn the_legal_rate_counts_by_months_and_a_month_without_one_is_never_guessed() {
    let account = check("owe I1 10000 2026-01-01 2026-02-02 interest=legal => issued I1 10000 BRL");
    assert_eq!(stands(&account, "2026-02-28"), "fine 0 interest 56 discount 0 paid 0 due 10056", "26 of 28 days");
    assert_eq!(stands(&account, "2026-03-31"), "fine 0 interest 116 discount 0 paid 0 due 10116");
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-03-31"), "I1 10116");
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-10-01"), "I1 charges_unknown");
    let missing =
        statement_on(&account, account.invoices.get_key_value(&InvoiceId::new("I1").unwrap()).unwrap(), day("2026-10-01"), &rates())
            .unwrap_err();
    assert_eq!(missing.to_string(), "no legal rate for 2026-10");
    crate::script::check_from(
        account,
        "pay P1 I1 10000 2026-10-05 => precondition charges charges_missing_legal_rate
         pay P1 I1 10000 2026-02-02 => received P1 applied 10000 credit 0 open 0",
    );
}

fn command() -> impl Strategy<Value = String> {
    let (invoice, payment, amount, day) = (0..3u32, 0..8u32, 1..14_000i64, 1..28u32);
    prop_oneof![
        2 => (invoice.clone(), day.clone(), 0..4usize).prop_map(|(invoice, day, terms)| {
            let terms = ["fine=2 interest=1", "interest=3.5 discount=5:10", "fine=10 interest=1 first=principal", ""][terms];
            format!("owe I{invoice} 10000 2026-01-01 2026-02-{day:02} {terms}")
        }),
        6 => (payment.clone(), invoice.clone(), amount.clone(), 1..12u32, day.clone())
            .prop_map(|(payment, invoice, amount, month, day)| format!("pay P{payment} I{invoice} {amount} 2026-{month:02}-{day:02}")),
        2 => (payment, day.clone()).prop_map(|(payment, day)| format!("reverse P{payment} bounced 2026-12-{day:02}")),
        1 => (invoice.clone(), amount).prop_map(|(invoice, amount)| format!("amend I{invoice} amount={amount}")),
        2 => (invoice.clone(), 1..12u32, day).prop_map(|(invoice, month, day)| format!("amend I{invoice} due=2026-{month:02}-{day:02}")),
        2 => (0..4u32, invoice.clone(), 1..6_000i64, day_of_note())
            .prop_map(|(note, invoice, amount, day)| format!("credit N{note} I{invoice} {amount} 2026-{day}")),
        1 => (0..4u32, day_of_note()).prop_map(|(note, day)| format!("uncredit N{note} 2026-{day}")),
        1 => (4..6u32, 1..6_000i64, day_of_note()).prop_map(|(note, amount, day)| format!("credit N{note} - {amount} 2026-{day}")),
        1 => invoice.prop_map(|invoice| format!("cancel I{invoice} why")),
    ]
}

fn day_of_note() -> impl Strategy<Value = String> {
    (1..12u32, 1..28u32).prop_map(|(month, day)| format!("{month:02}-{day:02}"))
}

fn run(commands: &[String]) -> (Account, Vec<Event>) {
    let (mut account, mut log) = (Account::default(), Vec::new());
    for text in core::iter::once("register").chain(commands.iter().map(String::as_str)) {
        if let Ok(events) = decide(&account, &parse(text), &rates()) {
            account = events.iter().fold(account, evolve);
            log.extend(events);
        }
    }
    (account, log)
}

proptest! {
    #[test]
    fn what_is_open_is_what_the_statement_says(commands in prop::collection::vec(command(), 0..40)) {
        let (account, _) = run(&commands);
        for (invoice_id, invoice) in account.invoices.iter().filter(|(_, invoice)| invoice.phase != Phase::Cancelled) {
            let s = statement_on(&account, (invoice_id, invoice), day("2027-06-30"), &rates()).unwrap();
            prop_assert_eq!(invoice.open_minor, s.principal_open_cents);
            prop_assert_eq!(s.excess_cents, 0, "money that pays nothing is credit");
            prop_assert_eq!(
                s.principal_cents + s.fine_cents + s.interest_cents - s.discount_cents - s.credits_cents - s.paid_cents,
                s.due_cents
            );
            prop_assert_eq!(invoice.phase == Phase::Settled, s.due_cents == 0);
        }
        prop_assert!(account.payments.values().all(|payment| (0..=payment.amount_minor).contains(&payment.applied_minor)));
        prop_assert!(account.credit.values().all(|credit| *credit > 0));
    }

    #[test]
    fn principal_and_charges_less_credits_and_payments_is_what_is_open(commands in prop::collection::vec(command(), 0..40)) {
        let (account, log) = run(&commands);
        let (mut entries, mut credit): (std::collections::BTreeMap<InvoiceId, Vec<Entry>>, i64) = Default::default();
        for posting in log.iter().flat_map(|event| postings(event, Default::default())) {
            match posting.book {
                Book::Invoice(invoice_id) => entries.entry(invoice_id).or_default().push(posting.entry),
                Book::Unapplied(_) => credit += posting.entry.amount_minor,
            }
        }
        for (invoice_id, invoice) in &account.invoices {
            let sums = sums_on(&entries[invoice_id], day("2199-12-31"), None);
            prop_assert_eq!(sums.balance_minor(), i128::from(invoice.open_minor));
        }
        prop_assert_eq!(credit, account.credit_minor(kernel::Currency::BRL));
        let kept: i64 = account.payments.values().filter(|payment| payment.reversed.is_none()).map(|payment| payment.amount_minor).sum();
        let applied: i64 = account.payments.values().map(|payment| payment.applied_minor).sum();
        let own: i64 = account.credit_notes.values().filter(|note| note.invoice_id.is_none()).map(|note| note.amount_minor).sum();
        prop_assert_eq!(kept + own, applied + credit, "no cent is lost");
    }

    #[test]
    fn the_order_in_which_payments_are_told_changes_nothing(
        payments in prop::collection::vec((1..6_000i64, 1..12u32, 1..28u32), 1..7).prop_shuffle(),
        terms in prop::sample::select(vec!["fine=2 interest=1", "interest=3.5 discount=5:10", "fine=10 interest=1 first=principal"]),
    ) {
        // One payment a day: those of one day count in the order told.
        let mut days = std::collections::BTreeSet::new();
        let lines: Vec<String> = payments
            .iter()
            .filter(|(_, month, day)| days.insert((*month, *day)))
            .map(|(amount, month, day)| format!("pay P{month}-{day} I1 {amount} 2026-{month:02}-{day:02}"))
            .collect();
        let mut sorted = lines.clone();
        sorted.sort_by_key(|line| line.split_whitespace().nth(4).map(ToOwned::to_owned));
        let play = |lines: &[String]| {
            let start = [format!("owe I1 10000 2026-01-01 2026-02-02 {terms}")];
            run(&start.iter().chain(lines).cloned().collect::<Vec<_>>()).0
        };
        let (one, other) = (play(&lines), play(&sorted));
        prop_assert_eq!(&one.credit, &other.credit);
        for on in ["2026-02-10", "2026-05-05", "2027-01-01"] {
            prop_assert_eq!(stands(&one, on), stands(&other, on));
        }
    }
}

#[test]
fn a_refused_command_changes_nothing() {
    let account = check("owe I1 10000 2026-01-01 2026-02-02 fine=2 => issued I1 10000 BRL");
    let (after, shown) = apply(account.clone(), &parse("pay P1 I1 0 2026-02-12"));
    assert_eq!((shown.as_str(), after), ("invalid amount_minor amount_not_positive", account));
}
