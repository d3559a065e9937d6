//! What waits for the writer, and what goes through together.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};

use crate::activity::Busy;
use crate::consumer::handler::InboundCommand;
use crate::writer::batch::{Decided, Request};
use crate::writer::{Aggregate, IngestReply, Intake, Submission, SubmitReply, WriteError, Written};

/// Work that somebody waits for.
pub(crate) struct Pending<W, R> {
    pub(crate) work: W,
    pub(crate) reply: oneshot::Sender<R>,
    pub(crate) busy: Busy,
}

pub(crate) type Submitted<A> = Pending<Submission<A>, SubmitReply<A>>;

/// A command that waits, or was decided.
pub(crate) struct Sent<A: Aggregate>(pub(crate) oneshot::Receiver<SubmitReply<A>>);

impl<A: Aggregate> Sent<A> {
    /// Waits for its answer.
    pub(crate) async fn wait(self) -> SubmitReply<A> {
        self.0.await.unwrap_or_else(|_| Err(WriteError::Unavailable("the writer has stopped".into())))
    }
}

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
    /// The next one is a command of which the log would not prove what it came to.
    doubted: bool,
}

impl<A: Aggregate> Queue<A> {
    pub(crate) fn new(jobs: mpsc::Receiver<Job<A>>) -> Self {
        Queue { jobs, next: VecDeque::new(), doubted: false }
    }

    /// Whether the batch that begins with the next command should presume nothing. Asked once.
    pub(crate) fn take_doubt(&mut self) -> bool {
        std::mem::take(&mut self.doubted)
    }

    /// Whether the next one waits for a batch of its own that presumes nothing.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// The next job; None when all handles are gone and nothing is left.
    pub(crate) async fn next(&mut self) -> Option<Job<A>> {
        match self.next.pop_front() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        }
    }

    /// Waits until there is a job; false when all handles are gone and nothing is left. Whoever stops waiting loses none.
    pub(crate) async fn has_next(&mut self) -> bool {
        if self.next.is_empty() {
            self.next.extend(self.jobs.recv().await);
        }
        !self.next.is_empty()
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
}

/// Commands that callers wait for. More may come while they are decided: whoever was answered by the transaction before this one is often
/// back by then, and would else wait for a transaction of its own, with a sync of its own.
pub(crate) struct Batch<A: Aggregate> {
    commands: Vec<Box<Submitted<A>>>,
}

impl<A: Aggregate> Batch<A> {
    pub(crate) fn empty() -> Self {
        Batch { commands: Vec::new() }
    }

    /// The first command, and what has come with it.
    pub(crate) fn begin(first: Box<Submitted<A>>, queue: &mut Queue<A>, most: usize) -> Self {
        let mut batch = Batch { commands: vec![first] };
        batch.take_more(queue, most, |_| true);
        batch
    }

    /// Takes in what has come meanwhile, until one does not fit or there are as many as may be; false where that is nothing.
    pub(crate) fn take_more(&mut self, queue: &mut Queue<A>, most: usize, mut fits: impl FnMut(&Submission<A>) -> bool) -> bool {
        let before = self.commands.len();
        while self.commands.len() < most
            && let Some(command) = queue.command(&mut fits)
        {
            self.commands.push(command);
        }
        self.commands.len() > before
    }

    /// Leaves the commands from a place on to the next transaction.
    fn put_back(&mut self, queue: &mut Queue<A>, from: usize) {
        for command in self.commands.drain(from..).rev() {
            queue.next.push_front(Job::Submit(command));
        }
    }

    /// Leaves all of them, which had been decided and are to be decided anew. A command that was doubted is behind them and doubted again.
    pub(crate) fn put_back_all(&mut self, queue: &mut Queue<A>) {
        queue.doubted = false;
        self.put_back(queue, 0);
    }

    /// Leaves them, where the first of them was decided in vain.
    pub(crate) fn put_back_doubted(&mut self, queue: &mut Queue<A>, from: usize) {
        queue.doubted = true;
        self.put_back(queue, from);
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

impl<A: Aggregate> Commands<A> for Batch<A> {
    fn count(&self) -> usize {
        self.commands.len()
    }

    fn request(&self, place: usize) -> Request<'_, A> {
        Request::of_submission(&self.commands[place].work)
    }
}

/// The commands of a consumer's page.
pub(crate) struct Inbound<'p, C>(pub(crate) &'p [InboundCommand<C>]);

impl<A: Aggregate> Commands<A> for Inbound<'_, A::Command> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn request(&self, place: usize) -> Request<'_, A> {
        let InboundCommand { stream, meta, command, .. } = &self.0[place];
        Request::plain(stream, meta, command)
    }
}
