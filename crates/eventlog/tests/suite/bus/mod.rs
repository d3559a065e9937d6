//! The same promises over the in-process bus and over Kafka. Kafka takes part when REGUA_TEST_KAFKA names a bootstrap address.

mod cluster;
mod flow;
mod kafka;
mod models;
mod parking;
mod rebuild;
mod remove;
mod world;
