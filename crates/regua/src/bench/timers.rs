//! Timers that are all due at one moment: decided, merged into one reminder a payer, appended.

use super::{
    Figure, Plan,
    append::Ground,
    books::{self, TOGETHER},
    kept::{look_again, offer, wait_until_read},
    load::{self, per_second},
    machine, postgres, tell,
};
use crate::{
    progress,
    settings::{Mode, Settings},
    system,
};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use eventlog::{Activity, Clock, Log, Shards};
use host::{Process, Service, clock::VirtualClock, config::Storage};
use sql::{Db, Durability};
use std::{path::Path, sync::Arc, time::Duration};

/// As many payers as the timer loop wakes together.
const IN_FLIGHT: usize = 256;
/// A loop that wakes nobody for so long never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// The engine in files of a directory, beside appends to such a file.
pub async fn on_sqlite(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::on_sqlite(plan, place).await?;
    let names = ("timers", "timers/memory", "append_sqlite in the same run");
    beside_appends(plan, &ground, names, |round| embedded(&place.join(format!("due{round}")))).await
}

/// The engine in schemas of a bench on PostgreSQL, which are removed, beside appends to another one.
pub async fn on_postgres(plan: &Plan, storage: &Storage, place: &Path) -> anyhow::Result<Vec<Figure>> {
    postgres::clear(storage).await?;
    let ground = Ground::on_postgres(plan, storage).await?;
    let names = ("timers_postgres", "timers_postgres/memory", "append_postgres in the same run");
    let in_schemas = |round| {
        let settings = embedded(&place.join(format!("due{round}")))?;
        let prefix = postgres::schema(storage, &format!("due{round}_"));
        Ok(Settings { storage: Storage { prefix, directory: settings.storage.directory, ..storage.clone() }, ..settings })
    };
    let figures = beside_appends(plan, &ground, names, in_schemas).await?;
    drop(ground);
    postgres::clear(storage).await?;
    Ok(figures)
}

/// Payers a second, and the most memory that it took.
async fn beside_appends(
    plan: &Plan,
    ground: &Ground,
    (name, of_memory, reference_name): (&str, &str, &'static str),
    settings_of: impl Fn(usize) -> anyhow::Result<Settings>,
) -> anyhow::Result<Vec<Figure>> {
    let payers = (plan.invoices / TOGETHER).max(1);
    let (mut path, mut memory, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        tell(name, round, plan);
        let fired = fire(payers, &settings_of(round)?).await?;
        path.push(per_second(payers, fired.took));
        memory.push(fired.megabytes);
        reference.push(ground.path(IN_FLIGHT, plan).await?.rate());
    }
    Ok(vec![
        Figure::rate(name.to_owned(), "payers/s", &path, (reference_name, &reference)).with_goal(Some(0.5)),
        Figure::cost(of_memory, "MB", load::median(&memory), None),
    ])
}

/// Settings of an engine whose data, and the facts that it takes in, are in a directory. Errors: the defaults cannot be read.
pub fn embedded(directory: &Path) -> anyhow::Result<Settings> {
    let mut settings = Settings::load(None)?.on_free_ports();
    settings.storage.directory = directory.to_owned();
    Ok(settings)
}

/// What firing came to.
pub struct Fired {
    /// From the moment until no timer was due any more.
    pub took: Duration,
    /// The most memory of this process meanwhile.
    pub megabytes: f64,
    /// The most while the payers were taken in.
    pub to_enrol_megabytes: f64,
}

/// Lets the engine take in so many payers with two invoices each, moves its clock to the opening of the window of their first step, and
/// waits until everybody was woken. Errors: a payer has no reminder.
pub async fn fire(payers: u64, settings: &Settings) -> anyhow::Result<Fired> {
    let place = &settings.storage.directory;
    std::fs::create_dir_all(place).with_context(|| format!("{} cannot be made", place.display()))?;
    let activity = Activity::new();
    let begun = books::day(165).and_hms_opt(12, 0, 0).context("no such moment")?.and_utc();
    let clock = VirtualClock::new(begun, activity.clone());
    let process = system::process(settings, Mode::Live, Arc::clone(&clock) as Arc<dyn Clock>, activity);
    let engine = dunning_engine::NAME;
    let service = system::start_service(engine, settings, Mode::Live, &process, system::owner_url(settings)).await?;
    enrol(payers, place, &process, &service).await?;

    let log = service.environment().log.clone();
    service.pause_timers();
    // Whoever is due was taken in long ago: the clock is not moved past what the views have yet to show.
    wait_until_read(&service, dunning_engine::TOPIC, &log).await?;
    let moment = log.timers(&Shards::All, 1).await?.first().context("no timer")?.due_at;
    clock.advance_to(moment);
    let due = log.timers_due().await?;
    ensure!(due == payers * TOGETHER, "{due} timers are due, should be {}", payers * TOGETHER);
    let to_enrol_megabytes = machine::megabytes("self", "VmHWM")?;
    machine::forget_peak();
    let (watch, all_woken) = (progress::stopwatch(), log.known_head() + payers);
    service.resume_timers();
    wait_until_fired(&log, moment, all_woken).await?;
    let fired = Fired { took: watch(), megabytes: machine::megabytes("self", "VmHWM")?, to_enrol_megabytes };

    let db = host::environment::open_database(engine, &settings.storage, Durability::Full).await?;
    let sql = "SELECT COUNT(*) AS stored, COUNT(DISTINCT stream) AS reminded FROM events WHERE event_type = 'ReminderDue'";
    let rows = db.query(sql, &[]).await?;
    let row = rows.first().context("no count")?;
    let (stored, reminded) = (u64::try_from(row.int("stored")?)?, u64::try_from(row.int("reminded")?)?);
    ensure!((stored, reminded) == (payers, payers), "{payers} payers were woken, and {reminded} have {stored} reminders");
    process.stop.cancel();
    service.stop().await;
    Ok(fired)
}

async fn enrol(payers: u64, place: &Path, process: &Process, service: &Service) -> anyhow::Result<()> {
    let db = Db::open_sqlite(&place.join("facts.sqlite"), Durability::Throwaway).await?;
    let facts = Log::open(db, Arc::clone(&process.clock), Arc::clone(&process.ids)).await?;
    books::append(&facts, 0..payers, books::together).await?;
    offer(process, &facts).await?;
    wait_until_read(service, invoice::TOPIC, &facts).await
}

/// Waits until no timer is due at a moment any more; the log ends at `all_woken` or after it then, since each wake has an event, and until
/// it does nobody asks the database, which has other work. Errors: the loop does not go on.
async fn wait_until_fired(log: &Log, moment: DateTime<Utc>, all_woken: u64) -> anyhow::Result<()> {
    let watch = progress::stopwatch();
    let (mut head, mut moved) = (log.known_head(), Duration::ZERO);
    while log.known_head() < all_woken || log.timers(&Shards::All, 1).await?.first().is_some_and(|timer| timer.due_at <= moment) {
        let known = log.known_head();
        if known > head {
            (head, moved) = (known, watch());
        }
        ensure!(watch().saturating_sub(moved) < PATIENCE, "timers are due and nobody is woken");
        look_again(watch()).await;
    }
    Ok(())
}
