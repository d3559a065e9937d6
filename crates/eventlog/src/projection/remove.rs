//! Removing the tables of builds that nobody needs any more.
//!
//! PostgreSQL drops a table of any size at once. SQLite looks at every page of it, in one transaction, and has one writer: everybody would
//! wait, for a large portfolio some seconds. So its rows go first, some hundred in a transaction, and then the empty table. All of it takes about
//! as long as building did, and others have their turn in between.

use sql::Dialect;

use super::ProjectionError;
use super::places::{self, Unwanted};
use super::registry::{BELIEVED, Projections};

/// Rows that one transaction removes: some milliseconds, and at worst as many pages of each index.
const PIECE_ROWS: u64 = 500;

impl Projections {
    /// Removes what builds of a projection have left that nobody needs any more, in pieces that hold nobody up. Where it ends before its end, the
    /// next call goes on, and the next start removes what is left. It waits first for as long as a reader may believe in an old table.
    ///
    /// # Errors
    /// The database.
    pub async fn remove_replaced(&self, name: &str) -> Result<(), ProjectionError> {
        let unwanted = places::unwanted(self.db(), self.consumer(), name).await?;
        if !unwanted.is_empty() {
            tokio::time::sleep(BELIEVED).await;
        }
        for build in unwanted {
            self.remove(name, &build).await?;
        }
        Ok(())
    }

    /// Removes one build, which nobody reads any more.
    pub(crate) async fn remove(&self, name: &str, build: &Unwanted) -> Result<(), ProjectionError> {
        for table in build.tables.iter().filter(|_| self.db().dialect() == Dialect::Sqlite) {
            let Some(piece) = self.piece_of(table).await? else { continue };
            let mut turn = self.turn();
            while self.remove_some(name, build, &piece).await? {
                turn.ends().await;
                turn = self.turn();
            }
        }
        self.drop_whole(name, build).await
    }

    /// The same where nobody waits yet: the tables go whole. What cannot be done now, because somebody reads them, is told and done later.
    pub(crate) async fn remove_at_start(&self, name: &str) {
        let removed = async {
            for build in places::unwanted(self.db(), self.consumer(), name).await? {
                self.drop_whole(name, &build).await?;
            }
            Ok::<_, ProjectionError>(())
        };
        if let Err(error) = removed.await {
            tracing::warn!(projection = name, %error, "tables of an old build stay for now");
        }
    }

    async fn drop_whole(&self, name: &str, build: &Unwanted) -> Result<(), ProjectionError> {
        let mut tx = self.db().begin().await?;
        if places::is_unwanted(&mut tx, self.consumer(), name, build.number).await? {
            places::drop_build(&mut tx, self.consumer(), name, build.number).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The statement that removes a piece of a table of SQLite: the first rows by their numbers, or by their key where they have none. None
    /// where another process has dropped the table meanwhile.
    async fn piece_of(&self, table: &str) -> Result<Option<String>, ProjectionError> {
        let found = self.db().query("SELECT wr FROM pragma_table_list WHERE name = $1", &[table.into()]).await?;
        let Some(kind) = found.first() else { return Ok(None) };
        let mut place = "rowid".to_owned();
        if kind.int("wr")? != 0 {
            let key = self.db().query("SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk", &[table.into()]).await?;
            place = key.iter().map(|column| column.text("name")).collect::<Result<Vec<_>, _>>()?.join(", ");
        }
        let first = format!("SELECT {place} FROM {table} ORDER BY {place} LIMIT {PIECE_ROWS}");
        Ok(Some(format!("DELETE FROM {table} WHERE ({place}) IN ({first})")))
    }

    /// Removes a piece; false where nothing is left to remove, or another process has dropped the table meanwhile.
    async fn remove_some(&self, name: &str, build: &Unwanted, piece: &str) -> Result<bool, ProjectionError> {
        // What a crash takes back is removed by the next start.
        let mut tx = self.db().begin_relaxed().await?;
        if !places::is_unwanted(&mut tx, self.consumer(), name, build.number).await? {
            return Ok(false);
        }
        let removed = tx.execute(piece, &[]).await?;
        tx.commit().await?;
        Ok(removed == PIECE_ROWS)
    }
}
