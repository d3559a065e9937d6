//! Occurrence codes of CNAB 400 returns: each bank has its own table. A code that is not here goes to review.

use super::event::{BankEvent, Protest};

const BANCO_DO_BRASIL: u16 = 1;
const SANTANDER: u16 = 33;
const BRADESCO: u16 = 237;
const ITAU: u16 = 341;

const PAID: BankEvent = BankEvent::PaymentReceived { after_write_off: false };
const PAID_LATE: BankEvent = BankEvent::PaymentReceived { after_write_off: true };
const WRITTEN_OFF: BankEvent = BankEvent::WrittenOff { after_protest: false };

/// What an occurrence code of a bank means; `None` where its table has no such code, or the bank is not read.
pub fn event_of(bank: u16, code: &str) -> Option<BankEvent> {
    let own: fn(&str) -> Option<BankEvent> = match bank {
        BANCO_DO_BRASIL => banco_do_brasil,
        SANTANDER => santander,
        BRADESCO => bradesco,
        ITAU => itau,
        _ => return None,
    };
    own(code).or_else(|| shared(code))
}

/// What all four banks mean by the same code.
fn shared(code: &str) -> Option<BankEvent> {
    Some(match code {
        "02" => BankEvent::Registered,
        "03" => BankEvent::RegistrationRejected,
        "06" => PAID,
        "09" => WRITTEN_OFF,
        "11" => BankEvent::OpenTitleListed,
        "12" | "13" | "14" => BankEvent::InstructionAcknowledged,
        _ => return None,
    })
}

fn banco_do_brasil(code: &str) -> Option<BankEvent> {
    Some(match code {
        // 05 is a settlement without registration.
        "05" => PAID_LATE,
        "07" | "08" | "15" => PAID,
        "10" => WRITTEN_OFF,
        "16" | "21" | "22" | "25" | "26" | "31" | "32" | "33" | "34" | "35" | "36" | "37" | "38" | "39" | "41" | "42" | "72" => {
            BankEvent::InstructionAcknowledged
        }
        "19" => BankEvent::Protest(Protest::Instructed),
        "23" => BankEvent::Protest(Protest::AtNotary),
        "24" => BankEvent::Protest(Protest::Suspended),
        "28" | "96" | "97" | "98" => BankEvent::FeeDebited,
        "44" => BankEvent::ChequeBounced,
        "46" => BankEvent::ChequePending,
        _ => return None,
    })
}

fn santander(code: &str) -> Option<BankEvent> {
    Some(match code {
        "07" | "08" | "17" => PAID,
        "10" => WRITTEN_OFF,
        "15" | "21" => BankEvent::Protest(Protest::AtNotary),
        "22" => BankEvent::Protest(Protest::Withdrawn),
        "24" => BankEvent::FeeDebited,
        "25" => BankEvent::Protest(Protest::Instructed),
        "26" => BankEvent::Protest(Protest::Suspended),
        "93" => BankEvent::OperationalWriteOff,
        "94" => BankEvent::OperationalWriteOffCancelled,
        _ => return None,
    })
}

fn bradesco(code: &str) -> Option<BankEvent> {
    Some(match code {
        "15" => PAID,
        "16" => BankEvent::ChequePending,
        "17" => PAID_LATE,
        "10" => WRITTEN_OFF,
        "18" | "21" | "33" => BankEvent::InstructionAcknowledged,
        "19" => BankEvent::Protest(Protest::Instructed),
        "20" => BankEvent::Protest(Protest::Suspended),
        "22" => BankEvent::PaymentReversed,
        "23" => BankEvent::Protest(Protest::AtNotary),
        "24" => BankEvent::RegistrationRejected,
        "27" | "30" | "32" => BankEvent::InstructionRejected,
        "28" => BankEvent::FeeDebited,
        "34" => BankEvent::Protest(Protest::Withdrawn),
        "55" => BankEvent::Protest(Protest::SuspendedByCourt),
        _ => return None,
    })
}

fn itau(code: &str) -> Option<BankEvent> {
    Some(match code {
        "07" | "08" | "10" => PAID,
        "64" | "73" => BankEvent::Registered,
        "60" => BankEvent::RegistrationRejected,
        "04" | "57" => BankEvent::InstructionAcknowledged,
        "05" | "47" => WRITTEN_OFF,
        "32" => BankEvent::WrittenOff { after_protest: true },
        // 17 is a rejected change, never a payment.
        "15" | "16" | "17" | "18" | "24" => BankEvent::InstructionRejected,
        "19" => BankEvent::Protest(Protest::Instructed),
        "20" | "21" => BankEvent::Protest(Protest::Suspended),
        "23" => BankEvent::Protest(Protest::AtNotary),
        "25" => BankEvent::PayerEvent,
        "26" | "27" | "28" | "29" | "30" | "33" | "34" | "35" | "36" | "37" | "38" | "39" | "48" => BankEvent::FeeDebited,
        "40" | "41" | "42" | "43" | "44" | "45" | "46" | "51" | "52" | "53" | "54" | "55" | "56" | "61" | "62" => BankEvent::FeeDebited,
        "63" => BankEvent::Protest(Protest::SuspendedByCourt),
        "65" => BankEvent::ChequePending,
        "69" => BankEvent::ChequeBounced,
        "76" => BankEvent::ChequeCleared,
        "95" => BankEvent::OperationalWriteOff,
        _ => return None,
    })
}
