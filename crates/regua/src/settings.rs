//! The configuration, typed: one commented default file with the user's laid over it.

use anyhow::Context;
use host::{
    collection::Collection,
    config::{Access, BusConfig, Config, Listen, Storage, TelemetryConfig},
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
        let config = Config::load(DEFAULT, &user)?;
        let Collection { zone, tolerance_minor, payment_feed_max_age_hours } = Collection::of(&config)?;
        let settings = Self {
            storage: config.section("storage")?,
            bus: config.section("bus")?,
            access: config.section("access")?,
            telemetry: config.section("telemetry")?,
            invoice: config.section(invoice::NAME)?,
            dunning_engine: config.section(dunning_engine::NAME)?,
            notification: config.section(notification::NAME)?,
            reporting: config.section(reporting::NAME)?,
            zone,
            tolerance_minor,
            payment_feed_max_age_hours,
            limits: dunning_engine::Limits::of(&config)?,
            creditor: config.section("creditor")?,
            pix: config.section("pix")?,
            channels: config.section("channels")?,
            throwaway: false,
            keep_mail_in: None,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.storage.check()?;
        self.bus.check()?;
        self.pix.check()?;
        Ok(())
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
        std::fs::write(file.path(), "[storage]\nknd = \"x\"\n[bus]\npartitions = \"a\"\n[nonsense]\n").unwrap();
        let error = Settings::load(Some(file.path())).unwrap_err().to_string();
        for part in ["storage.knd", "bus.partitions", "nonsense"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
