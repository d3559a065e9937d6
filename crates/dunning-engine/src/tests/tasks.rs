//! The work queue: what a person has to do, what a person did, and what is void by itself.

use super::*;
use host::refusal::{FIELD_KEY, reason_of};

const ASKS: &str = "policy = \"asks\"\ncalendar = \"none\"\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\nrequires_approval = true\n\
    [[step]]\nid = \"d+2\"\nkind = \"task\"\noffset_days = 2\ntone = 2\n\
    [[step]]\nid = \"d+3\"\noffset_days = 3\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\nrequires_approval = true\n";

/// Two invoices of a payer, due on Monday 2026-11-23.
async fn asked(world: World) -> World {
    let mut world = world;
    world.publish("p", ASKS).await.unwrap();
    world.assign("tenant", "", ("asks", 0)).await.unwrap();
    world.registered("C1", "").await;
    for invoice_id in ["I1", "I2"] {
        world.issued("C1", invoice_id, ("2026-11-16", "2026-11-23")).await;
    }
    world.live(brasilia("2026-11-24", 20), sent).await;
    world
}

/// `I1 approval d+1 open`, one a task, with who and why where somebody attended to it.
async fn list(world: &World, status: &str) -> Vec<String> {
    let asked = proto::ListTasksRequest { status: status.into(), ..Default::default() };
    let found = world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner().tasks;
    let line = |task: &proto::Task| {
        let text = format!("{} {} {} {} {} {}", task.invoice_id, task.reason, task.step_id, task.status, task.by, task.note);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    found.iter().map(line).collect()
}

async fn task_id(world: &World, invoice_id: &str, status: &str) -> String {
    let asked = proto::ListTasksRequest { invoice_id: invoice_id.into(), status: status.into(), ..Default::default() };
    world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner().tasks[0].task_id.clone()
}

async fn refuse(world: &World, command_id: &str, invoice_id: &str) -> Result<(), Status> {
    let asked = proto::RefuseStepRequest {
        command_id: command_id.into(),
        invoice_id: invoice_id.into(),
        step_id: "d+1".into(),
        by: "ana".into(),
        reason: "em conversa".into(),
    };
    let answer = world.server.refuse_step(world.ask(asked)).await.map(|_| ());
    world.settle().await;
    answer
}

async fn done(world: &World, command_id: &str, task_id: String) -> Result<(), Status> {
    let asked = proto::CompleteTaskRequest { command_id: command_id.into(), task_id, by: "ana".into(), reason: "visto".into() };
    let answer = world.server.complete_task(world.ask(asked)).await.map(|_| ());
    world.settle().await;
    answer
}

async fn snooze(world: &World, command_id: &str, task_id: String, until: &str) -> Result<(), Status> {
    let (command_id, by, reason, until) = (command_id.into(), "ana".into(), "depois".into(), until.into());
    let answer = world.server.snooze_task(world.ask(proto::SnoozeTaskRequest { command_id, task_id, by, reason, until })).await.map(|_| ());
    world.settle().await;
    answer
}

#[tokio::test]
async fn questions_and_tasks_are_answered_put_off_and_done_once_with_who_and_why() {
    for world in World::begin_on_each(brasilia("2026-11-16", 8), false).await {
        answered(asked(world).await).await;
    }
}

async fn answered(mut world: World) {
    assert_eq!(list(&world, "").await, ["I1 approval d+1 open", "I2 approval d+1 open"]);
    let give = proto::ApproveStepRequest {
        command_id: "give".into(),
        invoice_id: "I1".into(),
        step_id: "d+1".into(),
        by: "ana".into(),
        reason: "pode ir".into(),
    };
    world.server.approve_step(world.ask(give)).await.unwrap();
    refuse(&world, "refuse", "I2").await.unwrap();
    refuse(&world, "refuse", "I2").await.unwrap();
    assert_eq!(reason_of(&refuse(&world, "again", "I2").await.unwrap_err()), "not_awaiting_approval");
    assert_eq!(list(&world, "done").await, ["I1 approval d+1 approved ana pode ir", "I2 approval d+1 refused ana em conversa"]);
    world.live(brasilia("2026-11-25", 20), sent).await;
    assert!(world.ends("I2").await.starts_with("d+1 suppressed approval_refused 2026-11-24\nd+2 executed"), "{}", world.ends("I2").await);
    let due = task_id(&world, "I2", "open").await;
    assert_eq!(due, "I2,1,step_due,d+2,2026-11-25");
    snooze(&world, "later", due.clone(), "2026-11-27").await.unwrap();
    assert_eq!(list(&world, "snoozed").await, ["I2 step_due d+2 open ana depois"]);
    world.live(brasilia("2026-11-27", 20), sent).await;
    assert!(list(&world, "open").await.contains(&"I2 step_due d+2 open ana depois".to_owned()), "it is back on its day");
    done(&world, "done", due.clone()).await.unwrap();
    done(&world, "done", due.clone()).await.unwrap();
    let again = done(&world, "twice", due).await.unwrap_err();
    assert_eq!((again.code(), reason_of(&again)), (tonic::Code::FailedPrecondition, "task_not_open"));
    assert_eq!(world.events("TaskDone").await, 1);
    let waits = task_id(&world, "I2", "open").await;
    assert_eq!(reason_of(&done(&world, "x", waits).await.unwrap_err()), "approval_pending");
    world.paid("C1", "I2", 0).await;
    assert!(list(&world, "void").await.contains(&"I2 approval d+3 void".to_owned()), "{:?}", list(&world, "all").await);
    world.check().await;
    let world = world.restart().await;
    world.check().await;
}

#[tokio::test]
async fn what_names_no_task_is_refused_by_field() {
    let world = asked(World::begin(brasilia("2026-11-16", 8), false).await).await;
    let task = task_id(&world, "I1", "open").await;
    let field = |status: &Status| status.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
    for (task_id, until, reason, name) in [
        ("I1", "2026-12-01", "id_malformed", "task_id"),
        ("I9,1,hold_review,,2026-11-24", "2026-12-01", "unknown_invoice", "task_id"),
        ("I1,1,hold_review,,2026-11-24", "2026-12-01", "task_not_open", "task_id"),
        (&task, "2026-11-24", "date_in_past", "until"),
        (&task, "amanhã", "date_malformed", "until"),
    ] {
        let refused = snooze(&world, "x", task_id.to_owned(), until).await.unwrap_err();
        assert_eq!((reason_of(&refused), field(&refused).as_str()), (reason, name), "{task_id} {until}");
    }
    let asked = proto::ListTasksRequest { status: "late".into(), ..Default::default() };
    let refused = world.server.list_tasks(world.ask(asked)).await.unwrap_err();
    assert_eq!((reason_of(&refused), field(&refused).as_str()), ("unknown_status", "status"));
    let asked = proto::ListTasksRequest { reason: "late".into(), ..Default::default() };
    let refused = world.server.list_tasks(world.ask(asked)).await.unwrap_err();
    assert_eq!((reason_of(&refused), field(&refused).as_str()), ("unknown_reason", "reason"));
    assert!(refused.message().contains("step_due"), "it names those that there are: {refused}");
    let asked = proto::ListTracksRequest { phase: "late".into(), ..Default::default() };
    let refused = world.server.list_tracks(world.ask(asked)).await.unwrap_err();
    assert_eq!((reason_of(&refused), field(&refused).as_str()), ("unknown_phase", "phase"));
    assert!(refused.message().contains("enrolled, active, settled"), "it names those that there are: {refused}");
    assert_eq!(world.events("TaskSnoozed").await, 0);
}
