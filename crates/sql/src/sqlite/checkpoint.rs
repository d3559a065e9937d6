//! Checkpoints: what the write-ahead log has is carried into the database (backfilled), and the log begins anew.
//!
//! SQLite would do it inside the commit that makes the log long enough, and whoever waits for that commit, and all who come after it, would
//! wait for some thousand pages and a sync of the database. Here a connection of its own, aside, carries them while the writer goes on. The log
//! can only begin anew when nothing is left to carry, and a busy writer always leaves something: what came meanwhile, a small part, the
//! writer carries itself, after it has answered. SQLite syncs the database when the last page is carried, so that sync is mostly the writer's.

use std::cell::Cell;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connection::{Answers, Opening, Started, Statement, Threads, Work, perform};
use crate::SqlError;

/// A log of this many pages (4 KiB each, 16 MiB in all) is carried.
const LONG_PAGES: i64 = 4_000;
/// With more than this left, and more than the last commit brought, the writer does not carry it.
const LITTLE_PAGES: i64 = 500;
/// From this many pages on the writer waits for the connection aside and carries the rest itself: a log must have an end.
const TOO_LONG_PAGES: i64 = 16_000;

/// Carries all that no reader needs in the log any more, and waits for nobody. Answers whether another checkpoint is under way, the pages
/// in the log, and how many of them are in the database.
const CARRY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

thread_local! {
    /// Pages in the log after the last commit of this thread's connection.
    static PAGES: Cell<i64> = const { Cell::new(0) };
}

/// What a writer knows of its log.
pub(super) struct Checkpoints {
    aside: Threads,
    /// What the connection aside is carrying.
    under_way: Option<Started>,
    /// Nothing but what the last commits brought is left.
    finishing: bool,
    /// Pages in the log, those that the last commit brought, and those that are in the database.
    pages: i64,
    brought: i64,
    carried: i64,
    /// With so many pages it begins.
    begins_at: i64,
}

impl Checkpoints {
    /// For a connection that tells of its commits (see [`listen`]); carries over another one, opened as `aside`.
    pub fn new(aside: Opening) -> Self {
        let aside = Threads::new(aside, 1);
        Self { aside, under_way: None, finishing: false, pages: 0, brought: 0, carried: 0, begins_at: LONG_PAGES }
    }

    /// Looks at what the last piece of work did to the log. To be asked from the thread of the writer after each. A checkpoint that fails
    /// loses nothing: the log has everything, and the next one tries again.
    pub fn look(&mut self, writer: &Connection) {
        let pages = PAGES.get();
        // Inside a transaction nothing can be carried by the connection that has it; without a commit there is nothing new.
        if pages == self.pages || !writer.is_autocommit() {
            return;
        }
        if pages < self.pages {
            // The log has begun anew, which it does when all was carried.
            (self.under_way, self.finishing, self.pages, self.carried, self.begins_at) = (None, false, 0, 0, LONG_PAGES);
        }
        (self.pages, self.brought) = (pages, pages - self.pages);
        if let Err(error) = self.go_on(writer) {
            tracing::warn!(%error, pages, "a checkpoint has failed");
            self.rest();
        }
    }

    fn go_on(&mut self, writer: &Connection) -> Result<(), SqlError> {
        let carrying = self.under_way.take();
        if self.pages >= TOO_LONG_PAGES {
            // Whatever the connection aside has done, or could not do, or found another process at: it is out of the way, and begins no more.
            // Were it to begin, two processes could find each other's at it for ever.
            drop(carrying.map(Started::wait));
            return self.finish(writer);
        }
        match carrying {
            Some(carrying) => self.after(carrying, writer),
            None if self.finishing => self.go_on_carrying(writer),
            None if self.pages >= self.begins_at => self.begin(),
            None => Ok(()),
        }
    }

    fn begin(&mut self) -> Result<(), SqlError> {
        self.under_way = Some(self.aside.start(carry())?);
        Ok(())
    }

