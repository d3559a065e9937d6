//! A portfolio through the whole system on a virtual clock: same services, same gRPC, same log, same bus.
//!
//! On each day at 08:00 of the policy's zone the invoices issued that day are issued and the payments of that day recorded, both in file
//! order; until 24:00 the engine works as it would live. The clock jumps from event to event and moves only when nothing is in hand.

mod clients;
mod facts;
mod ground;
pub mod report;
mod timeline;

pub use report::Report;
pub use timeline::Outage;

use crate::{
    portfolio::{Columns, Spool, read::Rows},
    settings::{self, Mode, Settings},
    system::System,
};
use anyhow::Context;
use chrono::NaiveDate;
use clients::Clients;
use contracts::invoice::v1::CollectionAccount;
use eventlog::Activity;
use ground::Ground;
use host::clock::VirtualClock;
use kernel::Zone;
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What to replay.
pub struct Replay {
    /// The portfolio.
    pub portfolio: PathBuf,
    /// How its columns are named.
    pub columns: Columns,
    /// The policy, TOML.
    pub policy: String,
    /// The last day.
    pub until: NaiveDate,
    /// Days on which the engine and notification do nothing.
    pub outage: Option<Outage>,
    /// Stop at the first wrong row.
    pub strict: bool,
    /// Build every view again from its events at the end, and compare.
    pub verify: bool,
    /// Where its invoices are paid, and by which charges; none = invoices without instruments and charges.
    pub account: Option<CollectionAccount>,
    /// What the installation is told.
    pub settings: Settings,
    /// Whether schemas and topics of a distributed run stay.
    pub keep: bool,
    /// Cancelled when it is to end before its time.
    pub stop: CancellationToken,
    /// Wall time, for the report's `run`: read by the caller, who owns the clock.
    pub elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Told how far it is.
    pub progress: Box<dyn Fn(Progress) + Send + Sync>,
}

/// Rows whose fault is told where no row is good.
const TOLD_FAULTS: usize = 20;

/// Why nothing can be played, for a person.
fn no_good_row(spool: &Spool) -> String {
    let told: String = spool.faults.iter().take(TOLD_FAULTS).map(|fault| format!("\n  refused {fault}")).collect();
    let of_amounts = spool.faults.iter().any(|fault| ["amount", "paid_amount"].contains(&fault.column));
    let hint = if of_amounts { "\namounts as 1.234,56 need `decimal = \",\"` in the file of --columns" } else { "" };
    format!("the portfolio has no good row: {} refused{told}{hint}", spool.refused_rows)
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Rows read.
    Reading(u64),
    /// The day being played, of the first and the last.
    Day {
        /// First day.
        first: NaiveDate,
        /// This day.
        day: NaiveDate,
        /// Last day.
        until: NaiveDate,
    },
    /// Every view is being built again from its events.
    Verifying,
    /// The report is there.
    Done,
}

impl Replay {
    /// Plays it. `work` is a directory for the sorted portfolio. Errors: a file that cannot be read, a policy with faults, storage or
    /// bus that cannot be had, a fact that the services refuse.
    pub async fn run(self, work: &Path) -> anyhow::Result<(Report, Vec<crate::portfolio::RowFault>)> {
        let policy =
            dunning_engine::policy_toml::load(&self.policy).map_err(|faults| anyhow::anyhow!("{}", settings::policy_faults(&faults)))?;
        let zone = policy.time_zone();
        let file = File::open(&self.portfolio).with_context(|| format!("{} cannot be read", self.portfolio.display()))?;
        let rows = Rows::new(file, self.columns.clone())?;
        let spool = Spool::fill(rows, work, self.strict, |count| (self.progress)(Progress::Reading(count))).await?;
        let first = spool.first_day.with_context(|| no_good_row(&spool))?;
        anyhow::ensure!(first <= self.until, "the first invoice is issued on {first}, after --until {}", self.until);

        let mut settings = self.settings.clone();
        let ground = Ground::take(&mut settings, self.keep).await?;
        // Whatever happens, and whoever asks for the end: the services end in order, and what was made for them goes.
        let report = self.on(&settings, &spool, (zone, first), policy.id().as_str()).await;
        let cleared = ground.clear().await;
        let report = report?;
        cleared.context("what the replay made on the servers could not be removed")?;
        Ok((report, spool.faults))
    }

