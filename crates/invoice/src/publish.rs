//! Own events → public events.

use eventlog::{
    Recorded,
    bus::{Publish, Published},
};

/// Everything that moves money or describes a payer is public; the authorisation of a reminder, the running numbers of collection
/// accounts, legal rates, what a person must look at in bank files, and how far the payment feed reaches, which the owner answers for at the last look, are not.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicFacts;

impl Publish for PublicFacts {
    fn publish(&self, event: &Recorded) -> Published {
        match event.event_type.as_str() {
            "ReminderAuthorized"
            | "PaymentFeedReported"
            | "CollectionAccountRegistered"
            | "CollectionAccountAmended"
            | "NossoNumerosReserved"
            | "RemittanceWritten"
            | "LegalRateRecorded"
            | "BankFileTaken"
            | "BankFindingNoted"
            | "BankFindingDismissed" => Published::Withheld,
            _ => Published::Public { event_type: event.event_type.clone(), payload: event.payload.clone() },
        }
    }
}
