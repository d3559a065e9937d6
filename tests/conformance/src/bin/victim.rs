//! The process that gets killed in the middle of its work. It says what it has done, one line each, and ends when nobody listens any more.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use conformance::account::{PublicFacts, numbered};
use conformance::bureau::{Reached, lists};
use conformance::faults::{Spot, Switchboard};
use conformance::storage::{Memory, Place, Storage};
use conformance::wire::Route;
use conformance::world::{BANK, Service};
use eventlog::Activity;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

/// Commands under way at once.
const IN_FLIGHT: usize = 16;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", place, from, until] => write(&place.parse()?, from.parse()?..until.parse()?).await?,
        ["boast", place, from, until] => boast(&place.parse()?, from.parse()?..until.parse()?).await?,
        ["listen", bank, mirror, route, spot, after] => {
            listen((&bank.parse()?, &mirror.parse()?), &route.parse()?, (spot.parse()?, after.parse()?)).await?;
        }
        ["list", place, owner, bureau, minutes] => {
            let (place, owner, bureau) = (place.parse()?, (*owner).to_owned(), (*bureau).to_owned());
            let _lists = lists(&Reached { place, owner, bureau }, minutes.parse()?).await?;
            println!("ready");
            return closed().await;
        }
        _ => bail!("usage: victim write|boast PLACE FROM UNTIL | listen BANK MIRROR ROUTE SPOT AFTER | list PLACE OWNER BUREAU MINUTES"),
    }
    closed().await
}

/// Nobody listens any more.
async fn closed() -> Result<()> {
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// Carries out numbered commands and keeps a read model over its own log.
async fn write(place: &Place, numbers: std::ops::Range<u64>) -> Result<()> {
    let (activity, stop, faults) = (Activity::new(), CancellationToken::new(), Arc::new(Switchboard::default()));
    let service = Service::over(place.log(&faults).await?, &faults, &activity);
    let _reader = service.start_own(&activity, &stop).await?;
    println!("ready");
    futures::stream::iter(numbers).map(|n| until_acknowledged(&service, n)).buffer_unordered(IN_FLIGHT).collect::<Vec<()>>().await;
    println!("done");
    Ok(())
}

/// Carries out numbered commands as a writer would that acknowledges before it has stored: what it says is right, and too early.
async fn boast(place: &Place, numbers: std::ops::Range<u64>) -> Result<()> {
    let (activity, memory) = (Activity::new(), Memory::fresh().await?.context("memory is always there")?);
    let early = Service::open(&memory, &activity).await?;
    for n in numbers.clone() {
        until_acknowledged(&early, n).await;
    }
    write(place, numbers).await
}

/// Submits the command until it is acknowledged, as a caller does who has got no answer.
async fn until_acknowledged(service: &Service, n: u64) {
    loop {
        match service.writer.submit(numbered(n)).await {
            Ok(written) => {
                let got = &written.appended;
                let answer = String::from_utf8_lossy(&got.answer);
                println!("ack {n} {} {} {} {answer}", got.first_version, got.last_version, got.last_position);
                return;
            }
            Err(error) => println!("refused {n} {} {error}", error.slug()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Listens to the bank as the mirror does, and stands still at a spot.
async fn listen(stores: (&Place, &Place), route: &Route, stand: (Spot, u64)) -> Result<()> {
    let (activity, stop, faults) = (Activity::new(), CancellationToken::new(), Arc::new(Switchboard::default()));
    let mirror = Service::over(stores.1.log(&faults).await?, &faults, &activity);
    let bus = route.bus_of_a_successor(&route.bus());
    if *route == Route::InProcess {
        let bank = stores.0.log(&Arc::default()).await?;
        bus.offer(BANK, bank, Arc::new(PublicFacts), &activity, stop.clone()).await.context("publishing")?;
    }
    let stall = faults.stall(stand.0, stand.1);
    let _reader = mirror.listen(&bus, &activity, &stop).await?;
    println!("ready");
    stall.reached().await;
    println!("at {}", stand.0);
    Ok(())
}
