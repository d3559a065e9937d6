//! SQL reads.

mod listing;

pub use listing::{ListingFilter, listings, listings_of, open_listings, removals, unsettled_listings};

use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use sql::Row;

/// Separates the parts of a page key: no id holds it.
const SEPARATOR: char = ' ';
/// Later than any day of a task; both databases hold it.
const AFTER_ALL_DAYS: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day of the calendar");

/// Filter of a list.
pub struct Filter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// Phase of tracks; empty = all.
    pub word: &'a str,
    /// Key of the last row of the page before; empty = from the start.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Tracks in order of their receivable's id, without steps.
pub async fn tracks(views: &Views, filter: Filter<'_>) -> Result<Vec<proto::Track>, ProjectionError> {
    let text = "SELECT * FROM {track} WHERE tenant = $1 AND invoice_id > $2 AND ($3 = '' OR customer_id = $3) \
                AND ($4 = '' OR phase = $4) ORDER BY invoice_id LIMIT $5";
    let args = [filter.tenant.into(), filter.after.into(), filter.customer_id.into(), filter.word.into(), filter.limit.into()];
    views.query(text, &args).await?.iter().map(read_track).collect()
}

/// One track, without steps; `None` where the receivable is not enrolled.
pub async fn track(views: &Views, tenant: &str, invoice_id: &str) -> Result<Option<proto::Track>, ProjectionError> {
    let text = "SELECT * FROM {track} WHERE tenant = $1 AND invoice_id = $2";
    views.query(text, &[tenant.into(), invoice_id.into()]).await?.first().map(read_track).transpose()
}

/// Payers with running tracks of a policy version, by id, after one.
pub async fn payers_on(
    views: &Views,
    tenant: &str,
    (policy_id, policy_version): (&str, u32),
    (after, limit): (&str, i64),
) -> Result<Vec<String>, ProjectionError> {
    let text = "SELECT DISTINCT customer_id FROM {track} WHERE tenant = $1 AND customer_id > $2 AND policy_id = $3 AND policy_version = $4 \
                AND phase IN ('enrolled', 'active') ORDER BY customer_id LIMIT $5";
    let args = [tenant.into(), after.into(), policy_id.into(), policy_version.into(), limit.into()];
    Ok(views.query(text, &args).await?.iter().map(|row| row.text("customer_id")).collect::<Result<_, _>>()?)
}

/// Running tracks of a policy version.
pub async fn tracks_on(views: &Views, tenant: &str, (policy_id, policy_version): (&str, u32)) -> Result<u64, ProjectionError> {
    let text = "SELECT COUNT(*) AS tracks FROM {track} WHERE tenant = $1 AND policy_id = $2 AND policy_version = $3 \
                AND phase IN ('enrolled', 'active')";
    let rows = views.query(text, &[tenant.into(), policy_id.into(), policy_version.into()]).await?;
    let tracks = rows.first().map(|row| row.int("tracks")).transpose()?.unwrap_or(0);
    Ok(tracks.unsigned_abs())
}

/// Payers with running tracks, by id, after one.
pub async fn running_payers(views: &Views, tenant: &str, (after, limit): (&str, i64)) -> Result<Vec<String>, ProjectionError> {
    let text = "SELECT DISTINCT customer_id FROM {track} WHERE tenant = $1 AND customer_id > $2 AND phase IN ('enrolled', 'active') \
                ORDER BY customer_id LIMIT $3";
    let rows = views.query(text, &[tenant.into(), after.into(), limit.into()]).await?;
    Ok(rows.iter().map(|row| row.text("customer_id")).collect::<Result<_, _>>()?)
}

fn small(row: &Row, column: &str) -> Result<u32, ProjectionError> {
    Ok(u32::try_from(row.int(column)?).unwrap_or(u32::MAX))
}

fn read_track(row: &Row) -> Result<proto::Track, ProjectionError> {
    Ok(proto::Track {
        invoice_id: row.text("invoice_id")?,
        customer_id: row.text("customer_id")?,
        policy_id: row.text("policy_id")?,
        policy_version: small(row, "policy_version")?,
        cycle: small(row, "cycle")?,
        phase: row.text("phase")?,
        due_on: row.date("due_on")?.to_string(),
        effective_due: row.date("effective_due")?.to_string(),
        outstanding_minor: row.int("outstanding_minor")?,
        currency: row.text("currency")?,
        steps: Vec::new(),
    })
}

