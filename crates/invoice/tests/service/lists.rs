//! Lists: filters and pages.

use crate::{
    script::play,
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

const PORTFOLIO: &str = "
    register A segment=retail
    register B segment=retail
    register C segment=trade
    issue I-1 A 1000 due=2026-03-20 document=NF-77
    issue I-2 A 1000 due=2026-03-25
    issue I-3 B 1000 due=2026-04-01 document=I-2-copy
    issue J-1 B 1000 due=2026-04-01
    issue K-1 C 1000 due=2026-05-01
    issue OLD C 1000 on=1960-01-01 due=1965-05-01
    pay P1 I-2 1000
    pay P2 I-3 400
    cancel J-1";

async fn ids(site: &Site, request: proto::ListInvoicesRequest) -> String {
    let answer = site.client.clone().list_invoices(request).await.unwrap().into_inner();
    answer.invoices.iter().map(|invoice| invoice.invoice_id.as_str()).collect::<Vec<_>>().join(" ")
}

/// `customer=A status=open from=2026-01-01 until=2026-12-31 search=I`.
fn filter(text: &str) -> proto::ListInvoicesRequest {
    let mut request = proto::ListInvoicesRequest::default();
    for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
        let value = value.to_owned();
        match name {
            "customer" => request.customer_id = value,
            "status" => request.status = proto::InvoiceStatus::from_str_name(&format!("INVOICE_STATUS_{value}")).unwrap().into(),
            "from" => request.due_from = value,
            "until" => request.due_until = value,
            "search" => request.search = value,
            other => panic!("{other} is no filter"),
        }
    }
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_narrow_the_list_of_receivables() {
    for site in Site::every().await {
        play(&site, PORTFOLIO).await;
        site.settle().await;
        for (asked, expected) in [
            ("", "I-1 I-2 I-3 J-1 K-1 OLD"),
            ("customer=A", "I-1 I-2"),
            ("customer=nobody", ""),
            ("status=OPEN", "I-1 I-3 K-1 OLD"),
            ("status=SETTLED", "I-2"),
            ("status=CANCELLED", "J-1"),
            ("from=2026-03-25 until=2026-04-01", "I-2 I-3 J-1"),
            ("until=2026-03-20", "I-1 OLD"),
            ("from=2026-04-02", "K-1"),
            ("from=2026-05-02 until=2026-04-02", ""),
            ("search=I-2", "I-2 I-3"),
            ("search=NF-77", "I-1"),
            ("search=%", ""),
            ("search=i-2", ""),
            ("customer=B status=OPEN search=I", "I-3"),
        ] {
            assert_eq!(ids(&site, filter(asked)).await, expected, "{} {asked}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_lead_through_the_whole_list_without_repeating_or_skipping() {
    for site in Site::every().await {
        play(&site, PORTFOLIO).await;
        site.settle().await;
        let (mut token, mut pages) = (String::new(), Vec::new());
        loop {
            let request = proto::ListInvoicesRequest { page_size: 2, page_token: token, status: 1, ..Default::default() };
            let answer = site.client.clone().list_invoices(request).await.unwrap().into_inner();
            pages.push(answer.invoices.iter().map(|invoice| invoice.invoice_id.clone()).collect::<Vec<_>>().join(" "));
            token = answer.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, ["I-1 I-3", "K-1 OLD"], "{}", site.database);

        let request = proto::ListCustomersRequest { page_size: 1, segment: "retail".to_owned(), ..Default::default() };
        let first = site.client.clone().list_customers(request.clone()).await.unwrap().into_inner();
        let request = proto::ListCustomersRequest { page_token: first.next_page_token, ..request };
        let second = site.client.clone().list_customers(request).await.unwrap().into_inner();
        assert_eq!((first.customers[0].customer_id.as_str(), second.customers[0].customer_id.as_str()), ("A", "B"));
        assert_eq!(second.next_page_token, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_what_the_receivable_shows() {
    for site in Site::every().await {
        play(&site, PORTFOLIO).await;
        site.settle().await;
        for listed in site.client.clone().list_invoices(filter("")).await.unwrap().into_inner().invoices {
            let request = proto::GetInvoiceRequest { invoice_id: listed.invoice_id.clone() };
            let single = site.client.clone().get_invoice(request).await.unwrap().into_inner().invoice;
            assert_eq!(Some(listed), single, "{}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_filters_and_pages_are_refused() {
    for site in Site::every().await {
        let good = proto::ListInvoicesRequest::default;
        for (request, expected) in [
            (proto::ListInvoicesRequest { page_size: -1, ..good() }, "page_size_out_of_range page_size"),
            (proto::ListInvoicesRequest { page_size: 1001, ..good() }, "page_size_out_of_range page_size"),
            (proto::ListInvoicesRequest { page_token: "?".to_owned(), ..good() }, "page_token_malformed page_token"),
            (proto::ListInvoicesRequest { page_token: "00".to_owned(), ..good() }, "page_token_malformed page_token"),
            (proto::ListInvoicesRequest { customer_id: "\0".to_owned(), ..good() }, "id_malformed customer_id"),
            (proto::ListInvoicesRequest { search: "a\0".to_owned(), ..good() }, "text_refused search"),
            (proto::ListInvoicesRequest { search: "x".repeat(65), ..good() }, "text_refused search"),
            (proto::ListInvoicesRequest { due_from: "yesterday".to_owned(), ..good() }, "date_malformed due_from"),
            (proto::ListInvoicesRequest { due_until: "2026-02-30".to_owned(), ..good() }, "date_malformed due_until"),
            (proto::ListInvoicesRequest { status: 9, ..good() }, "unknown_status status"),
        ] {
            let got = told(&site.client.clone().list_invoices(request).await);
            assert_eq!(got, format!("InvalidArgument {expected}"), "{}", site.database);
        }
        let request = proto::ListCustomersRequest { segment: "a\0".to_owned(), ..Default::default() };
        assert_eq!(told(&site.client.clone().list_customers(request).await), "InvalidArgument text_refused segment");
    }
}
