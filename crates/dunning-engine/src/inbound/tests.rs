use super::*;
use eventlog::Recorded;
use prost::Message as _;

fn from(topic: &str, event_type: &str, payload: Vec<u8>) -> Message {
    let event = Recorded {
        position: 1,
        event_id: uuid::Uuid::nil(),
        stream: "account/acme/C1".into(),
        version: 1,
        event_type: event_type.into(),
        schema_version: 1,
        tenant: "acme".into(),
        key: "acme/C1".into(),
        recorded_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        occurred_at: None,
        effective_on: None,
        command_id: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        payload,
    };
    Message { topic: topic.into(), partition: 0, offset: 0, event }
}

/// The commands that a message causes, or the reason of the poison, as text.
fn understood(topic: &str, event_type: &str, payload: Vec<u8>) -> String {
    match Facts.commands(&from(topic, event_type, payload)) {
        Ok(commands) => {
            let one = |inbound: InboundCommand<Addressed>| {
                assert_eq!((inbound.stream.as_str(), inbound.meta.key.as_str()), ("ladder/acme/C1", "acme/C1"));
                format!("{:?}", inbound.command.order)
            };
            commands.into_iter().map(one).collect::<Vec<_>>().join(" | ")
        }
        Err(poison) => format!("poison: {poison}"),
    }
}

fn attributes(time_zone: &str, state: &str, segment: &str) -> Option<invoice::CustomerAttributes> {
    Some(invoice::CustomerAttributes {
        segment: segment.into(),
        language: "pt-BR".into(),
        time_zone: time_zone.into(),
        state: state.into(),
        municipality: if state == "SP" { "3550308".into() } else { String::new() },
    })
}

fn registered(attributes: Option<invoice::CustomerAttributes>) -> Vec<u8> {
    invoice::CustomerRegistered { customer_id: "C1".into(), attributes, consents: vec![] }.encode_to_vec()
}

#[test]
fn what_is_known_of_a_payer_is_zone_segment_state_and_municipality() {
    for (payload, expected) in [
        (
            registered(attributes("America/Manaus", "SP", "varejo")),
            "NotePayer { zone: Some(Zone(America/Manaus)), segment: Some(\"varejo\"), state: Some(\"SP\"), municipality: Some(\"3550308\") }",
        ),
        (
            registered(attributes("", "AC", "")),
            "NotePayer { zone: Some(Zone(America/Rio_Branco)), segment: None, state: Some(\"AC\"), municipality: None }",
        ),
        (registered(None), "NotePayer { zone: None, segment: None, state: None, municipality: None }"),
    ] {
        assert_eq!(understood(INVOICE_TOPIC, "CustomerRegistered", payload.clone()), format!("Ladder({expected})"));
        assert_eq!(understood(INVOICE_TOPIC, "CustomerAmended", payload), format!("Ladder({expected})"), "the same message");
    }
    let unknown = registered(attributes("Mars/Base", "", ""));
    assert_eq!(
        understood(INVOICE_TOPIC, "CustomerRegistered", unknown),
        "poison: CustomerRegistered: field attributes.time_zone is malformed"
    );
    let erased = invoice::CustomerErased { customer_id: "C1".into() }.encode_to_vec();
    assert_eq!(understood(INVOICE_TOPIC, "CustomerErased", erased), "Ladder(ForgetPayer { recorded_at: 2026-11-23T12:00:00Z })");
}

#[test]
fn views_and_ratings_are_noted_as_their_owner_tells_them() {
    let viewed = |invoice_id: &str| {
        let (customer_id, viewed_at_us, through) = ("C1".into(), 1_795_435_200_000_000, "portal".into());
        invoice::InvoiceViewed { customer_id, invoice_id: invoice_id.into(), viewed_at_us, through }.encode_to_vec()
    };
    let noted = "Ladder(NoteView { invoice_id: InvoiceId(\"I1\"), viewed_at: 2026-11-23T12:00:00Z })";
    assert_eq!(understood(INVOICE_TOPIC, "InvoiceViewed", viewed("I1")), noted);
    assert_eq!(understood(INVOICE_TOPIC, "InvoiceViewed", viewed("")), "poison: InvoiceViewed: field invoice_id is malformed");
    let rated = |score| invoice::CustomerRated { customer_id: "C1".into(), score, ..Default::default() }.encode_to_vec();
    assert_eq!(understood(INVOICE_TOPIC, "CustomerRated", rated(70)), "Ladder(NoteRating { score: 70 })");
    assert_eq!(understood(INVOICE_TOPIC, "CustomerRated", rated(256)), "poison: CustomerRated: field score is malformed");
}

