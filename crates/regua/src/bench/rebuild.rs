//! Views built again from the archive while new facts come in, beside reading and decoding the same events.

use super::{
    Figure, Plan,
    kept::{Kept, LOOK},
    load::per_second,
    machine, tell,
};
use crate::progress;
use anyhow::Context;
use contracts::invoice::v1 as proto;
use eventlog::Recorded;
use prost::Message;
use std::{fs, hint::black_box, path::Path, time::Duration};
use tokio_util::sync::CancellationToken;

/// The views over the invoice service's topic.
const VIEWS: [&str; 2] = ["reporting-receivables", "reporting-payments"];
/// Events read at a time: what the goal is beside.
const PAGE: usize = 1000;
/// How often a payer's facts arrive meanwhile, 16 at a time.
const ARRIVAL: Duration = Duration::from_millis(20);
/// The longest that readers may see nothing new while there is some, milliseconds.
const PAUSE_MS: f64 = 100.0;

/// Events a second, and the longest pause of the live views; and once more, in one round, where a larger portfolio is asked for.
pub async fn measure(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut figures = of_size(plan, ("rebuild", "rebuild/pause"), place).await?;
    if let Some(invoices) = plan.large_rebuild {
        let place = place.join("large");
        fs::create_dir_all(&place)?;
        figures.extend(of_size(&Plan { invoices, ..plan.once() }, ("rebuild/large", "rebuild/large/pause"), &place).await?);
    }
    Ok(figures)
}

async fn of_size(plan: &Plan, (name, of_pause): (&str, &str), place: &Path) -> anyhow::Result<Vec<Figure>> {
    let kept = Kept::filled(plan.invoices, place).await?;
    let (mut path, mut reference, mut longest) = (Vec::new(), Vec::new(), Duration::ZERO);
    for round in 0..plan.rounds {
        tell(&format!("{name}, {} invoices", plan.invoices), round, plan);
        // The portfolio's log, and what was read of it.
        machine::settle(place).await?;
        let (rate, pause) = under_traffic(&kept).await?;
        path.push(rate);
        longest = longest.max(pause);
        kept.verify().await?;
        reference.push(read(&kept).await?);
    }
    kept.stop().await;
    let reference = ("reading and decoding the same events", reference.as_slice());
    Ok(vec![
        Figure::rate(name.to_owned(), "events/s", &path, reference).with_goal(Some(0.5)),
        // Not the median: a pause that comes once is a pause.
        Figure::cost(of_pause, "ms", longest.as_secs_f64() * 1000.0, Some(PAUSE_MS)),
    ])
}

/// Builds every view again while facts arrive: events a second, and the longest pause.
async fn under_traffic(kept: &Kept) -> anyhow::Result<(f64, Duration)> {
    let (set, over) = (kept.projections()?.clone(), CancellationToken::new());
    let ends = over.clone().drop_guard();
    // In a task of its own: whoever looks for pauses must not wait for it.
    let built = tokio::spawn(async move {
        let (_ends, watch, mut events) = (ends, progress::stopwatch(), 0);
        for view in VIEWS {
            events += set.rebuild(view).await?.messages;
        }
        let rate = per_second(events, watch());
        // What the builds replaced goes while facts arrive too, and whoever looks for pauses is still there.
        for view in VIEWS {
            set.remove_replaced(view).await?;
        }
        Ok::<_, anyhow::Error>(rate)
    });
    let (arrived, pause, built) = tokio::join!(arrivals(kept, &over), longest_pause(kept, &over), built);
    arrived?;
    Ok((built.context("the build panicked")??, pause))
}

async fn arrivals(kept: &Kept, over: &CancellationToken) -> anyhow::Result<()> {
    let mut due = tokio::time::interval(ARRIVAL);
    while !over.is_cancelled() {
        due.tick().await;
        kept.one_more().await?;
    }
    Ok(())
}

/// The longest time in which facts were there and the live views did not come nearer to them.
async fn longest_pause(kept: &Kept, over: &CancellationToken) -> Duration {
    let watch = progress::stopwatch();
    let (mut read, mut since, mut longest) = (kept.read(), Duration::ZERO, Duration::ZERO);
    while !over.is_cancelled() {
        let (next, now) = (kept.read(), watch());
        let is_behind = i64::try_from(kept.log().known_head()).is_ok_and(|head| next < head);
        if next > read || !is_behind {
            (read, since) = (next, now);
        }
        longest = longest.max(now.saturating_sub(since));
        tokio::time::sleep(LOOK).await;
    }
    longest
}

/// Reads the whole log from its file, as a build reads the archive, and decodes it: events a second.
async fn read(kept: &Kept) -> anyhow::Result<f64> {
    let (log, watch, mut after, mut events) = (kept.log_anew().await?, progress::stopwatch(), 0, 0);
    loop {
        let page = log.read(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(per_second(events, watch())) };
        (after, events) = (last.position, events + page.len() as u64);
        page.iter().try_for_each(decode)?;
    }
}

fn decode(event: &Recorded) -> anyhow::Result<()> {
    let payload = event.payload.as_slice();
    match event.event_type.as_str() {
        "CustomerRegistered" => _ = black_box(proto::CustomerRegistered::decode(payload)?),
        "InvoiceIssued" => _ = black_box(proto::InvoiceIssued::decode(payload)?),
        "PaymentReceived" => _ = black_box(proto::PaymentReceived::decode(payload)?),
        other => anyhow::bail!("nobody appended a {other}"),
    }
    Ok(())
}
