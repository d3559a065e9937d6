//! Same key, same body: the same answer for ever, and one event. Same key, another body: refused.

use crate::{
    script::{customer, new_invoice, new_payment, play},
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

fn key() -> String {
    "the-key".to_owned()
}

fn issue(invoice: proto::NewInvoice) -> proto::IssueInvoiceRequest {
    proto::IssueInvoiceRequest { command_id: key(), invoice: Some(invoice) }
}

fn pay(payment: proto::NewPayment) -> proto::RecordPaymentRequest {
    proto::RecordPaymentRequest { command_id: key(), payment: Some(payment) }
}

fn amend(amount_minor: i64) -> proto::AmendInvoiceRequest {
    proto::AmendInvoiceRequest {
        command_id: key(),
        invoice_id: "I1".to_owned(),
        amount_minor: Some(amount_minor),
        due_on: None,
        automatic_debit_on: None,
    }
}

fn cancel(reason: &str) -> proto::CancelInvoiceRequest {
    proto::CancelInvoiceRequest { command_id: key(), invoice_id: "I1".to_owned(), reason: reason.to_owned() }
}

fn reverse(reason: &str) -> proto::ReversePaymentRequest {
    proto::ReversePaymentRequest { command_id: key(), payment_id: "P1".to_owned(), reason: reason.to_owned() }
}

const REUSED: &str = "InvalidArgument command_reused command_id";

/// Calls, lets the world move on, calls again: the answers are equal, the second call left no event, and another body is refused.
macro_rules! same_answer {
    ($site:expr, $before:expr, $call:ident($good:expr), $meanwhile:expr, $other:expr) => {{
        let site = $site;
        play(site, $before).await;
        let mut client = site.client.clone();
        let first = client.$call($good).await.unwrap().into_inner();
        play(site, $meanwhile).await;
        site.go_to("2026-03-11");
        let events = site.events().await.len();
        let second = client.$call($good).await.unwrap().into_inner();
        assert_eq!(first, second, "{}", site.database);
        assert_eq!(told(&client.$call($other).await), REUSED, "{}", site.database);
        assert_eq!(site.events().await.len(), events, "{}", site.database);
        first
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_registration_gets_the_same_answer() {
    for site in Site::every().await {
        let register = |id: &str| proto::RegisterCustomerRequest { command_id: key(), customer: Some(customer(id)) };
        same_answer!(&site, "", register_customer(register("A")), "erase A", register("B"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_erasure_gets_the_same_answer() {
    for site in Site::every().await {
        let erase = |id: &str| proto::EraseCustomerRequest { command_id: key(), customer_id: id.to_owned() };
        same_answer!(&site, "register A\nregister B", erase_customer(erase("A")), "", erase("B"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_issue_gets_the_same_answer_though_the_invoice_was_paid_meanwhile() {
    for site in Site::every().await {
        // The day of issue is left to the service: the next day the same body still is the same command.
        let good = || issue(new_invoice("I1", "A", 1000, "2026-03-20"));
        let other = issue(new_invoice("I1", "A", 1001, "2026-03-20"));
        let answer = same_answer!(&site, "register A", issue_invoice(good()), "pay P1 I1 1000", other);
        let invoice = answer.invoice.unwrap();
        assert_eq!((invoice.outstanding_minor, invoice.issued_on.as_str()), (1000, "2026-03-10"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_amendment_gets_the_same_answer() {
    for site in Site::every().await {
        let before = "register A\nissue I1 A 1000 due=2026-03-20";
        let answer = same_answer!(&site, before, amend_invoice(amend(900)), "amend I1 amount=500", amend(901));
        assert_eq!(answer.invoice.unwrap().amount_minor, 900);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_cancellation_gets_the_same_answer() {
    for site in Site::every().await {
        let before = "register A\nissue I1 A 1000 due=2026-03-20";
        same_answer!(&site, before, cancel_invoice(cancel("twice")), "", cancel("other"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_payment_gets_the_same_answer_though_it_was_reversed_meanwhile() {
    for site in Site::every().await {
        let before = "register A\nissue I1 A 1000 due=2026-03-20";
        let good = || pay(new_payment("P1", "I1", 1200));
        let answer = same_answer!(&site, before, record_payment(good()), "reverse P1", pay(new_payment("P1", "I1", 1201)));
        assert_eq!((answer.invoice.unwrap().outstanding_minor, answer.unapplied_minor), (0, 200));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_reversal_gets_the_same_answer() {
    for site in Site::every().await {
        let before = "register A\nissue I1 A 1000 due=2026-03-20\npay P1 I1 1000";
        let answer = same_answer!(&site, before, reverse_payment(reverse("bounced")), "pay P2 I1 300", reverse("other"));
        assert_eq!(answer.invoice.unwrap().outstanding_minor, 1000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_for_two_kinds_of_command_is_refused() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20\npay P1 I1 1000").await;
        let mut client = site.client.clone();
        client.cancel_invoice(cancel("same shape")).await.unwrap();
        // The bytes of both messages are equal; the commands are not.
        let other = proto::ReversePaymentRequest { command_id: key(), payment_id: "I1".to_owned(), reason: "same shape".to_owned() };
        assert_eq!(prost::Message::encode_to_vec(&other), prost::Message::encode_to_vec(&cancel("same shape")));
        play(&site, "issue I2 A 100 due=2026-03-20\npay I1 I2 100").await;
        assert_eq!(told(&client.reverse_payment(other).await), REUSED, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_of_another_tenant_is_another_command() {
    for site in Site::every().await {
        let mut client = site.client.clone();
        let register = |id: &str| proto::RegisterCustomerRequest { command_id: key(), customer: Some(customer(id)) };
        client.register_customer(register("A")).await.unwrap();
        client.register_customer(crate::site::as_tenant(register("B"), "other")).await.unwrap();
        assert_eq!(site.transcript(0).await, ["account/default/A@1 CustomerRegistered", "account/other/B@1 CustomerRegistered"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_command_may_be_repeated_once_the_reason_is_gone() {
    for site in Site::every().await {
        let mut client = site.client.clone();
        let good = || issue(new_invoice("I1", "A", 1000, "2026-03-20"));
        assert_eq!(told(&client.issue_invoice(good()).await), "NotFound unknown_customer invoice.customer_id");
        play(&site, "register A").await;
        assert_eq!(told(&client.issue_invoice(good()).await), "ok", "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_with_one_key_cause_one_event() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20").await;
        let before = site.events().await.len();
        let calls = (0..100).map(|_| {
            let mut client = site.client.clone();
            async move { client.record_payment(pay(new_payment("P1", "I1", 1500))).await.unwrap().into_inner() }
        });
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.unapplied_minor == 500));
        assert_eq!(site.events().await.len(), before + 1, "{}", site.database);
    }
}
