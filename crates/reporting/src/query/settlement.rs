//! How fast invoices were paid.

use super::{AsOf, Read, STANDING};
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;

/// How fast invoices were paid, from facts until the end of the day.
///
/// A receivable is settled on the first day from which on nothing was open any more; one that was paid before it was issued, on the day
/// of its issue. Money past what is open and new terms of what is paid leave that day as it is.
pub async fn settlement(views: &Views, at: &AsOf) -> Read<proto::GetSettlementResponse> {
    let text = format!(
        "WITH daily AS (SELECT e.invoice_id, e.effective_day, \
         SUM(SUM(e.amount_minor)) OVER (PARTITION BY e.invoice_id ORDER BY e.effective_day) AS open_minor \
         FROM {{ledger_entry}} e WHERE e.tenant = $1 AND e.effective_on <= $2 AND e.recorded_at <= $3 \
         GROUP BY e.invoice_id, e.effective_day), \
         opened AS (SELECT invoice_id, MAX(CASE WHEN open_minor > 0 THEN effective_day END) AS last_day FROM daily GROUP BY invoice_id), \
         settled AS (SELECT d.invoice_id, MIN(d.effective_day) AS first_day FROM daily d JOIN opened o ON o.invoice_id = d.invoice_id \
         WHERE o.last_day IS NULL OR d.effective_day > o.last_day GROUP BY d.invoice_id), \
         paid AS (SELECT x.issued_day, x.due_day, CASE WHEN s.first_day < x.issued_day THEN x.issued_day ELSE s.first_day END AS paid_day \
         FROM ({STANDING}) x JOIN settled s ON s.invoice_id = x.invoice_id WHERE x.status = 'settled') \
         SELECT CAST(COALESCE(SUM(CASE WHEN paid_day <= due_day THEN 1 ELSE 0 END), 0) AS BIGINT) AS by_due, \
         CAST(COALESCE(SUM(CASE WHEN paid_day > due_day THEN 1 ELSE 0 END), 0) AS BIGINT) AS late, \
         CAST(COALESCE(SUM(CASE WHEN paid_day > due_day THEN paid_day - due_day ELSE 0 END), 0) AS BIGINT) AS days_late, \
         CAST(COALESCE(SUM(paid_day - issued_day), 0) AS BIGINT) AS days_to_settle FROM paid"
    );
    let rows = views.query(&text, &at.args()).await?;
    let Some(row) = rows.first() else { return Ok(proto::GetSettlementResponse::default()) };
    Ok(proto::GetSettlementResponse {
        paid_by_due: row.int("by_due")?,
        paid_late: row.int("late")?,
        days_late_total: row.int("days_late")?,
        days_to_settle_total: row.int("days_to_settle")?,
    })
}
