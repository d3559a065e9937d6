//! The writer's task: takes jobs, runs batches, answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sql::SqlError;
use tokio::sync::mpsc;

use crate::log::{LogError, Protection, Session, StoreError};
use crate::writer::batch::{Decided, Streams};
use crate::writer::draft::{Begun, Draft, decide_while, draft_while};
use crate::writer::page::ingest;
use crate::writer::queue::{Batch, Commands, Job, Pending, Queue};
use crate::writer::repeat::{count, pause_before_repeat};
use crate::writer::work::{Barred, Work, commit};
use crate::writer::{Aggregate, Shared, WriteError};

/// Runs until all handles are gone and the queue is empty.
pub(crate) async fn run<A: Aggregate>(shared: Arc<Shared<A>>, jobs: mpsc::Receiver<Job<A>>) {
    let mut writer = Engine { shared, queue: Queue::new(jobs), caution: Caution::default() };
    let mut begun = None;
    loop {
        let draft = match begun.take() {
            Some(draft) => draft,
            None => match writer.queue.next().await {
                Some(Job::Submit(first)) => Draft::of(Batch::begin(first, &mut writer.queue, writer.shared.most())),
                Some(Job::Ingest(Pending { work, reply, busy })) => {
                    let answer = ingest(&writer.shared, work).await;
                    // Whoever dropped its future does not want to know.
                    let _ = reply.send(answer);
                    drop(busy);
                    continue;
                }
                None => return,
            },
        };
        begun = writer.submit_all(draft).await;
    }
}

struct Engine<A: Aggregate> {
    shared: Arc<Shared<A>>,
    queue: Queue<A>,
    caution: Caution,
}

/// A batch that is durable.
struct Stored<A: Aggregate> {
    answers: Vec<Decided<A>>,
    /// What has been begun of the next one meanwhile.
    next: Option<Draft<A>>,
}

impl<A: Aggregate> Engine<A> {
    /// Decides and stores a batch, and answers its callers; what has been decided of the next one meanwhile.
    async fn submit_all(&mut self, draft: Draft<A>) -> Option<Draft<A>> {
        let Draft { mut batch, begun } = draft;
        match self.write(&mut batch, begun).await {
            Ok(Stored { answers, next }) => {
                batch.answer(answers);
                next
            }
            Err(error) => {
                let answers = (0..batch.count()).map(|_| Err(WriteError::from_log(&error))).collect();
                batch.answer(answers);
                None
            }
        }
    }

    /// Decides and stores a batch, as often as it takes; what of it is begun presumes.
    async fn write(&mut self, batch: &mut Batch<A>, mut begun: Option<Begun<A>>) -> Result<Stored<A>, LogError> {
        let mut barred = Barred::new();
        let mut attempt = 0;
        let mut presumes = if begun.is_none() && self.queue.take_doubt() {
            self.caution.doubt();
            false
        } else {
            self.caution.presumes(&self.shared)
        };
        loop {
            // What was barred has no event.
            let mut presumed = presumes && barred.is_empty();
            match self.write_once(batch, begun.take(), &barred, &mut presumed).await {
                Ok(Some(stored)) => {
                    if presumed {
                        self.caution.confirmed();
                        self.shared.counts.presumed.fetch_add(1, Ordering::Relaxed);
                    }
                    count(&self.shared, stored.answers.iter().flatten().map(|(appended, _)| appended));
                    return Ok(stored);
                }
                Err(StoreError::Side { ticket, reason }) => {
                    barred.insert(ticket, reason);
                }
                Ok(None) | Err(StoreError::Log(LogError::Sql(SqlError::Unique { .. } | SqlError::Busy(_)))) if presumed => {
                    self.caution.doubt();
                    presumes = false;
                }
                Ok(None) => presumes = false,
                Err(StoreError::Log(error)) => pause_before_repeat(&mut attempt, error).await?,
            }
        }
    }

    /// One attempt at a batch; none where what it presumed would not be found out, if it were not so. It presumes nothing where others have
    /// appended since its streams were looked at.
    async fn write_once(
        &mut self,
        batch: &mut Batch<A>,
        begun: Option<Begun<A>>,
        barred: &Barred,
        presumes: &mut bool,
    ) -> Result<Option<Stored<A>>, StoreError> {
        let Some((mut session, mut work)) = open(&self.shared, (&mut self.queue, batch), begun, presumes).await? else {
            return Ok(None);
        };
        if !self.decide_all(batch, &mut work, &mut session, barred).await? {
            session.rollback().await;
            return Ok(None);
        }
        self.store(work, session, *presumes).await.map(Some)
    }

