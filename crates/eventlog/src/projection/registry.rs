//! The projections of one consumer: declared, created, listed.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sql::{Db, Dialect};

use super::places::{self, Live};
use super::{Projection, ProjectionError};
use crate::bus::Place;
use crate::consumer::checkpoint;
use crate::log::Log;

/// How long the names of the live tables are believed: another process may flip a build, on SQLite too (`projections rebuild` beside a
/// running service). The old tables are kept after a flip, so that a reader inside this time sees a model that stopped a moment ago. A
/// page that meets another build than readers are told ends the belief at once.
pub(super) const BELIEVED: Duration = Duration::from_secs(1);

/// A service's own log as a source.
#[derive(Clone)]
pub struct OwnLog {
    /// The topic under which the service publishes it.
    pub topic: String,
    /// The log.
    pub log: Log,
}

/// The projections that ride on one consumer. Cheap to clone.
#[derive(Clone)]
pub struct Projections {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    consumer: &'static str,
    own: Option<OwnLog>,
    list: Vec<Arc<dyn Projection>>,
    live: RwLock<Option<LiveTables>>,
    /// One build at a time.
    building: tokio::sync::Mutex<()>,
    /// Another process may be the one that writes.
    beside: AtomicBool,
}

struct LiveTables {
    physical: Arc<HashMap<String, String>>,
    /// What the live tables of each projection end in.
    suffixes: HashMap<String, String>,
    at: Instant,
}

/// A projection as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Its permanent name.
    pub name: String,
    /// The version of this program.
    pub version: u32,
    /// The version that readers see; 0 while none is built.
    pub live_version: u32,
    /// What the live tables' names end in.
    pub suffix: String,
    /// The next offset of every partition it reads.
    pub positions: BTreeMap<Place, i64>,
    /// Events of the service's own log that it has not applied; other topics' lag is in the consumer's status.
    pub own_lag: u64,
    /// Rows over all its tables.
    pub rows: u64,
}

impl Projections {
    /// Declares the projections of a consumer. `consumer` is permanent: positions hang on it.
    ///
    /// # Errors
    /// [`ProjectionError::Declaration`] with all faults of the declared tables and names.
    pub fn new(db: Db, consumer: &'static str, own: Option<OwnLog>, list: Vec<Arc<dyn Projection>>) -> Result<Self, ProjectionError> {
        let mut faults = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for projection in &list {
            let tables = projection.tables().iter().map(|table| table.name);
            for name in tables.chain([projection.name()]) {
                if names.contains(&name) && name != projection.name() {
                    faults.push(format!("table {name} is declared twice"));
                }
                names.push(name);
            }
            faults.extend(projection.tables().iter().flat_map(|table| table.faults()));
        }
        if !faults.is_empty() {
            return Err(ProjectionError::Declaration(faults.join("; ")));
        }
        let inner = Inner {
            db,
            consumer,
            own,
            list,
            live: RwLock::new(None),
            building: tokio::sync::Mutex::new(()),
            beside: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Says that the service itself may run in another process: builds then leave it its turns.
    pub fn work_beside(&self) {
        self.inner.beside.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_beside(&self) -> bool {
        self.inner.beside.load(Ordering::Relaxed)
    }

    /// The database of the service.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// The consumer that they ride on.
    pub fn consumer(&self) -> &'static str {
        self.inner.consumer
    }

    pub(crate) fn list(&self) -> &[Arc<dyn Projection>] {
        &self.inner.list
    }

    pub(crate) fn own(&self) -> Option<&OwnLog> {
        self.inner.own.as_ref()
    }

    pub(crate) async fn one_build_at_a_time(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.building.lock().await
    }

    pub(crate) fn find(&self, name: &str) -> Result<Arc<dyn Projection>, ProjectionError> {
        let found = self.inner.list.iter().find(|projection| projection.name() == name);
        found.cloned().ok_or_else(|| ProjectionError::UnknownProjection(name.to_string()))
    }

    /// Brings every projection to this program's version: creates what a new service needs, and builds side by side, before it
    /// returns, what is new or has another version than the live one. The migrations have run.
    ///
    /// # Errors
    /// [`ProjectionError::Superseded`] when a newer version is live; what a build may fail with.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        for projection in self.list() {
            let live = self.ensure_live(projection.as_ref()).await?;
            if live.build == 0 || live.version < projection.version() {
                tracing::info!(projection = projection.name(), version = projection.version(), "building");
                self.build_first(projection.as_ref()).await?;
            } else if live.version > projection.version() {
                let name = projection.name().to_string();
                return Err(ProjectionError::Superseded { name, live: live.version, ours: projection.version() });
            }
            self.remove_at_start(projection.name()).await;
        }
        self.forget_live_tables();
        Ok(())
    }

