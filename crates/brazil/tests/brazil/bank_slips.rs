//! Bar codes, typed lines, due-date factors, campo livre, arrecadação.

use brazil::boleto::bank::{BankTitle, Caixa};
use brazil::boleto::{Arrecadacao, Boleto, Fault, Slip, bar, due_factor, parse};
use brazil::{NaiveDate, check_digit};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_guard_zone_is_499_factors_wide_and_names_both_meanings() {
    let today = day("2026-11-21");
    assert_eq!(due_factor::decode(7137, today), Ok(day("2041-12-12")));
    assert_eq!(due_factor::decode(7637, today), Ok(day("2018-09-04")));
    let guarded: Vec<u16> = (1000..=9999).filter(|factor| due_factor::decode(*factor, today).is_err()).collect();
    assert_eq!((guarded.len(), guarded[0], guarded[498]), (499, 7138, 7636));
    let fault = due_factor::decode(7500, today).unwrap_err();
    assert_eq!(fault.slug(), "due_factor_guard_zone");
    assert_eq!(fault, due_factor::FactorFault::GuardZone { factor: 7500, earlier: Some(day("2018-04-20")), later: day("2042-12-10") });
    for bad in [0, 1, 999, 10000, u16::MAX] {
        assert_eq!(due_factor::decode(bad, today), Err(due_factor::FactorFault::Range(bad)));
    }
    assert_eq!(due_factor::encode(day("2000-07-02")), Err(due_factor::FactorFault::BeforeFirst(day("2000-07-02"))));
    assert_eq!(due_factor::encode(day("2000-07-03")), Ok(1000));
    assert_eq!(due_factor::encode(day("2049-10-14")), Ok(1000));
    assert_eq!(due_factor::at_sight(day("2026-11-21")), day("2026-12-06"));
}

#[test]
fn a_wrong_slip_says_which_field_and_digit_are_wrong() {
    let line = "00190.00009 01238.798977 77700.168188 3 37690000013500";
    assert!(parse(line).is_ok());
    let changed = |from: &str, to: &str| parse(&line.replacen(from, to, 1)).unwrap_err().all().to_vec();
    assert_eq!(changed("00009", "00008"), [Fault::FieldDigit { field: 1, stated: 8, computed: 9 }]);
    assert_eq!(changed(" 3 ", " 0 "), [Fault::GeneralDigit { stated: 0, computed: 3 }]);
    assert!(matches!(
        changed("01238.798977", "01338.798977")[..],
        [Fault::FieldDigit { field: 2, stated: 7, .. }, Fault::GeneralDigit { stated: 3, .. }]
    ));
    assert_eq!(changed("3769", "376O"), [Fault::Character { position: 44, found: 'O' }]);
    assert_eq!(changed("13500", "1350"), [Fault::Length { digits: 46, expected: 47 }]);
    assert_eq!(parse("").unwrap_err().slug(), "boleto_length");
    assert_eq!(parse(&"8".repeat(47)).unwrap_err().all(), [Fault::Length { digits: 47, expected: 48 }]);
    let faults = parse("8021 0000215048200974123220154098290108605940").unwrap_err();
    assert_eq!(faults.all()[..2], [Fault::Segment { found: 0 }, Fault::ValueKind { found: 2 }]);
}

#[test]
fn an_amount_past_ten_digits_takes_the_place_of_the_factor() {
    let (campo, due) = ([1; 25], Some(day("2026-11-21")));
    let slip = Boleto::new(1, due, 9_999_999_999, &campo).unwrap();
    assert_eq!((slip.factor(), slip.amount_cents()), (Some(1637), Some(9_999_999_999)));
    let slip = Boleto::new(1, due, 10_000_000_000, &campo).unwrap();
    assert_eq!((slip.factor(), slip.amount_cents()), (None, Some(10_000_000_000)));
    assert_eq!(Boleto::from_line(&slip.line()), Ok(slip));
    assert_eq!(Boleto::new(1, due, 10_000_000_000_000, &campo).unwrap_err().slug(), "boleto_amount");
    assert_eq!(Boleto::new(104, due, 1_000_000_000, &campo).unwrap_err().slug(), "boleto_amount");
    assert_eq!(Boleto::new(800, due, 1, &campo).unwrap_err().slug(), "boleto_bank");
    assert_eq!(Boleto::new(1, Some(day("1999-01-01")), 1, &campo).unwrap_err().slug(), "due_factor_before_first");
}

