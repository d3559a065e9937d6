//! Our titles in the words of the bank's file: numbers in their columns, payers with the parts of their address.

use crate::wire::{Contact, Receiver};
use brazil::cnab::remittance::{
    Amendment, Company, Instruction as BankInstruction, Order as BankOrder, OrderFault, Payer, ProtestOrder, Species, Title,
};
use brazil::{Cep, State, boleto::NossoNumero, tax_id::TaxId};
use kernel::personal::Personal;
use receivable::{
    Account, Slip,
    collection::Agreement,
    remittance::{Instruction, Order},
};

const BANCO_DO_BRASIL: u16 = 1;
const SANTANDER: u16 = 33;
const CAIXA: u16 = 104;
const BRADESCO: u16 = 237;
const ITAU: u16 = 341;
const SICREDI: u16 = 748;
const SICOOB: u16 = 756;
/// Simple collection (C006).
const SIMPLE: u8 = 1;
/// Santander's simple collection with fast registration: what its carteira 101 is.
const SANTANDER_FAST: u8 = 5;
const SANTANDER_CARTEIRA: &str = "101";
/// Columns of the company's own text.
const COMPANY_USE_CHARS: usize = 25;
/// Columns of the document number.
const DOCUMENT_CHARS: usize = 15;
/// The same at Caixa.
const CAIXA_DOCUMENT_CHARS: usize = 11;

/// Who writes the file. Errors: a bank whose file is not written here, or nobody who receives the money.
pub(super) fn company(agreement: &Agreement, receiver: &Receiver) -> Result<Company, OrderFault> {
    let bank_name = match agreement.bank {
        BANCO_DO_BRASIL => "Banco do Brasil",
        SANTANDER => "Banco Santander",
        CAIXA => "Caixa Economica Federal",
        BRADESCO => "Bradesco",
        ITAU => "Itau",
        SICREDI => "Sicredi",
        SICOOB => "Sicoob",
        other => return Err(OrderFault::UnsupportedBank(other)),
    };
    // Boletos of some banks are made without agency, account or another carteira than 101; their files are not.
    if agreement.agency.is_empty() {
        return Err(OrderFault::Text("agency"));
    }
    if agreement.bank == SANTANDER && agreement.account.is_empty() {
        return Err(OrderFault::Text("account"));
    }
    if agreement.bank == SANTANDER && agreement.wallet != SANTANDER_CARTEIRA {
        return Err(OrderFault::Range("wallet"));
    }
    let digit = |text: &str| text.chars().next().unwrap_or(' ');
    Ok(Company {
        bank: agreement.bank,
        bank_name: bank_name.to_owned(),
        tax_id: TaxId::parse(receiver.tax_id.reveal()).map_err(|_| OrderFault::Text("beneficiary.tax_id"))?,
        name: receiver.name.reveal().to_owned(),
        agreement: agreement.agreement.clone(),
        agency: agreement.agency.clone(),
        agency_digit: digit(&agreement.agency_digit),
        account: agreement.account.clone(),
        account_digit: digit(&agreement.account_digit),
        agency_account_digit: ' ',
    })
}

