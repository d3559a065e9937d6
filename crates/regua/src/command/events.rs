//! `regua events`

use super::{DONE, Shared, data};
use crate::{
    output::{Format, Table},
    payload,
};
use clap::{Args, Subcommand};
use eventlog::Recorded;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Look into a service's log; payloads are shown with the names of their fields
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regua events show invoice --limit 20\n  regua events show dunning-engine --stream ladder/default/C0001\n  regua events tail notification --format json"
)]
pub struct Events {
    #[command(subcommand)]
    what: What,
}

#[derive(Args)]
struct Where {
    /// invoice, dunning-engine or notification
    service: String,
    /// Directory of the SQLite files (embedded storage)
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only this stream
    #[arg(long)]
    stream: Option<String>,
}

#[derive(Subcommand)]
enum What {
    /// Events in order of their position
    Show {
        #[command(flatten)]
        place: Where,
        /// Only after this position
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// New events as they come, until Ctrl-C
    Tail {
        #[command(flatten)]
        place: Where,
    },
}

const COLUMNS: [&str; 8] = ["position", "recorded_at", "stream", "version", "type", "effective_on", "bytes", "payload"];
const PAGE: usize = 500;

pub async fn run(args: Events, shared: &Shared) -> anyhow::Result<u8> {
    match args.what {
        What::Show { place, after, limit } => show(&place, after, limit, shared).await,
        What::Tail { place } => tail(&place, shared).await,
    }
}

async fn show(place: &Where, after: u64, limit: usize, shared: &Shared) -> anyhow::Result<u8> {
    let log = data::log(&shared.settings(place.data.as_ref())?, &place.service).await?;
    let mut table = Table::new(&format!("Log of {}", place.service), &COLUMNS);
    let mut found = 0;
    let mut next = after;
    while found < limit {
        let events = match &place.stream {
            Some(stream) => log.read_streams(&[(stream.clone(), 0)]).await?,
            None => log.read(next, PAGE.min(limit - found)).await?,
        };
        let Some(last) = events.last().map(|event| event.position) else { break };
        for event in events.iter().filter(|event| event.position > after).take(limit - found) {
            table.row(cells(&place.service, event));
            found += 1;
        }
        next = last;
        if place.stream.is_some() {
            break;
        }
    }
    table.print(shared.format)?;
    Ok(DONE)
}

async fn tail(place: &Where, shared: &Shared) -> anyhow::Result<u8> {
    let log = data::log(&shared.settings(place.data.as_ref())?, &place.service).await?;
    let mut next = log.head().await?;
    let mut look = tokio::time::interval(std::time::Duration::from_millis(300));
    loop {
        tokio::select! {
            ended = tokio::signal::ctrl_c() => {
                ended?;
                return Ok(DONE);
            }
            _ = look.tick() => {}
        }
        for event in log.read(next, PAGE).await? {
            next = event.position;
            if place.stream.as_ref().is_none_or(|stream| *stream == event.stream) {
                print_line(&place.service, &event, shared.format);
            }
        }
    }
}

fn cells(service: &str, event: &Recorded) -> Vec<Value> {
    vec![
        event.position.into(),
        event.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        event.stream.as_str().into(),
        event.version.into(),
        event.event_type.as_str().into(),
        event.effective_on.map(|day| day.to_string()).unwrap_or_default().into(),
        event.payload.len().into(),
        payload::of_service(service, &event.event_type, &event.payload),
    ]
}

fn print_line(service: &str, event: &Recorded, format: Format) {
    let cells = cells(service, event);
    match format {
        Format::Json => {
            println!("{}", json!(COLUMNS.iter().zip(cells).map(|(k, v)| ((*k).to_owned(), v)).collect::<serde_json::Map<_, _>>()))
        }
        Format::Table | Format::Csv => {
            let texts: Vec<String> = cells.iter().map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect();
            println!("{}", texts.join("  "));
        }
    }
}
