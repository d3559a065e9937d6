//! Reports from dated entries, as tables of text.

use insight::{
    Aging, AsOf, Bucket, Column, Contested, DelinquencyLine, DueEntry, Entry, Mark, Moved, Owed, Settlement, Status, Stretch,
    balance_minor, days_late, delinquency, due_on, effective_due, settled_on, status, stretches,
};
use kernel::{Calendar, Currency, DateTime, NaiveDate, Utc, calendar};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Entries of one receivable, one a line: `what amount effective-day [day on which it became known]`.
fn entries(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| entry(&line.split_whitespace().collect::<Vec<_>>())).collect()
}

fn entry(words: &[&str]) -> Entry {
    let amount_minor: i64 = words[1].parse().unwrap();
    let (column, amount_minor) = match words[0] {
        "issued" | "raised" => (Column::Principal, amount_minor),
        "lowered" | "cancelled" => (Column::Principal, -amount_minor),
        "fine" => (Column::Charges, amount_minor),
        "waived" => (Column::Credits, amount_minor),
        "paid" => (Column::Payments, amount_minor),
        "reversed" => (Column::Payments, -amount_minor),
        other => panic!("{other:?} is no entry"),
    };
    Entry { column, amount_minor, effective_on: day(words[2]), recorded_at: noon(words.get(3).unwrap_or(&words[2])) }
}

fn noon(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().unwrap()
}

const LIFE: &str = "issued   1000 2026-01-10
                    paid      400 2026-02-05
                    paid      600 2026-02-20
                    reversed  600 2026-03-01
                    fine       20 2026-03-05
                    waived     20 2026-03-06
                    paid      600 2026-03-20 2026-03-25";

#[test]
fn a_past_day_is_read_from_the_entries() {
    for (at, known, balance, standing) in [
        ("2026-01-09", "", 0, "unissued"),
        ("2026-01-10", "", 1000, "current"),
        ("2026-02-10", "", 600, "current"),
        ("2026-02-11", "", 600, "overdue 1"),
        ("2026-02-20", "", 0, "settled"),
        ("2026-03-01", "", 600, "overdue 19"),
        ("2026-03-05", "", 620, "overdue 23"),
        ("2026-03-20", "", 0, "settled"),
        // On the 21st nobody knew of the payment of the 20th.
        ("2026-03-20", "2026-03-21", 600, "overdue 38"),
        ("2026-03-20", "2026-03-25", 0, "settled"),
    ] {
        let as_of = AsOf { day: day(at), known_at: (!known.is_empty()).then(|| noon(known)) };
        assert_eq!(balance_minor(&entries(LIFE), as_of), balance, "{at} {known}");
        let shown = match status(&entries(LIFE), day("2026-02-10"), as_of) {
            Status::Overdue { days_late } => format!("overdue {days_late}"),
            other => other.slug().to_owned(),
        };
        assert_eq!(shown, standing, "{at} {known}");
    }
}

#[test]
fn due_today_is_current_and_buckets_end_on_their_last_day() {
    for (at, late, bucket) in [
        ("2026-01-31", -1, "current"),
        ("2026-02-01", 0, "current"),
        ("2026-02-02", 1, "1_30"),
        ("2026-03-03", 30, "1_30"),
        ("2026-03-04", 31, "31_60"),
        ("2026-04-02", 60, "31_60"),
        ("2026-04-03", 61, "61_90"),
        ("2026-05-02", 90, "61_90"),
        ("2026-05-03", 91, "over_90"),
        ("2030-01-01", 1430, "over_90"),
    ] {
        let days = days_late(day("2026-02-01"), day(at));
        assert_eq!((days, Bucket::of(days).slug()), (late, bucket), "{at}");
    }
}

#[test]
fn a_due_date_on_a_holiday_ages_from_the_next_business_day() {
    // Friday 20 November 2026 is a holiday: due on Monday, so not late on Monday.
    assert_eq!(effective_due(day("2026-11-20"), Calendar::BrSettlement), day("2026-11-23"));
    assert_eq!(effective_due(day("2026-11-20"), Calendar::None), day("2026-11-20"));
}

