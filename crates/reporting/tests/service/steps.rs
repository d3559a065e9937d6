//! How the steps of a policy ended, judged at the end of a day.

use crate::{facts::tell, site::Site};
use contracts::reporting::v1 as proto;
use std::collections::BTreeMap;

/// `step: executed superseded suppressed expired undeliverable open {reasons}`.
fn line(s: &proto::StepResult) -> String {
    let reasons: BTreeMap<&String, &i64> = s.reasons.iter().collect();
    let reasons: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason}={n}")).collect();
    let proto::StepResult { policy_id, step_id, executed, superseded, suppressed, expired, undeliverable, open, .. } = s;
    let line =
        format!("{policy_id} {step_id}: {executed} {superseded} {suppressed} {expired} {undeliverable} {open} {}", reasons.join(","));
    line.trim_end().to_owned()
}

async fn steps(site: &Site, day: &str, policy_id: &str) -> Vec<String> {
    let request = proto::GetStepResultsRequest { as_of: day.to_owned(), policy_id: policy_id.to_owned() };
    site.client.clone().get_step_results(request).await.unwrap().into_inner().steps.iter().map(line).collect()
}

const LADDER: &str = "steps=d-7:2026-03-03:2026-03-10,d+1:2026-03-11:,d+7:2026-03-17:2026-03-27";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_are_counted_from_the_day_on_which_they_came() {
    for site in Site::every().await {
        tell(
            &site,
            &format!(
                "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 padrao {LADDER}
            2026-03-01 issued I2 A 100 due=2026-03-10
            2026-03-01 enrolled I2 padrao {LADDER}
            2026-03-03 closed I1 1 d-7 executed
            2026-03-05 closed I2 1 d-7 superseded paid
            2026-03-05 closed I2 1 d+1 superseded paid
            2026-03-05 closed I2 1 d+7 superseded paid
            2026-03-11 closed I1 1 d+1 suppressed below_minimum
            2026-03-18 closed I1 1 d+7 undeliverable no_address"
            ),
        )
        .await;
        for (day, expected) in [
            ("2026-02-28", vec![]),
            ("2026-03-01", vec!["padrao d-7: 0 0 0 0 0 2", "padrao d+1: 0 0 0 0 0 2", "padrao d+7: 0 0 0 0 0 2"]),
            ("2026-03-04", vec!["padrao d-7: 1 0 0 0 0 1", "padrao d+1: 0 0 0 0 0 2", "padrao d+7: 0 0 0 0 0 2"]),
            (
                "2026-03-18",
                vec![
                    "padrao d-7: 1 1 0 0 0 0 paid=1",
                    "padrao d+1: 0 1 1 0 0 0 below_minimum=1,paid=1",
                    "padrao d+7: 0 1 0 0 1 0 no_address=1,paid=1",
                ],
            ),
        ] {
            assert_eq!(steps(&site, day, "").await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_nobody_closed_is_expired_by_its_dates() {
    for site in Site::every().await {
        tell(&site, &format!("2026-03-01 issued I1 A 100 due=2026-03-10\n2026-03-01 enrolled I1 padrao {LADDER}")).await;
        for (day, expected) in [
            // A step whose last day is the day asked for is still open.
            ("2026-03-10", ["padrao d-7: 0 0 0 0 0 1", "padrao d+1: 0 0 0 0 0 1", "padrao d+7: 0 0 0 0 0 1"]),
            ("2026-03-11", ["padrao d-7: 0 0 0 1 0 0 due_passed=1", "padrao d+1: 0 0 0 0 0 1", "padrao d+7: 0 0 0 0 0 1"]),
            ("2026-03-28", ["padrao d-7: 0 0 0 1 0 0 due_passed=1", "padrao d+1: 0 0 0 0 0 1", "padrao d+7: 0 0 0 1 0 0 too_old=1"]),
        ] {
            assert_eq!(steps(&site, day, "").await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_cycle_has_its_own_steps_from_the_day_it_is_known() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 padrao steps=d-7:2026-03-03:2026-03-10,d+1:2026-03-11:
            2026-03-03 closed I1 1 d-7 executed
            2026-03-05 amended I1 due=2026-04-10
            2026-03-05 closed I1 1 d+1 superseded due_moved
            2026-03-05 rescheduled I1 2 steps=d-7:2026-04-03:2026-04-10,d+1:2026-04-11:
            2026-04-02 reopened I1 3 steps=d-7:2026-04-03:2026-04-10,d+1:2026-04-11:",
        )
        .await;
        for (day, expected) in [
            ("2026-03-04", ["padrao d-7: 1 0 0 0 0 0", "padrao d+1: 0 0 0 0 0 1"]),
            ("2026-03-05", ["padrao d-7: 1 0 0 0 0 1", "padrao d+1: 0 1 0 0 0 1 due_moved=1"]),
            ("2026-04-02", ["padrao d-7: 1 0 0 0 0 2", "padrao d+1: 0 1 0 0 0 2 due_moved=1"]),
            ("2026-04-11", ["padrao d-7: 1 0 0 2 0 0 due_passed=2", "padrao d+1: 0 1 0 0 0 2 due_moved=1"]),
        ] {
            assert_eq!(steps(&site, day, "").await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_keep_apart_and_one_can_be_asked_for() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 simples steps=z:2026-03-03:,z#2:2026-03-04:,a:2026-03-11:
            2026-03-01 issued I2 A 100 due=2026-03-10
            2026-03-01 enrolled I2 padrao steps=a:2026-03-03:
            2026-03-03 closed I1 1 z executed
            2026-03-04 closed I1 1 z executed occurrence=2",
        )
        .await;
        let all = ["padrao a: 0 0 0 0 0 1", "simples z: 2 0 0 0 0 0", "simples a: 0 0 0 0 0 1"];
        assert_eq!(steps(&site, "2026-03-05", "").await, all, "{}", site.database);
        assert_eq!(steps(&site, "2026-03-05", "simples").await, all[1..], "{}", site.database);
        assert_eq!(steps(&site, "2026-03-05", "none").await, [""; 0], "{}", site.database);
        assert_eq!(steps(&site, "", "").await, all, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_occurrence_counts_and_dates_that_come_later_expire_a_step_from_then_on() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 padrao steps=a:2026-03-11:,a#2:2026-03-18:,b::,c:2026-04-30:
            2026-03-11 closed I1 1 a executed
            2026-03-18 closed I1 1 a executed occurrence=2
            2026-03-18 dated I1 1 steps=b:2026-03-20:2026-03-22",
        )
        .await;
        for (day, expected) in [
            ("2026-03-17", ["padrao a: 1 0 0 0 0 1", "padrao b: 0 0 0 0 0 1", "padrao c: 0 0 0 0 0 1"]),
            ("2026-03-22", ["padrao a: 2 0 0 0 0 0", "padrao b: 0 0 0 0 0 1", "padrao c: 0 0 0 0 0 1"]),
            ("2026-03-23", ["padrao a: 2 0 0 0 0 0", "padrao b: 0 0 0 1 0 0 too_old=1", "padrao c: 0 0 0 0 0 1"]),
        ] {
            assert_eq!(steps(&site, day, "").await, expected, "{} {day}", site.database);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migrated_receivable_counts_under_its_new_ladder_and_new_steps_from_the_day_of_the_move() {
    for site in Site::every().await {
        tell(
            &site,
            "
            2026-03-01 issued I1 A 100 due=2026-03-10
            2026-03-01 enrolled I1 padrao steps=a:2026-03-03:,b:2026-03-12:,c:2026-03-20:2026-03-25
            2026-03-01 issued I2 A 100 due=2026-03-10
            2026-03-01 enrolled I2 outra steps=x:2026-03-05:,a:2026-03-03:,c:2026-03-21:
            2026-03-03 closed I1 1 a executed
            2026-03-05 closed I1 1 b superseded policy_migrated
            2026-03-05 migrated I1 outra new=x steps=x:2026-03-05:,a:2026-03-03:,c:2026-03-21:",
        )
        .await;
        for (day, expected) in [
            ("2026-03-04", vec!["outra x: 0 0 0 0 0 1", "outra a: 1 0 0 0 0 1", "outra b: 0 0 0 0 0 1", "outra c: 0 0 0 0 0 2"]),
            (
                "2026-03-26",
                vec!["outra x: 0 0 0 0 0 2", "outra a: 1 0 0 0 0 1", "outra b: 0 1 0 0 0 0 policy_migrated=1", "outra c: 0 0 0 0 0 2"],
            ),
        ] {
            let mut found = steps(&site, day, "").await;
            let mut expected = expected;
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "{} {day}: `c` expires no more", site.database);
        }
    }
}