#[test]
fn facts_of_an_invoice_become_commands_at_the_instant_of_their_log() {
    let issued = |currency: &str| invoice::InvoiceIssued {
        customer_id: "C1".into(),
        invoice_id: "I1".into(),
        amount_minor: 5000,
        currency: currency.into(),
        issued_on: "2026-11-20".into(),
        due_on: "2026-12-20".into(),
        ..Default::default()
    };
    let entry = "Enter(Entry { invoice_id: InvoiceId(\"I1\"), amount_minor: 5000, currency: BRL, issued_on: 2026-11-20, due_on: 2026-12-20, \
                 recorded_at: 2026-11-23T12:00:00Z, instalment_of: None })";
    assert_eq!(understood(INVOICE_TOPIC, "InvoiceIssued", issued("BRL").encode_to_vec()), entry);
    let cases: [(&str, Vec<u8>, &str); 4] = [
        (
            "InvoiceAmended",
            invoice::InvoiceAmended {
                customer_id: "C1".into(),
                invoice_id: "I1".into(),
                due_on: "2027-01-05".into(),
                outstanding_minor: 7,
                ..Default::default()
            }
            .encode_to_vec(),
            "NoteAmendment { invoice_id: InvoiceId(\"I1\"), outstanding_minor: 7, due_on: 2027-01-05, recorded_at: 2026-11-23T12:00:00Z }",
        ),
        (
            "InvoiceCancelled",
            invoice::InvoiceCancelled { customer_id: "C1".into(), invoice_id: "I1".into(), ..Default::default() }.encode_to_vec(),
            "NoteCancellation { invoice_id: InvoiceId(\"I1\"), recorded_at: 2026-11-23T12:00:00Z }",
        ),
        (
            "PaymentReceived",
            invoice::PaymentReceived { customer_id: "C1".into(), invoice_id: "I1".into(), outstanding_minor: 10, ..Default::default() }
                .encode_to_vec(),
            "NotePayment { invoice_id: InvoiceId(\"I1\"), outstanding_minor: 10, recorded_at: 2026-11-23T12:00:00Z }",
        ),
        (
            "PaymentReversed",
            invoice::PaymentReversed { customer_id: "C1".into(), invoice_id: "I1".into(), outstanding_minor: 20, ..Default::default() }
                .encode_to_vec(),
            "NoteReversal { invoice_id: InvoiceId(\"I1\"), outstanding_minor: 20, recorded_at: 2026-11-23T12:00:00Z }",
        ),
    ];
    for (event_type, payload, expected) in cases {
        assert_eq!(understood(INVOICE_TOPIC, event_type, payload), format!("Ladder({expected})"), "{event_type}");
    }
    assert_eq!(
        understood(INVOICE_TOPIC, "InvoiceIssued", issued("XXX").encode_to_vec()),
        "poison: InvoiceIssued: field currency is malformed"
    );
    assert_eq!(understood(INVOICE_TOPIC, "FromTheFuture", vec![1]), "");
}

#[test]
fn a_credit_note_lowers_a_debt_and_one_taken_back_is_a_debt_that_grew() {
    let cases = [
        (
            "CreditNoteIssued",
            invoice::CreditNoteIssued { customer_id: "C1".into(), invoice_id: "I1".into(), outstanding_minor: 10, ..Default::default() }
                .encode_to_vec(),
            "NoteCredit { invoice_id: InvoiceId(\"I1\"), outstanding_minor: 10, recorded_at: 2026-11-23T12:00:00Z }",
        ),
        (
            "CreditNoteCancelled",
            invoice::CreditNoteCancelled {
                customer_id: "C1".into(),
                invoice_id: "I1".into(),
                outstanding_minor: 7,
                due_on: "2027-01-05".into(),
                ..Default::default()
            }
            .encode_to_vec(),
            "NoteAmendment { invoice_id: InvoiceId(\"I1\"), outstanding_minor: 7, due_on: 2027-01-05, recorded_at: 2026-11-23T12:00:00Z }",
        ),
    ];
    for (event_type, payload, expected) in cases {
        assert_eq!(understood(INVOICE_TOPIC, event_type, payload), format!("Ladder({expected})"), "{event_type}");
    }
    let of_the_payer = invoice::CreditNoteIssued { customer_id: "C1".into(), ..Default::default() }.encode_to_vec();
    assert_eq!(understood(INVOICE_TOPIC, "CreditNoteIssued", of_the_payer), "", "the owner looks through it");
}

