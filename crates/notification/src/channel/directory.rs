//! A directory of message files: each one a complete e-mail file (RFC 5322) that any mail reader opens.
//!
//! A file appears under its name only when it is whole and on the disk: written aside, synced, renamed, directory synced.
//! The name comes from the message's key, so handing it over again changes nothing.

use super::{Answer, AttemptKey, ChannelConfig, ConfigFault, Known, Outgoing, mail::Sender};
use host::spool;
use std::{fs, path::PathBuf};

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
        if let Err(error) = spool::remove_stale(&path) {
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
        match tokio::task::spawn_blocking(move || spool::write_once(&directory, &file_name, &bytes)).await {
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

/// Provider ids have at most 200 characters.
fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}
