//! One payer's account: scripts of commands with what each does, and properties over random ones.

mod properties;
mod script;
mod tables;
