//! A portfolio's facts as the invoice service publishes them, written straight to a log, and what reports must say of them.

use super::facts;
use contracts::invoice::v1 as proto;
use eventlog::{Append, Expected, Log, NewEvent};
use host::access::DEFAULT_TENANT;
use invoice::aggregate;
use kernel::{NaiveDate, calendar::add_days};
use prost::Message;
use std::ops::Range;

/// Invoices of a payer of [`quarter`]; every other one is paid.
pub const EACH: u64 = 10;
/// Invoices of a payer of [`together`].
pub const TOGETHER: u64 = 2;
/// Payers in one transaction.
const BATCH: usize = 50;
/// Days over which invoices are issued.
const DAYS: u64 = 90;
/// Days from issue to due date.
const TERM: i64 = 30;

/// A day of the year in which everything happens, counted from its first.
pub fn day(number: i64) -> NaiveDate {
    // 2026-01-01, counted from 1970-01-01.
    add_days(NaiveDate::default(), 20_454 + number)
}

/// An invoice of [`quarter`], by its number.
struct Planned {
    amount_minor: i64,
    issued_on: NaiveDate,
    due_on: NaiveDate,
    paid_on: Option<NaiveDate>,
}

fn planned(number: u64) -> Planned {
    let of = |modulus: u64| (number % modulus) as i64;
    let issued_on = day(of(DAYS));
    let due_on = add_days(issued_on, TERM);
    // From ten days early to nine late.
    let paid_on = number.is_multiple_of(2).then(|| add_days(due_on, of(40) / 2 - 10));
    Planned { amount_minor: 10_000 + of(997), issued_on, due_on, paid_on }
}

/// A payer whose invoices fall due over three months, and the payments of half of them.
pub fn quarter(payer: u64) -> Vec<NewEvent> {
    let customer_id = facts::customer(payer);
    let mut events = vec![registered(&customer_id)];
    for number in payer * EACH..(payer + 1) * EACH {
        let invoice = planned(number);
        events.push(issued(&customer_id, number, &invoice));
        events.extend(invoice.paid_on.map(|on| paid(&customer_id, number, invoice.amount_minor, on)));
    }
    events
}

/// A payer whose invoices all fall due on one day, none paid.
pub fn together(payer: u64) -> Vec<NewEvent> {
    let customer_id = facts::customer(payer);
    let invoice = Planned { amount_minor: 12_345, issued_on: day(151), due_on: day(190), paid_on: None };
    let invoices = (payer * TOGETHER..(payer + 1) * TOGETHER).map(|number| issued(&customer_id, number, &invoice));
    std::iter::once(registered(&customer_id)).chain(invoices).collect()
}

/// How many of the first invoices of [`quarter`] are open at the end of a day, and how much that is in minor units.
pub fn open_on(invoices: u64, day: NaiveDate) -> (i64, i64) {
    let open = (0..invoices).map(planned).filter(|invoice| invoice.issued_on <= day && invoice.paid_on.is_none_or(|on| on > day));
    open.fold((0, 0), |(count, minor), invoice| (count + 1, minor + invoice.amount_minor))
}

/// Appends payers' facts, each payer's stream from its beginning. Errors: the log.
pub async fn append(log: &Log, payers: Range<u64>, facts_of: fn(u64) -> Vec<NewEvent>) -> anyhow::Result<()> {
    let payers: Vec<u64> = payers.collect();
    for batch in payers.chunks(BATCH) {
        let accounts = batch.iter().map(|payer| account(*payer, facts_of(*payer))).collect();
        for outcome in log.append(accounts).await? {
            outcome?;
        }
    }
    Ok(())
}

fn account(payer: u64, events: Vec<NewEvent>) -> Append {
    let customer_id = facts::customer(payer);
    Append {
        stream: aggregate::stream(DEFAULT_TENANT, &customer_id),
        expected: Expected::Exact(0),
        events,
        meta: aggregate::meta(DEFAULT_TENANT, &customer_id),
        command: None,
        claims: Vec::new(),
        side: Vec::new(),
        answer: Vec::new(),
    }
}

fn registered(customer_id: &str) -> NewEvent {
    let attributes = proto::CustomerAttributes { state: "SP".to_owned(), ..Default::default() };
    let told = proto::CustomerRegistered { customer_id: customer_id.to_owned(), attributes: Some(attributes), ..Default::default() };
    event("CustomerRegistered", &told)
}

fn issued(customer_id: &str, number: u64, invoice: &Planned) -> NewEvent {
    let told = proto::InvoiceIssued {
        customer_id: customer_id.to_owned(),
        invoice_id: facts::invoice(number),
        amount_minor: invoice.amount_minor,
        currency: "BRL".to_owned(),
        issued_on: invoice.issued_on.to_string(),
        due_on: invoice.due_on.to_string(),
        ..Default::default()
    };
    event("InvoiceIssued", &told)
}

fn paid(customer_id: &str, number: u64, amount_minor: i64, on: NaiveDate) -> NewEvent {
    let told = proto::PaymentReceived {
        customer_id: customer_id.to_owned(),
        invoice_id: facts::invoice(number),
        payment_id: format!("payment-{number:09}"),
        amount_minor,
        currency: "BRL".to_owned(),
        paid_on: on.to_string(),
        method: "pix".to_owned(),
        applied_minor: amount_minor,
        ..Default::default()
    };
    event("PaymentReceived", &told)
}

fn event(event_type: &'static str, told: &impl Message) -> NewEvent {
    NewEvent { event_type, schema_version: 1, payload: told.encode_to_vec(), occurred_at: None, effective_on: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_quarter_stays_open() {
        assert_eq!(day(0).to_string(), "2026-01-01");
        let (count, minor) = open_on(1_000, day(365));
        assert_eq!(count, 500);
        assert!((5_000_000..=5_500_000).contains(&minor), "{minor}");
        assert_eq!(open_on(1_000, day(-1)), (0, 0));
    }

    #[test]
    fn a_payer_is_registered_before_anything_is_issued() {
        let types: Vec<_> = quarter(3).iter().map(|event| event.event_type).collect();
        assert_eq!((types[0], types.len() as u64), ("CustomerRegistered", 1 + EACH + EACH / 2));
        assert_eq!(together(3).len() as u64, 1 + TOGETHER);
    }
}
