//! Every row of the vector files, and what holds for all input.

#[macro_use]
mod vectors;

mod bank_slips;
mod contact_hours;
mod identity;
mod instant_payments;
mod late_fees;
mod remittances;
mod returns240;
mod returns400;
