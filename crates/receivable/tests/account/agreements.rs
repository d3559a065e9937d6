//! Agreements: scripts with what each command does, and what holds whatever is paid, given back and broken in whatever order.

use crate::script::{apply, charged, check, check_from, day, look, parse as command, rates, releases, setting};
use kernel::{AgreementId, Currency, DateTime, InvoiceId, Utc};
use proptest::prelude::*;
use receivable::ledger::{Book, Entry, postings, sums_on};
use receivable::{
    Account, BreakAgreement, BreakCause, Command, Event, IssueInvoice, MakeAgreement, Phase, Stage, charges::due_minor, decide, evolve,
};
use std::collections::BTreeMap;

/// `agree A1 I1,I2 total=900 on=2026-01-15 500@2026-02-01 400@2026-03-01 [after=30] [currency=USD]`, `break A1 2026-03-02`,
/// `late 2026-03-02 [A1]`.
pub fn parse(words: &[&str]) -> Command {
    let agreement_id = |text: &str| AgreementId::new(text).unwrap();
    match words[0] {
        "break" => Command::BreakAgreement(BreakAgreement {
            agreement_id: Some(agreement_id(words[1])),
            cause: BreakCause::Person,
            reason: "sem_contato".to_owned(),
            today: day(words[2]),
        }),
        "late" => Command::BreakAgreement(BreakAgreement {
            agreement_id: words.get(2).map(|text| agreement_id(text)),
            cause: BreakCause::Late,
            reason: "atraso".to_owned(),
            today: day(words[1]),
        }),
        _ => make(words),
    }
}

fn make(words: &[&str]) -> Command {
    let made_on = day(setting(words, "on=").unwrap());
    let currency = Currency::new(setting(words, "currency=").unwrap_or("BRL")).unwrap();
    let parts = words.iter().filter_map(|word| word.split_once('@'));
    let instalment = |(number, (amount, due)): (usize, (&str, &str))| IssueInvoice {
        invoice_id: InvoiceId::new(&format!("{}-{}", words[1], number + 1)).unwrap(),
        amount_minor: amount.parse().unwrap(),
        currency,
        issued_on: made_on,
        due_on: day(due),
        document: None,
        automatic_debit_on: None,
        instruments: None,
        charges: None,
    };
    Command::MakeAgreement(MakeAgreement {
        agreement_id: AgreementId::new(words[1]).unwrap(),
        originals: words[2].split(',').filter(|text| *text != "-").map(|text| InvoiceId::new(text).unwrap()).collect(),
        total_minor: setting(words, "total=").unwrap().parse().unwrap(),
        instalments: parts.enumerate().map(instalment).collect(),
        breach_after_days: setting(words, "after=").map_or(30, |text| text.parse().unwrap()),
        made_on,
    })
}

pub fn shown(event: &Event) -> String {
    match event {
        Event::AgreementMade(e) => format!("agreed {} {} of {}", e.agreement_id, e.total_minor, e.owed_minor),
        Event::InvoiceRenegotiated(e) => {
            let o = &e.original;
            format!("moved {} {}{}", o.invoice_id, o.principal_minor, charged(o.charges_minor, o.discount_minor))
        }
        Event::AgreementBroken(e) => format!("broken {} {} paid {}", e.agreement_id, e.cause.slug(), e.paid_minor),
        Event::InvoiceReopened(e) => {
            let charged = charged(e.charges_minor, e.discount_minor);
            format!("reopened {} {}{charged} open {}{}", e.invoice_id, e.moved_minor, e.outstanding_minor, releases(&e.released))
        }
        Event::AgreementCompleted(e) => format!("completed {}", e.agreement_id),
        Event::AgreementResumed(e) => format!("resumed {}", e.agreement_id),
        other => panic!("{other:?} is of no agreement"),
    }
}

