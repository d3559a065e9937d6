//! Why a command is refused.

use brazil::{boleto::BuildFault, charges::ChargeFault};
use kernel::money::AmountFault;
use kernel::text::TextFault;

/// A refusal: nothing happened. Each has a stable slug, the field at fault and a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A text is empty, too long or has control characters.
    #[error("{field} {fault}")]
    TextRefused {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: TextFault,
    },
    /// No such IANA time zone.
    #[error("zone is no known time zone")]
    ZoneUnknown,
    /// Zero or less.
    #[error("amount_minor must be more than zero")]
    AmountNotPositive,
    /// More than 2^53 minor units.
    #[error("amount_minor is past 2^53")]
    AmountTooLarge,
    /// A due day before the day of issue.
    #[error("due_on is before the day of issue")]
    DueBeforeIssue,
    /// An automatic debit before the day of issue.
    #[error("automatic_debit_on is before the day of issue")]
    DebitBeforeIssue,
    /// A tolerance below zero.
    #[error("tolerance_minor is below zero")]
    ToleranceNegative,
    /// A step's minimum below zero.
    #[error("min_outstanding_minor is below zero")]
    MinimumNegative,
    /// A contested part below zero.
    #[error("disputed_minor is below zero")]
    DisputedNegative,
    /// A view of a moment that has not come.
    #[error("viewed_at is in the future")]
    ViewedInFuture,
    /// A rating that is none.
    #[error("score is not within 0 to 100")]
    ScoreOutOfRange,
    /// A rating of a day that has not come.
    #[error("rated_on is after today")]
    RatedInFuture,
    /// The payer was never registered.
    #[error("the customer is unknown")]
    CustomerUnknown,
    /// The payer has no such invoice.
    #[error("the invoice is unknown")]
    InvoiceUnknown,
    /// The payer has no such payment.
    #[error("the payment is unknown")]
    PaymentUnknown,
    /// Personal data was deleted: nothing new is issued to, or registered for, this payer.
    #[error("the customer was erased")]
    CustomerErased,
    /// The id belongs to an invoice that says something else.
    #[error("an invoice with this id and other content exists")]
    InvoiceExists,
    /// The invoice is no longer owed.
    #[error("the invoice is cancelled")]
    InvoiceCancelled,
    /// The payer has no such agreement.
    #[error("the agreement is unknown")]
    AgreementUnknown,
    /// The id belongs to an agreement that says something else.
    #[error("an agreement with this id and other content exists")]
    AgreementExists,
    /// Every instalment of the agreement is paid.
    #[error("the agreement is completed")]
    AgreementCompleted,
    /// The id leaves no room for the ids of what is made under it.
    #[error("agreement_id leaves no room for ids of instalments")]
    AgreementIdTooLong,
    /// An agreement about nothing.
    #[error("originals are missing")]
    OriginalsMissing,
    /// A debt is named twice.
    #[error("originals should name each invoice once")]
    OriginalsNotDistinct,
    /// More debts than an agreement takes.
    #[error("more than 100 originals")]
    OriginalsTooMany,
    /// No instalment, or more than an agreement takes.
    #[error("an agreement has 1 to 60 instalments")]
    InstalmentsCount,
    /// The instalments do not sum up to the total.
    #[error("the instalments do not sum up to total_minor")]
    InstalmentsSum,
    /// An instalment is due before the agreement, or not after the one before.
    #[error("instalments should be due one after the other, from today on")]
    InstalmentsOrder,
    /// More days than an instalment may be overdue.
    #[error("breach_after_days is more than 365")]
    BreachDaysTooMany,
    /// Nothing is left of the debt to agree about.
    #[error("the invoice is settled")]
    InvoiceSettled,
    /// The debt is owed by the instalments of an agreement.
    #[error("the invoice is renegotiated")]
    InvoiceRenegotiated,
    /// It is an instalment: its agreement decides what it asks for.
    #[error("the invoice is an instalment of an agreement")]
    InvoiceIsInstalment,
    /// The payer has no such credit note.
    #[error("the credit note is unknown")]
    CreditNoteUnknown,
    /// The id belongs to a credit note that says something else.
    #[error("a credit note with this id and other content exists")]
    CreditNoteExists,
    /// More than is left of the invoice's amount after its other credit notes.
    #[error("more than the invoice asks for would be credited")]
    CreditNoteTooLarge,
    /// The payer's credit is less than the credit note by now.
    #[error("the credit of the note is used")]
    CreditNoteUsed,
    /// The new amount is less than what credit notes have taken off it.
    #[error("amount_minor is below what was credited")]
    BelowCredited,
    /// The payment is in another currency than its invoice.
    #[error("the currency is not that of the invoice")]
    CurrencyMismatch,
    /// The id belongs to a payment that says something else.
    #[error("a payment with this id and other content exists")]
    PaymentExists,
    /// The payment went back already, for another reason or on another day.
    #[error("the payment is already reversed")]
    PaymentAlreadyReversed,
    /// The id belongs to a return of another amount.
    #[error("a return with this id and other content exists")]
    ReturnExists,
    /// More than is left of the payment.
    #[error("more than is left of the payment would go back")]
    ReturnTooLarge,
    /// A fee below zero.
    #[error("fee_minor is below zero")]
    FeeNegative,
    /// What the payer has paid and has as credit would pass 2^53 minor units: given back as credit, it would have no room.
    #[error("what the payer has paid and has as credit would pass 2^53")]
    CreditTooLarge,
    /// Boletos and Pix are in BRL.
    #[error("a collection account takes BRL only")]
    InstrumentsCurrency,
    /// No boleto of the bank can carry the amount or the due day.
    #[error("no boleto can be made: {0}")]
    Boleto(BuildFault),
    /// The charges that are agreed cannot be computed, or a discount leaves nothing to pay.
    #[error("charges: {0}")]
    Charges(ChargeFault),
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command is wrong whatever the state.
    Invalid,
    /// It names something that is not there.
    NotFound,
    /// The state forbids it.
    Precondition,
}

