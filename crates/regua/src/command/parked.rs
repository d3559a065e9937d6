//! `regua parked`

use super::{DONE, Shared, data};
use crate::{output::Table, payload};
use anyhow::Context;
use clap::{Args, Subcommand};
use eventlog::consumer::{Parking, StreamKey};
use std::path::PathBuf;

/// Streams that wait for a person, because one of their events could not be applied
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regua parked list\n  regua parked show dunning.inbound regua.invoice.v1 account/default/C1\n  regua parked retry dunning.inbound regua.invoice.v1 account/default/C1 --by ana --reason \"policy published\""
)]
pub struct ParkedArgs {
    #[command(subcommand)]
    what: What,
    /// Directory of the SQLite files (embedded storage)
    #[arg(long, global = true)]
    data: Option<PathBuf>,
}

#[derive(Args)]
struct Which {
    /// Name of the consumer, as `list` shows it
    consumer: String,
    /// Topic of the stream
    topic: String,
    /// The stream
    stream: String,
}

#[derive(Args)]
struct Who {
    /// Who asks, for the audit
    #[arg(long)]
    by: String,
    /// Why, for the audit
    #[arg(long)]
    reason: String,
}

#[derive(Subcommand)]
enum What {
    /// All of them
    List,
    /// The events that wait
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Apply them again, from the first
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
    /// Leave the first one out and go on; written to the audit
    Skip {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        who: Who,
    },
}

pub async fn run(args: ParkedArgs, shared: &Shared) -> anyhow::Result<u8> {
    let parkings = data::parkings(&shared.settings(args.data.as_ref())?).await?;
    match args.what {
        What::List => list(&parkings, shared).await?,
        What::Show { which } => show(&parkings, &which, shared).await?,
        What::Retry { which, who } => {
            find(&parkings, &which)?.retry(&key(&which), &who.by, &who.reason).await?;
            asked("retry", which, shared)?;
        }
        What::Skip { which, who } => {
            find(&parkings, &which)?.skip(&key(&which), &who.by, &who.reason).await?;
            asked("skip", which, shared)?;
        }
    }
    Ok(DONE)
}

/// What was asked for; the consumer does it.
fn asked(what: &str, which: Which, shared: &Shared) -> anyhow::Result<()> {
    let title = "Asked for; the consumer takes it up within a second, or when it starts";
    let mut table = Table::new(title, &["asked", "consumer", "topic", "stream"]);
    table.row(vec![what.into(), which.consumer.into(), which.topic.into(), which.stream.into()]);
    table.print(shared.format)
}

fn key(which: &Which) -> StreamKey {
    StreamKey { topic: which.topic.clone(), stream: which.stream.clone() }
}

fn find<'a>(parkings: &'a [(&'static str, Parking)], which: &Which) -> anyhow::Result<&'a Parking> {
    let found = parkings.iter().find(|(name, _)| *name == which.consumer);
    found.map(|(_, parking)| parking).with_context(|| format!("there is no consumer {}", which.consumer))
}

async fn list(parkings: &[(&'static str, Parking)], shared: &Shared) -> anyhow::Result<()> {
    let mut table = Table::new("Parked streams", &["consumer", "topic", "stream", "version", "type", "since", "waiting", "reason"]);
    for (name, parking) in parkings {
        for parked in parking.list().await? {
            table.row(vec![
                (*name).into(),
                parked.key.topic.into(),
                parked.key.stream.into(),
                parked.version.into(),
                parked.event_type.into(),
                parked.since.to_rfc3339().into(),
                parked.waiting.into(),
                parked.reason.into(),
            ]);
        }
    }
    table.print(shared.format)
}

async fn show(parkings: &[(&'static str, Parking)], which: &Which, shared: &Shared) -> anyhow::Result<()> {
    let (parked, messages) = find(parkings, which)?.show(&key(which)).await?;
    let mut table =
        Table::new(&format!("{}: {}", parked.key.stream, parked.reason), &["version", "type", "recorded_at", "bytes", "payload"]);
    for message in messages {
        let (topic, event) = (message.topic, message.event);
        let shown = payload::of_topic(&topic, &event.event_type, &event.payload);
        let (recorded_at, bytes) = (event.recorded_at.to_rfc3339(), event.payload.len());
        table.row(vec![event.version.into(), event.event_type.into(), recorded_at.into(), bytes.into(), shown]);
    }
    table.print(shared.format)
}
