//! SQL reads: every figure as of the end of a day, from dated entries.

mod aging;
mod channels;
mod contacts;
mod delinquency;
mod settlement;
mod steps;

pub use aging::aging;
pub use channels::{ChannelFilter, Until, channel_results};
pub use contacts::contact_results;
pub use delinquency::{DelinquencyFilter, delinquency};
pub use settlement::settlement;
pub use steps::step_results;

use chrono::{DateTime, NaiveDate, Utc};
use contracts::reporting::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use kernel::calendar::days_between;
use sql::{Row, Value};

type Read<T> = Result<T, ProjectionError>;

/// Where each receivable stood, one row each: `$1` tenant, `$2` day, `$3` knowledge. Terms are those stated last by then; one that
/// was not issued by then is not there, also where it was paid before.
const STANDING: &str = "SELECT o.customer_id, o.invoice_id, o.open_minor, o.issued_on, o.issued_day, t.currency, t.stated_minor, t.due_on, \
     COALESCE(p.effective_due, t.due_on) AS due, COALESCE(p.effective_due_day, t.due_day) AS due_day, COALESCE(y.segment, '') AS segment, \
     CASE WHEN g.whole = 1 OR COALESCE(g.part, 0) > o.open_minor THEN o.open_minor ELSE COALESCE(g.part, 0) END AS disputed_minor, \
     CASE WHEN o.cancelled = 1 THEN 'cancelled' WHEN o.open_minor <= 0 AND o.moved_at > o.back_at THEN 'renegotiated' WHEN o.open_minor <= 0 THEN 'settled' \
     WHEN COALESCE(p.effective_due, t.due_on) < $2 THEN 'overdue' ELSE 'open' END AS status \
     FROM (SELECT MIN(e.customer_id) AS customer_id, e.invoice_id, CAST(SUM(e.amount_minor) AS BIGINT) AS open_minor, \
     MAX(CASE WHEN e.kind = 'cancelled' THEN 1 ELSE 0 END) AS cancelled, \
     MAX(CASE WHEN e.kind = 'renegotiated' THEN e.version ELSE 0 END) AS moved_at, \
     MAX(CASE WHEN e.kind = 'reopened' THEN e.version ELSE 0 END) AS back_at, \
     MIN(CASE WHEN e.kind = 'issued' THEN e.effective_on END) AS issued_on, \
     MIN(CASE WHEN e.kind = 'issued' THEN e.effective_day END) AS issued_day, \
     MAX(CASE WHEN e.due_on IS NULL THEN 0 ELSE e.version END) AS terms \
     FROM {ledger_entry} e WHERE e.tenant = $1 AND e.effective_on <= $2 AND e.recorded_at <= $3 GROUP BY e.invoice_id) o \
     JOIN {ledger_entry} t ON t.tenant = $1 AND t.customer_id = o.customer_id AND t.version = o.terms \
     LEFT JOIN {placement} p ON p.tenant = $1 AND p.invoice_id = o.invoice_id AND p.due_on = t.due_on \
     LEFT JOIN (SELECT s.invoice_id, MAX(CASE WHEN s.amount_minor = 0 THEN 1 ELSE 0 END) AS whole, \
     CAST(SUM(s.amount_minor) AS BIGINT) AS part FROM {dispute} s \
     LEFT JOIN {dispute_end} f ON f.tenant = $1 AND f.invoice_id = s.invoice_id AND f.arrangement_id = s.arrangement_id \
     AND f.ended_on <= $2 AND f.ended_at <= $3 \
     WHERE s.tenant = $1 AND s.opened_on <= $2 AND s.opened_at <= $3 AND f.arrangement_id IS NULL GROUP BY s.invoice_id) g \
     ON g.invoice_id = o.invoice_id \
     LEFT JOIN {payer} y ON y.tenant = $1 AND y.customer_id = o.customer_id WHERE o.issued_on IS NOT NULL";

/// Receivables looked at in one query of a list.
const RANGE: i64 = 2_000;

/// A point of view: tenant, end of a day, and what was recorded until when.
#[derive(Clone)]
pub struct AsOf {
    /// Tenant.
    pub tenant: String,
    /// End of this day.
    pub day: NaiveDate,
    /// Only what was recorded until then; `None` = as known now.
    pub known_at: Option<DateTime<Utc>>,
}

impl AsOf {
    fn args(&self) -> Vec<Value> {
        vec![self.tenant.as_str().into(), self.day.into(), self.known_at.unwrap_or_else(for_ever).into()]
    }
}

