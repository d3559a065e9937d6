//! The window of a payer's state, where the state is known.

use crate::book::SIMPLES;
use crate::world::{World, at, day, reminders};
use kernel::window::close_named;
use ladder::Command;
use ladder::ladder::Event;

fn world(text: &str, state: Option<&str>) -> World {
    let mut world = World::new(&format!("{text}\n{SIMPLES}"));
    world.tell(Command::NotePayer { zone: None, segment: None, state: state.map(String::from), municipality: None });
    world.enroll("i", "2026-01-01", "2026-01-10");
    world
}

fn until(events: &[Event]) -> Option<kernel::NaiveTime> {
    events.iter().find_map(|event| if let Event::ReminderDue { rules, .. } = event { Some(rules.window.until) } else { None })
}

#[test]
fn a_payer_of_a_state_is_reminded_within_its_window_and_everybody_else_within_the_policys() {
    for (state, opens, close) in [(Some("SP"), 8, "20:00"), (Some("RJ"), 9, "18:00"), (None, 9, "18:00")] {
        let mut world = world("state SP 08:00 20:00", state);
        assert_eq!(world.next_timer(at(day("2026-01-05"), 0)), Some(at(day("2026-01-05"), opens)), "{state:?}");
        let events = world.wake(at(day("2026-01-05"), opens));
        assert_eq!((reminders(&events).len(), until(&events)), (1, close_named(close)), "{state:?}");
    }
}

#[test]
fn a_late_wake_is_in_time_where_the_state_is_open_longer_and_not_where_it_shuts_earlier() {
    for (state, sent) in [(Some("SP"), 1), (Some("AL"), 0), (None, 0)] {
        let mut world = world("state SP 08:00 20:00\nstate AL 10:00 17:00", state);
        assert_eq!(reminders(&world.wake(at(day("2026-01-05"), 19))).len(), sent, "{state:?}");
    }
    let mut world = world("state AL 10:00 17:00", Some("AL"));
    assert!(world.wake(at(day("2026-01-05"), 9)).is_empty(), "not yet");
    assert_eq!(world.next_timer(at(day("2026-01-05"), 9)), Some(at(day("2026-01-05"), 10)));
}

#[test]
fn who_moves_to_another_state_is_reminded_in_its_hours() {
    let mut world = world("state SP 08:00 20:00", None);
    let moved = || Command::NotePayer { zone: None, segment: None, state: Some("SP".into()), municipality: None };
    assert_eq!(world.tell(moved()).len(), 1);
    assert_eq!(world.tell(moved()).len(), 0, "told twice, it changes nothing");
    assert_eq!(world.next_timer(at(day("2026-01-05"), 0)), Some(at(day("2026-01-05"), 8)));
}

#[test]
fn a_step_with_a_window_of_its_own_keeps_it_for_every_state() {
    let mut own = crate::book::draft(&format!("state SP 08:00 20:00\n{SIMPLES}"));
    let hours = ladder::draft::DraftWindow { weekdays: None, from: Some("11:00".into()), until: Some("12:00".into()) };
    own.steps[0].window = Some(hours);
    let policy = ladder::draft::validate(&own).unwrap();
    let opening = |at: usize| policy.window_of(&policy.steps()[at], Some("SP")).from.to_string();
    assert_eq!((opening(0).as_str(), opening(1).as_str()), ("11:00:00", "08:00:00"));
}
