//! What leaves the service: ends, receipts, consents, and nothing personal.

use crate::house::{House, TENANT, item};
use contracts::notification::v1 as proto;
use eventlog::bus::{Publish, Published};
use notice::{Channel, Command, OptOut};
use notification::{ChannelsConfig, aggregate, publish::PublicFacts};
use prost::Message;

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_contact_is_told_once_and_the_rest_stays_inside() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.owner.lock().unwrap().refused.insert("i2".into(), "paid");
    house.submit("c1", Command::OptOut(OptOut { channel: Some(Channel::Voice) })).await;
    house.compose("c1", vec![item("i1", "email"), item("i2", "email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let events = house.log.read_streams(&[(aggregate::stream(TENANT, "c1"), 0)]).await.unwrap();
    let mut told = Vec::new();
    for event in &events {
        match PublicFacts.publish(event) {
            Published::Withheld => told.push("withheld".to_owned()),
            Published::Public { event_type, payload } if event_type == "ReminderConcluded" => {
                let m = proto::ReminderConcluded::decode(payload.as_slice()).unwrap();
                assert_eq!((m.day.as_str(), m.currency.as_str(), m.customer_id.as_str()), ("2026-11-23", "BRL", "c1"));
                let items: Vec<String> =
                    m.items.iter().map(|item| format!("{} {} {}", item.invoice_id, item.outcome, item.reason)).collect();
                told.push(format!("concluded sent={} {:?} {}", m.sent, m.channels, items.join(",")));
            }
            Published::Public { event_type, payload } if event_type == "ReceiptNoted" => {
                let m = proto::ReceiptNoted::decode(payload.as_slice()).unwrap();
                let items: Vec<&str> = m.items.iter().map(|item| item.invoice_id.as_str()).collect();
                told.push(format!("receipt {} {} {items:?}", m.status, m.day));
            }
            Published::Public { event_type, payload } if event_type == "AttemptEnded" => {
                let m = proto::AttemptEnded::decode(payload.as_slice()).unwrap();
                told.push(format!("{} {}", m.channel, m.result));
            }
            Published::Public { event_type, .. } => told.push(event_type),
        }
    }
    let expected = [
        "OptedOut",
        "withheld",
        "concluded sent=false [] i2 superseded paid",
        "withheld",
        "email accepted",
        "concluded sent=true [\"email\"] i1 executed ",
        "receipt delivered 2026-11-23 [\"i1\"]",
    ];
    assert_eq!(told, expected);
    let bytes: Vec<u8> = events.into_iter().flat_map(|event| event.payload).collect();
    let text = String::from_utf8_lossy(&bytes);
    for personal in ["Ana", "Souza", "payer.example", "99999", "Flores"] {
        assert!(!text.contains(personal), "{personal}");
    }
}