/// Later than anything that is recorded, and in range of both databases.
pub fn for_ever() -> DateTime<Utc> {
    DateTime::from_timestamp(7_258_118_400, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Filter of a list of receivables; empty texts = all.
pub struct ReceivableFilter<'a> {
    /// Payer.
    pub customer_id: &'a str,
    /// Segment.
    pub segment: &'a str,
    /// `open`, `overdue`, `settled`, `cancelled`, `renegotiated`.
    pub status: &'a str,
    /// Only ids after this one.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Receivables with what was open at the end of the day, in order of their id.
pub async fn receivables(views: &Views, at: &AsOf, filter: &ReceivableFilter<'_>) -> Read<Vec<proto::Receivable>> {
    let standing = match filter.customer_id {
        "" => STANDING.to_owned(),
        _ => STANDING.replace("{ledger_entry} e", &format!("{} e", entries_of("$6"))),
    };
    let text = format!(
        "SELECT x.* FROM ({standing}) x WHERE x.invoice_id > $4 AND x.invoice_id <= $5 AND ($6 = '' OR x.customer_id = $6) \
         AND ($7 = '' OR x.segment = $7) AND ($8 = '' OR x.status = $8) ORDER BY x.invoice_id LIMIT $9"
    );
    let (mut after, mut found) = (filter.after.to_owned(), Vec::new());
    // Range by range: a page costs what it shows, not what the portfolio holds.
    while let Some(until) = end_of_range(views, at, filter.customer_id, &after).await? {
        let mut args = at.args();
        args.extend([after.into(), until.as_str().into(), filter.customer_id.into(), filter.segment.into(), filter.status.into()]);
        args.push((filter.limit - count(&found)).into());
        for row in views.query(&text, &args).await? {
            found.push(read_receivable(&row, at.day)?);
        }
        if count(&found) >= filter.limit {
            break;
        }
        after = until;
    }
    Ok(found)
}

/// The entries of one payer, whose id is that argument. They are next to each other in the table and taken from it before anything else
/// is looked at: a planner that looks for the order of invoices would go through those of all payers.
fn entries_of(argument: &str) -> String {
    let of_payer = format!("SELECT * FROM {{ledger_entry}} WHERE tenant = $1 AND customer_id = {argument}");
    format!("(WITH whose AS MATERIALIZED ({of_payer}) SELECT * FROM whose)")
}

fn count(found: &[proto::Receivable]) -> i64 {
    i64::try_from(found.len()).unwrap_or(i64::MAX)
}

/// The id that ends a range of [`RANGE`] receivables after an id; `None` where none is after it.
async fn end_of_range(views: &Views, at: &AsOf, customer_id: &str, after: &str) -> Read<Option<String>> {
    let entries = if customer_id.is_empty() { "{ledger_entry}".to_owned() } else { entries_of("$3") };
    let text = format!(
        "SELECT MAX(x.invoice_id) AS until FROM (SELECT DISTINCT e.invoice_id FROM {entries} e \
         WHERE e.tenant = $1 AND e.invoice_id > $2 AND ($3 = '' OR e.customer_id = $3) ORDER BY e.invoice_id LIMIT $4) x"
    );
    let args = [at.tenant.as_str().into(), after.into(), customer_id.into(), RANGE.into()];
    let rows = views.query(&text, &args).await?;
    rows.first().map_or(Ok(None), |row| row.opt_text("until").map_err(ProjectionError::from))
}

fn read_receivable(row: &Row, day: NaiveDate) -> Read<proto::Receivable> {
    let (status, due) = (row.text("status")?, row.date("due")?);
    let late = if status == "overdue" { days_between(due, day) } else { 0 };
    Ok(proto::Receivable {
        invoice_id: row.text("invoice_id")?,
        customer_id: row.text("customer_id")?,
        segment: row.text("segment")?,
        currency: row.text("currency")?,
        amount_minor: row.int("stated_minor")?,
        open_minor: row.int("open_minor")?.max(0),
        issued_on: row.date("issued_on")?.to_string(),
        due_on: row.date("due_on")?.to_string(),
        effective_due: due.to_string(),
        days_late: i32::try_from(late).unwrap_or(i32::MAX),
        status,
    })
}

/// Payers, invoices and payments recorded.
pub async fn portfolio(views: &Views, tenant: &str) -> Read<proto::GetPortfolioResponse> {
    let text = "SELECT COUNT(DISTINCT CASE WHEN kind = 'issued' THEN customer_id END) AS customers, \
                COUNT(CASE WHEN kind = 'issued' THEN 1 END) AS invoices, \
                CAST(COALESCE(SUM(CASE WHEN kind = 'issued' THEN stated_minor END), 0) AS BIGINT) AS amount_minor, \
                CAST(COALESCE(SUM(CASE WHEN kind = 'payment' THEN 1 WHEN kind = 'reversal' THEN -1 ELSE 0 END), 0) AS BIGINT) AS payments \
                FROM {ledger_entry} WHERE tenant = $1";
    let rows = views.query(text, &[tenant.into()]).await?;
    let Some(row) = rows.first() else { return Ok(proto::GetPortfolioResponse::default()) };
    Ok(proto::GetPortfolioResponse {
        customers: row.int("customers")?,
        invoices: row.int("invoices")?,
        payments: row.int("payments")?,
        amount_minor: row.int("amount_minor")?,
    })
}
