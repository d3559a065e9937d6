//! What an item costs in large portfolios beside a small one: appended, projected, reported, woken.

use super::{Figure, Plan, append::Ground, books, books::EACH, kept::Kept, load, machine, tell, timers};
use crate::progress;
use anyhow::Context;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Commands that wait for their answer at a time.
const IN_FLIGHT: usize = 512;
/// Reports of which the median counts.
const REPORTS: usize = 5;
/// An item of the large one costs at most so many times that of the small one.
const MOST: f64 = 1.3;
/// Memory of the whole process in the largest one, load and all services together, however large it is: what is remembered is limited, in
/// events, rows and pages.
const MEMORY_MB: f64 = 2_000.0;
/// What an item is, in the order of [`costs`].
const PARTS: [(&str, &str); 4] =
    [("growth/append", "us/invoice"), ("growth/project", "us/event"), ("growth/report", "us/invoice"), ("growth/timers", "us/payer")];

/// So many invoices, and more, are measured once: five times ten million take five hours, and the longer something lasts the less it differs
/// from round to round.
const ONCE: u64 = 100_000;

/// At one size.
struct Costs {
    /// Of an item in microseconds, one for each of [`PARTS`].
    of_parts: [f64; PARTS.len()],
    /// The most memory that any part took.
    megabytes: f64,
}

/// Each part at every size, each size beside the smallest.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut of_sizes: Vec<(u64, Vec<Costs>)> = plan.growth.iter().map(|invoices| ((*invoices).max(EACH), Vec::new())).collect();
    for round in 0..plan.rounds {
        for (invoices, rounds) in of_sizes.iter_mut().filter(|(invoices, _)| round == 0 || *invoices < ONCE) {
            let plan = if *invoices < ONCE { plan.clone() } else { plan.once() };
            rounds.push(costs(&plan, (round, *invoices), &place.join(invoices.to_string())).await?);
        }
    }
    let ((_, of_smallest), larger) = of_sizes.split_first().context("no size is asked for")?;
    let of = |all: &[Costs], part: usize| all.iter().filter_map(|costs| costs.of_parts.get(part).copied()).collect::<Vec<f64>>();
    let mut figures = Vec::new();
    for (invoices, of_size) in larger {
        for (part, (name, unit)) in PARTS.into_iter().enumerate() {
            let beside = ("the same in the smallest portfolio", of(of_smallest, part));
            let figure = Figure::less(&format!("{name}/{invoices}"), unit, &of(of_size, part), (beside.0, &beside.1));
            figures.push(figure.with_goal(Some(1.0 / MOST)));
        }
    }
    // Not the median: a process that is killed once is down.
    let most = larger.iter().flat_map(|(_, of_size)| of_size).map(|costs| costs.megabytes).fold(0.0, f64::max);
    Ok(figures.into_iter().chain([Figure::cost("growth/memory", "MB", most, Some(MEMORY_MB))]).collect())
}

/// Measures every part at one size, one after the other: what a part stored is removed before the next, so that the disk must hold the
/// largest of them and not all.
async fn costs(plan: &Plan, (round, invoices): (usize, u64), place: &Path) -> anyhow::Result<Costs> {
    let plan = Plan { payers: (invoices / EACH).max(1), ..plan.clone() };
    let begin = |part: &str| {
        tell(&format!("growth, {invoices} invoices {part}"), round, &plan);
        Part::begin(place)
    };
    let part = begin("appended")?;
    let ground = Ground::on_sqlite(&plan, &part.place).await?;
    let append = each(ground.put(invoices, IN_FLIGHT).await?, invoices);
    drop(ground);
    let of_append = part.end()?;

    let part = begin("in the views")?;
    let kept = Kept::filled(invoices, &part.place).await?;
    let (project, report) = (each(kept.took, kept.events), each(aging(&kept).await?, kept.invoices()));
    kept.stop().await;
    let of_views = part.end()?;

    let part = begin("due at one moment")?;
    let payers = (invoices / books::TOGETHER).max(1);
    let fired = timers::fire(payers, &timers::embedded(&part.place)?).await?;
    part.end()?;
    let megabytes = [of_append, of_views, fired.to_enrol_megabytes, fired.megabytes].into_iter().fold(0.0, f64::max);
    Ok(Costs { of_parts: [append, project, report, each(fired.took, payers)], megabytes })
}

/// A part that is measured, in a directory of its own.
struct Part {
    place: PathBuf,
}

impl Part {
    fn begin(place: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(place).with_context(|| format!("{} cannot be made", place.display()))?;
        machine::forget_peak();
        Ok(Self { place: place.to_owned() })
    }

    /// Removes what it stored: the most memory that it took.
    fn end(self) -> anyhow::Result<f64> {
        fs::remove_dir_all(&self.place).with_context(|| format!("{} cannot be removed", self.place.display()))?;
        machine::megabytes("self", "VmHWM")
    }
}

/// Microseconds of each item.
fn each(took: Duration, items: u64) -> f64 {
    took.as_secs_f64() * 1_000_000.0 / items.max(1) as f64
}

/// How long aging of a past day takes.
async fn aging(kept: &Kept) -> anyhow::Result<Duration> {
    let day = books::day(70);
    let (expected, mut seconds) = (books::open_on(kept.invoices(), day), Vec::new());
    for _ in 0..REPORTS {
        let watch = progress::stopwatch();
        kept.aging(day, expected).await?;
        seconds.push(watch().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(load::median(&seconds)))
}
