//! The notification service: contacts, consent, templates, and the channels by which payers are reached.
//!
//! Holds no personal data: names and addresses come with the owner's answer to the last look, go into one message, and
//! are gone. Publishes `regua.notification.v1`.

pub mod aggregate;
pub mod callback;
pub mod channel;
pub mod effects;
mod grpc;
pub mod holidays;
pub mod inbound;
mod migrations;
mod project;
pub mod publish;
mod query;
mod start;
pub mod template;
pub mod wire;

pub use aggregate::AllContacts;
pub use channel::{ChannelsConfig, CreditorConfig as Creditor};
pub use start::{Settings, projections, start};

/// The topic of this service's facts.
pub const TOPIC: &str = "regua.notification.v1";
/// Name of the service in configuration, logs and metrics.
pub const NAME: &str = "notification";
/// The consumer of others' facts; permanent.
pub const INBOUND_CONSUMER: &str = "notification.inbound";
/// The consumer of local holidays; permanent.
pub const HOLIDAYS_CONSUMER: &str = "notification.holidays";
/// The consumer that fills the views; permanent.
pub const VIEWS_CONSUMER: &str = "notification.views";
/// All consumers of this service.
pub const CONSUMERS: &[&str] = &[INBOUND_CONSUMER, HOLIDAYS_CONSUMER, VIEWS_CONSUMER];
