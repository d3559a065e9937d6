//! PostgreSQL that does not answer in time: somebody holds a lock, or the server hangs.

use std::time::{Duration, Instant};

use sql::{Db, SqlError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::databases::schema_name;

const DEADLINE: Duration = Duration::from_secs(1);
/// The deadline, what the server is given on top, and what a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn server() -> Option<String> {
    let url = std::env::var("REGUA_TEST_POSTGRES").ok();
    if url.is_none() {
        println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set");
    }
    url
}

async fn create(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE head (id BIGINT NOT NULL PRIMARY KEY, position BIGINT NOT NULL)", &[]).await.unwrap();
    tx.execute("INSERT INTO head VALUES (1, 0)", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn move_head(db: &Db) -> Result<(), SqlError> {
    let mut tx = db.begin().await?;
    tx.execute("UPDATE head SET position = position + 1 WHERE id = 1", &[]).await?;
    tx.commit().await
}

async fn position(db: &Db) -> Result<i64, SqlError> {
    db.query("SELECT position FROM head", &[]).await?[0].int("position")
}

/// Who was at work a moment ago is not asked whether it still lives: nobody is told when it does not.
#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    const CONNECTIONS: u32 = 3;
    let Some(url) = server() else { return };
    let (schema, all) = (schema_name(), Duration::from_secs(60));
    let db = Db::connect_postgres_within(&url, &schema, CONNECTIONS, all).await.unwrap();
    create(&db).await;
    let other = Db::connect_postgres_within(&url, &schema, 1, all).await.unwrap();
    for round in 0..5 {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(db.begin().await.unwrap());
        }
        let mut ended = Vec::new();
        for tx in &mut open {
            ended.push(tx.query("SELECT pg_backend_pid() AS pid", &[]).await.unwrap()[0].int("pid").unwrap());
        }
        for tx in open {
            tx.rollback().await.unwrap();
        }
        for pid in &ended {
            other.query("SELECT pg_terminate_backend($1::INT)", &[(*pid).into()]).await.unwrap();
        }
        if round % 2 == 0 {
            assert_eq!(position(&db).await.unwrap(), round, "whoever reads");
        }
        move_head(&db).await.unwrap();
        assert_eq!(position(&db).await.unwrap(), round + 1, "once");
    }
}

/// Only a lost connection is a reason to ask another one.
#[tokio::test]
async fn who_reads_for_too_long_is_told_once() {
    let Some(url) = server() else { return };
    let db = Db::connect_postgres_within(&url, &schema_name(), 40, DEADLINE).await.unwrap();
    let asked = Instant::now();
    let told = db.query("SELECT 1 AS n FROM pg_sleep(600)", &[]).await;
    assert!(matches!(told, Err(SqlError::Unavailable(_))));
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_row_that_another_session_holds_is_waited_for_until_the_deadline_and_no_longer() {
    let Some(url) = server() else { return };
    let db = Db::connect_postgres_within(&url, &schema_name(), 2, DEADLINE).await.unwrap();
    create(&db).await;
    let mut holder = db.begin().await.unwrap();
    holder.execute("UPDATE head SET position = 7 WHERE id = 1", &[]).await.unwrap();

    let asked = Instant::now();
    let error = move_head(&db).await.unwrap_err();
    assert!(matches!(error, SqlError::Unavailable(_)) && error.is_transient(), "{error}");
    assert!((DEADLINE..PATIENCE).contains(&asked.elapsed()), "{:?}", asked.elapsed());
    assert_eq!(position(&db).await.unwrap(), 0, "a reader waits for nobody");

    holder.rollback().await.unwrap();
    move_head(&db).await.unwrap();
    assert_eq!(position(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn who_is_in_no_hurry_may_take_longer_than_the_deadline() {
    let Some(url) = server() else { return };
    let db = Db::connect_postgres_within(&url, &schema_name(), 2, DEADLINE).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.unhurried().await.unwrap();
    tx.query("SELECT pg_sleep(1.5)::text AS slept", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let error = db.query("SELECT pg_sleep(3)::text AS slept", &[]).await.err().unwrap();
    assert!(matches!(error, SqlError::Unavailable(_)), "the next one has its deadline again: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_unavailable_and_not_waited_for() {
    let Some(url) = server() else { return };
    let wire = Wire::to(&url).await;
    let db = Db::connect_postgres_within(&wire.url, &schema_name(), 3, DEADLINE).await.unwrap();
    create(&db).await;
    let mut open = db.begin().await.unwrap();
    open.execute("UPDATE head SET position = 7 WHERE id = 1", &[]).await.unwrap();

    wire.silent.send_replace(true);
    let asked = Instant::now();
    for error in [
        open.query("SELECT position FROM head", &[]).await.err().unwrap(),
        move_head(&db).await.unwrap_err(),
        position(&db).await.unwrap_err(),
    ] {
        assert!(matches!(error, SqlError::Unavailable(_)), "{error}");
    }
    assert!(asked.elapsed() < 3 * PATIENCE, "{:?}", asked.elapsed());
    assert!(open.commit().await.is_err(), "what was not answered cannot be committed");

    wire.silent.send_replace(false);
    let back = Instant::now() + PATIENCE;
    while let Err(error) = move_head(&db).await {
        assert!(error.is_transient() && Instant::now() < back, "{error}");
    }
    assert_eq!(position(&db).await.unwrap(), 1);
}

#[tokio::test]
async fn borrowing_a_connection_says_nothing_in_the_log_of_the_server() {
    const BORROWERS: usize = 1000;
    let (Some(url), Ok(stack)) = (server(), std::env::var("REGUA_TEST_STACK")) else { return };
    let log = std::path::Path::new(&stack).join("postgres.log");
    let warnings = || {
        let text = std::fs::read(&log).unwrap();
        String::from_utf8_lossy(&text).matches("there is no transaction in progress").count()
    };
    let db = Db::connect_postgres(&url, &schema_name(), 2).await.unwrap();
    create(&db).await;
    let before = warnings();
    for _ in 0..BORROWERS / 2 {
        position(&db).await.unwrap();
        db.begin().await.unwrap().commit().await.unwrap();
    }
    // Tests beside this one drop transactions before their BEGIN, which may warn.
    assert!(warnings() - before < BORROWERS / 2, "{} warnings", warnings() - before);
}

/// A connection to the server that can fall silent: nothing is lost, nothing is said.
struct Wire {
    url: String,
    silent: watch::Sender<bool>,
}

impl Wire {
    async fn to(url: &str) -> Wire {
        let address = url.split(['@', '/']).find(|part| part.contains(':') && part.contains('.')).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url.replace(&address, &listener.local_addr().unwrap().to_string());
        let silent = watch::Sender::new(false);
        let hears = silent.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (near_out, near_in) = near.into_split();
                let (far_out, far_in) = TcpStream::connect(&address).await.unwrap().into_split();
                tokio::spawn(carry(near_out, far_in, hears.clone()));
                tokio::spawn(carry(far_out, near_in, hears.clone()));
            }
        });
        Wire { url, silent }
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<bool>) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if silent.wait_for(|silent| !silent).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
