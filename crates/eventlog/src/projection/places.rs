//! Builds of a projection in the database: which one is live, which are under way, and how far those have read.

use std::collections::HashMap;

use sql::{Db, Dialect, Row, SqlError, Step, Tx, Value};

use super::Projection;
use crate::bus::Place;

/// The build that readers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// Number of the build; 0 while none was ever finished.
    pub build: i64,
    /// The projection's version that it was built with.
    pub version: u32,
    /// What its tables' names end in.
    pub suffix: String,
}

/// A build that is not live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    pub number: i64,
    pub version: u32,
    pub suffix: String,
}

/// Asks for the live builds of a consumer's projections. On PostgreSQL they stay so until the transaction ends.
pub(crate) fn ask_live(dialect: Dialect, consumer: &str) -> Step<'static> {
    // SQLite has one writing transaction at a time and needs no lock.
    let sql = match dialect {
        Dialect::Sqlite => "SELECT name, build, version, suffix FROM projection_live WHERE consumer = $1",
        Dialect::Postgres => "SELECT name, build, version, suffix FROM projection_live WHERE consumer = $1 ORDER BY name FOR SHARE",
    };
    Step { sql, args: vec![consumer.into()], keys: None }
}

/// The live builds, asked alone.
pub(crate) async fn live_builds(tx: &mut Tx, dialect: Dialect, consumer: &str) -> Result<HashMap<String, Live>, SqlError> {
    let Step { sql, args, .. } = ask_live(dialect, consumer);
    live_of(&tx.query(sql, &args).await?)
}

/// The answer to [`ask_live`].
pub(crate) fn live_of(rows: &[Row]) -> Result<HashMap<String, Live>, SqlError> {
    rows.iter()
        .map(|row| {
            let live = Live { build: row.int("build")?, version: row.int("version")? as u32, suffix: row.text("suffix")? };
            Ok((row.text("name")?, live))
        })
        .collect()
}

/// Says that a build is live, or that there is none yet. Locks out every page until the transaction ends.
pub(crate) async fn set_live(tx: &mut Tx, consumer: &str, name: &str, live: &Live) -> Result<(), SqlError> {
    let sql = "INSERT INTO projection_live (consumer, name, build, version, suffix) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (consumer, name) DO UPDATE SET build = excluded.build, version = excluded.version, suffix = excluded.suffix";
    let args: [Value; 5] = [consumer.into(), name.into(), live.build.into(), i64::from(live.version).into(), live.suffix.as_str().into()];
    tx.execute(sql, &args).await?;
    Ok(())
}

/// Notes that no build of a projection is live yet; false when somebody has noted something before, perhaps at the same moment.
pub(crate) async fn claim(tx: &mut Tx, consumer: &str, name: &str) -> Result<bool, SqlError> {
    let sql = "INSERT INTO projection_live (consumer, name, build, version, suffix) VALUES ($1, $2, 0, 0, '') ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, &[consumer.into(), name.into()]).await? == 1)
}

/// Drops what a process that died was building, or was removing. Only where no other process can be building, and nobody waits: the tables go
/// whole.
pub(crate) async fn drop_abandoned(tx: &mut Tx, consumer: &str, name: &str) -> Result<(), SqlError> {
    let sql = "SELECT build FROM projection_build WHERE consumer = $1 AND name = $2 AND state <> 'kept'";
    for row in tx.query(sql, &[consumer.into(), name.into()]).await? {
        drop_build(tx, consumer, name, row.int("build")?).await?;
    }
    Ok(())
}

/// Creates the tables of a new build and notes it. `label` is empty for a build that will be live.
pub(crate) async fn create(
    tx: &mut Tx,
    dialect: Dialect,
    consumer: &str,
    projection: &dyn Projection,
    label: &str,
) -> Result<Build, SqlError> {
    let sql = "SELECT build, suffix FROM projection_build WHERE consumer = $1 AND name = $2";
    let rows = tx.query(sql, &[consumer.into(), projection.name().into()]).await?;
    let mut number = 1;
    let mut suffix = format!("v{}{label}", projection.version());
    let mut taken = false;
    for row in &rows {
        number = number.max(row.int("build")? + 1);
        taken |= row.text("suffix")? == suffix;
    }
    if taken || !label.is_empty() {
        suffix = format!("{suffix}_{number}");
    }
    let mut names = Vec::new();
    for table in projection.tables() {
        for statement in table.ddl(&suffix, dialect) {
            tx.execute(&statement, &[]).await?;
        }
        names.push(table.physical(&suffix));
    }
    let sql = "INSERT INTO projection_build (consumer, name, build, version, suffix, tables, state) \
               VALUES ($1, $2, $3, $4, $5, $6, 'building')";
    let args: [Value; 6] = [
        consumer.into(),
        projection.name().into(),
        number.into(),
        i64::from(projection.version()).into(),
        suffix.as_str().into(),
        names.join(",").into(),
    ];
    tx.execute(sql, &args).await?;
    Ok(Build { number, version: projection.version(), suffix })
}

