//! The program as its users run it: real processes, real files, a real database and broker.

mod command_line;
mod oracle;
mod processes;
mod program;
mod replays;
