//! One worker at a time for a named task, without comparing clocks.
//!
//! The holder writes a beat; whoever wants the lease watches, on its own monotonic clock, that the beat has not moved for
//! [`EXPIRES`], and then takes the next epoch by compare-and-set. A virtual clock, or clocks that disagree, change nothing.

use std::time::{Duration, Instant};

use sql::{Db, SqlError, Tx, Value};

/// A beat that has not moved for so long belongs to nobody any more.
pub(crate) const EXPIRES: Duration = Duration::from_secs(5);
/// How often the holder beats.
pub(crate) const BEATS: Duration = Duration::from_secs(1);
/// A holder that could not beat for so long stops working, well before another one may start.
pub(crate) const STEPS_DOWN: Duration = Duration::from_secs(3);

/// The right to do the task, until another epoch begins.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    name: String,
    epoch: i64,
}

/// Waits for its turn.
pub(crate) struct Candidate {
    db: Db,
    name: String,
    holder: String,
    seen: Option<Seen>,
}

/// The last beat of somebody else, and since when it stands.
struct Seen {
    epoch: i64,
    beat: i64,
    since: Instant,
}

impl Candidate {
    /// A candidate; `holder` is unique to the process and not empty.
    pub fn new(db: Db, name: impl Into<String>, holder: impl Into<String>) -> Self {
        Self { db, name: name.into(), holder: holder.into(), seen: None }
    }

    /// Takes the lease when it is free, released or expired; None when it is not our turn yet.
    ///
    /// # Errors
    /// The database.
    pub async fn try_take(&mut self) -> Result<Option<Lease>, SqlError> {
        let rows = self.db.query("SELECT epoch, beat, holder FROM lease WHERE name = $1", &[self.name.as_str().into()]).await?;
        let Some(row) = rows.first() else {
            return self.insert().await;
        };
        let (epoch, beat) = (row.int("epoch")?, row.int("beat")?);
        if row.text("holder")?.is_empty() || self.has_expired(epoch, beat) {
            return self.succeed(epoch, beat).await;
        }
        Ok(None)
    }

    fn has_expired(&mut self, epoch: i64, beat: i64) -> bool {
        match &self.seen {
            Some(seen) if seen.epoch == epoch && seen.beat == beat => seen.since.elapsed() >= EXPIRES,
            Some(_) | None => {
                self.seen = Some(Seen { epoch, beat, since: Instant::now() });
                false
            }
        }
    }

    async fn insert(&self) -> Result<Option<Lease>, SqlError> {
        let sql = "INSERT INTO lease (name, epoch, beat, holder) VALUES ($1, 1, 1, $2) ON CONFLICT DO NOTHING";
        self.change(sql, &[self.name.as_str().into(), self.holder.as_str().into()], 1).await
    }

    async fn succeed(&self, epoch: i64, beat: i64) -> Result<Option<Lease>, SqlError> {
        let sql = "UPDATE lease SET epoch = epoch + 1, beat = beat + 1, holder = $2 WHERE name = $1 AND epoch = $3 AND beat = $4";
        let args = [self.name.as_str().into(), self.holder.as_str().into(), epoch.into(), beat.into()];
        self.change(sql, &args, epoch + 1).await
    }

    async fn change(&self, sql: &str, args: &[Value], epoch: i64) -> Result<Option<Lease>, SqlError> {
        let mut tx = self.db.begin().await?;
        let changed = tx.execute(sql, args).await?;
        tx.commit().await?;
        Ok((changed == 1).then(|| Lease { name: self.name.clone(), epoch }))
    }
}

impl Lease {
    /// The epoch that this lease began.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Beats; false when another epoch has begun, and nothing of the transaction may then be committed.
    ///
    /// # Errors
    /// The database.
    pub async fn beat(&self, tx: &mut Tx) -> Result<bool, SqlError> {
        let sql = "UPDATE lease SET beat = beat + 1 WHERE name = $1 AND epoch = $2";
        Ok(tx.execute(sql, &[self.name.as_str().into(), self.epoch.into()]).await? == 1)
    }

    /// Gives the lease back, so that the next one need not wait.
    ///
    /// # Errors
    /// The database.
    pub async fn release(&self, db: &Db) -> Result<(), SqlError> {
        let mut tx = db.begin().await?;
        let sql = "UPDATE lease SET holder = '' WHERE name = $1 AND epoch = $2";
        tx.execute(sql, &[self.name.as_str().into(), self.epoch.into()]).await?;
        tx.commit().await
    }
}
