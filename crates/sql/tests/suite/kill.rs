//! SIGKILL of a process while the log of its database is carried over.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sql::{Db, Durability};

/// Where the process of this test writes; set for that process alone.
const PLACE: &str = "SQL_TEST_WRITES_UNTIL_KILLED";
/// Bytes of a row: forty rows to a commit make the log long enough to be carried after some dozens of commits.
const BYTES: usize = 16_000;
const ROWS: i64 = 40;

/// Writes until it is killed, and says what was acknowledged. Not a test by itself: [`what_was_acknowledged_survives_a_kill_while_the_log_is_carried`]
/// starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_killed() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let db = Db::open_sqlite(&place, Durability::Full).await.unwrap();
    for commit in stored(&db).await.. {
        let mut tx = db.begin().await.unwrap();
        for row in 0..ROWS {
            tx.execute("INSERT INTO writes VALUES ($1, $2, $3)", &[commit.into(), row.into(), vec![7u8; BYTES].into()]).await.unwrap();
        }
        tx.commit().await.unwrap();
        println!("\nacknowledged {commit}");
    }
}

async fn stored(db: &Db) -> i64 {
    let rows = db.query("SELECT COUNT(DISTINCT number) AS commits FROM writes", &[]).await.unwrap();
    rows[0].int("commits").unwrap()
}

/// Kills the process after so many commits more; returns the last that it acknowledged.
fn killed_after(place: &Path, commits: usize) -> i64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::writes_until_killed", "--nocapture"]).env(PLACE, place).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut acknowledged = said.filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let seen = acknowledged.nth(commits).expect("it ended by itself");
    child.kill().unwrap();
    let last = acknowledged.last().unwrap_or(seen);
    child.wait().unwrap();
    last
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_while_the_log_is_carried() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("t.db");
    let db = Db::open_sqlite(&place, Durability::Full).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE writes (number BIGINT NOT NULL, row BIGINT NOT NULL, bytes BLOB NOT NULL)", &[]).await.unwrap();
    tx.commit().await.unwrap();
    drop(db);
    // Forty rows of four pages: the log is long enough after 25 commits, so what is carried when differs from kill to kill.
    for commits in [24, 26, 29, 33, 60] {
        let last = killed_after(&place, commits);
        let db = Db::open_sqlite(&place, Durability::Full).await.unwrap();
        let there = stored(&db).await;
        assert!(there > last && there <= last + 2, "{last} was acknowledged last, {there} are there");
        let rows = db.query("SELECT COUNT(*) AS rows FROM writes WHERE LENGTH(bytes) = $1", &[(BYTES as i64).into()]).await.unwrap();
        assert_eq!(rows[0].int("rows").unwrap(), there * ROWS, "a commit is there whole or not at all");
        let sound = db.query("PRAGMA integrity_check", &[]).await.unwrap();
        assert_eq!(sound[0].text("integrity_check").unwrap(), "ok");
    }
}