const TWO_DEBTS: &str = "issue I1 1000 2026-01-01 2026-01-05 => issued I1 1000 BRL
     issue I2 500 2026-01-01 2026-01-10 => issued I2 500 BRL";

/// Two debts of 1500 in three instalments of 400, of which nothing is paid.
fn agreed() -> Account {
    check_from(
        check(TWO_DEBTS),
        "agree A1 I2,I1 total=1200 on=2026-01-15 400@2026-02-02 400@2026-03-02 400@2026-04-01 => agreed A1 1200 of 1500; moved I1 1000 discount 300; \
         moved I2 500; issued A1-1 400 BRL; issued A1-2 400 BRL; issued A1-3 400 BRL",
    )
}

fn stage(account: &Account) -> Stage {
    account.agreements[&AgreementId::new("A1").unwrap()].stage
}

#[test]
fn an_agreement_moves_its_debts_into_instalments_and_its_last_payment_completes_it() {
    let account = agreed();
    assert_eq!(look(&account, "look C1 tol=0 I1 I2 A1-1"), "I1 renegotiated, I2 renegotiated, A1-1 400");
    let account = check_from(
        account,
        "agree A1 I1,I2 total=1200 on=2026-01-16 400@2026-02-02 400@2026-03-02 400@2026-04-01 => nothing
         pay P1 A1-1 400 2026-02-02 => received P1 applied 400 credit 0 open 0
         pay P2 A1-2 400 2026-03-02 => received P2 applied 400 credit 0 open 0
         pay P3 A1-3 450 2026-03-31 => received P3 applied 400 credit 50 open 0; completed A1",
    );
    assert_eq!(stage(&account), Stage::Completed { on: day("2026-03-31") });
    check_from(
        account,
        "break A1 2026-04-02 => precondition agreement_id agreement_completed
         late 2026-09-01 => nothing
         reverse P2 bounced 2026-04-02 => reversed P2 applied 400 credit 0 open 400; resumed A1
         pay P4 A1-2 400 2026-04-03 => received P4 applied 400 credit 0 open 0; completed A1",
    );
}

#[test]
fn a_broken_agreement_puts_what_was_paid_on_the_oldest_debt_first_and_the_rest_is_owed_again() {
    let account = check_from(
        agreed(),
        "pay P1 A1-1 400 2026-02-02 => received P1 applied 400 credit 0 open 0
         pay P2 A1-2 300 2026-03-01 => received P2 applied 300 credit 0 open 100
         break A1 2026-03-20 => broken A1 by_person paid 700; cancelled A1-1 was 0 P1:400; cancelled A1-2 was 100 P2:300; cancelled A1-3 was 400; \
         reopened I1 700 discount -300 open 1000; reopened I2 500 open 500; \
         received A1+1 applied 400 credit 0 open 600; received A1+2 applied 300 credit 0 open 300
         break A1 2026-03-21 => nothing
         look C1 tol=0 I1 I2 => authorized C1 I1 300 I2 500",
    );
    assert_eq!(account.credit_minor(Currency::BRL), 0);
    assert_eq!(look(&account, "look C2 tol=0 A1-2"), "A1-2 cancelled");
    check_from(
        account,
        "reverse A1+1 why 2026-03-22 => not_found payment_id payment_unknown
         return D1 P2 100 2026-03-22 => reversed A1+2 applied 100 credit 0 open 400; reversed P2 applied 0 credit 0 open 0
         reverse P1 bounced 2026-03-23 => reversed A1+1 applied 400 credit 0 open 800; reversed P1 applied 0 credit 0 open 0
         reverse P2 bounced 2026-03-23 => reversed A1+2 applied 200 credit 0 open 1000; reversed P2 applied 0 credit 0 open 0
         pay P3 I1 1000 2026-03-24 => received P3 applied 1000 credit 0 open 0",
    );
}

