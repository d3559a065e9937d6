//! What a service does with what it hears: commands on its own aggregate.

use crate::bus::Message;
use crate::event::Meta;

/// A message that will never be applied, however often it is tried: its stream is parked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Poison {
    /// Why, for the person who looks at the parked stream. No personal data.
    pub reason: String,
}

impl Poison {
    /// A poison with that reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// A command that a fact of another service causes here.
#[derive(Clone, Debug)]
pub struct InboundCommand<C> {
    /// The stream of our own aggregate.
    pub stream: String,
    /// Tenant, partition key and what caused it.
    pub meta: Meta,
    /// The command.
    pub command: C,
}

impl<C> InboundCommand<C> {
    /// A command on `stream` that carries on the message's tenant, key, correlation and trace, and names the message as its cause.
    pub fn caused_by(message: &Message, stream: impl Into<String>, command: C) -> Self {
        let event = &message.event;
        let meta = Meta {
            tenant: event.tenant.clone(),
            key: event.key.clone(),
            correlation_id: event.correlation_id.or(Some(event.event_id)),
            causation_id: Some(event.event_id),
            traceparent: event.traceparent.clone(),
        };
        Self { stream: stream.into(), meta, command }
    }
}

/// A service's `inbound.rs`: facts of other services become commands on its own aggregate.
pub trait Inbound<C>: Send + Sync + 'static {
    /// The commands that a message causes, in order; none when it is of no interest. Pure: it may be asked again for the same message.
    /// Never called for withheld messages.
    ///
    /// # Errors
    /// [`Poison`] when the message can never be understood; its stream is parked.
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<C>>, Poison>;

    /// Whether this service knows the event type. Unknown ones are kept, skipped and counted.
    fn knows(&self, _topic: &str, _event_type: &str) -> bool {
        true
    }
}