/// The step occurrences of a track, by cycle and policy order, as they are stored.
pub async fn steps(views: &Views, tenant: &str, invoice_id: &str) -> Result<Vec<proto::StepOccurrence>, ProjectionError> {
    let text = "SELECT * FROM {step_occurrence} WHERE tenant = $1 AND invoice_id = $2 ORDER BY cycle, place, occurrence";
    views.query(text, &[tenant.into(), invoice_id.into()]).await?.iter().map(read_step).collect()
}

fn read_step(row: &Row) -> Result<proto::StepOccurrence, ProjectionError> {
    let date = |column: &str| row.opt_date(column).map(|day| day.map(|day| day.to_string()).unwrap_or_default());
    Ok(proto::StepOccurrence {
        cycle: small(row, "cycle")?,
        step_id: row.text("step_id")?,
        occurrence: small(row, "occurrence")?,
        planned_on: date("planned_on")?,
        last_day: date("last_day")?,
        status: row.text("status")?,
        reason: row.text("reason")?,
        ended_on: date("ended_on")?,
        contact_id: row.text("contact_id")?,
        channel: row.text("channel")?,
    })
}

/// What was decided about an occurrence on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The receivable.
    pub invoice_id: String,
    /// Its cycle.
    pub cycle: u32,
    /// The step.
    pub step_id: String,
    /// Its occurrence.
    pub occurrence: u32,
    /// `offered`, `approval_requested`, `deferred`, or the end.
    pub decision: String,
    /// Slug; may be empty.
    pub reason: String,
    /// The step in whose favour it was superseded; may be empty.
    pub by_step_id: String,
    /// The contact; may be empty.
    pub contact_id: String,
    /// The channel that accepted it; may be empty.
    pub channel: String,
}

