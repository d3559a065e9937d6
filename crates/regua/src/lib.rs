//! Régua on the command line, and all four services in one process.

pub mod bench;
pub mod command;
pub mod demo;
pub mod output;
pub mod payload;
pub mod portfolio;
pub mod progress;
pub mod replay;
pub mod settings;
pub mod system;
