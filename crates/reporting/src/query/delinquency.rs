//! Who owes how much since when.

use super::{AsOf, Read, STANDING};
use crate::project::day_number;
use chrono::NaiveDate;
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use kernel::calendar::add_days;
use sql::Row;

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
    let group = if filter.by_segment { "x.segment" } else { "x.customer_id" };
    // What is not overdue counts as due on the day itself: zero days late.
    let text = format!(
        "SELECT {group} AS grp, x.currency AS currency, COUNT(*) AS open_count, CAST(SUM(x.open_minor) AS BIGINT) AS open_minor, \
         CAST(SUM(CASE WHEN x.status = 'overdue' THEN x.open_minor ELSE 0 END) AS BIGINT) AS overdue_minor, \
         MIN(CASE WHEN x.status = 'overdue' THEN x.due_day ELSE $5 END) AS oldest_day \
         FROM ({STANDING}) x WHERE x.status IN ('open', 'overdue') AND ($4 = '' OR x.segment = $4) GROUP BY {group}, x.currency \
         HAVING MIN(CASE WHEN x.status = 'overdue' THEN x.due_day ELSE $5 END) <= $6 \
         ORDER BY oldest_day, open_minor DESC, grp, currency LIMIT $7 OFFSET $8"
    );
    let today = day_number(at.day);
    let mut args = at.args();
    args.extend([filter.segment.into(), today.into(), (today - filter.min_days_late).into(), filter.limit.into(), filter.offset.into()]);
    views.query(&text, &args).await?.iter().map(|row| read(row, at.day)).collect()
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