/// An order, or what is missing for it: `no_title`, or what the payer's data lacks.
pub(super) fn order(agreement: &Agreement, order: &Order, account: &Account, contact: &Contact) -> Result<BankOrder, &'static str> {
    let invoice = account.invoices.get(&order.invoice_id).ok_or("no_title")?;
    let slip = invoice.instruments.as_ref().and_then(|instruments| instruments.boleto.as_ref()).ok_or("no_title")?;
    let (instruction, payer) = match order.instruction {
        Instruction::Enter => (BankInstruction::Entry, Some(payer(contact)?)),
        Instruction::ChangeDue => (BankInstruction::Amend(Amendment::DueDate), None),
        Instruction::ChangeAmount => (BankInstruction::Amend(Amendment::Nominal), None),
        Instruction::ChangeInterest => (BankInstruction::Amend(Amendment::Interest), None),
        Instruction::WaiveInterest => (BankInstruction::Amend(Amendment::WaiveInterest), None),
        Instruction::ChangeFine => (BankInstruction::Amend(Amendment::Fine), None),
        Instruction::WaiveFine => (BankInstruction::Amend(Amendment::WaiveFine), None),
        Instruction::GrantAbatement => (BankInstruction::Amend(Amendment::GrantAbatement), None),
        Instruction::CancelAbatement => (BankInstruction::Amend(Amendment::CancelAbatement), None),
        Instruction::GrantDiscounts => (BankInstruction::Amend(Amendment::GrantDiscount), None),
        Instruction::CancelDiscounts => (BankInstruction::Amend(Amendment::CancelDiscount), None),
        Instruction::WriteOff => (BankInstruction::WriteOff, None),
    };
    let id = order.invoice_id.as_str();
    let document = invoice.issued.document.as_deref().unwrap_or(id);
    let document_chars = if agreement.bank == CAIXA { CAIXA_DOCUMENT_CHARS } else { DOCUMENT_CHARS };
    let title = Title {
        nosso_numero: number_columns(agreement, &numbered(order, slip)).ok_or("no_title")?,
        wallet: if agreement.bank == SANTANDER { SANTANDER_FAST } else { SIMPLE },
        document: document.chars().filter(char::is_ascii_graphic).take(document_chars).collect(),
        // A text that was cut would name another receivable.
        company_use: if id.len() <= COMPANY_USE_CHARS { id.to_owned() } else { String::new() },
        due: order.due_on,
        issued_on: invoice.issued_on,
        nominal_cents: order.amount_minor,
        species: Species::DM,
        accepted: false,
        interest: order.charges.interest,
        discounts: order.charges.discounts.clone(),
        abatement_cents: order.charges.abatement_minor,
        fine: order.charges.fine,
        protest: ProtestOrder::None,
        write_off_days: None,
        payer,
    };
    Ok(BankOrder { instruction, title })
}

/// The number under which a title was ordered: a file that is written again names the title of that day, whatever the receivable has now.
fn numbered(order: &Order, slip: &Slip) -> NossoNumero {
    match order.nosso_numero.split_once('-') {
        Some((number, check)) => NossoNumero { number: number.to_owned(), check: check.chars().next() },
        None if order.nosso_numero.is_empty() => slip.nosso_numero.clone(),
        None => NossoNumero { number: order.nosso_numero.clone(), check: None },
    }
}

/// The number as the columns of segment P want it; `None` for a bank whose file is not written here.
fn number_columns(agreement: &Agreement, nosso_numero: &NossoNumero) -> Option<String> {
    let number = nosso_numero.number.as_str();
    let check = nosso_numero.check.map(String::from).unwrap_or_default();
    Some(match agreement.bank {
        BANCO_DO_BRASIL | SICREDI | SANTANDER => format!("{number}{check}"),
        // The 17 digits have the prefix; the check digit has no column.
        CAIXA => number.to_owned(),
        ITAU => format!("{:0>3}{number:0>8}{check}", agreement.wallet),
        BRADESCO => format!("{:0>3}00000{number:0>11}{check}", agreement.wallet),
        // Number with its digit in ten, the only instalment, modality.
        SICOOB => format!("{number:0>9}{check}01{:0>2}", agreement.modality),
        _ => return None,
    })
}

/// Who pays. Errors: `payer_name_missing`, `payer_tax_id_missing`, `payer_address_incomplete`.
fn payer(contact: &Contact) -> Result<Payer, &'static str> {
    if contact.name.is_empty() {
        return Err("payer_name_missing");
    }
    let place = place(contact.address.reveal()).ok_or("payer_address_incomplete")?;
    Ok(Payer {
        tax_id: TaxId::parse(contact.tax_id.reveal()).map_err(|_| "payer_tax_id_missing")?,
        name: contact.name.clone(),
        street: Personal::new(place.street),
        district: Personal::new(place.district),
        cep: place.cep,
        city: place.city,
        state: place.state,
    })
}

