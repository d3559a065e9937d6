//! Time zones as values: moments are UTC instants, days and hours are the payer's.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Brasília time, the default.
    pub const SAO_PAULO: Zone = Zone(chrono_tz::America::Sao_Paulo);

    /// By its IANA name; `None` for a name that this build does not carry (America, western Europe and UTC are).
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Zone)
    }

    /// The zone of most people of a Brazilian state, by its two letters (IBGE); `None` for any other text.
    pub fn of_state(state: &str) -> Option<Self> {
        use chrono_tz::America;
        let tz = match state {
            "AC" => America::Rio_Branco,
            "AM" => America::Manaus,
            "RR" => America::Boa_Vista,
            "RO" => America::Porto_Velho,
            "MT" => America::Cuiaba,
            "MS" => America::Campo_Grande,
            "PA" | "AP" => America::Belem,
            "MA" | "PI" | "CE" | "RN" | "PB" => America::Fortaleza,
            "PE" => America::Recife,
            "AL" | "SE" => America::Maceio,
            "BA" => America::Bahia,
            "TO" => America::Araguaina,
            "DF" | "ES" | "GO" | "MG" | "PR" | "RJ" | "RS" | "SC" | "SP" => America::Sao_Paulo,
            _ => return None,
        };
        Some(Zone(tz))
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The civil day at an instant.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The wall clock at an instant.
    pub fn time_of(&self, at: DateTime<Utc>) -> NaiveTime {
        at.with_timezone(&self.0).time()
    }

    /// The instant of a wall-clock time. A time that occurs twice is the first; one that the clocks skip is the
    /// first instant after the gap.
    pub fn instant(&self, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let mut wall = day.and_time(time);
        // No gap in the data is longer than a day; a quarter of an hour divides every gap since 1970.
        for _ in 0..=96 {
            match self.0.from_local_datetime(&wall) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return at.with_timezone(&Utc),
                LocalResult::None => wall += TimeDelta::minutes(15),
            }
        }
        Utc.from_utc_datetime(&wall)
    }

    /// The first instant of a civil day.
    pub fn midnight(&self, day: NaiveDate) -> DateTime<Utc> {
        self.instant(day, NaiveTime::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn nine_in_the_morning_is_another_instant_in_acre() {
        let nine = NaiveTime::from_hms_opt(9, 0, 0).unwrap();
        let at = |state| Zone::of_state(state).unwrap().instant(day("2026-11-23"), nine).to_rfc3339();
        assert_eq!(at("SP"), "2026-11-23T12:00:00+00:00");
        assert_eq!(at("AM"), "2026-11-23T13:00:00+00:00");
        assert_eq!(at("AC"), "2026-11-23T14:00:00+00:00");
    }

    #[test]
    fn a_midnight_that_the_clocks_skipped_is_the_first_instant_of_the_day() {
        // Brazilian summer time began at 00:00 on 2012-10-21.
        let zone = Zone::SAO_PAULO;
        assert_eq!(zone.midnight(day("2012-10-21")).to_rfc3339(), "2012-10-21T03:00:00+00:00");
        assert_eq!(zone.day_of(zone.midnight(day("2012-10-21"))), day("2012-10-21"));
    }

    #[test]
    fn every_state_has_a_zone_and_nothing_else_has() {
        let states = "AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO";
        assert!(states.split(' ').all(|state| Zone::of_state(state).is_some()));
        assert_eq!(Zone::of_state("XX"), None);
        assert_eq!(Zone::named("Mars/Base"), None);
    }
}
