//! Holds, disputes, promises, announced payments, write-off and hand-off through the service: RPC, event, plan, explanation, list.

use super::*;
use host::refusal::reason_of;

/// C1 owes I1, due Monday 23 November, climbed until the 25th.
async fn climbed() -> World {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.live(brasilia("2026-11-25", 8), sent).await;
    world
}

fn hold(command_id: &str, until: &str, review_on: &str) -> proto::PlaceHoldRequest {
    proto::PlaceHoldRequest {
        command_id: command_id.into(),
        invoice_id: "I1".into(),
        by: "ana".into(),
        reason: "em negociação".into(),
        arrangement_id: String::new(),
        until: until.into(),
        review_on: review_on.into(),
    }
}

fn promise(command_id: &str, amount_minor: i64, promised_on: &str) -> proto::MakePromiseRequest {
    proto::MakePromiseRequest {
        command_id: command_id.into(),
        invoice_ids: vec!["I1".into()],
        by: "ana".into(),
        reason: "ligou".into(),
        arrangement_id: String::new(),
        amount_minor,
        currency: "BRL".into(),
        promised_on: promised_on.into(),
        method: "pix".into(),
    }
}

async fn listed(world: &World, open_only: bool) -> Vec<String> {
    let asked = proto::ListArrangementsRequest { customer_id: "C1".into(), open_only, ..Default::default() };
    let found = world.server.list_arrangements(world.ask(asked)).await.unwrap().into_inner();
    let line = |one: proto::Arrangement| format!("{} {} {} {} {}", one.arrangement_id, one.kind, one.since, one.until, one.end);
    found.arrangements.into_iter().map(line).map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn a_held_debt_is_left_alone_explained_and_listed() {
    let mut world = climbed().await;
    world.server.place_hold(world.ask(hold("h-1", "2026-12-04", ""))).await.unwrap();
    world.server.place_hold(world.ask(hold("h-1", "2026-12-04", ""))).await.unwrap();
    world.settle().await;
    assert_eq!((world.events("HoldPlaced").await, world.track("I1").await.phase.as_str()), (1, "held"));
    assert_eq!(listed(&world, true).await, ["h-1 hold 2026-11-25 2026-12-04"]);
    world.live(brasilia("2026-12-08", 8), sent).await;
    let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: "2026-11-30".into() };
    let answer = world.server.explain_day(world.ask(asked)).await.unwrap().into_inner();
    let d7 = answer.considerations.iter().find(|one| one.step_id == "d+7").unwrap();
    assert_eq!((d7.decision.as_str(), d7.reason.as_str(), answer.contacted), ("not_offered", "held", false));
    assert!(answer.lines.iter().any(|line| line == "I1 is held until 2026-12-04 by ana: em negociação"), "{:?}", answer.lines);
    // Friday the 4th was the last day of the hold: the ladder goes on on Monday.
    assert!(world.ends("I1").await.contains("d+7 executed 2026-12-07"), "{}", world.ends("I1").await);
    assert_eq!(
        (listed(&world, true).await.len(), listed(&world, false).await),
        (0, vec!["h-1 hold 2026-11-25 2026-12-04 lapsed".to_owned()])
    );
    world.check().await;
}

#[tokio::test]
async fn a_broken_promise_is_told_counted_and_listed() {
    let mut world = climbed().await;
    let until = world.server.make_promise(world.ask(promise("p-1", 10_000, "2026-11-27"))).await.unwrap().into_inner().until;
    assert_eq!(until, "2026-11-27");
    world.settle().await;
    assert_eq!(world.track("I1").await.phase, "promised");
    world.paid("C1", "I1", 4_000).await;
    world.live(brasilia("2026-12-01", 8), sent).await;
    let broken =
        world.environment.log.read(0, 10_000).await.unwrap().into_iter().find(|event| event.event_type == "PromiseBroken").unwrap();
    let broken = proto::PromiseBroken::decode(broken.payload.as_slice()).unwrap();
    assert_eq!((broken.end.as_str(), broken.received_minor, broken.invoice_ids), ("partly_kept", 6_000, vec!["I1".to_owned()]));
    let mut reminders = world.environment.log.read(0, 10_000).await.unwrap().into_iter().filter(|event| event.event_type == "ReminderDue");
    let last = proto::ReminderDue::decode(reminders.next_back().unwrap().payload.as_slice()).unwrap();
    assert!(last.items[0].promise_broken, "the text says so");
    let payer = world.server.get_payer(world.ask(proto::GetPayerRequest { customer_id: "C1".into() })).await.unwrap().into_inner();
    assert_eq!((payer.promises_made, payer.promises_kept, payer.promises_partly_kept, payer.promises_broken), (1, 0, 1, 0));
    assert_eq!(listed(&world, false).await, ["p-1 promise 2026-11-25 2026-11-27 partly_kept"]);
    world.check().await;
}