#[test]
fn an_instalment_that_credit_covers_breaks_nothing() {
    // What was paid too much for the first covers the second: nobody asks for it, and nobody is late with it.
    let account = check_from(
        agreed(),
        "pay P1 A1-1 800 2026-02-02 => received P1 applied 400 credit 400 open 0
         late 2026-04-30 => nothing",
    );
    assert_eq!(look(&account, "look C1 tol=0 A1-2"), "A1-2 covered_by_credit");
    let third_is_late = decide(&account, &command("late 2026-05-02"), &rates()).unwrap();
    assert_eq!(shown(&third_is_late[0]), "broken A1 instalment_late paid 400");
    // Where the credit goes back, the second is as late as it is.
    check_from(
        account,
        "return D1 P1 400 2026-04-10 => reversed P1 applied 0 credit 400 open 0
         late 2026-04-01 => nothing",
    );
}

#[test]
fn charges_of_the_day_are_agreed_about_and_run_on_from_the_due_day_once_it_is_broken() {
    // 2026-02-02 is a Monday; on the 12th 200 of fine and 33 of interest are owed.
    let account = check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL
         agree A1 I1 total=10233 on=2026-02-12 5000@2026-03-02 5233@2026-04-01 => agreed A1 10233 of 10233; moved I1 10000 charges 233; \
         issued A1-1 5000 BRL; issued A1-2 5233 BRL
         pay P1 A1-1 5000 2026-03-02 => received P1 applied 5000 credit 0 open 0
         break A1 2026-05-20 => broken A1 by_person paid 5000; cancelled A1-1 was 0 P1:5000; cancelled A1-2 was 5233; \
         reopened I1 10233 charges -233 open 10000; received A1+1 applied 4707 charges 293 credit 0 open 5293",
    );
    let direct = check(
        "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1 => issued I1 10000 BRL
         pay P1 I1 5000 2026-03-02 => received P1 applied 4707 charges 293 credit 0 open 5293",
    );
    assert_eq!(look(&account, "look C1 tol=0 I1 on=2026-05-20"), look(&direct, "look C1 tol=0 I1 on=2026-05-20"));
    // More than is owed: the difference is interest of the agreement.
    check(
        "issue I1 1000 2026-01-01 2026-01-05 => issued I1 1000 BRL
         agree A1 I1 total=1100 on=2026-01-15 1100@2026-02-02 => agreed A1 1100 of 1000; moved I1 1000 charges 100; issued A1-1 1100 BRL
         break A1 2026-02-03 => broken A1 by_person paid 0; cancelled A1-1 was 1100; reopened I1 1100 charges -100 open 1000",
    );
}

#[test]
fn an_instalment_that_is_too_late_breaks_the_agreement_by_its_date_and_once() {
    // Due on Sunday 2026-02-01, so effectively on the 2nd; 30 days more are the 4th of March.
    let account = check_from(
        check(TWO_DEBTS),
        "agree A1 I1,I2 total=1500 on=2026-01-15 500@2026-02-01 1000@2026-03-02 => agreed A1 1500 of 1500; moved I1 1000; moved I2 500; \
         issued A1-1 500 BRL; issued A1-2 1000 BRL
         late 2026-03-04 => nothing
         late 2026-03-04 A1 => nothing",
    );
    let paid =
        check_from(account.clone(), "pay P1 A1-1 500 2026-02-20 => received P1 applied 500 credit 0 open 0\n late 2026-03-05 => nothing");
    assert_eq!(stage(&paid), Stage::Open);
    let broken = "broken A1 instalment_late paid 0; cancelled A1-1 was 500; cancelled A1-2 was 1000; reopened I1 1000 open 1000; reopened I2 500 open 500";
    let account = check_from(account, &format!("late 2026-03-05 => {broken}\n late 2026-03-06 => nothing"));
    assert_eq!(stage(&account), Stage::Broken { on: day("2026-03-05"), cause: BreakCause::Late });
}

