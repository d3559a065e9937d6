//! Agreements in the reports: a debt is counted once, on every day.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;

/// A debt of 1000, three weeks late, is owed in two instalments; one and a half are paid, and then the agreement is broken.
const FACTS: &str = "
    2026-01-01 customer A retail
    2026-01-01 issued I1 A 1000 due=2026-02-01
    2026-02-20 agreed I1 G1
    2026-02-20 issued G1-1 A 500 due=2026-03-10
    2026-02-20 issued G1-2 A 500 due=2026-04-10
    2026-03-10 paid P1 G1-1 500
    2026-05-20 cancelled G1-1
    2026-05-20 cancelled G1-2
    2026-05-20 restored I1 G1 1000
    2026-05-20 part G1+1 I1 500 of=P1 on=2026-03-10";

async fn aging(site: &Site, day: &str) -> (i32, i64, i64) {
    let request = proto::GetAgingRequest { as_of: vec![day.to_owned()], ..Default::default() };
    let line = site.client.clone().get_aging(request).await.unwrap().into_inner().lines.remove(0);
    (i32::try_from(line.open_count).unwrap(), line.current_minor, line.open_minor - line.current_minor)
}

async fn status(site: &Site, day: &str, invoice_id: &str) -> String {
    let request = proto::ListReceivablesRequest { as_of: day.to_owned(), ..Default::default() };
    let all = site.client.clone().list_receivables(request).await.unwrap().into_inner().receivables;
    all.into_iter().find(|one| one.invoice_id == invoice_id).map(|one| format!("{} {}", one.status, one.open_minor)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renegotiated_debt_is_counted_once_on_every_day() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        for (day, open, not_due, overdue) in [
            ("2026-02-19", 1, 0, 1000),
            ("2026-02-20", 2, 1000, 0),
            ("2026-03-09", 2, 1000, 0),
            ("2026-03-10", 1, 500, 0),
            ("2026-04-20", 1, 0, 500),
            ("2026-05-19", 1, 0, 500),
            ("2026-05-20", 1, 0, 500),
        ] {
            assert_eq!(aging(&site, day).await, (open, not_due, overdue), "{} on {day}", site.database);
        }
        for (day, told) in [("2026-02-19", "overdue 1000"), ("2026-02-20", "renegotiated 0"), ("2026-05-20", "overdue 500")] {
            assert_eq!(status(&site, day, "I1").await, told, "{} on {day}", site.database);
        }
        let portfolio = site.client.clone().get_portfolio(proto::GetPortfolioRequest {}).await.unwrap().into_inner();
        assert_eq!(portfolio.payments, 1, "{}: a part is no payment of its own", site.database);
    }
}
