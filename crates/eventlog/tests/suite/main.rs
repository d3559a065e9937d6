//! The same promises in memory, on SQLite and on PostgreSQL. PostgreSQL takes part when REGUA_TEST_POSTGRES names one.

mod append;
mod barrier;
mod bus;
mod counter;
mod drafts;
mod hard;
mod ingest;
mod joining;
mod logs;
mod replicas;
mod timers;
mod writer;