impl Rejection {
    /// Stable reason for the caller.
    pub fn slug(&self) -> &'static str {
        match self {
            Rejection::TextRefused { .. } => "text_refused",
            Rejection::ZoneUnknown => "zone_unknown",
            Rejection::AmountNotPositive => "amount_not_positive",
            Rejection::AmountTooLarge => "amount_too_large",
            Rejection::DueBeforeIssue => "due_before_issue",
            Rejection::DebitBeforeIssue => "debit_before_issue",
            Rejection::ToleranceNegative => "tolerance_negative",
            Rejection::MinimumNegative => "minimum_negative",
            Rejection::DisputedNegative => "disputed_negative",
            Rejection::ViewedInFuture => "viewed_in_future",
            Rejection::ScoreOutOfRange => "score_out_of_range",
            Rejection::RatedInFuture => "rated_in_future",
            Rejection::CustomerUnknown => "customer_unknown",
            Rejection::InvoiceUnknown => "invoice_unknown",
            Rejection::PaymentUnknown => "payment_unknown",
            Rejection::CustomerErased => "customer_erased",
            Rejection::InvoiceExists => "invoice_exists",
            Rejection::InvoiceCancelled => "invoice_cancelled",
            Rejection::AgreementUnknown => "agreement_unknown",
            Rejection::AgreementExists => "agreement_exists",
            Rejection::AgreementCompleted => "agreement_completed",
            Rejection::AgreementIdTooLong => "agreement_id_too_long",
            Rejection::OriginalsMissing => "originals_missing",
            Rejection::OriginalsNotDistinct => "originals_not_distinct",
            Rejection::OriginalsTooMany => "originals_too_many",
            Rejection::InstalmentsCount => "instalments_count",
            Rejection::InstalmentsSum => "instalments_sum",
            Rejection::InstalmentsOrder => "instalments_order",
            Rejection::BreachDaysTooMany => "breach_days_too_many",
            Rejection::InvoiceSettled => "invoice_settled",
            Rejection::InvoiceRenegotiated => "invoice_renegotiated",
            Rejection::InvoiceIsInstalment => "invoice_is_instalment",
            Rejection::CreditNoteUnknown => "credit_note_unknown",
            Rejection::CreditNoteExists => "credit_note_exists",
            Rejection::CreditNoteTooLarge => "credit_note_too_large",
            Rejection::CreditNoteUsed => "credit_note_used",
            Rejection::BelowCredited => "below_credited",
            Rejection::CurrencyMismatch => "currency_mismatch",
            Rejection::PaymentExists => "payment_exists",
            Rejection::PaymentAlreadyReversed => "payment_already_reversed",
            Rejection::ReturnExists => "return_exists",
            Rejection::ReturnTooLarge => "return_too_large",
            Rejection::FeeNegative => "fee_negative",
            Rejection::CreditTooLarge => "credit_too_large",
            Rejection::InstrumentsCurrency => "instruments_currency",
            Rejection::Boleto(fault) => fault.slug(),
            Rejection::Charges(fault) => fault.slug(),
        }
    }

    /// The field at fault, by its name in the command.
    pub fn field(&self) -> &'static str {
        match self {
            Rejection::TextRefused { field, .. } => field,
            Rejection::ZoneUnknown => "attributes.zone",
            Rejection::AmountNotPositive
            | Rejection::AmountTooLarge
            | Rejection::CreditTooLarge
            | Rejection::ReturnTooLarge
            | Rejection::CreditNoteTooLarge
            | Rejection::BelowCredited => "amount_minor",
            Rejection::AgreementUnknown | Rejection::AgreementExists | Rejection::AgreementCompleted | Rejection::AgreementIdTooLong => {
                "agreement_id"
            }
            Rejection::OriginalsMissing | Rejection::OriginalsNotDistinct | Rejection::OriginalsTooMany => "originals",
            Rejection::InstalmentsCount => "instalments",
            Rejection::InstalmentsSum => "total_minor",
            Rejection::InstalmentsOrder => "instalments.due_on",
            Rejection::BreachDaysTooMany => "breach_after_days",
            Rejection::CreditNoteUnknown | Rejection::CreditNoteExists | Rejection::CreditNoteUsed => "credit_note_id",
            Rejection::ReturnExists => "return_id",
            Rejection::FeeNegative => "fee_minor",
            Rejection::DueBeforeIssue => "due_on",
            Rejection::DebitBeforeIssue => "automatic_debit_on",
            Rejection::ToleranceNegative => "tolerance_minor",
            Rejection::MinimumNegative => "items.min_outstanding_minor",
            Rejection::DisputedNegative => "items.disputed_minor",
            Rejection::ViewedInFuture => "viewed_at",
            Rejection::ScoreOutOfRange => "score",
            Rejection::RatedInFuture => "rated_on",
            Rejection::CustomerUnknown | Rejection::CustomerErased => "customer_id",
            Rejection::InvoiceUnknown
            | Rejection::InvoiceExists
            | Rejection::InvoiceCancelled
            | Rejection::InvoiceSettled
            | Rejection::InvoiceRenegotiated
            | Rejection::InvoiceIsInstalment => "invoice_id",
            Rejection::PaymentUnknown | Rejection::PaymentExists | Rejection::PaymentAlreadyReversed => "payment_id",
            Rejection::CurrencyMismatch | Rejection::InstrumentsCurrency => "currency",
            Rejection::Charges(_) => "charges",
            Rejection::Boleto(BuildFault::Amount { .. }) => "amount_minor",
            Rejection::Boleto(BuildFault::Due(_)) => "due_on",
            Rejection::Boleto(BuildFault::Bank(_) | BuildFault::Input(_)) => "collection_account_id",
        }
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Rejection::TextRefused { .. }
            | Rejection::AgreementIdTooLong
            | Rejection::OriginalsMissing
            | Rejection::OriginalsNotDistinct
            | Rejection::OriginalsTooMany
            | Rejection::InstalmentsCount
            | Rejection::InstalmentsSum
            | Rejection::InstalmentsOrder
            | Rejection::BreachDaysTooMany
            | Rejection::ZoneUnknown
            | Rejection::AmountNotPositive
            | Rejection::AmountTooLarge
            | Rejection::DueBeforeIssue
            | Rejection::DebitBeforeIssue
            | Rejection::ToleranceNegative
            | Rejection::MinimumNegative
            | Rejection::DisputedNegative
            | Rejection::ViewedInFuture
            | Rejection::ScoreOutOfRange
            | Rejection::RatedInFuture
            | Rejection::FeeNegative
            | Rejection::InstrumentsCurrency
            | Rejection::Boleto(_)
            | Rejection::Charges(
                ChargeFault::Principal | ChargeFault::MovementAmount | ChargeFault::Terms(_) | ChargeFault::TooLarge,
            ) => Kind::Invalid,
            Rejection::CustomerUnknown | Rejection::InvoiceUnknown | Rejection::PaymentUnknown | Rejection::CreditNoteUnknown | Rejection::AgreementUnknown => {
                Kind::NotFound
            }
            Rejection::CustomerErased
            | Rejection::AgreementExists
            | Rejection::AgreementCompleted
            | Rejection::InvoiceSettled
            | Rejection::InvoiceRenegotiated
            | Rejection::InvoiceIsInstalment
            | Rejection::InvoiceExists
            | Rejection::InvoiceCancelled
            | Rejection::CurrencyMismatch
            | Rejection::PaymentExists
            | Rejection::PaymentAlreadyReversed
            | Rejection::ReturnExists
            | Rejection::ReturnTooLarge
            | Rejection::CreditNoteExists
            | Rejection::CreditNoteTooLarge
            | Rejection::CreditNoteUsed
            | Rejection::BelowCredited
            | Rejection::CreditTooLarge
            // Once the month is recorded the same command is taken.
            | Rejection::Charges(ChargeFault::MissingLegalRate { .. }) => Kind::Precondition,
        }
    }
}

impl From<AmountFault> for Rejection {
    fn from(fault: AmountFault) -> Self {
        match fault {
            AmountFault::NotPositive => Rejection::AmountNotPositive,
            AmountFault::TooLarge => Rejection::AmountTooLarge,
        }
    }
}