    /// The connection aside is carrying, or has carried.
    fn after(&mut self, mut carrying: Started, writer: &Connection) -> Result<(), SqlError> {
        let Some(answered) = carrying.ended() else {
            self.under_way = Some(carrying);
            return Ok(());
        };
        if self.has_carried(carried(&answered?)?) {
            return self.go_on_carrying(writer);
        }
        self.rest();
        Ok(())
    }

    /// Something is left, or nothing: the writer carries a little, the connection aside what is more.
    fn go_on_carrying(&mut self, writer: &Connection) -> Result<(), SqlError> {
        let left = self.pages - self.carried;
        if left > LITTLE_PAGES.max(self.brought) { self.begin() } else { self.finish(writer) }
    }

    /// Carries what is left. Where a reader is still in the log it does not begin anew, and the next commit tries again.
    fn finish(&mut self, writer: &Connection) -> Result<(), SqlError> {
        self.finishing = true;
        if !self.has_carried(carried(&perform(writer, &carry())?)?) {
            self.rest();
        }
        Ok(())
    }

    /// Notes how far the log is carried; false where that is no further than before, or another checkpoint is under way.
    fn has_carried(&mut self, (busy, carried): (i64, i64)) -> bool {
        let is_further = busy == 0 && carried > self.carried;
        if is_further {
            self.carried = carried;
        }
        is_further
    }

    /// A reader needs what is in the log, or another process is at it: nothing is done until some pages more are there. A reader that goes leaves
    /// a gap before the next one comes, which is found by trying, and trying costs little.
    fn rest(&mut self) {
        let pages = if self.pages < TOO_LONG_PAGES { LITTLE_PAGES } else { 1 };
        (self.finishing, self.begins_at) = (false, self.pages + pages);
    }
}

/// Makes a connection tell its thread how long the log is; SQLite then makes no checkpoints by itself.
pub(super) fn listen(writer: &Connection) {
    writer.wal_hook(Some(note));
}

fn note(_: &Wal, pages: std::ffi::c_int) -> rusqlite::Result<()> {
    PAGES.set(i64::from(pages));
    Ok(())
}

fn carry() -> Work {
    Work::Statements(vec![Statement::new(CARRY, Vec::new())])
}

