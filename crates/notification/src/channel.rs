//! Channels: how a text leaves the house. One adapter for each way out, chosen by configuration.
//!
//! Every message has a key ([`AttemptKey`]) that stays the same when it is handed over again. An adapter says whether the
//! other side takes a repeated key as one message; only then is a message with an unknown outcome ever handed over again.

pub mod bounce;
mod config;
mod directory;
mod key;
mod mail;
mod pace;
mod record;
mod smtp;
mod webhook;

pub use config::{ChannelConfig, ChannelsConfig, ConfigFault, CreditorConfig, Kind, Security};
pub use key::{AttemptKey, KeyFault};
pub use pace::Pace;
pub use record::Counts;

use crate::template::{Language, Rendered};
use chrono::{DateTime, Utc};
use directory::Directory;
use kernel::{ContactId, personal::Personal};
use mail::Sender;
use notice::{Channel, ReceiptStatus};
use record::Recorder;
use smtp::Smtp;
use std::collections::BTreeMap;
use webhook::Webhook;

/// A message that is about to be handed over.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its key, the same whenever it is handed over.
    pub key: AttemptKey,
    /// The contact that it belongs to.
    pub contact_id: ContactId,
    /// How.
    pub channel: Channel,
    /// Where: an e-mail address, a phone in E.164, or a postal address.
    pub to: Personal,
    /// The reader's name; may be empty.
    pub name: Personal,
    /// Language of the text.
    pub language: Language,
    /// Template of the text.
    pub template: String,
    /// The text.
    pub body: Rendered,
    /// When it was first started: the date of the message.
    pub at: DateTime<Utc>,
}

/// What the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took the message.
    Accepted {
        /// Its own id of it, 1 to 200 characters.
        provider_id: String,
    },
    /// It did not take it, and will not: a slug.
    Refused {
        /// Why.
        reason: String,
    },
    /// It certainly did not take it; the same message may be tried later: a slug.
    NotNow {
        /// Why.
        reason: String,
    },
    /// Nobody knows: a slug.
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

impl Answer {
    /// Stable name, for metrics.
    pub fn slug(&self) -> &'static str {
        match self {
            Answer::Accepted { .. } => "accepted",
            Answer::Refused { .. } => "refused",
            Answer::NotNow { .. } => "not_now",
            Answer::Unknown { .. } => "unknown",
        }
    }

    fn refused(reason: impl Into<String>) -> Self {
        Answer::Refused { reason: reason.into() }
    }

    fn not_now(reason: impl Into<String>) -> Self {
        Answer::NotNow { reason: reason.into() }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Answer::Unknown { reason: reason.into() }
    }
}

/// What the other side knows of a message whose outcome is unknown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It has it.
    Taken {
        /// Its own id of it, 1 to 200 characters.
        provider_id: String,
        /// What became of it, where it says so.
        receipt: Option<ReceiptStatus>,
    },
    /// It never had it.
    NotTaken,
    /// It cannot be asked, or does not answer.
    Unclear,
}

/// A way out.
enum Adapter {
    Directory(Directory),
    Record(Recorder),
    Smtp(Smtp),
    Webhook(Box<Webhook>),
}

/// All ways out of an installation.
pub struct Channels {
    adapters: BTreeMap<Channel, Adapter>,
    callback_secrets: BTreeMap<Channel, Personal>,
    counts: Counts,
    pace: Pace,
}

impl Channels {
    /// Opens what the configuration names. Errors: every key at fault at once, and directories that cannot be made.
    pub fn open(config: &ChannelsConfig, creditor: &CreditorConfig) -> Result<Self, Vec<ConfigFault>> {
        let counts = Counts::default();
        let (mut adapters, mut faults) = (BTreeMap::new(), Self::faults(config, creditor));
        if !faults.is_empty() {
            return Err(faults);
        }
        let sender = Sender::of(creditor).map_err(|fault| vec![fault])?;
        for channel in Channel::ALL {
            match open(channel, config.of(channel), &sender, &counts) {
                Ok(Some(adapter)) => _ = adapters.insert(channel, adapter),
                Ok(None) => {}
                Err(fault) => faults.push(fault.at(channel)),
            }
        }
        let secret = |channel: &Channel| (!config.of(*channel).secret.is_empty()).then(|| Personal::new(&config.of(*channel).secret));
        let callback_secrets = Channel::ALL.into_iter().filter_map(|channel| Some((channel, secret(&channel)?))).collect();
        if faults.is_empty() { Ok(Self { adapters, callback_secrets, counts, pace: Pace::of(config) }) } else { Err(faults) }
    }

