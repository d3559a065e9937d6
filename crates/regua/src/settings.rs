//! The configuration, typed: one commented default file with the user's laid over it.

use anyhow::Context;
use host::{
    access,
    collection::Collection,
    config::{self, Access, BusConfig, Config, Listen, Reading, Storage, TelemetryConfig},
};
use kernel::Zone;
use ladder::draft::Fault;
use std::{net::SocketAddr, path::Path};

/// Every key and its default, with comments.
pub const DEFAULT: &str = include_str!("../../../deploy/regua.default.toml");

/// How the system is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On the real clock, sending for real.
    Live,
    /// On a virtual clock: contacts are recorded, approvals given, the residue tolerance is 0, the payment feed is fresh, any free ports.
    Replay,
}

/// Everything that an installation is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where logs and views are.
    pub storage: Storage,
    /// How events travel.
    pub bus: BusConfig,
    /// Who may call.
    pub access: Access,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// Listeners by service name.
    pub invoice: Listen,
    /// Listeners of the engine.
    pub dunning_engine: Listen,
    /// Listeners of notification.
    pub notification: Listen,
    /// Listeners of reporting.
    pub reporting: Listen,
    /// Zone of the creditor's civil dates.
    pub zone: Zone,
    /// What may stay open without a reminder.
    pub tolerance_minor: i64,
    /// Hours after which overdue reminders wait for the payment feed; 0 = never.
    pub payment_feed_max_age_hours: u32,
    /// The creditor's limits of arrangements and catch-up.
    pub limits: dunning_engine::Limits,
    /// Who carries entries at bureaus and protest offices out.
    pub providers: dunning_engine::ProvidersConfig,
    /// Who the payer owes to.
    pub creditor: notification::Creditor,
    /// Who may notify of Pix received.
    pub pix: invoice::PixConfig,
    /// How messages leave.
    pub channels: notification::ChannelsConfig,
    /// Set by commands that delete their storage when they end: nothing then waits for the disk.
    pub throwaway: bool,
    /// Where a replay keeps its first e-mails, for a look.
    pub keep_mail_in: Option<std::path::PathBuf>,
}

impl Settings {
    /// From a file; `None` = the defaults. Errors: the file cannot be read, or its faults, all at once.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let user = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?,
        };
        let (config, faults) = Config::read(DEFAULT, &user)?;
        let mut reading = Reading::new(&config, faults);
        match Self::read(&mut reading) {
            Some(settings) if reading.is_good() => Ok(settings),
            // Something is wrong anyway: then what only a start refuses is told with it.
            Some(settings) => {
                reading.add(settings.refused_at_start());
                Err(reading.into_faults().into())
            }
            None => Err(reading.into_faults().into()),
        }
    }

    /// Every section is read before the first that is missing ends it.
    fn read(reading: &mut Reading<'_>) -> Option<Self> {
        let (storage, bus) = (reading.section::<Storage>("storage"), reading.section::<BusConfig>("bus"));
        storage.as_ref().and_then(|storage| reading.take(storage.check()));
        bus.as_ref().and_then(|bus| reading.take(bus.check()));
        let (access, telemetry) = (reading.section("access"), reading.section("telemetry"));
        let [invoice, dunning_engine, notification, reporting] =
            [invoice::NAME, dunning_engine::NAME, notification::NAME, reporting::NAME].map(|name| reading.section::<Listen>(name));
        let collection = reading.take(Collection::of(reading.config()));
        let limits = reading.take(dunning_engine::Limits::of(reading.config()));
        let providers = reading.take(dunning_engine::ProvidersConfig::of(reading.config()));
        let (creditor, channels) = (reading.section("creditor"), reading.section("channels"));
        let pix = reading.section::<invoice::PixConfig>("pix");
        pix.as_ref().and_then(|pix| reading.take(pix.check()));
        let Collection { zone, tolerance_minor, payment_feed_max_age_hours } = collection?;
        Some(Self {
            storage: storage?,
            bus: bus?,
            access: access?,
            telemetry: telemetry?,
            invoice: invoice?,
            dunning_engine: dunning_engine?,
            notification: notification?,
            reporting: reporting?,
            zone,
            tolerance_minor,
            payment_feed_max_age_hours,
            limits: limits?,
            providers: providers?,
            creditor: creditor?,
            pix: pix?,
            channels: channels?,
            throwaway: false,
            keep_mail_in: None,
        })
    }

    /// Keys that the services refuse when they start, and that a replay or a report has no use for: telemetry, channels, tokens.
    pub fn refused_at_start(&self) -> Vec<config::Fault> {
        let fault = |path: String, message: String| config::Fault { path, message };
        let channels = notification::channel::Channels::faults(&self.channels, &self.creditor);
        let channels = channels.into_iter().map(|one| fault(one.path, one.message));
        let tokens = access::Gatekeeper::new(&self.access).err().map(|error| fault("access.tokens".to_owned(), error.to_string()));
        host::telemetry::faults(&self.telemetry).into_iter().chain(channels).chain(tokens).collect()
    }

    /// Listeners that others can reach, without what they need for it.
    pub fn exposed(&self) -> Vec<config::Fault> {
        let services = [
            (invoice::NAME, &self.invoice),
            (dunning_engine::NAME, &self.dunning_engine),
            (notification::NAME, &self.notification),
            (reporting::NAME, &self.reporting),
        ];
        let both = services.into_iter().flat_map(|(name, listen)| [(name, "grpc", listen.grpc), (name, "http", listen.http)]);
        let one = |(name, key, address): (&str, &str, SocketAddr)| {
            let refused = access::check_listener(address, &self.access).err()?;
            Some(config::Fault { path: format!("{name}.{key}"), message: refused.to_string() })
        };
        both.filter_map(one).collect()
    }

    /// Makes every listener take any free loopback port: for a replay beside a running system.
    pub fn on_free_ports(mut self) -> Self {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        for listen in [&mut self.invoice, &mut self.dunning_engine, &mut self.notification, &mut self.reporting] {
            (listen.grpc, listen.http, listen.url) = (any, any, String::new());
        }
        self
    }

    /// `embedded` or `distributed`.
    pub fn mode_name(&self) -> &'static str {
        if self.storage.kind == "sqlite" && self.bus.kind == "in-process" { "embedded" } else { "distributed" }
    }
}

