//! Steps that come again, and steps that count from the execution of the one before, through the service.

use super::*;

const AGAIN: &str = "policy = \"de-novo\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n\
    [contact]\nmax_per_7_days = 9\nwindow = { weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"] }\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"vencida\"\n\
    repeat = { every_days = 3, at_most = 2 }\n\
    [[step]]\nid = \"firme\"\nanchor = \"previous_executed\"\noffset_days = 2\ntone = 3\nchannels = [\"email\"]\ntemplate = \"firme\"\n";

/// `step#occurrence planned_on status`, one a step.
async fn occurrences(world: &World) -> Vec<String> {
    let steps = world.track("I1").await.steps;
    steps.iter().map(|step| format!("{}#{} {} {}", step.step_id, step.occurrence, step.planned_on, step.status)).collect()
}

#[tokio::test]
async fn repeated_steps_are_stored_by_occurrence_and_dates_that_count_from_an_execution_come_with_it() {
    for mut world in World::begin_on_each(brasilia("2026-11-20", 8), true).await {
        let published = world.publish("p1", AGAIN).await.unwrap();
        let lines: Vec<String> = published
            .preview
            .iter()
            .map(|line| format!("{}#{} {} {}{:+}", line.step_id, line.occurrence, line.planned_on, line.after_step_id, line.offset_days))
            .collect();
        assert_eq!(lines, ["d+1#1 2026-11-24 +1", "d+1#2 2026-11-27 +4", "firme#1  d+1+2"]);
        world.assign("tenant", "", ("de-novo", 1)).await.unwrap();
        world.registered("C1", "").await;
        world.issued("C1", "I1", ("2026-11-20", "2026-11-23")).await;
        world.live(brasilia("2026-11-26", 20), sent).await;
        assert_eq!(occurrences(&world).await, ["d+1#1 2026-11-24 executed", "d+1#2 2026-11-27 planned", "firme#1  planned"]);
        let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: "2026-11-26".into() };
        let explained = world.server.explain_day(world.ask(asked)).await.unwrap().into_inner();
        assert_eq!(explained.lines, ["I1 next: d+1 #2 on 2026-11-27"]);
        let unknown = explained.considerations.iter().find(|one| one.step_id == "firme").unwrap();
        assert_eq!((unknown.planned_on.as_str(), unknown.reason.as_str()), ("", "previous_not_executed"));
        // The engine stands still over the second occurrence: the third step counts from its execution, and not from its date.
        world.live(brasilia("2026-11-27", 8), sent).await;
        let mut world = world.restart().await;
        world.clock.advance_to(brasilia("2026-11-28", 10));
        world.live(brasilia("2026-11-28", 20), sent).await;
        assert_eq!(occurrences(&world).await[1..], ["d+1#2 2026-11-27 executed", "firme#1 2026-11-30 planned"]);
        world.live(brasilia("2026-12-01", 20), sent).await;
        let ends = world.ends("I1").await;
        assert_eq!(ends, "d+1 executed 2026-11-24\nd+1 executed 2026-11-28\nfirme executed 2026-11-30");
        world.check().await;
    }
}
