//! The service as its callers meet it: started whole, over a real connection, on SQLite and, where REGUA_TEST_POSTGRES names a
//! server, on PostgreSQL.

mod access;
mod agreements;
mod answers;
mod bad_bytes;
mod bad_input;
mod balances;
mod bank_file;
mod bank_files;
mod bulk;
mod charges;
mod collections;
mod credit_notes;
mod customers;
mod feed;
mod history;
mod instruments;
mod listeners;
mod lists;
mod pix;
mod receivables;
mod reminders;
mod remittances;
mod script;
mod site;
mod unapplied;
mod views;
