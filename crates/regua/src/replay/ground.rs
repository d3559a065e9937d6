//! Where a distributed replay is played: schemas and topics under a name of its own, which go when it is over.
//!
//! The name is held by a lock of a database session, taken before anything is made under it. A replay that was killed lets go of it,
//! and a later one on the same database removes what it left. Topics go before schemas: as long as a schema is there, whoever finds it
//! knows which topics may be there too.

use crate::settings::Settings;
use anyhow::Context;
use eventlog::{
    Ids,
    bus::{Bus, Kafka},
};
use host::{ids::TimeOrdered, launch};
use sql::Server;
use std::collections::BTreeSet;

/// What stands before the id of a run that goes when it is over.
const PASSING: &str = "replay_";
/// What stands before the id of a run that somebody wants to look at later.
const KEPT: &str = "kept_";
/// Characters of an id.
const ID: usize = 32;

/// The servers of one replay and its name on them.
pub struct Ground {
    server: Option<Server>,
    kafka: Option<Kafka>,
    /// The configured prefix of schemas.
    prefix: String,
    id: String,
    keep: bool,
}

impl Ground {
    /// Gives a run on shared servers a name of its own, and removes what killed runs left there. Embedded ones need none.
    ///
    /// Errors: a server that does not answer now; a replay does not wait for it.
    pub async fn take(settings: &mut Settings, keep: bool) -> anyhow::Result<Self> {
        let id = TimeOrdered.event_id().simple().to_string();
        let server = match settings.storage.kind.as_str() {
            "postgres" => Some(Server::connect(&settings.storage.url).await.context("storage.url: the database cannot be reached")?),
            _ => None,
        };
        let kafka = match launch::bus_of(&settings.bus) {
            Bus::Kafka(kafka) => Some(kafka),
            Bus::InProcess(_) => None,
        };
        if let Some(kafka) = &kafka {
            kafka.reach().await.context("bus.brokers")?;
        }
        let mut ground = Self { server, kafka, prefix: settings.storage.prefix.clone(), id, keep };
        if ground.server.is_some() || ground.kafka.is_some() {
            ground.hold().await?;
            let run = format!("{}{}_", if keep { KEPT } else { PASSING }, ground.id);
            settings.bus.prefix += &run;
            settings.storage.prefix += &run;
        }
        Ok(ground)
    }

    /// Holds its own name, and clears away names that nobody holds.
    async fn hold(&mut self) -> anyhow::Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        anyhow::ensure!(server.try_hold(&self.id).await?, "the name of the replay is taken");
        for left in left_behind(server, &self.prefix).await? {
            if server.try_hold(&left).await?
                && let Err(error) = remove(server, self.kafka.as_ref(), &self.prefix, &left).await
            {
                // This replay can be played all the same.
                eprintln!("what a replay left behind as {PASSING}{left} could not be removed: {error:#}");
            }
        }
        Ok(())
    }

    /// Removes what was made under its name, unless it is to be kept. Errors: a server that does not answer; a later replay tries
    /// again.
    pub async fn clear(mut self) -> anyhow::Result<()> {
        if self.keep {
            if self.server.is_some() || self.kafka.is_some() {
                eprintln!("kept on the servers: everything whose name holds {KEPT}{}", self.id);
            }
            return Ok(());
        }
        match &mut self.server {
            Some(server) => remove(server, self.kafka.as_ref(), &self.prefix, &self.id).await,
            None => remove_topics(self.kafka.as_ref(), &self.id).await,
        }
    }
}

/// The ids of all runs that have schemas.
async fn left_behind(server: &mut Server, prefix: &str) -> anyhow::Result<BTreeSet<String>> {
    let beginning = format!("{prefix}{PASSING}");
    let schemas = server.schemas(&beginning).await?;
    let id = |schema: &String| schema.strip_prefix(&beginning).and_then(|rest| rest.get(..ID)).map(str::to_owned);
    Ok(schemas.iter().filter_map(id).filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit())).collect())
}

async fn remove(server: &mut Server, kafka: Option<&Kafka>, prefix: &str, id: &str) -> anyhow::Result<()> {
    remove_topics(kafka, id).await?;
    for schema in server.schemas(&format!("{prefix}{PASSING}{id}_")).await? {
        server.drop_schema(&schema).await?;
    }
    Ok(())
}

/// An id is unique in the world, so whatever topic holds it belongs to its run.
async fn remove_topics(kafka: Option<&Kafka>, id: &str) -> anyhow::Result<()> {
    let Some(kafka) = kafka else { return Ok(()) };
    let run = format!("{PASSING}{id}_");
    kafka.delete_topics(move |name| name.contains(&run)).await?;
    Ok(())
}
