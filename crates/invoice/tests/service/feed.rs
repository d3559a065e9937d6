//! What puts a reminder off for a while: a payment feed that is too old, and an automatic debit to come.

use crate::{
    reminders::{ask, look, verdicts},
    script::{fresh, play},
    site::{NOON, Site, as_tenant, told},
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::invoice::v1 as proto;
use host::access::DEFAULT_TENANT;
use prost_types::Timestamp;

fn noon() -> DateTime<Utc> {
    NOON.parse().unwrap()
}

pub fn report(known_until: DateTime<Utc>) -> proto::ReportPaymentFeedRequest {
    let known_until = Timestamp { seconds: known_until.timestamp(), nanos: 0 };
    proto::ReportPaymentFeedRequest { command_id: fresh(), known_until: Some(known_until) }
}

async fn reported(site: &Site, known_until: DateTime<Utc>) -> i64 {
    let answer = site.client.clone().report_payment_feed(report(known_until)).await.unwrap().into_inner();
    answer.known_until.unwrap().seconds
}

async fn is_stale(site: &Site) -> bool {
    site.client.clone().get_payment_feed(proto::GetPaymentFeedRequest {}).await.unwrap().into_inner().stale
}

async fn metrics(site: &Site) -> String {
    site.service().environment().metrics.text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overdue_reminders_wait_for_a_feed_within_the_limit_and_others_do_not() {
    let site = Site::with_feed_limit(24).await;
    play(&site, "register A\nissue LATE A 1000 on=2026-02-01 due=2026-03-02\nissue SOON A 1000 due=2026-03-20").await;
    let asked = || ask(&site, look("A", "K1", "late:LATE SOON"));
    assert_eq!(verdicts(&asked().await), ["LATE stale_feed", "SOON 1000 of 1000"], "nobody ever reported");
    assert!(metrics(&site).await.contains("payment_feed_stale{tenant=\"default\"} 1"));

    reported(&site, noon() - TimeDelta::hours(25)).await;
    assert_eq!(verdicts(&asked().await), ["LATE stale_feed", "SOON 1000 of 1000"], "an hour too old");
    reported(&site, noon() - TimeDelta::hours(24)).await;
    assert_eq!(verdicts(&asked().await), ["LATE 1000 of 1000", "SOON 1000 of 1000"]);
    assert!(metrics(&site).await.contains("payment_feed_stale{tenant=\"default\"} 0"));

    site.clock.advance_to(noon() + TimeDelta::seconds(1));
    assert_eq!(verdicts(&asked().await), ["LATE stale_feed", "SOON 1000 of 1000"], "it grows old by itself");
    assert!(is_stale(&site).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_feed_is_not_authorised_in_the_log() {
    let site = Site::with_feed_limit(1).await;
    play(&site, "register A\nissue LATE A 1000 on=2026-02-01 due=2026-03-02").await;
    let before = site.events().await.len();
    let answer = ask(&site, look("A", "K1", "late:LATE")).await;
    assert_eq!((answer.position, answer.customer.unwrap().name.as_str()), (0, ""));
    assert_eq!(site.events().await.len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_limit_the_feed_is_fresh() {
    for site in Site::every().await {
        play(&site, "register A\nissue LATE A 1000 on=2026-02-01 due=2026-03-02").await;
        assert_eq!(verdicts(&ask(&site, look("A", "K1", "late:LATE")).await), ["LATE 1000 of 1000"], "{}", site.database);
        assert!(!is_stale(&site).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_durable_go_forward_only_and_belong_to_their_tenant() {
    for site in Site::every().await {
        let newest = noon() - TimeDelta::hours(1);
        assert_eq!(reported(&site, newest).await, newest.timestamp());
        let before = site.events().await.len();
        assert_eq!(reported(&site, newest - TimeDelta::hours(9)).await, newest.timestamp(), "an older one changes nothing");
        assert_eq!(reported(&site, newest).await, newest.timestamp());
        assert_eq!(site.events().await.len(), before);
        let log = &site.service().environment().log;
        assert_eq!(invoice::payment_feed(log, DEFAULT_TENANT).await.unwrap().known_until, Some(newest), "{}", site.database);

        let elsewhere = as_tenant(proto::GetPaymentFeedRequest {}, "other");
        let found = site.client.clone().get_payment_feed(elsewhere).await.unwrap().into_inner();
        assert_eq!((found.known_until, found.max_age_hours), (None, 0));
        site.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_report_gets_its_first_answer_and_bad_ones_are_refused() {
    let site = Site::embedded(Default::default()).await;
    let mut client = site.client.clone();
    let first = report(noon());
    let answer = client.report_payment_feed(first.clone()).await.unwrap().into_inner();
    assert_eq!(client.report_payment_feed(first.clone()).await.unwrap().into_inner(), answer);
    let before = site.events().await.len();
    let instant = |seconds, nanos| proto::ReportPaymentFeedRequest { known_until: Some(Timestamp { seconds, nanos }), ..report(noon()) };
    let cases = [
        (proto::ReportPaymentFeedRequest { known_until: None, ..report(noon()) }, "InvalidArgument missing known_until"),
        (instant(i64::MAX, 0), "InvalidArgument instant_malformed known_until"),
        (instant(0, -1), "InvalidArgument instant_malformed known_until"),
        (report(noon() + TimeDelta::hours(1)), "InvalidArgument in_future known_until"),
        (
            proto::ReportPaymentFeedRequest { command_id: String::new(), ..report(noon()) },
            "InvalidArgument command_id_malformed command_id",
        ),
        (
            proto::ReportPaymentFeedRequest { command_id: first.command_id, ..report(noon() - TimeDelta::hours(1)) },
            "InvalidArgument command_reused command_id",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(told(&client.report_payment_feed(request).await), expected);
    }
    assert_eq!(site.events().await.len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_on_automatic_debit_is_left_alone_until_its_day() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 1000 due=2026-03-20 debit=2026-03-21
             issue I2 A 1000 due=2026-03-20",
        )
        .await;
        let shown = site.client.clone().get_invoice(proto::GetInvoiceRequest { invoice_id: "I1".to_owned() }).await.unwrap();
        assert_eq!(shown.into_inner().invoice.unwrap().automatic_debit_on, "2026-03-21");
        let asked = || ask(&site, look("A", "K1", "I1 I2"));
        assert_eq!(verdicts(&asked().await), ["I1 automatic_debit", "I2 1000 of 1000"], "{}", site.database);
        site.go_to("2026-03-20");
        assert_eq!(verdicts(&asked().await), ["I1 automatic_debit", "I2 1000 of 1000"]);
        play(&site, "amend I1 debit=2026-03-25").await;
        site.go_to("2026-03-21");
        assert_eq!(verdicts(&asked().await), ["I1 automatic_debit", "I2 1000 of 1000"], "it was moved");
        play(&site, "amend I1 debit=none").await;
        assert_eq!(verdicts(&asked().await), ["I1 1000 of 1000", "I2 1000 of 1000"], "it was taken away");
        play(
            &site,
            "amend I1 debit=2026-03-01                          => InvalidArgument debit_before_issue automatic_debit_on
             amend I1 debit=tomorrow                            => InvalidArgument date_malformed automatic_debit_on
             issue I3 A 1000 due=2026-04-20 debit=2026-03-20    => InvalidArgument debit_before_issue invoice.automatic_debit_on
             issue I3 A 1000 due=2026-04-20 debit=2026-02-30    => InvalidArgument date_malformed invoice.automatic_debit_on",
        )
        .await;
    }
}
