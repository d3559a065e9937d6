//! The same promises on both databases. PostgreSQL takes part when REGUA_TEST_POSTGRES names one.

mod bulk;
mod cancel;
mod databases;
mod deadline;
mod disk;
mod kill;
mod migrations;
mod values;
