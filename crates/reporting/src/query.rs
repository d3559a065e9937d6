//! SQL reads: every figure as of the end of a day, from dated entries.

use crate::project::day_number;
use chrono::{DateTime, NaiveDate, Utc};
use contracts::reporting::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use kernel::calendar::{add_days, days_between};
use sql::{Row, Value};
use std::collections::BTreeMap;

type Read<T> = Result<T, ProjectionError>;

/// What was open at the end of a day, per receivable: `$1` tenant, `$2` day, `$3` knowledge.
const OPEN: &str = "SELECT e.invoice_id, CAST(SUM(e.amount_minor) AS BIGINT) AS open_minor FROM {ledger_entry} e \
                    WHERE e.tenant = $1 AND e.effective_on <= $2 AND e.recorded_at <= $3 GROUP BY e.invoice_id";

/// A point of view: tenant, end of a day, and what was recorded until when.
#[derive(Clone)]
pub struct AsOf {
    /// Tenant.
    pub tenant: String,
    /// End of this day.
    pub day: NaiveDate,
    /// Only what was recorded until then.
    pub known_at: DateTime<Utc>,
}

impl AsOf {
    fn args(&self) -> Vec<Value> {
        vec![self.tenant.as_str().into(), self.day.into(), self.known_at.into()]
    }
}

/// Open amounts by days late. `currency` and `segment` empty = all.
pub async fn aging(views: &Views, at: &AsOf, currency: &str, segment: &str) -> Read<proto::AgingLine> {
    let text = format!(
        "SELECT COUNT(*) AS open_count, CAST(COALESCE(SUM(x.open_minor), 0) AS BIGINT) AS open_minor, \
         CAST(COALESCE(SUM(CASE WHEN x.due >= $2 THEN x.open_minor ELSE 0 END), 0) AS BIGINT) AS current_minor, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $2 AND x.due >= $6 THEN x.open_minor ELSE 0 END), 0) AS BIGINT) AS days_30, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $6 AND x.due >= $7 THEN x.open_minor ELSE 0 END), 0) AS BIGINT) AS days_60, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $7 AND x.due >= $8 THEN x.open_minor ELSE 0 END), 0) AS BIGINT) AS days_90, \
         CAST(COALESCE(SUM(CASE WHEN x.due < $8 THEN x.open_minor ELSE 0 END), 0) AS BIGINT) AS days_over \
         FROM (SELECT o.open_minor, COALESCE(p.effective_due, r.due_on) AS due FROM ({OPEN}) o \
         JOIN {{receivable}} r ON r.tenant = $1 AND r.invoice_id = o.invoice_id \
         LEFT JOIN {{placement}} p ON p.tenant = $1 AND p.invoice_id = o.invoice_id \
         LEFT JOIN {{payer}} y ON y.tenant = $1 AND y.customer_id = r.customer_id \
         WHERE o.open_minor > 0 AND ($4 = '' OR r.currency = $4) AND ($5 = '' OR y.segment = $5)) x"
    );
    let mut args = at.args();
    args.extend([currency.into(), segment.into()]);
    args.extend([30, 60, 90].map(|days| Value::Date(add_days(at.day, -days))));
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
    })
}

/// Filter of a list of receivables; empty texts = all.
pub struct ReceivableFilter<'a> {
    /// Payer.
    pub customer_id: &'a str,
    /// Segment.
    pub segment: &'a str,
    /// `open`, `overdue`, `settled`, `cancelled`.
    pub status: &'a str,
    /// Only ids after this one.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Receivables with what was open at the end of the day, in order of their id.
