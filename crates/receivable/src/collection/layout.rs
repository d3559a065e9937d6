//! What each bank's layout asks of an agreement, and how a running number becomes a title.

use alloc::{format, string::String, string::ToString};
use brazil::boleto::bank::{BancoDoBrasil, BankTitle, BbNumber, Bradesco, Caixa, InputFault, Inter, Itau, Santander, Sicoob, Sicredi};
use chrono::Datelike;
use kernel::NaiveDate;

/// Carteiras of Itaú whose slips carry the payer's own number: no running number fits them.
const ITAU_OWN_NUMBER: [&str; 6] = ["107", "122", "142", "143", "196", "198"];
/// Sequences of five digits under each byte of Sicredi; the beneficiary's bytes are 2 to 9.
const SICREDI_PER_BYTE: u64 = 100_000;

/// A bank's agreement for boletos. Digits as the bank gave them; which fields matter is the bank's layout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// COMPE code.
    pub bank: u16,
    /// Agency; the cooperative at Sicredi and Sicoob. Without check digit.
    pub agency: String,
    /// Check digit of the agency, for bank files.
    pub agency_digit: String,
    /// Account, without check digit.
    pub account: String,
    /// Its real check digit.
    pub account_digit: String,
    /// Convênio, beneficiary, operation or client.
    pub agreement: String,
    /// Carteira.
    pub wallet: String,
    /// Modality (Sicoob), kind of collection (Sicredi).
    pub modality: String,
    /// Posto (Sicredi).
    pub post: String,
    /// First number to be used, at least 1.
    pub first_number: u64,
}

/// Why an agreement makes no boletos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgreementFault {
    /// No layout of this bank is known.
    #[error("bank {0:03} has no layout here")]
    Bank(u16),
    /// A carteira that takes no running number.
    #[error("wallet takes no running number")]
    Wallet,
    /// A field does not fit the bank's layout.
    #[error("{field}: {fault}")]
    Field {
        /// Its name in [`Agreement`].
        field: &'static str,
        /// What is wrong.
        fault: InputFault,
    },
    /// The first number is zero, or past the last one of the layout.
    #[error("first_number is not 1 to {0}")]
    FirstNumber(u64),
}

impl AgreementFault {
    /// Stable name of the refusal.
    pub fn slug(self) -> &'static str {
        match self {
            AgreementFault::Bank(_) => "bank_unsupported",
            AgreementFault::Wallet => "wallet_unsupported",
            AgreementFault::Field { fault, .. } => fault.slug(),
            AgreementFault::FirstNumber(_) => "first_number_out_of_range",
        }
    }

    /// The field at fault, by its name in [`Agreement`].
    pub fn field(self) -> &'static str {
        match self {
            AgreementFault::Bank(_) => "bank",
            AgreementFault::Wallet => "wallet",
            AgreementFault::Field { field, .. } => field,
            AgreementFault::FirstNumber(_) => "first_number",
        }
    }
}

impl Agreement {
    /// Whether boletos can be made under it. Errors: [`AgreementFault`] of the first field at fault.
    pub fn check(&self) -> Result<(), AgreementFault> {
        if self.bank == 341 && ITAU_OWN_NUMBER.contains(&self.wallet.as_str()) {
            return Err(AgreementFault::Wallet);
        }
        let title = self.title(1, NaiveDate::default()).ok_or(AgreementFault::Bank(self.bank))?;
        title.issue(1).map_err(|fault| AgreementFault::Field { field: field(fault), fault })?;
        let last = self.last_number();
        if (1..=last).contains(&self.first_number) { Ok(()) } else { Err(AgreementFault::FirstNumber(last)) }
    }

    /// The last number that the layout has room for.
    pub fn last_number(&self) -> u64 {
        let digits = match (self.bank, self.agreement.len()) {
            (1, 4) | (756, _) => 7,
            (1, 6) => 5,
            (1, 8) => 9,
            (1 | 77, _) => 10,
            (33, _) => 12,
            (104, _) => 15,
            (237, _) => 11,
            (341, _) => 8,
            (748, _) => return 8 * SICREDI_PER_BYTE - 1,
            _ => return 0,
        };
        10_u64.pow(digits) - 1
    }

    /// The title with a running number, issued on a day; `None` for a bank whose layout is not known.
    pub fn title(&self, number: u64, issued_on: NaiveDate) -> Option<BankTitle> {
        let text = number.to_string();
        let (agency, account, agreement) = (self.agency.clone(), self.account.clone(), self.agreement.clone());
        let (carteira, modality) = (self.wallet.clone(), self.modality.clone());
        Some(match self.bank {
            1 => {
                let number = match agreement.len() {
                    4 => BbNumber::Four { agreement, sequence: text },
                    6 => BbNumber::Six { agreement, sequence: text },
                    _ => BbNumber::Seven { agreement, sequence: text },
                };
                BankTitle::BancoDoBrasil(BancoDoBrasil { number, agency, account, carteira })
            }
            33 => BankTitle::Santander(Santander { beneficiary: agreement, number: text, iof: "0".to_string(), carteira }),
            77 => BankTitle::Inter(Inter { carteira, operation: agreement, number: text }),
            104 => BankTitle::Caixa(Caixa { beneficiary: agreement, number: text }),
            237 => BankTitle::Bradesco(Bradesco { agency, account, carteira, number: text }),
            341 => BankTitle::Itau(Itau {
                agency,
                account,
                account_digit: self.account_digit.clone(),
                carteira,
                number: text,
                own_number: String::new(),
                client: String::new(),
            }),
            748 => BankTitle::Sicredi(Sicredi {
                kind: modality,
                carteira,
                cooperative: agency,
                post: self.post.clone(),
                beneficiary: agreement,
                year: format!("{:02}", issued_on.year().rem_euclid(100)),
                byte: (2 + number / SICREDI_PER_BYTE).to_string(),
                sequence: (number % SICREDI_PER_BYTE).to_string(),
            }),
            756 => {
                let instalment = "1".to_string();
                BankTitle::Sicoob(Sicoob { carteira, cooperative: agency, modality, client: agreement, number: text, instalment })
            }
            _ => return None,
        })
    }
}

/// The field of an agreement that a layout calls by another name.
fn field(fault: InputFault) -> &'static str {
    let (InputFault::NotDigits { field } | InputFault::TooLong { field, .. } | InputFault::Value { field }) = fault;
    match field {
        "carteira" => "wallet",
        "beneficiary" | "operation" | "client" => "agreement",
        "cooperative" => "agency",
        "kind" => "modality",
        other => other,
    }
}
