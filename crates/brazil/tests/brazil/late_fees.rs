//! Fines, interest, discounts, partial payments.

use brazil::charges::{
    Allocation, ChargeFault, Convention, DayBasis, Debt, DiscountTier, DiscountValue, Exact, Fine, Interest, InterestStart, LegalRates,
    Movement, MovementKind, Period, ProRata, Rate, Relation, Rounding, Statement, Terms, accrue, fine_ceiling, legal_rate, statement,
};
use brazil::{Calendar, NaiveDate};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn terms(interest: Interest) -> Terms {
    Terms {
        fine: Some(Fine::Percent(Rate::percent(2))),
        interest,
        interest_start: InterestStart::Original,
        discounts: Vec::new(),
        discounts_roll: false,
        allocation: Allocation::ChargesFirst,
        rounding: Rounding::HalfUp,
        calendar: Calendar::BrSettlement,
    }
}

fn monthly(convention: Convention) -> Interest {
    Interest::Agreed { rate: Rate::percent(1), period: Period::Month(30), days: DayBasis::Calendar, convention }
}

fn debt(cents: i64, due: &str, movements: &[(&str, i64, MovementKind)]) -> Debt {
    let movements = movements.iter().map(|(on, cents, kind)| Movement { day: day(on), cents: *cents, kind: *kind }).collect();
    Debt { principal_cents: cents, due: day(due), movements }
}

/// The identity that every statement keeps.
fn balances(s: &Statement) -> bool {
    s.principal_cents + s.fine_cents + s.interest_cents - s.discount_cents - s.credits_cents - s.paid_cents == s.due_cents - s.excess_cents
}

#[test]
fn late_days_run_from_the_due_date_or_from_the_next_business_day_by_the_named_rule() {
    let days = |interest_start, paid: &str| {
        let terms = Terms { interest_start, ..terms(monthly(Convention::Exact)) };
        statement(&debt(100_000, "2007-05-05", &[]), &terms, day(paid)).unwrap().days_late
    };
    // Saturday 5 May 2007, rolled to Monday 7.
    for (paid, original, adjusted) in [("2007-05-05", 0, 0), ("2007-05-07", 0, 0), ("2007-05-08", 3, 1), ("2007-05-28", 23, 21)] {
        assert_eq!([InterestStart::Original, InterestStart::Adjusted].map(|start| days(start, paid)), [original, adjusted], "{paid}");
    }
}

#[test]
fn five_days_of_one_percent_are_17_16_or_15_cents_by_the_named_rule() {
    let interest = |convention, rounding| {
        let terms = Terms { fine: None, rounding, ..terms(monthly(convention)) };
        statement(&debt(10_000, "2026-11-23", &[]), &terms, day("2026-11-28")).unwrap().interest_cents
    };
    assert_eq!(interest(Convention::Exact, Rounding::HalfUp), 17);
    assert_eq!(interest(Convention::Exact, Rounding::Truncated), 16);
    assert_eq!(interest(Convention::PerDayCents, Rounding::HalfUp), 15);
}

#[test]
fn a_payment_goes_to_charges_first_and_interest_then_runs_on_what_is_left() {
    use MovementKind::*;
    // R$ 1.000,00 due Monday 23 Nov; on 23 Dec: fine 20,00 and 30 days of interest 10,00; 530,00 paid leave 500,00.
    let owed = debt(100_000, "2026-11-23", &[("2026-12-23", 53_000, Payment)]);
    let terms = terms(monthly(Convention::Exact));
    let made = |on: &str| statement(&owed, &terms, day(on)).unwrap();
    assert_eq!(made("2026-12-22").due_cents, 102_967);
    assert_eq!((made("2026-12-23").due_cents, made("2026-12-23").interest_cents), (50_000, 1_000));
    // Another 30 days on 500,00 are 5,00.
    let later = made("2027-01-22");
    assert_eq!((later.due_cents, later.interest_cents, later.fine_cents, later.days_late), (50_500, 1_500, 2_000, 60));
    assert!(balances(&later));
    let principal_first = Terms { allocation: Allocation::PrincipalFirst, ..terms.clone() };
    assert_eq!(statement(&owed, &principal_first, day("2027-01-22")).unwrap().due_cents, 47_000 + 3_000 + 470);
    assert_eq!((later.convention, later.rounding.name(), later.interest_start.name()), ("exact", "half_up", "original"));
}

