//! Bulk streams: one answer per item in the order sent, a bad item never fails the rest, a cut stream is completed by repeating it.

use crate::{
    script::{customer, new_invoice, new_payment, play},
    site::{Client, Site, eventually, told_item},
};
use contracts::invoice::v1 as proto;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

fn issue(n: usize, change: impl FnOnce(&mut proto::NewInvoice)) -> proto::IssueInvoicesRequest {
    let mut invoice = new_invoice(&format!("I{n:05}"), "A", 1000, "2026-03-20");
    change(&mut invoice);
    proto::IssueInvoicesRequest { command_id: format!("issue-{n}"), invoice: Some(invoice) }
}

fn pay(n: usize, invoice_id: &str, amount_minor: i64) -> proto::RecordPaymentsRequest {
    let payment = new_payment(&format!("P{n:05}"), invoice_id, amount_minor);
    proto::RecordPaymentsRequest { command_id: format!("pay-{n}"), payment: Some(payment) }
}

async fn issue_all(
    mut client: Client,
    items: impl Stream<Item = proto::IssueInvoicesRequest> + Send + 'static,
) -> Vec<proto::IssueInvoicesResponse> {
    let answers = client.issue_invoices(items).await.unwrap().into_inner();
    answers.map(Result::unwrap).collect().await
}

