use sql::{Db, Dialect, Migration};

use crate::databases::{fresh, schema_name};

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

/// What a connection has read must not become another thing for it.
#[tokio::test]
async fn sets_follow_each_other_on_one_connection() {
    let Ok(url) = std::env::var("REGUA_TEST_POSTGRES") else { return println!("skipped: REGUA_TEST_POSTGRES is not set") };
    let db = Db::connect_postgres(&url, &schema_name(), 1).await.unwrap();
    for set in [&[FIRST][..], &[SECOND], &[FIRST, SECOND]] {
        db.migrate(set).await.unwrap();
    }
}

const NAMED: Migration = Migration {
    version: 4,
    name: "test_0004_named",
    sqlite: "CREATE TABLE named (name TEXT NOT NULL PRIMARY KEY, note TEXT); ALTER TABLE older ADD COLUMN newer TEXT;",
    postgres: "CREATE TABLE named (name TEXT NOT NULL PRIMARY KEY, note TEXT); ALTER TABLE older ADD COLUMN newer TEXT;",
};

#[tokio::test]
async fn text_of_new_tables_is_in_the_order_of_its_bytes() {
    for fresh in fresh().await {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE older (label TEXT NOT NULL PRIMARY KEY)", &[]).await.unwrap();
        tx.commit().await.unwrap();
        // A connection that has read a table would not read it again, were its columns others.
        assert!(fresh.db.query("SELECT label FROM older", &[]).await.unwrap().is_empty());
        for migration in [FIRST, NAMED] {
            fresh.db.migrate(&[migration]).await.unwrap();
            assert!(fresh.db.query("SELECT label FROM older", &[]).await.unwrap().is_empty(), "{}", fresh.name);
        }
        let mut tx = fresh.db.begin().await.unwrap();
        for name in ["b", "é", "B", "a"] {
            tx.execute("INSERT INTO named (name) VALUES ($1)", &[name.into()]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let rows = fresh.db.query("SELECT name FROM named ORDER BY name", &[]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.text("name").unwrap()).collect::<Vec<_>>(), ["B", "a", "b", "é"], "{}", fresh.name);
        if fresh.db.dialect() == Dialect::Postgres {
            let sql = "SELECT c.relname || '.' || a.attname AS place, a.attcollation = 'pg_catalog.\"C\"'::regcollation AS in_byte_order \
                       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = current_schema()::regnamespace \
                       AND c.relkind IN ('r', 'i') AND a.attnum > 0 AND a.atttypid = 'text'::regtype ORDER BY 1";
            let rows = fresh.db.query(sql, &[]).await.unwrap();
            let found: Vec<_> = rows.iter().map(|row| (row.text("place").unwrap(), row.bool("in_byte_order").unwrap())).collect();
            let found: Vec<_> = found.iter().map(|(place, is)| (place.as_str(), *is)).collect();
            let named = [("named.name", true), ("named.note", true), ("named_pkey.name", true)];
            let older = [("older.label", false), ("older.newer", true), ("older_pkey.label", false)];
            let done = [("schema_migrations.name", true), ("schema_migrations_pkey.name", true)];
            let meant = [&named[..], &older[..], &done[..]].concat();
            assert_eq!(found, meant);
        }
    }
}
