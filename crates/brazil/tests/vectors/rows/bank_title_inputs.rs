//! A title's inputs from a row of `boleto.csv`. What no column gives (Sicredi's year, Santander's carteira, the check
//! digit of an account) is an input of the layout too: it is taken from its place in the campo livre.

use super::row::{Checked, Row};
use brazil::boleto::bank::{BancoDoBrasil, BankTitle, BbNumber, Bradesco, Caixa, Inter, Itau, Santander, Sicoob, Sicredi};

/// Errors: the bank has no layout here, the campo livre is not 25 digits.
pub fn title(row: &Row) -> Checked<BankTitle> {
    let campo_livre = row.text("campo_livre");
    if campo_livre.len() != 25 || !campo_livre.is_ascii() {
        return Err(row.unchecked("campo_livre", "is not 25 digits"));
    }
    let campo = |from: usize, until: usize| campo_livre[from..until].to_owned();
    let column = |name: &str| bare(row.text(name));
    let number = row.text("nosso_numero_in").to_owned();
    let agreement = row.text("convenio_or_beneficiario");
    Ok(match row.text("bank") {
        "001" => BankTitle::BancoDoBrasil(banco_do_brasil(row, campo(23, 25))),
        "033" => BankTitle::Santander(Santander { beneficiary: bare(agreement), number, iof: campo(21, 22), carteira: campo(22, 25) }),
        "077" => BankTitle::Inter(Inter {
            carteira: given(row, "carteira").unwrap_or_else(|| campo(4, 7)),
            // The account's check digit is no part of the operation.
            operation: agreement.chars().filter(char::is_ascii_digit).take(7).collect(),
            number,
        }),
        "104" => BankTitle::Caixa(Caixa { beneficiary: bare(agreement), number }),
        "237" => BankTitle::Bradesco(Bradesco {
            agency: column("agencia"),
            account: column("conta"),
            carteira: given(row, "carteira").unwrap_or_else(|| campo(4, 6)),
            number,
        }),
        "341" => BankTitle::Itau(Itau {
            agency: column("agencia"),
            account: column("conta"),
            account_digit: check_digit(row.text("conta")).unwrap_or_else(|| campo(21, 22)),
            carteira: given(row, "carteira").unwrap_or_else(|| campo(0, 3)),
            number,
            own_number: extra(row, "seu_numero").unwrap_or_else(|| campo(11, 18)),
            client: bare(agreement),
        }),
        "748" => BankTitle::Sicredi(Sicredi {
            kind: campo(0, 1),
            carteira: campo(1, 2),
            cooperative: column("agencia"),
            post: extra(row, "posto").or_else(|| extra(row, "operacao")).unwrap_or_else(|| campo(15, 17)),
            beneficiary: bare(agreement),
            year: campo(2, 4),
            byte: extra(row, "byte_idt").unwrap_or_else(|| campo(4, 5)),
            sequence: number,
        }),
        "756" => BankTitle::Sicoob(Sicoob {
            carteira: campo(0, 1),
            cooperative: column("agencia"),
            modality: campo(5, 7),
            // The client's check digit is its last.
            client: agreement.replace('-', ""),
            number,
            instalment: campo(22, 25),
        }),
        _ => return Err(row.unchecked("bank", "has no layout here")),
    })
}

/// Agreements of 4, 6, 7 and 8 digits number their titles in their own ways.
fn banco_do_brasil(row: &Row, carteira_of_slip: String) -> BancoDoBrasil {
    let agreement = row.text("convenio_or_beneficiario").to_owned();
    let sequence = row.text("nosso_numero_in").to_owned();
    let number = match (agreement.len(), sequence.len()) {
        (4, _) => BbNumber::Four { agreement, sequence },
        (6, 6..) => BbNumber::SixFree { agreement, number: sequence },
        (6, _) if extra(row, "codigo_servico").is_some() => BbNumber::SixFree { agreement, number: sequence },
        (6, _) => BbNumber::Six { agreement, sequence },
        (_, 17) => BbNumber::Seventeen(sequence),
        (_, 0) => BbNumber::Seventeen(row.text("nosso_numero_fmt").to_owned()),
        _ => BbNumber::Seven { agreement, sequence },
    };
    // `11/019` is carteira and variation.
    let carteira = given(row, "carteira").map(|text| text.split('/').next().unwrap_or_default().to_owned());
    let carteira = carteira.unwrap_or(carteira_of_slip);
    BancoDoBrasil { number, agency: bare(row.text("agencia")), account: bare(row.text("conta")), carteira }
}

fn given(row: &Row, column: &str) -> Option<String> {
    row.given(column).map(str::to_owned)
}

/// The value of a name in `posto=65;byte_idt=2`.
fn extra(row: &Row, name: &str) -> Option<String> {
    let pairs = row.text("extra").split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim(), value.trim())).find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

/// What stands before the hyphen of `1234-X`.
fn bare(text: &str) -> String {
    text.split('-').next().unwrap_or_default().to_owned()
}

/// What stands after it.
fn check_digit(text: &str) -> Option<String> {
    text.split_once('-').map(|(_, digit)| digit.to_owned())
}
