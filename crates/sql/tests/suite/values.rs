use chrono::{DateTime, NaiveDate};
use sql::{Column, Db, Dialect, Keys, Kind, Rows, SqlError, Tx, Value};
use uuid::Uuid;

use crate::databases::fresh;

const ALL: &[Column] = &[
    Column::optional("an_int", Kind::Int),
    Column::optional("a_text", Kind::Text),
    Column::optional("some_bytes", Kind::Bytes),
    Column::optional("a_bool", Kind::Bool),
    Column::optional("a_uuid", Kind::Uuid),
    Column::optional("a_date", Kind::Date),
    Column::optional("an_instant", Kind::Instant),
];

fn table(dialect: Dialect) -> String {
    let lines: Vec<String> = ALL.iter().map(|column| column.definition(dialect)).collect();
    format!("CREATE TABLE kinds ({})", lines.join(", "))
}

#[tokio::test]
async fn every_kind_comes_back_as_it_went_and_null_as_null() {
    for fresh in fresh().await {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
        let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        let full: Vec<Value> = vec![(-5i64).into(), "ação".into(), vec![0u8, 255].into(), true.into(), id.into(), date.into(), at.into()];
        let empty: Vec<Value> = vec![
            None::<i64>.into(),
            None::<String>.into(),
            None::<Vec<u8>>.into(),
            None::<bool>.into(),
            None::<Uuid>.into(),
            None::<NaiveDate>.into(),
            None::<DateTime<chrono::Utc>>.into(),
        ];
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute(&table(fresh.db.dialect()), &[]).await.unwrap();
        // One row with plain arguments, two in bulk.
        tx.execute("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7)", &full).await.unwrap();
        tx.bulk_insert("kinds", ALL, vec![full.clone(), empty]).await.unwrap();
        tx.commit().await.unwrap();

        let select = "SELECT * FROM kinds WHERE an_int = $1 AND a_date = $2 AND an_instant = $3 AND a_uuid = $4 AND a_bool = $5";
        let args: [Value; 5] = [(-5i64).into(), date.into(), at.into(), id.into(), true.into()];
        let rows = fresh.db.query(select, &args).await.unwrap();
        assert_eq!(rows.len(), 2, "{}", fresh.name);
        for row in rows {
            assert_eq!(row.int("an_int").unwrap(), -5);
            assert_eq!(row.text("a_text").unwrap(), "ação");
            assert_eq!(row.bytes("some_bytes").unwrap(), vec![0, 255]);
            assert!(row.bool("a_bool").unwrap());
            assert_eq!(row.uuid("a_uuid").unwrap(), id);
            assert_eq!(row.date("a_date").unwrap(), date);
            assert_eq!(row.instant("an_instant").unwrap(), at);
            assert!(matches!(row.int("a_text"), Err(SqlError::Column { .. })), "{}", fresh.name);
            assert!(matches!(row.int("missing"), Err(SqlError::Column { .. })), "{}", fresh.name);
        }
        let mut rows = fresh.db.query(select, &args).await.unwrap();
        let row = &mut rows[0];
        assert_eq!(row.take_bytes("some_bytes").unwrap(), vec![0, 255]);
        assert!(matches!(row.take_opt_text("an_int"), Err(SqlError::Column { .. })), "{}", fresh.name);
        assert!(matches!(row.take_opt_text("some_bytes"), Err(SqlError::Column { .. })), "{}", fresh.name);
        assert_eq!(row.take_text("a_text").unwrap(), "ação");
        if fresh.db.dialect() == Dialect::Sqlite {
            // Moved, not copied; nothing is read for what was there.
            assert!(matches!(row.opt_text("a_text"), Err(SqlError::Column { .. })));
            assert!(matches!(row.take_opt_text("a_text"), Err(SqlError::Column { .. })));
            assert!(matches!(row.bytes("some_bytes"), Err(SqlError::Column { .. })));
        }
        let mut rows = fresh.db.query("SELECT * FROM kinds WHERE an_int IS NULL", &[]).await.unwrap();
        let row = &mut rows[0];
        assert_eq!(row.take_opt_text("a_text").unwrap(), None);
        assert!(matches!(row.take_text("a_text"), Err(SqlError::Column { .. })));
        assert!(matches!(row.take_bytes("some_bytes"), Err(SqlError::Column { .. })));
        assert_eq!(row.opt_int("an_int").unwrap(), None);
        assert_eq!(row.opt_text("a_text").unwrap(), None);
        assert_eq!(row.opt_bytes("some_bytes").unwrap(), None);
        assert_eq!(row.opt_bool("a_bool").unwrap(), None);
        assert_eq!(row.opt_uuid("a_uuid").unwrap(), None);
        assert_eq!(row.opt_date("a_date").unwrap(), None);
        assert_eq!(row.opt_instant("an_instant").unwrap(), None);
        assert!(matches!(row.int("an_int"), Err(SqlError::Column { .. })));
    }
}

