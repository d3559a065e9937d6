use sql::{Db, Dialect, SqlError};

use crate::databases::fresh;

async fn grow(db: &Db, rows: i64) -> Result<(), SqlError> {
    let mut tx = db.begin().await?;
    for _ in 0..rows {
        tx.execute("INSERT INTO pages VALUES ($1)", &[vec![7u8; 4000].into()]).await?;
    }
    tx.commit().await
}

/// A limit on the pages of the file stands for a disk without space: SQLite answers both with the same code.
#[tokio::test]
async fn full_disk_is_told_apart_stores_nothing_and_passes_when_there_is_space() {
    for fresh in fresh().await {
        if fresh.db.dialect() != Dialect::Sqlite {
            continue;
        }
        let mut tx = fresh.db.begin().await.unwrap();
        tx.execute("CREATE TABLE pages (bytes BLOB NOT NULL)", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        tx.query("PRAGMA max_page_count = 40", &[]).await.unwrap();
        tx.commit().await.unwrap();

        grow(&fresh.db, 5).await.unwrap();
        let error = grow(&fresh.db, 100).await.unwrap_err();
        assert!(matches!(error, SqlError::DiskFull), "{error}");
        assert!(error.is_transient());
        assert_eq!(fresh.db.query("SELECT bytes FROM pages", &[]).await.unwrap().len(), 5);

        let mut tx = fresh.db.begin().await.unwrap();
        tx.query("PRAGMA max_page_count = 4000", &[]).await.unwrap();
        tx.commit().await.unwrap();
        grow(&fresh.db, 100).await.unwrap();
        assert_eq!(fresh.db.query("SELECT bytes FROM pages", &[]).await.unwrap().len(), 105);
    }
}
