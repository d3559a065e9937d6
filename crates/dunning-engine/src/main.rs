//! `regua-dunning-engine`: the dunning engine as a process of its own.

use host::launch::Launch;

const DEFAULTS: &str = include_str!("../../../deploy/regua.default.toml");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let launch = Launch::from_arguments(dunning_engine::NAME, DEFAULTS)?;
    let settings = dunning_engine::Settings::from_config(&launch.config)?;
    launch.run(dunning_engine::start(&launch.process, settings)).await
}
