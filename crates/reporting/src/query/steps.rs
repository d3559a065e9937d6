//! How the steps of each policy ended.

use super::Read;
use chrono::NaiveDate;
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use std::collections::BTreeMap;

/// How the occurrences of each step ended, judged at 24:00 of the day; in policy order.
///
/// A step that nobody recorded as over is expired by its dates: an engine that stood still changes nothing.
pub async fn step_results(views: &Views, tenant: &str, day: NaiveDate, policy_id: &str) -> Read<Vec<proto::StepResult>> {
    let text = "SELECT policy_id, MIN(ordinal) AS ordinal, step_id, outcome, reason, COUNT(*) AS n FROM \
                (SELECT y.policy_id, y.ordinal, y.step_id, \
                CASE WHEN y.outcome IS NOT NULL THEN y.outcome WHEN y.last_day < $2 THEN 'expired' ELSE 'open' END AS outcome, \
                CASE WHEN y.outcome IS NOT NULL THEN y.reason WHEN y.last_day < $2 \
                THEN CASE WHEN EXISTS (SELECT 1 FROM {placement} p WHERE p.tenant = $1 AND p.invoice_id = y.invoice_id \
                AND p.effective_due = y.last_day) THEN 'due_passed' ELSE 'too_old' END ELSE '' END AS reason \
                FROM (SELECT n.policy_id, s.invoice_id, s.ordinal, s.step_id, e.outcome, e.reason, \
                CASE WHEN d.known_on IS NULL THEN s.last_day ELSE d.last_day END AS last_day \
                FROM {planned_step} s JOIN {enrolment} n ON n.tenant = s.tenant AND n.invoice_id = s.invoice_id \
                LEFT JOIN {step_end} e ON e.tenant = s.tenant AND e.invoice_id = s.invoice_id AND e.cycle = s.cycle AND e.step_id = s.step_id \
                AND e.occurrence = s.occurrence AND e.ended_on <= $2 \
                LEFT JOIN {step_date} d ON d.tenant = s.tenant AND d.invoice_id = s.invoice_id AND d.cycle = s.cycle AND d.step_id = s.step_id \
                AND d.occurrence = s.occurrence AND d.known_on <= $2 \
                AND NOT EXISTS (SELECT 1 FROM {step_date} l WHERE l.tenant = d.tenant AND l.invoice_id = d.invoice_id AND l.cycle = d.cycle \
                AND l.step_id = d.step_id AND l.occurrence = d.occurrence AND l.known_on <= $2 AND l.known_on > d.known_on) \
                WHERE s.tenant = $1 AND s.known_on <= $2 AND ($3 = '' OR n.policy_id = $3)) y) x \
                GROUP BY policy_id, step_id, outcome, reason ORDER BY policy_id, step_id";
    let rows = views.query(text, &[tenant.into(), day.into(), policy_id.into()]).await?;
    let mut results: BTreeMap<(String, String), (i64, proto::StepResult)> = BTreeMap::new();
    for row in &rows {
        let key = (row.text("policy_id")?, row.text("step_id")?);
        let (policy_id, step_id) = key.clone();
        let none = || (i64::MAX, proto::StepResult { policy_id, step_id, ..Default::default() });
        let (ordinal, result) = results.entry(key).or_insert_with(none);
        // A track that came from another version has the step at the place that it had there.
        *ordinal = row.int("ordinal")?.min(*ordinal);
        count(result, &row.text("outcome")?, row.text("reason")?, row.int("n")?);
    }
    let mut results: Vec<(i64, proto::StepResult)> = results.into_values().collect();
    results.sort_by(|(a, left), (b, right)| (&left.policy_id, a, &left.step_id).cmp(&(&right.policy_id, b, &right.step_id)));
    Ok(results.into_iter().map(|(_, result)| result).collect())
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
