//! The writer's task: takes jobs, runs batches, answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sql::SqlError;
use tokio::sync::mpsc;

use crate::event::Appended;
use crate::log::lookup::Ask;
use crate::log::plan::Plan;
use crate::log::{LogError, Protection, Session, StoreError};
use crate::writer::batch::{Decided, Streams};
use crate::writer::queue::{Batch, Commands, Inbound, Job, Pending, Queue};
use crate::writer::{Aggregate, IngestError, IngestReply, Ingested, Intake, PoisonedCommand, Shared, WriteError};

/// A batch that the database could not take because of others is repeated this often before its callers hear of it.
const ATTEMPTS: u32 = 6;

/// Commands whose events go to the database together, where it works while the next ones are decided.
const AHEAD: usize = 32;

/// Runs until all handles are gone and the queue is empty.
pub(crate) async fn run<A: Aggregate>(shared: Arc<Shared<A>>, jobs: mpsc::Receiver<Job<A>>) {
    let (mut queue, mut caution) = (Queue::new(jobs), Caution::default());
    let most = shared.options.batch_commands.max(1);
    while let Some(job) = queue.next().await {
        match job {
            Job::Submit(first) => submit_all(&shared, &mut caution, Batch::begin(first, &mut queue, most)).await,
            Job::Ingest(Pending { work, reply, busy }) => {
                let answer = ingest(&shared, work).await;
                // Whoever dropped its future does not want to know.
                let _ = reply.send(answer);
                drop(busy);
            }
        }
    }
}

async fn submit_all<A: Aggregate>(shared: &Shared<A>, caution: &mut Caution, mut batch: Batch<'_, A>) {
    let answers = match write(shared, caution, &mut batch).await {
        Ok(answers) => answers,
        Err(error) => (0..batch.count()).map(|_| Err(WriteError::from_log(&error))).collect(),
    };
    batch.answer(answers);
}

/// Decides and stores a batch; the answers are durable.
async fn write<A: Aggregate>(shared: &Shared<A>, caution: &mut Caution, batch: &mut Batch<'_, A>) -> Result<Vec<Decided<A>>, LogError> {
    let mut barred: HashMap<usize, String> = HashMap::new();
    let (mut attempt, mut presumes) = (0, caution.presumes(shared));
    loop {
        // What was barred has no event.
        let mut presumed = presumes && barred.is_empty();
        match write_once(shared, batch, &barred, &mut presumed).await {
            Ok(Some(answers)) => {
                if presumed {
                    caution.confirmed();
                    shared.counts.presumed.fetch_add(1, Ordering::Relaxed);
                }
                count(shared, &answers);
                return Ok(answers);
            }
            Err(StoreError::Side { ticket, reason }) => {
                barred.insert(ticket, reason);
            }
            Ok(None) | Err(StoreError::Log(LogError::Sql(SqlError::Unique { .. } | SqlError::Busy(_)))) if presumed => {
                caution.doubt();
                presumes = false;
            }
            Ok(None) => presumes = false,
            Err(StoreError::Log(error)) => pause_before_repeat(&mut attempt, error).await?,
        }
    }
}

/// One attempt at it; None where what it presumed would not be found out, if it were not so. It presumes nothing where others have
/// appended since its streams were looked at.
async fn write_once<A: Aggregate>(
    shared: &Shared<A>,
    batch: &mut Batch<'_, A>,
    barred: &HashMap<usize, String>,
    presumes: &mut bool,
) -> Result<Option<Vec<Decided<A>>>, StoreError> {
    let mut streams = load(shared, batch).await?;
    let mut session = Session::begin(&shared.log).await?;
    *presumes &= streams.are_of(shared.log.others());
    let mut plan = if *presumes { session.presume() } else { lock(shared, &mut session, &mut streams, batch).await? };
    match decide_all(shared, (&mut session, &mut streams, &mut plan), batch, barred).await? {
        Some(answers) => {
            finish(shared, session, plan, streams).await?;
            Ok(Some(answers))
        }
        None => {
            session.rollback().await;
            Ok(None)
        }
    }
}

/// Whether a batch asks the log first. Most batches are of new commands while nobody else appends: then all answers are known, and asking
/// costs as much as deciding. A batch that presumed wrongly is rolled back and done again with care, and so are some that follow: one, then
/// two, and twice as many each time.
#[derive(Default)]
struct Caution {
    /// Batches that still ask.
    left: u32,
    /// How many were to, when a presumption was last wrong; 0 when one was right since.
    last: u32,
}

