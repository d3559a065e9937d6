//! What banks and the Pix network tell of payments, and what banks are told of boletos.

mod freshness;
mod import;
mod matching;
pub mod pix;
mod record;
mod remittance;
mod review;
