//! proto ↔ domain: the only place of this service that knows both.

mod agreement;
mod arrangement;
mod catch_up;
mod decode;
mod encode;
mod field;
mod holiday;
mod listing;
mod migration;
mod notice;
mod order;
mod policy;
mod request;
mod view;
mod work;

pub use catch_up::{catch_up, decode_catch_up, encode_catch_up};
pub use decode::decode;
pub use encode::encode;
pub(crate) use field::{DecodeFault, currency, day, id, message, optional_id};
pub use holiday::{asked_place, decode_holiday, encode_holiday, local_days, local_holiday, new_holidays};
pub use listing::{decode_listing, encode_listing};
pub use migration::{read_report, report, signature, versions};
pub use order::Decision;
pub use policy::{decode_policy, encode_policy};
pub use request::assignment;
pub use view::{assigned, explanation, faults, payer, preview_lines, rehearsed, variant_previews};
pub use work::{Answered, Attended, task_id};

use kernel::CustomerId;
use ladder::Event;

/// A payer and what happened.
type Read = Result<(String, Event), DecodeFault>;

/// An event with the payer whose ladders it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The tenant of the payer; the envelope carries it, not the payload.
    pub tenant: String,
    /// The payer.
    pub customer_id: CustomerId,
    /// What happened.
    pub event: Event,
}

#[cfg(test)]
mod tests;
