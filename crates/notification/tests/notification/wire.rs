//! Events of the log survive their bytes, and reminders of the engine are understood.

use crate::house::{at, item};
use brazil::Place;
use contracts::dunning::v1 as dunning;
use kernel::{Calendar, ChannelAttemptId, ContactId, Currency, CustomerId, Purpose, Zone};
use notice::{
    AttemptAccepted, AttemptRefused, AttemptRetried, AttemptStarted, AttemptUnknown, Channel, Class, ContactComposed, ContactConcluded,
    ContactGated, Event, FallbackGated, FallbackStopped, Forgotten, Item, ItemOutcome, Merge, OptedIn, OptedOut, Outcome, Reason,
    ReceiptNoted, ReceiptStatus, Rules, Said, Standstill, Suspended, event::StopReason,
};
use notification::{
    holidays::Heard,
    wire::{Aside, Fact, decode, decode_holiday, encode, encode_holiday, heard_of_holiday, notice, reminder},
};
use prost::Message;
use std::{collections::BTreeSet, fs, path::Path};

fn contact_id() -> ContactId {
    ContactId::new("2026-11-23.BRL.all").unwrap()
}

fn attempt_id() -> ChannelAttemptId {
    ChannelAttemptId::new("2026-11-23.BRL.all.0.1").unwrap()
}

fn composed(class: Class, aside: Aside) -> (Event, Aside) {
    let item = Item { tone: 5, fallback_after_hours: 0, min_outstanding_minor: 500, overdue: false, ..item("i1", "whatsapp > sms, email") };
    let event = ContactComposed {
        contact_id: contact_id(),
        day: "2026-11-23".parse().unwrap(),
        currency: Currency::new("USD").unwrap(),
        class,
        rules: Rules { merge: Merge::ByClass, max_per_day: 99, max_per_7_days: 7, max_voice_per_day: 0, ..Rules::default() },
        calendar: Calendar::None,
        zone: Zone::named("America/Manaus").unwrap(),
        items: vec![item],
    };
    (Event::ContactComposed(event), aside)
}

fn outcomes() -> Vec<ItemOutcome> {
    let all = [
        (Outcome::Executed, Some(1)),
        (Outcome::Superseded(Reason::Paid), None),
        (Outcome::Suppressed(Reason::CoveredByCredit), None),
        (Outcome::Deferred(Reason::WindowShut), Some(5)),
        (Outcome::Undeliverable(Reason::AllRefused), Some(9)),
    ];
    all.into_iter().map(|(outcome, net_minor)| ItemOutcome { key: item("i1", "email").key(), outcome, net_minor }).collect()
}

fn looks() -> Vec<(Event, Aside)> {
    let (carrying, said) = (item("i1", "email").key(), vec![Said { key: item("i1", "email").key(), net_minor: 7 }]);
    let (day, currency) = ("2026-11-23".parse().unwrap(), Currency::BRL);
    let at = at("2026-11-23T12:00:00.123456789Z");
    let gated = ContactGated {
        contact_id: contact_id(),
        day,
        currency,
        outcomes: outcomes(),
        said: said.clone(),
        carrying: carrying.clone(),
        tone: 3,
        template: "vencida-firme".into(),
        chains: vec![vec![Channel::Whatsapp, Channel::Sms], vec![Channel::Email]],
        at,
    };
    let again = FallbackGated {
        contact_id: contact_id(),
        outcomes: vec![],
        said,
        carrying: carrying.clone(),
        tone: 1,
        template: "vencida".into(),
        at,
    };
    let stopped = |reason| Event::FallbackStopped(FallbackStopped { contact_id: contact_id(), chains: vec![0, 3], reason });
    let concluded = |carrying, channel, tone| {
        let template = if tone == 0 { String::new() } else { "vencida".into() };
        let outcomes = outcomes();
        Event::ContactConcluded(ContactConcluded { contact_id: contact_id(), day, currency, carrying, tone, template, channel, outcomes })
    };
    vec![
        (Event::ContactGated(gated), Aside::Nothing),
        (Event::FallbackGated(again), Aside::Contact { day, currency }),
        (stopped(StopReason::WindowShut), Aside::Nothing),
        (stopped(StopReason::NothingToSay), Aside::Nothing),
        (stopped(StopReason::NoChannelLeft), Aside::Nothing),
        (concluded(Some(carrying), Some(Channel::Sms), 2), Aside::Nothing),
        (concluded(None, None, 0), Aside::Nothing),
    ]
}

