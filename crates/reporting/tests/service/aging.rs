//! Aging as of any day, as known now or at an instant.

use crate::{
    facts::{Books, tell, tell_on},
    site::Site,
};
use contracts::reporting::v1 as proto;

/// `count: open = current + 1-30 + 31-60 + 61-90 + over 90`, and `, disputed n` where something is.
fn line(l: &proto::AgingLine) -> String {
    let proto::AgingLine { open_count, open_minor, current_minor, overdue_1_30_minor: a, overdue_31_60_minor: b, .. } = l;
    let (c, d) = (l.overdue_61_90_minor, l.overdue_over_90_minor);
    assert_eq!(*open_minor, current_minor + a + b + c + d + l.disputed_minor, "{l:?}");
    let disputed = if l.disputed_minor == 0 { String::new() } else { format!(", disputed {}", l.disputed_minor) };
    format!("{open_count}: {open_minor} = {current_minor} + {a} + {b} + {c} + {d}{disputed}")
}

async fn aging(site: &Site, request: proto::GetAgingRequest) -> Vec<String> {
    site.client.clone().get_aging(request).await.unwrap().into_inner().lines.iter().map(line).collect()
}

async fn on(site: &Site, day: &str) -> String {
    aging(site, proto::GetAgingRequest { as_of: vec![day.to_owned()], ..Default::default() }).await.remove(0)
}

