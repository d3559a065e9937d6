//! Reads of unapplied payments.

use crate::wire;
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::projection::{ProjectionError, Views};
use host::request::{FIRST_DAY, Page};
use sql::{Row, Value};

/// Unapplied payments of a status in order of their day, then their id.
pub async fn list(views: &Views, tenant: &str, status: &str, page: &Page) -> Result<Vec<proto::UnappliedPayment>, ProjectionError> {
    let (day, id) = page.after.split_once(' ').unwrap_or_default();
    let day: NaiveDate = day.parse().unwrap_or(FIRST_DAY);
    let text = "SELECT * FROM {unapplied_payment} WHERE tenant = $1 AND status = $2 AND (paid_on > $3 OR (paid_on = $3 AND payment_id > $4)) \
                ORDER BY paid_on, payment_id LIMIT $5";
    let args: [Value; 5] = [tenant.into(), status.into(), day.into(), id.into(), page.limit().into()];
    views.query(text, &args).await?.iter().map(read).collect()
}

/// What the next page begins after.
pub fn key(payment: &proto::UnappliedPayment) -> String {
    payment.payment.as_ref().map(|payment| format!("{} {}", payment.paid_on, payment.payment_id)).unwrap_or_default()
}

fn read(row: &Row) -> Result<proto::UnappliedPayment, ProjectionError> {
    let payment = proto::UnappliedPaymentReceived {
        payment_id: row.text("payment_id")?,
        source: row.text("source")?,
        amount_minor: row.int("amount_minor")?,
        currency: row.text("currency")?,
        paid_on: row.date("paid_on")?.to_string(),
        reference: row.text("reference")?,
        account: row.text("account")?,
        end_to_end_id: row.text("end_to_end_id")?,
        reason: row.text("reason")?,
        suggested_invoice_id: row.text("suggested_invoice_id")?,
        fee_minor: row.int("fee_minor")?,
    };
    Ok(proto::UnappliedPayment {
        payment: Some(payment),
        status: wire::unapplied_status_of(&row.text("status")?).into(),
        returned_minor: row.int("returned_minor")?,
        invoice_id: row.text("invoice_id")?,
    })
}
