//! One payer's account: scripts of commands with what each does, and properties over random ones.

mod not_now;
mod properties;
mod script;
mod tables;
