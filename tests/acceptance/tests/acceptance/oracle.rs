//! What `policies/simples.toml` must do, calculated without any of the program's code: with no calendar, no roll and no cap, a step is
//! executed on its day if the invoice is unpaid that morning, one contact carries all steps of a payer's day, and nothing else happens.

use chrono::{Datelike, Days, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};

/// One invoice, paid at once or not at all.
#[derive(Debug, Clone)]
pub struct Invoice {
    pub customer: String,
    pub issued: NaiveDate,
    pub due: NaiveDate,
    pub paid: Option<NaiveDate>,
    pub amount_minor: i64,
}

const OFFSETS: [(&str, i64); 6] = [("d-5", -5), ("d-1", -1), ("d+1", 1), ("d+7", 7), ("d+15", 15), ("d+30", 30)];

/// Figures of a report.
#[derive(Debug, PartialEq, Eq)]
pub struct Figures {
    pub executed: Vec<(String, i64)>,
    pub contacts: i64,
    pub payers: i64,
    pub by_month: BTreeMap<String, i64>,
    pub paid_by_due: i64,
    pub paid_late: i64,
    pub days_late_total: i64,
    pub days_to_settle_total: i64,
    pub month_ends: Vec<MonthEnd>,
}

/// A day, how many invoices are open, and their amounts: not yet late, then 1-30, 31-60, 61-90 and more days late.
type MonthEnd = (String, i64, [i64; 5]);

fn shift(day: NaiveDate, days: i64) -> NaiveDate {
    if days < 0 { day - Days::new(days.unsigned_abs()) } else { day + Days::new(days.unsigned_abs()) }
}

/// The figures of a portfolio whose terms are longer than six days.
pub fn figures(invoices: &[Invoice], until: NaiveDate) -> Figures {
    let mut contacts: BTreeSet<(&str, NaiveDate)> = BTreeSet::new();
    let executed = OFFSETS.map(|(id, offset)| {
        let on = |invoice: &&Invoice| shift(invoice.due, offset);
        let is_sent = |invoice: &&Invoice| {
            let day = on(invoice);
            day <= until && day > invoice.issued && invoice.paid.is_none_or(|paid| paid.max(invoice.issued) > day)
        };
        let sent: Vec<&Invoice> = invoices.iter().filter(is_sent).collect();
        contacts.extend(sent.iter().map(|invoice| (invoice.customer.as_str(), on(invoice))));
        (id.to_owned(), i64::try_from(sent.len()).unwrap())
    });
    let mut by_month = BTreeMap::new();
    for (_, day) in &contacts {
        *by_month.entry(day.format("%Y-%m").to_string()).or_insert(0) += 1;
    }
    let paid: Vec<(i64, i64)> = invoices.iter().filter_map(|i| Some(((i.paid?.max(i.issued) - i.due).num_days(), 1))).collect();
    let late: Vec<i64> = paid.iter().map(|(days, _)| *days).filter(|days| *days > 0).collect();
    Figures {
        executed: executed.to_vec(),
        contacts: i64::try_from(contacts.len()).unwrap(),
        payers: i64::try_from(contacts.iter().map(|(customer, _)| customer).collect::<BTreeSet<_>>().len()).unwrap(),
        by_month,
        paid_by_due: i64::try_from(paid.len() - late.len()).unwrap(),
        paid_late: i64::try_from(late.len()).unwrap(),
        days_late_total: late.iter().sum(),
        days_to_settle_total: invoices.iter().filter_map(|i| Some((i.paid?.max(i.issued) - i.issued).num_days())).sum(),
        month_ends: month_ends(invoices, until).into_iter().map(|day| month_end(invoices, day)).collect(),
    }
}

fn month_end(invoices: &[Invoice], day: NaiveDate) -> MonthEnd {
    let open = |i: &&Invoice| i.issued <= day && i.paid.is_none_or(|paid| paid.max(i.issued) > day);
    let (mut count, mut buckets) = (0, [0; 5]);
    for invoice in invoices.iter().filter(open) {
        let bucket = match (day - invoice.due).num_days() {
            ..=0 => 0,
            1..=30 => 1,
            31..=60 => 2,
            61..=90 => 3,
            _ => 4,
        };
        count += 1;
        buckets[bucket] += invoice.amount_minor;
    }
    (day.to_string(), count, buckets)
}

fn month_ends(invoices: &[Invoice], until: NaiveDate) -> Vec<NaiveDate> {
    let first = invoices.iter().map(|i| i.issued).min().unwrap();
    let months = (first.year() * 12 + first.month0() as i32)..;
    let last_days = months.map(|m| NaiveDate::from_ymd_opt((m + 1) / 12, ((m + 1) % 12) as u32 + 1, 1).unwrap() - Days::new(1));
    last_days.take_while(|day| *day <= until).collect()
}

/// The same figures out of a report.
pub fn of_report(report: &serde_json::Value) -> Figures {
    let int = |value: &serde_json::Value| value.as_i64().unwrap();
    let list = |key: &str| report[key].as_array().unwrap().clone();
    Figures {
        executed: list("steps").iter().map(|s| (s["id"].as_str().unwrap().to_owned(), int(&s["executed"]))).collect(),
        contacts: int(&report["contacts"]["total"]),
        payers: int(&report["contacts"]["payers"]),
        by_month: report["contacts"]["by_month"].as_object().unwrap().iter().map(|(month, n)| (month.clone(), int(n))).collect(),
        paid_by_due: int(&report["settlement"]["paid_by_due"]),
        paid_late: int(&report["settlement"]["paid_late"]),
        days_late_total: int(&report["settlement"]["days_late_total"]),
        days_to_settle_total: int(&report["settlement"]["days_to_settle_total"]),
        month_ends: list("month_ends").iter().map(month_end_of).collect(),
    }
}

fn month_end_of(reported: &serde_json::Value) -> MonthEnd {
    let int = |key: &str| reported[key].as_i64().unwrap();
    let keys = ["current_minor", "overdue_1_30_minor", "overdue_31_60_minor", "overdue_61_90_minor", "overdue_over_90_minor"];
    let buckets = keys.map(int);
    assert_eq!(buckets.iter().sum::<i64>(), int("open_minor"), "{reported}");
    (reported["date"].as_str().unwrap().to_owned(), int("open_count"), buckets)
}
