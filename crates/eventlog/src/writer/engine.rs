//! The writer's task: takes jobs, runs batches, answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sql::SqlError;
use tokio::sync::{mpsc, oneshot};

use crate::activity::Busy;
use crate::event::Appended;
use crate::log::lookup::Ask;
use crate::log::plan::Plan;
use crate::log::{LogError, Protection, Session, StoreError};
use crate::writer::batch::{Decided, Request, Streams};
use crate::writer::{
    Aggregate, IngestError, IngestReply, Ingested, Intake, Job, PoisonedCommand, Shared, Submission, SubmitReply, WriteError, Written,
};

/// A batch that the database could not take because of others is repeated this often before its callers hear of it.
const ATTEMPTS: u32 = 6;

/// Commands whose events go to the database together, where it works while the next ones are decided.
const AHEAD: usize = 64;

/// Work that somebody waits for.
pub(crate) struct Pending<W, R> {
    pub(crate) work: W,
    pub(crate) reply: oneshot::Sender<R>,
    pub(crate) busy: Busy,
}

pub(crate) type Submitted<A> = Pending<Submission<A>, SubmitReply<A>>;
pub(crate) type Page<A> = Pending<Intake<<A as Aggregate>::Command>, IngestReply<A>>;

/// Runs until all handles are gone and the queue is empty.
pub(crate) async fn run<A: Aggregate>(shared: Arc<Shared<A>>, mut queue: mpsc::Receiver<Job<A>>) {
    let limit = shared.options.batch_commands.max(1);
    let mut jobs = Vec::with_capacity(limit);
    let mut caution = Caution::default();
    while queue.recv_many(&mut jobs, limit).await > 0 {
        let mut batch: Vec<Box<Submitted<A>>> = Vec::new();
        for job in jobs.drain(..) {
            match job {
                Job::Submit(submitted) => batch.push(submitted),
                Job::Ingest(page) => {
                    submit_all(&shared, &mut caution, std::mem::take(&mut batch)).await;
                    let Pending { work, reply, busy } = page;
                    let answer = ingest(&shared, work).await;
                    // Whoever dropped its future does not want to know.
                    let _ = reply.send(answer);
                    drop(busy);
                }
            }
        }
        submit_all(&shared, &mut caution, batch).await;
    }
}

async fn submit_all<A: Aggregate>(shared: &Shared<A>, caution: &mut Caution, batch: Vec<Box<Submitted<A>>>) {
    if batch.is_empty() {
        return;
    }
    let answers = match write(shared, caution, &batch).await {
        Ok(answers) => answers,
        Err(error) => batch.iter().map(|_| Err(WriteError::from_log(&error))).collect(),
    };
    for (pending, answer) in batch.into_iter().zip(answers) {
        let Pending { reply, busy, .. } = *pending;
        let _ = reply.send(answer.map(|(appended, state)| Written { appended, state }));
        drop(busy);
    }
}

/// Decides and stores a batch; the answers are durable.
async fn write<A: Aggregate>(shared: &Shared<A>, caution: &mut Caution, batch: &[Box<Submitted<A>>]) -> Result<Vec<Decided<A>>, LogError> {
    let requests: Vec<Request<'_, A>> = batch.iter().map(|pending| Request::of_submission(&pending.work)).collect();
    let mut barred: HashMap<usize, String> = HashMap::new();
    let (mut attempt, mut presumes) = (0, caution.presumes(shared));
    loop {
        // What was barred has no event.
        let mut presumed = presumes && barred.is_empty();
        match write_once(shared, &requests, &barred, &mut presumed).await {
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
    requests: &[Request<'_, A>],
    barred: &HashMap<usize, String>,
    presumes: &mut bool,
) -> Result<Option<Vec<Decided<A>>>, StoreError> {
    let mut streams = load(shared, requests).await?;
    let mut session = Session::begin(&shared.log).await?;
    *presumes &= streams.are_of(shared.log.others());
    let mut plan = if *presumes { session.presume() } else { lock(shared, &mut session, &mut streams, requests).await? };
    match decide_all(shared, (&mut session, &mut streams, &mut plan), requests, barred).await? {
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
    let requests: Vec<Request<'_, A>> =
        intake.commands.iter().map(|inbound| Request::plain(&inbound.stream, &inbound.meta, &inbound.command)).collect();
    let mut attempt = 0;
    loop {
        match ingest_once(shared, &intake, &requests).await {
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

async fn ingest_once<A: Aggregate>(
    shared: &Shared<A>,
    intake: &Intake<A::Command>,
    requests: &[Request<'_, A>],
) -> Result<Vec<Appended>, PageError<A::Rejection>> {
    let mut streams = load(shared, requests).await?;
    let mut session = Session::begin(&shared.log).await?;
    intake.alongside.write(session.tx()?).await.map_err(|error| PageError::Refused(error.into()))?;
    if requests.is_empty() {
        session.commit().await?;
        return Ok(Vec::new());
    }
    let mut plan = lock(shared, &mut session, &mut streams, requests).await?;
    // It presumes nothing, so there are answers.
    let answers = decide_all(shared, (&mut session, &mut streams, &mut plan), requests, &HashMap::new()).await?.unwrap_or_default();
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
async fn load<A: Aggregate>(shared: &Shared<A>, requests: &[Request<'_, A>]) -> Result<Streams<A>, LogError> {
    let mut streams = Streams::cached(shared, requests.iter().map(|request| request.stream));
    let events = shared.log.read_streams(&streams.cold()).await?;
    streams.absorb(shared, &events);
    Ok(streams)
}

/// Locks the log and brings every stream to the newest version, whoever wrote it.
async fn lock<A: Aggregate>(
    shared: &Shared<A>,
    session: &mut Session,
    streams: &mut Streams<A>,
    requests: &[Request<'_, A>],
) -> Result<Plan, LogError> {
    let mut ask = Ask::default();
    for request in requests {
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

/// Decides the whole batch; while the database stores one part of it the next is decided. None where the plan presumes what an answer would
/// not prove.
async fn decide_all<A: Aggregate>(
    shared: &Shared<A>,
    (session, streams, plan): (&mut Session, &mut Streams<A>, &mut Plan),
    requests: &[Request<'_, A>],
    barred: &HashMap<usize, String>,
) -> Result<Option<Vec<Decided<A>>>, LogError> {
    let mut answers = Vec::with_capacity(requests.len());
    for (ticket, request) in requests.iter().enumerate() {
        let answer = match barred.get(&ticket) {
            Some(reason) => Err(WriteError::SideRefused(reason.clone())),
            None => streams.decide(&shared.aggregate, plan, ticket, request),
        };
        if !plan.is_proven_by(answer.as_ref().ok().map(|(appended, _)| appended)) {
            return Ok(None);
        }
        answers.push(answer);
        if (ticket + 1) % AHEAD == 0 && ticket + 1 < requests.len() {
            session.send_ahead(plan).await?;
        }
    }
    streams.stage_timers(&shared.aggregate, plan, shared.options.partitions);
    Ok(Some(answers))
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
