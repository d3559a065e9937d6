//! What an item costs in a large portfolio beside a small one: appended, projected, reported, woken.

use super::{Figure, Plan, append::Ground, books, books::EACH, kept::Kept, load, tell, timers};
use crate::progress;
use anyhow::Context;
use std::{fs, path::Path, time::Duration};

/// Commands that wait for their answer at a time.
const IN_FLIGHT: usize = 512;
/// Reports of which the median counts.
const REPORTS: usize = 5;
/// An item of the large one costs at most so many times that of the small one.
const MOST: f64 = 1.3;
/// What an item is, in the order of [`costs`].
const PARTS: [(&str, &str); 4] =
    [("growth/append", "us/invoice"), ("growth/project", "us/event"), ("growth/report", "us/invoice"), ("growth/timers", "us/payer")];

/// Costs of an item in microseconds, one for each of [`PARTS`].
type Costs = [f64; PARTS.len()];

/// Each part at both sizes.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let small = (plan.invoices / plan.growth).max(EACH);
    let (mut of_small, mut of_large): (Vec<Costs>, Vec<Costs>) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("growth", round, plan);
        of_small.push(costs(plan, small, &place.join("small")).await?);
        of_large.push(costs(plan, plan.invoices.max(EACH), &place.join("large")).await?);
    }
    let figure = |(part, (name, unit)): (usize, (&str, &'static str))| {
        let of = |all: &[Costs]| all.iter().filter_map(|costs| costs.get(part).copied()).collect::<Vec<f64>>();
        let figure = Figure::less(name, unit, &of(&of_large), ("the same in a small portfolio", &of(&of_small)));
        figure.with_goal(Some(1.0 / MOST))
    };
    Ok(PARTS.into_iter().enumerate().map(figure).collect())
}

/// Measures every part at one size, in a directory that is removed.
async fn costs(plan: &Plan, invoices: u64, place: &Path) -> anyhow::Result<Costs> {
    fs::create_dir_all(place).with_context(|| format!("{} cannot be made", place.display()))?;
    let plan = Plan { payers: (invoices / EACH).max(1), ..plan.clone() };
    let ground = Ground::on_sqlite(&plan, place).await?;
    let append = each(ground.put(invoices, IN_FLIGHT).await?, invoices);
    drop(ground);
    let kept = Kept::filled(invoices, place).await?;
    let (project, report) = (each(kept.took, kept.events), each(aging(&kept).await?, kept.invoices()));
    kept.stop().await;
    let payers = (invoices / books::TOGETHER).max(1);
    let timers = each(timers::fire(payers, &place.join("due")).await?.took, payers);
    fs::remove_dir_all(place).with_context(|| format!("{} cannot be removed", place.display()))?;
    Ok([append, project, report, timers])
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
