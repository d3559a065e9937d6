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
    let text = "SELECT policy_id, ordinal, step_id, outcome, reason, COUNT(*) AS n FROM \
                (SELECT n.policy_id, s.ordinal, s.step_id, \
                CASE WHEN e.outcome IS NOT NULL THEN e.outcome WHEN COALESCE(d.last_day, s.last_day) < $2 THEN 'expired' ELSE 'open' END AS outcome, \
                CASE WHEN e.outcome IS NOT NULL THEN e.reason WHEN COALESCE(d.last_day, s.last_day) < $2 \
                THEN CASE WHEN EXISTS (SELECT 1 FROM {placement} p WHERE p.tenant = s.tenant AND p.invoice_id = s.invoice_id \
                AND p.effective_due = COALESCE(d.last_day, s.last_day)) THEN 'due_passed' ELSE 'too_old' END ELSE '' END AS reason \
                FROM {planned_step} s JOIN {enrolment} n ON n.tenant = s.tenant AND n.invoice_id = s.invoice_id \
                LEFT JOIN {step_end} e ON e.tenant = s.tenant AND e.invoice_id = s.invoice_id AND e.cycle = s.cycle AND e.step_id = s.step_id \
                AND e.occurrence = s.occurrence AND e.ended_on <= $2 \
                LEFT JOIN {step_date} d ON d.tenant = s.tenant AND d.invoice_id = s.invoice_id AND d.cycle = s.cycle AND d.step_id = s.step_id \
                AND d.occurrence = s.occurrence AND d.known_on <= $2 \
                WHERE s.tenant = $1 AND s.known_on <= $2 AND ($3 = '' OR n.policy_id = $3)) x \
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