/// Whether a build is still good: nobody dropped it and no parked message was applied behind its back.
pub(crate) async fn is_building(tx: &mut Tx, consumer: &str, name: &str, build: i64) -> Result<bool, SqlError> {
    has_state(tx, (consumer, name, build), "building").await
}

/// Marks all builds under way as stale, because messages were applied out of the order of offsets.
pub(crate) async fn spoil(tx: &mut Tx, consumer: &str) -> Result<(), SqlError> {
    tx.execute("UPDATE projection_build SET state = 'stale' WHERE consumer = $1 AND state = 'building'", &[consumer.into()]).await?;
    Ok(())
}

/// Keeps two builds, the live one and the one before it. Nobody needs the others any more; a process that is at one of them finds out.
pub(crate) async fn keep_only(tx: &mut Tx, consumer: &str, name: &str, keep: [i64; 2]) -> Result<(), SqlError> {
    let sql = "UPDATE projection_build SET state = CASE WHEN build IN ($3, $4) THEN 'kept' ELSE 'unwanted' END \
               WHERE consumer = $1 AND name = $2";
    tx.execute(sql, &[consumer.into(), name.into(), keep[0].into(), keep[1].into()]).await?;
    Ok(())
}

/// Says that nobody needs a build any more, unless it is live: a commit that was not answered may have put it in place.
pub(crate) async fn give_up(tx: &mut Tx, consumer: &str, name: &str, build: i64) -> Result<(), SqlError> {
    let sql = "UPDATE projection_build SET state = 'unwanted' WHERE consumer = $1 AND name = $2 AND build = $3 AND NOT EXISTS \
               (SELECT 1 FROM projection_live WHERE consumer = $1 AND name = $2 AND build = $3)";
    tx.execute(sql, &[consumer.into(), name.into(), build.into()]).await?;
    Ok(())
}

/// A build that nobody needs any more and whose tables may be there.
pub(crate) struct Unwanted {
    pub number: i64,
    pub tables: Vec<String>,
}

/// The builds of a projection that nobody needs any more.
pub(crate) async fn unwanted(db: &Db, consumer: &str, name: &str) -> Result<Vec<Unwanted>, SqlError> {
    let sql = "SELECT build, tables FROM projection_build WHERE consumer = $1 AND name = $2 AND state = 'unwanted' ORDER BY build";
    let rows = db.query(sql, &[consumer.into(), name.into()]).await?;
    rows.iter().map(|row| Ok(Unwanted { number: row.int("build")?, tables: tables_of(row)? })).collect()
}

/// Whether nobody needs a build, still: it may be gone meanwhile, and its number another one's.
pub(crate) async fn is_unwanted(tx: &mut Tx, consumer: &str, name: &str, build: i64) -> Result<bool, SqlError> {
    has_state(tx, (consumer, name, build), "unwanted").await
}

async fn has_state(tx: &mut Tx, (consumer, name, build): (&str, &str, i64), state: &str) -> Result<bool, SqlError> {
    let sql = "SELECT build FROM projection_build WHERE consumer = $1 AND name = $2 AND build = $3 AND state = $4";
    Ok(!tx.query(sql, &[consumer.into(), name.into(), build.into(), state.into()]).await?.is_empty())
}

fn tables_of(row: &Row) -> Result<Vec<String>, SqlError> {
    Ok(row.text("tables")?.split(',').filter(|table| !table.is_empty()).map(str::to_owned).collect())
}

/// Drops the tables of a build and forgets it.
pub(crate) async fn drop_build(tx: &mut Tx, consumer: &str, name: &str, build: i64) -> Result<(), SqlError> {
    let args: [Value; 3] = [consumer.into(), name.into(), build.into()];
    let sql = "SELECT tables FROM projection_build WHERE consumer = $1 AND name = $2 AND build = $3";
    for row in tx.query(sql, &args).await? {
        for table in tables_of(&row)? {
            tx.execute(&format!("DROP TABLE IF EXISTS {table}"), &[]).await?;
        }
    }
    tx.execute("DELETE FROM projection_offset WHERE consumer = $1 AND name = $2 AND build = $3", &args).await?;
    tx.execute("DELETE FROM projection_build WHERE consumer = $1 AND name = $2 AND build = $3", &args).await?;
    Ok(())
}

/// Notes how far a build has read.
pub(crate) async fn note_place(tx: &mut Tx, consumer: &str, name: &str, build: i64, at: (&Place, i64)) -> Result<(), SqlError> {
    let sql = "INSERT INTO projection_offset (consumer, name, build, topic, part, next_offset) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (consumer, name, build, topic, part) DO UPDATE SET next_offset = excluded.next_offset";
    let (place, next) = at;
    let part = i64::from(place.partition);
    let args: [Value; 6] = [consumer.into(), name.into(), build.into(), place.topic.as_str().into(), part.into(), next.into()];
    tx.execute(sql, &args).await?;
    Ok(())
}
