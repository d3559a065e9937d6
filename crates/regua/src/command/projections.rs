//! `regua projections`

use super::{DONE, FOUND, Shared, data};
use crate::output::Table;
use clap::{Args, Subcommand};
use eventlog::projection::Projections;
use indicatif::ProgressBar;
use std::{path::PathBuf, time::Duration};

/// List, rebuild and verify views
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regua projections list\n  regua projections verify\n  regua projections rebuild reporting-receivables"
)]
pub struct ProjectionsArgs {
    #[command(subcommand)]
    what: What,
    /// Directory of the SQLite files (embedded storage)
    #[arg(long, global = true)]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Versions, rows and lag
    List,
    /// Build a view from zero beside the live one and put it in its place
    Rebuild {
        /// Name of the view, as `list` shows it
        name: String,
    },
    /// Build views from zero and compare; exit code 3 where one differs
    Verify {
        /// Name of the view; all without it
        name: Option<String>,
    },
}

pub async fn run(args: ProjectionsArgs, shared: &Shared) -> anyhow::Result<u8> {
    let sets = data::projections(&shared.settings(args.data.as_ref())?).await?;
    // The service may be running: it has its turns in between.
    sets.iter().for_each(Projections::work_beside);
    match args.what {
        What::List => list(&sets, shared).await,
        What::Rebuild { name } => rebuild(&sets, &name, shared).await,
        What::Verify { name } => verify(&sets, name.as_deref(), shared).await,
    }
}

async fn list(sets: &[Projections], shared: &Shared) -> anyhow::Result<u8> {
    let mut table = Table::new("Views", &["name", "version", "live_version", "rows", "own_lag"]);
    for set in sets {
        for status in set.status().await? {
            table.row(vec![
                status.name.into(),
                status.version.into(),
                status.live_version.into(),
                status.rows.into(),
                status.own_lag.into(),
            ]);
        }
    }
    table.print(shared.format)?;
    Ok(DONE)
}

/// The sets and names that a name means.
async fn named<'a>(sets: &'a [Projections], name: Option<&str>) -> anyhow::Result<Vec<(&'a Projections, String)>> {
    let mut found = Vec::new();
    for set in sets {
        let names = set.status().await?.into_iter().map(|status| status.name);
        found.extend(names.filter(|known| name.is_none_or(|name| name == known)).map(|known| (set, known)));
    }
    anyhow::ensure!(!found.is_empty(), "there is no view {}", name.unwrap_or_default());
    Ok(found)
}

fn spinner(text: String) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

async fn rebuild(sets: &[Projections], name: &str, shared: &Shared) -> anyhow::Result<u8> {
    let mut table = Table::new("Built again from their events, and live", &["name", "events"]);
    for (set, name) in named(sets, Some(name)).await? {
        let bar = spinner(format!("building {name}"));
        let rebuilt = set.rebuild(&name).await?;
        bar.set_message(format!("{name} is live; removing what it replaced"));
        // It is live, whatever comes of the old tables: the next start would remove them.
        let removed = set.remove_replaced(&name).await;
        bar.finish_and_clear();
        if let Err(error) = removed {
            eprintln!("tables that {name} replaced stay until the next start: {error}");
        }
        table.row(vec![name.into(), rebuilt.messages.into()]);
    }
    table.print(shared.format)?;
    Ok(DONE)
}

async fn verify(sets: &[Projections], name: Option<&str>, shared: &Shared) -> anyhow::Result<u8> {
    let mut table = Table::new("Views against their events", &["name", "rows", "agrees", "live_hash", "rebuilt_hash"]);
    let mut all_agree = true;
    for (set, name) in named(sets, name).await? {
        let bar = spinner(format!("verifying {name}"));
        let proof = set.verify(&name).await?;
        bar.finish_and_clear();
        all_agree &= proof.agrees();
        let agrees = proof.agrees();
        table.row(vec![proof.name.into(), proof.rows.into(), agrees.into(), proof.live_hash.into(), proof.rebuilt_hash.into()]);
    }
    table.print(shared.format)?;
    Ok(if all_agree { DONE } else { FOUND })
}