#[test]
fn what_is_paid_on_the_next_business_day_is_on_time() {
    use MovementKind::*;
    let terms = terms(monthly(Convention::Exact));
    // Due Saturday 21 Nov 2026; half paid on Monday, half on 21 Dec: interest on the second half from the Saturday.
    let owed = debt(100_000, "2026-11-21", &[("2026-11-23", 50_000, Payment)]);
    let made = statement(&owed, &terms, day("2026-12-21")).unwrap();
    assert_eq!((made.fine_cents, made.interest_cents, made.due_cents), (1_000, 500, 51_500));
    let settled = debt(100_000, "2026-11-21", &[("2026-11-23", 100_000, Payment)]);
    let made = statement(&settled, &terms, day("2027-12-21")).unwrap();
    assert_eq!((made.fine_cents, made.interest_cents, made.due_cents, made.days_late), (0, 0, 0, 0));
}

#[test]
fn the_best_discount_of_the_day_is_taken_only_by_what_settles() {
    use MovementKind::*;
    let tier = |until: &str, value| DiscountTier { until: day(until), value };
    let mut terms = terms(monthly(Convention::Exact));
    terms.discounts = vec![tier("2026-11-22", DiscountValue::Percent(Rate::percent(5))), tier("2026-11-10", DiscountValue::Fixed(8_000))];
    let owed = debt(100_000, "2026-11-23", &[]);
    let due = |terms: &Terms, on: &str| statement(&owed, terms, day(on)).unwrap().due_cents;
    assert_eq!(["2026-11-10", "2026-11-11", "2026-11-22", "2026-11-23"].map(|on| due(&terms, on)), [92_000, 95_000, 95_000, 100_000]);
    // 22 Nov 2026 is a Sunday: only a contract that says so moves the tier to Monday.
    let rolling = Terms { discounts_roll: true, ..terms.clone() };
    assert_eq!(due(&rolling, "2026-11-23"), 95_000);
    let paid = |cents| statement(&debt(100_000, "2026-11-23", &[("2026-11-20", cents, Payment)]), &terms, day("2027-02-01")).unwrap();
    let settled = paid(95_000);
    assert_eq!((settled.due_cents, settled.discount_cents, settled.excess_cents, balances(&settled)), (0, 5_000, 0, true));
    assert_eq!((paid(94_999).discount_cents, paid(94_999).fine_cents), (0, 100));
    assert_eq!((paid(96_000).excess_cents, balances(&paid(96_000))), (1_000, true));
}

#[test]
fn credits_lower_the_principal_and_waivers_the_charges() {
    use MovementKind::*;
    let terms = terms(monthly(Convention::Exact));
    let owed = debt(100_000, "2026-11-23", &[("2026-11-20", 40_000, Credit), ("2026-12-23", 1_000, Waiver)]);
    let made = statement(&owed, &terms, day("2026-12-23")).unwrap();
    assert_eq!((made.fine_cents, made.interest_cents, made.credits_cents, made.due_cents), (1_200, 600, 41_000, 60_800));
    assert!(balances(&made));
}

#[test]
fn interest_by_agreed_cents_mirrors_a_registered_boleto() {
    let terms = Terms { fine: None, ..terms(Interest::CentsPerDay(33)) };
    assert_eq!(statement(&debt(100_000, "2026-11-23", &[]), &terms, day("2026-11-28")).unwrap().interest_cents, 165);
    let business =
        Interest::Agreed { rate: Rate::percent(1), period: Period::Day, days: DayBasis::Business, convention: Convention::Exact };
    let terms = Terms { fine: None, interest: business, ..terms };
    // Wednesday to Monday over the holiday of Friday 20 Nov 2026 and a weekend: Thursday and Monday.
    assert_eq!(statement(&debt(100_000, "2026-11-18", &[]), &terms, day("2026-11-23")).unwrap().interest_cents, 2_000);
}

