//! The relay: copies a service's log to its topic.
//!
//! The event table is the outbox. One relay per log is active, by a lease in the producer's database. It reads past its cursor,
//! publishes pipelined and in the order of the log, and its cursor moves to the highest position with everything before it
//! acknowledged. The cursor is stored with the lease's beats, so a successor repeats at most what was sent since; consumers drop it by
//! stream version. A producer that lost a message is thrown away and the relay starts again from what is published: in every partition
//! an event is preceded by all earlier ones of its streams, whoever sent them.

mod lease;
mod producer;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sql::{Db, SqlError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::activity::{Activity, Registration};
use crate::bus::{BusError, Kafka, Publish, outward};
use crate::consumer::schema;
use crate::event::Recorded;
use crate::log::{Log, LogError};

use lease::{BEATS, Candidate, Lease, STEPS_DOWN};
use producer::{IN_FLIGHT, Pipe, Progress};
use window::Window;

/// Events read and handed over at once, where so many wait. librdkafka sends what lies in the queue of a partition a millisecond after the first
/// of it came: a thousand at a time became many small requests, and the broker pays for each.
const PAGE: usize = 8_000;
/// How long the relay sends without a look at its lease: well inside [`BEATS`].
const BURST: Duration = Duration::from_millis(200);
/// How often a candidate looks whether it is its turn.
const CANDIDATE: Duration = Duration::from_millis(500);
/// How often the active relay looks for events that another process appended.
const LOOKS: Duration = Duration::from_millis(50);
/// How long a shutdown waits for acknowledgements.
const DRAIN: Duration = Duration::from_secs(5);

/// A relay as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayStatus {
    /// The topic it fills.
    pub topic: String,
    /// Whether this process holds the lease.
    pub active: bool,
    /// All events up to this position are in Kafka.
    pub published: u64,
    /// The highest position of the log that is known here.
    pub head: u64,
    /// Events sent and not yet acknowledged.
    pub in_flight: usize,
    /// Why it cannot go on now; None while it can, or while another process fills the topic.
    pub trouble: Option<String>,
}

/// A running relay. Keep the handle: dropping it does not stop the relay (the cancellation token does), but the barrier then does not
/// wait for it any more.
pub struct Relay {
    progress: Arc<Progress>,
    active: Arc<AtomicBool>,
    log: Log,
    task: JoinHandle<()>,
    _registration: Registration,
}

impl Relay {
    /// Creates the topic where it does not exist and starts to fill it.
    ///
    /// # Errors
    /// [`BusError`] when the cluster cannot be reached, the topic does not fit, or the log has no database.
    pub async fn start(
        topic: &str,
        log: Log,
        publish: Arc<dyn Publish>,
        kafka: &Kafka,
        wiring: (&Activity, CancellationToken),
    ) -> Result<Relay, BusError> {
        let (activity, shutdown) = wiring;
        let db = log.db().cloned().ok_or_else(|| BusError::Kafka("a memory log cannot be relayed".to_string()))?;
        let database = |error: SqlError| BusError::Kafka(format!("cursor of the relay: {error}"));
        db.migrate(schema::MIGRATIONS).await.map_err(database)?;
        kafka.ensure_topic(topic).await?;
        let progress = Arc::new(Progress::new(topic.to_string(), kafka.clone(), activity.clone()));
        *progress.window() = Window::after(load_cursor(&db, topic).await.map_err(database)?);
        let registration = activity.register(format!("relay {topic}"), {
            let (progress, log) = (Arc::clone(&progress), log.clone());
            Box::new(move || progress.window().published() >= log.known_head())
        });
        let active = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            log: log.clone(),
            db,
            publish,
            kafka: kafka.clone(),
            progress: Arc::clone(&progress),
            active: Arc::clone(&active),
            shutdown,
        };
        let task = tokio::spawn(worker.run());
        Ok(Relay { progress, active, log, task, _registration: registration })
    }

    /// How it is doing.
    pub fn status(&self) -> RelayStatus {
        let window = self.progress.window();
        RelayStatus {
            topic: self.progress.topic.clone(),
            active: self.active.load(Ordering::Relaxed),
            published: window.published(),
            head: self.log.known_head(),
            in_flight: window.in_flight(),
            trouble: self.progress.trouble(),
        }
    }

    /// When the oldest event that Kafka does not have was recorded; None when it has all.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn oldest_unpublished(&self) -> Result<Option<DateTime<Utc>>, LogError> {
        let published = self.status().published;
        if published >= self.log.known_head() {
            return Ok(None);
        }
        Ok(self.log.read(published, 1).await?.first().map(|event| event.recorded_at))
    }

    /// Waits until it has stopped after its token was cancelled: cursor stored, lease given back.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "relay task ended badly");
        }
    }
}

