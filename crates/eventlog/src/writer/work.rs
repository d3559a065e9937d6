//! A batch as far as it is decided, on its way into the log.

use std::collections::HashMap;

use crate::log::lookup::Ask;
use crate::log::plan::Plan;
use crate::log::{LogError, Session, StoreError};
use crate::writer::batch::{Decided, Request, Streams};
use crate::writer::queue::Commands;
use crate::writer::{Aggregate, Shared, WriteError};

/// Why a command is not decided but refused: what it brings besides its events was.
pub(crate) type Barred = HashMap<usize, String>;

/// Answers to the first commands of a batch, on the states of its streams, and what is to be stored for them.
pub(crate) struct Work<A: Aggregate> {
    pub(crate) streams: Streams<A>,
    pub(crate) plan: Plan,
    pub(crate) answers: Vec<Decided<A>>,
    /// What so many of the commands cause is on its way to the database.
    sent: usize,
}

impl<A: Aggregate> Work<A> {
    pub(crate) fn new(streams: Streams<A>, plan: Plan) -> Self {
        Work { streams, plan, answers: Vec::new(), sent: 0 }
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
    pub(crate) fn rebase(&mut self, head: u64) {
        let by = self.plan.rebase(head);
        self.answers.iter_mut().flatten().for_each(|(appended, _)| appended.last_position += by);
    }

    /// Lets the database begin with what is decided, where that is enough and it can work while the rest is decided.
    pub(crate) async fn send_part(&mut self, shared: &Shared<A>, session: &mut Session) -> Result<(), LogError> {
        if self.answers.len() - self.sent < shared.part() {
            return Ok(());
        }
        if session.sends_timers_ahead() {
            self.stage_timers(shared);
        }
        self.sent = self.answers.len();
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