#[tokio::test]
async fn keys_join_like_a_table_whatever_stands_in_them() {
    const KEYS: &[Column] = &[Column::new("name", Kind::Text), Column::new("least", Kind::Int)];
    for fresh in fresh().await {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE things (name TEXT NOT NULL, size BIGINT NOT NULL)", &[]).await.unwrap();
        let names = ["plain", "qu\"ote", "back\\slash", "new\nline", "ção", "{keys}"];
        for name in names {
            for size in [1i64, 2, 3] {
                tx.execute("INSERT INTO things VALUES ($1, $2)", &[name.into(), size.into()]).await.unwrap();
            }
        }
        let keys = |least: i64| Keys { columns: KEYS, rows: names.iter().map(|name| vec![(*name).into(), least.into()]).collect() };
        let select = "SELECT t.name, t.size FROM {keys} k CROSS JOIN things t WHERE t.name = k.name AND t.size > k.least AND t.size < $1";
        assert_eq!(tx.query_keyed(select, keys(1), &[3i64.into()]).await.unwrap().len(), names.len(), "{}", fresh.name);
        let named = Keys { columns: &KEYS[..1], rows: names.iter().map(|name| vec![(*name).into()]).collect() };
        tx.bulk_delete("things", named, Some(("size = $1", &[2i64.into()]))).await.unwrap();
        let none = Keys { columns: KEYS, rows: Vec::new() };
        tx.bulk_delete("things", none, None).await.unwrap();
        tx.commit().await.unwrap();
        let left = fresh.db.query_keyed(select, keys(1), &[9i64.into()]).await.unwrap();
        assert_eq!(left.len(), names.len());
    }
}

/// A server knows nothing of a table that grew since it last looked, and a plan that reads all of it is kept.
#[tokio::test]
async fn keys_are_looked_up_one_by_one_in_a_table_that_nobody_has_analysed() {
    const NAME: &[Column] = &[Column::new("name", Kind::Text)];
    const THING: &[Column] = &[Column::new("name", Kind::Text), Column::new("size", Kind::Int)];
    for fresh in fresh().await {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE things (name TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL)", &[]).await.unwrap();
        let thing = |number: i64| vec![format!("thing {number}").into(), number.into()];
        tx.bulk_insert("things", THING, (0..2_000).map(thing).collect()).await.unwrap();
        let keys = || Keys { columns: NAME, rows: (0..300).map(|number| vec![format!("thing {number}").into()]).collect() };
        let select = "SELECT t.size FROM {keys} k CROSS JOIN things t WHERE t.name = k.name ORDER BY t.size";
        assert_eq!(tx.query_keyed(select, keys(), &[]).await.unwrap().len(), 300, "{}", fresh.name);
        if fresh.db.dialect() == Dialect::Postgres {
            let plan = tx.query_keyed(&format!("EXPLAIN {select}"), keys(), &[]).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.text("QUERY PLAN").unwrap()).collect();
            assert!(!plan.iter().any(|line| line.contains("Seq Scan on things")), "{plan:#?}");
        }
        tx.commit().await.unwrap();
    }
}

