//! Load, and how long each piece of it took.

use crate::progress;
use futures::{StreamExt, future, stream::FuturesUnordered};
use hdrhistogram::Histogram;
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

/// How often an open loop looks at what is due.
const TICK: Duration = Duration::from_millis(1);

/// Significant figures of a latency.
const FIGURES: u8 = 3;
/// What takes longer is told as this.
const LONGEST: Duration = Duration::from_secs(3600);

/// What a load came to.
pub struct Load {
    /// Pieces that were acknowledged.
    pub done: u64,
    /// From the first piece's start to the last one's end.
    pub took: Duration,
    /// How long each piece took.
    pub latency: Latencies,
}

impl Load {
    /// Pieces a second.
    pub fn rate(&self) -> f64 {
        per_second(self.done, self.took)
    }
}

/// Pieces a second; 0 where no time went by.
pub fn per_second(done: u64, took: Duration) -> f64 {
    if took.is_zero() { 0.0 } else { done as f64 / took.as_secs_f64() }
}

/// Each of so many callers sends its next piece when the one before is acknowledged, for so long: what a store can take, and no
/// statement about waiting, because a slow answer keeps the next question from being asked.
///
/// # Errors
/// The first error of a piece.
pub async fn closed<F, P>(in_flight: usize, long: Duration, piece: F) -> anyhow::Result<Load>
where
    F: Fn() -> P,
    P: Future<Output = anyhow::Result<()>>,
{
    let watch = progress::stopwatch();
    let (done, latency) = (Cell::new(0), RefCell::new(Latencies::default()));
    let caller = || async {
        // Every caller sends at least one piece, however short the round.
        loop {
            let from = watch();
            piece().await?;
            record(&latency, watch().saturating_sub(from));
            done.set(done.get() + 1);
            if watch() >= long {
                return Ok::<_, anyhow::Error>(());
            }
        }
    };
    future::try_join_all((0..in_flight).map(|_| caller())).await?;
    Ok(Load { done: done.get(), took: watch(), latency: latency.into_inner() })
}

/// Pieces are sent at a steady rate, whatever comes back; each one's latency counts from the moment at which it was to be sent, so a
/// pause is felt by all who would have come meanwhile.
///
/// # Errors
/// The first error of a piece.
pub async fn open<F, P>(rate: f64, long: Duration, piece: F) -> anyhow::Result<Load>
where
    F: Fn() -> P,
    P: Future<Output = anyhow::Result<()>>,
{
    let count = ((rate * long.as_secs_f64()) as u64).max(1);
    let watch = progress::stopwatch();
    let (mut sent, mut done, latency) = (0, 0, RefCell::new(Latencies::default()));
    let mut pending = FuturesUnordered::new();
    let mut tick = tokio::time::interval(TICK);
    while done < count {
        tokio::select! {
            Some(outcome) = pending.next(), if !pending.is_empty() => {
                let planned: anyhow::Result<Duration> = outcome;
                record(&latency, watch().saturating_sub(planned?));
                done += 1;
            }
            _ = tick.tick(), if sent < count => {
                let due = ((rate * watch().as_secs_f64()) as u64 + 1).min(count);
                for number in sent..due {
                    let planned = Duration::from_secs_f64(number as f64 / rate);
                    let answer = piece();
                    pending.push(async move { answer.await.map(|()| planned) });
                }
                sent = sent.max(due);
            }
        }
    }
    Ok(Load { done, took: watch(), latency: latency.into_inner() })
}

fn record(latency: &RefCell<Latencies>, took: Duration) {
    latency.borrow_mut().record(took);
}

/// Every latency of a round, to a thousandth of itself and in the same memory however many there are.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, FIGURES).expect("the library has such a range"))
    }
}

impl Latencies {
    /// Takes one in.
    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The smallest latency that so large a share does not exceed, in milliseconds; zero of none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1e6
    }
}

/// What latencies were in each round, milliseconds.
#[derive(Default)]
pub struct Rounds {
    middle: Vec<f64>,
    slow: Vec<f64>,
}

impl Rounds {
    /// Takes a round in.
    pub fn push(&mut self, round: &Latencies) {
        self.middle.push(round.quantile_ms(0.5));
        self.slow.push(round.quantile_ms(0.99));
    }

    /// The 99th percentile of each round.
    pub fn slow(&self) -> &[f64] {
        &self.slow
    }

    /// Of all rounds the medians of the median and of the 99th percentile.
    pub fn medians(&self) -> (f64, f64) {
        (median(&self.middle), median(&self.slow))
    }
}

/// The middle one; of an even number the lower of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        assert!((median(&[10.0, 0.1, 11.0]) - 10.0).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_quantile_is_near_a_latency_that_was_there() {
        let mut latencies = Latencies::default();
        (1..=200).rev().for_each(|ms| latencies.record(Duration::from_millis(ms)));
        let is_near = |share: f64, ms: f64| (latencies.quantile_ms(share) - ms).abs() <= ms / 1000.0;
        assert!(is_near(0.5, 100.0) && is_near(0.99, 198.0) && is_near(1.0, 200.0), "{}", latencies.quantile_ms(0.99));
        assert!(Latencies::default().quantile_ms(0.99).abs() < f64::EPSILON);
    }

    #[test]
    fn a_slow_round_is_one_of_three() {
        let mut rounds = Rounds::default();
        for ms in [1, 500, 2] {
            let mut round = Latencies::default();
            round.record(Duration::from_millis(ms));
            rounds.push(&round);
        }
        let (middle, slow) = rounds.medians();
        assert!((middle - 2.0).abs() < 0.01 && (slow - 2.0).abs() < 0.01, "{middle} {slow}");
    }

    #[tokio::test]
    async fn every_caller_is_counted_however_short_the_round() {
        let load = closed(7, Duration::ZERO, || async { Ok(()) }).await.unwrap();
        assert_eq!(load.done, 7);
    }

    #[tokio::test]
    async fn an_open_loop_sends_all_that_its_rate_says_and_fails_with_a_piece() {
        let load = open(1000.0, Duration::from_millis(20), || async { Ok(()) }).await.unwrap();
        assert_eq!(load.done, 20);
        assert!(open(1000.0, Duration::from_millis(20), || async { anyhow::bail!("no") }).await.is_err());
    }
}