    /// Starts the services, plays, and ends them.
    async fn on(&self, settings: &Settings, spool: &Spool, start: (Zone, NaiveDate), policy_id: &str) -> anyhow::Result<Report> {
        let (zone, first) = start;
        let activity = Activity::new();
        // Time waits, so nobody is kept waiting.
        activity.hold_consumers();
        let clock = VirtualClock::new(zone.midnight(first), activity.clone());
        let checked = Arc::clone(&clock);
        let _sleepers = activity.register("clock", Box::new(move || checked.is_idle()));
        let system = System::start(settings, Mode::Replay, Arc::clone(&clock) as Arc<dyn eventlog::Clock>, activity.clone()).await?;
        let work = async {
            self.play(&system, spool, start, (&clock, &activity)).await?;
            self.report(&system, spool, first, policy_id).await
        };
        let report = tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(anyhow::anyhow!("stopped before its end")),
            report = work => report,
        };
        system.stop().await;
        report
    }

    async fn play(
        &self,
        system: &System,
        spool: &Spool,
        start: (Zone, NaiveDate),
        time: (&Arc<VirtualClock>, &Activity),
    ) -> anyhow::Result<()> {
        let (clock, activity) = time;
        let (zone, first) = start;
        let mut clients = Clients::connect(system).await?;
        clients.publish_policy(&self.policy).await?;
        if let Some(account) = &self.account {
            clients.register_account(account).await?;
        }
        let mut timeline = timeline::Timeline::new(zone, first, self.until, self.outage);
        // The next deadline is read while all is at rest: a timer loop that looks for what others stored has no sleeper meanwhile.
        while let Some(next) = timeline.next(activity.settled_with(|| clock.next_deadline()).await, spool).await? {
            (self.progress)(Progress::Day { first, day: zone.day_of(next.at), until: self.until });
            match next.what {
                timeline::What::OutageBegins => system.pause_engine(),
                timeline::What::OutageEnds => {
                    clock.advance_to(next.at);
                    system.resume_engine();
                }
                timeline::What::Facts(day) => {
                    // At one instant facts come before what the engine does; a loop that was about to look has looked.
                    system.hold_timers();
                    activity.settled().await;
                    clock.advance_to(next.at);
                    facts::feed(&mut clients, spool, day).await?;
                    activity.settled().await;
                    if timeline.is_working() {
                        system.release_timers();
                    }
                }
                timeline::What::FirstMorning => {
                    clock.advance_to(next.at);
                    system.release_timers();
                }
                timeline::What::Deadline => clock.advance_to(next.at),
            }
        }
        clock.advance_to(zone.midnight(kernel::calendar::next(self.until)));
        activity.at_rest().await;
        Ok(())
    }

    async fn report(&self, system: &System, spool: &Spool, first: NaiveDate, policy_id: &str) -> anyhow::Result<Report> {
        let mut clients = Clients::connect(system).await?;
        let mut report = report::collect(&mut clients, (first, self.until), policy_id).await?;
        report.portfolio.refused_rows = spool.refused_rows;
        report.alarms.extend(system.alarms());
        if self.verify {
            (self.progress)(Progress::Verifying);
            report.projections = system.verify_projections().await?;
        }
        report
            .alarms
            .extend(report.projections.iter().filter(|p| p.live_hash != p.rebuilt_hash).map(|p| format!("projection_differs: {}", p.name)));
        (self.progress)(Progress::Done);
        report.run = report::Run {
            mode: self.settings.mode_name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            wall_seconds: (self.elapsed)().as_secs(),
        };
        Ok(report)
    }
}
