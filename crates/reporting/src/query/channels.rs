//! What each channel brought, by step.
//!
//! **The rule (last touch).** A payment counts once: for the last contact that told of its receivable, by its own step, on the day of the
//! payment or on one of the days before it (how many is asked; both days are the payer's). Civil dates have no hours, so that a payment of
//! the contact's day counts as after it. Of several messages of that contact the one counts that was read, else that was delivered, else
//! that was accepted first; one that came back counts for nothing. What went back of a payment is taken off it. A contact outside the
//! period that is asked for still takes what is its own.

use super::Read;
use chrono::{DateTime, NaiveDate, Utc};
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use sql::{Row, Value};
use std::collections::BTreeMap;

/// Which results; empty texts = all.
pub struct ChannelFilter<'a> {
    /// Ladder.
    pub policy_id: &'a str,
    /// Step.
    pub step_id: &'a str,
    /// Channel.
    pub channel: &'a str,
    /// Contacts from this day on.
    pub from: NaiveDate,
    /// Contacts until this day.
    pub until: NaiveDate,
    /// Days after a contact in which a payment counts for it.
    pub within_days: i64,
}

/// Facts until when: the end of a day, and that instant by the clock.
pub struct Until {
    /// The day.
    pub day: NaiveDate,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

/// Each try with what is known of it: `$1` tenant, `$2` day. `seen` is 2 for read, 1 for delivered; `lost` is 1 for what came back.
const TRIES: &str = "SELECT a.customer_id, a.contact_id, a.channel, a.recorded_at, a.result, COALESCE(r.seen, 0) AS seen, COALESCE(r.lost, 0) AS lost \
     FROM {contact_attempt} a LEFT JOIN (SELECT customer_id, contact_id, attempt_id, \
     MAX(CASE WHEN status = 'read' THEN 2 WHEN status = 'delivered' THEN 1 ELSE 0 END) AS seen, \
     MAX(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS lost FROM {contact_receipt} WHERE tenant = $1 AND day <= $2 \
     GROUP BY customer_id, contact_id, attempt_id) r \
     ON r.customer_id = a.customer_id AND r.contact_id = a.contact_id AND r.attempt_id = a.attempt_id WHERE a.tenant = $1";

type Key = (String, i64, String, String, String);

/// Results per step and channel, in policy order.
pub async fn channel_results(views: &Views, tenant: &str, at: &Until, filter: &ChannelFilter<'_>) -> Read<Vec<proto::ChannelResult>> {
    let mut args: Vec<Value> = vec![tenant.into(), at.day.into(), filter.from.into(), filter.until.into()];
    args.extend([filter.policy_id.into(), filter.step_id.into(), filter.channel.into()]);
    let mut results: BTreeMap<(String, String, String, String), (i64, proto::ChannelResult)> = BTreeMap::new();
    let counted = views.query(&counts(), &[&args[..], &[at.end.into()]].concat()).await?;
    for row in &counted {
        let (policy_id, ordinal, step_id, channel, currency) = key(row)?;
        let result = proto::ChannelResult {
            policy_id: policy_id.clone(),
            step_id: step_id.clone(),
            channel: channel.clone(),
            currency: currency.clone(),
            sent: row.int("sent")?,
            delivered: row.int("delivered")?,
            read: row.int("was_read")?,
            failed: row.int("failed")?,
            opted_out: row.int("opted_out")?,
            payments: 0,
            received_minor: 0,
        };
        results.insert((policy_id, step_id, channel, currency), (ordinal, result));
    }
    let paid = views.query(&money(), &[&args[..], &[filter.within_days.into()]].concat()).await?;
    for row in &paid {
        let (policy_id, _, step_id, channel, currency) = key(row)?;
        if let Some((_, result)) = results.get_mut(&(policy_id, step_id, channel, currency)) {
            result.payments = row.int("payments")?;
            result.received_minor = row.int("received_minor")?;
        }
    }
    let mut results: Vec<(i64, proto::ChannelResult)> = results.into_values().collect();
    // Stable: steps that share a place stay in order of their id.
    results.sort_by(|(a, left), (b, right)| (&left.policy_id, a).cmp(&(&right.policy_id, b)));
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

fn key(row: &Row) -> Read<Key> {
    Ok((row.text("policy_id")?, row.int("ordinal")?, row.text("step_id")?, row.text("channel")?, row.text("currency")?))
}

/// Contacts with a step of the filter, each counted once per step and channel. An opting out counts for the last message on that channel
/// before it, however long before.
fn counts() -> String {
    format!(
        "SELECT policy_id, CAST(MIN(ordinal) AS BIGINT) AS ordinal, step_id, channel, currency, CAST(SUM(sent) AS BIGINT) AS sent, \
         CAST(SUM(delivered) AS BIGINT) AS delivered, CAST(SUM(was_read) AS BIGINT) AS was_read, CAST(SUM(failed) AS BIGINT) AS failed, \
         CAST(SUM(opted_out) AS BIGINT) AS opted_out FROM \
         (SELECT n.policy_id, MIN(COALESCE(s.ordinal, 0)) AS ordinal, i.step_id, t.channel, i.currency, \
         MAX(CASE WHEN t.result = 'accepted' THEN 1 ELSE 0 END) AS sent, MAX(CASE WHEN t.seen > 0 THEN 1 ELSE 0 END) AS delivered, \
         MAX(CASE WHEN t.seen = 2 THEN 1 ELSE 0 END) AS was_read, \
         MAX(CASE WHEN t.result = 'refused' OR t.lost = 1 THEN 1 ELSE 0 END) AS failed, \
         MAX(CASE WHEN t.result = 'accepted' AND EXISTS (SELECT 1 FROM {{opt_out}} o WHERE o.tenant = $1 \
         AND o.customer_id = t.customer_id AND o.channel = t.channel AND o.recorded_at >= t.recorded_at AND o.recorded_at < $8 \
         AND NOT EXISTS (SELECT 1 FROM {{contact_attempt}} l WHERE l.tenant = $1 AND l.customer_id = t.customer_id \
         AND l.channel = t.channel AND l.result = 'accepted' AND l.recorded_at <= o.recorded_at \
         AND (l.recorded_at > t.recorded_at OR (l.recorded_at = t.recorded_at AND l.contact_id > t.contact_id)))) THEN 1 ELSE 0 END) AS opted_out \
         FROM {{contact_item}} i JOIN ({TRIES}) t ON t.customer_id = i.customer_id AND t.contact_id = i.contact_id \
         JOIN {{enrolment}} n ON n.tenant = i.tenant AND n.invoice_id = i.invoice_id \
         LEFT JOIN {{planned_step}} s ON s.tenant = i.tenant AND s.invoice_id = i.invoice_id AND s.cycle = i.cycle \
         AND s.step_id = i.step_id AND s.occurrence = i.occurrence \
         WHERE i.tenant = $1 AND i.day <= $2 AND i.day >= $3 AND i.day <= $4 AND ($5 = '' OR n.policy_id = $5) \
         AND ($6 = '' OR i.step_id = $6) AND ($7 = '' OR t.channel = $7) \
         GROUP BY n.policy_id, i.step_id, t.channel, i.currency, i.customer_id, i.contact_id) x \
         GROUP BY policy_id, step_id, channel, currency"
    )
}

/// Payments, each at its contact.
fn money() -> String {
    format!(
        "WITH money AS (SELECT customer_id, invoice_id, payment_id, MAX(paid_day) AS paid_day, CAST(SUM(amount_minor) AS BIGINT) AS amount_minor \
         FROM {{payment}} WHERE tenant = $1 AND effective_on <= $2 GROUP BY customer_id, invoice_id, payment_id HAVING SUM(amount_minor) > 0), \
         placed AS (SELECT m.amount_minor, i.invoice_id, i.step_id, i.currency, i.day, t.channel, \
         ROW_NUMBER() OVER (PARTITION BY m.customer_id, m.invoice_id, m.payment_id \
         ORDER BY i.contact_day DESC, i.recorded_at DESC, i.contact_id DESC, t.seen DESC, t.recorded_at, t.channel, i.step_id) AS place \
         FROM money m JOIN {{contact_item}} i ON i.tenant = $1 AND i.invoice_id = m.invoice_id AND i.customer_id = m.customer_id \
         AND i.contact_day <= m.paid_day AND i.contact_day >= m.paid_day - $8 \
         JOIN ({TRIES}) t ON t.customer_id = i.customer_id AND t.contact_id = i.contact_id \
         WHERE i.executed AND i.day <= $2 AND t.result = 'accepted' AND t.lost = 0) \
         SELECT n.policy_id, CAST(0 AS BIGINT) AS ordinal, p.step_id, p.channel, p.currency, COUNT(*) AS payments, \
         CAST(SUM(p.amount_minor) AS BIGINT) AS received_minor \
         FROM placed p JOIN {{enrolment}} n ON n.tenant = $1 AND n.invoice_id = p.invoice_id \
         WHERE p.place = 1 AND p.day >= $3 AND p.day <= $4 AND ($5 = '' OR n.policy_id = $5) AND ($6 = '' OR p.step_id = $6) \
         AND ($7 = '' OR p.channel = $7) GROUP BY n.policy_id, p.step_id, p.channel, p.currency"
    )
}
