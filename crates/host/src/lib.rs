//! What every service needs to run and none of them is about: configuration, telemetry, clocks, ids, listeners,
//! access, calls to others, shutdown. Knows no business word.

pub mod access;
pub mod away;
pub mod client;
pub mod clock;
pub mod collection;
pub mod config;
pub mod entrance;
pub mod environment;
pub mod fields;
mod health;
pub mod ids;
pub mod launch;
pub mod metrics;
mod observe;
mod pages;
mod protocol;
pub mod refusal;
pub mod request;
pub mod server;
pub mod service;
pub mod signed;
pub mod spool;
pub mod telemetry;
mod tls;
pub mod trace;

pub use config::Config;
pub use entrance::Entrance;
pub use environment::{Environment, Process};
pub use refusal::Refusal;
pub use service::{Parts, Service};

/// Rows and messages are many small pieces that one thread makes and another drops, which the C library's allocator serves badly: with
/// this one a replay takes four fifths of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
