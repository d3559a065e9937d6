//! What a bank says of a title, in the words of the domain.

/// One kind of bank event. Only [`BankEvent::PaymentReceived`] is a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BankEvent {
    /// The title is registered.
    Registered,
    /// The title was not registered.
    RegistrationRejected,
    /// The title was paid.
    PaymentReceived {
        /// After its write-off, or without registration.
        after_write_off: bool,
    },
    /// A payment told before was undone.
    PaymentReversed,
    /// Paid by a cheque that is not cleared yet.
    ChequePending,
    /// The cheque was cleared.
    ChequeCleared,
    /// The cheque bounced.
    ChequeBounced,
    /// The bank will not take payments any more.
    WrittenOff {
        /// Because it was protested.
        after_protest: bool,
    },
    /// Written off by the payer's bank in the clearing; no settlement.
    OperationalWriteOff,
    /// The same, undone.
    OperationalWriteOffCancelled,
    /// An instruction or change was taken.
    InstructionAcknowledged,
    /// An instruction or change was not taken.
    InstructionRejected,
    /// The title is listed as open; nothing happened.
    OpenTitleListed,
    /// The life of a protest.
    Protest(Protest),
    /// The bank took a fee.
    FeeDebited,
    /// Something that the payer told the bank.
    PayerEvent,
    /// The payer's electronic account (DDA) recognised the title.
    DdaRecognised,
    /// The payer did not recognise it.
    DdaRefused,
    /// The clearing (CIP) refused it.
    DdaRefusedByClearing,
    /// The entry in a bureau was removed without protest.
    BureauEntryRemoved,
}

/// A stage of a protest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protest {
    /// The instruction to protest was taken.
    Instructed,
    /// The instruction not to protest was taken.
    Suspended,
    /// Sent to the notary.
    AtNotary,
    /// Taken back from the notary.
    Withdrawn,
    /// The instruction to cancel the protest was taken.
    CancelInstructed,
    /// Suspended by a court.
    SuspendedByCourt,
}

impl BankEvent {
    /// Stable name, and the movement class of idempotency keys: codes that tell the same thing share it.
    pub fn slug(self) -> &'static str {
        match self {
            BankEvent::Registered => "registered",
            BankEvent::RegistrationRejected => "registration_rejected",
            BankEvent::PaymentReceived { .. } => "payment_received",
            BankEvent::PaymentReversed => "payment_reversed",
            BankEvent::ChequePending => "cheque_pending",
            BankEvent::ChequeCleared => "cheque_cleared",
            BankEvent::ChequeBounced => "cheque_bounced",
            BankEvent::WrittenOff { after_protest: false } => "written_off",
            BankEvent::WrittenOff { after_protest: true } => "written_off_after_protest",
            BankEvent::OperationalWriteOff => "operational_write_off",
            BankEvent::OperationalWriteOffCancelled => "operational_write_off_cancelled",
            BankEvent::InstructionAcknowledged => "instruction_acknowledged",
            BankEvent::InstructionRejected => "instruction_rejected",
            BankEvent::OpenTitleListed => "open_title_listed",
            BankEvent::Protest(stage) => stage.slug(),
            BankEvent::FeeDebited => "fee_debited",
            BankEvent::PayerEvent => "payer_event",
            BankEvent::DdaRecognised => "dda_recognised",
            BankEvent::DdaRefused => "dda_refused",
            BankEvent::DdaRefusedByClearing => "dda_refused_by_clearing",
            BankEvent::BureauEntryRemoved => "bureau_entry_removed",
        }
    }

    /// Whether money of the payer moved or is to move: such a record must name its title, amount and day.
    pub fn moves_money(self) -> bool {
        match self {
            BankEvent::PaymentReceived { .. }
            | BankEvent::PaymentReversed
            | BankEvent::ChequePending
            | BankEvent::ChequeCleared
            | BankEvent::ChequeBounced => true,
            BankEvent::Registered
            | BankEvent::RegistrationRejected
            | BankEvent::WrittenOff { .. }
            | BankEvent::OperationalWriteOff
            | BankEvent::OperationalWriteOffCancelled
            | BankEvent::InstructionAcknowledged
            | BankEvent::InstructionRejected
            | BankEvent::OpenTitleListed
            | BankEvent::Protest(_)
            | BankEvent::FeeDebited
            | BankEvent::PayerEvent
            | BankEvent::DdaRecognised
            | BankEvent::DdaRefused
            | BankEvent::DdaRefusedByClearing
            | BankEvent::BureauEntryRemoved => false,
        }
    }
}

impl Protest {
    fn slug(self) -> &'static str {
        match self {
            Protest::Instructed => "protest_instructed",
            Protest::Suspended => "protest_suspended",
            Protest::AtNotary => "protest_at_notary",
            Protest::Withdrawn => "protest_withdrawn",
            Protest::CancelInstructed => "protest_cancel_instructed",
            Protest::SuspendedByCourt => "protest_suspended_by_court",
        }
    }
}
