//! Bars for long work; shown on a terminal only.

use crate::replay::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::calendar;
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Wall time since it was made.
pub fn stopwatch() -> impl Fn() -> Duration + Send + Sync {
    let start = Instant::now();
    move || start.elapsed()
}

/// Shows how far a replay is.
pub fn replay_bar() -> impl Fn(Progress) + Send + Sync {
    let bar = ProgressBar::new_spinner();
    let days = OnceLock::new();
    move |progress| match progress {
        Progress::Reading(rows) => bar.set_message(format!("{rows} rows read")),
        Progress::Day { first, day, until } => {
            days.get_or_init(|| {
                bar.set_length(u64::try_from(calendar::days_between(first, until)).unwrap_or(0));
                bar.set_style(style());
            });
            bar.set_position(u64::try_from(calendar::days_between(first, day)).unwrap_or(0));
            bar.set_message(day.to_string());
        }
        Progress::Verifying => bar.set_message("building every view again from its events"),
        Progress::Done => bar.finish_and_clear(),
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar())
}
