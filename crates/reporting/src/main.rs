//! `regua-reporting`: the reporting service as a process of its own.

use host::launch::Launch;

const DEFAULTS: &str = include_str!("../../../deploy/regua.default.toml");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let launch = Launch::from_arguments(reporting::NAME, DEFAULTS)?;
    let settings = reporting::Settings::from_config(&launch.config)?;
    launch.run(reporting::start(&launch.process, settings)).await
}
