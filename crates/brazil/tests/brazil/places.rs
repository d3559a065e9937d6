//! Municipalities, places, and the holidays that hold there.

use brazil::place::{MunicipalityFault, PlaceFault};
use brazil::{LocalHolidays, Municipality, NaiveDate, Place, State};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_municipality_has_a_state_and_a_check_digit() {
    // Capitals as IBGE lists them.
    for (code, state) in [
        ("3550308", State::SP),
        ("3304557", State::RJ),
        ("5300108", State::DF),
        ("2927408", State::BA),
        ("1302603", State::AM),
        ("4314902", State::RS),
        ("1100205", State::RO),
    ] {
        let read = Municipality::parse(code).unwrap();
        assert_eq!((read.state(), read.to_string().as_str()), (state, code));
    }
    for (text, fault) in [
        ("", MunicipalityFault::Form),
        ("355030", MunicipalityFault::Form),
        ("35503080", MunicipalityFault::Form),
        ("3550-308", MunicipalityFault::Form),
        ("355030٨", MunicipalityFault::Form),
        ("9950308", MunicipalityFault::State),
        ("3550307", MunicipalityFault::CheckDigit),
        ("3505308", MunicipalityFault::CheckDigit),
    ] {
        assert_eq!(Municipality::parse(text), Err(fault), "{text}");
    }
}

#[test]
fn nine_municipalities_have_a_check_digit_that_does_not_fit() {
    let codes = ["2201919", "2201988", "2202251", "2611533", "3117836", "3152131", "4305871", "5203939", "5203962"];
    for code in codes {
        assert_eq!(Municipality::parse(code).map(|read| read.to_string()).as_deref(), Ok(code));
        let (head, last) = code.split_at(6);
        let others = (0..10).map(|digit| format!("{head}{digit}")).filter(|other| !other.ends_with(last));
        assert_eq!(others.filter(|other| Municipality::parse(other).is_ok()).count(), 1, "{code}: the digit that would fit");
    }
}

#[test]
fn a_place_is_a_state_a_municipality_or_the_whole_tenant() {
    for (text, written) in [("SP", "SP"), ("sp", "SP"), ("3550308", "3550308"), ("tenant", "tenant")] {
        assert_eq!(Place::parse(text).map(|place| place.to_string()).as_deref(), Ok(written));
    }
    for text in ["", "XX", "SP ", "Tenant", "355", "São Paulo"] {
        assert_eq!(Place::parse(text), Err(PlaceFault::Form), "{text}");
    }
    assert_eq!(Place::parse("3550307"), Err(PlaceFault::Municipality(MunicipalityFault::CheckDigit)));
}

#[test]
fn a_payer_has_the_holidays_of_its_municipality_its_state_and_the_tenant() {
    let mut holidays = LocalHolidays::default();
    for (on, place, name) in [
        ("2027-01-25", "3550308", "Aniversário de São Paulo"),
        ("2027-07-09", "SP", "Revolução Constitucionalista"),
        ("2026-12-28", "tenant", "recesso"),
        ("2026-12-28", "SP", "recesso paulista"),
    ] {
        holidays.set(day(on), Place::parse(place).unwrap(), name.into());
    }
    for (on, state, municipality, name) in [
        ("2027-01-25", "SP", "3550308", Some("Aniversário de São Paulo")),
        ("2027-01-25", "", "3550308", Some("Aniversário de São Paulo")),
        ("2027-01-25", "SP", "3509502", None),
        ("2027-01-25", "SP", "", None),
        ("2027-07-09", "SP", "", Some("Revolução Constitucionalista")),
        ("2027-07-09", "", "3509502", Some("Revolução Constitucionalista")),
        ("2027-07-09", "RJ", "", None),
        ("2026-12-28", "RJ", "", Some("recesso")),
        ("2026-12-28", "", "", Some("recesso")),
        ("2026-12-28", "SP", "3550308", Some("recesso paulista")),
        ("2026-12-29", "SP", "3550308", None),
    ] {
        assert_eq!(holidays.of_written(day(on), state, municipality), name, "{on} {state} {municipality}");
    }
    let tenant = Place::Tenant;
    holidays.remove(day("2026-12-28"), tenant);
    holidays.remove(day("2026-12-28"), tenant);
    assert_eq!((holidays.of_place(day("2026-12-28"), tenant), holidays.of_written(day("2026-12-28"), "RJ", "")), (None, None));
}