#[test]
fn the_due_date_that_holds_is_the_one_agreed_last_as_far_as_is_seen() {
    let due = |due: &str, from: &str, known: &str| DueEntry { due_on: day(due), effective_on: day(from), recorded_at: noon(known) };
    let dues = [due("2026-02-01", "2026-01-10", "2026-01-10"), due("2026-03-01", "2026-01-20", "2026-01-25")];
    for (at, known, expected) in [
        ("2026-01-09", None, None),
        ("2026-01-15", None, Some("2026-02-01")),
        ("2026-01-20", None, Some("2026-03-01")),
        ("2026-01-20", Some("2026-01-20"), Some("2026-02-01")),
    ] {
        let as_of = AsOf { day: day(at), known_at: known.map(noon) };
        assert_eq!(due_on(&dues, as_of), expected.map(day), "{at}");
    }
}

#[test]
fn aging_adds_up_and_keeps_disputes_in_their_own_column() {
    let mut aging = Aging::default();
    for (balance, disputed, late) in
        [(100, 0, -5), (200, 0, 0), (300, 0, 1), (400, 150, 45), (500, 0, 90), (600, 900, 91), (0, 0, 10), (-50, 0, 10)]
    {
        aging.add(balance, disputed, late);
    }
    let expected = Aging {
        open_count: 6,
        open_minor: 2100,
        current_minor: 300,
        overdue_1_30_minor: 300,
        overdue_31_60_minor: 250,
        overdue_61_90_minor: 500,
        overdue_over_90_minor: 0,
        disputed_minor: 750,
    };
    assert_eq!(aging, expected);
    assert_eq!(aging.overdue_minor(), 1050);
}

#[test]
fn delinquency_is_told_by_key_and_currency() {
    let (brl, usd) = (Currency::BRL, Currency::new("USD").unwrap());
    let owed = |key, currency, balance_minor, due| Owed { key, currency, balance_minor, effective_due: day(due) };
    let lines = delinquency(
        [
            owed("ana", brl, 100, "2026-01-20"),
            owed("ana", brl, 50, "2026-03-01"),
            owed("ana", brl, 70, "2026-03-02"),
            owed("ana", usd, 10, "2026-03-02"),
            owed("bia", brl, 0, "2026-01-01"),
        ],
        day("2026-03-02"),
    );
    assert_eq!(lines.keys().copied().collect::<Vec<_>>(), [("ana", brl), ("ana", usd)]);
    let expected = DelinquencyLine {
        open_count: 3,
        open_minor: 220,
        overdue_count: 2,
        overdue_minor: 150,
        oldest_due: Some(day("2026-01-20")),
        days_late: 41,
        bucket: Bucket::Days31To60,
    };
    assert_eq!(lines[&("ana", brl)], expected);
    assert_eq!(lines[&("ana", usd)], DelinquencyLine { open_count: 1, open_minor: 10, ..DelinquencyLine::default() });
}

