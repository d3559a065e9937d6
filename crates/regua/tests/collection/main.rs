//! All four services in one process on a virtual clock, from the issue of a boleto to the bank's file.

mod boleto;
mod fields;
mod holidays;
mod world;
