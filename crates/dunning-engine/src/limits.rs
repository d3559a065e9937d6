//! The creditor's limits, as the configuration says them: section `[dunning]`.

use host::{
    Config,
    config::{Fault, Faults},
};
use ladder::{Terms, terms::ClearingDays};
use serde::Deserialize;

/// Largest number of days or promises that anybody can mean.
const MOST: u32 = 366;

/// What an installation is told about arrangements and catch-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What decisions read.
    pub terms: Terms,
    /// Catch-up contacts of a day that go out without a person.
    pub catch_up_approval_above: u32,
    /// Pace of a catch-up, contacts a minute.
    pub catch_up_contacts_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { terms: Terms::default(), catch_up_approval_above: 500, catch_up_contacts_per_minute: 120 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    max_promises: u32,
    max_promise_days: u32,
    max_announcements: u32,
    late_after_days: u32,
    catch_up_approval_above: u32,
    catch_up_contacts_per_minute: u32,
    clearing_days: Clearing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clearing {
    pix: u32,
    boleto: u32,
    transfer: u32,
    card: u32,
    direct_debit: u32,
    other: u32,
}

impl Limits {
    /// From a configuration. Errors: an unknown key, a number that nobody can mean; all faults at once.
    pub fn of(config: &Config) -> Result<Self, Faults> {
        let section: Section = config.section("dunning")?;
        let Section { max_promises, max_promise_days, max_announcements, late_after_days, clearing_days: days, .. } = section;
        let most = [
            ("max_promises", max_promises),
            ("max_promise_days", max_promise_days),
            ("max_announcements", max_announcements),
            ("late_after_days", late_after_days),
            ("clearing_days.pix", days.pix),
            ("clearing_days.boleto", days.boleto),
            ("clearing_days.transfer", days.transfer),
            ("clearing_days.card", days.card),
            ("clearing_days.direct_debit", days.direct_debit),
            ("clearing_days.other", days.other),
        ];
        let fault = |(key, value): &(&str, u32)| Fault { path: format!("dunning.{key}"), message: format!("is {value}, at most {MOST}") };
        let mut faults: Vec<Fault> = most.iter().filter(|(_, value)| *value > MOST).map(fault).collect();
        let least = [("late_after_days", late_after_days), ("catch_up_contacts_per_minute", section.catch_up_contacts_per_minute)];
        let none = |(key, _): &(&str, u32)| Fault { path: format!("dunning.{key}"), message: "is 0, at least 1".to_owned() };
        faults.extend(least.iter().filter(|(_, value)| *value == 0).map(none));
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let Clearing { pix, boleto, transfer, card, direct_debit, other } = days;
        let clearing_days = ClearingDays { pix, boleto, transfer, card, direct_debit, other };
        let late_after_days = Some(late_after_days);
        Ok(Self {
            terms: Terms { clearing_days, max_promises, max_promise_days, max_announcements, late_after_days },
            catch_up_approval_above: section.catch_up_approval_above,
            catch_up_contacts_per_minute: section.catch_up_contacts_per_minute,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: &str = include_str!("../../../deploy/regua.default.toml");

    #[test]
    fn the_default_limits_are_those_of_the_domain_and_a_catch_up_counts_from_the_second_day() {
        let limits = Limits::of(&Config::load(DEFAULTS, "").unwrap()).unwrap();
        let terms = Terms { late_after_days: Some(2), ..Terms::default() };
        assert_eq!(limits, Limits { terms, ..Limits::default() });
    }

    #[test]
    fn every_number_that_nobody_can_mean_is_told_at_once() {
        let text =
            "[dunning]\nlate_after_days = 0\nmax_promises = 400\ncatch_up_contacts_per_minute = 0\n[dunning.clearing_days]\npix = 367\n";
        let faults = Limits::of(&Config::load(DEFAULTS, text).unwrap()).unwrap_err().0;
        let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            ["dunning.max_promises", "dunning.clearing_days.pix", "dunning.late_after_days", "dunning.catch_up_contacts_per_minute"]
        );
    }
}
