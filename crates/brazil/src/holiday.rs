//! Local holidays: days on which payers of a place are not contacted. Data of the tenant, none by default.
//!
//! They are no bank holidays (brazil.md section 5): no due date, business day or deadline of a bank ever reads them.

use crate::{Municipality, NaiveDate, Place, State};
use alloc::{collections::BTreeMap, string::String};

/// The local holidays of a tenant, by day and place: one name each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalHolidays(BTreeMap<(NaiveDate, Place), String>);

impl LocalHolidays {
    /// A day is a holiday of a place, by a name that replaces the one before.
    pub fn set(&mut self, day: NaiveDate, place: Place, name: String) {
        self.0.insert((day, place), name);
    }

    /// A day is no holiday of a place any more.
    pub fn remove(&mut self, day: NaiveDate, place: Place) {
        self.0.remove(&(day, place));
    }

    /// The name of a place's holiday on a day; `None` where there is none. Holidays of a wider place do not count.
    pub fn of_place(&self, day: NaiveDate, place: Place) -> Option<&str> {
        self.0.get(&(day, place)).map(String::as_str)
    }

    /// The name of the holiday that a payer of a state and a municipality has on a day, the narrowest place's first; `None` where there is
    /// none. A payer whose place is not known has those of the whole tenant.
    pub fn of_payer(&self, day: NaiveDate, state: Option<State>, municipality: Option<Municipality>) -> Option<&str> {
        let state = state.or(municipality.map(Municipality::state));
        let places = [municipality.map(Place::Municipality), state.map(Place::State), Some(Place::Tenant)];
        places.into_iter().flatten().find_map(|place| self.of_place(day, place))
    }

    /// As [`LocalHolidays::of_payer`], of a state and a municipality as messages carry them; what is no such text is unknown.
    pub fn of_written(&self, day: NaiveDate, state: &str, municipality: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.of_payer(day, State::named(state), Municipality::parse(municipality).ok())
    }
}