#[tokio::test]
async fn disputes_announcements_and_ends_by_hand_go_through_the_service() {
    let mut world = climbed().await;
    let dispute = proto::OpenDisputeRequest {
        command_id: "d-1".into(),
        invoice_id: "I1".into(),
        by: "ana".into(),
        reason: "cobrança em dobro".into(),
        arrangement_id: "D1".into(),
        amount_minor: 2_500,
    };
    world.server.open_dispute(world.ask(dispute)).await.unwrap();
    let announced = proto::AnnouncePaymentRequest {
        command_id: "a-1".into(),
        invoice_id: "I1".into(),
        by: "bot".into(),
        reason: "já paguei".into(),
        arrangement_id: String::new(),
        method: "boleto".into(),
    };
    let until = world.server.announce_payment(world.ask(announced)).await.unwrap().into_inner().until;
    assert_eq!(until, "2026-11-27");
    world.settle().await;
    assert_eq!((world.track("I1").await.phase.as_str(), listed(&world, true).await.len()), ("in_process", 2));
    let resolve = proto::ResolveDisputeRequest {
        command_id: "r-1".into(),
        invoice_id: "I1".into(),
        by: "ana".into(),
        reason: "conferido".into(),
        outcome: "rejected".into(),
    };
    world.server.resolve_dispute(world.ask(resolve)).await.unwrap();
    world.live(brasilia("2026-12-01", 8), sent).await;
    assert_eq!(listed(&world, false).await, ["D1 dispute 2026-11-25  rejected", "a-1 announcement 2026-11-25 2026-11-27 lapsed"]);
    let over =
        proto::WriteOffDebtRequest { command_id: "w-1".into(), invoice_id: "I1".into(), by: "ana".into(), reason: "prescrita".into() };
    world.server.write_off_debt(world.ask(over)).await.unwrap();
    world.live(brasilia("2027-01-20", 8), sent).await;
    assert_eq!(world.track("I1").await.phase, "written_off");
    let tasks = world
        .server
        .list_tasks(world.ask(proto::ListTasksRequest { status: "all".into(), ..Default::default() }))
        .await
        .unwrap()
        .into_inner()
        .tasks;
    assert_eq!(tasks.iter().map(|task| task.reason.as_str()).collect::<Vec<_>>(), ["dispute_open"]);
    world.check().await;
}

#[tokio::test]
async fn tasks_come_in_pages() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    for invoice_id in ["I1", "I2", "I3"] {
        world.issued("C1", invoice_id, ("2026-11-03", "2026-11-23")).await;
        let dispute = proto::OpenDisputeRequest {
            command_id: format!("d-{invoice_id}"),
            invoice_id: invoice_id.into(),
            by: "ana".into(),
            reason: "x".into(),
            ..Default::default()
        };
        world.server.open_dispute(world.ask(dispute)).await.unwrap();
        world.settle().await;
    }
    let page = async |page_token: String| {
        let asked = proto::ListTasksRequest { page_size: 2, page_token, ..Default::default() };
        let found = world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner();
        (found.tasks.into_iter().map(|task| task.invoice_id).collect::<Vec<_>>().join(" "), found.next_page_token)
    };
    let (first, token) = page(String::new()).await;
    assert_eq!((first.as_str(), page(token).await.0.as_str()), ("I1 I2", "I3"));
}

#[tokio::test]
async fn refusals_carry_slug_and_field_and_nothing_happens() {
    let world = climbed().await;
    let refused = async |request: proto::PlaceHoldRequest| {
        let status = world.server.place_hold(world.ask(request)).await.unwrap_err();
        (status.code(), reason_of(&status).to_owned())
    };
    let elsewhere = |invoice_id: &str| proto::PlaceHoldRequest { invoice_id: invoice_id.into(), ..hold("x", "2026-12-01", "") };
    for (request, code, slug) in [
        (hold("h-1", "", ""), tonic::Code::InvalidArgument, "hold_without_end"),
        (hold("h-2", "2026-11-24", ""), tonic::Code::InvalidArgument, "date_in_past"),
        (hold("h-3", "tomorrow", ""), tonic::Code::InvalidArgument, "date_malformed"),
        (proto::PlaceHoldRequest { reason: String::new(), ..hold("h-4", "2026-12-01", "") }, tonic::Code::InvalidArgument, "text_refused"),
        (elsewhere("I9"), tonic::Code::NotFound, "unknown_invoice"),
    ] {
        assert_eq!(refused(request).await, (code, slug.to_owned()));
    }
    let lift = proto::LiftHoldRequest { command_id: "l".into(), invoice_id: "I1".into(), by: "ana".into(), reason: "x".into() };
    let status = world.server.lift_hold(world.ask(lift)).await.unwrap_err();
    assert_eq!((status.code(), reason_of(&status)), (tonic::Code::FailedPrecondition, "not_arranged"));
    let far = world.server.make_promise(world.ask(promise("p-1", 1, "2027-02-01"))).await.unwrap_err();
    assert_eq!((far.code(), reason_of(&far)), (tonic::Code::InvalidArgument, "promise_too_far"));
    let nothing = proto::MakePromiseRequest { invoice_ids: vec![], ..promise("p-2", 1, "2026-11-27") };
    assert_eq!(reason_of(&world.server.make_promise(world.ask(nothing)).await.unwrap_err()), "items_not_distinct");
    assert_eq!((listed(&world, false).await.len(), world.track("I1").await.phase.as_str()), (0, "active"));
}
