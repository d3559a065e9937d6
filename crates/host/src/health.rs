//! What of a service is not as it should be, for `/health`.

use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// A part that does its work badly or not at all, while the service as a whole serves. It names no payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Degraded {
    /// Consumer, topic or timers.
    pub(crate) part: String,
    /// Stable word, like `stopped`.
    pub(crate) state: &'static str,
    /// How many are concerned.
    pub(crate) count: u64,
}

type Look = Box<dyn Fn() -> Vec<Degraded> + Send + Sync>;

/// Who knows how the parts of a service are doing. Clones share it.
#[derive(Clone, Default)]
pub struct Health {
    looks: Arc<Mutex<Vec<Look>>>,
}

impl Health {
    /// Asks somebody too.
    pub(crate) fn ask(&self, look: impl Fn() -> Vec<Degraded> + Send + Sync + 'static) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(look));
    }

    /// What is not well.
    pub(crate) fn degraded(&self) -> Vec<Degraded> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).iter().flat_map(|look| look()).collect()
    }
}
