use sql::{Column, Kind, SqlError, Value};

use crate::databases::fresh;

const COLUMNS: &[Column] = &[Column::new("id", Kind::Int), Column::new("name", Kind::Text)];

fn row(id: i64, name: &str) -> Vec<Value> {
    vec![id.into(), name.into()]
}

async fn names(db: &sql::Db) -> Vec<(i64, String)> {
    let rows = db.query("SELECT id, name FROM things ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| (row.int("id").unwrap(), row.text("name").unwrap())).collect()
}

async fn create(db: &sql::Db) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn any_number_of_rows_goes_in() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut next = 0i64;
        for count in [0, 1, 2, 3, 15, 16, 17, 255, 256, 257, 1000] {
            let mut tx = fresh.db.begin().await.unwrap();
            let rows = (next..next + count).map(|id| row(id, "x")).collect();
            tx.bulk_insert("things", COLUMNS, rows).await.unwrap();
            tx.commit().await.unwrap();
            next += count;
        }
        let ids: Vec<i64> = names(&fresh.db).await.into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, (0..next).collect::<Vec<_>>(), "{}", fresh.name);
    }
}

#[tokio::test]
async fn upsert_replaces_and_the_later_of_two_rows_wins() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut tx = fresh.db.begin().await.unwrap();
        tx.bulk_insert("things", COLUMNS, vec![row(1, "old"), row(2, "kept")]).await.unwrap();
        let rows = vec![row(1, "new"), row(3, "first"), row(3, "second")];
        tx.bulk_upsert("things", COLUMNS, &["id"], rows).await.unwrap();
        tx.bulk_insert_missing("things", COLUMNS, vec![row(2, "lost"), row(4, "missing")]).await.unwrap();
        tx.commit().await.unwrap();
        let expected = [(1, "new"), (2, "kept"), (3, "second"), (4, "missing")];
        assert_eq!(names(&fresh.db).await, expected.map(|(id, name)| (id, name.to_string())), "{}", fresh.name);
    }
}

#[tokio::test]
async fn unique_violation_names_the_constraint_and_stores_nothing() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let error = match tx.bulk_insert("things", COLUMNS, vec![row(1, "a"), row(1, "b")]).await {
            Ok(()) => tx.flush().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(&error, SqlError::Unique { constraint } if constraint.contains("things")), "{}: {error}", fresh.name);
        assert!(!error.is_transient());
        // PostgreSQL would answer this commit with a silent rollback.
        assert!(matches!(tx.commit().await, Err(SqlError::Refused(_))), "{}", fresh.name);
        assert_eq!(names(&fresh.db).await, []);
    }
}

/// Rows go in groups, and a group that fails leaves its first rows in the transaction: with it they go, whoever tries to keep them.
#[tokio::test]
async fn rows_before_one_that_is_refused_are_not_stored() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        for refused in [1, 15, 16, 31, 32, 39] {
            let rows = || (0..40).map(|id| row(if id == refused { refused - 1 } else { id }, "x")).collect();
            let mut tx = fresh.db.begin().await.unwrap();
            let told = match tx.bulk_insert("things", COLUMNS, rows()).await {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            };
            assert!(matches!(told, Err(SqlError::Unique { .. })), "{}, {refused}: {told:?}", fresh.name);
            // Somebody who is told, and goes on as if nothing were.
            let mut tx = fresh.db.begin().await.unwrap();
            if tx.bulk_insert("things", COLUMNS, rows()).await.is_ok() {
                assert!(matches!(tx.flush().await, Err(SqlError::Unique { .. })), "{}, {refused}", fresh.name);
            }
            let _ = tx.bulk_insert("things", COLUMNS, vec![row(99, "x")]).await;
            assert!(matches!(tx.commit().await, Err(SqlError::Refused(_))), "{}, {refused}", fresh.name);
            assert_eq!(names(&fresh.db).await, [], "{}, {refused}", fresh.name);
        }
    }
}

#[tokio::test]
async fn cell_of_another_kind_is_refused_before_it_is_sent() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut tx = fresh.db.begin().await.unwrap();
        for bad in [vec![Value::from("1"), Value::from("a")], vec![Value::from(1i64)]] {
            assert!(matches!(tx.bulk_insert("things", COLUMNS, vec![bad]).await, Err(SqlError::Refused(_))));
        }
        assert!(matches!(tx.bulk_upsert("things", COLUMNS, &["nope"], vec![row(1, "a")]).await, Err(SqlError::Refused(_))));
        tx.bulk_insert("things", COLUMNS, vec![row(1, "a")]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// What is put off is seen by what follows in the transaction, undone with it, and its fault is told at the end at the latest.
#[tokio::test]
async fn what_is_put_off_is_as_good_as_sent() {
    for fresh in fresh().await {
        create(&fresh.db).await;
        let mut tx = fresh.db.begin().await.unwrap();
        tx.bulk_insert("things", COLUMNS, vec![row(1, "a")]).await.unwrap();
        tx.defer("UPDATE things SET name = $2 WHERE id = $1 AND name <> $2", &[1i64.into(), "b".into()]).await.unwrap();
        assert_eq!(tx.execute("UPDATE things SET name = $1 WHERE name = $2", &["c".into(), "b".into()]).await.unwrap(), 1);
        tx.bulk_insert("things", COLUMNS, vec![row(2, "d")]).await.unwrap();
        let rows = tx.query("SELECT name FROM things WHERE id >= $1 ORDER BY id", &[1i64.into()]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.text("name").unwrap()).collect::<Vec<_>>(), ["c", "d"], "{}", fresh.name);
        tx.bulk_insert("things", COLUMNS, vec![row(3, "e")]).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = fresh.db.begin().await.unwrap();
        tx.bulk_insert("things", COLUMNS, vec![row(4, "gone")]).await.unwrap();
        tx.rollback().await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        tx.bulk_insert("things", COLUMNS, vec![row(4, "gone")]).await.unwrap();
        drop(tx);

        let mut tx = fresh.db.begin().await.unwrap();
        let told = match tx.bulk_insert("things", COLUMNS, vec![row(5, "gone"), row(3, "twice")]).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        assert!(matches!(told, Err(SqlError::Unique { .. })), "{}", fresh.name);
        // A transaction that nobody asked for anything leaves nothing to do.
        fresh.db.begin().await.unwrap().commit().await.unwrap();
        let expected = [(1, "c"), (2, "d"), (3, "e")];
        assert_eq!(names(&fresh.db).await, expected.map(|(id, name)| (id, name.to_string())), "{}", fresh.name);
    }
}