async fn check(site: &Site, days: &str) {
    for row in days.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (day, expected) = row.split_once(' ').unwrap();
        assert_eq!(on(site, day).await, expected.trim(), "{} on {day}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_moves_through_the_buckets_by_the_effective_due_date() {
    for site in Site::every().await {
        // 2026-03-07 is a Saturday: by the policy's calendar the debt falls due on Monday the ninth.
        tell(
            &site,
            "
            2026-03-01 customer A retail
            2026-03-01 issued I1 A 1000 due=2026-03-07
            2026-03-01 enrolled I1 padrao effective=2026-03-09
            2026-03-01 issued I2 A 300 due=2026-03-20
            2026-03-01 issued I3 A 50 due=2026-03-20
            2026-03-15 paid P1 I1 400",
        )
        .await;
        check(
            &site,
            "
            2026-02-28 0: 0 = 0 + 0 + 0 + 0 + 0
            2026-03-01 3: 1350 = 1350 + 0 + 0 + 0 + 0
            2026-03-08 3: 1350 = 1350 + 0 + 0 + 0 + 0
            2026-03-09 3: 1350 = 1350 + 0 + 0 + 0 + 0
            2026-03-10 3: 1350 = 350 + 1000 + 0 + 0 + 0
            2026-03-14 3: 1350 = 350 + 1000 + 0 + 0 + 0
            2026-03-15 3: 950 = 350 + 600 + 0 + 0 + 0
            2026-03-20 3: 950 = 350 + 600 + 0 + 0 + 0
            2026-03-21 3: 950 = 0 + 950 + 0 + 0 + 0
            2026-04-08 3: 950 = 0 + 950 + 0 + 0 + 0
            2026-04-09 3: 950 = 0 + 350 + 600 + 0 + 0
            2026-05-08 3: 950 = 0 + 0 + 950 + 0 + 0
            2026-05-09 3: 950 = 0 + 0 + 350 + 600 + 0
            2026-06-08 3: 950 = 0 + 0 + 0 + 350 + 600
            2030-01-01 3: 950 = 0 + 0 + 0 + 0 + 950",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_due_date_does_not_rewrite_the_days_before_it() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 1000 due=2026-03-10
            2026-03-01 enrolled I1 padrao effective=2026-03-10
            2026-03-20 amended I1 amount=800 due=2026-04-10
            2026-03-20 rescheduled I1 2 effective=2026-04-13",
        )
        .await;
        check(
            &site,
            "
            2026-03-19 1: 1000 = 0 + 1000 + 0 + 0 + 0
            2026-03-20 1: 800 = 800 + 0 + 0 + 0 + 0
            2026-04-13 1: 800 = 800 + 0 + 0 + 0 + 0
            2026-04-14 1: 800 = 0 + 800 + 0 + 0 + 0",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_and_reversed_receivables_count_as_they_stood_each_day() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 1000 due=2026-03-10
            2026-03-05 paid P1 I1 1000
            2026-03-12 reversed P1
            2026-03-15 paid P2 I1 300
            2026-03-20 cancelled I1
            2026-03-25 reversed P2",
        )
        .await;
        check(
            &site,
            "
            2026-03-04 1: 1000 = 1000 + 0 + 0 + 0 + 0
            2026-03-05 0: 0 = 0 + 0 + 0 + 0 + 0
            2026-03-12 1: 1000 = 0 + 1000 + 0 + 0 + 0
            2026-03-15 1: 700 = 0 + 700 + 0 + 0 + 0
            2026-03-20 0: 0 = 0 + 0 + 0 + 0 + 0
            2026-03-25 0: 0 = 0 + 0 + 0 + 0 + 0",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_known_at_an_instant_is_another_question_than_what_holds() {
    for site in Site::every().await {
        // A payment of the fifth that the bank told on the twelfth.
        tell(
            &site,
            "
            2026-03-01 issued I1 A 1000 due=2026-03-10
            2026-03-12 paid P1 I1 600 on=2026-03-05
            2026-03-14 amended I1 due=2026-03-31",
        )
        .await;
        let known = |day: &str, at: &str| {
            let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
            let known_at = Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 });
            proto::GetAgingRequest { as_of: vec![day.to_owned()], known_at, ..Default::default() }
        };
        for (day, at, expected) in [
            ("2026-03-11", "2026-03-11T23:00:00Z", "1: 1000 = 0 + 1000 + 0 + 0 + 0"),
            ("2026-03-11", "2026-03-12T14:59:59Z", "1: 1000 = 0 + 1000 + 0 + 0 + 0"),
            ("2026-03-11", "2026-03-12T15:00:00Z", "1: 400 = 0 + 400 + 0 + 0 + 0"),
            ("2026-03-15", "2026-03-13T00:00:00Z", "1: 400 = 0 + 400 + 0 + 0 + 0"),
            ("2026-03-15", "2026-03-15T00:00:00Z", "1: 400 = 400 + 0 + 0 + 0 + 0"),
            ("2026-03-15", "2026-02-01T00:00:00Z", "0: 0 = 0 + 0 + 0 + 0 + 0"),
        ] {
            assert_eq!(aging(&site, known(day, at)).await, [expected], "{} on {day} known at {at}", site.database);
        }
        check(&site, "2026-03-11 1: 400 = 0 + 400 + 0 + 0 + 0").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_answered_in_the_order_asked_and_no_day_is_today() {
    for site in Site::every().await {
        tell(&site, "2026-03-01 issued I1 A 1000 due=2026-03-10\n2026-03-05 customer B trade").await;
        let as_of = ["2026-04-01", "2026-02-01", "2026-03-10"].map(str::to_owned).to_vec();
        let request = proto::GetAgingRequest { as_of: as_of.clone(), ..Default::default() };
        let lines = site.client.clone().get_aging(request).await.unwrap().into_inner().lines;
        assert_eq!(lines.iter().map(|line| line.date.clone()).collect::<Vec<_>>(), as_of);
        let today = site.client.clone().get_aging(proto::GetAgingRequest::default()).await.unwrap().into_inner().lines;
        assert_eq!((today.len(), today[0].date.as_str(), today[0].open_minor), (1, "2026-03-05", 1000), "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aging_is_narrowed_by_currency_and_segment() {
    for site in Site::every().await {
        let mut books = Books::default();
        tell_on(
            &site,
            &mut books,
            "
            2026-03-01 customer A retail
            2026-03-01 customer B trade
            2026-03-01 issued I1 A 1000 due=2026-03-10
            2026-03-01 issued I2 A 20 due=2026-03-10 in=USD
            2026-03-01 issued I3 B 300 due=2026-03-10
            2026-03-01 issued I4 C 4000 due=2026-03-10",
        )
        .await;
        for (currency, segment, expected) in [
            ("", "", 5320),
            ("BRL", "", 5300),
            ("USD", "", 20),
            ("EUR", "", 0),
            ("", "retail", 1020),
            ("BRL", "trade", 300),
            ("", "none", 0),
        ] {
            let request = proto::GetAgingRequest { currency: currency.to_owned(), segment: segment.to_owned(), ..Default::default() };
            let line = site.client.clone().get_aging(request).await.unwrap().into_inner().lines.remove(0);
            assert_eq!(line.open_minor, expected, "{} {currency} {segment}", site.database);
        }
        // A payer that changes segment takes its receivables along.
        tell_on(&site, &mut books, "2026-03-02 customer A trade again=yes").await;
        let request = proto::GetAgingRequest { segment: "trade".to_owned(), ..Default::default() };
        assert_eq!(aging(&site, request).await, ["3: 1320 = 1320 + 0 + 0 + 0 + 0"], "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_contested_has_its_own_column_on_the_days_on_which_it_was() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 customer A retail
            2026-03-01 issued I1 A 1000 due=2026-03-09
            2026-03-01 issued I2 A 300 due=2026-03-20
            2026-03-12 disputed I1 A d1 400
            2026-03-13 disputed I2 A d2 0
            2026-03-15 paid P1 I1 700
            2026-03-16 resolved I1 A d1
            2026-03-18 resolved I2 A d2",
        )
        .await;
        check(
            &site,
            "
            2026-03-11 2: 1300 = 300 + 1000 + 0 + 0 + 0
            2026-03-12 2: 1300 = 300 + 600 + 0 + 0 + 0, disputed 400
            2026-03-13 2: 1300 = 0 + 600 + 0 + 0 + 0, disputed 700
            2026-03-15 2: 600 = 0 + 0 + 0 + 0 + 0, disputed 600
            2026-03-16 2: 600 = 0 + 300 + 0 + 0 + 0, disputed 300
            2026-03-18 2: 600 = 300 + 300 + 0 + 0 + 0",
        )
        .await;
    }
}
