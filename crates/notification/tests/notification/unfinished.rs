//! What a crash or a provider's bad day leaves behind: taken up where that is safe, and never sent twice.

use crate::{
    house::{House, gate, item, plus_seconds},
    smtp, webhook,
};
use notice::Channel;
use notification::{ChannelsConfig, channel::ChannelConfig};

/// A process composed, looked and stored the start of an attempt; then it died. Another one starts.
async fn after_a_crash(channels: &ChannelsConfig, died_at: &str) -> House {
    let mut house = House::quiet(channels).await;
    let items = [item("i1", "email")];
    house.compose("c1", items.to_vec()).await;
    house.until(died_at).await;
    house.submit("c1", gate(&items, died_at)).await;
    house.start().await;
    house
}

const DIED: &str = "2026-11-23T13:00:00Z";

fn with_email(email: ChannelConfig) -> ChannelsConfig {
    ChannelsConfig { email, ..ChannelsConfig::recording() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_honours_keys_gets_the_same_message_again() {
    let (config, provider) = webhook::provider(&[], "").await;
    let house = after_a_crash(&with_email(config), DIED).await;
    house.until(&plus_seconds(DIED, 59)).await;
    assert_eq!(provider.lock().unwrap().calls, 0, "the call may still be going on elsewhere");
    house.until(&plus_seconds(DIED, 61)).await;
    assert_eq!(house.transcript("c1").await[3..], ["retried", "accepted email", "concluded i1=executed"]);
    let keys: Vec<String> = provider.lock().unwrap().taken.keys().cloned().collect();
    assert_eq!(keys, ["acme~c1~2026-11-23.BRL.all.0.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_does_not_get_the_message_again() {
    let (config, taken) = smtp::server(smtp::POLITE).await;
    let house = after_a_crash(&with_email(config), DIED).await;
    house.until(&plus_seconds(DIED, 3600)).await;
    assert_eq!(house.transcript("c1").await[3..], ["unknown email"]);
    assert!(taken.lock().unwrap().is_empty());
    // 72 hours after the end of its day nobody will tell any more.
    house.until("2026-11-27T03:00:00Z").await;
    assert_eq!(house.transcript("c1").await[4..], ["concluded i1=undeliverable:outcome_unknown"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_longer_true_is_not_sent_again() {
    for (what, refused, net_minor) in [("paid", Some("paid"), 10_000), ("partly paid", None, 4_000)] {
        let (config, provider) = webhook::provider(&[], "").await;
        let house = after_a_crash(&with_email(config), DIED).await;
        {
            let mut owner = house.owner.lock().unwrap();
            owner.refused.extend(refused.map(|reason| ("i1".to_owned(), reason)));
            owner.net_minor.insert("i1".into(), net_minor);
        }
        house.until(&plus_seconds(DIED, 900)).await;
        assert_eq!(house.transcript("c1").await[3..], ["unknown email"], "{what}");
        assert_eq!(provider.lock().unwrap().calls, 0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_found_too_late_is_not_sent_again() {
    let (config, provider) = webhook::provider(&[], "").await;
    let mut house = House::quiet(&with_email(config)).await;
    let items = [item("i1", "email")];
    house.compose("c1", items.to_vec()).await;
    house.until(DIED).await;
    house.submit("c1", gate(&items, DIED)).await;
    house.until(&plus_seconds(DIED, 700)).await;
    house.start().await;
    house.until(&plus_seconds(DIED, 900)).await;
    assert_eq!(house.transcript("c1").await[3..], ["unknown email"]);
    assert_eq!(provider.lock().unwrap().calls, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_says_later_is_asked_later_and_then_no_more() {
    let (config, taken) = smtp::server(smtp::Script { recipient: "451 later", ..smtp::POLITE }).await;
    let house = House::open(&with_email(config)).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:30:00Z").await;
    let expected =
        ["started email", "retried", "retried", "retried", "retried", "refused email smtp_451", "concluded i1=undeliverable:all_refused"];
    assert_eq!(house.transcript("c1").await[2..], expected);
    assert!(taken.lock().unwrap().is_empty());
    assert_eq!(house.owner.lock().unwrap().asked.len(), 5, "each call has its own last look");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_gets_well_takes_the_message_under_its_first_key() {
    let (config, provider) = webhook::provider(&[503; 6], "").await;
    let house = House::open(&with_email(config)).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:10:00Z").await;
    let expected = ["started email", "unknown email", "retried", "accepted email", "concluded i1=executed"];
    assert_eq!(house.transcript("c1").await[2..], expected);
    assert_eq!(provider.lock().unwrap().taken.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_a_crash_left_unlooked_at_is_looked_at_after_the_start() {
    let mut house = House::open(&ChannelsConfig::recording()).await;
    house.stop().await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until(DIED).await;
    assert_eq!(house.channels.counts().of(Channel::Email), 0);
    house.start().await;
    house.until(&plus_seconds(DIED, 31)).await;
    assert_eq!(house.channels.counts().of(Channel::Email), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_provider_has_is_settled_by_asking_and_not_sent_again() {
    for (status, told) in [("accepted", &[][..]), ("read", &["receipt email read"][..])] {
        let (config, provider) = webhook::provider(&[507; 4], "").await;
        provider.lock().unwrap().status = status;
        let house = House::open(&with_email(config)).await;
        house.compose("c1", vec![item("i1", "email")]).await;
        house.until("2026-11-23T12:02:00Z").await;
        let transcript = house.transcript("c1").await;
        assert_eq!(transcript[2..6], ["started email", "unknown email", "accepted email", "concluded i1=executed"]);
        assert_eq!(transcript[6..], *told);
        let provider = provider.lock().unwrap();
        assert_eq!((provider.calls, provider.asked), (4, 1), "the four calls of one attempt, and one question");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_provider_never_had_is_tried_again_after_another_look() {
    let (config, provider) = webhook::provider(&[503; 4], "").await;
    provider.lock().unwrap().status = "accepted";
    let house = House::open(&with_email(config)).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:02:00Z").await;
    let expected = ["started email", "unknown email", "retried", "accepted email", "concluded i1=executed"];
    assert_eq!(house.transcript("c1").await[2..], expected);
    assert_eq!(house.owner.lock().unwrap().asked.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_can_be_asked_again_after_hours_still_settles_what_was_unknown() {
    let (config, provider) = webhook::provider(&[503; 40], "").await;
    let house = House::open(&with_email(config)).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T15:00:00Z").await;
    assert_eq!(house.transcript("c1").await.last().unwrap(), "unknown email");
    let asked = provider.lock().unwrap().asked;
    assert!((3..20).contains(&asked), "ever less often: {asked} times in three hours");
    {
        let mut provider = provider.lock().unwrap();
        provider.status = "delivered";
        provider.taken.insert("acme~c1~2026-11-23.BRL.all.0.0".into(), serde_json::Value::Null);
    }
    let calls = provider.lock().unwrap().calls;
    house.until("2026-11-23T23:00:00Z").await;
    let transcript = house.transcript("c1").await;
    assert_eq!(transcript[transcript.len() - 3..], ["accepted email", "concluded i1=executed", "receipt email delivered"]);
    assert_eq!(provider.lock().unwrap().calls, calls);
}
