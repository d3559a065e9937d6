//! Why was this payer contacted, or not, on that day?

use super::*;
use host::refusal::reason_of;

async fn explain(world: &World, day: &str) -> proto::ExplainDayResponse {
    let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: day.into() };
    world.server.explain_day(world.ask(asked)).await.unwrap().into_inner()
}

/// `step decision reason`, one a step.
fn steps(answer: &proto::ExplainDayResponse) -> Vec<String> {
    let line = |one: &proto::Consideration| format!("{} {} {}", one.step_id, one.decision, one.reason);
    answer.considerations.iter().map(|one| line(one).trim().to_owned()).collect()
}

#[tokio::test]
async fn every_day_can_be_explained_afterwards() {
    let mut world = World::begin(brasilia("2026-11-20", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-20", "2026-11-23")).await;
    world
        .live(brasilia("2026-11-24", 20), |day, _| if day == "2026-11-23" { ("deferred", "budget_spent") } else { ("executed", "") })
        .await;
    world.live(brasilia("2026-11-27", 8), sent).await;
    world.paid("C1", "I1", 0).await;
    world.live(brasilia("2026-12-01", 8), sent).await;

    let friday = explain(&world, "2026-11-20").await;
    assert_eq!(
        steps(&friday)[..4],
        ["d-7 not_offered just_known", "d-1 not_offered just_known", "d0 not_reached planned_later", "d+1 not_reached planned_later"]
    );
    let monday = explain(&world, "2026-11-23").await;
    assert!(!monday.contacted);
    assert_eq!(
        steps(&monday)[..4],
        [
            "d-7 not_offered later_step_chosen",
            "d-1 not_offered later_step_chosen",
            "d0 deferred budget_spent",
            "d+1 not_reached planned_later"
        ]
    );
    assert_eq!(
        monday.lines[0],
        "I1 d0 deferred (budget_spent) by contact contact.2026-11-23; cycle 1 of regua-padrao version 1, planned for 2026-11-23"
    );
    let tuesday = explain(&world, "2026-11-24").await;
    assert!(tuesday.contacted);
    assert_eq!(
        steps(&tuesday)[..5],
        ["d-7 expired due_passed", "d-1 expired due_passed", "d0 expired due_passed", "d+1 executed", "d+3 not_reached planned_later"]
    );
    assert_eq!(tuesday.lines.last().unwrap(), "I1 next: d+3 on 2026-11-26");
    let known = &tuesday.facts[0];
    assert_eq!(
        (known.standing.as_str(), known.due_on.as_str(), known.outstanding_minor, known.last_contact_on.as_str(), known.tone_cap),
        ("active", "2026-11-23", 10_000, "2026-11-24", 3)
    );
    assert!(monday.stream_version < tuesday.stream_version, "each day by what was known then");
    let wednesday = explain(&world, "2026-11-25").await;
    assert!(!wednesday.contacted);
    assert_eq!(steps(&wednesday)[3..5], ["d+1 ended_before executed", "d+3 not_reached planned_later"]);
    let friday = explain(&world, "2026-11-27").await;
    assert_eq!(steps(&friday)[5..7], ["d+7 superseded paid", "d+15 superseded paid"]);
    assert_eq!(explain(&world, "2026-11-30").await.lines, ["I1 is settled"]);
    assert_eq!(explain(&world, "2026-11-01").await.lines, ["no receivable of this payer was on a ladder on 2026-11-01"]);
}

#[tokio::test]
async fn a_day_on_which_the_engine_was_out_says_so() {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.live(brasilia("2026-11-15", 8), sent).await;
    world.parts.timers.iter().for_each(eventlog::TimerHandle::pause);
    world.clock.advance_to(brasilia("2026-11-16", 8));
    assert_eq!(steps(&explain(&world, "2026-11-16").await)[0], "d-7 not_offered still_to_come");
    world.clock.advance_to(brasilia("2026-11-26", 8));
    assert_eq!(steps(&explain(&world, "2026-11-16").await)[0], "d-7 not_offered engine_out");
    let later = steps(&explain(&world, "2026-11-25").await);
    assert_eq!(later[..4], ["d-7 expired due_passed", "d-1 expired due_passed", "d0 expired due_passed", "d+1 not_offered engine_out"]);
}

#[tokio::test]
async fn questions_that_have_no_answer_are_refused() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let ask = |customer_id: &str, day: &str| world.ask(proto::ExplainDayRequest { customer_id: customer_id.into(), day: day.into() });
    let unknown = world.server.explain_day(ask("C9", "2026-11-03")).await.unwrap_err();
    assert_eq!((unknown.code(), reason_of(&unknown)), (tonic::Code::NotFound, "unknown_customer"));
    let malformed = world.server.explain_day(ask("C9", "3 November")).await.unwrap_err();
    assert_eq!(reason_of(&malformed), "date_malformed");
    let unknown = world.server.get_track(world.ask(proto::GetTrackRequest { invoice_id: "I9".into() })).await.unwrap_err();
    assert_eq!((unknown.code(), reason_of(&unknown)), (tonic::Code::NotFound, "unknown_invoice"));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.registered("C2", "").await;
    for (customer, invoice_id) in [("C1", "I1"), ("C2", "I2"), ("C1", "I3")] {
        world.issued(customer, invoice_id, ("2026-11-03", "2026-11-23")).await;
    }
    world.paid("C1", "I3", 0).await;
    let list = async |customer_id: &str, phase: &str, token: String| {
        let asked = proto::ListTracksRequest { customer_id: customer_id.into(), phase: phase.into(), page_size: 2, page_token: token };
        let found = world.server.list_tracks(world.ask(asked)).await.unwrap().into_inner();
        (found.tracks.into_iter().map(|track| track.invoice_id).collect::<Vec<_>>().join(" "), found.next_page_token)
    };
    let (first, token) = list("", "", String::new()).await;
    assert_eq!((first.as_str(), list("", "", token).await.0.as_str()), ("I1 I2", "I3"));
    assert_eq!((list("C1", "", String::new()).await.0.as_str(), list("", "settled", String::new()).await.0.as_str()), ("I1 I3", "I3"));
}
