//! Databases and what their logs tell.

use super::{Finding, finding};
use crate::{command::data, settings::Settings, system};
use brazil::charges::LegalRates;
use chrono::{Datelike, NaiveDate, TimeDelta};
use eventlog::Log;
use host::{access, clock::SystemClock, environment::look_at_database, ids::TimeOrdered};
use kernel::calendar;
use sql::Db;
use std::{collections::BTreeSet, sync::Arc};

pub(super) async fn databases(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in system::SERVICES {
        let outcome = match look_at_database(name, &settings.storage).await {
            Err(error) => Err(format!("{error:#}")),
            Ok(None) => Ok("not made yet; it is made when the service starts".to_owned()),
            Ok(Some(db)) if data::WITH_LOG.contains(&name) => log_health(db).await,
            Ok(Some(_)) => Ok("reachable".to_owned()),
        };
        findings.push(finding(format!("database {name}"), outcome));
    }
    findings
}

/// The head of the log, and whether the clock is behind its last event.
async fn log_health(db: Db) -> Result<String, String> {
    let log = Log::look(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await.map_err(|error| error.to_string())?;
    let head = log.head().await.map_err(|error| error.to_string())?;
    let last = log.read(head.saturating_sub(1), 1).await.map_err(|error| error.to_string())?;
    match last.first() {
        Some(event) if event.recorded_at > log.clock().now() + TimeDelta::minutes(1) => {
            Err(format!("the clock is behind the last event of {}", event.recorded_at))
        }
        _ => Ok(format!("{head} events")),
    }
}

/// Whether overdue reminders wait for payments that may be missing, for each tenant that the configuration names.
pub(super) async fn payment_feeds(settings: &Settings) -> Vec<Finding> {
    let hours = settings.payment_feed_max_age_hours;
    if hours == 0 {
        return vec![finding("payment feed", Ok("no limit: always taken as fresh".to_owned()))];
    }
    let log = match look_at_log(settings, invoice::NAME).await {
        Ok(Some(log)) => log,
        Ok(None) => return vec![finding("payment feed", Ok("not reported yet".to_owned()))],
        Err(error) => return vec![finding("payment feed", Err(format!("{error:#}")))],
    };
    let mut findings = Vec::new();
    for tenant in tenants(settings) {
        let told = invoice::payment_feed(&log, &tenant).await.map_err(|error| error.to_string());
        let judged = told.and_then(|feed| {
            let known = feed.known_until.map_or("never reported".to_owned(), |until| format!("payments known until {until}"));
            let is_stale = feed.is_stale(log.clock().now(), TimeDelta::hours(i64::from(hours)));
            if is_stale { Err(format!("overdue reminders wait: {known}, limit {hours} h")) } else { Ok(known) }
        });
        findings.push(finding(format!("payment feed {tenant}"), judged));
    }
    findings
}

/// Day of a month from which its rate is looked for: the Central Bank publishes it on the first business day.
const RATE_IS_THERE_ON: u32 = 5;

/// Whether a month of the legal rate is missing, for each tenant that the configuration names. Who recorded none does not use it.
pub(super) async fn legal_rates(settings: &Settings) -> Vec<Finding> {
    let log = match look_at_log(settings, invoice::NAME).await {
        Ok(Some(log)) => log,
        Ok(None) => return vec![finding("legal rates", Ok("none recorded".to_owned()))],
        Err(error) => return vec![finding("legal rates", Err(format!("{error:#}")))],
    };
    let today = settings.zone.day_of(log.clock().now());
    let last = if today.day() < RATE_IS_THERE_ON { calendar::add_days(today, -i64::from(today.day())) } else { today };
    let mut findings = Vec::new();
    for tenant in tenants(settings) {
        let rates = invoice::recorded_rates(&log, &tenant).await.map_err(|error| error.to_string());
        findings.push(finding(format!("legal rates {tenant}"), rates.and_then(|rates| judged(&rates, last))));
    }
    findings
}

fn judged(rates: &LegalRates, last: NaiveDate) -> Result<String, String> {
    let shown = |(year, month): (i32, u32)| format!("{year:04}-{month:02}");
    let Some((year, month, _)) = rates.rows().next_back() else {
        return Ok("none recorded: only charges at the legal rate need them".to_owned());
    };
    let missing: Vec<String> = rates.missing_until(last.year(), last.month()).into_iter().map(shown).collect();
    if missing.is_empty() {
        return Ok(format!("recorded until {}", shown((year, month))));
    }
    Err(format!("charges unknown, and their reminders wait: no rate of {}; `regua rates set` records it", missing.join(", ")))
}

/// Whether an entry that must leave a bureau or protest office is late, or will be in two business days.
pub(super) async fn removals(settings: &Settings) -> Finding {
    const WHAT: &str = "removals from bureaus";
    let log = match look_at_log(settings, dunning_engine::NAME).await {
        Ok(Some(log)) => log,
        Ok(None) => return finding(WHAT, Ok("none yet".to_owned())),
        Err(error) => return finding(WHAT, Err(format!("{error:#}"))),
    };
    let today = settings.zone.day_of(log.clock().now());
    match dunning_engine::listings::removals(&log, today).await {
        Ok(dunning_engine::listings::Removals { soon: 0, late: 0 }) => finding(WHAT, Ok("none is near its last day".to_owned())),
        Ok(removals) => {
            let note = format!("{} late, {} due within two business days: see regua tasks list", removals.late, removals.soon);
            finding(WHAT, Err(note))
        }
        // Tables of another version, or none yet: the service makes them when it starts.
        Err(error) => finding(WHAT, Ok(format!("not known: {error:#}"))),
    }
}

/// Tenants with a token of their own; without tokens the one of an installation without login.
fn tenants(settings: &Settings) -> BTreeSet<String> {
    let named = settings.access.tokens.values().filter_map(|tenant| tenant.as_str()).filter(|tenant| *tenant != access::ANY_TENANT);
    let named: BTreeSet<String> = named.map(str::to_owned).collect();
    if named.is_empty() { BTreeSet::from([access::DEFAULT_TENANT.to_owned()]) } else { named }
}

async fn look_at_log(settings: &Settings, name: &str) -> anyhow::Result<Option<Log>> {
    let Some(db) = look_at_database(name, &settings.storage).await? else { return Ok(None) };
    Ok(Some(Log::look(db, Arc::new(SystemClock), Arc::new(TimeOrdered)).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brazil::charges::Rate;

    #[test]
    fn a_month_without_a_legal_rate_is_found_and_who_has_none_does_not_use_it() {
        let table = |months: &[(i32, u32)]| LegalRates::new(months.iter().map(|(year, month)| (*year, *month, Rate::percent(1))).collect());
        let last = "2027-01-20".parse().unwrap();
        assert!(judged(&table(&[]), last).is_ok());
        assert_eq!(judged(&table(&[(2026, 11), (2026, 12), (2027, 1)]), last).unwrap(), "recorded until 2027-01");
        let missing = judged(&table(&[(2026, 10), (2026, 12)]), last).unwrap_err();
        assert!(missing.contains("no rate of 2026-11, 2027-01;"), "{missing}");
    }
}