#[test]
fn the_legal_rate_is_computed_published_and_spread_by_month() {
    assert_eq!(legal_rate(100_831_234, 100_440_000).map(|rate| rate.to_string()), Ok("0.389520 %".to_owned()));
    assert_eq!(legal_rate(100_000_000, 100_900_000), Ok(Rate::ZERO), "never below zero");
    assert_eq!(legal_rate(1, 0), Err(ChargeFault::Terms("ipca15_factor")));
    let rates = LegalRates::new(vec![(2026, 1, Rate::from_micros(620_000)), (2026, 2, Rate::from_micros(560_000))]);
    let of = |pro_rata, from: &str, to: &str| {
        let interest = Interest::Legal { rates: rates.clone(), pro_rata };
        let exact = accrue(&interest, 100_000_000, 100_000_000, (day(from), day(to)), Calendar::None, Rounding::HalfUp);
        exact.map(|exact| exact.rounded(Rounding::HalfUp).unwrap())
    };
    assert_eq!(of(ProRata::ActualMonth, "2025-12-31", "2026-01-31"), Ok(620_000), "a whole month is the published rate");
    assert_eq!(of(ProRata::ActualMonth, "2026-01-21", "2026-02-14"), Ok(200_000 + 280_000));
    assert_eq!(of(ProRata::Thirty, "2026-01-21", "2026-02-14"), Ok(206_667 + 261_333));
    assert_eq!(of(ProRata::Thirty, "2026-02-14", "2026-03-01"), Err(ChargeFault::MissingLegalRate { year: 2026, month: 3 }));
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    assert_eq!(fine_ceiling(Relation::Consumer), Rate::percent(2));
    assert_eq!(Rate::parse("0,033").map(Rate::micros), Some(33_000));
    for bad in ["", ".", "1.", ".5", "-1", "1.0000001", "1e3", "99999999999999999999"] {
        assert_eq!(Rate::parse(bad), None, "{bad}");
    }
    let made = |cents, terms: &Terms| statement(&debt(cents, "2026-11-23", &[]), terms, day("2026-12-23"));
    assert_eq!(made(0, &terms(Interest::None)), Err(ChargeFault::Principal));
    assert_eq!(made(1, &Terms { fine: Some(Fine::Fixed(-1)), ..terms(Interest::None) }), Err(ChargeFault::Terms("fine")));
    let zero = Interest::Agreed { rate: Rate::ZERO, period: Period::Month(0), days: DayBasis::Calendar, convention: Convention::Exact };
    assert_eq!(made(1, &terms(zero)), Err(ChargeFault::Terms("period")));
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0u64..4000).prop_map(|days| day("2024-01-01") + chrono::Days::new(days))
}

fn any_interest() -> impl Strategy<Value = Interest> {
    let table: Vec<_> =
        (2024..2040).flat_map(|year| (1..=12).map(move |month| (year, month, Rate::from_micros(300_000 + u64::from(month) * 7)))).collect();
    let rates = LegalRates::new(table);
    let agreed =
        (0u64..10_000_000, 0usize..4, 0usize..3, any::<bool>()).prop_map(|(micros, period, convention, business)| Interest::Agreed {
            rate: Rate::from_micros(micros),
            period: [Period::Day, Period::Month(30), Period::Year(365), Period::Year(360)][period],
            days: if business { DayBasis::Business } else { DayBasis::Calendar },
            convention: [Convention::Exact, Convention::DailyRateThreeDecimals, Convention::PerDayCents][convention],
        });
    prop_oneof![
        agreed,
        (0i64..5000).prop_map(Interest::CentsPerDay),
        any::<bool>().prop_map(move |actual| Interest::Legal {
            rates: rates.clone(),
            pro_rata: if actual { ProRata::ActualMonth } else { ProRata::Thirty },
        }),
    ]
}