#[test]
fn a_receivable_is_settled_on_the_day_its_balance_reached_zero_for_good() {
    for (text, settled) in [
        ("issued 100 2026-01-10", ""),
        ("issued 100 2026-01-10\npaid 99 2026-01-20", ""),
        ("issued 100 2026-01-10\npaid 60 2026-01-20\npaid 40 2026-02-03", "2026-02-03"),
        ("issued 100 2026-01-10\npaid 100 2026-01-10", "2026-01-10"),
        // The order of the list does not matter, only the dates.
        ("paid 40 2026-02-03\nissued 100 2026-01-10\npaid 60 2026-01-20", "2026-02-03"),
        // Paid before it was issued: on the day of issue.
        ("paid 100 2026-01-05\nissued 100 2026-01-10", "2026-01-10"),
        ("issued 100 2026-01-10\npaid 100 2026-01-20\nreversed 100 2026-01-25", ""),
        ("issued 100 2026-01-10\npaid 100 2026-01-20\nreversed 100 2026-01-25\npaid 100 2026-02-01", "2026-02-01"),
        // Returned and paid again on one day: it was never open at the end of a day.
        ("issued 100 2026-01-10\npaid 100 2026-01-20\nreversed 100 2026-01-25\npaid 100 2026-01-25", "2026-01-20"),
        ("issued 100 2026-01-10\npaid 60 2026-01-20\nlowered 40 2026-01-30", "2026-01-30"),
        ("issued 100 2026-01-10\npaid 100 2026-01-20\nraised 10 2026-01-30", ""),
        // A cancelled invoice is not settled.
        ("issued 100 2026-01-10\ncancelled 100 2026-01-20", ""),
        ("issued 100 2026-01-10\npaid 60 2026-01-15\nreversed 60 2026-01-20\ncancelled 100 2026-01-20", ""),
        ("paid 100 2026-01-05", ""),
    ] {
        let expected = (!settled.is_empty()).then(|| day(settled));
        assert_eq!(settled_on(&entries(text), AsOf::day(day("2026-12-31"))), expected, "{text}");
    }
    let as_of = AsOf::day(day("2026-02-28"));
    assert_eq!(settled_on(&entries(LIFE), as_of), Some(day("2026-02-20")), "as of then it was settled");
}

#[test]
fn settlement_counts_by_the_effective_due_date() {
    let mut settlement = Settlement::default();
    for (issued, due, settled) in [
        ("2026-01-10", "2026-02-01", "2026-01-10"),
        ("2026-01-10", "2026-02-01", "2026-02-01"),
        ("2026-01-10", "2026-02-01", "2026-02-02"),
        ("2026-01-10", "2026-02-01", "2026-02-11"),
    ] {
        settlement.add(day(issued), day(due), day(settled));
    }
    assert_eq!(settlement, Settlement { paid_by_due: 2, paid_late: 2, days_late_total: 11, days_to_settle_total: 22 + 23 + 32 });
}

/// Day of issue, days until due, amount, and payments as days after the issue with their amounts.
type Receivable = (u32, u32, i64, Vec<(u32, i64)>);

fn portfolio() -> impl Strategy<Value = Vec<Receivable>> {
    let payments = prop::collection::vec((0..200u32, 1..500i64), 0..4);
    prop::collection::vec((0..100u32, 0..60u32, 1..1000i64, payments), 0..20)
}

fn on(number: u32) -> NaiveDate {
    calendar::add_days(day("2026-01-01"), i64::from(number))
}

fn books((issued, _, amount, payments): &Receivable) -> Vec<Entry> {
    let mut left = *amount;
    let mut entries = vec![entry(&["issued", &amount.to_string(), &on(*issued).to_string()])];
    for (paid, wanted) in payments {
        let applied = left.min(*wanted);
        left -= applied;
        entries.push(entry(&["paid", &applied.to_string(), &on(issued + paid).to_string()]));
    }
    entries
}

proptest! {
    #[test]
    fn the_columns_of_aging_add_up_on_every_day(portfolio in portfolio(), at in 0..400u32) {
        let as_of = AsOf::day(on(at));
        let mut aging = Aging::default();
        let mut sum = 0;
        for receivable in &portfolio {
            let balance = balance_minor(&books(receivable), as_of);
            aging.add(balance, 0, days_late(on(receivable.0 + receivable.1), as_of.day));
            sum += balance;
        }
        prop_assert_eq!(aging.open_minor, sum);
        prop_assert_eq!(aging.current_minor + aging.overdue_minor(), sum);
    }

    #[test]
    fn settled_means_that_nothing_is_open_and_the_day_before_something_was(portfolio in portfolio(), at in 0..400u32) {
        for receivable in &portfolio {
            let (entries, as_of) = (books(receivable), AsOf::day(on(at)));
            match settled_on(&entries, as_of) {
                Some(settled) => {
                    prop_assert_eq!(balance_minor(&entries, as_of), 0);
                    prop_assert_eq!(balance_minor(&entries, AsOf::day(settled)), 0);
                    let before = AsOf::day(calendar::add_days(settled, -1));
                    prop_assert!(balance_minor(&entries, before) > 0 || settled == on(receivable.0));
                }
                None => prop_assert!(at < receivable.0 || balance_minor(&entries, as_of) > 0),
            }
        }
    }
}

