//! Steps that are no contact, approvals, and what a person has to do.

use super::*;
use host::refusal::reason_of;

const HARSH: &str = "policy = \"harsh\"\ncalendar = \"none\"\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"vencida\"\n\
    [[step]]\nid = \"d+2\"\nkind = \"task\"\noffset_days = 2\ntone = 3\n\
    [[step]]\nid = \"d+4\"\nkind = \"bureau\"\noffset_days = 4\ntone = 4\n\
    requires = [{ step = \"d+1\", delivered_days_ago = 2 }]\nrequires_approval = true\n\
    [[step]]\nid = \"d+8\"\nkind = \"hand_off\"\noffset_days = 8\ntone = 5\n";

/// A payer on the harsh ladder whose invoice was due on Monday 2026-11-23.
async fn world(approvals_given: bool) -> World {
    let world = World::begin(brasilia("2026-11-16", 8), approvals_given).await;
    on_harsh_ladder(&world).await;
    world
}

async fn on_harsh_ladder(world: &World) {
    world.publish("p", HARSH).await.unwrap();
    world.assign("tenant", "", ("harsh", 0)).await.unwrap();
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-16", "2026-11-23")).await;
}

async fn tasks(world: &World) -> Vec<String> {
    let asked = proto::ListTasksRequest { status: "all".into(), ..Default::default() };
    let found = world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner().tasks;
    found.iter().map(|task| format!("{} {} {} {}", task.invoice_id, task.step_id, task.reason, task.day)).collect()
}

async fn approve(world: &World, command_id: &str, step_id: &str) -> Result<(), String> {
    let asked = proto::ApproveStepRequest {
        command_id: command_id.into(),
        invoice_id: "I1".into(),
        step_id: step_id.into(),
        by: "ana".into(),
        reason: String::new(),
    };
    world.server.approve_step(world.ask(asked)).await.map(|_| ()).map_err(|status| reason_of(&status).to_owned())
}

#[tokio::test]
async fn actions_are_done_after_the_owner_has_looked_and_the_debt_leaves_the_ladder() {
    for world in World::begin_on_each(brasilia("2026-11-16", 8), true).await {
        on_harsh_ladder(&world).await;
        hand_off(world).await;
    }
}

async fn hand_off(mut world: World) {
    world.live(brasilia("2026-12-10", 8), sent).await;
    assert_eq!(
        world.ends("I1").await,
        "d+1 executed 2026-11-24\nd+2 executed 2026-11-25\nd+4 executed 2026-11-27\nd+8 executed 2026-12-01"
    );
    assert_eq!(world.track("I1").await.phase, "handed_off");
    assert_eq!((world.events("ActionDue").await, tasks(&world).await), (3, vec!["I1 d+2 step_due 2026-11-25".to_owned()]));
    // Paid after all: the collector must hear of it, and the listing must go within five business days.
    world.paid("C1", "I1", 0).await;
    let tasks = tasks(&world).await;
    assert!(tasks.contains(&"I1 d+4 remove_bureau_listing 2026-12-10".to_owned()), "{tasks:?}");
    world.check().await;
}

#[tokio::test]
async fn a_step_that_asks_goes_out_once_a_person_has_confirmed() {
    let mut world = world(false).await;
    world.live(brasilia("2026-11-26", 8), sent).await;
    assert_eq!(approve(&world, "early", "d+4").await, Err("not_awaiting_approval".into()));
    world.live(brasilia("2026-11-27", 20), sent).await;
    assert!(world.ends("I1").await.contains("d+4 awaiting_approval"));
    assert_eq!(approve(&world, "yes", "d+4").await, Ok(()));
    assert_eq!(approve(&world, "yes", "d+4").await, Ok(()), "the same command has the same answer");
    assert_eq!(approve(&world, "again", "d+4").await, Err("not_awaiting_approval".into()));
    assert_eq!(approve(&world, "yes", "d+8").await, Err("command_reused".into()));
    world.live(brasilia("2026-11-30", 20), sent).await;
    assert!(world.ends("I1").await.contains("d+4 executed 2026-11-30"), "{}", world.ends("I1").await);
    world.check().await;
}

#[tokio::test]
async fn what_the_owner_says_ends_the_step() {
    for (says, expected) in [
        ("covered_by_credit", "d+2 suppressed covered_by_credit 2026-11-25"),
        ("below_minimum", "d+2 suppressed below_minimum 2026-11-25"),
        ("unknown", "d+2 undeliverable not_authorised 2026-11-25"),
        // The fact is on its way: the step waits for it.
        ("paid", "d+2 planned"),
    ] {
        let mut world = world(true).await;
        world.owner.lock().unwrap().push_str(says);
        world.live(brasilia("2026-11-25", 20), sent).await;
        let ends = world.ends("I1").await;
        assert_eq!(ends.lines().nth(1), Some(expected), "{says}");
        world.paid("C1", "I1", 0).await;
        let ends = world.ends("I1").await;
        assert!(says != "paid" || ends.contains("d+2 superseded paid 2026-11-25"), "{ends}");
        world.check().await;
    }
}

#[tokio::test]
async fn an_action_that_was_due_when_the_process_died_is_done_after_the_restart() {
    let mut world = world(true).await;
    world.live(brasilia("2026-11-24", 20), sent).await;
    world.owner.lock().unwrap().push_str("offline");
    world.clock.advance_to(brasilia("2026-11-25", 9));
    let due = async {
        let mut head = world.environment.log.watch();
        while world.events("ActionDue").await == 0 {
            head.changed().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, due).await.unwrap();
    let mut world = world.restart().await;
    world.owner.lock().unwrap().clear();
    world.live(brasilia("2026-11-25", 20), sent).await;
    assert_eq!(world.ends("I1").await.lines().nth(1), Some("d+2 executed 2026-11-25"));
    assert_eq!(world.events("ActionDue").await, 1);
    world.check().await;
}
