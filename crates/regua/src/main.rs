//! `regua`: the command-line tool.

use clap::Parser;
use regua::{
    command::{self, Cli},
    output,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    host::launch::use_small_pages();
    let cli = Cli::parse();
    // One TLS implementation for everything in the process; a second call would be a mistake of ours.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("regua: TLS was set up twice");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("regua: no runtime: {error}");
            return ExitCode::from(command::FAILED);
        }
    };
    match runtime.block_on(command::run(cli)) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads has seen enough (`regua report ... | head`): nothing failed.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::from(command::DONE),
        Err(error) => {
            eprintln!("regua: {}", output::told(&error));
            ExitCode::from(command::FAILED)
        }
    }
}
