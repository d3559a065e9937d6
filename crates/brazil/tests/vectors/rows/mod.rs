//! Vector files and the check of each kind of row.
//!
//! A check asks the crate for what the rule gives and compares it with the row, column by column. Where a source errs,
//! the row says so in columns of its own (`computed`, `check`, `campo_livre_check`, `matching_convention`, `remarks`),
//! and they decide: the rule must give what was computed, and must differ from the source exactly where the row says so.

mod arrecadacao;
mod bank_title;
mod bank_title_inputs;
mod br_code;
mod business_days;
mod cnab240_columns;
mod contact_hours;
mod directory;
mod due_factor;
mod identity;
mod late_fees;
mod outcome;
mod pix_validity;
mod primitives;
mod row;
mod set;
mod signatures;
mod slip;
mod table;

pub use directory::read;
