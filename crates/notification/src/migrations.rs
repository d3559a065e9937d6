//! Tables beside the event log.

use sql::Migration;

/// There are none: a message's key leads to its payer's stream ([`crate::channel::AttemptKey`]), and no personal data is
/// kept.
pub const MIGRATIONS: &[Migration] = &[];
