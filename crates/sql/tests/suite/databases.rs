//! A fresh database per test.

use std::sync::atomic::{AtomicU32, Ordering};

use sql::{Db, Durability};
use tempfile::TempDir;

/// A database that is deleted with it (a schema of PostgreSQL stays until the server goes).
pub struct Fresh {
    pub name: &'static str,
    pub db: Db,
    _folder: Option<TempDir>,
}

/// A new database of every kind that is there.
pub async fn fresh() -> Vec<Fresh> {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&folder.path().join("deep/test.db"), Durability::Full).await.unwrap();
    let mut all = vec![Fresh { name: "sqlite", db, _folder: Some(folder) }];
    match std::env::var("REGUA_TEST_POSTGRES") {
        Ok(url) => {
            let db = Db::connect_postgres(&url, &schema_name(), 8).await.unwrap();
            all.push(Fresh { name: "postgres", db, _folder: None });
        }
        Err(_) => println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set"),
    }
    all
}

pub fn schema_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("sql_{started}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