    /// Decides the whole batch; while the database stores one part of it the next is decided. A plan that presumes has asked nothing, so
    /// commands that have come meanwhile are decided too. False where it presumes what an answer would not prove.
    async fn decide_all(
        &mut self,
        batch: &mut Batch<A>,
        work: &mut Work<A>,
        session: &mut Session,
        barred: &Barred,
    ) -> Result<bool, LogError> {
        // What was decided before it began came while another one committed, as what joins now does.
        let begun = if work.answers.is_empty() { batch.count() } else { work.answers.len() };
        loop {
            let place = work.answers.len();
            if place == batch.count() && !(work.plan.presumed.is_some() && work.take_more(&self.shared, None, (&mut self.queue, batch))) {
                return Ok(true);
            }
            work.send_part(&self.shared, session).await?;
            let request = batch.request(place);
            if !work.decide(&self.shared, &request, barred) {
                if place < begun {
                    return Ok(false);
                }
                // What was decided before one that joined is worth keeping.
                batch.put_back_doubted(&mut self.queue, place);
                return Ok(true);
            }
        }
    }

    /// Commits, and decides what comes meanwhile as if that had gone well; where it has not, that is undone.
    async fn store(&mut self, mut work: Work<A>, session: Session, drafts: bool) -> Result<Stored<A>, StoreError> {
        let (shared, queue) = (&self.shared, &mut self.queue);
        if !drafts {
            return Ok(Stored { answers: work.store(shared, session).await?, next: None });
        }
        work.stage_timers(shared);
        let Work { streams, plan, answers, .. } = work;
        let head = plan.head();
        let (committed, draft) = draft_while(commit(session, plan), shared, queue, (&streams, head)).await;
        match committed {
            Ok(()) => {
                let next = match draft {
                    Some(draft) => begin_now(draft, shared, queue).await,
                    None => None,
                };
                streams.keep(shared);
                Ok(Stored { answers, next })
            }
            Err(error) => {
                if let Some(Draft { mut batch, .. }) = draft {
                    batch.put_back_all(queue);
                }
                Err(error)
            }
        }
    }
}

/// The draft, begun where that is possible at once; none where the database has failed: its commands wait again.
async fn begin_now<A: Aggregate>(mut draft: Draft<A>, shared: &Shared<A>, queue: &mut Queue<A>) -> Option<Draft<A>> {
    match draft.begin_now(shared).await {
        Ok(begun) => {
            shared.counts.begun_at_once.fetch_add(u64::from(begun), Ordering::Relaxed);
            Some(draft)
        }
        Err(error) => {
            tracing::warn!(%error, "a batch is decided anew");
            draft.batch.put_back_all(queue);
            None
        }
    }
}

/// Opens a transaction for a batch, when what must be read of its streams is here. None where what is decided of it presumes what is no longer
/// so.
async fn open<A: Aggregate>(
    shared: &Shared<A>,
    (queue, batch): (&mut Queue<A>, &mut Batch<A>),
    begun: Option<Begun<A>>,
    presumes: &mut bool,
) -> Result<Option<(Session, Work<A>)>, LogError> {
    let Some(Begun { mut work, session }) = begun else {
        let mut streams = Streams::default();
        streams.load(shared, &*batch).await?;
        let mut session = Session::begin(&shared.log).await?;
        *presumes &= streams.are_of(shared.log.others());
        let work =
            if *presumes { Work::new(streams, session.presume()) } else { Work::with_care(shared, streams, &*batch, &mut session).await? };
        return Ok(Some((session, work)));
    };
    if let Some(session) = session {
        return Ok(Some((session, work)));
    }
    // What is not decided of it is not read yet.
    work.streams.read(shared).await?;
    if work.streams.are_of(shared.log.others()) {
        let opens = Session::begin(&shared.log);
        // A first command that is doubted needs its transaction to be refused in.
        let session = if work.answers.is_empty() {
            opens.await?
        } else {
            let (opened, decided) = decide_while(opens, shared, queue, (batch, work)).await;
            work = decided;
            opened?
        };
        if work.goes_on(shared) {
            return Ok(Some((session, work)));
        }
        session.rollback().await;
    }
    *presumes = false;
    Ok(None)
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
