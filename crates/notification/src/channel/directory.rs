//! A directory of message files: each one a complete e-mail file (RFC 5322) that any mail reader opens.
//!
//! A file appears under its name only when it is whole and on the disk: written aside, synced, renamed, directory synced.
//! The name comes from the message's key, so handing it over again changes nothing.

use super::{Answer, AttemptKey, ChannelConfig, ConfigFault, Known, Outgoing, mail::Sender};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// The way out.
pub(super) struct Directory {
    path: PathBuf,
    sender: Sender,
}

impl Directory {
    /// Makes the directory. Errors: no name, or it cannot be made.
    pub fn open(config: &ChannelConfig, sender: Sender) -> Result<Self, ConfigFault> {
        if config.directory.is_empty() {
            return Err(ConfigFault::new("directory", "is empty"));
        }
        let path = PathBuf::from(&config.directory);
        fs::create_dir_all(&path).map_err(|error| ConfigFault::new("directory", format!("cannot be made: {error}")))?;
        if let Err(error) = remove_stale(&path) {
            tracing::warn!(%error, "files that were left aside stay");
        }
        Ok(Self { path, sender })
    }

    /// A file is there whole or not at all.
    pub fn ask(&self, key: &AttemptKey) -> Known {
        let name = file_name(key);
        match self.path.join(&name).try_exists() {
            Ok(true) => Known::Taken { provider_id: shortened(&name), receipt: None },
            Ok(false) => Known::NotTaken,
            Err(_) => Known::Unclear,
        }
    }

    pub async fn send(&self, message: &Outgoing) -> Answer {
        let bytes = match self.sender.file(message) {
            Ok(bytes) => bytes,
            Err(reason) => return Answer::refused(reason),
        };
        let name = file_name(&message.key);
        let (directory, file_name) = (self.path.clone(), name.clone());
        match tokio::task::spawn_blocking(move || write_once(&directory, &file_name, &bytes)).await {
            Ok(Ok(())) => Answer::Accepted { provider_id: shortened(&name) },
            Ok(Err(error)) => {
                tracing::warn!(%error, "a message file could not be written");
                Answer::not_now("directory_unwritable")
            }
            Err(_) => Answer::unknown("directory_interrupted"),
        }
    }
}

/// The file of a message.
fn file_name(key: &AttemptKey) -> String {
    format!("{}.eml", key.file_name())
}

/// How long another process may take to write a file aside.
const WRITTEN_WITHIN: Duration = Duration::from_secs(60);

/// Removes what was written aside and never renamed: its process was killed. Ours has written nothing yet; a file of another process goes
/// when that is gone or the file is old.
fn remove_stale(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(process_of_aside) else { continue };
        let is_running = process != std::process::id() && Path::new(&format!("/proc/{process}")).exists();
        let age = entry.metadata().and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
        if !is_running || age.is_some_and(|age| age > WRITTEN_WITHIN) {
            // Another process that starts now may be faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// The process in the name of a file that is written aside; `None` for another file.
fn process_of_aside(name: &str) -> Option<u32> {
    let (rest, thread) = name.strip_prefix('.')?.rsplit_once('.')?;
    let (message, process) = rest.rsplit_once('.')?;
    let digits = !thread.is_empty() && thread.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !message.is_empty() { process.parse().ok() } else { None }
}

/// Provider ids have at most 200 characters.
fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}

fn write_once(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let target = directory.join(name);
    if target.exists() {
        return Ok(());
    }
    // Two writers of one message write the same bytes to names of their own.
    let aside = tempfile_name(directory, name);
    let written = write_whole(&aside, bytes).and_then(|()| fs::rename(&aside, &target));
    if written.is_err() {
        // What is left aside has no name that a reader looks at; removing it is a courtesy.
        let _ = fs::remove_file(&aside);
    }
    written.and_then(|()| File::open(directory)?.sync_all())
}

fn tempfile_name(directory: &Path, name: &str) -> PathBuf {
    let process = std::process::id();
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    let short: String = name.chars().take(200).collect();
    directory.join(format!(".{short}.{process}.{thread}"))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_aside_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let ours = tempfile_name(directory.path(), "a.eml");
        let others = [".b.eml.4194999.7", ".b.eml.1.7", ".keep", "c.eml", ".d.eml.x.7"].map(|name| directory.path().join(name));
        for path in others.iter().chain([&ours]) {
            fs::write(path, "x").unwrap();
        }
        remove_stale(directory.path()).unwrap();
        let left: Vec<bool> = others.iter().map(|path| path.exists()).collect();
        assert_eq!((ours.exists(), left), (false, vec![false, true, true, true, true]));
    }
}
