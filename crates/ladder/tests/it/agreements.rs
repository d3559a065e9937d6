//! Agreements: what they do to the tracks of their debts, and the ladders of their instalments.

use crate::book::{PADRAO, SIMPLES, policy};
use crate::world::{World, at, closings, day, id, instalment, tasks};
use kernel::{AgreementId, ArrangementId, Currency};
use ladder::arrangement::ArrangementKind;
use ladder::ladder::Arrange;
use ladder::policy::Audience;
use ladder::preview::preview;
use ladder::schedule::planned_steps;
use ladder::track::Phase;
use ladder::{Command, Event};

fn agreed(invoice: &str, on: &str) -> Command {
    Command::NoteAgreement { invoice_id: id(invoice), agreement_id: AgreementId::new("A1").unwrap(), recorded_at: at(day(on), 8) }
}

fn broken(invoice: &str, on: &str, outstanding_minor: i64) -> Command {
    Command::NoteBreach { invoice_id: id(invoice), outstanding_minor, recorded_at: at(day(on), 8) }
}

#[test]
fn a_renegotiated_debt_leaves_its_ladder_and_is_asked_for_no_more() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-02", "2026-01-12");
    let events = world.tell(agreed("i", "2026-01-13"));
    let ended: Vec<_> =
        closings(&events).into_iter().map(|(_, _, closing)| (closing.step_id.to_string(), closing.end.reason().unwrap().slug())).collect();
    assert_eq!(ended, [("d+7".to_owned(), "renegotiated"), ("d+15".to_owned(), "renegotiated"), ("d+30".to_owned(), "renegotiated")]);
    assert_eq!((world.track("i").phase, world.track("i").outstanding_minor), (Phase::Renegotiated, 0));
    assert_eq!(world.tell(agreed("i", "2026-01-13")), vec![], "told again");
    world.mornings("2026-01-14", "2026-03-30");
    assert_eq!(world.sent("i"), "d-5@2026-01-05 d-1@2026-01-09 d+1@2026-01-11");
    // A payment that is told late opens nothing.
    assert_eq!(
        world.tell(Command::NotePayment { invoice_id: id("i"), outstanding_minor: 50, recorded_at: at(day("2026-03-30"), 8) }),
        vec![]
    );
}

#[test]
fn a_broken_agreement_opens_a_new_cycle_placed_by_its_dates_and_no_harsher_than_before() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.mornings("2026-01-02", "2026-01-12");
    world.tell(agreed("i", "2026-01-13"));
    world.mornings("2026-01-13", "2026-03-19");
    let events = world.tell(broken("i", "2026-03-20", 7_000));
    assert!(events.iter().any(|event| matches!(event, Event::TrackAgreementBroken { cycle: 2, outstanding_minor: 7_000, .. })));
    world.mornings("2026-03-20", "2026-03-22");
    assert_eq!(world.sent("i"), "d-5@2026-01-05 d-1@2026-01-09 d+1@2026-01-11 d+1@2026-03-20 d+15@2026-03-21 d+30@2026-03-22");
    assert_eq!(world.tell(broken("i", "2026-03-20", 7_000)), vec![], "told again");
}

#[test]
fn a_breach_of_a_payer_whose_data_was_erased_opens_a_cycle_that_is_over_at_once() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.tell(agreed("i", "2026-01-13"));
    world.tell(Command::ForgetPayer { recorded_at: at(day("2026-01-20"), 8) });
    world.tell(broken("i", "2026-03-20", 7_000));
    assert_eq!((world.track("i").phase, world.track("i").outstanding_minor), (Phase::Exhausted, 7_000));
    assert!(world.track("i").occurrences.iter().all(|at| at.is_ended()), "{:?}", world.track("i").occurrences);
    world.mornings("2026-03-20", "2026-04-30");
    assert_eq!(world.sent("i"), "");
}

