//! `regua-invoice`: the invoice service as a process of its own.

use host::launch::Launch;

const DEFAULTS: &str = include_str!("../../../deploy/regua.default.toml");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let launch = Launch::from_arguments(invoice::NAME, DEFAULTS)?;
    let settings = invoice::Settings::from_config(&launch.config)?;
    launch.run(invoice::start(&launch.process, settings)).await
}
