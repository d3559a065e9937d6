//! The `[channels]` and `[creditor]` sections.

use crate::template::Creditor;
use notice::Channel;
use serde::Deserialize;
use std::{fmt, path::PathBuf};

/// Ways out, by channel.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelsConfig {
    /// E-mail.
    pub email: ChannelConfig,
    /// WhatsApp.
    pub whatsapp: ChannelConfig,
    /// Text messages.
    pub sms: ChannelConfig,
    /// Calls.
    pub voice: ChannelConfig,
    /// Paper.
    pub letter: ChannelConfig,
}

impl ChannelsConfig {
    /// Nothing leaves: all channels are counted and count as delivered.
    pub fn recording() -> Self {
        Self::all(ChannelConfig { kind: Kind::Record, ..ChannelConfig::default() })
    }

    /// The same, and the first e-mails are kept as files in a directory.
    pub fn recording_mail_in(directory: PathBuf) -> Self {
        Self { email: ChannelConfig { kind: Kind::Record, keep_in: Some(directory), ..ChannelConfig::default() }, ..Self::recording() }
    }

    /// The same way out for all channels.
    pub fn all(config: ChannelConfig) -> Self {
        Self { email: config.clone(), whatsapp: config.clone(), sms: config.clone(), voice: config.clone(), letter: config }
    }

    /// The section of a channel.
    pub fn of(&self, channel: Channel) -> &ChannelConfig {
        match channel {
            Channel::Email => &self.email,
            Channel::Whatsapp => &self.whatsapp,
            Channel::Sms => &self.sms,
            Channel::Voice => &self.voice,
            Channel::Letter => &self.letter,
        }
    }
}

/// One way out. Keys that its kind does not use are ignored.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// What it is.
    pub kind: Kind,
    /// `directory`: where messages are written.
    pub directory: String,
    /// `record`: where the first messages are kept; never configured.
    #[serde(skip)]
    pub keep_in: Option<PathBuf>,
    /// `webhook`: where messages are posted.
    pub url: String,
    /// `webhook`: where the provider is asked for a message whose outcome is unknown; empty = it cannot be asked.
    pub status_url: String,
    /// Signs what is posted, and the provider's callbacks.
    pub secret: String,
    /// `smtp`: name of the server.
    pub host: String,
    /// `smtp`: its port.
    pub port: u16,
    /// `smtp`: how the connection is protected.
    pub security: Security,
    /// `smtp`: PEM file of the only authorities that may have signed its certificate; empty = those that the public trusts.
    pub ca: String,
    /// `smtp`: login; empty = none.
    pub username: String,
    /// `smtp`: password of the login.
    pub password: String,
    /// Seconds after which the other side is given up, 1 to 120.
    pub timeout_seconds: u64,
    /// Messages that are started in any minute; 0 = as many as there are.
    pub max_per_minute: u32,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            keep_in: None,
            kind: Kind::None,
            directory: String::new(),
            url: String::new(),
            status_url: String::new(),
            secret: String::new(),
            host: String::new(),
            port: 587,
            security: Security::Starttls,
            ca: String::new(),
            username: String::new(),
            password: String::new(),
            timeout_seconds: 30,
            max_per_minute: 0,
        }
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for ChannelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelConfig").field("kind", &self.kind).field("host", &self.host).finish_non_exhaustive()
    }
}

/// What a way out is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// There is none: payers are not reached on this channel.
    #[default]
    None,
    /// A directory of message files.
    Directory,
    /// A mail server.
    Smtp,
    /// A provider that takes signed HTTP posts.
    Webhook,
    /// Nothing leaves: messages are counted, and count as delivered.
    Record,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in the clear and must switch to TLS.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// In the clear: only to a server on the same machine.
    None,
}

/// The `[creditor]` section: who is owed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreditorConfig {
    /// Name.
    pub name: String,
    /// Address in one line.
    pub address: String,
    /// CPF or CNPJ, with or without dots.
    pub tax_id: String,
    /// Sender of e-mails, as `Name <address>` or the address alone; also where payers write to.
    pub email_from: String,
}

impl CreditorConfig {
    /// What no message can show: name and address are in every one (CDC 42-A).
    pub(super) fn faults(&self) -> Vec<ConfigFault> {
        let shown = [("creditor.name", &self.name), ("creditor.address", &self.address)];
        let fault = |(path, text): (&str, &String)| match text {
            text if text.trim().is_empty() => Some(ConfigFault::new(path, "is empty: every message shows it")),
            text if text.chars().any(char::is_control) => Some(ConfigFault::new(path, "has control characters")),
            _ => None,
        };
        shown.into_iter().filter_map(fault).collect()
    }

    /// As messages show it.
    pub fn creditor(&self) -> Creditor {
        let contact = self.email_from.rsplit_once('<').map_or(self.email_from.as_str(), |(_, address)| address.trim_end_matches('>'));
        Creditor {
            name: self.name.trim().to_owned(),
            address: self.address.trim().to_owned(),
            tax_id: labelled(self.tax_id.trim()),
            contact: contact.trim().to_owned(),
        }
    }
}

fn labelled(tax_id: &str) -> String {
    let label = match tax_id.chars().filter(char::is_ascii_alphanumeric).count() {
        11 => "CPF ",
        14 => "CNPJ ",
        _ => "",
    };
    format!("{label}{tax_id}")
}

/// A key that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Dotted path of the key.
    pub path: String,
    /// For a person.
    pub message: String,
}

impl ConfigFault {
    pub(super) fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }

    pub(super) fn at(self, channel: Channel) -> Self {
        Self { path: format!("channels.{}.{}", channel.slug(), self.path), ..self }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_is_read_without_a_fault() {
        let table: toml::Table = include_str!("../../../../deploy/regua.default.toml").parse().unwrap();
        let creditor: CreditorConfig = table["creditor"].clone().try_into().unwrap();
        assert!(!creditor.creditor().contact.is_empty());
        let channels: ChannelsConfig = table["channels"].clone().try_into().unwrap();
        assert_eq!((channels.email.kind, channels.letter.kind), (Kind::Directory, Kind::Directory));
    }

    #[test]
    fn an_unknown_key_is_a_fault() {
        for (text, told) in [("[email]\nknd = \"smtp\"", "knd"), ("[fax]\nkind = \"none\"", "fax"), ("[email]\nkind = \"fax\"", "fax")] {
            let fault = toml::from_str::<ChannelsConfig>(text).unwrap_err();
            assert!(fault.to_string().contains(told), "{fault}");
        }
    }

    #[test]
    fn the_creditor_is_shown_with_the_name_of_its_number() {
        let config =
            CreditorConfig { tax_id: "12.345.678/0001-95".into(), email_from: "Loja <c@loja.example>".into(), ..CreditorConfig::default() };
        assert_eq!((config.creditor().tax_id.as_str(), config.creditor().contact.as_str()), ("CNPJ 12.345.678/0001-95", "c@loja.example"));
    }
}