fn attempts() -> Vec<(Event, Aside)> {
    let (contact_id, attempt_id, at) = (contact_id(), attempt_id(), at("2026-11-23T12:00:00.123456789Z"));
    let day = "2026-11-24".parse().unwrap();
    let receipt = |status| {
        let event = ReceiptNoted { contact_id: contact_id.clone(), attempt_id: attempt_id.clone(), channel: Channel::Letter, status, at };
        (Event::ReceiptNoted(event), Aside::Receipt { day, items: outcomes() })
    };
    let (c, a) = (|| contact_id.clone(), || attempt_id.clone());
    let plain = [
        Event::AttemptStarted(AttemptStarted { contact_id: c(), attempt_id: a(), chain: 2, link: 1, channel: Channel::Voice, at }),
        Event::AttemptRetried(AttemptRetried { contact_id: c(), attempt_id: a(), at }),
        Event::AttemptAccepted(AttemptAccepted {
            contact_id: c(),
            attempt_id: a(),
            channel: Channel::Sms,
            day,
            provider_id: "p".into(),
            at,
        }),
        Event::AttemptRefused(AttemptRefused { contact_id: c(), attempt_id: a(), channel: Channel::Sms, reason: "http_422".into(), at }),
        Event::AttemptUnknown(AttemptUnknown { contact_id: c(), attempt_id: a(), channel: Channel::Email, at }),
        Event::OptedOut(OptedOut { channel: Channel::Whatsapp }),
        Event::OptedIn(OptedIn { channel: Channel::Voice }),
        Event::Forgotten(Forgotten),
    ];
    let receipts = [ReceiptStatus::Failed, ReceiptStatus::Delivered, ReceiptStatus::Read].map(receipt);
    plain.into_iter().map(|event| (event, Aside::Nothing)).chain(receipts).collect()
}

fn facts() -> Vec<Fact> {
    let single = Class::Single(item("i1", "email").invoice_id);
    let returned = Aside::Returned(BTreeSet::from([item("i1", "email").key()]));
    let mut all = vec![
        composed(Class::All, Aside::Nothing),
        composed(Class::Overdue, Aside::Nothing),
        composed(Class::Upcoming, returned),
        composed(single, Aside::Nothing),
    ];
    all.extend(looks());
    all.extend(attempts());
    let suspended = Suspended { invoice_ids: vec![item("i1", "email").invoice_id], standstill: Standstill::InProcess };
    all.push((Event::Suspended(suspended), Aside::Nothing));
    for (class, purpose) in [(Class::ThankYou, Purpose::ThankYou), (Class::Correction, Purpose::Correction)] {
        let (mut event, aside) = composed(class, Aside::Nothing);
        if let Event::ContactComposed(composed) = &mut event {
            composed.items.iter_mut().for_each(|item| item.purpose = purpose);
        }
        all.push((event, aside));
    }
    let customer_id = CustomerId::new("c/1").unwrap();
    all.into_iter().map(|(event, aside)| Fact { customer_id: customer_id.clone(), event, aside }).collect()
}

#[test]
fn every_event_is_read_back_as_it_was() {
    for fact in facts() {
        let (event_type, payload) = encode(&fact);
        assert_eq!(decode(event_type, &payload).unwrap(), Some(fact));
    }
}

/// What is kept of local holidays.
fn heard() -> Vec<Heard> {
    let (day, place) = ("2027-01-25".parse().unwrap(), Place::parse("3550308").unwrap());
    vec![Heard::Noted { day, place, name: "Aniversário de São Paulo".into() }, Heard::Lifted { day, place: Place::Tenant }]
}

#[test]
fn what_the_engine_says_of_a_holiday_is_kept_and_read_back() {
    for heard in heard() {
        let (event_type, payload) = encode_holiday(&heard);
        assert_eq!(decode_holiday(event_type, &payload).unwrap(), Some(heard.clone()));
        assert_eq!(decode(event_type, &payload).unwrap(), None, "it is about no payer");
    }
    let said = dunning::LocalHolidayRecorded { place: "SP".into(), day: "2026-07-09".into(), name: "n".into(), ..Default::default() };
    let noted = Heard::Noted { day: "2026-07-09".parse().unwrap(), place: Place::parse("SP").unwrap(), name: "n".into() };
    assert_eq!(heard_of_holiday("LocalHolidayRecorded", &said.encode_to_vec()).unwrap(), Some(noted));
    assert_eq!(heard_of_holiday("ReminderDue", b"anything").unwrap(), None);
    let nowhere = dunning::LocalHolidayWithdrawn { place: "XX".into(), day: "2026-07-09".into(), ..Default::default() };
    let fault = heard_of_holiday("LocalHolidayWithdrawn", &nowhere.encode_to_vec()).unwrap_err();
    assert_eq!(fault.to_string(), "field place is malformed");
}