    /// Every key at fault. It only looks: no directory is made, and nobody is called.
    pub fn faults(config: &ChannelsConfig, creditor: &CreditorConfig) -> Vec<ConfigFault> {
        let mut faults = creditor.faults();
        // Where the sender is at fault, the channels are looked at with another one.
        let sender = Sender::of(creditor).or_else(|fault| {
            faults.push(fault);
            Sender::of(&CreditorConfig { email_from: "a@example.invalid".to_owned(), ..CreditorConfig::default() })
        });
        let Ok(sender) = sender else { return faults };
        for channel in Channel::ALL {
            let section = config.of(channel);
            let looked_at = match section.kind {
                Kind::Directory if section.directory.is_empty() => Err(ConfigFault::new("directory", "is empty")),
                Kind::Directory | Kind::Record | Kind::None => Ok(()),
                Kind::Webhook | Kind::Smtp => open(channel, section, &sender, &Counts::default()).map(|_| ()),
            };
            faults.extend(looked_at.err().map(|fault| fault.at(channel)));
        }
        faults
    }

    /// Whether there is a way out for a channel.
    pub fn has(&self, channel: Channel) -> bool {
        self.adapters.contains_key(&channel)
    }

    /// Whether the other side takes a repeated key as one message.
    pub fn is_idempotent(&self, channel: Channel) -> bool {
        match self.adapters.get(&channel) {
            Some(Adapter::Directory(_) | Adapter::Record(_) | Adapter::Webhook(_)) => true,
            Some(Adapter::Smtp(_)) | None => false,
        }
    }

    /// Whether what is accepted has arrived with it.
    pub fn delivers_at_once(&self, channel: Channel) -> bool {
        matches!(self.adapters.get(&channel), Some(Adapter::Record(_)))
    }

    /// The secret that signs a channel's callbacks; `None` where it has no callbacks.
    pub fn callback_secret(&self, channel: Channel) -> Option<&str> {
        self.callback_secrets.get(&channel).map(Personal::reveal)
    }

    /// What was only recorded, per channel.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many messages a minute they take.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Asks what became of a message, where the other side can be asked. Nothing is sent by it.
    pub async fn ask(&self, channel: Channel, key: &AttemptKey) -> Known {
        match self.adapters.get(&channel) {
            Some(Adapter::Directory(directory)) => directory.ask(key),
            Some(Adapter::Webhook(webhook)) => webhook.ask(key).await,
            Some(Adapter::Record(_) | Adapter::Smtp(_)) | None => Known::Unclear,
        }
    }

    /// Hands a message over and tells what the other side said. Ends within a minute or two, whatever the other side does.
    pub async fn send(&self, message: &Outgoing) -> Answer {
        match self.adapters.get(&message.channel) {
            Some(Adapter::Directory(directory)) => directory.send(message).await,
            Some(Adapter::Record(recorder)) => recorder.send(message),
            Some(Adapter::Smtp(smtp)) => smtp.send(message).await,
            Some(Adapter::Webhook(webhook)) => webhook.send(message).await,
            None => Answer::refused("channel_not_configured"),
        }
    }
}

fn open(channel: Channel, config: &ChannelConfig, sender: &Sender, counts: &Counts) -> Result<Option<Adapter>, ConfigFault> {
    Ok(match config.kind {
        Kind::None => None,
        Kind::Record => Some(Adapter::Record(Recorder::open(config, sender.clone(), counts.clone())?)),
        Kind::Directory => Some(Adapter::Directory(Directory::open(config, sender.clone())?)),
        Kind::Webhook => Some(Adapter::Webhook(Box::new(Webhook::open(config)?))),
        Kind::Smtp if channel == Channel::Email => Some(Adapter::Smtp(Smtp::open(config, sender.clone())?)),
        Kind::Smtp => return Err(ConfigFault::new("kind", "smtp carries e-mail only")),
    })
}
