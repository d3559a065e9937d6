//! What holds for all input, and cases of our own. Values of others are in `../vectors`.

mod altered_vectors;
mod any_text;
mod bank_slips;
mod contact_hours;
mod identity;
mod instant_payments;
mod late_fees;
mod places;
mod remittances;
mod returns240;
mod returns400;
#[path = "../vectors/rows/mod.rs"]
mod rows;