pub async fn receivables(views: &Views, at: &AsOf, filter: &ReceivableFilter<'_>) -> Read<Vec<proto::Receivable>> {
    let text = format!(
        "SELECT r.*, o.open_minor AS open_then, COALESCE(p.effective_due, r.due_on) AS due, COALESCE(y.segment, '') AS segment FROM ({OPEN}) o \
         JOIN {{receivable}} r ON r.tenant = $1 AND r.invoice_id = o.invoice_id \
         LEFT JOIN {{placement}} p ON p.tenant = $1 AND p.invoice_id = o.invoice_id \
         LEFT JOIN {{payer}} y ON y.tenant = $1 AND y.customer_id = r.customer_id \
         WHERE r.invoice_id > $4 AND ($5 = '' OR r.customer_id = $5) AND ($6 = '' OR y.segment = $6) \
         AND ($7 = '' OR ($7 = 'open' AND o.open_minor > 0) OR ($7 = 'overdue' AND o.open_minor > 0 AND COALESCE(p.effective_due, r.due_on) < $2) \
         OR ($7 = 'settled' AND o.open_minor <= 0 AND NOT (r.cancelled AND r.moved_on <= $2)) \
         OR ($7 = 'cancelled' AND r.cancelled AND r.moved_on <= $2)) ORDER BY r.invoice_id LIMIT $8"
    );
    let mut args = at.args();
    args.extend([filter.after.into(), filter.customer_id.into(), filter.segment.into(), filter.status.into(), filter.limit.into()]);
    views.query(&text, &args).await?.iter().map(|row| read_receivable(row, at.day)).collect()
}

fn read_receivable(row: &Row, day: NaiveDate) -> Read<proto::Receivable> {
    let (open_minor, due) = (row.int("open_then")?, row.date("due")?);
    let cancelled = row.bool("cancelled")? && row.date("moved_on")? <= day;
    let late = if open_minor > 0 { days_between(due, day).max(0) } else { 0 };
    let status = match (cancelled, open_minor > 0, late > 0) {
        (true, _, _) => "cancelled",
        (false, false, _) => "settled",
        (false, true, true) => "overdue",
        (false, true, false) => "open",
    };
    Ok(proto::Receivable {
        invoice_id: row.text("invoice_id")?,
        customer_id: row.text("customer_id")?,
        segment: row.text("segment")?,
        currency: row.text("currency")?,
        amount_minor: row.int("amount_minor")?,
        open_minor,
        issued_on: row.date("issued_on")?.to_string(),
        due_on: row.date("due_on")?.to_string(),
        effective_due: due.to_string(),
        days_late: i32::try_from(late).unwrap_or(i32::MAX),
        status: status.to_owned(),
    })
}

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
    let group = if filter.by_segment { "COALESCE(y.segment, '')" } else { "r.customer_id" };
    let text = format!(
        "SELECT grp, currency, COUNT(*) AS open_count, CAST(SUM(open_minor) AS BIGINT) AS open_minor, \
         CAST(SUM(CASE WHEN due < $2 THEN open_minor ELSE 0 END) AS BIGINT) AS overdue_minor, \
         MIN(CASE WHEN due < $2 THEN due_day ELSE $5 END) AS oldest_day FROM \
         (SELECT {group} AS grp, r.currency AS currency, o.open_minor AS open_minor, COALESCE(p.effective_due, r.due_on) AS due, \
         COALESCE(p.effective_due_day, $5) AS due_day FROM ({OPEN}) o \
         JOIN {{receivable}} r ON r.tenant = $1 AND r.invoice_id = o.invoice_id \
         LEFT JOIN {{placement}} p ON p.tenant = $1 AND p.invoice_id = o.invoice_id \
         LEFT JOIN {{payer}} y ON y.tenant = $1 AND y.customer_id = r.customer_id \
         WHERE o.open_minor > 0 AND ($4 = '' OR y.segment = $4)) x GROUP BY grp, currency \
         HAVING MIN(CASE WHEN due < $2 THEN due_day ELSE $5 END) <= $6 \
         ORDER BY oldest_day, open_minor DESC, grp, currency LIMIT $7 OFFSET $8"
    );
    let today = day_number(at.day);
    let mut args = at.args();
    args.extend([filter.segment.into(), today.into(), (today - filter.min_days_late).into(), filter.limit.into(), filter.offset.into()]);
    views.query(&text, &args).await?.iter().map(|row| read_delinquency(row, at.day)).collect()
}