/// What is stored once must be readable for ever. Set `REGUA_BLESS` to add the bytes of new facts, never to change old ones.
#[test]
fn the_bytes_of_every_event_stay_what_they_were() {
    let line = |fact: &Fact| {
        let (event_type, payload) = encode(fact);
        format!("{event_type} {}\n", hex::encode(payload))
    };
    let kept = |heard: &Heard| {
        let (event_type, payload) = encode_holiday(heard);
        format!("{event_type} {}\n", hex::encode(payload))
    };
    let now: String = facts().iter().map(line).chain(heard().iter().map(kept)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notification/golden/events.txt");
    if std::env::var_os("REGUA_BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let then = fs::read_to_string(&path).unwrap_or_default();
    for (now, then) in now.lines().zip(then.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(now.len(), then.len());
}

#[test]
fn an_event_of_a_later_version_is_skipped_and_a_damaged_one_is_not() {
    assert_eq!(decode("ContactMoved", b"anything").unwrap(), None);
    assert_eq!(decode("OptedOut", b"\xff\xff").unwrap_err().to_string().split(':').next(), Some("not a OptedOut"));
    assert_eq!(decode("OptedOut", b"").unwrap_err().to_string(), "field channel is malformed");
}

/// A reminder of one overdue invoice, as the engine writes it.
pub fn due() -> dunning::ReminderDue {
    let item = dunning::DueItem {
        invoice_id: "i1".into(),
        cycle: 2,
        step_id: "d+7".into(),
        occurrence: 1,
        tone: 3,
        template: "vencida-firme".into(),
        chains: vec![dunning::ChannelChain { channels: vec!["whatsapp".into(), "sms".into()] }],
        planned_on: "2026-11-23".into(),
        due_on: "2026-11-16".into(),
        effective_due: "2026-11-16".into(),
        overdue: true,
        currency: "BRL".into(),
        payment_returned: true,
        fallback_after_hours: 4,
        disputed_minor: 700,
        ..dunning::DueItem::default()
    };
    dunning::ReminderDue {
        customer_id: "c1".into(),
        day: "2026-11-23".into(),
        items: vec![item],
        rules: Some(dunning::ContactRules {
            merge: "per_day".into(),
            max_per_day: 1,
            max_per_7_days: 3,
            max_voice_per_day: 1,
            weekdays: vec![true, true, true, true, true, false, false],
            window_from: "09:00".into(),
            window_until: "18:00".into(),
        }),
        calendar: "br-settlement".into(),
        time_zone: "America/Sao_Paulo".into(),
    }
}

#[test]
fn a_reminder_of_the_engine_is_understood() {
    let (customer_id, reminder, returned) = reminder(&due().encode_to_vec()).unwrap();
    assert_eq!((customer_id.as_str(), reminder.day.to_string().as_str()), ("c1", "2026-11-23"));
    assert_eq!(reminder.rules, Rules::default());
    assert_eq!(reminder.items[0].chains, [[Channel::Whatsapp, Channel::Sms]]);
    assert_eq!(returned, BTreeSet::from([reminder.items[0].key()]));
    assert_eq!(reminder.items[0].disputed_minor, 700);
}

#[test]
fn a_reminder_that_cannot_be_understood_names_its_field() {
    type Break = fn(&mut dunning::ReminderDue);
    let cases: [(Break, &str); 6] = [
        (|m| m.day.clear(), "field day is malformed"),
        (|m| m.rules = None, "field rules is malformed"),
        (|m| m.time_zone = "Mars/Base".into(), "field time_zone is malformed"),
        (|m| m.items[0].tone = 9, "field tone is malformed"),
        (|m| m.items[0].currency = "XXX".into(), "field currency is malformed"),
        (|m| m.items[0].chains[0].channels[0] = "fax".into(), "field channel is malformed"),
    ];
    for (damage, expected) in cases {
        let mut message = due();
        damage(&mut message);
        assert_eq!(reminder(&message.encode_to_vec()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn thanks_of_the_engine_are_understood_as_what_asks_for_nothing() {
    let due = |kind: &str, reminder| dunning::NoticeDue { reminder, kind: kind.into() }.encode_to_vec();
    for (kind, purpose) in [("thank_you", Purpose::ThankYou), ("correction", Purpose::Correction)] {
        let (customer_id, reminder) = notice(&due(kind, Some(self::due()))).unwrap();
        assert_eq!((customer_id.as_str(), reminder.items[0].purpose), ("c1", purpose));
    }
    for (payload, expected) in [
        (due("", Some(self::due())), "field kind is malformed"),
        (due("birthday", Some(self::due())), "field kind is malformed"),
        (due("thank_you", None), "field reminder is malformed"),
    ] {
        assert_eq!(notice(&payload).unwrap_err().to_string(), expected);
    }
}
