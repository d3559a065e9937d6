//! The facts of one day: payers, invoices, payments, in file order, by bulk streams.

use super::clients::Clients;
use crate::portfolio::Spool;
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use futures::stream;

/// Items kept in memory at a time.
const PAGE: i64 = 2000;

/// Records everything of a day. Errors: the service refused a fact, or the file cannot be read on.
pub async fn feed(clients: &mut Clients, spool: &Spool, day: NaiveDate) -> anyhow::Result<()> {
    register(clients, spool, day).await?;
    issue(clients, spool, day).await?;
    pay(clients, spool, day).await
}

fn accepted(what: &str, id: &str, error: Option<proto::ItemError>) -> anyhow::Result<()> {
    match error {
        None => Ok(()),
        Some(error) => anyhow::bail!("{what} {id} was refused: {} {}: {}", error.reason, error.field, error.message),
    }
}

async fn register(clients: &mut Clients, spool: &Spool, day: NaiveDate) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = spool.customers(day, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        let items: Vec<proto::RegisterCustomersRequest> = page.into_iter().map(customer).collect();
        let sent = items.len();
        let mut answers = clients.invoice.register_customers(stream::iter(items)).await.context("customers")?.into_inner();
        let mut answered = 0;
        while let Some(answer) = answers.message().await? {
            answered += 1;
            accepted("customer", &answer.command_id, answer.error)?;
        }
        ensure!(answered == sent, "{answered} of {sent} customers were answered");
    }
}

fn customer(c: crate::portfolio::spool::SpooledCustomer) -> proto::RegisterCustomersRequest {
    let attributes = proto::CustomerAttributes { state: c.state, municipality: c.municipality, ..Default::default() };
    let phones = if c.phone.is_empty() { Vec::new() } else { vec![c.phone] };
    let customer = proto::Customer {
        customer_id: c.customer_id,
        name: c.name,
        tax_id: c.tax_id,
        email: c.email,
        phones,
        attributes: Some(attributes),
        // A portfolio says nothing of consent: in a replay it counts as given.
        consents: ["email", "whatsapp", "sms", "voice", "letter"].map(str::to_owned).to_vec(),
        ..Default::default()
    };
    proto::RegisterCustomersRequest { command_id: format!("replay.c{}", c.seq), customer: Some(customer) }
}

async fn issue(clients: &mut Clients, spool: &Spool, day: NaiveDate) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = spool.invoices(day, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        let items: Vec<proto::IssueInvoicesRequest> = page.into_iter().map(invoice).collect();
        let sent = items.len();
        let mut answers = clients.invoice.issue_invoices(stream::iter(items)).await.context("invoices")?.into_inner();
        let mut answered = 0;
        while let Some(answer) = answers.message().await? {
            answered += 1;
            accepted("invoice", &answer.invoice_id, answer.error)?;
        }
        ensure!(answered == sent, "{answered} of {sent} invoices were answered");
    }
}

fn invoice(i: crate::portfolio::SpooledInvoice) -> proto::IssueInvoicesRequest {
    let invoice = proto::NewInvoice {
        invoice_id: i.invoice_id,
        customer_id: i.customer_id,
        amount_minor: i.amount_minor,
        currency: i.currency,
        issued_on: i.issued_on,
        due_on: i.due_on,
        ..proto::NewInvoice::default()
    };
    proto::IssueInvoicesRequest { command_id: format!("replay.i{}", i.seq), invoice: Some(invoice) }
}

async fn pay(clients: &mut Clients, spool: &Spool, day: NaiveDate) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let (page, last) = spool.payments(day, after, PAGE).await?;
        let Some(last) = last else { return Ok(()) };
        after = last;
        let items: Vec<proto::RecordPaymentsRequest> = page.into_iter().map(|payment| paid(payment, day)).collect();
        let sent = items.len();
        let mut answers = clients.invoice.record_payments(stream::iter(items)).await.context("payments")?.into_inner();
        let mut answered = 0;
        while let Some(answer) = answers.message().await? {
            answered += 1;
            accepted("payment", &answer.payment_id, answer.error)?;
        }
        ensure!(answered == sent, "{answered} of {sent} payments were answered");
    }
}

fn paid(p: crate::portfolio::SpooledPayment, day: NaiveDate) -> proto::RecordPaymentsRequest {
    let payment = proto::NewPayment {
        payment_id: format!("p{}", p.seq),
        invoice_id: p.invoice_id,
        amount_minor: p.amount_minor,
        currency: p.currency,
        paid_on: day.to_string(),
        method: String::new(),
    };
    proto::RecordPaymentsRequest { command_id: format!("replay.p{}", p.seq), payment: Some(payment) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portfolio::{Columns, read::Rows};

    #[tokio::test]
    async fn a_municipality_that_is_none_or_not_of_the_state_is_absent_and_the_row_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let mut text = "customer_id,invoice_id,issued_on,due_on,amount,state,municipality\n".to_owned();
        for (number, place) in ["SP,3550308", "RJ,3550308", ",3550308", "SP,3550307", "SP,"].iter().enumerate() {
            text.push_str(&format!("C{number},I{number},2026-01-05,2026-01-20,10,{place}\n"));
        }
        let spool = Spool::fill(Rows::new(text.as_bytes(), Columns::default()).unwrap(), directory.path(), true, |_| ()).await.unwrap();
        let payers = spool.customers("2026-01-05".parse().unwrap(), 0, 10).await.unwrap();
        let attributes = |payer| customer(payer).customer.and_then(|customer| customer.attributes).unwrap();
        let read: Vec<(String, String)> = payers.into_iter().map(attributes).map(|a| (a.state, a.municipality)).collect();
        let expected = [("SP", "3550308"), ("RJ", ""), ("", ""), ("SP", ""), ("SP", "")];
        assert_eq!(read, expected.map(|(state, municipality)| (state.to_owned(), municipality.to_owned())));
    }
}
