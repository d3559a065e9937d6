//! Receivables and payments: what each command does, and the events that it leaves.

use crate::{
    script::{new_payment, play},
    site::Site,
};
use contracts::invoice::v1 as proto;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receivable_is_issued_amended_paid_reversed_and_cancelled() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-03-01 due=2026-03-20
             invoice I1 => I1 of A: 10000 of 10000 BRL, due 2026-03-20, open
             pay P1 I1 4000
             invoice I1 => I1 of A: 6000 of 10000 BRL, due 2026-03-20, open
             amend I1 amount=8000 due=2026-04-01
             invoice I1 => I1 of A: 4000 of 8000 BRL, due 2026-04-01, open
             pay P2 I1 4000
             invoice I1 => I1 of A: 0 of 8000 BRL, due 2026-04-01, settled
             reverse P1
             invoice I1 => I1 of A: 4000 of 8000 BRL, due 2026-04-01, open
             cancel I1
             invoice I1 => I1 of A: 0 of 8000 BRL, due 2026-04-01, cancelled
             owes A => BRL 0 credit 4000",
        )
        .await;
        let expected = "CustomerRegistered InvoiceIssued PaymentReceived InvoiceAmended PaymentReceived PaymentReversed InvoiceCancelled";
        let types: Vec<String> = site.events().await.into_iter().map(|event| event.event_type).collect();
        assert_eq!(types.join(" "), expected, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_past_the_open_amount_is_unapplied_credit() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-03-01 due=2026-03-20
             pay P1 I1 15000
             invoice I1 => I1 of A: 0 of 10000 BRL, due 2026-03-20, settled
             owes A => BRL 0 credit 5000
             pay P2 I1 1
             owes A => BRL 0 credit 5001
             amend I1 amount=7000
             owes A => BRL 0 credit 8001
             reverse P1
             owes A => BRL 7000 credit 1",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_ask_for_what_is_already_so_leave_no_event() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 10000 on=2026-03-01 due=2026-03-20\npay P1 I1 100\nissue I2 A 1 due=2026-03-20\ncancel I2")
            .await;
        let before = site.events().await.len();
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-03-01 due=2026-03-20
             pay P1 I1 100
             amend I1 amount=10000 due=2026-03-20
             cancel I2",
        )
        .await;
        assert_eq!(site.transcript(before).await, [""; 0], "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn currencies_of_one_payer_keep_apart() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 1000 due=2026-03-20
             issue I2 A 500 due=2026-03-20 currency=USD
             pay P1 I2 700
             owes A => BRL 1000 credit 0, USD 0 credit 200",
        )
        .await;
    }
}

/// The other process remembers the payer as it was before the invoice in dollars came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_without_a_currency_has_that_of_an_invoice_which_another_process_issued() {
    // SQLite belongs to one process.
    for site in Site::every().await.into_iter().filter(|site| site.database == "postgres") {
        let (service, mut other, process) = site.replica().await;
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20").await;
        let mut pay = async |command_id: &str, payment: proto::NewPayment| {
            let request = proto::RecordPaymentRequest { command_id: command_id.to_owned(), payment: Some(payment) };
            other.record_payment(request).await.unwrap().into_inner().invoice.unwrap()
        };
        assert_eq!(pay("c1", new_payment("P1", "I1", 400)).await.outstanding_minor, 600, "{}", site.database);
        play(&site, "issue I2 A 500 due=2026-03-20 currency=USD").await;
        let paid = pay("c2", new_payment("P2", "I2", 200)).await;
        assert_eq!((paid.outstanding_minor, paid.currency.as_str()), (300, "USD"), "{}", site.database);
        process.stop.cancel();
        service.stop_within(Duration::from_secs(1)).await;
    }
}
