//! Ladders of segments inside a policy, through the service.

use super::*;
use host::refusal::reason_of;

const STEPS: &[(&str, i32, u8)] = &[("d+1", 1, 2), ("d+7", 7, 3)];

/// `variants`: text behind the steps.
fn ladder(variants: &str) -> String {
    let every_day = "weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let head = format!(
        "policy = \"minha\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n[contact]\nmax_per_7_days = 9\nwindow = {{ {every_day} }}\n"
    );
    let step = |(id, offset, tone): &(&str, i32, u8)| {
        format!("[[step]]\nid = \"{id}\"\noffset_days = {offset}\ntone = {tone}\nchannels = [\"email\"]\ntemplate = \"t\"\n")
    };
    head + &STEPS.iter().map(step).collect::<String>() + variants
}

const MILD: &str = "[[variant]]\nname = \"brando\"\nsegments = [\"vip\"]\nwithout = [\"d+7\"]\n\
    [[variant.step]]\nid = \"d+3\"\noffset_days = 3\ntone = 2\nchannels = [\"sms\"]\ntemplate = \"t\"\n";

/// C1 is vip and C2 is not; both owe since the same day.
async fn two_payers(variants: &str) -> World {
    let world = World::begin(brasilia("2026-11-20", 8), true).await;
    world.publish("p1", &ladder(variants)).await.unwrap();
    world.assign("tenant", "", ("minha", 1)).await.unwrap();
    for (customer, segment, invoice_id) in [("C1", "vip", "I1"), ("C2", "varejo", "I2")] {
        world.registered(customer, segment).await;
        world.issued(customer, invoice_id, ("2026-11-20", "2026-11-23")).await;
    }
    world
}

async fn explained(world: &World, customer: &str, day: &str) -> proto::ExplainDayResponse {
    let asked = proto::ExplainDayRequest { customer_id: customer.into(), day: day.into() };
    world.server.explain_day(world.ask(asked)).await.unwrap().into_inner()
}

#[tokio::test]
async fn each_payer_climbs_the_ladder_of_its_segment_and_a_day_is_explained_by_it() {
    let mut world = two_payers(MILD).await;
    // Who leaves the segment stays on its ladder.
    world.registered("C1", "varejo").await;
    world.live(brasilia("2026-12-02", 8), sent).await;
    assert_eq!(world.ends("I1").await, "d+1 executed 2026-11-24\nd+3 executed 2026-11-26");
    assert_eq!(world.ends("I2").await, "d+1 executed 2026-11-24\nd+7 executed 2026-11-30");
    let vip = explained(&world, "C1", "2026-11-26").await;
    assert_eq!(
        vip.lines[0].split("; ").nth(1),
        Some("cycle 1 of minha version 1 variant brando, planned for 2026-11-26"),
        "{:?}",
        vip.lines
    );
    assert!(vip.considerations.iter().all(|one| one.variant == "brando"), "{vip:?}");
    assert_eq!(vip.facts[0].variant, "brando");
    let other = explained(&world, "C2", "2026-11-26").await;
    assert!(other.considerations.iter().all(|one| one.variant.is_empty()) && !other.lines[0].contains("variant"), "{other:?}");
    world.check().await;
    let world = world.restart().await;
    world.check().await;
    assert_eq!(explained(&world, "C1", "2026-11-26").await, vip, "read from the log again");
}

#[tokio::test]
async fn a_preview_and_a_publication_show_each_variant() {
    let world = World::begin(brasilia("2026-11-20", 8), false).await;
    let asked = proto::PreviewPolicyRequest { toml: ladder(MILD), due_on: "2026-11-23".into() };
    let shown = world.server.preview_policy(world.ask(asked)).await.unwrap().into_inner();
    let lines = |preview: &[proto::PreviewLine]| -> Vec<String> {
        preview.iter().map(|line| format!("{} {} {}", line.step_id, line.planned_on, line.channels)).collect()
    };
    assert_eq!(lines(&shown.preview), ["d+1 2026-11-24 email", "d+7 2026-11-30 email"]);
    assert_eq!((shown.variants[0].name.as_str(), shown.variants[0].segments.join(" ").as_str()), ("brando", "vip"));
    assert_eq!(lines(&shown.variants[0].preview), ["d+1 2026-11-24 email", "d+3 2026-11-26 sms"]);
    assert_eq!(world.publish("p1", &ladder(MILD)).await.unwrap().variants, shown.variants);
    let refused = world.publish("p2", &ladder(&MILD.replace("\"d+7\"", "\"d+9\""))).await.unwrap_err();
    assert_eq!(reason_of(&refused), "policy_faults");
}

#[tokio::test]
async fn a_rehearsal_and_a_migration_choose_by_the_segment_of_their_day_and_count_by_variant() {
    let mut world = two_payers("").await;
    world.live(brasilia("2026-11-25", 8), sent).await;
    let asked = proto::RehearsePolicyRequest { toml: ladder(MILD), days: 0 };
    let played = world.server.rehearse_policy(world.ask(asked)).await.unwrap().into_inner();
    let on_variant = vec![proto::VariantTracks { name: "brando".into(), tracks: 1 }];
    assert_eq!((played.tracks, &played.variants, played.payers_moved), (2, &on_variant, 1));
    let contacts: Vec<_> = played.contacts.iter().map(|one| format!("{} {} {}", one.day, one.channel, one.contacts)).collect();
    assert_eq!(contacts, ["2026-11-26 sms 1", "2026-11-30 email 1"]);

    world.publish("p2", &ladder(MILD)).await.unwrap();
    let version = |policy_version| Some(proto::PolicyVersion { policy_id: "minha".into(), policy_version });
    let asked = proto::RehearseMigrationRequest { from: version(1), to: version(2) };
    let rehearsed = world.server.rehearse_migration(world.ask(asked)).await.unwrap().into_inner();
    let asked = || proto::MigrateTracksRequest {
        command_id: "m1".into(),
        from: version(1),
        to: version(2),
        by: "ana".into(),
        reason: "vip".into(),
        rehearsal: rehearsed.rehearsal.clone(),
    };
    let report = world.server.migrate_tracks(world.ask(asked())).await.unwrap().into_inner().report;
    assert_eq!(report.as_ref().unwrap().variants, on_variant);
    assert_eq!(report, rehearsed.report);
    let again = world.server.migrate_tracks(world.ask(asked())).await.unwrap().into_inner().report;
    assert_eq!(again, report, "the same key, the same answer");
    world.settle().await;
    world.live(brasilia("2026-12-02", 8), sent).await;
    assert_eq!(explained(&world, "C1", "2026-11-26").await.facts[0].variant, "brando");
    assert_eq!(world.ends("I2").await, "d+1 executed 2026-11-24\nd+7 executed 2026-11-30");
    world.check().await;
}
