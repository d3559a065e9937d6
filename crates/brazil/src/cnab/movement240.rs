//! Movement codes of CNAB 240 returns: FEBRABAN's table (C044), and where a bank's own manual overrides it.

use super::event::{BankEvent, Protest};

/// COMPE codes with overrides.
const SANTANDER: u16 = 33;
const AILOS: u16 = 85;
const CAIXA: u16 = 104;
const ITAU: u16 = 341;
/// Unicred's table is its own and is not published with the others.
const UNICRED: u16 = 136;

/// Whether the movement table of a bank is known.
pub(super) fn is_supported(bank: u16) -> bool {
    bank != UNICRED
}

/// What a movement code of a bank means; `None` where its table has no such code.
pub fn event_of(bank: u16, code: &str) -> Option<BankEvent> {
    let override_of: fn(&str) -> Option<BankEvent> = match bank {
        SANTANDER => santander,
        AILOS => ailos,
        CAIXA => caixa,
        ITAU => itau,
        _ => |_| None,
    };
    override_of(code).or_else(|| febraban(code))
}

const PAID: BankEvent = BankEvent::PaymentReceived { after_write_off: false };

fn itau(code: &str) -> Option<BankEvent> {
    Some(match code {
        "06" | "08" => PAID,
        "17" => BankEvent::InstructionRejected,
        "95" => BankEvent::OperationalWriteOff,
        _ => return None,
    })
}

fn caixa(code: &str) -> Option<BankEvent> {
    Some(match code {
        "06" | "46" => PAID,
        "44" | "47" => BankEvent::PaymentReversed,
        _ => return None,
    })
}

fn santander(code: &str) -> Option<BankEvent> {
    Some(match code {
        "93" => BankEvent::OperationalWriteOff,
        "94" => BankEvent::OperationalWriteOffCancelled,
        _ => return None,
    })
}

fn ailos(code: &str) -> Option<BankEvent> {
    matches!(code, "76" | "77").then_some(PAID)
}

fn febraban(code: &str) -> Option<BankEvent> {
    Some(match code {
        "02" => BankEvent::Registered,
        "03" => BankEvent::RegistrationRejected,
        "06" => PAID,
        "17" => BankEvent::PaymentReceived { after_write_off: true },
        "44" => BankEvent::ChequeBounced,
        "45" => BankEvent::ChequeCleared,
        "50" => BankEvent::ChequePending,
        "09" => BankEvent::WrittenOff { after_protest: false },
        "25" => BankEvent::WrittenOff { after_protest: true },
        "07" | "08" | "12" | "13" | "14" | "27" | "40" | "41" | "42" | "43" => BankEvent::InstructionAcknowledged,
        "55" | "56" | "57" | "58" | "59" | "60" | "61" => BankEvent::InstructionAcknowledged,
        "11" => BankEvent::OpenTitleListed,
        "19" => BankEvent::Protest(Protest::Instructed),
        "20" => BankEvent::Protest(Protest::Suspended),
        "23" => BankEvent::Protest(Protest::AtNotary),
        "24" => BankEvent::Protest(Protest::Withdrawn),
        "46" => BankEvent::Protest(Protest::CancelInstructed),
        "63" => BankEvent::Protest(Protest::SuspendedByCourt),
        "26" | "30" => BankEvent::InstructionRejected,
        "28" => BankEvent::FeeDebited,
        "29" => BankEvent::PayerEvent,
        "51" => BankEvent::DdaRecognised,
        "52" => BankEvent::DdaRefused,
        "53" => BankEvent::DdaRefusedByClearing,
        "54" => BankEvent::BureauEntryRemoved,
        _ => return None,
    })
}
