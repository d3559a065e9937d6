//! One payer's account: scripts of commands with what each does, and properties over random ones.

mod agreements;
mod bank;
mod charged;
mod collections;
mod instruments;
mod not_now;
mod properties;
mod remittances;
mod script;
mod tables;
mod unapplied;
mod views;
