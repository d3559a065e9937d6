//! What is open, by days late.

use super::{AsOf, Read, STANDING};
use crate::project::{FOREVER, day_number};
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use kernel::calendar::add_days;
use sql::{Row, Value};

/// The last days of the classes, in days late.
const ENDS: [i64; 3] = [30, 60, 90];

/// Open amounts by days late; what is contested has a column of its own. `currency` and `segment` empty = all.
pub async fn aging(views: &Views, at: &AsOf, currency: &str, segment: &str) -> Read<proto::AgingLine> {
    match at.known_at {
        None => of_standings(views, at, currency, segment).await,
        Some(_) => of_entries(views, at, currency, segment).await,
    }
}

/// As known now: from stretches of days. What stands without an end lies in the order of due dates, so each class is a range of it, in
/// which nothing but the start is looked at; what ended after the day is told apart one by one.
async fn of_standings(views: &Views, at: &AsOf, currency: &str, segment: &str) -> Read<proto::AgingLine> {
    let today = day_number(at.day);
    let mut args: Vec<Value> = vec![at.tenant.as_str().into(), today.into()];
    args.extend(ENDS.map(|days| Value::Int(today - days)));
    let mut narrowed = String::new();
    for (column, wanted) in [("currency", currency), ("segment", segment)].into_iter().filter(|(_, wanted)| !wanted.is_empty()) {
        args.push(wanted.into());
        narrowed.push_str(&format!(" AND {column} = ${}", args.len()));
    }
    let sums = "COUNT(*) AS open_count, CAST(COALESCE(SUM(clear_minor), 0) AS BIGINT) AS clear_minor, \
                CAST(COALESCE(SUM(contested_minor), 0) AS BIGINT) AS contested_minor";
    let ranges = ["due_day >= $2", "due_day < $2 AND due_day >= $3", "due_day < $3 AND due_day >= $4", "due_day < $4 AND due_day >= $5"];
    let class = |(class, range): (usize, &str)| {
        format!(
            "SELECT CAST({class} AS BIGINT) AS class, {sums}, 0 AS late, 0 AS late_31, 0 AS late_61, 0 AS late_91 FROM {{standing}} \
             WHERE tenant = $1 AND until_day = {FOREVER} AND {range} AND from_day <= $2{narrowed}"
        )
    };
    let mut parts: Vec<String> = ranges.into_iter().chain(["due_day < $5"]).enumerate().map(class).collect();
    let past = |end: &str| format!("CAST(COALESCE(SUM(CASE WHEN due_day < {end} THEN clear_minor ELSE 0 END), 0) AS BIGINT)");
    parts.push(format!(
        "SELECT CAST(5 AS BIGINT) AS class, {sums}, {} AS late, {} AS late_31, {} AS late_61, {} AS late_91 FROM {{standing}} \
         WHERE tenant = $1 AND until_day > $2 AND until_day < {FOREVER} AND from_day <= $2{narrowed}",
        past("$2"),
        past("$3"),
        past("$4"),
        past("$5")
    ));
    let mut line = proto::AgingLine { date: at.day.to_string(), ..Default::default() };
    for row in views.query(&parts.join(" UNION ALL "), &args).await? {
        add(&mut line, &row)?;
    }
    Ok(line)
}

fn add(line: &mut proto::AgingLine, row: &Row) -> Read<()> {
    let (clear_minor, contested_minor) = (row.int("clear_minor")?, row.int("contested_minor")?);
    line.open_count += row.int("open_count")?;
    line.open_minor += clear_minor + contested_minor;
    line.disputed_minor += contested_minor;
    match row.int("class")? {
        0 => line.current_minor += clear_minor,
        1 => line.overdue_1_30_minor += clear_minor,
        2 => line.overdue_31_60_minor += clear_minor,
        3 => line.overdue_61_90_minor += clear_minor,
        4 => line.overdue_over_90_minor += clear_minor,
        _ => {
            let (late, late_31) = (row.int("late")?, row.int("late_31")?);
            let (late_61, late_91) = (row.int("late_61")?, row.int("late_91")?);
            line.current_minor += clear_minor - late;
            line.overdue_1_30_minor += late - late_31;
            line.overdue_31_60_minor += late_31 - late_61;
            line.overdue_61_90_minor += late_61 - late_91;
            line.overdue_over_90_minor += late_91;
        }
    }
    Ok(())
}

/// As known at an instant: from every entry that was recorded until then.
async fn of_entries(views: &Views, at: &AsOf, currency: &str, segment: &str) -> Read<proto::AgingLine> {
    let text = format!(
        "SELECT COUNT(*) AS open_count, CAST(COALESCE(SUM(x.open_minor), 0) AS BIGINT) AS open_minor, \
         CAST(COALESCE(SUM(CASE WHEN x.due >= $2 THEN x.open_minor - x.disputed_minor ELSE 0 END), 0) AS BIGINT) AS current_minor, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $2 AND x.due >= $6 THEN x.open_minor - x.disputed_minor ELSE 0 END), 0) AS BIGINT) AS days_30, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $6 AND x.due >= $7 THEN x.open_minor - x.disputed_minor ELSE 0 END), 0) AS BIGINT) AS days_60, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $7 AND x.due >= $8 THEN x.open_minor - x.disputed_minor ELSE 0 END), 0) AS BIGINT) AS days_90, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $8 THEN x.open_minor - x.disputed_minor ELSE 0 END), 0) AS BIGINT) AS days_over, \
         CAST(COALESCE(SUM(x.disputed_minor), 0) AS BIGINT) AS disputed_minor \
         FROM ({STANDING}) x WHERE x.status IN ('open', 'overdue') AND ($4 = '' OR x.currency = $4) AND ($5 = '' OR x.segment = $5)"
    );
    let mut args = at.args();
    args.extend([currency.into(), segment.into()]);
    args.extend(ENDS.map(|days| Value::Date(add_days(at.day, -days))));
    let rows = views.query(&text, &args).await?;
    let Some(row) = rows.first() else { return Ok(proto::AgingLine { date: at.day.to_string(), ..Default::default() }) };
    Ok(proto::AgingLine {
        date: at.day.to_string(),
        open_count: row.int("open_count")?,
        open_minor: row.int("open_minor")?,
        current_minor: row.int("current_minor")?,
        overdue_1_30_minor: row.int("days_30")?,
        overdue_31_60_minor: row.int("days_60")?,
        overdue_61_90_minor: row.int("days_90")?,
        overdue_over_90_minor: row.int("days_over")?,
        disputed_minor: row.int("disputed_minor")?,
    })
}
