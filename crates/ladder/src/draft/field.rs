//! Readers of single fields: each gives a value to go on with and notes what was wrong.

use super::{DraftWindow, Fault};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use kernel::ids::IdFault;
use kernel::window::{close_named, close_text, weekday_named};
use kernel::{Window, written};

/// The faults found so far, in reading order.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

/// The numbers that a field takes, ends included.
#[derive(Clone, Copy)]
pub(super) struct Range {
    min: i64,
    max: i64,
}

impl Range {
    pub(super) fn new(min: i64, max: i64) -> Self {
        Self { min, max }
    }
}

impl Faults {
    pub(super) fn add(&mut self, path: &str, slug: &'static str, message: String) {
        self.0.push(Fault { path: path.to_string(), slug, message });
    }

    pub(super) fn so_far(&self) -> &[Fault] {
        &self.0
    }

    pub(super) fn into_list(self) -> Vec<Fault> {
        self.0
    }

    fn missing(&mut self, path: &str) {
        self.add(path, "missing", "must be given".to_string());
    }

    /// A mandatory identifier.
    pub(super) fn id<T>(&mut self, path: &str, text: Option<&str>, parse: impl Fn(&str) -> Result<T, IdFault>) -> Option<T> {
        let Some(text) = text else {
            self.missing(path);
            return None;
        };
        parse(text).map_err(|fault| self.add(path, "invalid_id", fault.to_string())).ok()
    }

    /// A word out of an enumeration.
    pub(super) fn named<T>(
        &mut self,
        path: &str,
        slug: &'static str,
        text: Option<&str>,
        parse: impl Fn(&str) -> Option<T>,
        absent: T,
    ) -> T {
        let Some(text) = text else { return absent };
        parse(text).unwrap_or_else(|| {
            self.add(path, slug, format!("{text:?} is not known here"));
            absent
        })
    }

    /// A whole number within a range.
    pub(super) fn number(&mut self, path: &str, slug: &'static str, value: Option<i64>, range: Range) -> Option<i64> {
        let value = value?;
        if (range.min..=range.max).contains(&value) {
            return Some(value);
        }
        self.add(path, slug, format!("{value} is not within {} to {}", range.min, range.max));
        None
    }

    /// As [`Faults::number`], and it must be given.
    pub(super) fn needed_number(&mut self, path: &str, slug: &'static str, value: Option<i64>, range: Range) -> Option<i64> {
        if value.is_none() {
            self.missing(path);
        }
        self.number(path, slug, value, range)
    }

    /// A count within a range that lies in `u32`.
    pub(super) fn count(&mut self, path: &str, value: Option<i64>, range: Range, absent: u32) -> u32 {
        self.number(path, "out_of_range", value, range).and_then(|value| u32::try_from(value).ok()).unwrap_or(absent)
    }

    /// A text of at most 100 characters; absent is the empty text where it is not needed.
    pub(super) fn text(&mut self, path: &str, text: Option<&str>, needed: bool) -> String {
        match text {
            None if needed => self.missing(path),
            None => {}
            Some(text) => match kernel::text::bounded(text, 100) {
                Ok(text) => return text,
                Err(fault) => self.add(path, "invalid_text", fault.to_string()),
            },
        }
        String::new()
    }

    /// A window; absent parts are those of `absent`.
    pub(super) fn window(&mut self, path: &str, draft: Option<&DraftWindow>, absent: Window) -> Window {
        let Some(draft) = draft else { return absent };
        let (from_path, until_path) = (format!("{path}.from"), format!("{path}.until"));
        let weekdays = self.weekdays(&format!("{path}.weekdays"), draft.weekdays.as_deref(), absent.weekdays);
        let from = self.named(&from_path, "not_a_time", draft.from.as_deref(), written::time, absent.from);
        let until = self.named(&until_path, "not_a_time", draft.until.as_deref(), close_named, absent.until);
        if until <= from {
            self.add(&until_path, "window_empty", format!("{} is not after {}", close_text(until), close_text(from)));
        }
        Window { weekdays, from, until }
    }

    fn weekdays(&mut self, path: &str, names: Option<&[String]>, absent: [bool; 7]) -> [bool; 7] {
        let Some(names) = names else { return absent };
        let mut weekdays = [false; 7];
        for (at, name) in names.iter().enumerate() {
            match weekday_named(name) {
                Some(day) => weekdays.iter_mut().skip(day.num_days_from_monday() as usize).take(1).for_each(|open| *open = true),
                None => self.add(&format!("{path}[{at}]"), "unknown_weekday", format!("{name:?} is none of mon to sun")),
            }
        }
        if names.is_empty() {
            self.add(path, "window_without_days", "opens on no day".to_string());
        }
        weekdays
    }
}