/// All faults of a policy, one a line.
pub fn policy_faults(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("  {}: {} ({})", fault.path, fault.message, fault.slug)).collect();
    format!("the policy has {} faults:\n{}", faults.len(), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_is_good() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let settings = Settings::load(Some(file.path())).unwrap();
        assert_eq!(settings.mode_name(), "embedded");
    }

    #[test]
    fn every_fault_of_a_configuration_is_told_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[nonsense]\n[storage]\nknd = \"x\"\nkind = \"mysql\"\nstatement_timeout_seconds = 0\n\
            [bus]\npartitions = \"a\"\nreplication = 0\nkind = \"kafka\"\n[telemetry]\nformat = \"xml\"\n\
            [collection]\ntime_zone = \"Mars/Base\"\ntolerance_minor = -1\n[dunning]\nlate_after_days = 0\n\
            [access.tokens]\nsecret = \"a b\"\n[pix.tokens]\nacme = \"short\"\nother = \"short\"\n";
        let of_values = [
            "nonsense",
            "storage.knd",
            "storage.kind",
            "storage.statement_timeout_seconds",
            "bus.partitions",
            "bus.replication",
            "bus.brokers",
            "collection.time_zone",
            "collection.tolerance_minor",
            "dunning.late_after_days",
            "pix.tokens.acme",
            "pix.tokens.other",
        ];
        let told = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Settings::load(Some(file.path())).unwrap_err().to_string()
        };
        let error = told(text);
        for part in of_values {
            assert!(error.contains(&format!("\n  {part}: ")), "{part}: {error}");
        }
        let listeners = "[invoice]\ngrpc = \"nowhere\"\nhttp = \"x\"\n[channels.email]\nkind = \"pigeon\"\n";
        let error = told(&format!("{text}{listeners}"));
        for part in of_values.into_iter().chain(["invoice.grpc", "invoice.http", "channels.email.kind"]) {
            assert!(error.contains(&format!("\n  {part}: ")), "{part}: {error}");
        }
        let error = told("[bus]\nx = 1\n[telemetry]\nformat = \"xml\"\n[access.tokens]\nsecret = \"a b\"\n");
        for part in ["bus.x", "telemetry.format", "access.tokens"] {
            assert!(error.contains(&format!("\n  {part}: ")), "{part}: {error}");
        }
    }
}