#[test]
fn a_debt_under_an_agreement_and_its_instalments_go_no_way_of_their_own() {
    let account = check_from(
        agreed(),
        "pay P1 I1 100 2026-02-01 => precondition invoice_id invoice_renegotiated
         amend I1 amount=5 => precondition invoice_id invoice_renegotiated
         cancel I1 why => precondition invoice_id invoice_renegotiated
         credit N1 I1 5 2026-02-01 => precondition invoice_id invoice_renegotiated
         cancel A1-1 why => precondition invoice_id invoice_is_instalment
         amend A1-1 amount=5 => precondition invoice_id invoice_is_instalment
         amend A1-1 due=2026-02-10 => amended A1-1 400->400 2026-02-02->2026-02-10 open 400
         agree A2 A1-1 total=400 on=2026-01-20 400@2026-05-01 => precondition invoice_id invoice_is_instalment
         agree A2 I1 total=400 on=2026-01-20 400@2026-05-01 => precondition invoice_id invoice_renegotiated
         agree A1 I1,I2 total=1200 on=2026-01-15 1200@2026-02-02 => precondition agreement_id agreement_exists
         break A9 2026-02-02 => not_found agreement_id agreement_unknown",
    );
    assert_eq!(stage(&account), Stage::Open);
}

#[test]
fn bad_agreements_are_refused() {
    check_from(
        check(TWO_DEBTS),
        "agree A1 - total=1 on=2026-01-15 1@2026-02-02 => invalid originals originals_missing
         agree A1 I1,I1 total=1 on=2026-01-15 1@2026-02-02 => invalid originals originals_not_distinct
         agree A1 I1 total=1 on=2026-01-15 => invalid instalments instalments_count
         agree A1 I1 total=2 on=2026-01-15 1@2026-02-02 => invalid total_minor instalments_sum
         agree A1 I1 total=0 on=2026-01-15 0@2026-02-02 => invalid amount_minor amount_not_positive
         agree A1 I1 total=9007199254740993 on=2026-01-15 9007199254740993@2026-02-02 => invalid amount_minor amount_too_large
         agree A1 I1 total=2 on=2026-01-15 1@2026-02-02 1@2026-02-02 => invalid instalments.due_on instalments_order
         agree A1 I1 total=1 on=2026-01-15 1@2026-01-14 => invalid instalments.due_on instalments_order
         agree A1 I1 total=1 on=2026-01-15 1@2026-02-02 after=366 => invalid breach_after_days breach_days_too_many
         agree A1 I9 total=1 on=2026-01-15 1@2026-02-02 => not_found invoice_id invoice_unknown
         agree A1 I1 total=1 on=2026-01-15 1@2026-02-02 currency=USD => precondition currency currency_mismatch
         issue I3 5 2026-01-01 2026-01-10 USD => issued I3 5 USD
         agree A1 I1,I3 total=1 on=2026-01-15 1@2026-02-02 => precondition currency currency_mismatch
         issue A1-1 5 2026-01-01 2026-01-10 => issued A1-1 5 BRL
         agree A1 I1 total=1 on=2026-01-15 1@2026-02-02 => precondition invoice_id invoice_exists
         pay P1 I1 1000 2026-01-14 => received P1 applied 1000 credit 0 open 0
         agree A2 I1 total=1 on=2026-01-15 1@2026-02-02 => precondition invoice_id invoice_settled
         cancel I2 why => cancelled I2 was 500
         agree A2 I2 total=1 on=2026-01-15 1@2026-02-02 => precondition invoice_id invoice_cancelled",
    );
}

