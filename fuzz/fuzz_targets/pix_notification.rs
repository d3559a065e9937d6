//! Bodies of Pix notifications: no panic, and every amount is one of money.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok((notices, violations)) = invoice::pix_body::read(body) {
        assert!(notices.iter().all(|notice| notice.amount_minor > 0 && notice.returns.iter().all(|back| back.amount_minor > 0)));
        assert!(violations.iter().all(|violation| !violation.property.is_empty()));
    }
});
