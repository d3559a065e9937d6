//! What receivables can be paid with: numbers that are given out once, whoever asks at the same time and whatever dies.

use crate::{
    collections::{account, register},
    script::{fresh, new_invoice, play},
    site::{Client, Site, told},
};
use brazil::{boleto::Boleto, pix::BrCode};
use contracts::invoice::v1 as proto;
use eventlog::projection::Views;
use futures::{StreamExt, future, stream};
use std::{collections::BTreeSet, time::Duration};

fn issue(id: &str) -> proto::IssueInvoiceRequest {
    let invoice = proto::NewInvoice { collection_account_id: "main".into(), ..new_invoice(id, "A", 12345, "2026-03-20") };
    proto::IssueInvoiceRequest { command_id: format!("issue-{id}"), invoice: Some(invoice) }
}

async fn issued(client: &Client, id: &str) -> proto::Instruments {
    let answer = client.clone().issue_invoice(issue(id)).await.unwrap().into_inner();
    answer.invoice.unwrap().instruments.unwrap()
}

/// The running number of a title.
fn number(instruments: &proto::Instruments) -> u64 {
    let nosso_numero = &instruments.boleto.as_ref().unwrap().nosso_numero;
    nosso_numero.split_once('-').unwrap().0.parse().unwrap()
}