    /// Builds what is not live yet. Where several processes start at once, one of them is the first, and the others' builds vanish.
    async fn build_first(&self, projection: &dyn Projection) -> Result<(), ProjectionError> {
        match self.rebuild(projection.name()).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let live = self.ensure_live(projection).await?;
                if live.version == projection.version() { Ok(()) } else { Err(error) }
            }
        }
    }

    /// Reads which build is live. A projection that nobody knows gets empty tables when its consumer has not read anything, and the
    /// build number 0 when there is history to read first.
    async fn ensure_live(&self, projection: &dyn Projection) -> Result<Live, ProjectionError> {
        let mut tx = self.db().begin().await?;
        let (dialect, consumer, name) = (self.db().dialect(), self.consumer(), projection.name());
        if !places::claim(&mut tx, consumer, name).await? {
            let live = places::live_builds(&mut tx, dialect, consumer).await?.remove(name);
            if dialect == Dialect::Sqlite {
                places::drop_abandoned(&mut tx, consumer, name).await?;
            }
            tx.commit().await?;
            return live.ok_or_else(|| ProjectionError::UnknownProjection(name.to_string()));
        }
        let mut live = Live { build: 0, version: 0, suffix: String::new() };
        if checkpoint::offsets_in(&mut tx, consumer).await?.is_empty() {
            let build = places::create(&mut tx, dialect, consumer, projection, "").await?;
            live = Live { build: build.number, version: build.version, suffix: build.suffix };
            places::set_live(&mut tx, consumer, name, &live).await?;
            places::keep_only(&mut tx, consumer, name, [build.number, 0]).await?;
        }
        tx.commit().await?;
        Ok(live)
    }

    /// The physical name of every live table.
    pub(crate) async fn live_tables(&self) -> Result<Arc<HashMap<String, String>>, ProjectionError> {
        if let Some(live) = self.inner.live.read().unwrap_or_else(PoisonError::into_inner).as_ref()
            && live.at.elapsed() < BELIEVED
        {
            return Ok(Arc::clone(&live.physical));
        }
        let sql = "SELECT name, build, suffix FROM projection_live WHERE consumer = $1";
        let (mut physical, mut suffixes) = (HashMap::new(), HashMap::new());
        for row in self.db().query(sql, &[self.consumer().into()]).await? {
            let name = row.text("name")?;
            let (build, suffix) = (row.int("build")?, row.text("suffix")?);
            let projection = self.list().iter().find(|projection| projection.name() == name && build > 0);
            for table in projection.map_or(&[][..], |projection| projection.tables()) {
                physical.insert(table.name.to_string(), table.physical(&suffix));
            }
            suffixes.insert(name, suffix);
        }
        let physical = Arc::new(physical);
        let live = LiveTables { physical: Arc::clone(&physical), suffixes, at: Instant::now() };
        *self.inner.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live);
        Ok(physical)
    }

    /// Forgets the names that readers are told where a page finds another build live.
    pub(crate) fn believe_no_other(&self, found: &HashMap<String, Live>) {
        let told = self.inner.live.read().unwrap_or_else(PoisonError::into_inner);
        let differs = |live: &LiveTables| found.iter().any(|(name, build)| live.suffixes.get(name) != Some(&build.suffix));
        let wrong = told.as_ref().is_some_and(differs);
        drop(told);
        if wrong {
            self.forget_live_tables();
        }
    }

    pub(crate) fn forget_live_tables(&self) {
        *self.inner.live.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All projections with their positions and sizes.
    ///
    /// # Errors
    /// The database.
    pub async fn status(&self) -> Result<Vec<ProjectionStatus>, ProjectionError> {
        let offsets = checkpoint::offsets(self.db(), self.consumer()).await?;
        let head = match self.own() {
            Some(own) => own.log.head().await.map_err(|error| ProjectionError::Log(error.to_string()))?,
            None => 0,
        };
        let mut live = {
            let mut tx = self.db().begin().await?;
            places::live_builds(&mut tx, self.db().dialect(), self.consumer()).await?
        };
        let mut all = Vec::with_capacity(self.list().len());
        for projection in self.list() {
            let none = Live { build: 0, version: 0, suffix: String::new() };
            let live = live.remove(projection.name()).unwrap_or(none);
            let mine = |place: &Place| projection.sources().contains(&place.topic.as_str());
            let positions: BTreeMap<Place, i64> =
                offsets.iter().filter(|(place, _)| mine(place)).map(|(place, next)| (place.clone(), *next)).collect();
            all.push(ProjectionStatus {
                name: projection.name().to_string(),
                version: projection.version(),
                own_lag: self.own_lag(projection.as_ref(), &positions, head),
                rows: if live.build > 0 { self.count_rows(projection.as_ref(), &live.suffix).await? } else { 0 },
                live_version: live.version,
                suffix: live.suffix,
                positions,
            });
        }
        Ok(all)
    }

    fn own_lag(&self, projection: &dyn Projection, positions: &BTreeMap<Place, i64>, head: u64) -> u64 {
        let Some(own) = self.own().filter(|own| projection.sources().contains(&own.topic.as_str())) else {
            return 0;
        };
        let next = positions.get(&Place { topic: own.topic.clone(), partition: 0 }).copied().unwrap_or(0);
        head.saturating_sub(next.unsigned_abs())
    }

    async fn count_rows(&self, projection: &dyn Projection, suffix: &str) -> Result<u64, ProjectionError> {
        let mut rows = 0;
        for table in projection.tables() {
            let sql = format!("SELECT COUNT(*) AS n FROM {}", table.physical(suffix));
            rows += self.db().query(&sql, &[]).await?.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs();
        }
        Ok(rows)
    }
}
