//! What a draft would do, before anybody publishes it.

use super::*;
use host::refusal::reason_of;

fn draft(steps: &[(&str, i32, u8)]) -> String {
    capped(9, steps)
}

/// With so many contacts in seven days.
fn capped(most: u32, steps: &[(&str, i32, u8)]) -> String {
    let every_day = "weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let head = format!(
        "policy = \"minha\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n[contact]\nmax_per_7_days = {most}\nwindow = {{ {every_day} }}\n"
    );
    let step = |(id, offset, tone): &(&str, i32, u8)| {
        format!("[[step]]\nid = \"{id}\"\noffset_days = {offset}\ntone = {tone}\nchannels = [\"email\"]\ntemplate = \"t\"\n")
    };
    head + &steps.iter().map(step).collect::<String>()
}

async fn rehearse(world: &World, toml: String, days: u32) -> Result<proto::RehearsePolicyResponse, Status> {
    let asked = proto::RehearsePolicyRequest { toml, days };
    world.server.rehearse_policy(world.ask(asked)).await.map(tonic::Response::into_inner)
}

/// `2026-11-24 email 2`, one a day and channel.
fn contacts(answer: &proto::RehearsePolicyResponse) -> Vec<String> {
    answer.contacts.iter().map(|one| format!("{} {} {}", one.day, one.channel, one.contacts)).collect()
}

/// C1 has had the first reminder of its ladder, C2 is not due yet, C3 has paid.
async fn three_payers() -> World {
    let mut world = World::begin(brasilia("2026-11-20", 8), true).await;
    world.publish("p1", &draft(&[("d+1", 1, 2), ("d+7", 7, 3)])).await.unwrap();
    world.assign("tenant", "", ("minha", 1)).await.unwrap();
    for (customer, invoice_id, due_on) in [("C1", "I1", "2026-11-23"), ("C2", "I2", "2026-11-28"), ("C3", "I3", "2026-11-28")] {
        world.registered(customer, "").await;
        world.issued(customer, invoice_id, ("2026-11-20", due_on)).await;
    }
    world.paid("C3", "I3", 0).await;
    world.live(brasilia("2026-11-25", 8), sent).await;
    world
}

#[tokio::test]
async fn a_draft_shows_its_contacts_who_moves_and_who_would_begin_harshly_and_stores_nothing() {
    let world = three_payers().await;
    let before = world.environment.log.read(0, 100_000).await.unwrap().len();
    let same = rehearse(&world, draft(&[("d+1", 1, 2), ("d+7", 7, 3)]), 0).await.unwrap();
    assert_eq!((same.payers, same.tracks, same.tracks_left, same.payers_moved), (2, 2, 0, 0));
    assert_eq!(contacts(&same), ["2026-11-29 email 1", "2026-11-30 email 1", "2026-12-05 email 1"]);
    assert_eq!((same.harsh_firsts, same.harsh_first_customer_ids), (1, vec!["C1".to_owned()]), "the next of C1 is of tone 3");
    let other = rehearse(&world, draft(&[("d+1", 1, 2), ("d+2", 2, 2), ("d+9", 9, 3)]), 0).await.unwrap();
    assert_eq!((other.payers_moved, other.harsh_firsts), (1, 0));
    assert_eq!(
        contacts(&other),
        ["2026-11-25 email 1", "2026-11-29 email 1", "2026-11-30 email 1", "2026-12-02 email 1", "2026-12-07 email 1"]
    );
    assert_eq!(contacts(&rehearse(&world, draft(&[("d+1", 1, 2), ("d+7", 7, 3)]), 6).await.unwrap()).len(), 2, "six days from today");
    assert_eq!(world.environment.log.read(0, 100_000).await.unwrap().len(), before, "nothing is stored");
}

#[tokio::test]
async fn a_draft_is_played_around_local_holidays() {
    let world = three_payers().await;
    let day = |day: &str| proto::NewLocalHoliday { place: "tenant".into(), day: day.into(), name: "recesso".into() };
    let (holidays, by, reason) = (vec![day("2026-11-29"), day("2026-11-30")], "ana".into(), "lei".into());
    let record = proto::RecordLocalHolidaysRequest { command_id: "h".into(), holidays, by, reason };
    world.server.record_local_holidays(world.ask(record)).await.unwrap();
    let played = rehearse(&world, draft(&[("d+1", 1, 2), ("d+7", 7, 3)]), 0).await.unwrap();
    assert_eq!(contacts(&played), ["2026-12-01 email 2", "2026-12-05 email 1"]);
}

#[tokio::test]
async fn what_a_budget_has_no_room_for_is_rehearsed_on_the_day_that_has_some() {
    let world = three_payers().await;
    // C1 was written to on 24 November and C2 on 29 November: each next contact is seven days later, whatever the steps say.
    let bound = rehearse(&world, capped(1, &[("d+1", 1, 2), ("d+2", 2, 2), ("d+9", 9, 3)]), 0).await.unwrap();
    let expected = ["2026-11-29 email 1", "2026-12-01 email 1", "2026-12-06 email 1", "2026-12-08 email 1", "2026-12-13 email 1"];
    assert_eq!(contacts(&bound), expected);
}

#[tokio::test]
async fn a_draft_with_faults_and_too_many_days_are_refused() {
    let world = World::begin(brasilia("2026-11-20", 8), true).await;
    let refused = rehearse(&world, draft(&[("d+1", 1, 9)]), 0).await.unwrap_err();
    assert_eq!(reason_of(&refused), "policy_faults");
    let refused = rehearse(&world, draft(&[("d+1", 1, 2)]), 367).await.unwrap_err();
    assert_eq!(reason_of(&refused), "days_out_of_range");
}
