//! The sections `[bureau]` and `[protest]`.

use super::{directory::Directory, http::Http, provider::Provider};
use anyhow::Context;
use host::{
    Config,
    config::{Fault, Faults},
    signed,
};
use ladder::listing::Kind;
use serde::Deserialize;
use std::{fmt, path::Path, sync::Arc};

/// Who carries entries of one kind out.
#[derive(Clone, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// How it is spoken to.
    pub provider: ProviderKind,
    /// `directory`: where batches and answers are.
    pub directory: String,
    /// `http`: where commands are posted.
    pub url: String,
    /// `http`: where it is asked for a command whose outcome is unknown; empty = it cannot be asked.
    pub status_url: String,
    /// `http`: signs what is posted, and the provider's callbacks.
    pub secret: String,
    /// `http`: seconds after which the other side is given up, 1 to 120.
    pub timeout_seconds: u64,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Not at all: people list and take out, and the tasks say what.
    #[default]
    None,
    /// By files.
    Directory,
    /// By signed HTTP.
    Http,
}

/// Secrets stay out of logs.
impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Both sections.
#[derive(Debug, Clone, Default)]
pub struct ProvidersConfig {
    /// `[bureau]`.
    pub bureau: ProviderConfig,
    /// `[protest]`.
    pub protest: ProviderConfig,
}

impl ProvidersConfig {
    /// From a configuration. Errors: an unknown key, or a value that cannot be used; all faults at once.
    pub fn of(config: &Config) -> Result<Self, Faults> {
        let sections = Self { bureau: config.section("bureau")?, protest: config.section("protest")? };
        let faults: Vec<Fault> = Kind::ALL.into_iter().filter_map(|kind| sections.section(kind).fault(kind)).collect();
        if faults.is_empty() { Ok(sections) } else { Err(Faults(faults)) }
    }

    fn section(&self, kind: Kind) -> &ProviderConfig {
        match kind {
            Kind::Bureau => &self.bureau,
            Kind::Protest => &self.protest,
        }
    }
}

impl ProviderConfig {
    fn http(&self) -> signed::Provider<'_> {
        let Self { url, status_url, secret, timeout_seconds, .. } = self;
        signed::Provider { url, status_url, secret, timeout_seconds: *timeout_seconds }
    }

    /// What no provider can work with.
    fn fault(&self, kind: Kind) -> Option<Fault> {
        let fault = |key: &str, message: &str| Fault { path: format!("{}.{key}", kind.slug()), message: message.to_owned() };
        match self.provider {
            ProviderKind::None => None,
            ProviderKind::Directory => self.directory.is_empty().then(|| fault("directory", "is empty")),
            ProviderKind::Http => signed::Poster::open(self.http()).err().map(|wrong| fault(wrong.key, &wrong.message)),
        }
    }

    fn open(&self, kind: Kind) -> anyhow::Result<Option<Opened>> {
        let provider: Arc<dyn Provider> = match self.provider {
            ProviderKind::None => return Ok(None),
            ProviderKind::Directory => {
                let path = Path::new(&self.directory);
                Arc::new(Directory::open(path).with_context(|| format!("{}.directory cannot be made", kind.slug()))?)
            }
            ProviderKind::Http => {
                let poster = signed::Poster::open(self.http());
                Arc::new(Http(poster.map_err(|fault| anyhow::anyhow!("{}.{}: {}", kind.slug(), fault.key, fault.message))?))
            }
        };
        let secret = (self.provider == ProviderKind::Http).then(|| self.secret.clone());
        Ok(Some(Opened { provider, secret }))
    }
}

#[derive(Clone)]
struct Opened {
    provider: Arc<dyn Provider>,
    secret: Option<String>,
}

/// The ways out of an installation.
#[derive(Clone, Default)]
pub struct Providers {
    bureau: Option<Opened>,
    protest: Option<Opened>,
}

impl Providers {
    /// Opens what the sections name. Errors: a directory that cannot be made, an address or secret that cannot be used.
    pub fn open(config: &ProvidersConfig) -> anyhow::Result<Self> {
        Ok(Self { bureau: config.bureau.open(Kind::Bureau)?, protest: config.protest.open(Kind::Protest)? })
    }

    /// With another way out for a kind; `secret` where it calls back.
    #[must_use]
    pub fn with(mut self, kind: Kind, provider: Arc<dyn Provider>, secret: Option<String>) -> Self {
        let opened = Some(Opened { provider, secret });
        match kind {
            Kind::Bureau => self.bureau = opened,
            Kind::Protest => self.protest = opened,
        }
        self
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.bureau.is_none() && self.protest.is_none()
    }

    /// Who carries entries of a kind out.
    pub fn of(&self, kind: Kind) -> Option<&Arc<dyn Provider>> {
        self.opened(kind).map(|opened| &opened.provider)
    }

    /// The secret that callbacks of a kind are signed with; `None` where there are none.
    pub fn callback_secret(&self, kind: Kind) -> Option<&str> {
        self.opened(kind)?.secret.as_deref()
    }

    fn opened(&self, kind: Kind) -> Option<&Opened> {
        match kind {
            Kind::Bureau => self.bureau.as_ref(),
            Kind::Protest => self.protest.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: &str = include_str!("../../../../deploy/regua.default.toml");

    fn faults(text: &str) -> Vec<String> {
        let config = Config::load(DEFAULTS, text).unwrap();
        let faults = ProvidersConfig::of(&config).map(|_| ()).unwrap_err().0;
        faults.into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn by_default_people_list_and_take_out() {
        let config = ProvidersConfig::of(&Config::load(DEFAULTS, "").unwrap()).unwrap();
        assert!(Providers::open(&config).unwrap().is_empty());
    }

    #[test]
    fn every_wrong_key_of_both_sections_is_told() {
        let text = "[bureau]\nprovider = \"directory\"\ndirectory = \"\"\n[protest]\nprovider = \"http\"\nurl = \"http://example.com\"\n";
        assert_eq!(faults(text), ["bureau.directory", "protest.url"]);
        let no_secret = "[protest]\nprovider = \"http\"\nurl = \"https://example.com/x\"\n";
        assert_eq!(faults(no_secret), ["protest.secret"]);
        assert_eq!(faults("[bureau]\nprovider = \"fax\"\n"), ["bureau.provider"]);
        assert!(Config::load(DEFAULTS, "[bureau]\nadress = \"x\"\n").unwrap_err().to_string().contains("bureau.adress"));
    }
}