/// However often others come first, now and then it is tried again.
const MOST_CAREFUL: u32 = 64;

impl Caution {
    fn presumes<A: Aggregate>(&mut self, shared: &Shared<A>) -> bool {
        let log = &shared.log;
        let controlled = log.lacks(Protection::VersionCheck) || log.lacks(Protection::CommandIds);
        if self.left == 0 && log.db().is_some() && !controlled {
            return true;
        }
        self.left = self.left.saturating_sub(1);
        false
    }

    fn confirmed(&mut self) {
        self.last = 0;
    }

    fn doubt(&mut self) {
        self.last = (self.last * 2).clamp(1, MOST_CAREFUL);
        self.left = self.last;
    }
}

/// Carries out one page; only its own transaction, because all of it must vanish when a part of it fails.
async fn ingest<A: Aggregate>(shared: &Shared<A>, intake: Intake<A::Command>) -> IngestReply<A> {
    let mut attempt = 0;
    loop {
        match ingest_once(shared, &intake).await {
            Ok(appended) => {
                shared.counts.batches.fetch_add(1, Ordering::Relaxed);
                return Ok(Ingested { appended });
            }
            Err(PageError::Log(error)) => {
                pause_before_repeat(&mut attempt, error).await.map_err(not_stored)?;
            }
            Err(PageError::Refused(refused)) => return Err(refused),
        }
    }
}

/// A fault of what the page writes may be told only when it is sent, with the events or at the end.
fn not_stored<R>(error: LogError) -> IngestError<R> {
    match error {
        LogError::Sql(error) if error.is_about_data() => IngestError::Alongside(error.into()),
        error => IngestError::Unavailable(error.to_string()),
    }
}

enum PageError<R> {
    Log(LogError),
    Refused(IngestError<R>),
}

impl<R> From<LogError> for PageError<R> {
    fn from(error: LogError) -> Self {
        PageError::Log(error)
    }
}

async fn ingest_once<A: Aggregate>(shared: &Shared<A>, intake: &Intake<A::Command>) -> Result<Vec<Appended>, PageError<A::Rejection>> {
    let mut commands = Inbound(&intake.commands);
    let mut streams = load(shared, &commands).await?;
    let mut session = Session::begin(&shared.log).await?;
    intake.alongside.write(session.tx()?).await.map_err(|error| PageError::Refused(error.into()))?;
    if intake.commands.is_empty() {
        session.commit().await?;
        return Ok(Vec::new());
    }
    let mut plan = lock(shared, &mut session, &mut streams, &commands).await?;
    // It presumes nothing, so there are answers.
    let decided = decide_all(shared, (&mut session, &mut streams, &mut plan), &mut commands, &HashMap::new()).await?;
    let answers = decided.unwrap_or_default();
    let mut appended = Vec::with_capacity(answers.len());
    let mut poisoned = Vec::new();
    for (index, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok((done, _)) => appended.push(done),
            Err(error) => poisoned.push(PoisonedCommand { index, error }),
        }
    }
    if !poisoned.is_empty() {
        session.rollback().await;
        return Err(PageError::Refused(IngestError::Poisoned(poisoned)));
    }
    match finish(shared, session, plan, streams).await {
        Ok(()) => {}
        Err(StoreError::Log(error)) => return Err(error.into()),
        // Facts of other services bring no side rows.
        Err(StoreError::Side { reason, .. }) => return Err(PageError::Refused(IngestError::Unavailable(reason))),
    }
    shared.counts.commands.fetch_add(appended.len() as u64, Ordering::Relaxed);
    shared.counts.events.fetch_add(events_of(appended.iter()), Ordering::Relaxed);
    Ok(appended)
}

/// Loads the streams that are not in the cache, before the log is locked.
async fn load<A: Aggregate>(shared: &Shared<A>, commands: &impl Commands<A>) -> Result<Streams<A>, LogError> {
    let mut streams = Streams::cached(shared, (0..commands.count()).map(|place| commands.request(place).stream));
    let events = shared.log.read_streams(&streams.cold()).await?;
    streams.absorb(shared, &events);
    Ok(streams)
}

