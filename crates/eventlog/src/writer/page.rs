//! A page of facts: all of it in one transaction, or nothing.

use crate::event::Appended;
use crate::log::{LogError, Session, StoreError};
use crate::writer::batch::Streams;
use crate::writer::queue::{Commands, Inbound};
use crate::writer::repeat::{count, pause_before_repeat};
use crate::writer::work::{Barred, Work};
use crate::writer::{Aggregate, IngestError, IngestReply, Ingested, Intake, PoisonedCommand, Shared};

/// Carries out one page; only its own transaction, because all of it must vanish when a part of it fails.
pub(crate) async fn ingest<A: Aggregate>(shared: &Shared<A>, intake: Intake<A::Command>) -> IngestReply<A> {
    let mut attempt = 0;
    loop {
        match ingest_once(shared, &intake).await {
            Ok(appended) => {
                count(shared, appended.iter());
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
    let commands = Inbound(&intake.commands);
    let mut streams = Streams::default();
    streams.load(shared, &commands).await?;
    let mut session = Session::begin(&shared.log).await?;
    intake.alongside.write(session.tx()?).await.map_err(|error| PageError::Refused(error.into()))?;
    if intake.commands.is_empty() {
        session.commit().await?;
        return Ok(Vec::new());
    }
    let mut work = Work::with_care(shared, streams, &commands, &mut session).await?;
    for place in 0..Commands::<A>::count(&commands) {
        work.send_part(shared, &mut session).await?;
        // It presumes nothing, so every answer holds.
        work.decide(shared, &commands.request(place), &Barred::new());
    }
    if work.answers.iter().any(Result::is_err) {
        session.rollback().await;
        let poisoned =
            work.answers.into_iter().enumerate().filter_map(|(index, answer)| Some(PoisonedCommand { index, error: answer.err()? }));
        return Err(PageError::Refused(IngestError::Poisoned(poisoned.collect())));
    }
    match work.store(shared, session).await {
        Ok(answers) => Ok(answers.into_iter().flatten().map(|(appended, _)| appended).collect()),
        Err(StoreError::Log(error)) => Err(error.into()),
        // Facts of other services bring no side rows.
        Err(StoreError::Side { reason, .. }) => Err(PageError::Refused(IngestError::Unavailable(reason))),
    }
}
