//! `boleto.csv`: bar code, typed line and their parts. `boleto_invalid.csv`: pairs that are not one slip.

use super::row::{Checked, Row};
use brazil::boleto::{Boleto, Fault, Slip, parse};
use brazil::check_digit::{mod10, values};

/// Every text of the row is the same slip, whose parts are those of the row and make it anew.
pub fn check(row: &Row) -> Checked {
    let slip = Boleto::from_barcode(row.text("barcode")).map_err(|faults| row.differs("barcode", faults))?;
    row.is("linha", slip.line())?;
    row.is("linha_fmt", slip.printed_line())?;
    for column in ["barcode", "linha", "linha_fmt"] {
        row.holds(column, parse(row.text(column)) == Ok(Slip::Bank(slip)), "another slip")?;
    }
    row.is("bank", format!("{:03}", slip.bank()))?;
    row.is("campo_livre", slip.campo_livre())?;
    let amount: u64 = row.number("amount_cents")?;
    row.same("amount_cents", &amount, &slip.amount_cents().unwrap_or(0))?;
    let factor: u16 = row.given("factor").map_or(Ok(0), |_| row.number("factor"))?;
    row.same("factor", &factor, &slip.factor().unwrap_or(0))?;
    let due = row.day_if_given("due_date")?;
    // Seen from its own due date a factor has one meaning; a slip without one has no due date from any day.
    let reference = due.unwrap_or_default();
    match slip.due_date(reference) {
        Ok(decoded) => row.same("due_date", &due, &decoded)?,
        Err(fault) => return Err(row.differs("due_date", fault)),
    }
    let campo = values(row.text("campo_livre")).and_then(|digits| <[u8; 25]>::try_from(digits).ok());
    let campo = campo.ok_or_else(|| row.unchecked("campo_livre", "is not 25 digits"))?;
    let made = Boleto::new(slip.bank(), due, amount, &campo).map_err(|fault| row.differs("barcode", fault))?;
    row.is("barcode", made.barcode())
}

/// At least one of both is refused, or they are two slips; what `problem` says of them is so.
pub fn check_inconsistent(row: &Row) -> Checked {
    let (code, line) = (parse(row.text("barcode")), parse(row.text("linha")));
    let consistent = code.is_ok() && code == line;
    row.holds("linha", !consistent, "the same good slip as the bar code")?;
    for problem in row.text("problem").split(';').map(str::trim) {
        if let Some(stated) = problem.strip_prefix("general DV: ") {
            let faults = code.as_ref().err().map(|faults| faults.all().to_vec()).unwrap_or_default();
            let found = faults.iter().find_map(|fault| match fault {
                Fault::GeneralDigit { stated, computed } => Some(format!("stated {stated} computed {computed}")),
                _ => None,
            });
            row.holds("problem", found.as_deref() == Some(stated), format!("general DV: {found:?}"))?;
        }
        if let Some(stated) = problem.strip_prefix("linha<>barcode: computed ") {
            let made = line_of(row.text("barcode")).ok_or_else(|| row.unchecked("barcode", "is not 44 digits"))?;
            row.holds("problem", made == stated, format!("computed {made}"))?;
            row.holds("linha", made != row.text("linha"), "the line of the bar code")?;
        }
    }
    Ok(())
}

/// The line of a bar code as it stands, its general digit right or wrong.
fn line_of(barcode: &str) -> Option<String> {
    let digits = values(barcode).filter(|digits| digits.len() == 44)?;
    let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
    let field = |digits: &[u8]| format!("{}{}", text(digits), mod10(digits));
    let first = [&digits[..4], &digits[19..24]].concat();
    Some(field(&first) + &field(&digits[24..34]) + &field(&digits[34..]) + &text(&digits[4..19]))
}