fn read_delinquency(row: &Row, day: NaiveDate) -> Read<proto::DelinquencyLine> {
    let late = day_number(day) - row.int("oldest_day")?;
    let bucket = insight::Bucket::of(late);
    Ok(proto::DelinquencyLine {
        group: row.text("grp")?,
        currency: row.text("currency")?,
        open_count: i32::try_from(row.int("open_count")?).unwrap_or(i32::MAX),
        open_minor: row.int("open_minor")?,
        overdue_minor: row.int("overdue_minor")?,
        oldest_due: if late > 0 { add_days(day, -late).to_string() } else { String::new() },
        days_late: i32::try_from(late).unwrap_or(i32::MAX),
        bucket: bucket.slug().to_owned(),
    })
}

/// How fast invoices were paid, from facts until the end of the day.
pub async fn settlement(views: &Views, tenant: &str, day: NaiveDate) -> Read<proto::GetSettlementResponse> {
    // The last movement of a receivable whose balance is zero is the day it reached zero.
    let text = "SELECT CAST(COALESCE(SUM(CASE WHEN moved_day <= due_day THEN 1 ELSE 0 END), 0) AS BIGINT) AS by_due, \
                CAST(COALESCE(SUM(CASE WHEN moved_day > due_day THEN 1 ELSE 0 END), 0) AS BIGINT) AS late, \
                CAST(COALESCE(SUM(CASE WHEN moved_day > due_day THEN moved_day - due_day ELSE 0 END), 0) AS BIGINT) AS days_late, \
                CAST(COALESCE(SUM(moved_day - issued_day), 0) AS BIGINT) AS days_to_settle FROM \
                (SELECT r.moved_day, r.issued_day, p.effective_due_day AS due_day FROM {receivable} r \
                JOIN {placement} p ON p.tenant = r.tenant AND p.invoice_id = r.invoice_id \
                WHERE r.tenant = $1 AND r.open_minor = 0 AND NOT r.cancelled AND r.moved_on <= $2) x";
    let rows = views.query(text, &[tenant.into(), day.into()]).await?;
    let Some(row) = rows.first() else { return Ok(proto::GetSettlementResponse::default()) };
    Ok(proto::GetSettlementResponse {
        paid_by_due: row.int("by_due")?,
        paid_late: row.int("late")?,
        days_late_total: row.int("days_late")?,
        days_to_settle_total: row.int("days_to_settle")?,
    })
}

/// How the occurrences of each step ended, judged at 24:00 of the day; in policy order.
pub async fn step_results(views: &Views, tenant: &str, day: NaiveDate, policy_id: &str) -> Read<Vec<proto::StepResult>> {
    // A step that nobody recorded as over is expired by its dates: an engine that stood still changes nothing.
    let text = "SELECT policy_id, ordinal, step_id, outcome, reason, COUNT(*) AS n FROM \
                (SELECT n.policy_id, s.ordinal, s.step_id, \
                CASE WHEN e.outcome IS NOT NULL AND e.ended_on <= $2 THEN e.outcome WHEN s.last_day < $2 THEN 'expired' ELSE 'open' END AS outcome, \
                CASE WHEN e.outcome IS NOT NULL AND e.ended_on <= $2 THEN e.reason WHEN s.last_day < $2 \
                THEN CASE WHEN s.last_day = p.effective_due THEN 'due_passed' ELSE 'too_old' END ELSE '' END AS reason \
                FROM {planned_step} s JOIN {enrolment} n ON n.tenant = s.tenant AND n.invoice_id = s.invoice_id \
                JOIN {placement} p ON p.tenant = s.tenant AND p.invoice_id = s.invoice_id \
                LEFT JOIN {step_end} e ON e.tenant = s.tenant AND e.invoice_id = s.invoice_id AND e.cycle = s.cycle AND e.step_id = s.step_id \
                WHERE s.tenant = $1 AND ($3 = '' OR n.policy_id = $3)) x \
                GROUP BY policy_id, ordinal, step_id, outcome, reason ORDER BY policy_id, ordinal, step_id";
    let rows = views.query(text, &[tenant.into(), day.into(), policy_id.into()]).await?;
    let mut results: BTreeMap<(String, i64, String), proto::StepResult> = BTreeMap::new();
    for row in &rows {
        let key = (row.text("policy_id")?, row.int("ordinal")?, row.text("step_id")?);
        let (policy_id, step_id) = (key.0.clone(), key.2.clone());
        let result = results.entry(key).or_insert_with(|| proto::StepResult { policy_id, step_id, ..Default::default() });
        count(result, &row.text("outcome")?, row.text("reason")?, row.int("n")?);
    }
    Ok(results.into_values().collect())
}

