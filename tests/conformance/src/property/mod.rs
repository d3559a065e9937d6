//! The properties, by subject.

pub mod cancellation;
pub mod commands;
pub mod delivery;
pub mod disk;
pub mod gate;
pub mod kill;
pub mod listings;
pub mod models;
pub mod order;
pub mod outage;
pub mod pages;
pub mod parking;
