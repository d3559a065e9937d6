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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, thread};

    /// Ids come from a generator of each thread that the system seeds, and from a counter within a millisecond: neither two threads nor two
    /// ids of one moment may be the same.
    #[test]
    fn no_two_ids_are_the_same_whichever_thread_makes_them_and_each_threads_are_in_order() {
        const EACH: usize = 20_000;
        let made = || thread::spawn(|| (0..EACH).map(|_| TimeOrdered.event_id()).collect::<Vec<Uuid>>());
        let threads: Vec<_> = (0..4).map(|_| made()).collect();
        let mut all = BTreeSet::new();
        for thread in threads {
            let ids = thread.join().unwrap();
            assert!(ids.is_sorted(), "a later id is smaller");
            all.extend(ids);
        }
        assert_eq!(all.len(), 4 * EACH);
        assert!(all.iter().all(|id| id.get_version_num() == 7));
    }
}