fn item(outcome: &str, reason: &str) -> notification::ItemOutcome {
    notification::ItemOutcome {
        invoice_id: "I1".into(),
        cycle: 1,
        step_id: "d+1".into(),
        occurrence: 1,
        outcome: outcome.into(),
        reason: reason.into(),
        net_minor: 0,
    }
}

fn concluded(outcome: &str, reason: &str, channels: &[&str]) -> String {
    let m = notification::ReminderConcluded {
        customer_id: "C1".into(),
        contact_id: "k1".into(),
        day: "2026-11-24".into(),
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        items: vec![item(outcome, reason)],
        ..Default::default()
    };
    let text = understood(NOTIFICATION_TOPIC, "ReminderConcluded", m.encode_to_vec());
    text.split("outcome: ").nth(1).map_or(text.clone(), |rest| rest.trim_end_matches(" }] })").to_owned())
}

#[test]
fn what_became_of_a_contact_is_told_in_the_words_of_the_ladder() {
    for (outcome, reason, channels, expected) in [
        ("executed", "", &["sms", "email"][..], "Executed { channel: Sms }"),
        ("superseded", "paid", &[], "Superseded(Paid)"),
        ("superseded", "new_cycle", &[], "Superseded(Rescheduled)"),
        ("suppressed", "covered_by_credit", &[], "Suppressed(CoveredByCredit)"),
        ("superseded", "within_tolerance", &[], "Superseded(WithinTolerance)"),
        ("deferred", "automatic_debit", &[], "Deferred(AutomaticDebit)"),
        ("suppressed", "customer_erased", &[], "Suppressed(PayerForgotten)"),
        ("suppressed", "unknown_invoice", &[], "Suppressed(NotAuthorised)"),
        ("deferred", "budget_spent", &[], "Deferred(BudgetSpent)"),
        ("deferred", "day_taken", &[], "Deferred(BudgetSpent)"),
        ("deferred", "stale_feed", &[], "Deferred(StaleFeed)"),
        ("undeliverable", "no_address", &[], "Undeliverable(NoAddress)"),
        ("undeliverable", "all_refused", &[], "Undeliverable(AllChannelsFailed)"),
        ("undeliverable", "a_word_of_tomorrow", &[], "Undeliverable(Other)"),
        ("executed", "", &[], "poison: ReminderConcluded: field channels is malformed"),
        ("executed", "", &["pigeon"], "poison: ReminderConcluded: field channels is malformed"),
        ("vanished", "", &[], "poison: ReminderConcluded: field items.outcome is malformed"),
    ] {
        assert_eq!(concluded(outcome, reason, channels), expected, "{outcome} {reason}");
    }
}

#[test]
fn a_receipt_counts_when_the_message_arrived() {
    let receipt = |status: &str| {
        let m = notification::ReceiptNoted {
            customer_id: "C1".into(),
            contact_id: "k1".into(),
            status: status.into(),
            day: "2026-11-25".into(),
            items: vec![item("executed", "")],
            ..Default::default()
        };
        understood(NOTIFICATION_TOPIC, "ReceiptNoted", m.encode_to_vec())
    };
    let noted = "Ladder(NoteDelivery { invoice_id: InvoiceId(\"I1\"), cycle: 1, step_id: StepId(\"d+1\"), occurrence: 1, \
                 delivered_on: 2026-11-25 })";
    assert_eq!((receipt("delivered").as_str(), receipt("read").as_str(), receipt("failed").as_str()), (noted, noted, ""));
}

#[test]
fn known_types_are_those_that_are_understood() {
    assert!(Facts.knows(INVOICE_TOPIC, "PaymentReceived") && Facts.knows(NOTIFICATION_TOPIC, "OptedOut"));
    assert!(!Facts.knows(INVOICE_TOPIC, "ReminderConcluded") && !Facts.knows("other", "PaymentReceived"));
}
