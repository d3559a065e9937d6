//! Descriptions of a portfolio's columns: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regua::portfolio::Columns;

fuzz_target!(|text: &str| {
    let _ = Columns::parse(text);
});
