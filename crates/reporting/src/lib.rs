//! The reporting service: receivables, delinquency, aging as of any day, settlement, results per step and channel.
//!
//! Publishes nothing and decides nothing. Keeps dated entries, not only balances, so that every past day is a query.

mod grpc;
mod project;
mod query;
mod start;
mod wire;

pub use project::{ContactTables, LadderTables, PaymentTables, ReceivableTables};
pub use start::{Settings, projections, start};

/// Name of the service in configuration, logs and metrics.
pub const NAME: &str = "reporting";
/// Permanent name of its consumer: positions hang on it.
pub const CONSUMER: &str = "reporting";
/// All its consumers.
pub const CONSUMERS: &[&str] = &[CONSUMER];
