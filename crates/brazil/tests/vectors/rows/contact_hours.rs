//! `contact_windows.csv`: laws, bills and customs on when a payer may be contacted.

use super::row::{Checked, Row};
use brazil::State;
use brazil::contact_window::{ContactWindow, Hours, LAWS, SATURDAY_BY_CHOICE, for_payer, law_of, widest};

const BINDINGS: [&str; 6] =
    ["state law", "not in force when found", "self-regulation", "practice under CDC art. 42", "provider guideline", "design choice"];

pub fn check(row: &Row) -> Checked {
    row.one_of("confidence", &["two_sources", "one_source", "practice"])?;
    // Nothing is ever sent on a Sunday or holiday: a rule that opens them is one that is not known here.
    row.one_of("sunday_and_holidays", &["forbidden", "none", "Sunday forbidden"])?;
    let listed = ContactWindow { weekdays: row.read("weekdays", hours)?, saturday: row.read("saturday", hours)? };
    let binding = row.one_of("binding", &BINDINGS)?;
    let state = State::named(row.text("scope"));
    if state.is_none() && row.text("scope") != "BR" {
        return Err(row.unchecked("scope", "is no state, and not BR"));
    }
    match (state, binding) {
        (Some(state), "state law") => check_law(row, state, listed),
        (Some(state), "not in force when found") => row.holds("binding", law_of(state).is_none(), "a law in force"),
        (None, "practice under CDC art. 42") => {
            // What holds where no law speaks.
            let free = State::ALL.iter().copied().find(|state| law_of(*state).is_none());
            same_window(row, listed, widest(free))
        }
        (None, "design choice") => {
            let choice = ContactWindow { saturday: Some(SATURDAY_BY_CHOICE), ..ContactWindow::default() };
            same_window(row, listed, choice)
        }
        _ => {
            // The default keeps inside every other rule, bills and guidelines included.
            let default = ContactWindow::default();
            row.same("weekdays", &default.within(listed).weekdays, &default.weekdays)?;
            row.same("saturday", &default.within(listed).saturday, &default.saturday)
        }
    }
}

fn check_law(row: &Row, state: State, listed: ContactWindow) -> Checked {
    let law = law_of(state).ok_or_else(|| row.differs("scope", "a state without a law"))?;
    row.is("legal_basis", law.basis)?;
    same_window(row, listed, law.window)?;
    same_window(row, listed, widest(Some(state)))?;
    row.same("channels", &row.text("channels").contains("SMS"), &law.names_text)?;
    let default = ContactWindow::default();
    row.same("weekdays", &for_payer(None, Some(state)), &default)?;
    row.holds("scope", LAWS.iter().filter(|law| law.state == state).count() == 1, "a state with several laws")
}

fn same_window(row: &Row, listed: ContactWindow, known: ContactWindow) -> Checked {
    row.same("weekdays", &listed.weekdays, &known.weekdays)?;
    row.same("saturday", &listed.saturday, &known.saturday)
}

/// `08:00-20:00`, `until 19:00 (no opening hour stated; use 08:00)`, `forbidden` or `none`.
fn hours(text: &str) -> Option<Option<Hours>> {
    let window = |from: &str, until: &str| {
        let (from_minute, until_minute) = (minutes(from)?, minutes(until)?);
        (from_minute < until_minute).then_some(Some(Hours { from_minute, until_minute }))
    };
    if let Some(rest) = text.strip_prefix("until ") {
        let (until, note) = rest.split_once(' ')?;
        return window(note.strip_suffix(')')?.rsplit_once("use ")?.1, until);
    }
    match text {
        "forbidden" | "none" => Some(None),
        _ => text.split_once('-').and_then(|(from, until)| window(from, until)),
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60).then(|| hour * 60 + minute)
}
