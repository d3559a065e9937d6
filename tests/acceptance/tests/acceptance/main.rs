//! The program as its users run it: real processes, real files, a real database and broker.

mod away;
mod bench;
mod check;
mod collector;
mod command_line;
mod deadline;
mod disk;
mod ground;
mod holidays;
mod http;
mod instructions;
mod kubernetes;
mod large_file;
mod metrics;
mod operator;
mod oracle;
mod processes;
mod program;
mod replays;
mod servers;
mod traces;
