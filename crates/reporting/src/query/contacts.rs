//! Contacts that went out.

use super::Read;
use chrono::NaiveDate;
use contracts::reporting::v1 as proto;
use eventlog::projection::Views;
use sql::Value;

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
