//! Why a step ended, waits, or needs a person: stable slugs.

use core::fmt;

macro_rules! slugs {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $slug:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// Its stable name.
            pub fn slug(self) -> &'static str {
                match self { $($name::$variant => $slug,)* }
            }

            /// By its stable name.
            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.slug() == slug)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.slug())
            }
        }
    };
}

slugs! {
    /// Why a step occurrence ended without being executed, or was deferred.
    Reason {
        // Superseded by a fact or by another step.
        /// The debt is paid.
        Paid => "paid",
        /// What is left open is within the tenant's tolerance: not worth a reminder, and still in the books.
        WithinTolerance => "within_tolerance",
        /// A later step planned before that day was executed in its place.
        Late => "late",
        /// A later step was executed on the very day for which this one was planned.
        SameDay => "same_day",
        /// The receivable was cancelled.
        Cancelled => "cancelled",
        /// The debt is owed by the instalments of an agreement.
        Renegotiated => "renegotiated",
        /// The due date moved; a new cycle has its own steps.
        Rescheduled => "rescheduled",
        /// A payment was reversed, or an agreement broken; a new cycle has its own steps.
        Reopened => "reopened",
        /// The same step went out within `min_gap_days` before a payment was returned.
        RecentlySent => "recently_sent",
        /// The debt was handed to a collector.
        HandedOff => "handed_off",
        /// The creditor gave the debt up in its books.
        WrittenOff => "written_off",
        /// The payer's data was erased.
        PayerForgotten => "payer_forgotten",
        /// It counts from the execution of the step before, which ended otherwise.
        AnchorLost => "anchor_lost",
        /// The policy version to which the track was moved does not have it.
        PolicyMigrated => "policy_migrated",
        // Expired.
        /// The effective due date is over.
        DuePassed => "due_passed",
        /// So many days after its planned date are over.
        TooOld => "too_old",
        /// The due date moved earlier, past this step.
        AlreadyPast => "already_past",
        // Suppressed by the planner.
        /// Its condition did not hold on the day on which it would have been offered.
        ConditionNotMet => "condition_not_met",
        // Suppressed at the gate.
        /// The balance is below the step's minimum or the tenant's threshold.
        BelowMinimum => "below_minimum",
        /// The payer's unapplied credit covers the item.
        CoveredByCredit => "covered_by_credit",
        /// The item will be debited automatically on its date.
        AutomaticDebit => "automatic_debit",
        /// The item is disputed.
        Disputed => "disputed",
        /// The item is on hold.
        Held => "held",
        /// The payer promised to pay.
        Promised => "promised",
        /// A payment is under way.
        InProcess => "in_process",
        /// A person was asked to confirm the step, and refused.
        ApprovalRefused => "approval_refused",
        /// A person refused the catch-up in which the step was reached.
        CatchUpRefused => "catch_up_refused",
        /// The payer asked for no more messages.
        OptedOut => "opted_out",
        // Undeliverable.
        /// No valid address on any channel.
        NoAddress => "no_address",
        /// No consent for any channel.
        NoConsent => "no_consent",
        /// Every channel refused or failed.
        AllChannelsFailed => "all_channels_failed",
        /// The provider never said what became of it.
        OutcomeUnknown => "outcome_unknown",
        /// The person or office that had to act refused.
        Refused => "refused",
        // Deferred.
        /// The payer's contact budget is spent.
        BudgetSpent => "budget_spent",
        /// The window is shut in the payer's zone.
        WindowShut => "window_shut",
        /// The payment feed is older than the tenant's limit.
        StaleFeed => "stale_feed",
        /// Too soon after the last contact.
        MinGap => "min_gap",
        /// The owner of the balance did not authorise the reminder.
        NotAuthorised => "not_authorised",
        /// A catch-up above the tenant's limit waits for a person.
        CatchUpUnapproved => "catch_up_unapproved",
        /// The provider is throttled or down.
        ProviderUnavailable => "provider_unavailable",
        /// A reason of another context that this one has no word for.
        Other => "other",
    }
}

slugs! {
    /// Why a person has something to do.
    TaskReason {
        /// All steps are over and the debt is open.
        Exhausted => "exhausted",
        /// No step of an allowed tone is left while later ones remain.
        NoAllowedStep => "no_allowed_step",
        /// No channel accepted a step.
        Undeliverable => "undeliverable",
        /// A debt that is paid, cancelled, contested or given up is still listed at a bureau.
        RemoveBureauListing => "remove_bureau_listing",
        /// A debt that is paid, cancelled, contested or given up is still under protest.
        RemoveProtest => "remove_protest",
        /// The bureau or office refused to list a debt, or a prerequisite did not hold.
        ListingRefused => "listing_refused",
        /// The bureau or office refused to take an entry out.
        RemovalRefused => "removal_refused",
        /// The deadline of a removal is near, and nobody confirmed it.
        RemovalNear => "removal_near",
        /// The deadline of a removal has passed.
        RemovalLate => "removal_late",
        /// A debt was paid after it was handed to a collector.
        PaidAfterHandOff => "paid_after_hand_off",
        /// A debt was paid after it was written off.
        PaidAfterWriteOff => "paid_after_write_off",
        /// The review day of a hold has come.
        HoldReview => "hold_review",
        /// The payer contests a debt.
        DisputeOpen => "dispute_open",
        /// A promise was broken about a debt whose ladder is over.
        PromiseBroken => "promise_broken",
        /// A step that is a task of the ladder is due.
        StepDue => "step_due",
        /// A step waits for a person to confirm or refuse it.
        Approval => "approval",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_is_its_own_and_leads_back() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(Reason::from_slug(reason.slug()), Some(*reason));
            assert!(Reason::ALL.iter().skip(at + 1).all(|other| other.slug() != reason.slug()), "{reason}");
        }
        assert_eq!(Reason::from_slug("Paid"), None);
        assert_eq!(TaskReason::from_slug("exhausted"), Some(TaskReason::Exhausted));
    }
}
