//! Ladders as people write them: no panic, every fault has a path and a slug, and a good one can be previewed.
#![no_main]

use brazil::NaiveDate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match dunning_engine::policy_toml::load(text) {
    Ok(policy) => {
        let due = NaiveDate::from_ymd_opt(2026, 12, 24).unwrap_or_default();
        assert!(!ladder::preview::preview(&policy, due).is_empty());
    }
    Err(faults) => assert!(faults.iter().all(|fault| !fault.path.is_empty() && !fault.slug.is_empty()) && !faults.is_empty()),
});
