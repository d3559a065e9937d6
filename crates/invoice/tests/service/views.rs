//! Views of invoices and ratings of payers, over a connection.

use crate::{
    script::{fresh, play},
    site::{NOON, Site, told},
};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use host::refusal::reason_of;
use prost_types::Timestamp;

/// So many seconds after noon; before where negative.
fn at(seconds: i64) -> Option<Timestamp> {
    let noon: DateTime<Utc> = NOON.parse().unwrap();
    Some(Timestamp { seconds: noon.timestamp() + seconds, nanos: 0 })
}

fn view(command_id: &str, viewed_at: Option<Timestamp>) -> proto::RecordViewRequest {
    proto::RecordViewRequest { command_id: command_id.into(), invoice_id: "I1".into(), viewed_at, through: "portal".into() }
}

async fn viewed(site: &Site, asked: proto::RecordViewRequest) -> Option<Timestamp> {
    site.client.clone().record_view(asked).await.unwrap().into_inner().viewed_at
}

fn rate(command_id: &str, score: u32, rated_on: &str) -> proto::RateCustomerRequest {
    let (customer_id, source) = ("A".into(), "birô".into());
    proto::RateCustomerRequest { command_id: command_id.into(), customer_id, score: Some(score), source, rated_on: rated_on.into() }
}

async fn rated(site: &Site, asked: proto::RateCustomerRequest) -> Option<(u32, String)> {
    let answer = site.client.clone().rate_customer(asked).await.unwrap().into_inner().rating;
    answer.map(|rating| (rating.score, rating.rated_on))
}

async fn shown(site: &Site) -> Option<u32> {
    let asked = proto::GetCustomerRequest { customer_id: "A".into() };
    site.client.clone().get_customer(asked).await.unwrap().into_inner().rating.map(|rating| rating.score)
}

async fn count(site: &Site, event_type: &str) -> usize {
    site.events().await.iter().filter(|event| event.event_type == event_type).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_recorded_once_and_the_newest_one_is_answered() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 on=2026-02-01 due=2026-03-20").await;
        assert_eq!(viewed(&site, view("v1", at(-60))).await, at(-60));
        assert_eq!(viewed(&site, view("v2", at(-60))).await, at(-60), "the same again");
        assert_eq!(viewed(&site, view("v3", at(-90))).await, at(-60), "an older one");
        assert_eq!(viewed(&site, view("v4", None)).await, at(0), "now");
        assert_eq!(viewed(&site, view("v1", at(-60))).await, at(-60), "the same key, the same answer");
        assert_eq!(count(&site, "InvoiceViewed").await, 2);
        let refused = site.client.clone().record_view(view("v1", at(-61))).await.unwrap_err();
        assert_eq!(reason_of(&refused), "command_reused");
        play(&site, "erase A").await;
        site.clock.advance_to(NOON.parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::seconds(9));
        assert_eq!(viewed(&site, view("v5", None)).await, at(0), "of a payer whose data was erased nothing is noted");
        assert_eq!(count(&site, "InvoiceViewed").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_rating_holds_is_shown_and_goes_with_the_data() {
    for site in Site::every().await {
        play(&site, "register A").await;
        assert_eq!(shown(&site).await, None);
        let of = |score, day: &str| Some((score, day.to_owned()));
        assert_eq!(rated(&site, rate("r1", 0, "2026-02-20")).await, of(0, "2026-02-20"));
        assert_eq!(rated(&site, rate("r2", 0, "2026-02-20")).await, of(0, "2026-02-20"), "the same again");
        assert_eq!(rated(&site, rate("r3", 90, "2026-02-19")).await, of(0, "2026-02-20"), "an older one");
        assert_eq!(rated(&site, rate("r4", 90, "2026-02-20")).await, of(90, "2026-02-20"), "corrected");
        assert_eq!(rated(&site, rate("r1", 0, "2026-02-20")).await, of(0, "2026-02-20"), "the same key, the same answer");
        assert_eq!((shown(&site).await, count(&site, "CustomerRated").await), (Some(90), 2));
        play(&site, "erase A").await;
        assert_eq!(shown(&site).await, None);
        assert_eq!(told(&site.client.clone().rate_customer(rate(&fresh(), 1, "")).await), "FailedPrecondition customer_erased customer_id");
    }
}
