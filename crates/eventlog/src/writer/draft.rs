//! The next batch, decided while one commits.
//!
//! A draft presumes that the transaction before it goes well: its head is the end of that one, and of the streams that one has in hand it
//! has the states that are not committed yet. Nothing of it reaches the database before, and nothing of it is kept when that one fails:
//! its commands then wait again, in front of all others. What can be done for it without the database is done by then, so that SQLite, which
//! would else stand still meanwhile, begins before the callers of the commit are answered.

use std::pin::pin;
use std::task::Poll;

use crate::log::{LogError, Session};
use crate::writer::batch::Streams;
use crate::writer::queue::{Batch, Commands, Queue};
use crate::writer::work::{Barred, Work};
use crate::writer::{Aggregate, Shared};

/// A batch, and what is decided of it.
pub(crate) struct Draft<A: Aggregate> {
    pub(crate) batch: Batch<A>,
    pub(crate) begun: Option<Begun<A>>,
}

/// What is decided of a batch, and the transaction that has begun to store it.
pub(crate) struct Begun<A: Aggregate> {
    pub(crate) work: Work<A>,
    pub(crate) session: Option<Session>,
}

impl<A: Aggregate> Draft<A> {
    /// Commands of which nothing is decided.
    pub(crate) fn of(batch: Batch<A>) -> Self {
        Draft { batch, begun: None }
    }

    /// Lets the database begin with what is decided, now that what it was decided on is committed, where nothing must be waited for: whoever that
    /// commit answers waits for this. False where it has not begun. Errors: the database; nothing of the draft is stored.
    pub(crate) async fn begin_now(&mut self, shared: &Shared<A>) -> Result<bool, LogError> {
        let Some(Begun { work, session }) = &mut self.begun else { return Ok(false) };
        if work.has_parts() && !work.streams.has_unread() {
            *session = work.open_now(shared);
        }
        match session {
            Some(session) => work.send_part(shared, session).await.map(|()| true),
            None => Ok(false),
        }
    }
}

/// Waits for a commit, and decides what comes meanwhile on top of it: on the streams and the head that it leaves. None where nothing came, or
/// nothing that can be decided so; of few commands none is decided.
pub(crate) async fn draft_while<A: Aggregate, T>(
    commit: impl Future<Output = T>,
    shared: &Shared<A>,
    queue: &mut Queue<A>,
    (before, head): (&Streams<A>, u64),
) -> (T, Option<Draft<A>>) {
    let work = Work::new(Streams::default(), shared.log.presume_after(head));
    let mut drafting = Drafting { shared, before: Some(before), batch: Batch::empty(), work, closed: false };
    let done = drafting.until(commit, queue).await;
    (done, drafting.end())
}

/// Waits for the transaction of a batch that is decided in part, and decides more of it: somebody else has the database. What comes meanwhile joins it
/// where nothing must be read first, as it may join while the transaction is open.
pub(crate) async fn decide_while<A: Aggregate, T>(
    opens: impl Future<Output = T>,
    shared: &Shared<A>,
    queue: &mut Queue<A>,
    (batch, work): (&mut Batch<A>, Work<A>),
) -> (T, Work<A>) {
    let mut drafting = Drafting { shared, before: None, batch: std::mem::replace(batch, Batch::empty()), work, closed: false };
    let done = drafting.until(opens, queue).await;
    let Drafting { batch: decided, work, .. } = drafting;
    *batch = decided;
    (done, work)
}

struct Drafting<'d, A: Aggregate> {
    shared: &'d Shared<A>,
    /// The streams of the transaction that commits, as it leaves them; none where it has.
    before: Option<&'d Streams<A>>,
    batch: Batch<A>,
    work: Work<A>,
    /// Nothing more can be decided before what is waited for.
    closed: bool,
}

impl<A: Aggregate> Drafting<'_, A> {
    /// Decides what is here and what comes, until what is waited for is there.
    async fn until<T>(&mut self, waited_for: impl Future<Output = T>, queue: &mut Queue<A>) -> T {
        let mut waited_for = pin!(waited_for);
        loop {
            // Whoever waits for it comes first.
            if let Poll::Ready(done) = futures::poll!(waited_for.as_mut()) {
                return done;
            }
            if self.decide_one(queue) {
                continue;
            }
            tokio::select! {
                biased;
                done = waited_for.as_mut() => return done,
                () = self.more(queue) => {}
            }
        }
    }

    /// Decides the next command, where it is here and its stream is known; false where something must be waited for first.
    fn decide_one(&mut self, queue: &mut Queue<A>) -> bool {
        if !self.is_ready(queue) {
            return false;
        }
        let place = self.work.answers.len();
        if self.work.decide(self.shared, &self.batch.request(place), &Barred::new()) {
            self.work.make_ready(self.shared);
            return true;
        }
        self.batch.put_back_doubted(queue, place);
        self.closed = true;
        false
    }

    fn is_ready(&mut self, queue: &mut Queue<A>) -> bool {
        if !self.closed && self.has_few() {
            self.take_more(queue);
        }
        !self.closed && !self.has_few() && !self.work.streams.has_unread()
    }

    /// Whether nothing is left to decide, or too little to begin with: few commands are soon decided, and while they are after the commit those
    /// come back who were answered by it and spare a transaction. On a disk that syncs slowly that is worth more than the time of deciding.
    fn has_few(&self) -> bool {
        match self.work.answers.len() {
            0 => self.batch.count() < self.shared.part(),
            decided => decided == self.batch.count(),
        }
    }

    fn take_more(&mut self, queue: &mut Queue<A>) -> bool {
        self.work.take_more(self.shared, self.before, (queue, &mut self.batch))
    }

    /// Waits for events of streams, or for a command. Whoever stops waiting loses neither: what was not read is read with the transaction.
    async fn more(&mut self, queue: &mut Queue<A>) {
        if !self.closed && self.work.streams.has_unread() {
            // An error is told to those who still meet it then.
            self.closed = self.work.streams.read(self.shared).await.is_err();
        } else if !self.closed {
            self.closed = !queue.has_next().await || !self.take_more(queue);
        }
        if self.closed {
            std::future::pending().await
        }
    }

    fn end(self) -> Option<Draft<A>> {
        let Drafting { batch, work, .. } = self;
        (batch.count() > 0).then_some(Draft { batch, begun: Some(Begun { work, session: None }) })
    }
}