proptest! {
    #[test]
    fn stretches_of_interest_add_up(interest in any_interest(), principal in 1i64..1_000_000_000_000, mut days in [any_day(), any_day(), any_day()]) {
        days.sort();
        let [a, b, c] = days;
        let of = |from, to| accrue(&interest, principal, principal, (from, to), Calendar::BrSettlement, Rounding::HalfUp).unwrap();
        prop_assert_eq!(of(a, c), of(a, b).plus(of(b, c)).unwrap());
        prop_assert_eq!(of(c, a), if a == c { of(a, c) } else { Exact::ZERO });
    }

    #[test]
    fn every_statement_balances_and_never_owes_less_than_nothing(
        interest in any_interest(),
        principal in 1i64..100_000_000,
        (due, on) in (any_day(), any_day()),
        movements in prop::collection::vec((any_day(), 1i64..50_000_000, 0usize..3), 0..6),
        (adjusted, principal_first, rounding) in (any::<bool>(), any::<bool>(), 0usize..3),
        discount in 0u64..50,
    ) {
        use MovementKind::*;
        let movements = movements.into_iter().map(|(day, cents, kind)| Movement { day, cents, kind: [Payment, Credit, Waiver][kind] }).collect();
        let terms = Terms {
            interest_start: if adjusted { InterestStart::Adjusted } else { InterestStart::Original },
            allocation: if principal_first { Allocation::PrincipalFirst } else { Allocation::ChargesFirst },
            rounding: [Rounding::HalfUp, Rounding::HalfEven, Rounding::Truncated][rounding],
            discounts: vec![DiscountTier { until: due, value: DiscountValue::Percent(Rate::percent(discount)) }],
            ..terms(interest)
        };
        let made = statement(&Debt { principal_cents: principal, due, movements }, &terms, on).unwrap();
        prop_assert!(balances(&made), "{:?}", made);
        prop_assert!(made.due_cents >= 0 && made.excess_cents >= 0 && made.interest_cents >= 0, "{:?}", made);
    }

    #[test]
    fn paying_what_is_due_settles_and_stays_settled(interest in any_interest(), principal in 1i64..100_000_000, (due, on, later) in (any_day(), any_day(), any_day())) {
        let terms = terms(interest);
        let open = Debt { principal_cents: principal, due, movements: Vec::new() };
        let owed = statement(&open, &terms, on).unwrap().due_cents;
        let paid = Debt { movements: vec![Movement { day: on, cents: owed, kind: MovementKind::Payment }], ..open };
        let after = statement(&paid, &terms, later.max(on)).unwrap();
        prop_assert_eq!((after.due_cents, after.excess_cents), (0, 0));
    }

    #[test]
    fn no_numbers_make_charges_panic(principal in any::<i64>(), micros in any::<u64>(), cents in any::<i64>(), days in [any::<i32>(), any::<i32>()]) {
        let [due, on] = days.map(|days| NaiveDate::from_num_days_from_ce_opt(days).unwrap_or(NaiveDate::MAX));
        for interest in [
            Interest::CentsPerDay(cents),
            Interest::Agreed { rate: Rate::from_micros(micros), period: Period::Year(7), days: DayBasis::Calendar, convention: Convention::PerDayCents },
            Interest::Legal { rates: LegalRates::default(), pro_rata: ProRata::ActualMonth },
        ] {
            let terms = Terms { fine: Some(Fine::Fixed(cents)), calendar: Calendar::None, ..terms(interest) };
            let movements = vec![Movement { day: due, cents, kind: MovementKind::Payment }];
            let _ = statement(&Debt { principal_cents: principal, due, movements }, &terms, on);
        }
        let _ = legal_rate(micros, principal.unsigned_abs());
    }
}
