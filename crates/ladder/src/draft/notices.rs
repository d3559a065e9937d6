//! `[notices]`: what a payer is told once a debt is over.

use super::field::Faults;
use super::step::{after_days, chains};
use super::{DraftNotice, DraftNotices};
use crate::notices::{NoticeRule, Notices};
use alloc::format;

/// Days after that of the fact, where nothing is said.
const EXPIRES_DAYS: u32 = 2;
/// Longest time: later it is no news any more.
const MAX_EXPIRES_DAYS: u32 = 30;

pub(super) fn read(faults: &mut Faults, draft: &DraftNotices) -> Notices {
    Notices {
        thank_you: draft.thank_you.as_ref().map(|draft| one(faults, "notices.thank_you", draft)),
        correction: draft.correction.as_ref().map(|draft| one(faults, "notices.correction", draft)),
    }
}

fn one(faults: &mut Faults, path: &str, draft: &DraftNotice) -> NoticeRule {
    NoticeRule {
        template: faults.text(&format!("{path}.template"), draft.template.as_deref(), true),
        chains: chains(faults, &format!("{path}.channels"), draft.channels.as_deref(), true),
        expires_days: faults.named(&format!("{path}.expires"), "unknown_expires", draft.expires.as_deref(), days, EXPIRES_DAYS),
    }
}

fn days(text: &str) -> Option<u32> {
    after_days(text).filter(|days| (1..=MAX_EXPIRES_DAYS).contains(days))
}
