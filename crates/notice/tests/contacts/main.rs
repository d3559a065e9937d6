//! Contacts of one payer: merging, the gate, delivery, the traps that others fell into, and properties.

mod delivery;
mod gate;
mod merging;
mod notices;
mod payer;
mod properties;
mod traps;
