//! The only source of ids that nobody gave.

use eventlog::Ids;
use uuid::Uuid;

/// UUID version 7: ordered by time of making.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrdered;

impl Ids for TimeOrdered {
    fn event_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
