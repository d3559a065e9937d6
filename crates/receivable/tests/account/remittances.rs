//! What is ordered of a bank, file after file.

use kernel::{CustomerId, DateTime, InvoiceId, Utc};
use receivable::remittance::{
    Candidate, Instruction, MAX_ORDERS, Remittances, Want, WriteRemittance, decide_remittance, evolve_remittance,
};

fn now() -> DateTime<Utc> {
    "2026-03-10T15:00:00Z".parse().unwrap()
}

/// `I1 100 2026-03-20 registered`
fn candidate(line: &str) -> Candidate {
    let words: Vec<&str> = line.split_whitespace().collect();
    Candidate {
        invoice_id: InvoiceId::new(words[0]).unwrap(),
        customer_id: CustomerId::new("c1").unwrap(),
        amount_minor: words[1].parse().unwrap(),
        due_on: words[2].parse().unwrap(),
        want: match words[3] {
            "registered" => Want::Registered,
            "again" => Want::RegisteredAgain,
            "off" => Want::WrittenOff,
            "as_it_is" => Want::AsItIs,
            other => panic!("{other:?} is no wish"),
        },
    }
}

/// Writes a file of candidates; `1: I1 01, I2 02`, or `nothing`.
fn write(state: Remittances, candidates: &str) -> (Remittances, String) {
    let candidates = candidates.split(',').map(candidate).collect();
    let events = decide_remittance(&state, &WriteRemittance { candidates, now: now() }).unwrap();
    let Some(event) = events.first() else { return (state, "nothing".to_owned()) };
    let orders: Vec<String> = event.orders.iter().map(|order| format!("{} {}", order.invoice_id, order.instruction.code())).collect();
    (evolve_remittance(state, event), format!("{}: {}", event.sequence, orders.join(", ")))
}

#[test]
fn a_title_is_registered_once_changed_as_it_changes_and_written_off_once() {
    let mut state = Remittances::default();
    for (candidates, expected) in [
        ("I1 100 2026-03-20 off,I2 100 2026-03-20 as_it_is", "nothing"),
        ("I1 100 2026-03-20 registered,I2 50 2026-03-20 registered", "1: I1 01, I2 01"),
        ("I1 100 2026-03-20 registered,I2 50 2026-03-20 registered", "nothing"),
        ("I1 100 2026-04-20 registered,I2 60 2026-04-20 registered", "2: I1 06, I2 06, I2 47"),
        ("I1 100 2026-04-20 as_it_is,I2 60 2026-04-20 off", "3: I2 02"),
        ("I1 100 2026-04-20 as_it_is,I2 60 2026-04-20 off", "nothing"),
        ("I2 70 2026-05-20 registered", "nothing"),
    ] {
        let (after, got) = write(state, candidates);
        assert_eq!(got, expected, "{candidates}");
        state = after;
    }
}

#[test]
fn a_title_that_the_bank_rejected_is_entered_again_only_when_it_changed() {
    let (state, _) = write(Remittances::default(), "I1 100 2026-03-20 registered");
    let (state, got) = write(state, "I1 100 2026-03-20 again");
    assert_eq!(got, "nothing");
    assert_eq!(write(state, "I1 110 2026-03-20 again").1, "2: I1 01");
}

#[test]
fn a_file_has_a_limit_and_the_next_one_takes_the_rest() {
    let all: Vec<String> = (0..MAX_ORDERS + 3).map(|n| format!("I{n} 100 2026-03-20 registered")).collect();
    let (state, first) = write(Remittances::default(), &all.join(","));
    assert_eq!(first.matches(" 01").count(), MAX_ORDERS);
    let (_, second) = write(state, &all.join(","));
    assert_eq!(second.matches(" 01").count(), 3);
}

#[test]
fn the_last_number_is_the_last_and_codes_read_back() {
    let full = Remittances { sequence: 999_999, ..Remittances::default() };
    let candidates = vec![candidate("I1 100 2026-03-20 registered")];
    assert!(decide_remittance(&full, &WriteRemittance { candidates, now: now() }).is_err());
    assert!(Instruction::ALL.into_iter().all(|one| Instruction::of(one.code()) == Some(one)));
}