async fn pay_all(site: &Site, items: Vec<proto::RecordPaymentsRequest>) -> Vec<proto::RecordPaymentsResponse> {
    let answers = site.client.clone().record_payments(stream::iter(items)).await.unwrap().into_inner();
    answers.map(Result::unwrap).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_items_among_good_ones_are_answered_in_order_and_fail_nothing_else() {
    for site in Site::every().await {
        play(&site, "register A").await;
        let items = (0..1500).map(|n| match n % 5 {
            1 => issue(n, |invoice| invoice.amount_minor = 0),
            2 => issue(n, |invoice| invoice.customer_id = "X".to_owned()),
            3 => proto::IssueInvoicesRequest { command_id: format!("issue-{n}"), invoice: None },
            _ => issue(n, |_| {}),
        });
        let answers = issue_all(site.client.clone(), stream::iter(items)).await;
        assert_eq!(answers.len(), 1500);
        for (n, answer) in answers.iter().enumerate() {
            let expected = match n % 5 {
                1 => "InvalidArgument amount_not_positive invoice.amount_minor",
                2 => "NotFound unknown_customer invoice.customer_id",
                3 => "InvalidArgument missing invoice",
                _ => "ok",
            };
            assert_eq!((answer.command_id.as_str(), told_item(&answer.error).as_str()), (format!("issue-{n}").as_str(), expected));
        }
        assert_eq!(site.events().await.len(), 1 + 600, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_decided_in_the_order_in_which_they_were_sent() {
    for site in Site::every().await {
        // Each registration replaces the one before: the last one sent must be the one that holds, and each is an event.
        let registration = |n: usize| {
            let attributes = proto::CustomerAttributes { segment: format!("s{n}"), ..Default::default() };
            let customer = proto::Customer { attributes: Some(attributes), ..customer("A") };
            proto::RegisterCustomersRequest { command_id: format!("register-{n}"), customer: Some(customer) }
        };
        let answers = site.client.clone().register_customers(stream::iter((0..3000).map(registration))).await.unwrap().into_inner();
        let errors = answers.filter(|answer| futures::future::ready(answer.as_ref().unwrap().error.is_some())).count().await;
        assert_eq!(errors, 0);
        let segments: Vec<String> = site
            .events()
            .await
            .iter()
            .map(|event| <proto::CustomerAmended as prost::Message>::decode(event.payload.as_slice()).unwrap())
            .map(|event| event.attributes.unwrap().segment)
            .collect();
        let expected: Vec<String> = (0..3000).map(|n| format!("s{n}")).collect();
        let wrong = segments.iter().zip(&expected).position(|(got, wanted)| got != wanted);
        assert_eq!((wrong, segments.len()), (None, 3000), "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_of_one_invoice_keep_their_order() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 100000 due=2026-03-20").await;
        let answers = pay_all(&site, (0..1200).map(|n| pay(n, "I1", 100)).collect()).await;
        for (n, answer) in (1..).zip(&answers) {
            let got = (told_item(&answer.error), answer.outstanding_minor);
            assert_eq!(got, ("ok".to_owned(), (100_000 - n * 100).max(0)), "{}: payment {n}", site.database);
        }
        play(&site, "owes A => BRL 0 credit 20000").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_payments_of_a_stream_are_told_one_by_one() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20\nissue VOID A 1000 due=2026-03-20\ncancel VOID").await;
        let usd = proto::NewPayment { currency: "USD".to_owned(), ..new_payment("PX", "I1", 100) };
        let items = vec![
            pay(0, "I1", 400),
            pay(1, "NONE", 400),
            pay(2, "VOID", 400),
            proto::RecordPaymentsRequest { command_id: "usd".to_owned(), payment: Some(usd) },
            proto::RecordPaymentsRequest { command_id: String::new(), payment: Some(new_payment("PY", "I1", 1)) },
            pay(0, "I1", 400),
            pay(0, "I1", 401),
            pay(3, "I1", 700),
        ];
        let answers = pay_all(&site, items).await;
        let told: Vec<String> = answers.iter().map(|a| format!("{} {}", told_item(&a.error), a.outstanding_minor)).collect();
        let expected = [
            "ok 600",
            "NotFound unknown_invoice payment.invoice_id 0",
            "FailedPrecondition invoice_cancelled payment.invoice_id 0",
            "InvalidArgument currency_mismatch payment.currency 0",
            "InvalidArgument command_id_malformed command_id 0",
            "ok 600",
            "InvalidArgument command_reused command_id 0",
            "ok 0",
        ];
        assert_eq!(told, expected, "{}", site.database);
        // A single call with the key and the body of an item is that item.
        let single = proto::RecordPaymentRequest { command_id: "pay-0".to_owned(), payment: Some(new_payment("P00000", "I1", 400)) };
        let answer = site.client.clone().record_payment(single).await.unwrap().into_inner();
        assert_eq!(answer.invoice.unwrap().outstanding_minor, 600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_while_the_stream_is_still_open() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    let (send, items) = mpsc::channel(1);
    let mut answers = site.client.clone().issue_invoices(ReceiverStream::new(items)).await.unwrap().into_inner();
    for n in 0..3 {
        send.send(issue(n, |_| {})).await.unwrap();
        assert_eq!(answers.next().await.unwrap().unwrap().command_id, format!("issue-{n}"));
        assert_eq!(site.events().await.len(), n + 2, "what is answered is durable");
    }
    drop(send);
    assert!(answers.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_cut_and_repeated_whole_doubles_nothing_and_does_all() {
    for site in Site::every().await {
        play(&site, "register A").await;
        let total = 2000;
        let items = || stream::iter((0..2000).map(|n| issue(n, |_| {})));
        for cut in [1, 300, 900] {
            let mut answers = site.client.clone().issue_invoices(items()).await.unwrap().into_inner();
            for n in 0..cut {
                let answer = answers.next().await.unwrap().unwrap();
                assert_eq!((answer.command_id, told_item(&answer.error)), (format!("issue-{n}"), "ok".to_owned()));
            }
            drop(answers);
        }
        // Whatever was on its way when the stream was cut ends before or after the repetition: it is the same commands.
        let answers = issue_all(site.client.clone(), items()).await;
        assert!(answers.iter().all(|answer| answer.error.is_none()) && answers.len() == total);
        eventually("the writer is idle", || async { site.activity.busy().is_empty() }).await;
        let events = site.events().await;
        assert_eq!(events.len(), 1 + total, "{}", site.database);
        assert!(events.windows(2).all(|pair| pair[1].version == pair[0].version + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_streams_with_the_same_items_side_by_side_do_each_item_once() {
    for site in Site::every().await {
        play(&site, "register A").await;
        let items = || stream::iter((0..800).map(|n| issue(n, |_| {})));
        let (one, other) = futures::join!(issue_all(site.client.clone(), items()), issue_all(site.client.clone(), items()));
        assert_eq!(one, other);
        assert!(one.iter().all(|answer| answer.error.is_none()));
        assert_eq!(site.events().await.len(), 801, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_stream_is_answered_with_nothing() {
    let site = Site::embedded(Default::default()).await;
    assert!(issue_all(site.client.clone(), stream::empty()).await.is_empty());
}
