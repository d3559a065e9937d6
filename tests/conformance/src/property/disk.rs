//! A disk without space.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use eventlog::{Activity, WriteError};
use tokio::process::Command;

use super::commands::carry_out;
use crate::Outcome;
use crate::account::numbered;
use crate::history::{Acknowledged, carries, whole};
use crate::process::{Victim, acknowledged};
use crate::storage::{Durable, Place, Sqlite, Storage};
use crate::world::Service;

/// Commands of a process that runs out of space.
const COMMANDS: u64 = 1500;
/// So many refusals in a row before there is space again.
const REFUSALS: u32 = 50;

/// The database may not grow any more, as on a full disk. The command is refused as such and leaves nothing, what was acknowledged stays,
/// and when there is space the same writer carries it out.
///
/// # Errors
/// What is wrong.
pub async fn a_full_database_is_refused_and_passes(storage: &Sqlite) -> Outcome {
    let service = Service::open(storage, &Activity::new()).await?;
    let db = service.log.db().cloned().context("a durable log has a database")?;
    let limit = async |pages: u64| -> Outcome {
        let mut tx = db.begin().await?;
        tx.query(&format!("PRAGMA max_page_count = {pages}"), &[]).await?;
        Ok(tx.commit().await?)
    };
    limit(60).await?;
    let mut told: Vec<Acknowledged> = Vec::new();
    let refused = loop {
        let n = told.len() as u64;
        match service.writer.submit(numbered(n)).await {
            Ok(written) => told.push(Acknowledged::new(format!("c{n}"), &written.appended)),
            Err(error) => break error,
        }
        ensure!(n < 10_000, "the database never gets full");
    };
    ensure!(refused == WriteError::DiskFull, "a full database is answered with {refused}");
    let events = whole(&storage.open().await?).await?;
    carries(&events, &told)?;
    ensure!(events.last().map(|last| last.position) == told.last().map(|last| last.last_position), "a refused command left something");
    limit(1_000_000).await?;
    for n in 0..told.len() as u64 + 50 {
        let (one, anew) = carry_out(&service, n).await?;
        ensure!(anew == (n >= told.len() as u64), "command {n}: {one:?}");
    }
    whole(&storage.open().await?).await?;
    Ok(())
}

/// A process runs into its limit of bytes in a file, which the system reports as an error of writing. It refuses commands without dying, and
/// when the limit is raised the same process carries out what it had refused.
///
/// # Errors
/// What is wrong.
pub async fn a_process_that_may_not_write_refuses_and_goes_on(storage: &Sqlite, victim: &Path) -> Outcome {
    let limited = "trap '' XFSZ; ulimit -S -f 600; exec \"$0\" \"$@\"";
    let process = start(limited, victim, &storage.place())?;
    let id = process.id()?.to_string();
    let look = async || Ok(storage.place());
    let raise = async || Ok(Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status().await?.success());
    refuses_and_goes_on(process, "unavailable", look, raise).await
}

/// A process runs out of space on a disk of its own. It refuses commands as long as that lasts, and carries them out when there is space.
/// Left out, with a line that says so, where a process may not mount anything for itself.
///
/// # Errors
/// What is wrong.
pub async fn a_disk_without_space_is_refused_and_passes(storage: &Sqlite, victim: &Path) -> Outcome {
    let own_disk = ["--mount", "--map-root-user"];
    let may = Command::new("unshare").args(own_disk).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output().await;
    if !may.is_ok_and(|done| done.status.success()) {
        println!("skipped on a disk of its own: a process may not mount one here");
        return Ok(());
    }
    let Place::Sqlite(file) = storage.place() else { anyhow::bail!("SQLite has a file") };
    let folder = file.parent().context("the file has a folder")?.display().to_string();
    // The disk is seen by this process only, and goes with it.
    let script = format!("mount -t tmpfs -o size=48m tmpfs {folder} && head -c 46m /dev/zero >{folder}/ballast && exec \"$0\" \"$@\"");
    let process = start(&format!("exec unshare --mount --map-root-user bash -c '{script}' \"$0\" \"$@\""), victim, &storage.place())?;
    let id = process.id()?;
    let disk = format!("/proc/{id}/root{folder}");
    let look = async || copied(id, Path::new(&disk), file.with_extension("copy"));
    let free = async || Ok(std::fs::remove_file(format!("{disk}/ballast")).is_ok());
    refuses_and_goes_on(process, "disk_full", look, free).await
}

/// The database as it would be found if the process died now: copied while the process is stopped.
fn copied(process: u32, disk: &Path, to: PathBuf) -> Result<Place> {
    let signal = |name: &str| std::process::Command::new("kill").args([name, &process.to_string()]).status();
    ensure!(signal("-STOP")?.success(), "the process cannot be stopped");
    let part = |of: &Path, end: &str| PathBuf::from(format!("{}{end}", of.display()));
    let copy = ["", "-wal"].map(|end| std::fs::copy(part(&disk.join("log.sqlite"), end), part(&to, end)));
    ensure!(signal("-CONT")?.success(), "the process cannot go on");
    // What an earlier copy had in shared memory says nothing about this one.
    let _ = std::fs::remove_file(part(&to, "-shm"));
    for part in copy {
        part?;
    }
    Ok(Place::Sqlite(to))
}

/// The process, behind a shell that prepares something first.
fn start(script: &str, victim: &Path, place: &Place) -> Result<Victim> {
    let arguments = ["-c".into(), script.into(), victim.display().to_string(), "write".into(), place.to_string(), "0".into()];
    let arguments: Vec<String> = arguments.into_iter().chain([COMMANDS.to_string()]).collect();
    Victim::spawn(Path::new("bash"), &arguments)
}

async fn refuses_and_goes_on(
    mut process: Victim,
    slug: &str,
    look: impl AsyncFn() -> Result<Place>,
    relieve: impl AsyncFn() -> Result<bool>,
) -> Outcome {
    let (mut told, mut refusals, mut relieved) = (Vec::new(), 0, false);
    loop {
        let line = process.says().await?;
        told.extend(acknowledged(&line));
        if line.starts_with("refused") && !relieved {
            ensure!(line.split(' ').nth(2) == Some(slug), "{line}, should be {slug}");
            refusals += 1;
            if refusals == 1 {
                println!("after {} acknowledgements: {line}", told.len());
            }
        }
        if refusals == REFUSALS && !relieved {
            carries(&whole(&look().await?.log(&Default::default()).await?).await?, &told).context("while it refuses")?;
            relieved = relieve().await?;
            ensure!(relieved, "no space could be made");
        }
        if line == "done" {
            break;
        }
    }
    ensure!(relieved, "the process never ran out of space");
    ensure!(told.len() as u64 == COMMANDS, "{} of {COMMANDS} commands acknowledged", told.len());
    carries(&whole(&look().await?.log(&Default::default()).await?).await?, &told)?;
    process.kill().await?;
    Ok(())
}
