//! What is ordered of a bank, file after file.

use crate::script::{setting, terms};
use brazil::charges::{Convention, DayBasis, DiscountValue, Fine, Period, ProRata, Rate};
use brazil::cnab::remittance::{FineOrder, InterestOrder};
use kernel::{CustomerId, DateTime, InvoiceId, Utc};
use receivable::charges::{AgreedInterest, ChargeTerms, EarlyDiscount};
use receivable::remittance::{
    Candidate, Instruction, MAX_ORDERS, Remittances, Want, WriteRemittance, decide_remittance, evolve_remittance,
};

fn now() -> DateTime<Utc> {
    "2026-03-10T15:00:00Z".parse().unwrap()
}

/// `I1 100 2026-03-20 registered fine=2 interest=1 discount=10:5`
fn candidate(line: &str) -> Candidate {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (amount_minor, due_on) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    Candidate {
        invoice_id: InvoiceId::new(words[0]).unwrap(),
        customer_id: CustomerId::new("c1").unwrap(),
        amount_minor,
        due_on,
        charges: terms(&words[4..]).at_bank(amount_minor, due_on).charges,
        nosso_numero: setting(&words, "number=").unwrap_or("1-9").to_owned(),
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
    let candidates = candidates.split('|').map(candidate).collect();
    let events = decide_remittance(&state, &WriteRemittance { candidates, today: now().date_naive(), now: now() }).unwrap();
    let Some(event) = events.first() else { return (state, "nothing".to_owned()) };
    let orders: Vec<String> = event.orders.iter().map(|order| format!("{} {}", order.invoice_id, order.instruction.code())).collect();
    (evolve_remittance(state, event), format!("{}: {}", event.sequence, orders.join(", ")))
}

#[test]
fn a_title_is_registered_once_changed_as_it_changes_and_written_off_once() {
    let mut state = Remittances::default();
    for (candidates, expected) in [
        ("I1 100 2026-03-20 off|I2 100 2026-03-20 as_it_is", "nothing"),
        ("I1 100 2026-03-20 registered|I2 50 2026-03-20 registered", "1: I1 01, I2 01"),
        ("I1 100 2026-03-20 registered|I2 50 2026-03-20 registered", "nothing"),
        ("I1 100 2026-04-20 registered|I2 60 2026-04-20 registered", "2: I1 06, I2 06, I2 47"),
        ("I1 100 2026-04-20 as_it_is|I2 60 2026-04-20 off", "3: I2 02"),
        ("I1 100 2026-04-20 as_it_is|I2 60 2026-04-20 off", "nothing"),
        ("I2 70 2026-05-20 registered", "nothing"),
        ("I2 70 2026-05-20 registered number=2-7", "4: I2 01"),
        ("I2 70 2026-05-20 registered number=2-7", "nothing"),
        ("I2 70 2026-05-20 off number=2-7", "5: I2 02"),
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
    let (state, first) = write(Remittances::default(), &all.join("|"));
    assert_eq!(first.matches(" 01").count(), MAX_ORDERS);
    let (_, second) = write(state, &all.join("|"));
    assert_eq!(second.matches(" 01").count(), 3);
}

#[test]
fn the_last_number_is_the_last_and_codes_read_back() {
    let full = Remittances { sequence: 999_999, ..Remittances::default() };
    let candidates = vec![candidate("I1 100 2026-03-20 registered")];
    assert!(decide_remittance(&full, &WriteRemittance { candidates, today: now().date_naive(), now: now() }).is_err());
    assert!(Instruction::ALL.into_iter().all(|one| Instruction::of(one.code()) == Some(one)));
}

// 2026-03-20 is a Friday, 2026-04-20 a Monday.
#[test]
fn charges_are_ordered_with_the_title_and_again_where_they_or_their_days_change() {
    let mut state = Remittances::default();
    for (candidates, expected) in [
        ("I1 10000 2026-03-20 registered", "1: I1 01"),
        ("I1 10000 2026-03-20 registered fine=2 interest=1", "2: I1 12, I1 14"),
        ("I1 10000 2026-03-20 registered fine=2 interest=1", "nothing"),
        ("I1 10000 2026-04-20 registered fine=2 interest=1 discount=10:5", "3: I1 06, I1 12, I1 14, I1 07"),
        ("I1 12000 2026-04-20 registered fine=2 interest=1 discount=10:5", "4: I1 47"),
        ("I1 12000 2026-04-20 registered", "5: I1 13, I1 15, I1 08"),
        // A discount that was over before the file was written was never told, and is not missed.
        ("I1 12000 2026-04-20 registered discount=60:5", "nothing"),
    ] {
        let (after, got) = write(state, candidates);
        assert_eq!(got, expected, "{candidates}");
        state = after;
    }
}

/// `1% from 2026-03-21, fine 2% from 2026-03-21, 5% until 2026-03-10; late early`
fn at_bank(terms: &ChargeTerms, due_on: &str) -> String {
    let at_bank = terms.at_bank(10_000, due_on.parse().unwrap());
    let interest = match at_bank.charges.interest {
        InterestOrder::Exempt => "exempt".to_owned(),
        InterestOrder::CentsPerDay(from, cents) => format!("{cents} a day from {from}"),
        InterestOrder::PercentPerMonth(from, rate) => format!("{}/1000000 a month from {from}", rate.micros()),
    };
    let fine = match at_bank.charges.fine {
        None => String::new(),
        Some(FineOrder::Fixed(from, cents)) => format!(", fine {cents} from {from}"),
        Some(FineOrder::Percent(from, rate)) => format!(", fine {}% from {from}", rate.micros() / 1_000_000),
    };
    let discounts = at_bank.charges.discounts.iter().map(|d| format!(", {}:{} until {}", d.code, d.hundredths, d.until));
    let told = match (at_bank.late, at_bank.early) {
        (true, true) => "all",
        (true, false) => "late",
        (false, true) => "early",
        (false, false) => "none",
    };
    format!("{interest}{fine}{}; {told}", discounts.collect::<String>())
}

fn rate(micros: u64, period: Period, days: DayBasis, convention: Convention) -> ChargeTerms {
    let interest = AgreedInterest::Rate { rate: Rate::from_micros(micros), period, days, convention };
    ChargeTerms { interest, ..ChargeTerms::default() }
}

#[test]
fn a_bank_is_told_what_its_file_can_say_and_nothing_else() {
    use {Convention::*, DayBasis::*};
    let day_rate = |micros| rate(micros, Period::Day, Calendar, Exact);
    for (terms, due_on, expected) in [
        (terms(&["fine=2", "interest=1"]), "2026-03-20", "1000000/1000000 a month from 2026-03-21, fine 2% from 2026-03-21; all"),
        // Due on a Saturday: no fine before Tuesday, interest from Sunday on.
        (terms(&["fine=2", "interest=1"]), "2026-03-21", "1000000/1000000 a month from 2026-03-22, fine 2% from 2026-03-24; all"),
        (day_rate(33_000), "2026-03-20", "990000/1000000 a month from 2026-03-21; all"),
        (day_rate(33_333), "2026-03-20", "exempt; early"),
        (rate(12_000_000, Period::Year(360), Calendar, Exact), "2026-03-20", "1000000/1000000 a month from 2026-03-21; all"),
        (rate(12_000_000, Period::Year(365), Calendar, Exact), "2026-03-20", "exempt; early"),
        (rate(1_000_000, Period::Month(30), Business, Exact), "2026-03-20", "exempt; early"),
        (rate(1_000_000, Period::Month(30), Calendar, PerDayCents), "2026-03-20", "3 a day from 2026-03-21; all"),
        (rate(1_000_000, Period::Month(30), Calendar, DailyRateThreeDecimals), "2026-03-20", "990000/1000000 a month from 2026-03-21; all"),
        (ChargeTerms { interest: AgreedInterest::Legal(ProRata::Thirty), ..ChargeTerms::default() }, "2026-03-20", "exempt; early"),
        (ChargeTerms { interest: AgreedInterest::PerDay(7), ..ChargeTerms::default() }, "2026-03-20", "7 a day from 2026-03-21; all"),
        (ChargeTerms { fine: Some(Fine::Fixed(500)), ..ChargeTerms::default() }, "2026-03-20", "exempt, fine 500 from 2026-03-21; all"),
        (terms(&["discount=10:5,5:2"]), "2026-03-20", "exempt, 2:500 until 2026-03-10, 2:200 until 2026-03-15; all"),
        // The later and greater one beats the earlier; four are too many.
        (terms(&["discount=10:2,5:5"]), "2026-03-20", "exempt, 2:500 until 2026-03-15; all"),
        (terms(&["discount=10:5,8:4,5:3,1:2"]), "2026-03-20", "exempt; late"),
    ] {
        assert_eq!(at_bank(&terms, due_on), expected, "{terms:?}");
    }
    let fixed = EarlyDiscount { days_before_due: 6, value: DiscountValue::Fixed(300) };
    let rolling = ChargeTerms { discounts: vec![fixed], discounts_roll: true, ..ChargeTerms::default() };
    assert_eq!(at_bank(&rolling, "2026-03-20"), "exempt, 1:300 until 2026-03-16; all", "Saturday rolls to Monday");
}
