//! A portfolio through the whole system on a virtual clock, beside the same number of facts straight to a writer.

use super::{Figure, Plan, append::Ground, load::per_second, tell};
use crate::{
    demo::Portfolio,
    portfolio::Columns,
    progress,
    replay::{Progress, Replay},
    settings::Settings,
};
use anyhow::{Context, ensure};
use host::launch;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Invoices of one payer.
const EACH: u32 = 10;
/// A bulk stream of the replay keeps as many commands waiting.
const IN_FLIGHT: usize = 512;

/// Facts a second: payers, invoices and payments, with all reminders that follow from them.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let portfolio = Portfolio { customers: (plan.portfolio / EACH).max(1), invoices: plan.portfolio, months: plan.months, seed: 2026 };
    let file = place.join("portfolio.csv");
    portfolio.write(&file)?;
    let ground = Ground::on_sqlite(plan, place).await?;
    let (mut path, mut reference) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell("replay", round, plan);
        path.push(play(&portfolio, &file, &place.join(format!("round{round}"))).await?);
        reference.push(ground.path(IN_FLIGHT, plan).await?.rate());
    }
    let reference = ("append_sqlite in the same run", reference.as_slice());
    Ok(vec![Figure::rate("replay".to_owned(), "facts/s", &path, reference).with_goal(Some(0.5))])
}

/// Plays it once on storage that waits for the disk. Errors: a fact is refused, or is not in the report.
async fn play(portfolio: &Portfolio, file: &Path, work: &Path) -> anyhow::Result<f64> {
    std::fs::create_dir_all(work).with_context(|| format!("{} cannot be made", work.display()))?;
    let mut settings = Settings::load(None)?.on_free_ports();
    settings.storage.directory = work.join("data");
    let begun_and_ended = Arc::new(Mutex::new((None, None)));
    let (noted, watch, shown) = (Arc::clone(&begun_and_ended), progress::stopwatch(), progress::replay_bar());
    let replay = Replay {
        portfolio: file.to_owned(),
        columns: Columns::default(),
        policy: dunning_engine::DEFAULT_POLICY.to_owned(),
        until: portfolio.until(),
        outage: None,
        strict: true,
        verify: true,
        account: None,
        settings,
        keep: false,
        stop: launch::stopped_by_signal()?,
        elapsed: Box::new(progress::stopwatch()),
        progress: Box::new(move |progress| {
            note(&mut noted.lock().unwrap_or_else(PoisonError::into_inner), progress, watch());
            shown(progress);
        }),
    };
    let (report, _) = replay.run(work).await?;
    ensure!(report.portfolio.invoices == i64::from(portfolio.invoices), "{} invoices are in the report", report.portfolio.invoices);
    let differs = report.projections.iter().find(|view| view.live_hash != view.rebuilt_hash);
    ensure!(differs.is_none(), "a view differs from the one built again");
    let facts = u64::try_from(report.portfolio.invoices + report.portfolio.payments + report.portfolio.customers)?;
    let noted = *begun_and_ended.lock().unwrap_or_else(PoisonError::into_inner);
    let (begun, ended) = (noted.0.unwrap_or_default(), noted.1.unwrap_or_default());
    Ok(per_second(facts, ended.saturating_sub(begun)))
}

/// Reading the file and building every view again are no part of playing.
fn note(noted: &mut (Option<Duration>, Option<Duration>), progress: Progress, now: Duration) {
    match progress {
        Progress::Day { .. } => _ = noted.0.get_or_insert(now),
        Progress::Verifying => noted.1 = Some(now),
        Progress::Reading(_) | Progress::Done => {}
    }
}
