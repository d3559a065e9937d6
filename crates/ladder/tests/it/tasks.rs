//! What a person does with tasks and questions, and which of them are void by themselves.

use crate::book::SIMPLES;
use crate::world::{World, at, day, id};
use kernel::{ArrangementId, NaiveDate, StepId};
use ladder::ladder::{Arrange, Attend};
use ladder::task::TaskKey;
use ladder::{Command, Event, Rejection, TaskReason};

const ASKS: &str = "calendar none\nweekdays mon,tue,wed,thu,fri,sat,sun\na 1 2 approval=true\nb 5 2\nc 7 2 kind=task";

fn attend(on: &str, what: Attend) -> Command {
    Command::Attend { at: at(day(on), 10), by: "ana".into(), why: "visto".into(), what }
}

fn key(reason: TaskReason, step: Option<&str>, on: &str) -> TaskKey {
    TaskKey { invoice_id: id("i"), cycle: 1, reason, step_id: step.map(|step| StepId::new(step).unwrap()), day: day(on) }
}

/// `approval a 2026-01-11`, one an open task; `zzz` and the day where it waits.
fn open(world: &World) -> Vec<String> {
    let until = |day: &Option<NaiveDate>| day.map(|day| format!(" zzz {day}")).unwrap_or_default();
    let step = |key: &TaskKey| key.step_id.as_ref().map(|step| format!(" {step}")).unwrap_or_default();
    let one = |task: &ladder::task::Task| format!("{}{} {}{}", task.key.reason, step(&task.key), task.key.day, until(&task.snoozed_until));
    world.track("i").tasks.iter().map(one).collect()
}

fn world() -> World {
    let mut world = World::new(ASKS);
    world.approvals_given = false;
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

#[test]
fn a_refused_step_ends_and_the_ladder_goes_on() {
    let mut world = world();
    world.morning("2026-01-11");
    assert_eq!(open(&world), ["approval a 2026-01-11"]);
    let refuse = Attend::Refuse { invoice_id: id("i"), cycle: 1, step_id: StepId::new("a").unwrap(), occurrence: 1 };
    world.tell(attend("2026-01-11", refuse.clone()));
    assert_eq!(world.tell(attend("2026-01-11", refuse)), [], "told again it changes nothing");
    assert_eq!((open(&world), world.steps("i")), (vec![], "a:suppressed(approval_refused) b:open c:open".to_owned()));
    world.mornings("2026-01-12", "2026-01-20");
    assert_eq!(world.sent("i"), "b@2026-01-15 c@2026-01-17");
}

#[test]
fn a_task_is_snoozed_and_done_once_with_who_and_why() {
    let mut world = world();
    world.mornings("2026-01-11", "2026-01-17");
    let due = key(TaskReason::StepDue, Some("c"), "2026-01-17");
    world.pay("i", "2026-01-17", 500);
    assert!(open(&world).contains(&"step_due c 2026-01-17".to_owned()), "{:?}", open(&world));
    world.tell(attend("2026-01-18", Attend::Snooze { task: due.clone(), until: day("2026-01-21") }));
    assert!(open(&world).contains(&"step_due c 2026-01-17 zzz 2026-01-21".to_owned()));
    let events = world.tell(attend("2026-01-21", Attend::Done(due.clone())));
    assert_eq!(events, [Event::TaskDone { task: due.clone(), day: day("2026-01-21"), by: "ana".into(), why: "visto".into() }]);
    assert_eq!(world.try_tell(&attend("2026-01-21", Attend::Done(due))), Err(Rejection::TaskNotOpen(id("i"))));
}

#[test]
fn what_cannot_be_attended_to_is_refused() {
    let mut world = world();
    world.morning("2026-01-11");
    let asked = key(TaskReason::Approval, Some("a"), "2026-01-11");
    assert_eq!(world.try_tell(&attend("2026-01-11", Attend::Done(asked.clone()))), Err(Rejection::ApprovalPending));
    for until in ["2026-01-10", "2026-01-11"] {
        let snooze = Attend::Snooze { task: asked.clone(), until: day(until) };
        assert_eq!(world.try_tell(&attend("2026-01-11", snooze)), Err(Rejection::DateInPast("until")));
    }
    let unknown = key(TaskReason::HoldReview, None, "2026-01-11");
    assert_eq!(world.try_tell(&attend("2026-01-11", Attend::Done(unknown))), Err(Rejection::TaskNotOpen(id("i"))));
}

#[test]
fn what_a_payment_or_the_end_of_its_cause_leaves_without_purpose_is_void() {
    let mut world = world();
    world.morning("2026-01-11");
    world.pay("i", "2026-01-12", 0);
    assert_eq!(open(&world), Vec::<String>::new(), "nobody confirms a step of a debt that is paid");

    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    let hold = Arrange::Hold { id: ArrangementId::new("h").unwrap(), invoice_id: id("i"), until: None, review_on: Some(day("2026-01-05")) };
    world.tell(Command::Arrange { at: at(day("2026-01-02"), 8), by: "ana".into(), why: "x".into(), what: hold });
    world.morning("2026-01-05");
    assert_eq!(open(&world), ["hold_review 2026-01-05"]);
    let lift = Arrange::End {
        invoice_id: id("i"),
        kind: ladder::arrangement::ArrangementKind::Hold,
        end: ladder::arrangement::ArrangementEnd::Lifted,
    };
    world.tell(Command::Arrange { at: at(day("2026-01-06"), 8), by: "ana".into(), why: "x".into(), what: lift });
    assert_eq!(open(&world), Vec::<String>::new());
}
