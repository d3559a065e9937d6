//! The list of receivables, and the portfolio.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;

const FACTS: &str = "
    2026-03-01 customer A retail
    2026-03-01 customer B trade
    2026-03-01 authorised A
    2026-03-01 issued OPEN A 1000 due=2026-04-10
    2026-03-01 issued LATE A 1000 due=2026-03-07
    2026-03-01 enrolled LATE padrao effective=2026-03-09
    2026-03-01 issued PAID B 500 due=2026-03-10
    2026-03-01 issued VOID B 700 due=2026-03-10
    2026-03-01 issued USD B 900 due=2026-03-11 in=USD
    2026-03-05 paid P1 PAID 500
    2026-03-06 paid P2 VOID 100
    2026-03-08 cancelled VOID
    2026-03-09 authorised B
    2026-03-10 paid P3 LATE 400
    2026-03-12 reversed P2
    2026-03-12 amended OPEN amount=900 due=2026-05-01
    2026-03-12 erased B";

fn ask(text: &str) -> proto::ListReceivablesRequest {
    let mut request = proto::ListReceivablesRequest::default();
    for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
        let value = value.to_owned();
        match name {
            "on" => request.as_of = value,
            "customer" => request.customer_id = value,
            "segment" => request.segment = value,
            "status" => request.status = value,
            other => panic!("{other} is no filter"),
        }
    }
    request
}

async fn list(site: &Site, request: proto::ListReceivablesRequest) -> proto::ListReceivablesResponse {
    site.client.clone().list_receivables(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_receivable_is_shown_as_it_stood_at_the_end_of_the_day() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let line = |r: &proto::Receivable| {
            let proto::Receivable { invoice_id, open_minor, amount_minor, due_on, effective_due, days_late, status, .. } = r;
            format!("{invoice_id} {open_minor}/{amount_minor} {due_on} {effective_due} {days_late} {status}")
        };
        for (day, expected) in [
            ("2026-02-28", vec![]),
            (
                "2026-03-07",
                vec![
                    "LATE 1000/1000 2026-03-07 2026-03-09 0 open",
                    "OPEN 1000/1000 2026-04-10 2026-04-10 0 open",
                    "PAID 0/500 2026-03-10 2026-03-10 0 settled",
                    "USD 900/900 2026-03-11 2026-03-11 0 open",
                    "VOID 600/700 2026-03-10 2026-03-10 0 open",
                ],
            ),
            (
                "2026-03-12",
                vec![
                    "LATE 600/1000 2026-03-07 2026-03-09 3 overdue",
                    "OPEN 900/900 2026-05-01 2026-05-01 0 open",
                    "PAID 0/500 2026-03-10 2026-03-10 0 settled",
                    "USD 900/900 2026-03-11 2026-03-11 1 overdue",
                    "VOID 0/700 2026-03-10 2026-03-10 0 cancelled",
                ],
            ),
        ] {
            let listed = list(&site, ask(&format!("on={day}"))).await.receivables;
            assert_eq!(listed.iter().map(line).collect::<Vec<_>>(), expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receivable_has_its_payer_segment_and_dates() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let listed = list(&site, ask("customer=B status=overdue on=2026-03-12")).await.receivables;
        let expected = proto::Receivable {
            invoice_id: "USD".to_owned(),
            customer_id: "B".to_owned(),
            segment: "trade".to_owned(),
            currency: "USD".to_owned(),
            amount_minor: 900,
            open_minor: 900,
            issued_on: "2026-03-01".to_owned(),
            due_on: "2026-03-11".to_owned(),
            effective_due: "2026-03-11".to_owned(),
            days_late: 1,
            status: "overdue".to_owned(),
        };
        assert_eq!(listed, [expected], "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_and_pages_narrow_the_list() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        for (asked, expected) in [
            ("on=2026-03-12", "LATE OPEN PAID USD VOID"),
            ("on=2026-03-12 customer=A", "LATE OPEN"),
            ("on=2026-03-12 segment=trade", "PAID USD VOID"),
            ("on=2026-03-12 status=open", "OPEN"),
            ("on=2026-03-12 status=overdue", "LATE USD"),
            ("on=2026-03-12 status=settled", "PAID"),
            ("on=2026-03-12 status=cancelled", "VOID"),
            ("on=2026-03-07 status=cancelled", ""),
            ("on=2026-03-04 status=settled", ""),
            ("customer=nobody", ""),
        ] {
            let whole = list(&site, ask(asked)).await;
            let ids = |r: &proto::ListReceivablesResponse| r.receivables.iter().map(|r| r.invoice_id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&whole).join(" "), expected, "{} {asked}", site.database);
            let (mut token, mut paged) = (String::new(), Vec::new());
            loop {
                let page = list(&site, proto::ListReceivablesRequest { page_size: 2, page_token: token, ..ask(asked) }).await;
                assert!(page.receivables.len() <= 2);
                paged.extend(ids(&page));
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(paged, ids(&whole), "{} {asked}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portfolio_counts_facts() {
    for site in Site::every().await {
        let portfolio = || async { site.client.clone().get_portfolio(proto::GetPortfolioRequest {}).await.unwrap().into_inner() };
        assert_eq!(portfolio().await, proto::GetPortfolioResponse::default());
        tell(&site, FACTS).await;
        tell(&site, "2026-03-13 customer C retail").await;
        let expected = proto::GetPortfolioResponse { customers: 2, invoices: 5, payments: 2, amount_minor: 4100 };
        assert_eq!(portfolio().await, expected, "{}", site.database);
    }
}