/// `issued 1000 2026-01-10 due=2026-02-10`, `paid -400 2026-02-05`, `disputed 100 2026-02-01 2026-02-20`, in the order in which they
/// were recorded; as stretches, `from until due: open, contested`.
fn told(text: &str) -> Vec<String> {
    let (mut moves, mut contested) = (Vec::new(), Vec::new());
    for (version, line) in (1_i64..).zip(text.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (amount_minor, on) = (words[1].parse().unwrap(), day(words[2]));
        if words[0] == "disputed" {
            contested.push(Contested { from: on, until: words.get(3).map(|until| day(until)), amount_minor });
            continue;
        }
        let mark = match words[0] {
            "issued" => Mark::Issued,
            "cancelled" => Mark::Cancelled,
            _ => Mark::Plain,
        };
        let due = words.get(3).and_then(|due| due.strip_prefix("due=")).map(day);
        moves.push(Moved { on, version, mark, amount_minor, due });
    }
    let line = |s: &Stretch| {
        let until = s.until.map_or_else(|| "on".to_owned(), |until| until.to_string());
        format!("{} {until} {}: {}, {}", s.from, s.due, s.open_minor, s.contested_minor)
    };
    stretches(&moves, &contested).iter().map(line).collect()
}

#[test]
fn days_on_which_a_receivable_stood_the_same_are_one_stretch() {
    let issued = "issued 1000 2026-01-10 due=2026-02-10";
    for (text, expected) in [
        (String::new(), vec![]),
        ("paid -400 2026-01-05".to_owned(), vec![]),
        (issued.to_owned(), vec!["2026-01-10 on 2026-02-10: 1000, 0"]),
        (format!("{issued}\npaid -1000 2026-02-01"), vec!["2026-01-10 2026-02-01 2026-02-10: 1000, 0"]),
        // Paid before it was issued, and on the day of issue.
        (format!("{issued}\npaid -400 2026-01-05"), vec!["2026-01-10 on 2026-02-10: 600, 0"]),
        (format!("{issued}\npaid -1000 2026-01-10"), vec![]),
        // Told last, and it counts from the middle.
        (
            format!("{issued}\npaid -300 2026-03-01\npaid -200 2026-02-01"),
            vec![
                "2026-01-10 2026-02-01 2026-02-10: 1000, 0",
                "2026-02-01 2026-03-01 2026-02-10: 800, 0",
                "2026-03-01 on 2026-02-10: 500, 0",
            ],
        ),
        // A payment that goes back leaves a gap; on one day it leaves nothing.
        (
            format!("{issued}\npaid -1000 2026-02-01\nreversed 1000 2026-02-03"),
            vec!["2026-01-10 2026-02-01 2026-02-10: 1000, 0", "2026-02-03 on 2026-02-10: 1000, 0"],
        ),
        (format!("{issued}\npaid -1000 2026-02-01\nreversed 1000 2026-02-01"), vec!["2026-01-10 on 2026-02-10: 1000, 0"]),
        // Of terms that are seen the last recorded hold, also where they count from an earlier day.
        (
            format!("{issued}\namended 0 2026-02-20 due=2026-03-20\namended 0 2026-02-15 due=2026-04-20"),
            vec!["2026-01-10 2026-02-15 2026-02-10: 1000, 0", "2026-02-15 on 2026-04-20: 1000, 0"],
        ),
        // Nothing comes after a cancellation.
        (format!("{issued}\ncancelled -1000 2026-02-01\nreversed 50 2026-02-05"), vec!["2026-01-10 2026-02-01 2026-02-10: 1000, 0"]),
        (format!("{issued}\ncancelled -1000 2026-01-10"), vec![]),
        // Contested: before the issue already, all of it, more than is open, and of two the sum.
        (
            format!("{issued}\ndisputed 100 2026-01-01 2026-01-20"),
            vec!["2026-01-10 2026-01-20 2026-02-10: 1000, 100", "2026-01-20 on 2026-02-10: 1000, 0"],
        ),
        (
            format!("{issued}\ndisputed 0 2026-01-20\npaid -400 2026-02-01"),
            vec![
                "2026-01-10 2026-01-20 2026-02-10: 1000, 0",
                "2026-01-20 2026-02-01 2026-02-10: 1000, 1000",
                "2026-02-01 on 2026-02-10: 600, 600",
            ],
        ),
        (
            format!("{issued}\ndisputed 700 2026-01-20 2026-01-25\ndisputed 700 2026-01-20"),
            vec![
                "2026-01-10 2026-01-20 2026-02-10: 1000, 0",
                "2026-01-20 2026-01-25 2026-02-10: 1000, 1000",
                "2026-01-25 on 2026-02-10: 1000, 700",
            ],
        ),
    ] {
        assert_eq!(told(&text), expected, "{text}");
    }
}