/// Whether another checkpoint was under way, and the pages that are carried.
fn carried(answers: &Answers) -> Result<(i64, i64), SqlError> {
    let row = answers.first().and_then(|(_, rows)| rows.first());
    row.map_or(Ok((1, 0)), |row| Ok((row.int("busy")?, row.int("checkpointed")?)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Pages that one commit brings, unless the test says otherwise: a blob of as much, and what holds it together.
    const EACH_PAGES: i64 = 100;

    struct Written {
        writer: Connection,
        checkpoints: Checkpoints,
        /// Pages that one commit brings.
        each: i64,
        commits: i64,
        longest: i64,
    }

    impl Written {
        fn open(path: &Path) -> Self {
            let writer = Connection::open(path).unwrap();
            writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (b BLOB)").unwrap();
            Self::beside(path)
        }

        /// On a file that is there.
        fn beside(path: &Path) -> Self {
            let writer = Connection::open(path).unwrap();
            writer.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
            writer.execute_batch("PRAGMA synchronous = OFF").unwrap();
            listen(&writer);
            PAGES.set(0);
            let aside = Opening { path: path.into(), creates: false, pragmas: "PRAGMA synchronous = OFF".into(), aside: None };
            Self { writer, checkpoints: Checkpoints::new(aside), each: EACH_PAGES, commits: 0, longest: 0 }
        }

        fn commit(&mut self) {
            self.writer.execute("INSERT INTO t VALUES (zeroblob($1))", [self.each * 4096]).unwrap();
            self.commits += 1;
            self.checkpoints.look(&self.writer);
            self.longest = self.longest.max(self.checkpoints.pages);
        }

        /// Commits until the log begins anew. Panics where it is longer than it may be.
        fn until_anew(&mut self) {
            let mut before = 0;
            while before <= PAGES.get() {
                before = PAGES.get();
                assert!(before <= TOO_LONG_PAGES + 2 * LONG_PAGES, "the log does not begin anew");
                self.commit();
            }
        }

        fn is_all_there(&self, path: &Path) {
            let another = Connection::open(path).unwrap();
            let there = another.query_row("SELECT COUNT(*) FROM t WHERE LENGTH(b) = $1", [self.each * 4096], |row| row.get::<_, i64>(0));
            assert_eq!(there.unwrap(), self.commits);
            let sound = another.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
            assert_eq!(sound.unwrap(), "ok");
        }
    }

    #[test]
    fn the_log_of_a_writer_that_never_rests_begins_anew_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut written = Written::open(&path);
        for _ in 0..4 {
            written.until_anew();
        }
        assert!(written.longest >= LONG_PAGES && written.longest <= TOO_LONG_PAGES + EACH_PAGES + 10, "{} pages at most", written.longest);
        written.is_all_there(&path);
    }

    #[test]
    fn a_reader_holds_the_log_and_nobody_is_kept_waiting_or_busy_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut written = Written::open(&path);
        written.commit();
        let reader = Connection::open(&path).unwrap();
        let count = || reader.query_row("SELECT COUNT(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(), 1);
        let mut begun = 0;
        for _ in 0..3 * LONG_PAGES / EACH_PAGES {
            let was_under_way = written.checkpoints.under_way.is_some();
            written.commit();
            begun += u32::from(!was_under_way && written.checkpoints.under_way.is_some());
            assert!(!written.checkpoints.finishing, "what a reader needs is not a little that is left");
        }
        assert_eq!(count(), 1, "a snapshot stays what it was");
        assert!((1..=30).contains(&begun), "{begun} checkpoints for three times the length of a log");
        reader.execute_batch("COMMIT").unwrap();
        written.until_anew();
        written.is_all_there(&path);
    }

    #[test]
    fn commits_of_many_pages_do_not_keep_the_log_from_beginning_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut written = Written::open(&path);
        written.each = 3 * LITTLE_PAGES;
        for _ in 0..2 {
            written.until_anew();
        }
        written.is_all_there(&path);
    }

    #[test]
    fn what_the_connection_aside_cannot_do_the_writer_does_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut written = Written::open(&path);
        let nowhere = Opening { path: folder.path().join("nowhere/t.db"), creates: false, pragmas: String::new(), aside: None };
        written.checkpoints = Checkpoints::new(nowhere);
        written.until_anew();
        assert!(written.longest >= TOO_LONG_PAGES, "{} pages at most", written.longest);
        written.is_all_there(&path);
    }

    #[test]
    fn inside_a_transaction_nothing_is_carried() {
        let folder = tempfile::tempdir().unwrap();
        let mut written = Written::open(&folder.path().join("t.db"));
        while written.checkpoints.pages + EACH_PAGES < LONG_PAGES {
            written.commit();
        }
        // One turn commits, makes the log long, and begins the next transaction.
        written.writer.execute("INSERT INTO t VALUES (zeroblob($1))", [2 * EACH_PAGES * 4096]).unwrap();
        written.writer.execute_batch("BEGIN; INSERT INTO t VALUES (1)").unwrap();
        written.checkpoints.look(&written.writer);
        assert!(written.checkpoints.under_way.is_none());
        written.writer.execute_batch("ROLLBACK").unwrap();
        written.checkpoints.look(&written.writer);
        assert!(written.checkpoints.under_way.is_some(), "it was long enough");
    }

    #[test]
    fn two_writers_of_one_file_do_not_keep_its_log_from_beginning_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut written = Written::open(&path);
        // As another process beside the service: a connection and checkpoints of its own.
        let (mut other, mut anew) = (Written::beside(&path), 0);
        while anew < 3 {
            for one in [&mut written, &mut other] {
                let before = PAGES.get();
                one.commit();
                anew += u32::from(PAGES.get() < before);
                // Where the first that finds it too long meets the other's connection aside, the other waits for that and carries all.
                assert!(PAGES.get() <= TOO_LONG_PAGES + 3 * EACH_PAGES, "the log does not begin anew");
            }
        }
        written.commits += other.commits;
        written.is_all_there(&path);
    }
}