#[test]
fn the_symbol_has_227_elements_and_405_units() {
    let widths = bar::widths("00193376900000135000000001238798977770016818").unwrap();
    assert_eq!((widths.len(), widths.iter().map(|wide| if *wide { 3 } else { 1 }).sum::<u32>()), (227, 405));
    let text = |digits: &str| bar::widths(digits).unwrap().iter().map(|wide| if *wide { 'w' } else { 'n' }).collect::<String>();
    assert_eq!(text("01"), ["nnnn", "nwnnwnwnnw", "wnn"].concat());
    assert_eq!((bar::widths("123"), bar::widths("1x")), (None, None));
}

proptest! {
    #[test]
    fn a_slip_read_from_its_line_is_itself(bank in 1u16..800, cents in 0u64..=9_999_999_999, days in 0u64..50_000, campo in "[0-9]{25}") {
        let due = day("2000-07-03") + chrono::Days::new(days);
        let campo: [u8; 25] = check_digit::values(&campo).unwrap().try_into().unwrap();
        let cents = if bank == 104 { cents / 10 } else { cents };
        let slip = Boleto::new(bank, Some(due), cents, &campo).unwrap();
        prop_assert!((1..=9).contains(&slip.general_digit()));
        for text in [slip.barcode(), slip.line(), slip.printed_line()] {
            prop_assert_eq!(parse(&text), Ok(Slip::Bank(slip)));
        }
        prop_assert_eq!(slip.due_date(due), Ok(Some(due)));
    }

    #[test]
    fn one_changed_digit_of_a_line_is_always_found(campo in "[0-9]{25}", place in 0usize..32, by in 1u8..10) {
        let campo: [u8; 25] = check_digit::values(&campo).unwrap().try_into().unwrap();
        let line = Boleto::new(341, Some(day("2026-11-21")), 12345, &campo).unwrap().line();
        let mut bytes = line.into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        prop_assert!(parse(std::str::from_utf8(&bytes).unwrap()).is_err());
    }

    #[test]
    fn an_arrecadacao_read_from_its_line_is_itself(segment in 1u8..=9, kind in 6u8..=9, value in 0u64..=99_999_999_999, tail in "[0-9]{29}") {
        use brazil::boleto::arrecadacao::{Segment::*, ValueKind::*};
        let segment = [CityHall, Water, Energy, Telecom, Government, OthersByCnpj, TrafficFines, Bank, Bank][usize::from(segment) - 1];
        let kind = [CentsMod10, ReferenceMod10, CentsMod11, ReferenceMod11][usize::from(kind) - 6];
        let slip = Arrecadacao::new(segment, kind, value, &tail).unwrap();
        for text in [slip.barcode(), slip.line(), slip.printed_line()] {
            prop_assert_eq!(parse(&text), Ok(Slip::Arrecadacao(slip)));
        }
        prop_assert_eq!(format!("{}{}", slip.company(), slip.free_field()), tail);
        let _ = slip.due_date_hint();
    }

    #[test]
    fn no_text_makes_a_slip_panic(text in any::<String>(), digits in "8?[0-9 .-]{40,60}", date in any::<i32>(), factor in any::<u16>()) {
        let _ = (parse(&text), parse(&digits), bar::widths(&text));
        let reference = NaiveDate::from_num_days_from_ce_opt(date).unwrap_or(NaiveDate::MAX);
        let _ = (due_factor::decode(factor, reference), due_factor::encode(reference), due_factor::at_sight(reference));
        let title = BankTitle::Caixa(Caixa { beneficiary: digits, number: text.clone() });
        let _ = (title.issue(0), Arrecadacao::new(brazil::boleto::arrecadacao::Segment::Water, brazil::boleto::arrecadacao::ValueKind::CentsMod10, 1, &text));
    }
}
