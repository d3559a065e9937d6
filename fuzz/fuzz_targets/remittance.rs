//! Lines of a remittance: no panic, and every order that is read can be judged.
#![no_main]

use brazil::cnab::remittance::RemittanceReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut reader = RemittanceReader::default();
    for line in text.lines() {
        if let Ok(Some(order)) = reader.line(line) {
            let _ = order.faults();
        }
    }
    if let Some(order) = reader.finish() {
        let _ = order.faults();
    }
});
