//! When a payer may be called or written to: hours by state, in the payer's own zone. Never on Sundays and holidays.
//!
//! National law has no number; five states have (`vectors/contact_windows.csv` with its sources). The default is the
//! strictest of all rules. A tenant may widen it, but never past the law of the payer's state.

use crate::{LocalHolidays, Municipality, State};
use chrono::{DateTime, Datelike, NaiveTime, Timelike, Utc, Weekday};
use kernel::{Calendar, NaiveDate, Zone, calendar};

/// Days that a search for the next opening looks ahead.
const SEARCH_DAYS: u32 = 366;

/// Hours of a day: from `from_minute` (included) until `until_minute` (excluded), minutes after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hours {
    /// Opens.
    pub from_minute: u16,
    /// Closes.
    pub until_minute: u16,
}

impl Hours {
    /// Whole hours.
    pub const fn of(from_hour: u16, until_hour: u16) -> Self {
        Self { from_minute: from_hour * 60, until_minute: until_hour * 60 }
    }

    /// What both allow; `None` where that is nothing.
    pub fn within(self, other: Self) -> Option<Self> {
        let from_minute = self.from_minute.max(other.from_minute);
        let until_minute = self.until_minute.min(other.until_minute);
        (from_minute < until_minute).then_some(Self { from_minute, until_minute })
    }

    fn contains(self, time: NaiveTime) -> bool {
        let minute = time.hour() * 60 + time.minute();
        (u32::from(self.from_minute)..u32::from(self.until_minute)).contains(&minute)
    }

    fn opening(self) -> NaiveTime {
        NaiveTime::from_hms_opt(u32::from(self.from_minute / 60), u32::from(self.from_minute % 60), 0).unwrap_or(NaiveTime::MIN)
    }
}

/// Hours of a week; Sundays and holidays are always shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContactWindow {
    /// Monday to Friday.
    pub weekdays: Option<Hours>,
    /// Saturday.
    pub saturday: Option<Hours>,
}

/// Saturday hours that a tenant may choose where the state allows Saturdays: the strictest of the rules that do.
pub const SATURDAY_BY_CHOICE: Hours = Hours::of(9, 13);

/// The law of one state on collection contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateLaw {
    /// Where it holds.
    pub state: State,
    /// The law.
    pub basis: &'static str,
    /// What it allows.
    pub window: ContactWindow,
    /// Whether it names text messages too. It is applied to every real-time channel all the same.
    pub names_text: bool,
}

const fn law(state: State, basis: &'static str, weekdays: Hours, saturday: Option<Hours>, names_text: bool) -> StateLaw {
    StateLaw { state, basis, window: ContactWindow { weekdays: Some(weekdays), saturday }, names_text }
}

/// State laws in force. Mato Grosso do Sul has a bill only (PL 130/2025).
pub const LAWS: &[StateLaw] = &[
    law(State::SP, "Lei estadual 15.426/2014", Hours::of(8, 20), Some(Hours::of(8, 14)), false),
    law(State::RJ, "Lei estadual 7.868/2018", Hours::of(9, 19), None, false),
    law(State::ES, "Lei estadual 10.626/2017", Hours::of(8, 19), None, false),
    // No opening hour is stated; 8 is the neighbours'.
    law(State::AM, "Lei estadual 306/2016", Hours::of(8, 19), None, false),
    law(State::AL, "Lei estadual 7.782/2016", Hours::of(8, 20), Some(Hours::of(8, 14)), true),
];

/// What practice allows where no state law speaks (under CDC art. 42).
const PRACTICE: ContactWindow = ContactWindow { weekdays: Some(Hours::of(8, 20)), saturday: Some(Hours::of(8, 14)) };

/// The law of a state; `None` where it has none.
pub fn law_of(state: State) -> Option<&'static StateLaw> {
    LAWS.iter().find(|law| law.state == state)
}

/// The widest window that a tenant may choose for payers of a state; without a state, what every law allows.
pub fn widest(state: Option<State>) -> ContactWindow {
    match state {
        Some(state) => law_of(state).map_or(PRACTICE, |law| law.window),
        None => LAWS.iter().fold(PRACTICE, |window, law| window.within(law.window)),
    }
}

/// The window for a payer: the tenant's choice (or the default) cut to what the state allows.
pub fn for_payer(choice: Option<ContactWindow>, state: Option<State>) -> ContactWindow {
    choice.unwrap_or_default().within(widest(state))
}

impl Default for ContactWindow {
    /// 9 to 18 on weekdays: the strictest of all rules, with no Saturday because three states forbid it.
    fn default() -> Self {
        Self { weekdays: Some(Hours::of(9, 18)), saturday: None }
    }
}

/// Days on which nothing is open in a place.
#[derive(Debug, Clone, Copy)]
pub struct Closed<'a> {
    /// National days.
    pub calendar: Calendar,
    /// Local days.
    pub local: &'a LocalHolidays,
    /// The payer's state.
    pub state: Option<State>,
    /// The payer's municipality.
    pub municipality: Option<Municipality>,
}

impl Closed<'_> {
    fn on(&self, day: NaiveDate) -> bool {
        self.calendar.is_holiday(day) || self.local.of_payer(day, self.state, self.municipality).is_some()
    }
}

impl ContactWindow {
    /// What both allow.
    pub fn within(self, other: Self) -> Self {
        let both = |left: Option<Hours>, right: Option<Hours>| left.zip(right).and_then(|(left, right)| left.within(right));
        Self { weekdays: both(self.weekdays, other.weekdays), saturday: both(self.saturday, other.saturday) }
    }

    /// Hours of a day; `None` where it is shut.
    pub fn hours_on(&self, day: NaiveDate, closed: &Closed<'_>) -> Option<Hours> {
        if closed.on(day) {
            return None;
        }
        match day.weekday() {
            Weekday::Sat => self.saturday,
            Weekday::Sun => None,
            Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => self.weekdays,
        }
    }

    /// Whether an instant lies inside, in the payer's zone.
    pub fn is_open(&self, at: DateTime<Utc>, zone: Zone, closed: &Closed<'_>) -> bool {
        self.hours_on(zone.day_of(at), closed).is_some_and(|hours| hours.contains(zone.time_of(at)))
    }

    /// The instant itself if inside, else the next opening; `None` where there is none within a year.
    pub fn next_open(&self, at: DateTime<Utc>, zone: Zone, closed: &Closed<'_>) -> Option<DateTime<Utc>> {
        if self.is_open(at, zone, closed) {
            return Some(at);
        }
        let (mut day, time) = (zone.day_of(at), zone.time_of(at));
        for ahead in 0..SEARCH_DAYS {
            match self.hours_on(day, closed) {
                Some(hours) if ahead > 0 || time < hours.opening() => return Some(zone.instant(day, hours.opening())),
                _ => day = calendar::next(day),
            }
        }
        None
    }
}
