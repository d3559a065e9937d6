//! Is the live read model what its events say? Built again from zero and compared by hash.

use std::sync::Arc;

use sql::{SqlError, Tx, Value};

use super::hash::{Fingerprint, Hasher, values_of};
use super::rebuild::Building;
use super::registry::Projections;
use super::table::TableDef;
use super::{Projection, ProjectionError};

/// Rows read at once for hashing.
const PAGE: usize = 2000;
/// How often a comparison starts again because a parked stream was retried meanwhile.
const ATTEMPTS: u32 = 5;

/// The live build beside one built from zero, both at the same positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The projection.
    pub name: String,
    /// Rows of the live build.
    pub rows: u64,
    /// Canonical hash of the live build.
    pub live_hash: String,
    /// Rows of the build from zero.
    pub rebuilt_rows: u64,
    /// Canonical hash of the build from zero.
    pub rebuilt_hash: String,
}

impl Verified {
    /// Whether both are the same.
    pub fn agrees(&self) -> bool {
        self.live_hash == self.rebuilt_hash
    }
}

impl Projections {
    /// Builds the projection from zero into tables of its own, compares, and drops them. The consumer's pages wait while both are
    /// hashed; readers do not.
    ///
    /// # Errors
    /// As [`Projections::rebuild`].
    pub async fn verify(&self, name: &str) -> Result<Verified, ProjectionError> {
        let projection = self.find(name)?;
        let _alone = self.one_build_at_a_time().await;
        for _ in 0..ATTEMPTS {
            let mut building = Building::start(self, Arc::clone(&projection), "_verify").await?;
            let result = self.compare(&mut building).await;
            // What was found out is told also where the tables must wait for the next start.
            if let Err(error) = building.discard().await {
                tracing::warn!(projection = name, %error, "tables of a comparison stay for now");
            }
            if let Some(verified) = result? {
                return Ok(verified);
            }
        }
        Err(ProjectionError::Declaration(format!("projection {name}: parked streams were retried during every attempt")))
    }

    async fn compare(&self, building: &mut Building<'_>) -> Result<Option<Verified>, ProjectionError> {
        if !building.follow().await? {
            return Ok(None);
        }
        let mut tx = self.db().begin().await?;
        let live = building.lock_out_pages(&mut tx).await?;
        let name = building.projection.name();
        if !super::places::is_building(&mut tx, self.consumer(), name, building.build.number).await? {
            return Ok(None);
        }
        building.finish_in(&mut tx).await?;
        let rebuilt = fingerprint(&mut tx, building.projection.as_ref(), &building.build.suffix).await?;
        let live = fingerprint(&mut tx, building.projection.as_ref(), &live.suffix).await?;
        Ok(Some(Verified {
            name: name.to_string(),
            rows: live.rows,
            live_hash: live.hash,
            rebuilt_rows: rebuilt.rows,
            rebuilt_hash: rebuilt.hash,
        }))
    }
}

async fn fingerprint(tx: &mut Tx, projection: &dyn Projection, suffix: &str) -> Result<Fingerprint, SqlError> {
    let mut hasher = Hasher::default();
    for table in projection.tables() {
        hasher.table(table);
        hash_rows(tx, table, suffix, &mut hasher).await?;
    }
    Ok(hasher.finish())
}

/// Reads a table page by page in the order of its key.
async fn hash_rows(tx: &mut Tx, table: &TableDef, suffix: &str, hasher: &mut Hasher) -> Result<(), SqlError> {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let key = table.key.join(", ");
    let places: Vec<String> = (1..=table.key.len()).map(|n| format!("${n}")).collect();
    let select = format!("SELECT {} FROM {}", columns.join(", "), table.physical(suffix));
    let first = format!("{select} ORDER BY {key} LIMIT {PAGE}");
    let further = format!("{select} WHERE ({key}) > ({}) ORDER BY {key} LIMIT {PAGE}", places.join(", "));
    let mut after: Vec<Value> = Vec::new();
    loop {
        let rows = tx.query(if after.is_empty() { &first } else { &further }, &after).await?;
        for row in &rows {
            let values = values_of(row, table.columns)?;
            hasher.row(&values);
            after = key_of(table, values);
        }
        if rows.len() < PAGE {
            return Ok(());
        }
    }
}

fn key_of(table: &TableDef, values: Vec<Value>) -> Vec<Value> {
    let of = |key: &&str| table.columns.iter().position(|column| column.name == *key);
    table.key.iter().filter_map(of).filter_map(|place| values.get(place).cloned()).collect()
}