#[test]
fn what_is_listed_at_the_bureau_is_removed_and_what_was_arranged_has_no_purpose() {
    let mut world = World::new(PADRAO);
    world.enroll("i", "2025-12-01", "2026-01-12");
    world.mornings("2025-12-02", "2026-04-30");
    let listed = world.track("i").occurrences.iter().any(|at| at.kind == ladder::policy::StepKind::Bureau && at.executed_on().is_some());
    let hold = Arrange::Hold { id: ArrangementId::new("h").unwrap(), invoice_id: id("i"), until: Some(day("2026-09-01")), review_on: None };
    let mut other = World::new(SIMPLES);
    other.enroll("i", "2026-01-01", "2026-01-10");
    other.tell(Command::Arrange { at: at(day("2026-01-12"), 9), by: "ana".into(), why: "ligou".into(), what: hold });
    other.tell(agreed("i", "2026-01-13"));
    assert!(other.track("i").arrangement(ArrangementKind::Hold).is_none());
    let events = world.tell(agreed("i", "2026-05-04"));
    // A debt that was handed over stays with the collector, and owes nothing here.
    match world.track("i").phase {
        Phase::HandedOff => assert_eq!(world.track("i").outstanding_minor, 0),
        _ => assert_eq!(tasks(&events).contains(&"remove_bureau_listing"), listed),
    }
}

#[test]
fn money_that_went_back_is_asked_for_beside_the_agreement() {
    let mut world = World::new(SIMPLES);
    world.enroll("i", "2026-01-01", "2026-01-10");
    world.tell(agreed("i", "2026-01-13"));
    world.reverse("i", "2026-01-20", 3_000);
    assert_eq!((world.track("i").phase, world.track("i").outstanding_minor), (Phase::Active, 3_000));
    let events = world.tell(broken("i", "2026-01-25", 10_000));
    assert!(events.iter().any(|event| matches!(event, Event::OutstandingNoted { outstanding_minor: 10_000, .. })));
    assert_eq!(world.track("i").cycle, 2, "the place of the reversal is kept");
}

/// Instalments have two steps of their own, and a third that counts from the second.
const OWN: &str = "
    calendar none
    weekdays mon,tue,wed,thu,fri,sat,sun
    d+1 1 2
    d+7 7 3
    p-3 -3 1 anchor=agreement_due
    p+2 2 2 anchor=agreement_due
    p+9 5 3 anchor=previous_executed
    d+15 15 3";

#[test]
fn a_step_that_counts_from_an_agreement_is_for_instalments_and_they_have_no_other_then() {
    let policy = policy(OWN);
    let ids = |instalment| -> Vec<String> {
        planned_steps(&policy, day("2026-02-10"), instalment).iter().map(|step| step.step_id.to_string()).collect()
    };
    assert_eq!((ids(false), ids(true)), (vec!["d+1".into(), "d+7".into(), "d+15".into()], vec!["p-3".into(), "p+2".into(), "p+9".into()]));
    let shown: Vec<_> = preview(&policy, day("2026-02-10")).iter().map(|line| line.audience).collect();
    let (others, own) = (Audience::Others, Audience::Instalments);
    assert_eq!(shown, [others, others, own, own, own, others]);
    let plain = crate::book::policy(SIMPLES);
    assert_eq!(planned_steps(&plain, day("2026-02-10"), true), planned_steps(&plain, day("2026-02-10"), false));
}

#[test]
fn an_instalment_climbs_its_own_ladder_from_its_own_due_date() {
    let mut world = World::new(OWN);
    world.tell(instalment("A1-1", (day("2026-01-15"), day("2026-02-10")), (4_000, "A1"), at(day("2026-01-15"), 8)));
    world.mornings("2026-01-15", "2026-03-10");
    assert_eq!(world.sent("A1-1"), "p-3@2026-02-07 p+2@2026-02-12 p+9@2026-02-17");
    assert_eq!(world.track("A1-1").instalment_of, AgreementId::new("A1").ok());
    assert_eq!(world.track("A1-1").currency, Currency::BRL);
}
