//! The nosso número of a campo livre, for matching a slip that someone pasted to the title it is of.

use super::{NossoNumero, char_of};
use crate::boleto::typed::text_of;
use crate::check_digit::{banco_do_brasil, bradesco, mod10, mod11, sicoob};

/// The bank's number that a campo livre carries; `None` for a bank or layout that is not known, or where the layout's
/// own check digits are wrong.
pub(in crate::boleto) fn nosso_numero(bank: u16, campo: &[u8; 25]) -> Option<NossoNumero> {
    let (number, check): (&[u8], Option<char>) = match bank {
        1 => banco_do_brasil_number(campo),
        33 if campo[0] == 9 => (&campo[8..20], checked(campo[20], mod11(&campo[8..20]))?),
        77 if campo[..4] == [0, 0, 0, 1] => {
            let covered = [&campo[..7], &campo[14..24]].concat();
            (&campo[14..24], checked(campo[24], mod10(&covered))?)
        }
        104 => return caixa(campo),
        237 if campo[24] == 0 => (&campo[6..17], Some(bradesco(&campo[4..17]))),
        // Carteiras with the payer's own number in the campo livre have the DAC nowhere in it.
        341 if campo[22..] == [0, 0, 0] => (&campo[3..11], Some(char_of(campo[11]))),
        341 => {
            checked(campo[23], mod10(&campo[..23]))?;
            (&campo[3..11], None)
        }
        748 => {
            checked(campo[24], mod11(&campo[..24]))?;
            let covered = [&campo[11..22], &campo[2..10]].concat();
            (&campo[2..10], checked(campo[10], mod11(&covered))?)
        }
        756 => {
            let covered = [&campo[1..5], &[0; 3], &campo[7..14], &campo[14..21]].concat();
            (&campo[14..21], checked(campo[21], sicoob(&covered))?)
        }
        _ => return None,
    };
    Some(NossoNumero { number: text_of(number), check })
}

/// The digit as a check character, if it is the computed one.
fn checked(stated: u8, computed: u8) -> Option<Option<char>> {
    (stated == computed).then(|| Some(char_of(stated)))
}

/// 17 digits after six zeros or before service 21; else agreement and sequence, 11 digits together.
fn banco_do_brasil_number(campo: &[u8; 25]) -> (&[u8], Option<char>) {
    if campo[..6] == [0; 6] || campo[23..] == [2, 1] {
        return (&campo[6..23], None);
    }
    (&campo[..11], Some(banco_do_brasil(&campo[..11])))
}

fn caixa(campo: &[u8; 25]) -> Option<NossoNumero> {
    checked(campo[6], mod11(&campo[..6]))?;
    checked(campo[24], mod11(&campo[..24]))?;
    let number = [&campo[10..11], &campo[14..15], &campo[7..10], &campo[11..14], &campo[15..24]].concat();
    Some(NossoNumero { number: text_of(&number), check: Some(char_of(mod11(&number))) })
}
