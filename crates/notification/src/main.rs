//! `regua-notification`: the notification service as a process of its own.

use host::launch::Launch;

const DEFAULTS: &str = include_str!("../../../deploy/regua.default.toml");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let launch = Launch::from_arguments(notification::NAME, DEFAULTS)?;
    let settings = notification::Settings::from_config(&launch.config)?;
    launch.run(notification::start(&launch.process, settings)).await
}
