//! Tests of the notification service through its public doors.

mod callback;
mod channel;
mod directory;
mod effects;
mod figures;
mod house;
mod owner;
mod pace;
mod publish;
mod service;
mod smtp;
mod smtp_tls;
mod template;
mod unfinished;
mod webhook;
mod wire;
