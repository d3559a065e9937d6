//! Who owes how much since when.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;

const FACTS: &str = "
    2026-01-01 customer A retail
    2026-01-01 customer B retail
    2026-01-01 customer C trade
    2026-01-01 issued A1 A 1000 due=2026-02-01
    2026-01-01 issued A2 A 500 due=2026-03-05
    2026-01-01 issued A3 A 70 due=2026-02-01 in=USD
    2026-01-01 issued B1 B 300 due=2026-02-01
    2026-01-01 issued B2 B 1500 due=2026-06-01
    2026-01-01 issued C1 C 900 due=2026-03-07
    2026-01-01 enrolled C1 padrao effective=2026-03-09
    2026-01-01 issued D1 D 40 due=2026-04-01
    2026-01-01 issued E1 E 99 due=2026-02-01
    2026-02-10 paid P1 E1 99
    2026-02-10 paid P2 A1 200";

fn line(l: &proto::DelinquencyLine) -> String {
    let proto::DelinquencyLine { group, currency, open_count, open_minor, overdue_minor, oldest_due, days_late, bucket } = l;
    format!("{group} {currency} {open_count}: {overdue_minor} of {open_minor} since {oldest_due} {days_late} {bucket}")
}

async fn list(site: &Site, request: proto::ListDelinquencyRequest) -> Vec<String> {
    let request = proto::ListDelinquencyRequest { as_of: "2026-03-10".to_owned(), ..request };
    site.client.clone().list_delinquency(request).await.unwrap().into_inner().lines.iter().map(line).collect()
}

const BY_CUSTOMER: [&str; 5] = [
    "B BRL 2: 300 of 1800 since 2026-02-01 37 31-60",
    "A BRL 2: 1300 of 1300 since 2026-02-01 37 31-60",
    "A USD 1: 70 of 70 since 2026-02-01 37 31-60",
    "C BRL 1: 900 of 900 since 2026-03-09 1 1-30",
    "D BRL 1: 0 of 40 since  0 current",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payers_come_longest_overdue_first_then_most_owed() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        assert_eq!(list(&site, Default::default()).await, BY_CUSTOMER, "{}", site.database);
        let by_name = proto::ListDelinquencyRequest { group_by: "customer".to_owned(), ..Default::default() };
        assert_eq!(list(&site, by_name).await, BY_CUSTOMER, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_add_up_their_payers() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let request = proto::ListDelinquencyRequest { group_by: "segment".to_owned(), ..Default::default() };
        let expected = [
            "retail BRL 4: 1600 of 3100 since 2026-02-01 37 31-60",
            "retail USD 1: 70 of 70 since 2026-02-01 37 31-60",
            "trade BRL 1: 900 of 900 since 2026-03-09 1 1-30",
            " BRL 1: 0 of 40 since  0 current",
        ];
        assert_eq!(list(&site, request).await, expected, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_narrowed_by_segment_and_days_late() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let late = |days| proto::ListDelinquencyRequest { min_days_late: days, ..Default::default() };
        assert_eq!(list(&site, late(1)).await, BY_CUSTOMER[..4], "{}", site.database);
        assert_eq!(list(&site, late(37)).await, BY_CUSTOMER[..3], "{}", site.database);
        assert_eq!(list(&site, late(38)).await, [""; 0], "{}", site.database);
        assert_eq!(list(&site, late(i32::MAX)).await, [""; 0], "{}", site.database);
        let trade = proto::ListDelinquencyRequest { segment: "trade".to_owned(), ..Default::default() };
        assert_eq!(list(&site, trade).await, BY_CUSTOMER[3..4], "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_follow_the_order() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let (mut token, mut lines) = (String::new(), Vec::new());
        loop {
            let request =
                proto::ListDelinquencyRequest { as_of: "2026-03-10".to_owned(), page_size: 2, page_token: token, ..Default::default() };
            let page = site.client.clone().list_delinquency(request).await.unwrap().into_inner();
            lines.push(page.lines.iter().map(line).collect::<Vec<_>>());
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let expected: Vec<Vec<String>> = BY_CUSTOMER.chunks(2).map(|page| page.iter().map(|line| (*line).to_owned()).collect()).collect();
        assert_eq!(lines, expected, "{}", site.database);
    }
}
