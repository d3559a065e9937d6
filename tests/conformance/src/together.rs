//! Places and effects of a consumer, which move in one transaction or not at all.

use anyhow::{Result, ensure};

use crate::account::BOOKED;
use crate::storage::Durable;

/// What is stored of the mirror's consumer, read from its database: everything that must move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Together {
    /// Messages up to the stored places.
    pub(crate) passed: u64,
    /// Messages in the archive.
    pub(crate) archived: u64,
    /// Amounts in the archive.
    pub(crate) booked: u64,
    /// Amounts in the mirror's log.
    pub(crate) mirrored: u64,
    /// Amounts in the read model.
    pub(crate) modelled: u64,
}

impl Together {
    pub(crate) async fn of(mirror: &impl Durable) -> Result<Together> {
        let db = mirror.database().await?;
        let count = async |sql: &str| -> Result<u64> {
            let rows = db.query(sql, &[]).await?;
            Ok(rows.first().map_or(Ok(0), |row| row.int("n"))?.unsigned_abs())
        };
        Ok(Together {
            passed: count("SELECT CAST(COALESCE(SUM(next_offset), 0) AS BIGINT) AS n FROM consumer_offset").await?,
            archived: count("SELECT COUNT(*) AS n FROM consumer_archive WHERE state = 0").await?,
            booked: count(&format!("SELECT COUNT(*) AS n FROM consumer_archive WHERE event_type = '{BOOKED}'")).await?,
            mirrored: count("SELECT COUNT(*) AS n FROM events").await?,
            modelled: count("SELECT CAST(COALESCE(SUM(entries), 0) AS BIGINT) AS n FROM balances_v1").await?,
        })
    }

    /// Whether places, archive, log and read model are at one point.
    pub(crate) fn agree(&self) -> Result<()> {
        let at_one = self.passed == self.archived && self.booked == self.mirrored && self.booked == self.modelled;
        ensure!(at_one, "places and effects have moved apart: {self:?}");
        Ok(())
    }
}
