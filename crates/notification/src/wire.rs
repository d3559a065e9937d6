//! proto ↔ domain: the only place of this service that knows both.

mod fact;
mod field;
mod holiday;
mod outcome;
mod owner;
mod reminder;

pub use fact::{Aside, Fact, decode, encode};
pub(crate) use fact::{effective_on, occurred_at};
pub use field::DecodeFault;
pub use holiday::{decode_holiday, encode_holiday, heard_of_holiday};
pub(crate) use outcome::outcomes_out;
pub use owner::{Look, Payer, look, look_request, unknown_to_owner};
pub use reminder::{arranged, erased, handed_off, notice, reminder};
