//! One payer's account: scripts of commands with what each does, and properties over random ones.

mod charged;
mod collections;
mod instruments;
mod properties;
mod script;
mod tables;