/// A server reads all of a table that it takes for small sooner than an index, or all of another index, and the plan is kept while the table grows.
#[tokio::test]
async fn keys_are_looked_up_one_by_one_in_a_small_table_too() {
    const NAME: &[Column] = &[Column::new("name", Kind::Text)];
    for (fresh, analysed) in
        [(fresh().await, false), (fresh().await, true)].into_iter().flat_map(|(all, is)| all.into_iter().map(move |one| (one, is)))
    {
        if fresh.db.dialect() == Dialect::Sqlite {
            continue;
        }
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE things (name TEXT NOT NULL PRIMARY KEY, size BIGINT NOT NULL)", &[]).await.unwrap();
        tx.execute("CREATE INDEX things_size ON things (size)", &[]).await.unwrap();
        let grow = "INSERT INTO things SELECT 'thing ' || n, n FROM generate_series($1, $2) n";
        if analysed {
            tx.execute(grow, &[1i64.into(), 20i64.into()]).await.unwrap();
            tx.execute("ANALYZE things", &[]).await.unwrap();
        }
        let keys =
            |from: i64| Keys { columns: NAME, rows: (from..from + 2).map(|number| vec![format!("thing {number}").into()]).collect() };
        let select = "SELECT t.size FROM {keys} k CROSS JOIN things t WHERE t.name = k.name";
        let delete =
            async |tx: &mut Tx, from: i64| tx.bulk_delete("things", keys(from), Some(("size > $1", &[1_000i64.into()]))).await.unwrap();
        let seen = async |tx: &mut Tx| {
            let sql = "SELECT CAST(MAX(t.seq_tup_read) + SUM(pg_stat_get_xact_tuples_returned(i.indexrelid)) AS BIGINT) AS seen \
                       FROM pg_stat_xact_user_tables t JOIN pg_index i ON i.indrelid = t.relid WHERE t.relid = 'things'::regclass";
            tx.query(sql, &[]).await.unwrap()[0].int("seen").unwrap()
        };
        // More often than a server plans anew.
        for round in 0..8 {
            tx.query_keyed(select, keys(round), &[]).await.unwrap();
            delete(&mut tx, round).await;
        }
        tx.execute(grow, &[1_001i64.into(), 6_000i64.into()]).await.unwrap();
        let before = seen(&mut tx).await;
        for round in 0..8 {
            assert_eq!(tx.query_keyed(select, keys(2 * round + 2_000), &[]).await.unwrap().len(), 2);
            delete(&mut tx, 2 * round + 2_000).await;
            assert!(tx.query_keyed(select, keys(2 * round + 2_000), &[]).await.unwrap().is_empty());
        }
        let looked_at = seen(&mut tx).await - before;
        assert!(looked_at <= 64, "{looked_at} rows for 32, analysed: {analysed}");
        let plan = tx.query("EXPLAIN SELECT * FROM things WHERE name LIKE '%7'", &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.text("QUERY PLAN").unwrap()).collect();
        assert!(!plan.iter().any(|line| line.contains("JIT")), "{plan:#?}");
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn rows_of_several_tables_and_a_statement_go_together() {
    const NUMBER: &[Column] = &[Column::new("number", Kind::Int)];
    const NAMED: &[Column] = &[Column::new("name", Kind::Text), Column::new("number", Kind::Int)];
    for fresh in fresh().await {
        let mut tx = fresh.db.begin().await.unwrap();
        for sql in
            ["CREATE TABLE a (number BIGINT PRIMARY KEY)", "CREATE TABLE b (name TEXT, number BIGINT)", "CREATE TABLE top (id BIGINT)"]
        {
            tx.execute(sql, &[]).await.unwrap();
        }
        tx.execute("INSERT INTO top VALUES (0)", &[]).await.unwrap();
        let parts = |from: i64| {
            let a = Rows { table: "a", columns: NUMBER, rows: (from..from + 3).map(|number| vec![number.into()]).collect() };
            let b = Rows { table: "b", columns: NAMED, rows: vec![vec!["x".into(), from.into()]] };
            vec![a, Rows { table: "b", columns: NAMED, rows: Vec::new() }, b]
        };
        tx.bulk_insert_all(parts(1), Some(("UPDATE top SET id = $1", &[7_i64.into()]))).await.unwrap();
        tx.bulk_insert_all(Vec::new(), Some(("UPDATE top SET id = id + $1", &[1_i64.into()]))).await.unwrap();
        tx.bulk_insert_all(parts(11), None).await.unwrap();
        tx.bulk_insert_all(Vec::new(), None).await.unwrap();
        tx.commit().await.unwrap();
        let sql = "SELECT (SELECT COUNT(*) FROM a) AS a, (SELECT COUNT(*) FROM b) AS b, (SELECT MAX(id) FROM top) AS top";
        let row = fresh.db.query(sql, &[]).await.unwrap().remove(0);
        assert_eq!(["a", "b", "top"].map(|name| row.int(name).unwrap()), [6, 2, 8], "{}", fresh.name);

        let mut tx = fresh.db.begin().await.unwrap();
        let again = async {
            tx.bulk_insert_all(parts(3), Some(("UPDATE top SET id = $1", &[9_i64.into()]))).await?;
            tx.flush().await
        };
        assert!(matches!(again.await, Err(SqlError::Unique { .. })), "{}", fresh.name);
    }
}

async fn table_of_numbers(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE a (number BIGINT PRIMARY KEY)", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

/// A row of that table.
fn number(number: i64) -> Vec<Rows<'static>> {
    const NUMBER: &[Column] = &[Column::new("number", Kind::Int)];
    vec![Rows { table: "a", columns: NUMBER, rows: vec![vec![number.into()]] }]
}

#[tokio::test]
async fn what_went_ahead_and_failed_is_told_before_anything_else_is_done() {
    for fresh in fresh().await {
        table_of_numbers(&fresh.db).await;

        let mut tx = fresh.db.begin().await.unwrap();
        tx.insert_ahead(number(1)).await.unwrap();
        tx.insert_ahead(number(1)).await.unwrap();
        assert!(matches!(tx.flush().await, Err(SqlError::Unique { .. })), "{}", fresh.name);
        assert!(tx.commit().await.is_err(), "{}", fresh.name);

        let mut tx = fresh.db.begin().await.unwrap();
        tx.insert_ahead(number(2)).await.unwrap();
        let found = tx.query("SELECT number FROM a", &[]).await.unwrap();
        assert_eq!(found.len(), 1, "{}: a query sees what went ahead", fresh.name);
        drop(tx);
        assert_eq!(fresh.db.query("SELECT number FROM a", &[]).await.unwrap().len(), 0, "{}", fresh.name);
    }
}

/// Whoever has more rows by then sends them in one statement, instead of waiting for each.
#[tokio::test]
async fn who_sends_ahead_can_see_whether_it_would_wait() {
    for fresh in fresh().await {
        table_of_numbers(&fresh.db).await;
        if fresh.db.dialect() == Dialect::Sqlite {
            let mut tx = fresh.db.begin().await.unwrap();
            tx.insert_ahead(number(1)).await.unwrap();
            assert!(tx.goes_ahead(), "its thread takes what comes");
            continue;
        }
        let mut first = fresh.db.begin().await.unwrap();
        first.insert_ahead(number(1)).await.unwrap();
        first.flush().await.unwrap();
        let mut second = fresh.db.begin().await.unwrap();
        assert!(second.goes_ahead());
        second.insert_ahead(number(1)).await.unwrap();
        assert!(!second.goes_ahead(), "it waits for the row of the first");
        first.rollback().await.unwrap();
        while !second.goes_ahead() {
            tokio::task::yield_now().await;
        }
        second.insert_ahead(number(2)).await.unwrap();
        second.commit().await.unwrap();
        assert_eq!(fresh.db.query("SELECT number FROM a", &[]).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_transaction_begins_at_once_only_where_nobody_is_before_it() {
    for fresh in fresh().await {
        let begins = fresh.db.dialect() == Dialect::Sqlite;
        let now = fresh.db.begin_now();
        assert_eq!(now.is_some(), begins, "{}", fresh.name);
        drop(now);
        let mut has_it = fresh.db.begin().await.unwrap();
        has_it.execute("CREATE TABLE a (number BIGINT PRIMARY KEY)", &[]).await.unwrap();
        assert!(fresh.db.begin_now().is_none(), "{}", fresh.name);
        let waits = tokio::spawn({
            let db = fresh.db.clone();
            async move { db.begin().await.unwrap() }
        });
        // This runtime has one thread: now it waits.
        tokio::task::yield_now().await;
        has_it.commit().await.unwrap();
        assert!(fresh.db.begin_now().is_none(), "{}: whoever waits comes first", fresh.name);
        waits.await.unwrap().rollback().await.unwrap();
        let mut now = fresh.db.begin().await.unwrap();
        now.execute("INSERT INTO a (number) VALUES (1)", &[]).await.unwrap();
        now.commit().await.unwrap();
        let Some(mut now) = fresh.db.begin_now() else {
            assert!(!begins);
            continue;
        };
        now.execute("INSERT INTO a (number) VALUES (2)", &[]).await.unwrap();
        now.commit().await.unwrap();
        assert_eq!(fresh.db.query("SELECT number FROM a", &[]).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_must_change_a_row_fails_where_somebody_was_there_first() {
    for fresh in fresh().await {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE head (position BIGINT)", &[]).await.unwrap();
        tx.execute("INSERT INTO head VALUES (4)", &[]).await.unwrap();
        tx.require("UPDATE head SET position = $1 WHERE position = $2", &[5_i64.into(), 4_i64.into()]).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = fresh.db.begin().await.unwrap();
        let late = async {
            tx.require("UPDATE head SET position = $1 WHERE position = $2", &[6_i64.into(), 4_i64.into()]).await?;
            tx.defer("INSERT INTO head VALUES (7)", &[]).await?;
            tx.commit().await
        };
        assert!(matches!(late.await, Err(SqlError::Busy(_))), "{}", fresh.name);
        let rows = fresh.db.query("SELECT position FROM head", &[]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.int("position").unwrap()).collect::<Vec<_>>(), [5], "{}", fresh.name);
    }
}