async fn prepare(site: &Site) {
    play(site, "register A").await;
    assert_eq!(register(&mut site.client.clone(), account("main")).await, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_has_a_boleto_and_a_pix_code_that_read_back() {
    for site in Site::every().await {
        prepare(&site).await;
        let instruments = issued(&site.client, "I1").await;
        let slip = instruments.boleto.clone().unwrap();
        let read = Boleto::from_line(&slip.line).unwrap();
        assert_eq!((read.barcode(), read.amount_cents()), (slip.bar_code.clone(), Some(12345)));
        assert_eq!(slip.nosso_numero, "000000000001-9");
        let pix = instruments.pix.clone().unwrap();
        let code = BrCode::parse(&pix.code).unwrap();
        assert_eq!(
            (code.amount_cents(), code.txid(), code.name(), code.city()),
            (Some(12345), Some(pix.txid.as_str()), "Oficina Ficticia", "Sao Paulo")
        );

        let shown = site.client.clone().get_invoice(proto::GetInvoiceRequest { invoice_id: "I1".into() }).await.unwrap();
        assert_eq!(shown.into_inner().invoice.unwrap().instruments, Some(instruments.clone()));
        // Over what is left, under the same number and id.
        play(&site, "pay P1 I1 2345\n amend I1 amount=20000 due=2026-04-01").await;
        let shown = site.client.clone().get_invoice(proto::GetInvoiceRequest { invoice_id: "I1".into() }).await.unwrap();
        let after = shown.into_inner().invoice.unwrap().instruments.unwrap();
        let (slip_after, pix_after) = (after.boleto.unwrap(), after.pix.unwrap());
        assert_eq!((&slip_after.nosso_numero, &pix_after.txid), (&slip.nosso_numero, &pix.txid));
        assert_eq!(Boleto::from_barcode(&slip_after.bar_code).unwrap().amount_cents(), Some(20000));
        assert_eq!(BrCode::parse(&pix_after.code).unwrap().amount_cents(), Some(17655));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_get_numbers_without_a_gap_and_none_twice() {
    for site in Site::every().await {
        prepare(&site).await;
        let ids: Vec<String> = (0..300).map(|n| format!("I{n:03}")).collect();
        let all = future::join_all(ids.iter().map(|id| issued(&site.client, id))).await;
        let numbers: Vec<u64> = all.iter().map(number).collect();
        let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
        assert_eq!(distinct, (1..=300).collect(), "{}", site.database);
        // The same commands again: the same answers, and no number is lost to them.
        let again = future::join_all(ids.iter().map(|id| issued(&site.client, id))).await;
        assert_eq!(again.iter().map(number).collect::<Vec<_>>(), numbers);
        assert_eq!(number(&issued(&site.client, "next").await), 301, "{}", site.database);
        let txids: BTreeSet<String> = all.into_iter().map(|one| one.pix.unwrap().txid).collect();
        assert_eq!(txids.len(), 300);
    }
}

/// What is sent twice under two keys, one by one and in a stream, takes no number from anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_sent_again_under_another_key_keeps_nobody_else_from_a_boleto() {
    for site in Site::every().await {
        prepare(&site).await;
        play(&site, "register B").await;
        assert_eq!(number(&issued(&site.client, "I1").await), 1);
        let again = |key: &str| proto::IssueInvoiceRequest { command_id: key.into(), ..issue("I1") };
        assert_eq!(told(&site.client.clone().issue_invoice(again("again")).await), "ok");
        let items = ["more", "and-more"].map(|key| {
            let proto::IssueInvoiceRequest { command_id, invoice } = again(key);
            proto::IssueInvoicesRequest { command_id, invoice }
        });
        let answers = site.client.clone().issue_invoices(stream::iter(items)).await.unwrap().into_inner();
        let errors: Vec<_> = answers.map(|answer| answer.unwrap().error).collect().await;
        assert_eq!(errors, [None, None]);
        let mut of_another = issue("I2");
        of_another.invoice.as_mut().unwrap().customer_id = "B".into();
        let answer = site.client.clone().issue_invoice(of_another).await.unwrap().into_inner();
        assert_eq!(number(&answer.invoice.unwrap().instruments.unwrap()), 2, "{}", site.database);
    }
}

/// An earlier version left names of boletos behind that no invoice has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_turns_out_to_be_taken_is_burnt_and_the_next_is_tried() {
    for site in Site::every().await {
        prepare(&site).await;
        play(&site, "register B").await;
        assert_eq!(number(&issued(&site.client, "I1").await), 1);
        let bare = |n: u64| eventlog::Append {
            stream: format!("elsewhere-{n}"),
            expected: eventlog::Expected::Any,
            events: vec![eventlog::NewEvent {
                event_type: "FromElsewhere",
                schema_version: 1,
                occurred_at: None,
                effective_on: None,
                payload: Vec::new(),
            }],
            meta: eventlog::Meta { tenant: host::access::DEFAULT_TENANT.into(), key: "elsewhere".into(), ..eventlog::Meta::default() },
            command: None,
            claims: vec![eventlog::Claim { kind: "boleto", key: format!("main/{n}") }],
            side: Vec::new(),
            answer: Vec::new(),
        };
        site.service().environment().log.append(vec![bare(2), bare(3)]).await.unwrap();
        let both = future::join(issued(&site.client, "I2"), issued(&site.client, "I3")).await;
        let numbers: BTreeSet<u64> = [number(&both.0), number(&both.1)].into();
        assert_eq!(numbers, [4, 5].into(), "{}", site.database);
        assert_eq!(number(&issued(&site.client, "I4").await), 6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_again_takes_a_new_block() {
    for mut site in Site::every().await {
        prepare(&site).await;
        assert_eq!(number(&issued(&site.client, "I1").await), 1);
        site.restart().await;
        assert_eq!(number(&issued(&site.client, "I1").await), 1, "a repeated command gets the first answer");
        assert_eq!(number(&issued(&site.client, "I2").await), 17, "{}: the rest of the first block is never used", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_over_one_log_give_out_no_number_twice() {
    // SQLite belongs to one process; where PostgreSQL is not there, nothing is left to show.
    for site in Site::every().await.into_iter().filter(|site| site.database == "postgres") {
        prepare(&site).await;
        let (service, other, process) = site.replica().await;
        let ids: Vec<String> = (0..200).map(|n| format!("I{n:03}")).collect();
        let calls = ids.iter().enumerate().map(|(n, id)| issued(if n % 2 == 0 { &site.client } else { &other }, id));
        let numbers: BTreeSet<u64> = future::join_all(calls).await.iter().map(number).collect();
        assert_eq!(numbers.len(), 200);
        process.stop.cancel();
        service.stop_within(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_stream_gets_its_numbers_in_the_order_sent_and_a_bad_item_costs_none() {
    for site in Site::every().await {
        prepare(&site).await;
        let item = |n: usize| {
            let proto::IssueInvoiceRequest { command_id, invoice } = issue(&format!("I{n:04}"));
            let mut invoice = invoice.unwrap();
            if n % 10 == 3 {
                invoice.customer_id = "nobody".into();
            }
            proto::IssueInvoicesRequest { command_id, invoice: Some(invoice) }
        };
        let answers = site.client.clone().issue_invoices(stream::iter((0..1000).map(item))).await.unwrap().into_inner();
        let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
        assert_eq!(answers.iter().filter(|answer| answer.error.is_none()).count(), 900);
        site.settle().await;
        let views = Views::of(site.service().projections().to_vec());
        let text = "SELECT invoice_id, customer_id, CAST(number AS BIGINT) AS n FROM {instrument} WHERE kind = 'boleto' AND account_id = 'main' ORDER BY 3";
        let rows = views.query(text, &[]).await.unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.int("n").unwrap()).collect();
        assert_eq!((numbers.len(), numbers[0]), (900, 1));
        let left_out = numbers[899] - 900;
        assert!(left_out <= 100, "{left_out} numbers were taken for items that were refused");
        let pix = views.query("SELECT number FROM {instrument} WHERE kind = 'pix' AND invoice_id = 'I0001'", &[]).await.unwrap();
        assert_eq!(pix[0].text("number").unwrap().len(), 25);
        for set in site.service().projections() {
            let verified = set.verify("invoice-instruments").await.unwrap();
            assert!(verified.agrees() && verified.rows == 1800, "{verified:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_account_is_for_receivables_in_reais_that_name_none() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    play(&site, "issue I1 A 100 due=2026-03-20").await;
    let mut client = site.client.clone();
    assert_eq!(register(&mut client, proto::CollectionAccount { is_default: true, ..account("other") }).await, "ok");
    play(
        &site,
        "issue I2 A 100 due=2026-03-20
         issue I3 A 100 due=2026-03-20 currency=USD
         issue I4 A 100 due=2026-03-20 currency=USD account=main => InvalidArgument instruments_currency invoice.currency
         issue I5 A 100 due=2026-03-20 account=nowhere => FailedPrecondition unknown_collection_account invoice.collection_account_id
         issue I6 A 100 due=1999-03-20 on=1999-01-01 => InvalidArgument due_factor_before_first invoice.due_on",
    )
    .await;
    let mut accounts = Vec::new();
    for id in ["I1", "I2", "I3"] {
        let found = client.get_invoice(proto::GetInvoiceRequest { invoice_id: id.into() }).await.unwrap().into_inner();
        accounts.push(found.invoice.unwrap().instruments.map(|instruments| instruments.collection_account_id).unwrap_or_default());
    }
    assert_eq!(accounts, ["", "other", ""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_whose_numbers_end_refuses_the_next_invoice() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    let mut ending = account("main");
    ending.boleto.as_mut().unwrap().first_number = 999_999_999_998;
    assert_eq!(register(&mut site.client.clone(), ending.clone()).await, "ok");
    for id in ["I1", "I2"] {
        issued(&site.client, id).await;
    }
    let refused = site.client.clone().issue_invoice(issue("I3")).await;
    assert_eq!(told(&refused), "FailedPrecondition numbers_exhausted invoice.collection_account_id");
    ending.boleto.as_mut().unwrap().wallet = "102".into();
    let request = proto::RegisterCollectionAccountRequest { command_id: fresh(), account: Some(ending) };
    let changed = site.client.clone().register_collection_account(request).await;
    assert_eq!(told(&changed), "FailedPrecondition account_in_use account.boleto");
}
