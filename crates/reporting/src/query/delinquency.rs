//! Who owes how much since when.

use super::{AsOf, Read};
use crate::project::{FOREVER, day_number};
use chrono::NaiveDate;
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use kernel::calendar::add_days;
use sql::{Row, Value};

/// Above this many late receivables looked at in search of the first payers, everybody is added up instead.
const MOST_LOOKED_AT: i64 = 65_536;

/// Which lines of a delinquency view.
pub struct DelinquencyFilter<'a> {
    /// Per segment instead of per payer.
    pub by_segment: bool,
    /// Only this segment; empty = all.
    pub segment: &'a str,
    /// Only lines this many days late.
    pub min_days_late: i64,
    /// Lines to pass over.
    pub offset: i64,
    /// At most this many.
    pub limit: i64,
}

/// Who owes how much since when, longest overdue first, then most owed.
pub async fn delinquency(views: &Views, at: &AsOf, filter: &DelinquencyFilter<'_>) -> Read<Vec<proto::DelinquencyLine>> {
    let (group, today) = (if filter.by_segment { "x.segment" } else { "x.customer_id" }, day_number(at.day));
    let mut args: Vec<Value> = vec![at.tenant.as_str().into(), today.into()];
    let mut conditions = String::new();
    if !filter.segment.is_empty() {
        args.push(filter.segment.into());
        conditions.push_str(&format!(" AND x.segment = ${}", args.len()));
    }
    // Payers are gone through in their own order, in which nothing has to be sorted; a planner would prefer what stands now.
    conditions.push_str(if filter.by_segment { " AND x.until_day > $2" } else { " AND x.until_day + 0 > $2" });
    if let Some(day) = first_enough(views, at, filter).await? {
        args.push(day.into());
        conditions.push_str(&format!(" AND x.customer_id IN ({})", payers_late(args.len(), filter)));
    }
    let next = args.len() + 1;
    // What is not overdue counts as due on the day itself: zero days late.
    let oldest = "MIN(CASE WHEN x.due_day < $2 THEN x.due_day ELSE $2 END)";
    let text = format!(
        "SELECT {group} AS grp, x.currency AS currency, COUNT(*) AS open_count, \
         CAST(SUM(x.clear_minor + x.contested_minor) AS BIGINT) AS open_minor, \
         CAST(SUM(CASE WHEN x.due_day < $2 THEN x.clear_minor + x.contested_minor ELSE 0 END) AS BIGINT) AS overdue_minor, \
         {oldest} AS oldest_day FROM {{standing}} x WHERE x.tenant = $1 AND x.from_day <= $2{conditions} GROUP BY {group}, x.currency \
         HAVING {oldest} <= ${next} ORDER BY oldest_day, open_minor DESC, grp, currency LIMIT ${} OFFSET ${}",
        next + 1,
        next + 2
    );
    args.extend([(today - filter.min_days_late).into(), filter.limit.into(), filter.offset.into()]);
    views.query(&text, &args).await?.iter().map(|row| read(row, at.day)).collect()
}

/// A due day up to which at least as many payers are late as are asked for: those who are late since then come before all others, so
/// nobody else has to be added up. `None` where everybody has to.
async fn first_enough(views: &Views, at: &AsOf, filter: &DelinquencyFilter<'_>) -> Read<Option<i64>> {
    if filter.by_segment {
        return Ok(None);
    }
    let (today, wanted) = (day_number(at.day), filter.offset.saturating_add(filter.limit));
    let last = (today - filter.min_days_late).min(today - 1);
    let mut args: Vec<Value> = vec![at.tenant.as_str().into(), today.into()];
    if !filter.segment.is_empty() {
        args.push(filter.segment.into());
    }
    args.push(last.into());
    // Powers of two, so that few texts are ever prepared.
    let mut looked_at = wanted.clamp(1, MOST_LOOKED_AT).unsigned_abs().next_power_of_two() * 2;
    while looked_at <= MOST_LOOKED_AT.unsigned_abs() {
        let late = first_late(args.len(), filter, looked_at);
        let text = format!(
            "SELECT MAX(w.due_day) AS until_day, COUNT(DISTINCT w.customer_id) AS payers, COUNT(*) AS found \
             FROM (SELECT u.due_day, u.customer_id FROM ({late}) u ORDER BY u.due_day LIMIT {looked_at}) w"
        );
        let rows = views.query(&text, &args).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.int("payers")? >= wanted {
            return Ok(row.opt_int("until_day")?);
        }
        if row.int("found")?.unsigned_abs() < looked_at {
            // All that is late was seen: the list ends with it, or goes on with who is not late.
            return Ok((filter.min_days_late > 0).then_some(last));
        }
        looked_at *= 4;
    }
    Ok(None)
}

/// What is late at the end of the day and was due until a day that is an argument: what has no end yet, which lies in the order of due
/// dates, and what ended later.
fn late(until: usize, filter: &DelinquencyFilter<'_>) -> [String; 2] {
    let segment = if filter.segment.is_empty() { "" } else { " AND segment = $3" };
    let stands = [format!("until_day = {FOREVER}"), format!("until_day > $2 AND until_day < {FOREVER}")];
    stands.map(|stands| format!("{{standing}} WHERE tenant = $1 AND {stands} AND due_day <= ${until} AND from_day <= $2{segment}"))
}

/// The payers of all that is late.
fn payers_late(until: usize, filter: &DelinquencyFilter<'_>) -> String {
    late(until, filter).map(|late| format!("SELECT customer_id FROM {late}")).join(" UNION ")
}

/// So many of what is late, first due first, of either kind.
fn first_late(until: usize, filter: &DelinquencyFilter<'_>, limit: u64) -> String {
    let first = |late| format!("SELECT * FROM (SELECT due_day, customer_id FROM {late} ORDER BY due_day LIMIT {limit}) l");
    late(until, filter).map(first).join(" UNION ALL ")
}

fn read(row: &Row, day: NaiveDate) -> Read<proto::DelinquencyLine> {
    let late = day_number(day) - row.int("oldest_day")?;
    Ok(proto::DelinquencyLine {
        group: row.text("grp")?,
        currency: row.text("currency")?,
        open_count: i32::try_from(row.int("open_count")?).unwrap_or(i32::MAX),
        open_minor: row.int("open_minor")?,
        overdue_minor: row.int("overdue_minor")?,
        oldest_due: if late > 0 { add_days(day, -late).to_string() } else { String::new() },
        days_late: i32::try_from(late).unwrap_or(i32::MAX),
        bucket: bucket(insight::Bucket::of(late)).to_owned(),
    })
}

/// The name of a bucket in the published interface.
fn bucket(bucket: insight::Bucket) -> &'static str {
    match bucket {
        insight::Bucket::Current => "current",
        insight::Bucket::Days1To30 => "1-30",
        insight::Bucket::Days31To60 => "31-60",
        insight::Bucket::Days61To90 => "61-90",
        insight::Bucket::Over90 => "over-90",
    }
}
