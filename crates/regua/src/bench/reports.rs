//! Reports as of today and of a past day, and one payer's, as analysts ask for them: one question after the other, over a connection.

use super::{Figure, Plan, books, kept::Kept, load, tell};
use kernel::NaiveDate;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// After everything that happens.
const TODAY: i64 = 180;
/// In the middle of what happens.
const PAST: i64 = 70;
/// A report of the whole portfolio takes at most one and a half times as long as the scan.
const GOAL: f64 = 1.0 / 1.5;
/// What is asked for by a key, milliseconds.
const KEYED_MS: f64 = 20.0;
/// Payers are asked about in an order that goes through all of them and stays nowhere.
const STRIDE: u64 = 7919;

/// A question about the whole portfolio.
#[derive(Clone, Copy)]
enum Whole {
    Aging,
    Delinquency,
}

/// All of them.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let kept = Kept::filled(plan.invoices, place).await?;
    let (today, past) = (books::day(TODAY), books::day(PAST));
    let figures = vec![
        whole(plan, &kept, ("report/aging_today", Whole::Aging), today).await?,
        whole(plan, &kept, ("report/aging_past", Whole::Aging), past).await?,
        whole(plan, &kept, ("report/delinquency_100", Whole::Delinquency), today).await?,
        one_payer(plan, &kept, today).await?,
    ];
    kept.stop().await;
    Ok(figures)
}

async fn whole(plan: &Plan, kept: &Kept, (name, question): (&str, Whole), day: NaiveDate) -> anyhow::Result<Figure> {
    let expected = books::open_on(kept.invoices(), day);
    let (mut path, mut reference) = (load::Rounds::default(), load::Rounds::default());
    for round in 0..plan.rounds {
        tell(name, round, plan);
        let ask = || async {
            match question {
                Whole::Aging => kept.aging(day, expected).await,
                Whole::Delinquency => kept.delinquency(day).await,
            }
        };
        path.push(&load::closed(1, plan.round, ask).await?.latency);
        reference.push(&load::closed(1, plan.round, || kept.scan(day, expected)).await?.latency);
    }
    let figure = Figure::less(name, "ms", path.slow(), ("a plain scan of the same table", reference.slow()));
    Ok(figure.with_goal(Some(GOAL)).with_latency(path.medians()))
}

async fn one_payer(plan: &Plan, kept: &Kept, day: NaiveDate) -> anyhow::Result<Figure> {
    let (mut path, next) = (load::Rounds::default(), AtomicU64::new(0));
    for round in 0..plan.rounds {
        tell("report/payer", round, plan);
        path.push(&load::closed(1, plan.round, || kept.receivables(next.fetch_add(STRIDE, Ordering::Relaxed), day)).await?.latency);
    }
    let (middle, slow) = path.medians();
    Ok(Figure::cost("report/payer", "ms", slow, Some(KEYED_MS)).with_latency((middle, slow)))
}
