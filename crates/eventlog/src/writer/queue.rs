//! What waits for the writer, and what goes through together.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};

use crate::activity::Busy;
use crate::consumer::handler::InboundCommand;
use crate::writer::batch::{Decided, Request};
use crate::writer::{Aggregate, IngestReply, Intake, Submission, SubmitReply, Written};

/// Work that somebody waits for.
pub(crate) struct Pending<W, R> {
    pub(crate) work: W,
    pub(crate) reply: oneshot::Sender<R>,
    pub(crate) busy: Busy,
}

pub(crate) type Submitted<A> = Pending<Submission<A>, SubmitReply<A>>;
pub(crate) type Page<A> = Pending<Intake<<A as Aggregate>::Command>, IngestReply<A>>;

/// What a writer is asked for.
pub(crate) enum Job<A: Aggregate> {
    Submit(Box<Submitted<A>>),
    Ingest(Page<A>),
}

/// Jobs in the order in which they came.
pub(crate) struct Queue<A: Aggregate> {
    jobs: mpsc::Receiver<Job<A>>,
    /// Taken out, and not to be done with what went before them.
    next: VecDeque<Job<A>>,
}

impl<A: Aggregate> Queue<A> {
    pub(crate) fn new(jobs: mpsc::Receiver<Job<A>>) -> Self {
        Queue { jobs, next: VecDeque::new() }
    }

    /// The next job; None when all handles are gone and nothing is left.
    pub(crate) async fn next(&mut self) -> Option<Job<A>> {
        match self.next.pop_front() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        }
    }

    /// The next job, where it has come and is a command that fits.
    fn command(&mut self, fits: &mut impl FnMut(&Submission<A>) -> bool) -> Option<Box<Submitted<A>>> {
        match self.next.pop_front().or_else(|| self.jobs.try_recv().ok())? {
            Job::Submit(submitted) if fits(&submitted.work) => Some(submitted),
            other => {
                self.next.push_front(other);
                None
            }
        }
    }
}

/// The commands of one transaction, by their place.
pub(crate) trait Commands<A: Aggregate> {
    fn count(&self) -> usize;

    /// Panics beyond [`Commands::count`].
    fn request(&self, place: usize) -> Request<'_, A>;

    /// Takes in what has come meanwhile, until one does not fit; false where that is nothing.
    fn take_more(&mut self, fits: impl FnMut(&Submission<A>) -> bool) -> bool;

    /// Leaves the commands from a place on to the next transaction.
    fn put_back(&mut self, from: usize);
}

/// Commands that callers wait for. More may come while they are decided: whoever was answered by the transaction before this one is often
/// back by then, and would else wait for a transaction of its own, with a sync of its own. The transaction is open by then, and others wait
/// for it: only commands join of whose streams nothing must be read.
pub(crate) struct Batch<'q, A: Aggregate> {
    commands: Vec<Box<Submitted<A>>>,
    queue: &'q mut Queue<A>,
    most: usize,
}

impl<'q, A: Aggregate> Batch<'q, A> {
    /// The first command, and what has come with it.
    pub(crate) fn begin(first: Box<Submitted<A>>, queue: &'q mut Queue<A>, most: usize) -> Self {
        let mut batch = Batch { commands: vec![first], queue, most };
        batch.take_more(|_| true);
        batch
    }

    /// Tells each caller what became of its command.
    pub(crate) fn answer(self, answers: Vec<Decided<A>>) {
        for (pending, answer) in self.commands.into_iter().zip(answers) {
            let Pending { reply, busy, .. } = *pending;
            // Whoever dropped its future does not want to know.
            let _ = reply.send(answer.map(|(appended, state)| Written { appended, state }));
            drop(busy);
        }
    }
}

impl<A: Aggregate> Commands<A> for Batch<'_, A> {
    fn count(&self) -> usize {
        self.commands.len()
    }

    fn request(&self, place: usize) -> Request<'_, A> {
        Request::of_submission(&self.commands[place].work)
    }

    fn take_more(&mut self, mut fits: impl FnMut(&Submission<A>) -> bool) -> bool {
        let before = self.commands.len();
        while self.commands.len() < self.most
            && let Some(command) = self.queue.command(&mut fits)
        {
            self.commands.push(command);
        }
        self.commands.len() > before
    }

    fn put_back(&mut self, from: usize) {
        for command in self.commands.drain(from..).rev() {
            self.queue.next.push_front(Job::Submit(command));
        }
    }
}

/// The commands of a consumer's page. Nothing joins them: all of it vanishes when a part of it fails.
pub(crate) struct Inbound<'p, C>(pub(crate) &'p [InboundCommand<C>]);

impl<A: Aggregate> Commands<A> for Inbound<'_, A::Command> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn request(&self, place: usize) -> Request<'_, A> {
        let InboundCommand { stream, meta, command, .. } = &self.0[place];
        Request::plain(stream, meta, command)
    }

    fn take_more(&mut self, _: impl FnMut(&Submission<A>) -> bool) -> bool {
        false
    }

    fn put_back(&mut self, _: usize) {}
}
