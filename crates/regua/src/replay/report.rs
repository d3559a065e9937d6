//! The report of a replay: stable, every number an integer, the same in every mode but for `run`.

use super::clients::Clients;
use chrono::{Datelike, NaiveDate};
use contracts::reporting::v1 as proto;
use kernel::calendar;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The only part that may differ between two runs.
    pub run: Run,
    /// Facts recorded up to the last day.
    pub portfolio: Portfolio,
    /// In policy order.
    pub steps: Vec<Step>,
    /// What went out.
    pub contacts: Contacts,
    /// As of 24:00 of the last day of each month.
    pub month_ends: Vec<MonthEnd>,
    /// How fast invoices were paid.
    pub settlement: Settlement,
    /// Every view with its hash, and the hash of the same view built again from zero.
    pub projections: Vec<Projection>,
    /// What a person must look at.
    pub alarms: Vec<String>,
}

/// How it ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Run {
    /// `embedded` or `distributed`.
    pub mode: String,
    /// Of the program.
    pub version: String,
    /// Wall seconds.
    pub wall_seconds: u64,
}

/// Facts recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Portfolio {
    /// Payers with at least one invoice.
    pub customers: i64,
    /// Invoices issued.
    pub invoices: i64,
    /// Payments recorded.
    pub payments: i64,
    /// Minor units issued.
    pub amount_minor: i64,
    /// Rows that were refused.
    pub refused_rows: u64,
}

/// How the occurrences of a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Step {
    pub id: String,
    pub executed: i64,
    pub superseded: i64,
    pub suppressed: i64,
    pub expired: i64,
    pub undeliverable: i64,
    pub open: i64,
    pub reasons: BTreeMap<String, i64>,
}

/// What went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contacts {
    /// Contacts.
    pub total: i64,
    /// Distinct payers.
    pub payers: i64,
    /// Most contacts of one payer on one day.
    pub max_per_payer_day: i64,
    /// By `YYYY-MM`.
    pub by_month: BTreeMap<String, i64>,
    /// By channel that accepted.
    pub by_channel: BTreeMap<String, i64>,
}

/// Open amounts at the end of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct MonthEnd {
    pub date: String,
    pub open_count: i64,
    pub open_minor: i64,
    pub current_minor: i64,
    pub overdue_1_30_minor: i64,
    pub overdue_31_60_minor: i64,
    pub overdue_61_90_minor: i64,
    pub overdue_over_90_minor: i64,
}

/// How fast invoices were paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Settlement {
    pub paid_by_due: i64,
    pub paid_late: i64,
    pub days_late_total: i64,
    pub days_to_settle_total: i64,
}

/// A view and its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Projection {
    pub name: String,
    pub rows: u64,
    pub live_hash: String,
    pub rebuilt_hash: String,
}

/// Everything that the reporting service answers, from the first day to the last.
pub async fn collect(clients: &mut Clients, days: (NaiveDate, NaiveDate), policy_id: &str) -> anyhow::Result<Report> {
    let (first, until) = days;
    let as_of = until.to_string();
    let reporting = &mut clients.reporting;
    let portfolio = reporting.get_portfolio(proto::GetPortfolioRequest {}).await?.into_inner();
    let steps = proto::GetStepResultsRequest { as_of: as_of.clone(), policy_id: policy_id.to_owned() };
    let steps = reporting.get_step_results(steps).await?.into_inner().steps;
    let contacts = reporting.get_contact_results(proto::GetContactResultsRequest { as_of: as_of.clone() }).await?.into_inner();
    let settlement = reporting.get_settlement(proto::GetSettlementRequest { as_of }).await?.into_inner();
    let mut month_ends = Vec::new();
    for days in month_end_days(first, until).chunks(100) {
        let asked = proto::GetAgingRequest { as_of: days.iter().map(NaiveDate::to_string).collect(), ..Default::default() };
        month_ends.extend(reporting.get_aging(asked).await?.into_inner().lines.into_iter().map(month_end));
    }
    Ok(Report {
        run: Run::default(),
        portfolio: Portfolio {
            customers: portfolio.customers,
            invoices: portfolio.invoices,
            payments: portfolio.payments,
            amount_minor: portfolio.amount_minor,
            refused_rows: 0,
        },
        steps: steps.into_iter().map(step).collect(),
        contacts: Contacts {
            total: contacts.total,
            payers: contacts.payers,
            max_per_payer_day: contacts.max_per_payer_day,
            by_month: contacts.by_month.into_iter().collect(),
            by_channel: contacts.by_channel.into_iter().collect(),
        },
        month_ends,
        settlement: Settlement {
            paid_by_due: settlement.paid_by_due,
            paid_late: settlement.paid_late,
            days_late_total: settlement.days_late_total,
            days_to_settle_total: settlement.days_to_settle_total,
        },
        projections: Vec::new(),
        alarms: Vec::new(),
    })
}

fn step(s: proto::StepResult) -> Step {
    Step {
        id: s.step_id,
        executed: s.executed,
        superseded: s.superseded,
        suppressed: s.suppressed,
        expired: s.expired,
        undeliverable: s.undeliverable,
        open: s.open,
        reasons: s.reasons.into_iter().collect(),
    }
}

fn month_end(line: proto::AgingLine) -> MonthEnd {
    MonthEnd {
        date: line.date,
        open_count: line.open_count,
        open_minor: line.open_minor,
        current_minor: line.current_minor,
        overdue_1_30_minor: line.overdue_1_30_minor,
        overdue_31_60_minor: line.overdue_31_60_minor,
        overdue_61_90_minor: line.overdue_61_90_minor,
        overdue_over_90_minor: line.overdue_over_90_minor,
    }
}

/// Last days of the months from that of `first` to the last one wholly over at 24:00 of `until`.
pub fn month_end_days(first: NaiveDate, until: NaiveDate) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    let (mut year, mut month) = (first.year(), first.month());
    loop {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let Some(next_month) = NaiveDate::from_ymd_opt(year, month, 1) else { return days };
        let last = calendar::previous(next_month);
        if last > until {
            return days;
        }
        days.push(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_ends_run_to_the_last_month_that_is_wholly_over() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let ends = |first: &str, until: &str| month_end_days(day(first), day(until)).iter().map(NaiveDate::to_string).collect::<Vec<_>>();
        assert_eq!(ends("2013-12-05", "2014-02-28"), ["2013-12-31", "2014-01-31", "2014-02-28"]);
        assert_eq!(ends("2014-02-01", "2014-02-27"), Vec::<String>::new());
    }
}
