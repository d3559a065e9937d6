//! Names of before there was a search: made searchable by the first start that finds them.

use crate::{grpc::Server, query};
use sql::SqlError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows that are made searchable at a time.
const PAGE: i64 = 500;
/// How long it waits for a database that does not answer.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Server {
    /// Until every name can be found, or the service stops.
    pub(crate) async fn make_searchable(self, stop: CancellationToken) {
        loop {
            match self.make_page_searchable().await {
                Ok(0) => return,
                Ok(rows) => tracing::info!(rows, "names were made searchable"),
                Err(error) => {
                    tracing::warn!(%error, "names are not searchable yet");
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(AGAIN_AFTER) => {}
                    }
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// A name without any letter stays as it is, and is not looked at again: a blank marks it.
    async fn make_page_searchable(&self) -> Result<usize, SqlError> {
        let text = "SELECT tenant, customer_id, name FROM customer_contact WHERE name_search = '' AND name <> '' LIMIT $1";
        let rows = self.db.query(text, &[PAGE.into()]).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut tx = self.db.begin().await?;
        for row in &rows {
            let (tenant, customer_id, name) = (row.text("tenant")?, row.text("customer_id")?, row.text("name")?);
            let found = query::searchable(&name);
            let found = if found.is_empty() { " ".to_owned() } else { found };
            // Whoever changed the name meanwhile has made it searchable.
            let text = "UPDATE customer_contact SET name_search = $1 WHERE tenant = $2 AND customer_id = $3 AND name = $4";
            tx.execute(text, &[found.into(), tenant.into(), customer_id.into(), name.into()]).await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }
}
