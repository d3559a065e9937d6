//! Entries at bureaus and protest offices: a sample of every event.

use super::*;
use crate::publish::PublicFacts;
use eventlog::bus::{Publish, Published};
use ladder::listing::{Alarm, Answer, Cause, Event as Happened, Kind, Obligation, Opened, Order};

pub(super) fn listing_events() -> Vec<Happened> {
    let opened = |notice: Option<&str>| Opened {
        customer_id: CustomerId::new("C-1").unwrap(),
        invoice_id: invoice(),
        cycle: 2,
        step_id: step("d+45"),
        occurrence: 1,
        kind: if notice.is_some() { Kind::Bureau } else { Kind::Protest },
        amount_minor: 12_345,
        currency: Currency::BRL,
        due_on: day("2026-11-23"),
        day: day("2027-01-08"),
        notice_step: notice.map(step),
        notice_contact: notice.and(contact()),
        notice_delivered_on: notice.map(|_| day("2026-12-24")),
    };
    let obligation = Obligation { cause: Cause::Paid, since: day("2027-01-11"), alarm_on: day("2027-01-14"), until: day("2027-01-18") };
    let (reason, reference, by) = ("unknown_debtor".to_owned(), "B-7".to_owned(), "provider".to_owned());
    let mut events = vec![
        Happened::Requested { opened: opened(Some("d+30")), at: at() },
        Happened::Requested { opened: opened(None), at: at() },
        Happened::Withdrawn { cause: Cause::Other, at: at() },
        Happened::RemovalRequired { obligation, at: at() },
        Happened::RemovalAlarmed { alarm: Alarm::Late, today: day("2027-01-19"), until: day("2027-01-18"), at: at() },
        Happened::Answered { answer: Answer::Refused, reason, reference, by, at: at() },
    ];
    events.extend(Order::ALL.map(|order| Happened::Sent { order, at: at() }));
    events.extend(Order::ALL.map(|order| Happened::Lost { order, at: at() }));
    let plain = |answer| Happened::Answered { answer, reason: String::new(), reference: String::new(), by: "ana".into(), at: at() };
    events.extend(Answer::ALL.map(plain));
    events
}

#[test]
fn every_event_of_an_entry_comes_back_as_it_went_and_stays_inside() {
    for event in listing_events() {
        let (event_type, payload) = encode_listing(&event);
        assert_eq!(decode_listing(event_type, &payload), Ok(Some(event)));
        assert_eq!(decode("acme", event_type, &payload), Ok(None), "{event_type} is no event of a ladder");
        assert_eq!(PublicFacts.publish(&recorded(event_type)), Published::Withheld);
    }
    assert_eq!(decode_listing("TrackSettled", &[]), Ok(None));
    assert!(decode_listing("ListingSent", &[]).is_err());
}
