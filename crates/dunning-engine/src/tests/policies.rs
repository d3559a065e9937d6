//! Policies as events, and who enters with which.

use super::*;
use crate::DEFAULT_POLICY;
use host::refusal::{FIELD_KEY, reason_of};

const SIMPLES: &str = include_str!("../../../../policies/simples.toml");

async fn entered(world: &World, invoice_id: &str) -> (String, u32) {
    let track = world.track(invoice_id).await;
    (track.policy_id, track.policy_version)
}

#[tokio::test]
async fn the_narrowest_assignment_wins_and_running_tracks_stay_pinned() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let days = ("2026-11-03", "2026-12-23");
    world.registered("C1", "varejo").await;
    world.issued("C1", "I1", days).await;
    world.publish("p1", SIMPLES).await.unwrap();
    world.publish("p2", &SIMPLES.replace("max_per_day = 99", "max_per_day = 98")).await.unwrap();
    world.publish("p3", &SIMPLES.replace("policy = \"simples\"", "policy = \"outra\"")).await.unwrap();
    world.assign("tenant", "", ("simples", 1)).await.unwrap();
    world.issued("C1", "I2", days).await;
    world.assign("segment", "varejo", ("simples", 0)).await.unwrap();
    world.issued("C1", "I3", days).await;
    world.assign("customer", "C1", ("outra", 0)).await.unwrap();
    world.issued("C1", "I4", days).await;
    let mut found = Vec::new();
    for invoice_id in ["I1", "I2", "I3", "I4"] {
        found.push(entered(&world, invoice_id).await);
    }
    let expected = [("regua-padrao", 1), ("simples", 1), ("simples", 2), ("outra", 1)];
    assert_eq!(found, expected.map(|(id, version)| (id.to_owned(), version)));
    let list = world.server.list_assignments(world.ask(proto::ListAssignmentsRequest {})).await.unwrap().into_inner();
    let scopes: Vec<_> = list.assignments.iter().map(|one| (one.scope.as_str(), one.target.as_str(), one.policy_id.as_str())).collect();
    assert_eq!(scopes, [("tenant", "", "simples"), ("segment", "varejo", "simples"), ("customer", "C1", "outra")]);
    world.check().await;
}

#[tokio::test]
async fn a_text_is_a_new_version_only_where_it_changed() {
    for world in World::begin_on_each(brasilia("2026-11-03", 8), false).await {
        publish_and_restart(world).await;
    }
}

async fn publish_and_restart(world: World) {
    let version = |answer: Result<proto::PublishPolicyResponse, Status>| answer.unwrap().policy_version;
    assert_eq!(version(world.publish("a", SIMPLES).await), 1);
    assert_eq!(version(world.publish("a", SIMPLES).await), 1, "the same command");
    assert_eq!(version(world.publish("b", SIMPLES).await), 1, "the same text");
    let changed = format!("{SIMPLES}# a comment is a change\n");
    assert_eq!(version(world.publish("c", &changed).await), 2);
    assert_eq!(version(world.publish("d", DEFAULT_POLICY).await), 1, "the bundled ladder is there already");
    assert_eq!(version(world.publish("e", &DEFAULT_POLICY.replace("max_per_7_days = 3", "max_per_7_days = 2")).await), 2);
    assert_eq!(world.events("PolicyPublished").await, 3);

    let world = world.restart().await;
    let list = world.server.list_policies(world.ask(proto::ListPoliciesRequest {})).await.unwrap().into_inner().policies;
    let list: Vec<_> = list.iter().map(|line| (line.policy_id.as_str(), line.policy_version)).collect();
    assert_eq!(list, [("regua-padrao", 1), ("regua-padrao", 2), ("simples", 1), ("simples", 2)]);
    let get = |policy_id: &str, policy_version| proto::GetPolicyRequest { policy_id: policy_id.into(), policy_version };
    let newest = world.server.get_policy(world.ask(get("simples", 0))).await.unwrap().into_inner();
    assert_eq!((newest.policy_version, newest.toml), (2, changed));
    let unknown = world.server.get_policy(world.ask(get("simples", 3))).await.unwrap_err();
    assert_eq!((reason_of(&unknown), unknown.metadata().get(FIELD_KEY).unwrap().to_str().unwrap()), ("unknown_policy", "policy_version"));
}

#[tokio::test]
async fn a_policy_with_faults_is_not_published_and_every_fault_is_in_the_answer() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let bad = SIMPLES.replace("offset_days = 7", "offset_days = \"7\"").replace("max_per_day = 99", "max_per_day = 0");
    let refused = world.publish("a", &bad).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (tonic::Code::InvalidArgument, "policy_faults"));
    let details = faults_of(&refused);
    let faults: Vec<_> = details.faults.iter().map(|fault| (fault.path.as_str(), fault.reason.as_str())).collect();
    assert_eq!(faults, [("step[3].offset_days", "wrong_type"), ("contact.max_per_day", "out_of_range")]);
    assert_eq!(world.events("PolicyPublished").await, 0);
    let preview = proto::PreviewPolicyRequest { toml: bad, due_on: String::new() };
    let shown = world.server.preview_policy(world.ask(preview)).await.unwrap().into_inner();
    assert_eq!((shown.faults.len(), shown.preview.len()), (2, 0));
}

