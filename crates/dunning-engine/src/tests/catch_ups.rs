//! After an outage: one report, approval above the tenant's limit, and the tenant's pace.

use super::*;
use host::refusal::reason_of;

/// Six payers, each with a debt due on 23 November; the engine stands still from the 15th until noon of 9 December.
async fn after_an_outage(approval_above: u32, approvals_given: bool) -> World {
    let directory = tempfile::tempdir().unwrap();
    let mut told = rules(approvals_given);
    told.limits.terms.late_after_days = Some(2);
    told.limits.catch_up_approval_above = approval_above;
    told.limits.catch_up_contacts_per_minute = 2;
    let mut world = World::begin_on(sqlite(&directory), directory, brasilia("2026-11-03", 8), told).await;
    for number in 1..=6 {
        world.registered(&format!("C{number}"), "").await;
        world.issued(&format!("C{number}"), &format!("I{number}"), ("2026-11-03", "2026-11-23")).await;
    }
    world.live(brasilia("2026-11-15", 8), sent).await;
    world.parts.timers.iter().for_each(eventlog::TimerHandle::pause);
    world.clock.advance_to(brasilia("2026-12-09", 12));
    world.parts.timers.iter().for_each(eventlog::TimerHandle::resume);
    world.settle().await;
    world
}

async fn listed(world: &World) -> Vec<proto::CatchUp> {
    world.server.list_catch_ups(world.ask(proto::ListCatchUpsRequest::default())).await.unwrap().into_inner().catch_ups
}

#[tokio::test]
async fn above_the_limit_nothing_goes_out_before_a_person_approves_and_then_at_the_tenants_pace() {
    let mut world = after_an_outage(5, false).await;
    let all = listed(&world).await;
    assert_eq!((all.len(), all[0].status.as_str()), (1, "waiting"));
    let report = all[0].report.clone().unwrap();
    assert_eq!((report.payers, report.contacts, report.day.as_str()), (6, 6, "2026-12-09"));
    assert_eq!((report.steps[0].step_id.as_str(), report.steps[0].tracks, report.steps[0].channel.as_str()), ("d+3", 6, "email"));
    let counts = |counts: &[proto::CatchUpReason]| counts.iter().map(|one| format!("{} {}", one.reason, one.steps)).collect::<Vec<_>>();
    assert_eq!((counts(&report.superseded), counts(&report.expired)), (vec!["late 6".to_owned()], vec!["due_passed 18".to_owned()]));
    assert_eq!((world.events("ReminderDue").await, world.events("CatchUpPlanned").await), (0, 1));

    // Nobody decides for a day: nothing goes out, and the day can be explained.
    world.live(brasilia("2026-12-10", 12), sent).await;
    assert_eq!((world.events("ReminderDue").await, listed(&world).await.len()), (0, 1));
    let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: "2026-12-10".into() };
    let answer = world.server.explain_day(world.ask(asked)).await.unwrap().into_inner();
    assert!(answer.considerations.iter().any(|one| one.step_id == "d+3" && one.reason == "catch_up_unapproved"), "{answer:?}");

    let approve = |number| proto::ApproveCatchUpRequest { command_id: "ok".into(), number, by: "ana".into(), reason: "conferido".into() };
    let unknown = world.server.approve_catch_up(world.ask(proto::ApproveCatchUpRequest { command_id: "no".into(), ..approve(7) })).await;
    assert_eq!(reason_of(&unknown.unwrap_err()), "unknown_catch_up");
    world.server.approve_catch_up(world.ask(approve(1))).await.unwrap();
    world.settle().await;
    assert_eq!(world.events("ReminderDue").await, 2, "two a minute");
    world.live(brasilia("2026-12-10", 12) + chrono::TimeDelta::minutes(1), sent).await;
    assert_eq!(world.events("ReminderDue").await, 4);
    world.live(brasilia("2026-12-10", 13), sent).await;
    assert_eq!((world.events("ReminderDue").await, world.events("CatchUpEnded").await), (6, 6));
    let refuse = proto::RefuseCatchUpRequest { command_id: "late".into(), number: 1, by: "ana".into(), reason: "x".into() };
    assert_eq!(reason_of(&world.server.refuse_catch_up(world.ask(refuse)).await.unwrap_err()), "catch_up_decided");
    // The days that follow are the ladder's own: nothing waits again.
    world.live(brasilia("2026-12-16", 12), sent).await;
    assert_eq!((listed(&world).await.len(), world.events("ReminderDue").await), (1, 12), "{}", world.ends("I1").await);
    world.check().await;
}

#[tokio::test]
async fn within_the_limit_a_catch_up_goes_out_by_itself_and_is_reported() {
    let mut world = after_an_outage(6, false).await;
    world.live(brasilia("2026-12-09", 13), sent).await;
    let all = listed(&world).await;
    assert_eq!((all.len(), all[0].status.as_str(), world.events("ReminderDue").await), (1, "approved", 6));
    world.check().await;
}

#[tokio::test]
async fn where_approvals_are_given_nothing_waits_and_the_report_is_written() {
    let mut world = after_an_outage(0, true).await;
    assert_eq!(world.events("ReminderDue").await, 6, "at once, whatever the pace");
    world.live(brasilia("2026-12-09", 13), sent).await;
    let all = listed(&world).await;
    assert_eq!((all.len(), all[0].status.as_str(), all[0].report.clone().unwrap().payers), (1, "approved", 6));
    world.check().await;
}

#[tokio::test]
async fn a_refused_catch_up_sends_nothing_and_the_ladders_go_on() {
    let world = after_an_outage(5, false).await;
    let refuse = proto::RefuseCatchUpRequest { command_id: "no".into(), number: 1, by: "ana".into(), reason: "tarde demais".into() };
    world.server.refuse_catch_up(world.ask(refuse)).await.unwrap();
    world.settle().await;
    let mut world = world;
    world.live(brasilia("2026-12-10", 13), sent).await;
    assert_eq!((world.events("ReminderDue").await, listed(&world).await[0].status.as_str()), (0, "refused"));
    assert!(world.ends("I1").await.contains("d+7 suppressed catch_up_refused 2026-12-09"), "{}", world.ends("I1").await);
    world.check().await;
}

#[tokio::test]
async fn who_waits_is_known_after_a_restart() {
    let world = after_an_outage(5, false).await.restart().await;
    world.settle().await;
    let mut world = world;
    let approve = proto::ApproveCatchUpRequest { command_id: "ok".into(), number: 1, by: "ana".into(), reason: "x".into() };
    world.server.approve_catch_up(world.ask(approve)).await.unwrap();
    world.live(brasilia("2026-12-09", 14), sent).await;
    assert_eq!((listed(&world).await.len(), world.events("ReminderDue").await), (1, 6));
    world.check().await;
}