fn count(result: &mut proto::StepResult, outcome: &str, reason: String, n: i64) {
    let slot = match outcome {
        "executed" => &mut result.executed,
        "superseded" => &mut result.superseded,
        "suppressed" => &mut result.suppressed,
        "expired" => &mut result.expired,
        "undeliverable" => &mut result.undeliverable,
        _ => &mut result.open,
    };
    *slot += n;
    if !reason.is_empty() {
        *result.reasons.entry(reason).or_default() += n;
    }
}

/// Contacts that went out until the end of the day.
pub async fn contact_results(views: &Views, tenant: &str, day: NaiveDate) -> Read<proto::GetContactResultsResponse> {
    let args = [Value::from(tenant), Value::from(day)];
    let groups =
        "SELECT month, channels, COUNT(*) AS n FROM {contact_result} WHERE tenant = $1 AND day <= $2 AND sent GROUP BY month, channels";
    let mut response = proto::GetContactResultsResponse::default();
    for row in views.query(groups, &args).await? {
        let n = row.int("n")?;
        response.total += n;
        *response.by_month.entry(row.text("month")?).or_default() += n;
        for channel in row.text("channels")?.split_whitespace() {
            *response.by_channel.entry(channel.to_owned()).or_default() += n;
        }
    }
    let payers = "SELECT COUNT(DISTINCT customer_id) AS payers, COALESCE(MAX(n), 0) AS most FROM \
                  (SELECT customer_id, day, COUNT(*) AS n FROM {contact_result} WHERE tenant = $1 AND day <= $2 AND sent GROUP BY customer_id, day) x";
    if let Some(row) = views.query(payers, &args).await?.first() {
        response.payers = row.int("payers")?;
        response.max_per_payer_day = row.int("most")?;
    }
    Ok(response)
}

/// Payers, invoices and payments recorded.
pub async fn portfolio(views: &Views, tenant: &str) -> Read<proto::GetPortfolioResponse> {
    let invoices = "SELECT COUNT(DISTINCT customer_id) AS customers, COUNT(*) AS invoices, CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) AS amount_minor \
                    FROM {receivable} WHERE tenant = $1";
    let payments = "SELECT CAST(COALESCE(SUM(CASE WHEN kind = 'payment' THEN 1 WHEN kind = 'reversal' THEN -1 ELSE 0 END), 0) AS BIGINT) AS payments \
                    FROM {ledger_entry} WHERE tenant = $1";
    let mut response = proto::GetPortfolioResponse::default();
    if let Some(row) = views.query(invoices, &[tenant.into()]).await?.first() {
        response.customers = row.int("customers")?;
        response.invoices = row.int("invoices")?;
        response.amount_minor = row.int("amount_minor")?;
    }
    if let Some(row) = views.query(payments, &[tenant.into()]).await?.first() {
        response.payments = row.int("payments")?;
    }
    Ok(response)
}
