//! The service over logs of the other three, written by hand: started whole, asked over a real connection, on SQLite and, where
//! REGUA_TEST_POSTGRES names a server, on PostgreSQL.

mod aging;
mod agreements;
mod bad_input;
mod channels;
mod contacts;
mod delinquency;
mod facts;
mod messages;
mod rebuild;
mod receivables;
mod settlement;
mod site;
mod standings;
mod steps;
