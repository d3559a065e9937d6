//! Running receivables move to another version of their ladder, through the service.

use super::*;
use host::refusal::{FIELD_KEY, reason_of};

fn ladder(steps: &[(&str, i32, u8)]) -> String {
    let every_day = "weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let head = format!(
        "policy = \"minha\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n[contact]\nmax_per_7_days = 9\nwindow = {{ {every_day} }}\n"
    );
    let step = |(id, offset, tone): &(&str, i32, u8)| {
        format!("[[step]]\nid = \"{id}\"\noffset_days = {offset}\ntone = {tone}\nchannels = [\"email\"]\ntemplate = \"t\"\n")
    };
    head + &steps.iter().map(step).collect::<String>()
}

fn field_of(status: &Status) -> &str {
    status.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn version(policy_version: u32) -> Option<proto::PolicyVersion> {
    Some(proto::PolicyVersion { policy_id: "minha".into(), policy_version })
}

async fn rehearse(world: &World) -> proto::MigrationReport {
    let asked = proto::RehearseMigrationRequest { from: version(1), to: version(2) };
    world.server.rehearse_migration(world.ask(asked)).await.unwrap().into_inner().report.unwrap()
}

/// As it is called: rehearsed, and then done.
async fn migrate(world: &World, command_id: &str, (from, to): (u32, u32)) -> Result<proto::MigrationReport, Status> {
    let asked = proto::RehearseMigrationRequest { from: version(from), to: version(to) };
    let rehearsal = world.server.rehearse_migration(world.ask(asked)).await?.into_inner().rehearsal;
    migrate_as(world, command_id, (from, to), &rehearsal).await
}

async fn migrate_as(world: &World, command_id: &str, (from, to): (u32, u32), rehearsal: &str) -> Result<proto::MigrationReport, Status> {
    let (command_id, by, reason, rehearsal) = (command_id.into(), "ana".into(), "mais brando".into(), rehearsal.into());
    let asked = proto::MigrateTracksRequest { command_id, from: version(from), to: version(to), by, reason, rehearsal };
    let answer = world.server.migrate_tracks(world.ask(asked)).await?.into_inner();
    world.settle().await;
    Ok(answer.report.unwrap())
}

/// `moved left` and `step added vanished due`, one a step.
fn shown(report: &proto::MigrationReport) -> Vec<String> {
    let step = |step: &proto::MigrationStep| format!("{} +{} -{} {}", step.step_id, step.added, step.vanished, step.due);
    let head = format!("{} payers, {} moved, {} left", report.payers, report.tracks_moved, report.tracks_left);
    std::iter::once(head).chain(report.steps.iter().map(step)).collect()
}

/// Two payers on version 1, of which the first has had a reminder.
async fn two_payers(mut world: World) -> World {
    world.publish("p1", &ladder(&[("d+1", 1, 2), ("d+7", 7, 3)])).await.unwrap();
    world.publish("p2", &ladder(&[("d+1", 1, 2), ("d+3", 3, 2), ("d+9", 9, 3)])).await.unwrap();
    world.assign("tenant", "", ("minha", 1)).await.unwrap();
    for (customer, invoice_id, due_on) in [("C1", "I1", "2026-11-23"), ("C2", "I2", "2026-12-20"), ("C3", "I3", "2026-12-20")] {
        world.registered(customer, "").await;
        world.issued(customer, invoice_id, ("2026-11-20", due_on)).await;
    }
    world.paid("C3", "I3", 0).await;
    world.live(brasilia("2026-11-26", 8), sent).await;
    world
}

#[tokio::test]
async fn a_migration_is_rehearsed_by_the_same_plan_and_done_once_for_its_key() {
    for world in World::begin_on_each(brasilia("2026-11-20", 8), true).await {
        let mut world = two_payers(world).await;
        let expected = ["2 payers, 2 moved, 0 left", "d+3 +2 -0 1", "d+7 +0 -2 0", "d+9 +2 -0 0"];
        let before = world.events("TrackMigrated").await;
        assert_eq!(shown(&rehearse(&world).await), expected);
        assert_eq!(world.events("TrackMigrated").await, before, "a rehearsal stores nothing");
        let asked = proto::RehearseMigrationRequest { from: version(1), to: version(2) };
        let rehearsal = world.server.rehearse_migration(world.ask(asked)).await.unwrap().into_inner().rehearsal;
        assert_eq!(shown(&migrate_as(&world, "m1", (1, 2), &rehearsal).await.unwrap()), expected);
        assert_eq!(shown(&migrate_as(&world, "m1", (1, 2), &rehearsal).await.unwrap()), expected, "the same key, the same answer");
        assert_eq!((world.events("TrackMigrated").await, world.events("PolicyMigrated").await), (2, 1));
        assert_eq!(shown(&migrate(&world, "m2", (1, 2)).await.unwrap()), ["0 payers, 0 moved, 0 left"]);
        let track = world.track("I1").await;
        assert_eq!((track.policy_id.as_str(), track.policy_version), ("minha", 2));
        assert_eq!(world.track("I3").await.policy_version, 1, "what is paid stays");
        world.live(brasilia("2026-12-03", 8), sent).await;
        let ends = "d+1 executed 2026-11-24\nd+7 superseded policy_migrated 2026-11-26\nd+3 executed 2026-11-26\nd+9 executed 2026-12-02";
        let mut lines: Vec<String> = world.ends("I1").await.lines().map(String::from).collect();
        lines.sort();
        let mut wanted: Vec<&str> = ends.lines().collect();
        wanted.sort();
        assert_eq!(lines, wanted);
        world.check().await;
        let world = world.restart().await;
        world.check().await;
    }
}

#[tokio::test]
async fn a_migration_that_names_no_two_versions_that_exist_is_refused() {
    let world = two_payers(World::begin(brasilia("2026-11-20", 8), true).await).await;
    for (versions, reason, field) in [
        ((1, 1), "same_version", "to.policy_version"),
        ((0, 2), "version_missing", "from.policy_version"),
        ((1, 9), "unknown_policy", "to.policy_version"),
    ] {
        let refused = migrate(&world, "m1", versions).await.unwrap_err();
        assert_eq!((reason_of(&refused), field_of(&refused)), (reason, field), "{versions:?}");
    }
    let asked = proto::RehearseMigrationRequest { from: None, to: version(2) };
    let refused = world.server.rehearse_migration(world.ask(asked)).await.unwrap_err();
    assert_eq!(field_of(&refused), "from.policy_id");
    let (command_id, by, reason, rehearsal) = ("m1".into(), String::new(), "x".into(), "x".into());
    let asked = proto::MigrateTracksRequest { command_id, from: version(1), to: version(2), by, reason, rehearsal };
    let refused = world.server.migrate_tracks(world.ask(asked)).await.unwrap_err();
    assert_eq!((reason_of(&refused), field_of(&refused)), ("text_refused", "by"));
    assert_eq!(world.events("TrackMigrated").await, 0);
}

#[tokio::test]
async fn a_migration_that_was_not_rehearsed_as_it_would_be_done_is_refused() {
    let mut world = two_payers(World::begin(brasilia("2026-11-20", 8), true).await).await;
    let rehearsal = async |world: &World, (from, to)| {
        let asked = proto::RehearseMigrationRequest { from: version(from), to: version(to) };
        world.server.rehearse_migration(world.ask(asked)).await.unwrap().into_inner().rehearsal
    };
    let (good, back) = (rehearsal(&world, (1, 2)).await, rehearsal(&world, (2, 1)).await);
    let more = good.replacen(".2.", ".2000.", 1);
    for (named, reason) in
        [("", "rehearsal_missing"), ("2026-11-26", "rehearsal_outdated"), (&back, "rehearsal_outdated"), (&more, "rehearsal_outdated")]
    {
        let refused = migrate_as(&world, "m1", (1, 2), named).await.unwrap_err();
        assert_eq!((reason_of(&refused), field_of(&refused)), (reason, "rehearsal"), "{named}");
    }
    // Far more came in than somebody has read of.
    for n in 0..30 {
        world.issued("C1", &format!("N{n}"), ("2026-11-20", "2026-12-20")).await;
    }
    assert_eq!(reason_of(&migrate_as(&world, "m1", (1, 2), &good).await.unwrap_err()), "rehearsal_outdated");
    let fresh = rehearsal(&world, (1, 2)).await;
    world.live(brasilia("2026-11-28", 8), sent).await;
    assert_eq!(reason_of(&migrate_as(&world, "m1", (1, 2), &fresh).await.unwrap_err()), "rehearsal_outdated", "two days old");
    assert_eq!(world.events("TrackMigrated").await, 0);
    migrate(&world, "m1", (1, 2)).await.unwrap();
    assert_eq!(world.track("I1").await.policy_version, 2);
}