/// Locks the log and brings every stream to the newest version, whoever wrote it.
async fn lock<A: Aggregate>(
    shared: &Shared<A>,
    session: &mut Session,
    streams: &mut Streams<A>,
    commands: &impl Commands<A>,
) -> Result<Plan, LogError> {
    let mut ask = Ask::default();
    for place in 0..commands.count() {
        let request = commands.request(place);
        ask.add(request.stream, &request.meta.tenant, request.key, request.claims);
    }
    let plan = session.plan(&ask).await?;
    streams.now_of(shared.log.others());
    let behind = streams.behind(&plan);
    if !behind.is_empty() {
        let events = session.read_streams(&behind).await?;
        streams.absorb(shared, &events);
    }
    Ok(plan)
}

/// Decides the whole batch; while the database stores one part of it the next is decided. A plan that presumes has asked nothing, so
/// commands that have come meanwhile are decided too. None where it presumes what an answer would not prove.
async fn decide_all<A: Aggregate>(
    shared: &Shared<A>,
    (session, streams, plan): (&mut Session, &mut Streams<A>, &mut Plan),
    commands: &mut impl Commands<A>,
    barred: &HashMap<usize, String>,
) -> Result<Option<Vec<Decided<A>>>, LogError> {
    let begun = commands.count();
    let mut answers = Vec::with_capacity(begun);
    loop {
        let place = answers.len();
        if place == commands.count() && !(plan.presumed.is_some() && join(shared, streams, plan, commands)) {
            break;
        }
        if place > 0 && place % AHEAD == 0 {
            if session.sends_timers_ahead() {
                streams.stage_timers(&shared.aggregate, plan, shared.options.partitions);
            }
            session.send_ahead(plan).await?;
        }
        let answer = match barred.get(&place) {
            Some(reason) => Err(WriteError::SideRefused(reason.clone())),
            None => streams.decide(&shared.aggregate, plan, place, &commands.request(place)),
        };
        if !plan.is_proven_by(answer.as_ref().ok().map(|(appended, _)| appended)) {
            // One that joined and is refused leaves no trace, but for a wake: what was decided before it is worth keeping.
            if place >= begun && answer.is_err() && commands.request(place).wake.is_none() {
                commands.put_back(place);
                break;
            }
            return Ok(None);
        }
        answers.push(answer);
    }
    streams.stage_timers(&shared.aggregate, plan, shared.options.partitions);
    Ok(Some(answers))
}

/// Lets commands join a batch that presumes; false where none does. Whoever's stream must be read, or has not been compared with the log since
/// others appended, is for the next batch, and so are all behind it.
fn join<A: Aggregate>(shared: &Shared<A>, streams: &mut Streams<A>, plan: &mut Plan, commands: &mut impl Commands<A>) -> bool {
    let joined = commands.take_more(|submission| streams.take_in_known(shared, &submission.stream));
    if joined {
        // None of them is recorded before it was sent.
        plan.now = shared.log.now();
    }
    joined
}

/// Commits; states become the cached ones only then.
async fn finish<A: Aggregate>(shared: &Shared<A>, session: Session, plan: Plan, streams: Streams<A>) -> Result<(), StoreError> {
    if plan.staged.is_empty() && !session.was_lent() {
        session.rollback().await;
    } else {
        session.finish(plan).await?;
    }
    streams.keep(shared);
    Ok(())
}

/// Waits before a repetition; gives the error back when repeating is of no use, or has been tried often enough. After a broken
/// connection the outcome is unknown, and only the caller's command id can tell: it is never repeated here.
async fn pause_before_repeat(attempt: &mut u32, error: LogError) -> Result<(), LogError> {
    let repeatable = matches!(&error, LogError::Sql(SqlError::Busy(_) | SqlError::Unique { .. }));
    *attempt += 1;
    if !repeatable || *attempt >= ATTEMPTS {
        return Err(error);
    }
    tracing::debug!(%error, attempt, "batch repeated");
    tokio::time::sleep(Duration::from_millis(2 << *attempt)).await;
    Ok(())
}

fn count<A: Aggregate>(shared: &Shared<A>, answers: &[Decided<A>]) {
    let done = || answers.iter().flatten().map(|(appended, _)| appended);
    shared.counts.batches.fetch_add(1, Ordering::Relaxed);
    shared.counts.commands.fetch_add(done().count() as u64, Ordering::Relaxed);
    shared.counts.events.fetch_add(events_of(done()), Ordering::Relaxed);
}

fn events_of<'a>(appended: impl Iterator<Item = &'a Appended>) -> u64 {
    appended.filter(|one| !one.deduplicated).map(|one| one.last_version + 1 - one.first_version).sum()
}
