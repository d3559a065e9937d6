//! A batch as far as it is decided, on its way into the log.

use std::collections::HashMap;

use crate::log::lookup::Ask;
use crate::log::plan::Plan;
use crate::log::{LogError, Session, StoreError};
use crate::writer::batch::{Decided, Request, Streams};
use crate::writer::queue::{Batch, Commands, Queue};
use crate::writer::{Aggregate, Shared, WriteError};

/// Why a command is not decided but refused: what it brings besides its events was.
pub(crate) type Barred = HashMap<usize, String>;

/// Answers to the first commands of a batch, on the states of its streams, and what is to be stored for them.
pub(crate) struct Work<A: Aggregate> {
    pub(crate) streams: Streams<A>,
    pub(crate) plan: Plan,
    pub(crate) answers: Vec<Decided<A>>,
    /// What so many of the commands cause is ready to go to the database.
    ready: usize,
    /// What so many of them cause is on its way there.
    sent: usize,
}

impl<A: Aggregate> Work<A> {
    pub(crate) fn new(streams: Streams<A>, plan: Plan) -> Self {
        Work { streams, plan, answers: Vec::new(), ready: 0, sent: 0 }
    }

    /// Work on a log that is looked at first, and locked: every stream is brought to its newest version, whoever wrote it.
    pub(crate) async fn with_care(
        shared: &Shared<A>,
        mut streams: Streams<A>,
        commands: &impl Commands<A>,
        session: &mut Session,
    ) -> Result<Self, LogError> {
        let mut ask = Ask::default();
        for place in 0..commands.count() {
            let request = commands.request(place);
            ask.add(request.stream, &request.meta.tenant, request.key, request.claims);
        }
        let plan = session.plan(&ask).await?;
        streams.now_of(shared.log.others());
        let behind = streams.behind(&plan);
        if !behind.is_empty() {
            let events = session.told(&behind).await?;
            streams.absorb(shared, &events);
        }
        Ok(Work::new(streams, plan))
    }

    /// Lets commands join a batch that presumes; false where none does. Before its transaction is open their streams may be read, and are as the one
    /// that commits, `before`, leaves them. Without that, others wait for the transaction: whoever's stream must be read, or has not been compared
    /// with the log since others appended, is for the next batch, and so are all behind it.
    pub(crate) fn take_more(
        &mut self,
        shared: &Shared<A>,
        before: Option<&Streams<A>>,
        (queue, batch): (&mut Queue<A>, &mut Batch<A>),
    ) -> bool {
        if queue.is_doubted() {
            // It would be decided in vain once more, and all behind it.
            return false;
        }
        let streams = &mut self.streams;
        let joined = batch.take_more(queue, shared.most(), |submission| match before {
            Some(before) => streams.take_in_after(shared, before, submission),
            None => streams.take_in_known(shared, submission),
        });
        if joined {
            // None of them is recorded before it was sent.
            self.plan.now = shared.log.now();
        }
        joined
    }

    /// Decides the next command. False where the plan presumes what this answer would not prove: then there is none.
    pub(crate) fn decide(&mut self, shared: &Shared<A>, request: &Request<'_, A>, barred: &Barred) -> bool {
        let place = self.answers.len();
        let answer = match barred.get(&place) {
            Some(reason) => Some(Err(WriteError::SideRefused(reason.clone()))),
            None => self.streams.decide(&shared.aggregate, &mut self.plan, place, request),
        };
        self.answers.extend(answer);
        self.answers.len() > place
    }

    /// Puts what is decided behind another head, before any of it is sent.
    fn rebase(&mut self, head: u64) {
        let by = self.plan.rebase(head);
        if by > 0 {
            // Its rows have other positions.
            self.ready = 0;
        }
        self.answers.iter_mut().flatten().for_each(|(appended, _)| appended.last_position += by);
    }

    /// Whether some of it is ready to go.
    pub(crate) fn has_parts(&self) -> bool {
        self.ready > self.sent
    }

    /// A transaction for what presumes the head of this process and the streams that it knows, where nothing must be waited for and both are still so.
    pub(crate) fn open_now(&mut self, shared: &Shared<A>) -> Option<Session> {
        let session = Session::begin_now(&shared.log)?;
        // Nobody has been told of it yet.
        self.goes_on(shared).then_some(session)
    }

    /// Puts it behind the head, where nobody else has appended since its streams were looked at; other writers of this process have streams of
    /// their own.
    pub(crate) fn goes_on(&mut self, shared: &Shared<A>) -> bool {
        let is_so = self.streams.are_of(shared.log.others());
        if is_so {
            self.rebase(shared.log.known_head());
        }
        is_so
    }

    /// Makes rows of what is decided, where that is enough for a part.
    pub(crate) fn make_ready(&mut self, shared: &Shared<A>) {
        if self.answers.len() - self.ready < shared.part() || shared.log.db().is_none() {
            return;
        }
        if shared.log.sends_timers_ahead() {
            self.stage_timers(shared);
        }
        self.plan.staged.make_rows();
        self.ready = self.answers.len();
    }

    /// Lets the database begin with what is ready, where it can work while the rest is decided.
    pub(crate) async fn send_part(&mut self, shared: &Shared<A>, session: &mut Session) -> Result<(), LogError> {
        self.make_ready(shared);
        if self.ready == self.sent || !session.goes_ahead() {
            return Ok(());
        }
        self.sent = self.ready;
        session.send_ahead(&mut self.plan).await
    }

    /// Commits; states become the cached ones only then.
    pub(crate) async fn store(mut self, shared: &Shared<A>, session: Session) -> Result<Vec<Decided<A>>, StoreError> {
        self.stage_timers(shared);
        let Work { streams, plan, answers, .. } = self;
        commit(session, plan).await?;
        streams.keep(shared);
        Ok(answers)
    }

    pub(crate) fn stage_timers(&mut self, shared: &Shared<A>) {
        self.streams.stage_timers(&shared.aggregate, &mut self.plan, shared.options.partitions);
    }
}

/// Ends the transaction of a plan, whether or not there is something to store.
pub(crate) async fn commit(session: Session, plan: Plan) -> Result<(), StoreError> {
    if plan.staged.is_empty() && !session.was_lent() {
        session.rollback().await;
        return Ok(());
    }
    session.finish(plan).await
}