/// The parts of an address in one line.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    street: String,
    district: String,
    cep: Cep,
    city: String,
    state: State,
}

/// Reads `street, number, district, city - UF, CEP` and its usual variants: the CEP anywhere, `city/UF`, the CEP before the city, no
/// district. `None` without street, city or a CEP.
fn place(address: &str) -> Option<Place> {
    let (cep, rest) = without_cep(address)?;
    let parts: Vec<&str> = rest.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let named = parts.iter().enumerate().rev().find_map(|(index, part)| city_of(part).map(|(city, state)| (index, city, state)));
    let (index, before, city, state) = match named {
        Some((index, (before, city), state)) => (index, before, city, state),
        // Without a state the last part is the city: the CEP knows the state.
        None => (parts.len().checked_sub(1)?, String::new(), (*parts.last()?).to_owned(), cep.state()),
    };
    let mut street: Vec<&str> = parts[..index].to_vec();
    // A house number belongs to its street, what comes after it is the district.
    let district = if !before.is_empty() {
        before
    } else if street.len() > 2 {
        street.pop().map(str::to_owned).unwrap_or_default()
    } else {
        String::new()
    };
    let street = street.join(", ");
    (!street.is_empty() && !city.is_empty()).then_some(Place { street, district, cep, city, state })
}

/// The first CEP in a text, and the text without it.
fn without_cep(text: &str) -> Option<(Cep, String)> {
    for (at, _) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        let starts = !text[..at].ends_with(|c: char| c.is_ascii_digit());
        for size in [9, 8] {
            let Some(found) = text.get(at..at + size).filter(|_| starts) else { continue };
            let ends = !text[at + size..].starts_with(|c: char| c.is_ascii_digit());
            let masked = size == 8 || found.as_bytes().get(5) == Some(&b'-');
            if ends
                && masked
                && let Ok(cep) = Cep::parse(found)
            {
                return Some((cep, format!("{},{}", text[..at].trim_end_matches("CEP ").trim(), &text[at + size..])));
            }
        }
    }
    None
}

/// `district - city - UF`, `city/UF`: what comes before the city, the city, the state.
fn city_of(part: &str) -> Option<((String, String), State)> {
    let (before, code) = part.rsplit_once(['-', '/'])?;
    let state = State::named(code.trim())?;
    let (district, city) = before.trim().rsplit_once(" - ").unwrap_or(("", before.trim()));
    Some(((district.trim().to_owned(), city.trim_matches(['-', ' ']).to_owned()), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_one_line_has_its_parts() {
        for (line, expected) in [
            ("Rua das Flores, 10, Centro, São Paulo - SP, 01310-100", ("Rua das Flores, 10", "Centro", "São Paulo", "SP")),
            ("Rua das Flores, 10, 01310-100 São Paulo - SP", ("Rua das Flores, 10", "", "São Paulo", "SP")),
            ("Rua das Flores, 10, Centro - São Paulo/SP, CEP 01310100", ("Rua das Flores, 10", "Centro", "São Paulo", "SP")),
            (
                "Av. 9 de Julho, 1000, apto 5, Bela Vista, São Paulo, 01310-100",
                ("Av. 9 de Julho, 1000, apto 5", "Bela Vista", "São Paulo", "SP"),
            ),
        ] {
            let found = place(line).unwrap();
            let got = (found.street.as_str(), found.district.as_str(), found.city.as_str(), found.state.code());
            assert_eq!(got, expected, "{line}");
            assert_eq!(found.cep.digits(), "01310100");
        }
        for line in ["", "Rua das Flores, 10", "01310-100", "São Paulo - SP, 01310-100", "Rua X, 123456789012"] {
            assert_eq!(place(line), None, "{line}");
        }
    }
}
