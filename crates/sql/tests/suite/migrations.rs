use sql::Migration;

use crate::databases::fresh;

const FIRST: Migration = Migration {
    version: 1,
    name: "test_0001_a",
    sqlite: "CREATE TABLE a (id INTEGER); INSERT INTO a VALUES (1);",
    postgres: "CREATE TABLE a (id BIGINT); INSERT INTO a VALUES (1);",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "test_0002_b",
    sqlite: "INSERT INTO a VALUES (2); CREATE TABLE b (id INTEGER);",
    postgres: "INSERT INTO a VALUES (2); CREATE TABLE b (id BIGINT);",
};
const BROKEN: Migration = Migration {
    version: 3,
    name: "test_0003_c",
    sqlite: "CREATE TABLE c (id INTEGER); NONSENSE",
    postgres: "CREATE TABLE c (id BIGINT); NONSENSE",
};

#[tokio::test]
async fn migrations_run_once_in_order_also_when_many_start_together() {
    for fresh in fresh().await {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let db = fresh.db.clone();
                tokio::spawn(async move { db.migrate(&[SECOND, FIRST]).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let rows = fresh.db.query("SELECT id FROM a ORDER BY id", &[]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.int("id").unwrap()).collect::<Vec<_>>(), [1, 2], "{}", fresh.name);
    }
}

#[tokio::test]
async fn a_broken_migration_leaves_nothing_behind() {
    for fresh in fresh().await {
        assert!(fresh.db.migrate(&[FIRST, BROKEN]).await.is_err());
        assert!(fresh.db.query("SELECT id FROM a", &[]).await.is_err(), "{}", fresh.name);
        fresh.db.migrate(&[FIRST]).await.unwrap();
        assert_eq!(fresh.db.query("SELECT id FROM a", &[]).await.unwrap().len(), 1);
    }
}
