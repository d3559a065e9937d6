//! Money on no receivable: kept, put on one exactly once, dismissed, sent back.

use kernel::{Currency, CustomerId, InvoiceId, NaiveDate, PaymentId};
use proptest::prelude::*;
use receivable::Source;
use receivable::unapplied::{Receipt, Unapplied, UnappliedCommand, UnappliedEvent, UnappliedPhase, decide_unapplied, evolve_unapplied};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn parse(line: &str) -> UnappliedCommand {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[0] {
        "keep" => UnappliedCommand::Keep(Receipt {
            payment_id: PaymentId::new("E1").unwrap(),
            source: Source::Pix,
            amount_minor: words[1].parse().unwrap(),
            currency: Currency::BRL,
            paid_on: day("2026-01-20"),
            reference: String::new(),
            account: String::new(),
            end_to_end_id: "E1".to_owned(),
            reason: "no_receivable".to_owned(),
            suggested: None,
            fee_minor: 0,
        }),
        "assign" => UnappliedCommand::Assign { invoice_id: InvoiceId::new(words[1]).unwrap(), customer_id: CustomerId::new("c1").unwrap() },
        "conclude" => UnappliedCommand::Conclude { invoice_id: InvoiceId::new(words[1]).unwrap() },
        "release" => UnappliedCommand::Release { invoice_id: InvoiceId::new(words[1]).unwrap(), reason: words[2].to_owned() },
        "dismiss" => UnappliedCommand::Dismiss { reason: words[1].to_owned() },
        "return" => UnappliedCommand::Return {
            return_id: words[1].to_owned(),
            amount_minor: words[2].parse().unwrap(),
            returned_on: day("2026-01-25"),
        },
        other => panic!("{other:?} is no command"),
    }
}

fn shown(event: &UnappliedEvent) -> String {
    match event {
        UnappliedEvent::Received(receipt) => format!("received {}", receipt.amount_minor),
        UnappliedEvent::Assigned(to) => format!("assigned {} {}", to.invoice_id, to.amount_minor),
        UnappliedEvent::Applied { invoice_id, .. } => format!("applied {invoice_id}"),
        UnappliedEvent::Released { invoice_id, reason } => format!("released {invoice_id} {reason}"),
        UnappliedEvent::Dismissed { reason } => format!("dismissed {reason}"),
        UnappliedEvent::Returned { return_id, amount_minor, .. } => format!("returned {return_id} {amount_minor}"),
    }
}

fn step(state: Unapplied, command: &UnappliedCommand) -> (Unapplied, String) {
    match decide_unapplied(&state, command) {
        Ok(events) if events.is_empty() => (state, "nothing".to_owned()),
        Ok(events) => (events.iter().fold(state, evolve_unapplied), events.iter().map(shown).collect::<Vec<_>>().join("; ")),
        Err(rejection) => (state, rejection.slug().to_owned()),
    }
}

fn check(script: &str) -> Unapplied {
    let mut state = Unapplied::default();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asked, expected) = line.split_once(" => ").unwrap();
        let (after, got) = step(state, &parse(asked));
        assert_eq!(got, expected, "{asked}");
        state = after;
    }
    state
}

#[test]
fn it_is_put_on_one_invoice_and_stays_there() {
    check(
        "assign I1 => unknown_unapplied_payment
         keep 0 => amount_out_of_range
         keep 100 => received 100
         keep 100 => nothing
         keep 101 => payment_exists
         conclude I1 => nothing
         assign I1 => assigned I1 100
         assign I1 => nothing
         assign I2 => payment_applied
         dismiss spam => payment_applied
         return D1 10 => payment_applied
         conclude I2 => nothing
         release I2 late => nothing
         conclude I1 => applied I1
         conclude I1 => nothing
         assign I1 => nothing
         assign I2 => payment_applied
         release I1 late => nothing",
    );
}

#[test]
fn a_refused_invoice_gives_it_back_and_another_takes_it() {
    check(
        "keep 100 => received 100
         assign I1 => assigned I1 100
         release I1 invoice_cancelled => released I1 invoice_cancelled
         dismiss twice => dismissed twice
         dismiss again => nothing
         assign I2 => assigned I2 100
         conclude I2 => applied I2",
    );
}

#[test]
fn what_went_back_is_not_applied() {
    let state = check(
        "keep 100 => received 100
         return D1 30 => returned D1 30
         return D1 30 => nothing
         return D1 31 => return_refused
         return D2 71 => return_refused
         assign I1 => assigned I1 70
         release I1 invoice_cancelled => released I1 invoice_cancelled
         return D2 70 => returned D2 70
         return D3 1 => return_refused
         assign I1 => payment_returned
         dismiss late => payment_returned",
    );
    assert_eq!((state.left_minor(), state.phase), (0, UnappliedPhase::Returned));
}

fn command() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("keep 100".to_owned()),
        (1..3u8).prop_map(|invoice| format!("assign I{invoice}")),
        (1..3u8).prop_map(|invoice| format!("conclude I{invoice}")),
        (1..3u8).prop_map(|invoice| format!("release I{invoice} refused")),
        Just("dismiss why".to_owned()),
        (1..4u8, 1..80i64).prop_map(|(id, amount)| format!("return D{id} {amount}")),
    ]
}

proptest! {
    #[test]
    fn no_history_applies_it_twice_or_more_than_is_left(commands in prop::collection::vec(command(), 0..40)) {
        let (mut state, mut applied, mut returned) = (Unapplied::default(), 0, 0);
        for line in commands {
            let (after, got) = step(state, &parse(&line));
            let (again, repeated) = step(after.clone(), &parse(&line));
            if got.starts_with("applied") {
                applied += 1;
                let UnappliedPhase::Applied(to) = &after.phase else { panic!("{:?}", after.phase) };
                prop_assert_eq!(to.amount_minor, 100 - returned);
            }
            if let Some(part) = got.strip_prefix("returned ") {
                returned += part.split_once(' ').unwrap().1.parse::<i64>().unwrap();
            }
            if got != repeated {
                prop_assert_eq!(&repeated, "nothing", "{} after {}", line, got);
            }
            prop_assert!(again == after);
            state = after;
        }
        prop_assert!(applied <= 1 && returned <= 100);
    }
}
