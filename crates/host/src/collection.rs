//! What all services are told of the tenant's calendar.

use crate::{
    Config,
    config::{Fault, Faults},
};
use kernel::Zone;
use serde::Deserialize;

/// The `[collection]` section.
#[derive(Debug, Clone, Copy)]
pub struct Collection {
    /// Zone of the tenant's civil dates.
    pub zone: Zone,
    /// What may stay open without a reminder, minor units, not negative.
    pub tolerance_minor: i64,
    /// Hours after which overdue reminders wait for the payment feed; 0 = never.
    pub payment_feed_max_age_hours: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    time_zone: String,
    tolerance_minor: i64,
    payment_feed_max_age_hours: u32,
}

impl Collection {
    /// From a configuration. Errors: an unknown zone, a tolerance below zero.
    pub fn of(config: &Config) -> Result<Self, Faults> {
        let section: Section = config.section("collection")?;
        let fault = |path: &str, message: &str| Fault { path: path.to_owned(), message: message.to_owned() };
        let below_zero = (section.tolerance_minor < 0).then(|| fault("collection.tolerance_minor", "is below zero"));
        let zone = Zone::named(&section.time_zone).ok_or_else(|| fault("collection.time_zone", "is no known IANA zone"));
        let zone = match (zone, below_zero) {
            (Ok(zone), None) => zone,
            (zone, below_zero) => return Err(Faults(zone.err().into_iter().chain(below_zero).collect())),
        };
        let Section { tolerance_minor, payment_feed_max_age_hours, .. } = section;
        Ok(Self { zone, tolerance_minor, payment_feed_max_age_hours })
    }
}
