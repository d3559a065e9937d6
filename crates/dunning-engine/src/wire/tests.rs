mod golden;
mod holiday;
mod listing;

use super::*;
use crate::catch_up::{CatchUpEvent, Report, Verdict};
use crate::policies::{Assignment, Migrated, PolicyEvent, Scope};
use chrono::{DateTime, NaiveDate, Utc};
use kernel::{AgreementId, ArrangementId, Calendar, ContactId, Currency, InvoiceId, PolicyId, StepId, VariantId, Window, Zone};
use ladder::{
    Reason, TaskReason,
    arrangement::{Arrangement, ArrangementEnd, ArrangementKind, ArrangementTerms},
    catch_up::Forecast,
    ladder::{Closing, DueItem, Shift},
    migration::MovedStep,
    notices::NoticeKind,
    policy::{Chain, Channel, ContactRules, Merge, StepKind},
    schedule::PlannedStep,
    terms::Method,
    track::End,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at() -> DateTime<Utc> {
    "2026-11-23T12:00:00.123456Z".parse().unwrap()
}

fn invoice() -> InvoiceId {
    InvoiceId::new("I-1").unwrap()
}

fn step(text: &str) -> StepId {
    StepId::new(text).unwrap()
}

fn policy() -> PolicyId {
    PolicyId::new("regua-padrao").unwrap()
}

fn contact() -> Option<ContactId> {
    ContactId::new("c-1").ok()
}

fn planned() -> Vec<PlannedStep> {
    let one = |id, occurrence, kind, last_day| {
        let planned_on = (occurrence < 3).then(|| day("2026-11-24"));
        PlannedStep { step_id: step(id), occurrence, tone: 3, kind, planned_on, last_day }
    };
    vec![
        one("d-1", 1, StepKind::Notify, Some(day("2026-11-23"))),
        one("d-1", 2, StepKind::Notify, None),
        one("d-1", 3, StepKind::Notify, None),
        one("d+45", 1, StepKind::Bureau, None),
    ]
}

fn closings() -> Vec<Closing> {
    let ends = [
        End::Executed { contact_id: contact(), channel: Some(Channel::Voice) },
        End::Executed { contact_id: None, channel: None },
        End::Superseded { reason: Reason::Late, by: Some(step("d+3")) },
        End::Superseded { reason: Reason::Paid, by: None },
        End::Suppressed { reason: Reason::CoveredByCredit },
        End::Expired { reason: Reason::DuePassed },
        End::Undeliverable { reason: Reason::NoAddress },
    ];
    let every_reason = Reason::ALL.iter().map(|reason| End::Suppressed { reason: *reason });
    ends.into_iter().chain(every_reason).map(|end| Closing { step_id: step("d+1"), occurrence: 1, end }).collect()
}

fn due_item() -> DueItem {
    DueItem {
        invoice_id: invoice(),
        cycle: 2,
        step_id: step("d+7"),
        occurrence: 1,
        tone: 3,
        template: "vencida-firme".into(),
        chains: vec![Chain(vec![Channel::Whatsapp, Channel::Sms]), Chain(vec![Channel::Email]), Chain(vec![Channel::Letter])],
        planned_on: day("2026-11-30"),
        last_day: Some(day("2026-12-02")),
        due_on: day("2026-11-21"),
        effective_due: day("2026-11-23"),
        overdue: true,
        currency: Currency::BRL,
        min_outstanding_minor: 500,
        payment_returned: true,
        promise_broken: true,
        disputed_minor: 700,
        policy_id: policy(),
        policy_version: 3,
        fallback_after_hours: 6,
    }
}

fn rules() -> ContactRules {
    let window = Window { weekdays: [true, false, true, false, true, false, true], ..Window::default() };
    ContactRules { merge: Merge::ByClass, max_per_day: 2, max_per_7_days: 5, max_voice_per_day: 0, window }
}

fn agreement() -> AgreementId {
    AgreementId::new("A1").unwrap()
}

fn track_events() -> Vec<Event> {
    let (invoice_id, day_, recorded_at) = (invoice(), day("2026-11-23"), at());
    let enrolled = Event::TrackEnrolled {
        invoice_id: invoice_id.clone(),
        policy_id: policy(),
        policy_version: 7,
        variant: None,
        cycle: 1,
        amount_minor: 12_345,
        currency: Currency::BRL,
        issued_on: day("2026-11-01"),
        due_on: day("2026-11-21"),
        effective_due: day_,
        known_on: day("2026-11-02"),
        recorded_at,
        steps: planned(),
        instalment_of: None,
    };
    let rescheduled = |shift| Event::TrackRescheduled {
        invoice_id: invoice(),
        cycle: 2,
        day: day("2026-11-23"),
        shift,
        due_on: day("2026-12-01"),
        effective_due: day("2026-12-01"),
        outstanding_minor: 99,
        recorded_at: at(),
        steps: planned(),
    };
    let reopened =
        Event::TrackReopened { invoice_id: invoice(), cycle: 3, day: day_, outstanding_minor: 100, recorded_at, steps: planned() };
    let mut of_instalment = enrolled.clone();
    if let Event::TrackEnrolled { instalment_of, .. } = &mut of_instalment {
        *instalment_of = Some(agreement());
    }
    let mut of_variant = enrolled.clone();
    if let Event::TrackEnrolled { variant, .. } = &mut of_variant {
        *variant = Some(VariantId::new("vip").unwrap());
    }
    let mut moved_to_variant = moved();
    if let Event::TrackMigrated { variant, .. } = &mut moved_to_variant {
        *variant = Some(VariantId::new("vip").unwrap());
    }
    vec![
        enrolled,
        rescheduled(Shift::Later),
        rescheduled(Shift::Earlier),
        reopened,
        Event::OutstandingNoted { invoice_id: invoice(), outstanding_minor: -5, received_minor: 17, recorded_at },
        Event::TrackSettled { invoice_id: invoice(), cycle: 1, day: day_ },
        Event::TrackCancelled { invoice_id: invoice(), cycle: 1, day: day_, recorded_at },
        moved(),
        Event::TrackExhausted { invoice_id: invoice(), cycle: 1, day: day_ },
        Event::TrackHandedOff { invoice_id: invoice(), cycle: 1, day: day_, by: String::new(), why: String::new() },
        Event::TrackHandedOff { invoice_id: invoice(), cycle: 1, day: day_, by: "ana".into(), why: "carteira antiga".into() },
        Event::TrackWrittenOff { invoice_id, cycle: 1, day: day_, by: "ana".into(), why: "incobrável".into() },
        Event::TrackRenegotiated { invoice_id: invoice(), cycle: 1, day: day_, agreement_id: agreement(), recorded_at },
        Event::TrackAgreementBroken { invoice_id: invoice(), cycle: 2, day: day_, outstanding_minor: 70, recorded_at, steps: planned() },
        of_instalment,
        of_variant,
        moved_to_variant,
    ]
}

fn moved() -> Event {
    let is_new = |(at, planned)| MovedStep { planned, is_new: at % 2 == 1 };
    Event::TrackMigrated {
        invoice_id: invoice(),
        cycle: 2,
        day: day("2026-11-23"),
        policy_id: policy(),
        policy_version: 3,
        variant: None,
        due_on: day("2026-11-21"),
        effective_due: day("2026-11-23"),
        place: 2,
        steps: planned().into_iter().enumerate().map(is_new).collect(),
        by: "ana".into(),
        why: "mais brando".into(),
    }
}

fn forecast() -> Forecast {
    Forecast {
        contacts: 3,
        steps: [((policy(), step("d+1"), Channel::Sms), 2)].into(),
        superseded: [(Reason::Late, 1), (Reason::SameDay, 2)].into(),
        expired: [(Reason::DuePassed, 4)].into(),
    }
}

fn catch_up_events() -> Vec<CatchUpEvent> {
    let report = Report {
        number: 2,
        day: day("2026-11-23"),
        payers: 3,
        forecast: forecast(),
        approval_above: 10,
        approved: true,
        until_position: 99,
    };
    let verdict = Verdict { approved: false, by: "ana".into(), why: "tarde demais".into() };
    vec![CatchUpEvent::Planned(report), CatchUpEvent::Decided { number: 2, verdict }]
}

#[test]
fn every_event_of_a_tenants_catch_up_comes_back_as_it_went() {
    for event in catch_up_events() {
        let (event_type, payload) = encode_catch_up(&event);
        assert_eq!(decode_catch_up(event_type, &payload), Ok(Some(event)), "{event_type}");
    }
    assert_eq!(decode_catch_up("TrackSettled", &[]), Ok(None));
}

fn arrangement_events() -> Vec<Event> {
    let made = |terms, until: Option<&str>, invoice_ids: Vec<InvoiceId>| {
        let (by, why, since) = ("ana".to_owned(), "pediu por telefone".to_owned(), day("2026-11-23"));
        let id = ArrangementId::new("a-1").unwrap();
        Event::Arranged { arrangement: Arrangement { id, terms, invoice_ids, since, until: until.map(day), by, why } }
    };
    let promise = ArrangementTerms::Promise { amount_minor: 500, currency: Currency::BRL, promised_on: day("2026-11-27") };
    let one = || vec![invoice()];
    let mut events = vec![
        Event::CatchUpBegan { day: day("2026-11-23"), forecast: forecast() },
        Event::CatchUpEnded { day: day("2026-11-23"), number: 2, released: true },
        made(ArrangementTerms::Hold { review_on: None }, Some("2026-12-01"), one()),
        made(ArrangementTerms::Hold { review_on: Some(day("2026-12-01")) }, None, one()),
        made(ArrangementTerms::Dispute { amount_minor: None }, None, one()),
        made(ArrangementTerms::Dispute { amount_minor: Some(7) }, None, one()),
        made(promise, Some("2026-12-01"), vec![invoice(), InvoiceId::new("I-2").unwrap()]),
    ];
    events.extend(Method::ALL.map(|method| made(ArrangementTerms::Announcement { method }, Some("2026-11-25"), one())));
    for (kind, end) in [
        (ArrangementKind::Hold, ArrangementEnd::Lapsed),
        (ArrangementKind::Hold, ArrangementEnd::Lifted),
        (ArrangementKind::Dispute, ArrangementEnd::Accepted),
        (ArrangementKind::Dispute, ArrangementEnd::Rejected),
        (ArrangementKind::Promise, ArrangementEnd::Kept),
        (ArrangementKind::Promise, ArrangementEnd::PartlyKept),
        (ArrangementKind::Promise, ArrangementEnd::Broken),
        (ArrangementKind::Promise, ArrangementEnd::Lifted),
        (ArrangementKind::Announcement, ArrangementEnd::Confirmed),
        (ArrangementKind::Announcement, ArrangementEnd::Lapsed),
    ] {
        let counts = matches!(kind, ArrangementKind::Promise | ArrangementKind::Announcement);
        events.push(Event::ArrangementEnded {
            id: ArrangementId::new("a-1").unwrap(),
            kind,
            invoice_ids: one(),
            end,
            day: day("2026-11-30"),
            received_minor: if counts { 300 } else { 0 },
            by: "ana".into(),
            why: "fim".into(),
        });
    }
    events
}

fn step_events() -> Vec<Event> {
    let (invoice_id, step_id, day) = (invoice(), step("d+1"), day("2026-11-23"));
    let deferred = |contact_id| Event::StepDeferred {
        invoice_id: invoice(),
        cycle: 1,
        step_id: step("d+1"),
        occurrence: 1,
        day,
        contact_id,
        reason: Reason::BudgetSpent,
    };
    let action = Event::ActionDue {
        invoice_id: invoice(),
        cycle: 1,
        step_id: step("d+45"),
        occurrence: 1,
        day,
        kind: StepKind::Protest,
        tone: 5,
        template: "aviso".into(),
        planned_on: day,
        due_on: day,
        effective_due: day,
        currency: Currency::BRL,
        outstanding_minor: 77,
        disputed_minor: 7,
        min_outstanding_minor: 10,
        policy_id: policy(),
        policy_version: 1,
    };
    let mut events = vec![
        Event::StepsPlanned { invoice_id: invoice(), cycle: 1, day, steps: planned() },
        Event::StepsClosed { invoice_id: invoice(), cycle: 1, day, closings: closings() },
        Event::ReminderDue { day, items: vec![due_item()], rules: rules(), calendar: Calendar::BrSettlement, zone: Zone::SAO_PAULO },
        deferred(contact()),
        deferred(None),
        Event::ApprovalRequested { invoice_id: invoice(), cycle: 1, step_id: step_id.clone(), occurrence: 1, day },
        action,
        Event::StepDelivered { invoice_id, cycle: 1, step_id, occurrence: 1, delivered_on: day },
    ];
    events.extend(work::tests::attended());
    events.extend(TaskReason::ALL.iter().map(|reason| Event::TaskRaised {
        invoice_id: invoice(),
        cycle: 1,
        day,
        reason: *reason,
        step_id: Some(step("d+45")),
        until: Some(day),
    }));
    events.push(Event::TaskRaised { invoice_id: invoice(), cycle: 1, day, reason: TaskReason::Exhausted, step_id: None, until: None });
    events
}

fn notice_events() -> Vec<Event> {
    let (invoice_id, day) = (invoice(), day("2026-11-23"));
    let item = |kind: NoticeKind| DueItem { step_id: kind.step_id(), tone: 1, overdue: false, ..due_item() };
    let mut events = Vec::new();
    for kind in NoticeKind::ALL {
        let (rules, calendar, zone, items) = (rules(), Calendar::BrSettlement, Zone::SAO_PAULO, vec![item(kind)]);
        events.push(Event::NoticePlanned { invoice_id: invoice_id.clone(), cycle: 2, kind, day, last_day: day });
        events.push(Event::NoticeDue { kind, day, items, rules, calendar, zone });
        for contact_id in [None, contact()] {
            let reason = Reason::WindowShut;
            events.push(Event::NoticeDeferred { invoice_id: invoice_id.clone(), cycle: 2, kind, day, contact_id, reason });
        }
        let end = End::Executed { contact_id: contact(), channel: Some(Channel::Email) };
        for end in [end, End::Expired { reason: Reason::TooOld }] {
            events.push(Event::NoticeClosed { invoice_id: invoice_id.clone(), cycle: 2, kind, day, end });
        }
    }
    events
}

fn payer_events() -> Vec<Event> {
    vec![
        Event::PayerNoted {
            zone: Zone::named("America/Manaus"),
            segment: Some("varejo".into()),
            state: Some("AM".into()),
            municipality: None,
        },
        Event::PayerNoted { zone: None, segment: None, state: None, municipality: None },
        Event::PayerNoted { zone: None, segment: None, state: Some("SP".into()), municipality: Some("3550308".into()) },
        Event::PayerForgotten,
        Event::RatingNoted { score: 0 },
        Event::RatingNoted { score: 100 },
        Event::ViewNoted { invoice_id: invoice(), viewed_at: at() },
    ]
}

fn facts() -> impl Iterator<Item = Fact> {
    let events = payer_events().into_iter().chain(track_events()).chain(step_events()).chain(arrangement_events()).chain(notice_events());
    events.map(|event| Fact { tenant: "acme".into(), customer_id: CustomerId::new("C1").unwrap(), event })
}

#[test]
fn every_event_comes_back_as_it_went() {
    for fact in facts() {
        let (event_type, payload) = encode(&fact);
        assert_eq!(decode("acme", event_type, &payload), Ok(Some(fact)), "{event_type}");
    }
}

fn policy_events() -> Vec<PolicyEvent> {
    let assigned =
        |scope, target: &str, version| PolicyEvent::Assigned(Assignment { scope, target: target.into(), policy_id: policy(), version });
    vec![
        PolicyEvent::Published { policy_id: policy(), version: 2, toml: "policy = \"ação\"\n".into() },
        assigned(Scope::Tenant, "", 0),
        assigned(Scope::Segment, "varejo sul", 3),
        assigned(Scope::Customer, "C1", 1),
        PolicyEvent::Migrated(Migrated {
            from: (policy(), 1),
            to: (policy(), 2),
            payers: 3,
            moved: 5,
            left: 1,
            by: "ana".into(),
            why: "x".into(),
        }),
    ]
}

#[test]
fn every_policy_event_comes_back_as_it_went() {
    for event in policy_events() {
        let (event_type, payload) = encode_policy(&event);
        assert_eq!(decode_policy(event_type, &payload), Ok(Some(event)), "{event_type}");
    }
}

#[test]
fn what_cannot_be_read_names_its_field_and_unknown_types_are_left_to_others() {
    let mut broken =
        contracts::dunning::v1::TrackSettled { customer_id: "C1".into(), invoice_id: "I-1".into(), day: "2026-13-01".into(), cycle: 1 };
    let bytes = |m: &contracts::dunning::v1::TrackSettled| prost::Message::encode_to_vec(m);
    assert_eq!(decode("t", "TrackSettled", &bytes(&broken)), Err(DecodeFault::Field("day")));
    broken.day = "2026-12-01".into();
    broken.customer_id = "C 1".into();
    assert_eq!(decode("t", "TrackSettled", &bytes(&broken)), Err(DecodeFault::Field("customer_id")));
    assert!(matches!(decode("t", "TrackSettled", &[0xff]), Err(DecodeFault::Bytes("TrackSettled", _))));
    assert_eq!(decode("t", "FromTheFuture", &[0xff]), Ok(None));
    assert_eq!(decode_policy("TrackSettled", &[]), Ok(None));
}

fn recorded(event_type: &str) -> eventlog::Recorded {
    eventlog::Recorded {
        position: 1,
        event_id: uuid::Uuid::nil(),
        stream: "ladder/acme/C1".into(),
        version: 1,
        event_type: event_type.into(),
        schema_version: 1,
        tenant: "acme".into(),
        key: "acme/C1".into(),
        recorded_at: at(),
        occurred_at: None,
        effective_on: None,
        command_id: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        payload: vec![1],
    }
}

#[test]
fn what_is_withheld_is_known_and_everything_else_is_public() {
    use crate::publish::PublicFacts;
    use eventlog::bus::{Publish, Published};
    let mut withheld = Vec::new();
    for fact in facts() {
        let event = recorded(encode(&fact).0);
        match PublicFacts.publish(&event) {
            Published::Withheld => withheld.push(event.event_type),
            Published::Public { event_type, payload } => assert_eq!((event_type, payload), (event.event_type, event.payload)),
        }
    }
    withheld.dedup();
    assert_eq!(
        withheld,
        [
            "PayerNoted",
            "PayerForgotten",
            "RatingNoted",
            "ViewNoted",
            "OutstandingNoted",
            "ApprovalRequested",
            "ApprovalGiven",
            "ApprovalRefused",
            "TaskDone",
            "TaskSnoozed"
        ]
    );
    assert_eq!(PublicFacts.publish(&recorded("PolicyPublished")), Published::Withheld);
}
