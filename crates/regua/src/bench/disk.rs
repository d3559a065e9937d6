//! How often the disk itself says that something is safe.

use super::load::per_second;
use crate::progress;
use anyhow::Context;
use std::{
    fs::OpenOptions,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

const BLOCK: usize = 4096;
/// The file is written over and over, like a write-ahead log after its first checkpoint: growing it would cost more.
const BLOCKS: usize = 1024;

/// Writes of one block and a sync of its data, one after the other, a second.
///
/// # Errors
/// The file cannot be written.
pub async fn sync_rate(directory: &Path, long: Duration) -> anyhow::Result<f64> {
    let path = directory.join("disk.bin");
    tokio::task::spawn_blocking(move || {
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path);
        let mut file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        file.write_all(&vec![1; BLOCK * BLOCKS])?;
        file.sync_all()?;
        let (block, watch, mut done) = (vec![2; BLOCK], progress::stopwatch(), 0);
        while done == 0 || watch() < long {
            if done % BLOCKS as u64 == 0 {
                file.seek(SeekFrom::Start(0))?;
            }
            file.write_all(&block)?;
            file.sync_data()?;
            done += 1;
        }
        Ok(per_second(done, watch()))
    })
    .await?
}
