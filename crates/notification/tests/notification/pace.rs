//! A provider that takes so many messages a minute: the others wait within their window, and hold up nobody else.

use crate::house::{House, item};
use notice::Channel;
use notification::{
    ChannelsConfig,
    channel::{ChannelConfig, Kind},
};

/// One e-mail a minute; everything else as it comes.
fn one_mail_a_minute() -> ChannelsConfig {
    let email = ChannelConfig { kind: Kind::Record, max_per_minute: 1, ..ChannelConfig::default() };
    ChannelsConfig { email, ..ChannelsConfig::recording() }
}

fn sent(house: &House) -> (u64, u64) {
    (house.channels.counts().of(Channel::Email), house.channels.counts().of(Channel::Sms))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_at_its_rate_puts_contacts_off_and_holds_up_no_other() {
    let house = House::open(&one_mail_a_minute()).await;
    for payer in ["c1", "c2", "c3"] {
        house.compose(payer, vec![item("i1", "email")]).await;
    }
    house.compose("c4", vec![item("i4", "sms")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    assert_eq!(sent(&house), (1, 1));
    let asked = house.owner.lock().unwrap().asked.len();
    house.until("2026-11-23T12:00:59Z").await;
    assert_eq!(sent(&house), (1, 1));
    assert_eq!(house.owner.lock().unwrap().asked.len(), asked, "nobody is asked about what cannot go now");
    house.until("2026-11-23T12:01:30Z").await;
    assert_eq!(sent(&house), (2, 1));
    house.until("2026-11-23T12:05:00Z").await;
    assert_eq!(sent(&house), (3, 1));
    for payer in ["c1", "c2", "c3"] {
        let transcript = house.transcript(payer).await;
        assert_eq!(transcript.iter().filter(|line| line.starts_with("started")).count(), 1, "{payer}: once, late or not");
    }
    let metrics = house.metrics.text();
    assert!(metrics.lines().any(|line| line.starts_with("paced_total") && !line.ends_with(" 0")), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_until_its_window_is_shut_is_offered_again_another_day() {
    let house = House::open(&one_mail_a_minute()).await;
    house.until("2026-11-23T20:59:30Z").await;
    for (payer, invoice) in [("c1", "i1"), ("c2", "i2")] {
        house.compose(payer, vec![item(invoice, "email")]).await;
        house.until("2026-11-23T20:59:30Z").await;
    }
    house.until("2026-11-23T21:03:00Z").await;
    assert_eq!(sent(&house), (1, 0));
    assert_eq!(house.transcript("c2").await[1..], ["concluded i2=deferred:window_shut"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_waits_for_all_of_the_channels_that_it_goes_out_on() {
    let house = House::open(&one_mail_a_minute()).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    house.compose("c2", vec![item("i2", "sms, email")]).await;
    house.until("2026-11-23T12:00:20Z").await;
    assert_eq!(sent(&house), (1, 0), "not by halves");
    house.until("2026-11-23T12:02:00Z").await;
    assert_eq!(sent(&house), (2, 1));
}