#[test]
fn a_payment_of_before_the_agreement_that_goes_back_is_owed_beside_it() {
    let account = check(
        "issue I1 1000 2026-01-01 2026-01-05 => issued I1 1000 BRL
         pay P0 I1 300 2026-01-06 => received P0 applied 300 credit 0 open 700
         agree A1 I1 total=700 on=2026-01-15 700@2026-02-02 => agreed A1 700 of 700; moved I1 700; issued A1-1 700 BRL
         reverse P0 bounced 2026-01-20 => reversed P0 applied 300 credit 0 open 300
         pay P1 I1 100 2026-01-25 => received P1 applied 100 credit 0 open 200
         look C1 tol=0 I1 A1-1 => authorized C1 I1 200 A1-1 700
         break A1 2026-02-10 => broken A1 by_person paid 0; cancelled A1-1 was 700; reopened I1 700 open 900",
    );
    assert_eq!(account.invoices[&InvoiceId::new("I1").unwrap()].phase, Phase::Open);
}

/// Anything that may happen after two debts with charges were renegotiated.
fn happening() -> impl Strategy<Value = String> {
    let (payment, amount, date) = (0..6u32, 1..9000i64, 1..28u32);
    prop_oneof![
        5 => (payment.clone(), 1..4u32, amount.clone(), date.clone()).prop_map(|(payment, number, amount, date)| format!("pay P{payment} A1-{number} {amount} 2026-03-{date:02}")),
        3 => (payment.clone(), date.clone()).prop_map(|(payment, date)| format!("reverse P{payment} bounced 2026-04-{date:02}")),
        2 => (payment, amount.clone(), 0..3u32).prop_map(|(payment, amount, id)| format!("return D{id} P{payment} {amount} 2026-04-02")),
        1 => (amount, date.clone()).prop_map(|(amount, date)| format!("pay Q{amount} I1 {amount} 2026-05-{date:02}")),
        1 => Just("reverse P9 bounced 2026-04-03".to_owned()),
        1 => (1..4u32).prop_map(|number| format!("credit N{number} A1-{number} 500 2026-03-05")),
        1 => date.prop_map(|date| format!("late 2026-05-{date:02}")),
        1 => Just("break A1 2026-05-20".to_owned()),
    ]
}

/// Two debts, one with charges, of which a part was paid.
const BEFORE: [&str; 4] = [
    "register",
    "owe I1 10000 2026-01-01 2026-02-02 fine=2 interest=1",
    "issue I2 5000 2026-01-01 2026-01-20",
    "pay P9 I1 2000 2026-02-10",
];
const AGREE: &str = "agree A1 I1,I2 total=12000 on=2026-02-12 4000@2026-03-02 4000@2026-04-01 4000@2026-05-04";

fn run<'a>(texts: impl Iterator<Item = &'a str>) -> (Account, Vec<Event>) {
    let (mut account, mut log) = (Account::default(), Vec::new());
    for text in texts {
        let command = command(text);
        if let Ok(events) = decide(&account, &command, &rates()) {
            account = events.iter().fold(account, evolve);
            assert_eq!(decide(&account, &command, &rates()), Ok(vec![]), "{text} again");
            log.extend(events);
        }
    }
    (account, log)
}

fn at(number: usize) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
    start + chrono::TimeDelta::minutes(i64::try_from(number).unwrap())
}

fn due(account: &Account) -> Vec<i64> {
    account.invoices.values().map(|invoice| due_minor(account, invoice, day("2026-06-01"), &rates()).unwrap()).collect()
}

