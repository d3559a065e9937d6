//! Payments on no receivable: listed, applied once whatever dies, dismissed.

use crate::{
    pix::{notify, pix},
    script::{fresh, play},
    site::{Site, eventually, told},
};
use contracts::invoice::v1 as proto;
use eventlog::{Append, CommandKey, Expected, Meta, NewEvent};
use prost::Message;

fn end_to_end_id(n: u32) -> String {
    format!("E12345678202603091500{n:011}")
}

async fn keep(site: &Site, n: u32) -> String {
    let id = end_to_end_id(n);
    assert_eq!(notify(site, &pix(&id, "", "100.00")).await.0, 200);
    id
}

async fn apply(site: &Site, command_id: &str, payment_id: &str, invoice_id: &str) -> String {
    let request =
        proto::ApplyPaymentRequest { command_id: command_id.into(), payment_id: payment_id.into(), invoice_id: invoice_id.into() };
    told(&site.client.clone().apply_payment(request).await)
}

async fn dismiss(site: &Site, payment_id: &str, reason: &str) -> String {
    let request = proto::DismissPaymentRequest { command_id: fresh(), payment_id: payment_id.into(), reason: reason.into() };
    told(&site.client.clone().dismiss_payment(request).await)
}

async fn list(site: &Site, status: proto::UnappliedStatus, page_size: i32) -> Vec<String> {
    site.settle().await;
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = proto::ListUnappliedPaymentsRequest { status: status.into(), page_size, page_token };
        let answer = site.client.clone().list_unapplied_payments(request).await.unwrap().into_inner();
        all.extend(answer.payments.into_iter().map(|one| one.payment.unwrap().payment_id));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

const TWO_INVOICES: &str = "register A\n register B\n issue I1 A 10000 due=2026-03-20\n issue I2 B 10000 due=2026-03-20";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_puts_a_payment_on_one_receivable_and_only_there() {
    for site in Site::every().await {
        play(&site, TWO_INVOICES).await;
        let id = keep(&site, 1).await;
        assert_eq!(apply(&site, "a-1", "nothing", "I1").await, "NotFound unknown_unapplied_payment payment_id");
        assert_eq!(apply(&site, "a-2", &id, "I9").await, "NotFound unknown_invoice invoice_id");
        for _ in 0..2 {
            assert_eq!(apply(&site, "a-3", &id, "I1").await, "ok");
        }
        assert_eq!(apply(&site, "a-3", &id, "I2").await, "InvalidArgument command_reused command_id");
        assert_eq!(apply(&site, "a-4", &id, "I1").await, "ok");
        assert_eq!(apply(&site, "a-5", &id, "I2").await, "FailedPrecondition payment_applied payment_id");
        assert_eq!(dismiss(&site, &id, "spam").await, "FailedPrecondition payment_applied payment_id");
        play(&site, "balance I1 2026-03-10 => 0 BRL\n balance I2 2026-03-10 => 10000 BRL").await;
        let paid = site.events().await.iter().filter(|event| event.event_type == "PaymentReceived").count();
        assert_eq!(paid, 1, "{}", site.database);
        // The network tells of it again: known, wherever it is by now.
        keep(&site, 1).await;
        assert_eq!(list(&site, proto::UnappliedStatus::Waiting, 0).await, Vec::<String>::new());
        assert_eq!(list(&site, proto::UnappliedStatus::Applied, 0).await, std::slice::from_ref(&id));
        play(&site, &format!("reverse {id}\n balance I1 2026-03-10 => 10000 BRL")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receivable_that_refuses_gives_the_payment_back() {
    let site = Site::embedded(Default::default()).await;
    play(&site, TWO_INVOICES).await;
    play(&site, "cancel I1").await;
    let id = keep(&site, 1).await;
    assert_eq!(apply(&site, "a-1", &id, "I1").await, "FailedPrecondition invoice_cancelled invoice_id");
    assert_eq!(apply(&site, "a-1", &id, "I1").await, "FailedPrecondition payment_not_assigned payment_id");
    assert_eq!(list(&site, proto::UnappliedStatus::Waiting, 0).await, std::slice::from_ref(&id));
    assert_eq!(dismiss(&site, &id, "").await, "InvalidArgument text_refused reason");
    assert_eq!(dismiss(&site, &id, "meant for somebody else").await, "ok");
    assert_eq!(list(&site, proto::UnappliedStatus::Dismissed, 0).await, std::slice::from_ref(&id));
    assert_eq!(apply(&site, "a-2", &id, "I2").await, "ok");
    play(&site, "balance I2 2026-03-10 => 0 BRL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_paged_in_order_and_shows_what_waits() {
    for site in Site::every().await {
        play(&site, "register A").await;
        let mut ids = Vec::new();
        for n in 1..=5 {
            ids.push(keep(&site, n).await);
        }
        assert_eq!(list(&site, proto::UnappliedStatus::Unspecified, 2).await, ids, "{}", site.database);
        let wrong = proto::ListUnappliedPaymentsRequest { status: 77, ..Default::default() };
        assert_eq!(told(&site.client.clone().list_unapplied_payments(wrong).await), "InvalidArgument unknown_status status");
    }
}

/// The log and rows of a process that died after a payment was assigned.
async fn assign_and_die(site: &Site, payment_id: &str, invoice_id: &str, customer_id: &str) {
    let environment = site.service().environment();
    let stream = format!("unapplied/default/{payment_id}");
    let payload = proto::UnappliedPaymentAssigned {
        payment_id: payment_id.into(),
        invoice_id: invoice_id.into(),
        customer_id: customer_id.into(),
        amount_minor: 10000,
    };
    let event = NewEvent {
        event_type: "UnappliedPaymentAssigned",
        schema_version: 1,
        payload: payload.encode_to_vec(),
        occurred_at: None,
        effective_on: None,
    };
    let append = Append {
        stream,
        expected: Expected::Exact(1),
        events: vec![event],
        meta: Meta { tenant: "default".into(), key: "default/".into(), ..Meta::default() },
        command: None::<CommandKey>,
        claims: vec![],
        side: vec![],
        answer: vec![],
    };
    environment.log.append(vec![append]).await.unwrap().into_iter().for_each(|one| {
        one.unwrap();
    });
    leave_row(site, payment_id).await;
}

async fn leave_row(site: &Site, payment_id: &str) {
    let mut tx = site.service().environment().db.begin().await.unwrap();
    let text = "INSERT INTO unapplied_assignment (tenant, payment_id) VALUES ($1, $2)";
    tx.execute(text, &["default".into(), payment_id.into()]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_was_on_its_way_when_the_process_died_arrives_once() {
    for mut site in Site::every().await {
        play(&site, TWO_INVOICES).await;
        let (first, second) = (keep(&site, 1).await, keep(&site, 2).await);
        // Died between the two streams; and after the second, before the row was taken away.
        assign_and_die(&site, &first, "I1", "A").await;
        assert_eq!(apply(&site, "a-1", &second, "I2").await, "ok");
        leave_row(&site, &second).await;
        site.restart().await;
        eventually("both rows are taken away", || async {
            let db = &site.service().environment().db;
            db.query("SELECT payment_id FROM unapplied_assignment", &[]).await.unwrap().is_empty()
        })
        .await;
        play(&site, "balance I1 2026-03-10 => 0 BRL\n balance I2 2026-03-10 => 0 BRL").await;
        let events = site.events().await;
        let counted = |name: &str| events.iter().filter(|event| event.event_type == name).count();
        assert_eq!((counted("PaymentReceived"), counted("UnappliedPaymentApplied")), (2, 2), "{}", site.database);
    }
}
