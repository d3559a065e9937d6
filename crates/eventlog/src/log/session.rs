//! One append transaction: lock the head and look, or presume; number, write, commit, tell.

use std::sync::atomic::Ordering;

use sql::{Dialect, Tx};

use crate::event::Told;
use crate::log::lookup::Ask;
use crate::log::plan::{Plan, Staged};
use crate::log::{Backend, CrashPoint, Log, LogError, Protection, memory, store};

/// An open append transaction. Dropping it undoes everything.
pub(crate) struct Session {
    log: Log,
    open: Open,
    /// Somebody had the transaction, or a part of the batch is in it: there may be something to commit besides what is staged.
    lent: bool,
    /// A presumed head was found where it was presumed, and is locked.
    holds_head: bool,
}

enum Open {
    Sql(Tx),
    Memory(memory::Turn),
}

/// Why a batch was not stored.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// A side row of this append was refused; without it the rest of the batch may go through.
    Side {
        ticket: usize,
        reason: String,
    },
    Log(LogError),
}

impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        StoreError::Log(error)
    }
}

impl Session {
    pub(crate) async fn begin(log: &Log) -> Result<Session, LogError> {
        let open = match &log.shared.backend {
            Backend::Sql(db) => Open::Sql(db.begin().await?),
            Backend::Memory(memory) => Open::Memory(memory.turn().await),
        };
        Ok(Session::of(log, open))
    }

    /// The same where nothing must be waited for ([`sql::Db::begin_now`]); else none.
    pub(crate) fn begin_now(log: &Log) -> Option<Session> {
        Some(Session::of(log, Open::Sql(log.db()?.begin_now()?)))
    }

    fn of(log: &Log, open: Open) -> Session {
        Session { log: log.clone(), open, lent: false, holds_head: false }
    }

    /// The transaction, for what must commit with the events.
    pub(crate) fn tx(&mut self) -> Result<&mut Tx, LogError> {
        self.lent = true;
        match &mut self.open {
            Open::Sql(tx) => Ok(tx),
            Open::Memory(_) => Err(LogError::NoSql),
        }
    }

    /// Whether somebody had the transaction, so that it must be committed even without events.
    pub(crate) fn was_lent(&self) -> bool {
        self.lent
    }

    /// Locks the head, and then, in statements of their own, looks up what the batch needs. One statement would not do: its snapshot
    /// is older than the wait for the lock, and would miss what the former owner of the lock has committed.
    pub(crate) async fn plan(&mut self, ask: &Ask) -> Result<Plan, LogError> {
        let (head, known) = match &mut self.open {
            Open::Sql(tx) => {
                let looked = store::lock_and_look_up(tx, self.log.db().map(sql::Db::dialect), ask).await?;
                self.log.reach(CrashPoint::Locked).await?;
                looked
            }
            Open::Memory(turn) => {
                self.log.reach(CrashPoint::Locked).await?;
                turn.look_up(ask)
            }
        };
        if head < self.log.known_head() {
            // What this process knows of streams may be of an end that the log has lost.
            self.log.shared.others.fetch_add(1, Ordering::SeqCst);
        }
        self.log.saw(head);
        let mut plan = Plan::new(head, known, self.log.now(), self.log.shared.ids.clone());
        plan.checks_versions = !self.log.lacks(Protection::VersionCheck);
        plan.knows_commands = !self.log.lacks(Protection::CommandIds);
        Ok(plan)
    }

    /// Takes for granted that nobody has appended since this process looked last, and that names are free: nothing is locked or asked,
    /// and [`Session::finish`] fails where it is not so. Only for commands that have an event.
    pub(crate) fn presume(&self) -> Plan {
        self.log.presume_after(self.log.known_head())
    }

    /// What the events of streams tell, as they are under the lock.
    pub(crate) async fn told(&mut self, streams: &[(String, u64)]) -> Result<Vec<Told>, LogError> {
        match &mut self.open {
            Open::Sql(tx) => store::told_in(tx, streams).await,
            Open::Memory(turn) => Ok(turn.told(streams)),
        }
    }

    /// Whether the database would begin at once with what [`Session::send_ahead`] sends.
    pub(crate) fn goes_ahead(&self) -> bool {
        match &self.open {
            Open::Sql(tx) => tx.goes_ahead(),
            Open::Memory(_) => false,
        }
    }

    /// Lets the database begin with the rows that are made so far, while the rest is decided.
    pub(crate) async fn send_ahead(&mut self, plan: &mut Plan) -> Result<(), LogError> {
        let postgres = self.log.db().is_some_and(|db| db.dialect() == Dialect::Postgres);
        match &mut self.open {
            Open::Sql(tx) if !plan.staged.is_empty() => {
                // SQLite's transaction has the whole file.
                if let Some(head) = plan.presumed.filter(|_| postgres && !self.holds_head) {
                    store::hold_head(tx, head).await?;
                    self.holds_head = true;
                }
                // Ids of commands without events are no longer among what is staged.
                self.lent = true;
                store::send_ahead(tx, &mut plan.staged, plan.now).await
            }
            Open::Sql(_) | Open::Memory(_) => Ok(()),
        }
    }

    /// Writes the plan, commits, and makes the events known.
    pub(crate) async fn finish(mut self, plan: Plan) -> Result<(), StoreError> {
        let Plan { mut staged, now, presumed, .. } = plan;
        if let Open::Sql(tx) = &mut self.open {
            let moves_head = presumed.filter(|_| !self.holds_head);
            if let Some(head) = moves_head {
                store::take_head(tx, head, &staged).await?;
            }
            if presumed.is_some() {
                self.log.reach(CrashPoint::Locked).await?;
            }
            store::write(tx, &mut staged, now, moves_head.is_some()).await?;
        } else if let Some((ticket, _)) = staged.side.first() {
            return Err(StoreError::Side { ticket: *ticket, reason: LogError::NoSql.to_string() });
        }
        self.log.reach(CrashPoint::Stored).await?;
        match self.open {
            Open::Sql(tx) => tx.commit().await.map_err(LogError::from)?,
            Open::Memory(turn) => turn.commit(&staged, now),
        }
        self.log.reach(CrashPoint::Committed).await?;
        tell(&self.log, staged);
        Ok(())
    }

    /// Commits what was written through [`Session::tx`], without events.
    pub(crate) async fn commit(self) -> Result<(), LogError> {
        self.log.reach(CrashPoint::Stored).await?;
        if let Open::Sql(tx) = self.open {
            tx.commit().await?;
        }
        self.log.reach(CrashPoint::Committed).await
    }

    pub(crate) async fn rollback(self) {
        if let Open::Sql(tx) = self.open {
            // Failing to roll back leaves nothing behind either: the connection is given up.
            let _ = tx.rollback().await;
        }
    }
}

fn tell(log: &Log, staged: Staged) {
    log.publish(staged.events);
    let earliest = staged.timers.iter().flat_map(|change| change.next.iter().map(|next| next.due_at)).min();
    if let Some(due_at) = earliest {
        log.shared.timers.offer(due_at);
    }
}
