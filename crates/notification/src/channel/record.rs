//! A way out that leads nowhere: messages are counted and accepted. A replay of a portfolio uses it, and may keep the first few as files.

use super::{Answer, ChannelConfig, ConfigFault, Outgoing, mail::Sender};
use notice::Channel;
use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most messages that are kept as files, for a look.
const MAX_KEPT: u64 = 200;

/// How many messages were recorded on each channel; clones share the numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    numbers: Arc<[AtomicU64; Channel::ALL.len()]>,
}

impl Counts {
    /// Messages recorded on a channel, those handed over again included.
    pub fn of(&self, channel: Channel) -> u64 {
        self.number(channel).map_or(0, |number| number.load(Ordering::Relaxed))
    }

    fn number(&self, channel: Channel) -> Option<&AtomicU64> {
        let index = Channel::ALL.iter().position(|one| *one == channel)?;
        self.numbers.get(index)
    }
}

/// Accepts everything.
pub(super) struct Recorder {
    counts: Counts,
    kept: Option<(PathBuf, Sender)>,
}

impl Recorder {
    /// Keeps files where it is told a directory. Errors: it cannot be made.
    pub fn open(config: &ChannelConfig, sender: Sender, counts: Counts) -> Result<Self, ConfigFault> {
        let kept = config.keep_in.clone();
        if let Some(path) = &kept {
            fs::create_dir_all(path).map_err(|error| ConfigFault::new("directory", format!("cannot be made: {error}")))?;
        }
        Ok(Self { counts, kept: kept.map(|path| (path, sender)) })
    }

    pub fn send(&self, message: &Outgoing) -> Answer {
        let before = self.counts.number(message.channel).map_or(0, |number| number.fetch_add(1, Ordering::Relaxed));
        if let Some((path, sender)) = self.kept.as_ref().filter(|_| before < MAX_KEPT) {
            // Whether it could be kept changes nothing: nobody waits for it.
            let written = sender.file(message).map(|bytes| fs::write(path.join(format!("{}.eml", message.key.file_name())), bytes));
            if !matches!(written, Ok(Ok(()))) {
                tracing::debug!("a recorded message was not kept");
            }
        }
        Answer::Accepted { provider_id: format!("recorded:{}", message.key.attempt_id) }
    }
}
