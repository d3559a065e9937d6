//! How fast invoices were paid.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;

/// `by due, late, days late, days to settle`.
async fn settlement(site: &Site, day: &str) -> String {
    let request = proto::GetSettlementRequest { as_of: day.to_owned() };
    let s = site.client.clone().get_settlement(request).await.unwrap().into_inner();
    format!("{} {} {} {}", s.paid_by_due, s.paid_late, s.days_late_total, s.days_to_settle_total)
}

async fn check(facts: &str, days: &str) {
    for site in Site::every().await {
        tell(&site, facts).await;
        for row in days.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (day, expected) = row.split_once(": ").unwrap();
            let day = if day == "all" { "" } else { day };
            assert_eq!(settlement(&site, day).await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_by_the_effective_due_date_is_in_time_and_the_day_after_is_late() {
    check(
        "2026-03-01 issued I1 A 100 due=2026-03-07
         2026-03-01 enrolled I1 padrao effective=2026-03-09
         2026-03-01 issued I2 A 100 due=2026-03-07
         2026-03-01 enrolled I2 padrao effective=2026-03-09
         2026-03-01 issued I3 A 100 due=2026-03-09
         2026-03-01 issued I4 A 100 due=2026-03-09
         2026-03-09 paid P1 I1 100
         2026-03-10 paid P2 I2 100
         2026-03-15 paid P3 I3 100",
        "2026-03-08: 0 0 0 0
         2026-03-09: 1 0 0 8
         2026-03-10: 1 1 1 17
         2026-03-15: 1 2 7 31
         all: 1 2 7 31",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_past_what_is_open_and_new_terms_do_not_move_the_day_of_settlement() {
    check(
        "2026-03-01 issued I1 A 100 due=2026-03-10
         2026-03-05 paid P1 I1 100
         2026-03-20 paid P2 I1 50
         2026-03-25 amended I1 due=2026-04-30
         2026-03-26 amended I1 amount=80",
        "2026-03-20: 1 0 0 4
         all: 1 0 0 4",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_part_settles_and_a_reversal_opens_again() {
    check(
        "2026-03-01 issued I1 A 100 due=2026-03-10
         2026-03-05 paid P1 I1 60
         2026-03-12 paid P2 I1 40
         2026-03-20 reversed P1
         2026-03-30 paid P3 I1 60",
        "2026-03-11: 0 0 0 0
         2026-03-12: 0 1 2 11
         2026-03-19: 0 1 2 11
         2026-03-20: 0 0 0 0
         2026-03-30: 0 1 20 29",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_told_late_settles_on_its_own_day() {
    check(
        "2026-03-01 issued I1 A 100 due=2026-03-10
         2026-03-20 paid P1 I1 100 on=2026-03-08
         2026-03-20 issued I2 A 100 due=2026-03-25
         2026-03-21 paid P2 I2 100 on=2026-03-15",
        // The second was paid before it was issued: settled on the day of its issue.
        "2026-03-07: 0 0 0 0
         2026-03-08: 1 0 0 7
         2026-03-19: 1 0 0 7
         2026-03-20: 2 0 0 7",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cancelled_was_never_settled_and_a_lower_amount_can_settle() {
    check(
        "2026-03-01 issued I1 A 100 due=2026-03-10
         2026-03-05 paid P1 I1 100
         2026-03-09 cancelled I1
         2026-03-01 issued I2 A 100 due=2026-03-10
         2026-03-05 paid P2 I2 80
         2026-03-12 amended I2 amount=80
         2026-03-01 issued I3 A 100 due=2026-03-10
         2026-03-12 cancelled I3",
        "2026-03-08: 1 0 0 4
         2026-03-09: 0 0 0 0
         all: 0 1 2 11",
    )
    .await;
}