/// As a gRPC library reads them: a `google.rpc.Status` with a message that names its type.
fn faults_of(refused: &Status) -> proto::PolicyFaults {
    let rpc = tonic_types::Status::decode(refused.details()).unwrap();
    assert_eq!(rpc.code, i32::from(refused.code()));
    assert_eq!(rpc.details[0].type_url, "type.googleapis.com/regua.dunning.v1.PolicyFaults");
    proto::PolicyFaults::decode(rpc.details[0].value.as_slice()).unwrap()
}

#[tokio::test]
async fn a_policy_with_very_many_faults_is_refused_in_trailers_that_every_client_takes() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let long = "ç".repeat(3_000);
    let unknown: String = (0..500).map(|n| format!("\"{n}{long}\" = 1\n")).collect();
    let refused = world.publish("a", &format!("{unknown}{SIMPLES}")).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (tonic::Code::InvalidArgument, "policy_faults"));
    let faults = faults_of(&refused).faults;
    assert!(!faults.is_empty() && faults.len() <= 50);
    let headers = refused.into_http::<()>().into_parts().0.headers;
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    assert!(size < 8 * 1024, "{size} bytes");
}

#[tokio::test]
async fn a_preview_shows_the_dates_of_a_sample() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let asked = proto::PreviewPolicyRequest { toml: DEFAULT_POLICY.into(), due_on: "2026-11-21".into() };
    let shown = world.server.preview_policy(world.ask(asked)).await.unwrap().into_inner();
    let second = &shown.preview[1];
    assert_eq!((shown.effective_due.as_str(), shown.preview.len()), ("2026-11-23", 10));
    assert_eq!((second.planned_on.as_str(), second.weekday.as_str(), second.channels.as_str()), ("2026-11-19", "thu", "whatsapp > sms"));
    assert_eq!(shown.preview[5].channels, "whatsapp > sms + email");
}

#[tokio::test]
async fn a_wrong_assignment_names_its_field() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    for (scope, target, policy, reason, field) in [
        ("world", "", ("regua-padrao", 0), "unknown_scope", "scope"),
        ("tenant", "x", ("regua-padrao", 0), "target_not_empty", "target"),
        ("segment", "", ("regua-padrao", 0), "text_refused", "target"),
        ("customer", "a b", ("regua-padrao", 0), "id_malformed", "target"),
        ("tenant", "", ("nobody", 0), "unknown_policy", "policy_id"),
        ("tenant", "", ("regua-padrao", 9), "unknown_policy", "policy_version"),
    ] {
        let refused = world.assign(scope, target, policy).await.unwrap_err();
        let named = refused.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok());
        assert_eq!((reason_of(&refused), named), (reason, Some(field)), "{scope} {target}");
    }
    assert_eq!(world.events("PolicyAssigned").await, 0);
}

/// A process that read the policies before they were published, beside one that publishes and enrols.
async fn latecomer(world: &World) -> (crate::Ladders, crate::aggregate::Payer, crate::aggregate::Addressed) {
    let books = crate::policies::PolicyBooks::load(world.environment.log.clone()).await.unwrap();
    world.publish("p", SIMPLES).await.unwrap();
    world.assign("tenant", "", ("simples", 0)).await.unwrap();
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    let (payer, _) = world.server.writer.state("ladder/default/C1").await.unwrap();
    let wake = crate::aggregate::Addressed {
        tenant: TENANT.into(),
        customer_id: kernel::CustomerId::new("C1").unwrap(),
        order: crate::aggregate::Order::Ladder(ladder::Command::Wake { now: brasilia("2026-11-18", 9) }),
    };
    (crate::Ladders::new(books, false, ladder::Terms::default()), (*payer).clone(), wake)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_another_process_published_is_found_when_it_is_needed() {
    use eventlog::Aggregate;
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let (ladders, payer, wake) = latecomer(&world).await;
    // Decisions are made inside the writer's task, where waiting for the log is what the runtime must allow.
    let decided = tokio::spawn(async move { ladders.decide(&payer, &wake) }).await.unwrap().unwrap();
    assert!(matches!(decided.last().map(|fact| &fact.event), Some(ladder::Event::ReminderDue { .. })), "{decided:?}");
}

#[tokio::test]
async fn a_track_whose_policy_nobody_finds_keeps_its_timer() {
    use eventlog::Aggregate;
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let (ladders, payer, wake) = latecomer(&world).await;
    assert_eq!(ladders.decide(&payer, &wake).unwrap_err().slug(), "unknown_policy");
    let timers = ladders.timers(&payer, brasilia("2026-11-18", 9));
    assert_eq!(timers[0].due_at, Some(brasilia("2026-11-18", 9) + chrono::TimeDelta::minutes(1)));
}
