//! Portfolios of any bytes: no panic, and every row is taken or has a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regua::portfolio::{Columns, read::Rows};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut rows) = Rows::new(bytes, Columns::default()) else { return };
    while let Ok(Some(row)) = rows.next_row() {
        if let Err(fault) = row {
            assert!(!fault.reason.is_empty());
        }
    }
});
