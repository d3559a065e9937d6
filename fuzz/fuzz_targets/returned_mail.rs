//! Returned mail: no panic, whatever a mail server sends back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|mail: &str| {
    let _ = notification::channel::bounce::read(mail);
});