/// Up to which position of a log its relays have filled the topic, as its database knows it; 0 where none ever ran.
///
/// # Errors
/// Any [`SqlError`], also where the tables of the relay are not there.
pub async fn published(db: &Db, topic: &str) -> Result<u64, SqlError> {
    load_cursor(db, topic).await
}

async fn load_cursor(db: &Db, topic: &str) -> Result<u64, SqlError> {
    let rows = db.query("SELECT position FROM relay_cursor WHERE topic = $1", &[topic.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int("position").map(i64::unsigned_abs))
}

struct Worker {
    log: Log,
    db: Db,
    publish: Arc<dyn Publish>,
    kafka: Kafka,
    progress: Arc<Progress>,
    active: Arc<AtomicBool>,
    shutdown: CancellationToken,
}

/// Why a relay stopped publishing.
enum Ended {
    Shutdown,
    LeaseLost,
    /// Start again with the same lease.
    Again(String),
}

impl Worker {
    async fn run(self) {
        let holder = format!("{}-{:p}", std::process::id(), Arc::as_ptr(&self.progress));
        let mut candidate = Candidate::new(self.db.clone(), format!("relay/{}", self.progress.topic), holder);
        while !self.shutdown.is_cancelled() {
            match candidate.try_take().await {
                Ok(Some(lease)) => self.hold(lease).await,
                Ok(None) => {
                    self.progress.note_trouble(None);
                    self.wait(CANDIDATE).await;
                }
                Err(error) => {
                    self.progress.note_trouble(Some(error.to_string()));
                    tracing::warn!(topic = self.progress.topic, %error, "lease of the relay cannot be read");
                    self.wait(CANDIDATE).await;
                }
            }
        }
    }

    /// Publishes for as long as the lease is ours.
    async fn hold(&self, lease: Lease) {
        tracing::info!(topic = self.progress.topic, epoch = lease.epoch(), "relay active");
        self.active.store(true, Ordering::Relaxed);
        let mut waits = crate::consumer::attempt::waits();
        loop {
            match self.publish_all(&lease).await {
                Ok(Ended::Shutdown) => {
                    if let Err(error) = lease.release(&self.db).await {
                        tracing::warn!(topic = self.progress.topic, %error, "lease not given back, it will expire");
                    }
                    break;
                }
                Ok(Ended::LeaseLost) => break,
                Ok(Ended::Again(reason)) => {
                    tracing::warn!(topic = self.progress.topic, reason, "relay starts again from its cursor");
                    self.progress.note_trouble(Some(reason));
                    self.wait(waits.next().unwrap_or(CANDIDATE)).await;
                }
                Err(error) => {
                    tracing::warn!(topic = self.progress.topic, %error, "relay interrupted");
                    self.progress.note_trouble(Some(error.to_string()));
                    self.wait(waits.next().unwrap_or(CANDIDATE)).await;
                }
            }
            // A holder that could not beat meanwhile finds out in the next round.
        }
        self.active.store(false, Ordering::Relaxed);
    }

    /// One life of a producer.
    async fn publish_all(&self, lease: &Lease) -> Result<Ended, BusError> {
        let published = load_cursor(&self.db, &self.progress.topic).await.map_err(|error| BusError::Kafka(error.to_string()))?;
        let published = published.max(self.progress.window().published());
        *self.progress.window() = Window::after(published);
        let pipe = Pipe::open(&self.kafka, Arc::clone(&self.progress))?;
        let ended = self.pump(lease, &pipe).await;
        if matches!(ended, Ok(Ended::Shutdown)) {
            self.drain().await;
            if let Err(error) = self.beat(lease).await {
                tracing::warn!(topic = self.progress.topic, %error, "cursor not stored, its tail will be repeated");
            }
        }
        pipe.close().await;
        ended
    }

    async fn pump(&self, lease: &Lease, pipe: &Pipe) -> Result<Ended, BusError> {
        let mut heads = self.log.watch();
        let mut beats = tokio::time::interval(BEATS);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looks = tokio::time::interval(LOOKS);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let others_append = self.db.dialect() == sql::Dialect::Postgres;
        let mut last_beat = Instant::now();
        loop {
            if let Some(reason) = self.progress.window().failure() {
                return Ok(Ended::Again(reason.to_string()));
            }
            heads.borrow_and_update();
            let more = self.send_some(pipe).await?;
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(Ended::Shutdown),
                _ = beats.tick() => match self.beat(lease).await {
                    Ok(true) => last_beat = Instant::now(),
                    Ok(false) => return Ok(Ended::LeaseLost),
                    Err(error) if last_beat.elapsed() > STEPS_DOWN => {
                        tracing::warn!(topic = self.progress.topic, %error, "relay steps down");
                        return Ok(Ended::LeaseLost);
                    }
                    Err(error) => tracing::warn!(topic = self.progress.topic, %error, "lease of the relay not renewed"),
                },
                _ = heads.changed() => {}
                _ = looks.tick(), if others_append => self.look().await,
                () = self.progress.changed.notified() => {}
                () = std::future::ready(()), if more => {}
            }
        }
    }

    /// Sends what is there, up to the limit of events under way; true when it stopped before that, because the lease wants its beat.
    /// While a page is sent the next one is read, in a task of its own: making messages of a page keeps a core busy, and so does making events
    /// of rows.
    async fn send_some(&self, pipe: &Pipe) -> Result<bool, BusError> {
        let started = Instant::now();
        let sent = self.progress.window().sent();
        let mut page = self.page_after(sent).await?;
        while let Some(last) = page.last().map(|event| event.position) {
            let is_late = started.elapsed() > BURST;
            let next = async { if is_late { Ok(Vec::new()) } else { self.page_after(last).await } };
            let send = pipe.send(page.into_iter().map(|event| outward(self.publish.as_ref(), event)));
            let (next, ()) = tokio::try_join!(next, send)?;
            if is_late {
                return Ok(true);
            }
            page = next;
        }
        Ok(false)
    }

    /// The next page after a position; nothing where no more may be under way, or be sent at all.
    async fn page_after(&self, position: u64) -> Result<Vec<Recorded>, BusError> {
        let under_way = position.saturating_sub(self.progress.window().published());
        if position >= self.log.known_head() || under_way >= IN_FLIGHT as u64 || self.shutdown.is_cancelled() {
            return Ok(Vec::new());
        }
        let log = self.log.clone();
        let read = AbortOnDropHandle::new(tokio::spawn(async move { log.read(position, PAGE).await }));
        let page = read.await.map_err(|ended| BusError::Kafka(format!("log: {ended}")))?;
        page.map_err(|error| BusError::Kafka(format!("log: {error}")))
    }

    /// Renews the lease and stores the cursor; false when another epoch has begun.
    async fn beat(&self, lease: &Lease) -> Result<bool, SqlError> {
        let published = self.progress.window().published();
        let mut tx = self.db.begin().await?;
        if !lease.beat(&mut tx).await? {
            return Ok(false);
        }
        let sql = "INSERT INTO relay_cursor (topic, position) VALUES ($1, $2) \
                   ON CONFLICT (topic) DO UPDATE SET position = excluded.position";
        tx.execute(sql, &[self.progress.topic.as_str().into(), (published as i64).into()]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Other processes append to the same log; their head is learned by looking.
    async fn look(&self) {
        if let Err(error) = self.log.head().await {
            tracing::warn!(topic = self.progress.topic, %error, "head of the log cannot be read");
        }
    }

    /// Waits for what is under way.
    async fn drain(&self) {
        let arrived = async {
            loop {
                let waiting = self.progress.changed.notified();
                let window_empty = {
                    let window = self.progress.window();
                    window.in_flight() == 0 || window.failure().is_some()
                };
                if window_empty {
                    return;
                }
                waiting.await;
            }
        };
        if tokio::time::timeout(DRAIN, arrived).await.is_err() {
            tracing::warn!(topic = self.progress.topic, "shutdown does not wait for the last acknowledgements");
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}