/// What was decided about a payer's steps on a local day.
pub async fn decisions(views: &Views, tenant: &str, customer_id: &str, day: NaiveDate) -> Result<Vec<Decision>, ProjectionError> {
    let text =
        "SELECT * FROM {decision} WHERE tenant = $1 AND customer_id = $2 AND day = $3 ORDER BY invoice_id, cycle, step_id, occurrence";
    let rows = views.query(text, &[tenant.into(), customer_id.into(), day.into()]).await?;
    let read = |row: &Row| {
        Ok(Decision {
            invoice_id: row.text("invoice_id")?,
            cycle: small(row, "cycle")?,
            step_id: row.text("step_id")?,
            occurrence: small(row, "occurrence")?,
            decision: row.text("decision")?,
            reason: row.text("reason")?,
            by_step_id: row.text("by_step_id")?,
            contact_id: row.text("contact_id")?,
            channel: row.text("channel")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Filter of a list of tasks.
pub struct TaskFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// Empty = all.
    pub invoice_id: &'a str,
    /// Empty = all.
    pub reason: &'a str,
    /// `open`, `snoozed`, `done`, `void`, `all`.
    pub status: &'a str,
    /// The tenant's civil day: what is snoozed past it is not open.
    pub today: NaiveDate,
    /// Key of the last row of the page before; empty = from the start.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Tasks, the newest day first, with the key of each for the next page.
pub async fn tasks(views: &Views, filter: TaskFilter<'_>) -> Result<Vec<(proto::Task, String)>, ProjectionError> {
    let mut key = filter.after.split(SEPARATOR);
    let mut part = || key.next().unwrap_or("").to_owned();
    let (day, invoice_id, cycle, reason, step_id) = (part(), part(), part(), part(), part());
    let (day, cycle) = (day.parse().unwrap_or(AFTER_ALL_DAYS), cycle.parse::<i64>().unwrap_or(-1));
    let text = "SELECT * FROM {task} WHERE tenant = $1 AND ($2 = '' OR customer_id = $2) AND ($3 = '' OR reason = $3) \
                AND (day < $4 OR (day = $4 AND (invoice_id, cycle, reason, step_id) > ($5, $6, $7, $8))) \
                AND ($10 = '' OR invoice_id = $10) AND ($11 = 'all' \
                OR ($11 = 'open' AND status = 'open' AND (snoozed_until IS NULL OR snoozed_until <= $12)) \
                OR ($11 = 'snoozed' AND status = 'open' AND snoozed_until > $12) \
                OR ($11 = 'done' AND status IN ('done', 'approved', 'refused')) OR ($11 = 'void' AND status = 'void')) \
                ORDER BY day DESC, invoice_id, cycle, reason, step_id LIMIT $9";
    let args = [
        filter.tenant.into(),
        filter.customer_id.into(),
        filter.reason.into(),
        day.into(),
        invoice_id.into(),
        cycle.into(),
        reason.into(),
        step_id.into(),
        filter.limit.into(),
        filter.invoice_id.into(),
        filter.status.into(),
        filter.today.into(),
    ];
    views.query(text, &args).await?.iter().map(read_task).collect()
}

fn read_task(row: &Row) -> Result<(proto::Task, String), ProjectionError> {
    let date = |column: &str| row.opt_date(column).map(|day| day.map(|day| day.to_string()).unwrap_or_default());
    let mut task = proto::Task {
        invoice_id: row.text("invoice_id")?,
        customer_id: row.text("customer_id")?,
        cycle: small(row, "cycle")?,
        step_id: row.text("step_id")?,
        reason: row.text("reason")?,
        day: row.date("day")?.to_string(),
        until: date("until")?,
        task_id: String::new(),
        status: row.text("status")?,
        snoozed_until: date("snoozed_until")?,
        by: row.text("attended_by")?,
        note: row.text("note")?,
        ended_on: date("ended_on")?,
    };
    task.task_id = crate::wire::task_id(&task);
    let key = [&task.day, &task.invoice_id, &task.cycle.to_string(), &task.reason, &task.step_id]
        .map(String::as_str)
        .join(&SEPARATOR.to_string());
    Ok((task, key))
}

/// Filter of a list of arrangements.
pub struct ArrangementFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Empty = all.
    pub customer_id: &'a str,
    /// Empty = all.
    pub invoice_id: &'a str,
    /// Empty = all.
    pub kind: &'a str,
    /// Only those that count on this day.
    pub open_on: Option<NaiveDate>,
    /// Key of the last row of the page before; empty = from the start.
    pub after: &'a str,
    /// At most this many.
    pub limit: i64,
}

/// Arrangements, by payer, arrangement and receivable.
pub async fn arrangements(views: &Views, filter: ArrangementFilter<'_>) -> Result<Vec<proto::Arrangement>, ProjectionError> {
    let mut key = filter.after.split(SEPARATOR);
    let mut part = || key.next().unwrap_or("").to_owned();
    let (customer_id, arrangement_id, invoice_id) = (part(), part(), part());
    let text = "SELECT * FROM {arrangement} WHERE tenant = $1 AND ($2 = '' OR customer_id = $2) AND ($3 = '' OR invoice_id = $3) \
                AND ($4 = '' OR kind = $4) AND ($5 = 0 OR (ended_as = '' AND (until IS NULL OR until >= $6))) \
                AND (customer_id, arrangement_id, invoice_id) > ($7, $8, $9) \
                ORDER BY customer_id, arrangement_id, invoice_id LIMIT $10";
    let args = [
        filter.tenant.into(),
        filter.customer_id.into(),
        filter.invoice_id.into(),
        filter.kind.into(),
        i64::from(filter.open_on.is_some()).into(),
        filter.open_on.unwrap_or(AFTER_ALL_DAYS).into(),
        customer_id.into(),
        arrangement_id.into(),
        invoice_id.into(),
        filter.limit.into(),
    ];
    views.query(text, &args).await?.iter().map(read_arrangement).collect()
}

/// Key of a row for the next page.
pub fn arrangement_key(row: &proto::Arrangement) -> String {
    [row.customer_id.as_str(), &row.arrangement_id, &row.invoice_id].join(&SEPARATOR.to_string())
}

fn read_arrangement(row: &Row) -> Result<proto::Arrangement, ProjectionError> {
    let date = |column: &str| row.opt_date(column).map(|day| day.map(|day| day.to_string()).unwrap_or_default());
    Ok(proto::Arrangement {
        arrangement_id: row.text("arrangement_id")?,
        customer_id: row.text("customer_id")?,
        invoice_id: row.text("invoice_id")?,
        kind: row.text("kind")?,
        since: row.date("since")?.to_string(),
        until: date("until")?,
        review_on: date("review_on")?,
        amount_minor: row.int("amount_minor")?,
        promised_on: date("promised_on")?,
        method: row.text("method")?,
        by: row.text("ordered_by")?,
        reason: row.text("reason")?,
        end: row.text("ended_as")?,
        ended_on: date("ended_on")?,
        received_minor: row.int("received_minor")?,
        ended_by: row.text("ended_by")?,
        end_reason: row.text("end_reason")?,
    })
}
