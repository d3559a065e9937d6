//! Applying a page to the live builds, inside the consumer's transaction.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use sql::{Row, SqlError, Step, Tx};

use super::places::{self, Live};
use super::registry::Projections;
use super::{Projection, ProjectionError, View};
use crate::bus::Message;

impl Projections {
    /// Asks which builds are live, for [`Projections::apply_live`]. Asked after the place was moved, so that a flip either saw the page or
    /// waits for it.
    pub(crate) fn ask_live(&self) -> Step<'static> {
        places::ask_live(self.db().dialect(), self.consumer())
    }

    /// Applies messages to all live builds.
    pub(crate) async fn apply_live(&self, tx: &mut Tx, live: Vec<Row>, messages: &[Message]) -> Result<(), ProjectionError> {
        let live = places::live_of(&live)?;
        self.believe_no_other(&live);
        for projection in self.list() {
            let Some(build) = live.get(projection.name()).filter(|live| live.build > 0) else {
                continue;
            };
            check_version(projection.as_ref(), build)?;
            apply(tx, projection.as_ref(), &build.suffix, messages).await?;
        }
        Ok(())
    }

    /// Messages are applied out of the order of offsets: builds under way must start again.
    pub(crate) async fn spoil_builds(&self, tx: &mut Tx) -> Result<(), ProjectionError> {
        Ok(places::spoil(tx, self.consumer()).await?)
    }

    /// Whether some projection here knows the type of a message.
    pub(crate) fn knows(&self, message: &Message) -> bool {
        self.list().iter().any(|projection| {
            projection.sources().contains(&message.topic.as_str()) && projection.knows(&message.topic, &message.event.event_type)
        })
    }
}

fn check_version(projection: &dyn Projection, live: &Live) -> Result<(), ProjectionError> {
    if live.version == projection.version() {
        return Ok(());
    }
    Err(ProjectionError::Superseded { name: projection.name().to_string(), live: live.version, ours: projection.version() })
}

/// Applies to one build what it wants of a page.
pub(crate) async fn apply(tx: &mut Tx, projection: &dyn Projection, suffix: &str, messages: &[Message]) -> Result<(), ProjectionError> {
    let wanted = |message: &Message| !message.is_withheld() && projection.sources().contains(&message.topic.as_str());
    if messages.iter().all(wanted) {
        return apply_guarded(tx, projection, suffix, messages).await;
    }
    let page: Vec<Message> = messages.iter().filter(|message| wanted(message)).cloned().collect();
    if page.is_empty() {
        return Ok(());
    }
    apply_guarded(tx, projection, suffix, &page).await
}

/// A projection that panics is at odds with a message: with the only one of its page, or with one that smaller pages will tell.
async fn apply_guarded(tx: &mut Tx, projection: &dyn Projection, suffix: &str, page: &[Message]) -> Result<(), ProjectionError> {
    let mut view = View::new(tx, projection, suffix);
    // What it leaves half done is in the transaction, which is not committed.
    let Ok(applied) = AssertUnwindSafe(projection.apply(&mut view, page)).catch_unwind().await else {
        let reason = format!("projection {} panicked", projection.name());
        return Err(match page {
            [only] => ProjectionError::poison(only, reason),
            _ => SqlError::Data(reason).into(),
        });
    };
    applied
}
