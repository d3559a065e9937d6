//! Local holidays: days on which payers of a place are not contacted.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, day, id, reminders};
use kernel::{NaiveDate, calendar};
use ladder::{Command, Event};
use proptest::prelude::*;

fn known(municipality: Option<&str>) -> Command {
    Command::NotePayer { zone: None, segment: None, state: Some("SP".into()), municipality: municipality.map(String::from) }
}

/// A payer of a municipality of SP with a debt that is due on Saturday 10 January 2026.
fn world(policy: &str, municipality: Option<&str>) -> World {
    let mut world = World::new(policy);
    world.tell(known(municipality));
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

fn record(world: &mut World, place: &str, on: &str) {
    world.book.holidays.insert((place.to_owned(), day(on)), "Aniversário".to_owned());
}

fn withdraw(world: &mut World, place: &str, on: &str) {
    world.book.holidays.remove(&(place.to_owned(), day(on)));
}

fn planned(world: &World) -> Vec<Option<NaiveDate>> {
    world.track("i").current().iter().map(|at| at.planned_on).collect()
}

#[test]
fn who_has_a_holiday_is_reminded_on_the_next_day_and_the_neighbour_on_the_day_itself() {
    for (place, municipality, sent) in [
        ("3550308", Some("3550308"), "d-5@2026-01-06"),
        ("3550308", Some("3509502"), "d-5@2026-01-05"),
        ("3550308", None, "d-5@2026-01-05"),
        ("SP", Some("3550308"), "d-5@2026-01-06"),
        ("RJ", Some("3550308"), "d-5@2026-01-05"),
        ("tenant", None, "d-5@2026-01-06"),
    ] {
        let mut world = world(SIMPLES, municipality);
        // It was planned before anybody knew of the holiday.
        record(&mut world, place, "2026-01-05");
        world.timers(day("2026-01-01"), day("2026-01-08"));
        assert_eq!(world.sent("i"), sent, "{place} {municipality:?}");
    }
}

#[test]
fn a_holiday_that_is_withdrawn_shuts_nothing() {
    let mut world = world(SIMPLES, Some("3550308"));
    record(&mut world, "3550308", "2026-01-05");
    world.timers(day("2026-01-01"), day("2026-01-04"));
    withdraw(&mut world, "3550308", "2026-01-05");
    world.timers(day("2026-01-04"), day("2026-01-05"));
    assert_eq!(world.sent("i"), "d-5@2026-01-05");
}

#[test]
fn who_moves_to_another_municipality_has_its_holidays() {
    let mut world = world(SIMPLES, Some("3509502"));
    record(&mut world, "3550308", "2026-01-05");
    assert_eq!(world.tell(known(Some("3550308"))).len(), 1);
    assert_eq!(world.tell(known(Some("3550308"))).len(), 0, "told twice, it changes nothing");
    assert!(world.morning("2026-01-05").is_empty());
    assert_eq!(world.next_timer(at(day("2026-01-05"), 9)), Some(at(day("2026-01-06"), 9)));
    world.tell(Command::ForgetPayer { recorded_at: at(day("2026-01-05"), 10) });
    assert_eq!(world.ladder.municipality, None);
}

#[test]
fn a_local_holiday_moves_no_date_of_the_ladder_and_none_of_the_bank() {
    // Due on Monday 19 January, which is no bank holiday: one of the whole tenant, of the state and of the city.
    for place in ["tenant", "SP", "3550308"] {
        let padrao = format!("calendar br-settlement\n{PADRAO}");
        let (mut world, mut without) = (World::new(&padrao), World::new(&padrao));
        for on in ["2026-01-19", "2026-01-20", "2026-01-21"] {
            record(&mut world, place, on);
        }
        for world in [&mut world, &mut without] {
            world.tell(known(Some("3550308")));
            world.enroll("i", "2026-01-02", "2026-01-17");
        }
        assert_eq!(world.track("i").effective_due, day("2026-01-19"));
        assert_eq!(planned(&world), planned(&without), "{place}");
        for world in [&mut world, &mut without] {
            world.timers(day("2026-01-02"), day("2026-01-24"));
        }
        let days = |world: &World| world.sent("i").split(' ').map(String::from).collect::<Vec<_>>();
        assert_eq!(days(&without)[1..], ["d-1@2026-01-16", "d0@2026-01-19", "d+1@2026-01-20", "d+3@2026-01-22"], "{place}");
        // What may not be said after the due date is not; of the two that wait the later one is said on the first open day.
        assert_eq!(days(&world)[1..], ["d-1@2026-01-16", "d+3@2026-01-22"], "{place}");
        assert!(world.steps("i").contains("d0:expired(due_passed) d+1:superseded(late)"), "{}", world.steps("i"));
    }
}

#[test]
fn business_days_are_those_of_the_bank_whatever_is_closed_where_the_payer_lives() {
    let mut world = World::new("calendar br-settlement\nb+2 2 2 day_kind=business\nd+9 9 2");
    record(&mut world, "SP", "2026-01-20");
    world.tell(known(None));
    world.enroll("i", "2026-01-02", "2026-01-19");
    assert_eq!(planned(&world), [Some(day("2026-01-21")), Some(day("2026-01-28"))]);
    record(&mut world, "SP", "2026-01-21");
    world.timers(day("2026-01-02"), day("2026-01-24"));
    assert_eq!(world.sent("i"), "b+2@2026-01-22");
}

#[test]
fn a_week_that_is_closed_is_no_standstill_of_the_engine() {
    let mut world = world(SIMPLES, None);
    (world.approvals_given, world.terms.late_after_days) = (false, Some(2));
    for on in ["2026-01-05", "2026-01-06", "2026-01-07"] {
        record(&mut world, "tenant", on);
    }
    world.timers(day("2026-01-01"), day("2026-01-08"));
    assert!(world.log.iter().all(|event| !matches!(event, Event::CatchUpBegan { .. })), "nobody is asked");
    assert_eq!(world.sent("i"), "d-5@2026-01-08");
}

#[test]
fn people_and_bureaus_are_left_alone_on_a_holiday_too() {
    let mut world = world(&format!("{SIMPLES}\nt+40 40 5 kind=task roll=none"), None);
    record(&mut world, "tenant", "2026-02-19");
    world.mornings("2026-01-02", "2026-02-20");
    assert!(world.sent("i").ends_with("t+40@2026-02-20"), "{}", world.sent("i"));
}

proptest! {
    #[test]
    fn nothing_is_offered_on_a_local_holiday_and_no_date_moves(
        days in prop::collection::btree_set(0..60i64, 0..25),
        place in prop::sample::select(vec!["3550308", "SP", "tenant"]),
    ) {
        let (mut world, first) = (world(SIMPLES, Some("3550308")), day("2026-01-01"));
        let dates = planned(&world);
        let closed: Vec<NaiveDate> = days.iter().map(|ahead| calendar::add_days(first, *ahead)).collect();
        for on in &closed {
            record(&mut world, place, &on.to_string());
        }
        world.timers(first, calendar::add_days(first, 60));
        prop_assert_eq!(planned(&world), dates);
        prop_assert!(reminders(&world.log).iter().all(|(on, _)| !closed.contains(on)));
        prop_assert!(world.ladder.tracks.contains_key(&id("i")));
    }
}