proptest! {
    #[test]
    fn the_books_of_an_agreement_are_the_state_at_every_instant(happenings in prop::collection::vec(happening(), 0..25)) {
        let texts = BEFORE.into_iter().chain([AGREE]).chain(happenings.iter().map(String::as_str));
        let (account, log) = run(texts);
        let mut books: BTreeMap<InvoiceId, Vec<Entry>> = BTreeMap::new();
        let (mut credit, mut then) = (0, Account::default());
        for (number, event) in log.iter().enumerate() {
            then = evolve(then, event);
            for posting in postings(event, at(number)) {
                match posting.book {
                    Book::Invoice(invoice_id) => books.entry(invoice_id).or_default().push(posting.entry),
                    Book::Unapplied(_) => credit += posting.entry.amount_minor,
                }
            }
            prop_assert_eq!(credit, then.credit_minor(Currency::BRL), "{:?}", event);
            for (invoice_id, invoice) in &then.invoices {
                let entries = books.get(invoice_id).map_or(&[][..], Vec::as_slice);
                prop_assert_eq!(sums_on(entries, day("2026-12-31"), None).balance_minor(), i128::from(invoice.open_minor), "{:?}", event);
                prop_assert!(invoice.open_minor >= 0);
            }
        }
        prop_assert_eq!(&then, &account);
        // What was paid and kept is somewhere, once: on a debt, on an instalment, or unapplied.
        let whole = account.payments.values().filter(|payment| payment.part_of.is_none());
        let kept: i64 = whole.map(|payment| payment.amount_minor - payment.returned_minor).sum();
        let applied: i64 = account.payments.values().map(|payment| payment.applied_minor).sum();
        prop_assert_eq!(applied + account.credit_minor(Currency::BRL), kept);
    }

    #[test]
    fn an_agreement_that_was_broken_without_a_payment_left_no_trace_in_what_is_owed(happenings in prop::collection::vec(happening(), 0..15)) {
        let undone = ["break A1 2026-05-28"].into_iter().map(str::to_owned);
        let undone: Vec<String> = undone.chain((0..6).map(|payment| format!("reverse P{payment} undone 2026-05-29"))).chain(["break A1 2026-05-30".to_owned()]).collect();
        let texts = BEFORE.into_iter().chain([AGREE]).chain(happenings.iter().map(String::as_str)).chain(undone.iter().map(String::as_str));
        let own = |text: &&str| text.starts_with("reverse P9") || text.starts_with("return D") && text.contains("P9");
        let (after, _) = run(texts);
        if happenings.iter().all(|text| !text.contains("I1") && !text.starts_with("credit")) {
            let (without, _) = run(BEFORE.into_iter().chain(happenings.iter().map(String::as_str).filter(own)));
            let (ids, debts) = (["I1", "I2"].map(|id| InvoiceId::new(id).unwrap()), |account: &Account| due(account));
            let of = |account: &Account| -> Vec<i64> {
                account.invoices.keys().zip(debts(account)).filter(|(id, _)| ids.contains(id)).map(|(_, due)| due).collect()
            };
            prop_assert_eq!(of(&after), of(&without));
            prop_assert_eq!(after.credit_minor(Currency::BRL), without.credit_minor(Currency::BRL));
        }
    }

    #[test]
    fn in_which_order_payments_of_instalments_are_told_changes_nothing(
        payments in prop::collection::btree_map(0..6u32, (1..4u32, 1..3000i64, 1..28u32), 1..6),
    ) {
        let texts: Vec<String> = payments
            .iter()
            .map(|(payment, (number, amount, date))| format!("pay P{payment} A1-{number} {amount} 2026-03-{date:02}"))
            .collect();
        let told = |texts: Vec<&str>| run(BEFORE.into_iter().chain([AGREE]).chain(texts).chain(["break A1 2026-05-20"])).0;
        let (forward, backward) = (told(texts.iter().map(String::as_str).collect()), told(texts.iter().rev().map(String::as_str).collect()));
        let open = |account: &Account| -> i64 { due(account).iter().sum::<i64>() - account.credit_minor(Currency::BRL) };
        // Where an instalment got more than it asks for, the payment that came last is credit: then only the sum is the same.
        let kept = |account: &Account| account.credit_minor(Currency::BRL) == 0;
        if kept(&forward) && kept(&backward) {
            prop_assert_eq!(open(&forward), open(&backward));
        }
    }
}

#[test]
fn a_refused_agreement_changes_nothing() {
    let account = check(TWO_DEBTS);
    let (after, shown) = apply(account.clone(), &command("agree A1 I1,I9 total=1 on=2026-01-15 1@2026-02-02"));
    assert_eq!((after, shown.as_str()), (account, "not_found invoice_id invoice_unknown"));
}
