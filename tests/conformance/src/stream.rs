//! Callers that go on through outages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use eventlog::Writer;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::account::{Accounts, numbered};
use crate::history::Acknowledged;
use crate::moment::{until, wait_a_little, within};
use crate::world::Service;

const CALLERS: usize = 8;

/// A stream of numbered commands, as many as are let through. A caller without an answer asks again with the same id.
pub(crate) struct Stream {
    callers: JoinSet<Vec<Acknowledged>>,
    counts: Arc<Counts>,
}

struct Counts {
    next: AtomicU64,
    answered: AtomicU64,
    unanswered: AtomicU64,
    allowed: Semaphore,
}

impl Stream {
    pub(crate) fn start(service: &Service) -> Stream {
        let (next, answered, unanswered) = Default::default();
        let counts = Arc::new(Counts { next, answered, unanswered, allowed: Semaphore::new(0) });
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(call(service.writer.clone(), Arc::clone(&counts)));
        }
        Stream { callers, counts }
    }

    /// Lets so many more commands through.
    pub(crate) fn allow(&self, commands: usize) {
        self.counts.allowed.add_permits(commands);
    }

    /// How many commands were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.counts.answered.load(Ordering::SeqCst)
    }

    /// How often a caller was left without an answer.
    pub(crate) fn unanswered(&self) -> u64 {
        self.counts.unanswered.load(Ordering::SeqCst)
    }

    /// Waits until so many commands are answered.
    pub(crate) async fn until_answered(&self, commands: u64) -> Outcome {
        until("commands are answered", async || Ok(self.answered() >= commands)).await
    }

    /// What all callers were told, when they have been through.
    pub(crate) async fn finish(mut self) -> Result<Vec<Acknowledged>> {
        self.counts.allowed.close();
        within("all commands are answered", async {
            let mut told = Vec::new();
            while let Some(one) = self.callers.join_next().await {
                told.extend(one?);
            }
            Ok(told)
        })
        .await
    }
}

async fn call(writer: Writer<Accounts>, counts: Arc<Counts>) -> Vec<Acknowledged> {
    let mut told = Vec::new();
    while let Ok(permit) = counts.allowed.acquire().await {
        permit.forget();
        let n = counts.next.fetch_add(1, Ordering::SeqCst);
        told.push(until_acknowledged(&writer, n, &counts.unanswered).await);
        counts.answered.fetch_add(1, Ordering::SeqCst);
    }
    told
}

async fn until_acknowledged(writer: &Writer<Accounts>, n: u64, unanswered: &AtomicU64) -> Acknowledged {
    loop {
        match writer.submit(numbered(n)).await {
            Ok(written) => return Acknowledged::new(format!("c{n}"), &written.appended),
            Err(_) => unanswered.fetch_add(1, Ordering::SeqCst),
        };
        wait_a_little().await;
    }
}
