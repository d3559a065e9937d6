//! Pix codes: no panic, and what is read is written and read as itself.
#![no_main]

use brazil::pix::BrCode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(code) = BrCode::parse(text) {
        assert_eq!(BrCode::parse(&code.text()).ok(), Some(code));
    }
});
