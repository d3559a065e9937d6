//! Windows of states: a tenant may widen what its ladder says, never past the law of the payer's state.

use brazil::{
    State,
    contact_window::{ContactWindow, Hours, widest},
};
use kernel::{NaiveTime, Window};
use ladder::draft::{DraftContact, Fault, window};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is wrong with the windows of states beside what is wrong with any window: `unknown_state`, `window_outside_law`.
pub(super) fn faults(contact: &DraftContact) -> Vec<Fault> {
    let common = contact.window.as_ref().map_or(Some(Window::default()), |draft| window(draft, Window::default()));
    let mut faults = Vec::new();
    for (code, draft) in &contact.state_windows {
        let path = format!("contact.window.states.{code}");
        // As payers have it: two capital letters.
        let Some(state) = State::named(code).filter(|state| state.code() == code) else {
            faults.push(Fault { path, slug: "unknown_state", message: format!("{code:?} is no state: write AC to TO") });
            continue;
        };
        // What cannot be read has a fault of its own.
        if let Some(window) = common.and_then(|common| window(draft, common)) {
            faults.extend(outside(&path, state, &window));
        }
    }
    faults
}

fn outside(path: &str, state: State, window: &Window) -> Vec<Fault> {
    let law = widest(Some(state));
    let fault = |field: &str, message: String| Fault { path: format!("{path}.{field}"), slug: "window_outside_law", message };
    let open = || WEEKDAYS.into_iter().enumerate().zip(window.weekdays).filter(|(_, open)| *open).map(|(day, _)| day);
    let shut = open().filter(|(day, _)| hours_of(law, *day).is_none());
    let mut faults: Vec<Fault> = shut.map(|(_, name)| fault("weekdays", format!("{state} allows no contact on {name}"))).collect();
    let hours: Vec<Hours> = open().filter_map(|(day, _)| hours_of(law, day)).collect();
    if let Some(from) = hours.iter().map(|hours| time(hours.from_minute)).max().filter(|from| window.from < *from) {
        faults.push(fault("from", format!("{state} allows no contact before {}", from.format("%H:%M"))));
    }
    if let Some(until) = hours.iter().map(|hours| time(hours.until_minute)).min().filter(|until| window.until > *until) {
        faults.push(fault("until", format!("{state} allows no contact after {} on all of these days", until.format("%H:%M"))));
    }
    faults
}

/// Monday is 0.
fn hours_of(law: ContactWindow, day: usize) -> Option<Hours> {
    match day {
        0..=4 => law.weekdays,
        5 => law.saturday,
        _ => None,
    }
}

fn time(minute: u16) -> NaiveTime {
    NaiveTime::from_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0).unwrap_or(NaiveTime::MIN)
}
