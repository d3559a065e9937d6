//! A provider that takes signed HTTP posts, as the channels' webhooks do: see [`host::signed`]. It calls back.

use super::{
    OrderKey,
    provider::{Handover, Outcome, Provider, Standing, Word, as_json, reference_of, slug_of},
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use host::signed::{Posted, Poster, Told};
use ladder::listing::{Answer, Order};

/// Commands in hand at a time.
const IN_HAND: usize = 4;

/// The way to it.
pub(super) struct Http(pub(super) Poster);

#[async_trait]
impl Provider for Http {
    async fn send(&self, commands: &[Handover]) -> Vec<Outcome> {
        let calls: Vec<_> = commands.iter().map(|command| self.post(command)).collect();
        stream::iter(calls).buffered(IN_HAND).collect().await
    }

    /// The answer is JSON as that of a post.
    async fn ask(&self, key: &OrderKey) -> Standing {
        match self.0.ask(&key.to_string()).await {
            Told::NotTaken => Standing::NotTaken,
            Told::Taken(answer) => word(&answer, key.order).map_or(Standing::Unclear, Standing::Taken),
            Told::Unclear => Standing::Unclear,
        }
    }
}

impl Http {
    async fn post(&self, command: &Handover) -> Outcome {
        let order = command.key.order;
        match self.0.post(&command.key.to_string(), &as_json(command).to_string()).await {
            Posted::Taken(answer) => {
                let said = answer.as_ref().and_then(|answer| word(answer, order));
                Outcome::Taken(said.unwrap_or_else(|| Word::taken(order)))
            }
            Posted::Refused(status) => Outcome::Refused(format!("http_{status}")),
            Posted::Unknown(reason) => Outcome::Unknown(reason),
            Posted::NotNow(reason) => Outcome::NotNow(reason),
        }
    }
}

/// `{"status", "reason", "reference"}`; `None` where the status is none that is about this command.
fn word(answer: &serde_json::Value, order: Order) -> Option<Word> {
    let text = |name: &str| answer.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let said = Answer::named(text("status")).filter(|said| said.means().0 == order)?;
    Some(Word { answer: said, reason: slug_of(text("reason")), reference: reference_of(text("reference")) })
}
