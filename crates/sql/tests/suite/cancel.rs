use std::time::Duration;

use sql::{Column, Db, Kind, Rows, SqlError, Value};

use crate::databases::fresh;

async fn create(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE marks (id BIGINT NOT NULL PRIMARY KEY, kind TEXT NOT NULL)", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn write(db: Db, id: i64, kind: &'static str) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("INSERT INTO marks VALUES ($1, $2)", &[id.into(), kind.into()]).await.unwrap();
    tx.query("SELECT COUNT(*) AS n FROM marks", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Futures are dropped at every point of a transaction. A commit that was acknowledged stays, and no borrower ever finds itself in a
/// transaction that somebody else began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_futures_leave_no_open_transaction_and_undo_no_acknowledged_one() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut acknowledged = Vec::new();
        for round in 0..400i64 {
            let victim = tokio::spawn(write(fresh.db.clone(), round * 2, "dropped"));
            let patience = Duration::from_micros((round as u64 * 37) % 1500);
            // A task that nobody waits for any more goes on to its end; a bare future stops where it stands.
            let _ = tokio::time::timeout(patience, victim).await;
            let bare = tokio::time::timeout(patience, write(fresh.db.clone(), 1_000_000 + round, "bare")).await;
            if bare.is_ok() {
                acknowledged.push(1_000_000 + round);
            }
            write(fresh.db.clone(), round * 2 + 1, "kept").await;
            acknowledged.push(round * 2 + 1);
        }
        let rows = fresh.db.query("SELECT id FROM marks", &[]).await.unwrap();
        let stored: std::collections::HashSet<i64> = rows.iter().map(|row| row.int("id").unwrap()).collect();
        for id in acknowledged {
            assert!(stored.contains(&id), "{}: acknowledged {id} is gone", fresh.name);
        }
    }
}

/// What goes ahead of its caller, while the caller is dropped or the transaction turns out to be impossible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_ahead_is_stored_whole_or_not_at_all() {
    const COLUMNS: &[Column] = &[Column::new("id", Kind::Int), Column::new("kind", Kind::Text)];
    const EACH: i64 = 5000;
    for fresh in fresh().await {
        create(&fresh.db).await;
        let write = |from: i64| {
            let db = fresh.db.clone();
            async move {
                let rows = |from: i64| (from..from + EACH / 5).map(|id| vec![Value::Int(id), "ahead".into()]).collect();
                let mut tx = db.begin().await?;
                for part in 0..5 {
                    let rows = rows(from + part * EACH / 5);
                    tx.insert_ahead(vec![Rows { table: "marks", columns: COLUMNS, rows }]).await?;
                }
                tx.commit().await
            }
        };
        let mut acknowledged = 0;
        for round in 0..40i64 {
            let patience = Duration::from_micros((round as u64 * 617) % 30_000);
            acknowledged += i64::from(tokio::time::timeout(patience, write(round * EACH)).await.is_ok_and(|done| done.is_ok()));
        }
        write(40 * EACH).await.unwrap();
        assert!(matches!(write(40 * EACH - 1).await, Err(SqlError::Unique { .. })), "{}", fresh.name);
        let rows = fresh.db.query("SELECT COUNT(*) AS n FROM marks GROUP BY id / 5000", &[]).await.unwrap();
        assert!(rows.iter().all(|row| row.int("n").unwrap() == EACH), "{}: a part of a transaction is there", fresh.name);
        assert!(rows.len() as i64 > acknowledged, "{}", fresh.name);
    }
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_and_the_next_one_begins_clean() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        for id in 0..50i64 {
            let mut tx = fresh.db.begin().await.unwrap();
            tx.execute("INSERT INTO marks VALUES ($1, 'dropped')", &[id.into()]).await.unwrap();
            drop(tx);
        }
        let mut tx = fresh.db.begin().await.unwrap();
        assert_eq!(tx.query("SELECT id FROM marks", &[]).await.unwrap().len(), 0, "{}", fresh.name);
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn readers_do_not_see_what_is_not_committed() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("INSERT INTO marks VALUES (1, 'open')", &[]).await.unwrap();
        assert_eq!(fresh.db.query("SELECT id FROM marks", &[]).await.unwrap().len(), 0);
        tx.commit().await.unwrap();
        assert_eq!(fresh.db.query("SELECT id FROM marks", &[]).await.unwrap().len(), 1, "{}", fresh.name);
    }
}