/// Day, mark, amount, and a due date.
fn moves() -> impl Strategy<Value = Vec<Moved>> {
    let mark = prop::sample::select(vec![Mark::Issued, Mark::Plain, Mark::Plain, Mark::Plain, Mark::Plain, Mark::Cancelled]);
    let due = prop::option::of(0..40u32);
    let one = (0..40u32, mark, -300..400i64, due);
    let numbered = |all: Vec<(u32, Mark, i64, Option<u32>)>| {
        let moved = |(version, (at, mark, amount_minor, due)): (i64, (u32, Mark, i64, Option<u32>))| {
            let due = if mark == Mark::Issued { Some(on(due.unwrap_or(at))) } else { due.map(on) };
            Moved { on: on(at), version, mark, amount_minor, due }
        };
        (1..).zip(all).map(moved).collect()
    };
    prop::collection::vec(one, 0..8).prop_map(numbered)
}

fn disputes() -> impl Strategy<Value = Vec<Contested>> {
    let one = (0..40u32, prop::option::of(0..40u32), prop::sample::select(vec![0, 50, 200]));
    prop::collection::vec(
        one.prop_map(|(from, until, amount_minor)| Contested { from: on(from), until: until.map(on), amount_minor }),
        0..3,
    )
}

/// What holds at the end of a day, from all that is dated until then: due date, open, contested.
fn stood(moves: &[Moved], contested: &[Contested], at: NaiveDate) -> Option<(NaiveDate, i64, i64)> {
    let seen = || moves.iter().filter(|moved| moved.on <= at);
    let (open, due) =
        (seen().map(|moved| moved.amount_minor).sum::<i64>(), seen().filter(|moved| moved.due.is_some()).max_by_key(|m| m.version));
    let is_there = seen().any(|moved| moved.mark == Mark::Issued) && seen().all(|moved| moved.mark != Mark::Cancelled) && open > 0;
    let parts: Vec<i64> =
        contested.iter().filter(|c| c.from <= at && c.until.is_none_or(|until| at < until)).map(|c| c.amount_minor).collect();
    let part = if parts.contains(&0) { open } else { parts.iter().sum::<i64>().min(open) };
    due.and_then(|due| due.due).filter(|_| is_there).map(|due| (due, open, part))
}

proptest! {
    #[test]
    fn a_day_in_the_stretches_is_that_day_in_the_entries(moves in moves(), contested in disputes()) {
        let found = stretches(&moves, &contested);
        prop_assert!(found.windows(2).all(|pair| pair[0].until.is_some_and(|until| until <= pair[1].from)));
        for at in (0..45).map(on) {
            let mut there = found.iter().filter(|s| s.from <= at && s.until.is_none_or(|until| at < until));
            let told = there.next().map(|s| (s.due, s.open_minor, s.contested_minor));
            prop_assert_eq!((told, there.next()), (stood(&moves, &contested, at), None), "{}", at);
        }
    }
}
