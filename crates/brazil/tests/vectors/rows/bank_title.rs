//! `boleto.csv`, `campo_livre_check`: campo livre and nosso número from the inputs, by the banks' own layouts.

use super::bank_title_inputs::title;
use super::row::{Checked, Row};
use brazil::boleto::{Boleto, Issued};

/// Carteiras of Itaú with the payer's own number: their campo livre has no room for the DAC.
const ITAU_WITH_OWN_NUMBER: [&str; 6] = ["107", "122", "142", "143", "196", "198"];

/// `ok`: the layout builds the row from its inputs. `differs`: it does not, because source and bank disagree. Empty: no
/// layout is public.
pub fn check(row: &Row) -> Checked {
    match row.text("campo_livre_check") {
        "" => Ok(()),
        "ok" => check_built(row),
        note if note.starts_with("differs") => {
            let made = title(row)?.issue(row.number("amount_cents")?).ok();
            let same = made.is_some_and(|issued| campo(&issued) == row.text("campo_livre"));
            row.holds("campo_livre_check", !same, "ok: the layout builds it")
        }
        _ => Err(row.unchecked("campo_livre_check", "is a kind that is not known")),
    }
}

fn check_built(row: &Row) -> Checked {
    let title = title(row)?;
    let due = row.day_if_given("due_date")?;
    let (slip, issued) = Boleto::issue(&title, due, row.number("amount_cents")?).map_err(|fault| row.differs("campo_livre", fault))?;
    row.is("campo_livre", campo(&issued))?;
    row.is("barcode", slip.barcode())?;
    let read = slip.nosso_numero().ok_or_else(|| row.differs("campo_livre", "of no known layout"))?;
    row.same("nosso_numero_in", &issued.nosso_numero.number, &read.number)?;
    let own_number = row.text("bank") == "341" && ITAU_WITH_OWN_NUMBER.contains(&row.text("carteira"));
    let digit = read.check == issued.nosso_numero.check || own_number;
    row.holds("campo_livre", digit, format!("check digit {:?}", issued.nosso_numero.check))?;
    row.given("nosso_numero_fmt").map_or(Ok(()), |printed| check_printed(row, printed, &issued))
}

/// `109/00223350-2`: what comes before the stroke is the carteira (or Sicredi's year), what comes after the hyphen the digit.
fn check_printed(row: &Row, printed: &str, issued: &Issued) -> Checked {
    let number = printed.rsplit('/').next().unwrap_or(printed);
    let (number, digit) = number.split_once('-').map_or((number, None), |(number, digit)| (number, digit.chars().last()));
    let bare = |text: &str| text.trim_start_matches('0').to_owned();
    let same = bare(&issued.nosso_numero.number).ends_with(&bare(number));
    row.holds("nosso_numero_fmt", same, &issued.nosso_numero)?;
    let both = digit.zip(issued.nosso_numero.check);
    row.holds("nosso_numero_fmt", both.is_none_or(|(stated, computed)| stated == computed), &issued.nosso_numero)
}

fn campo(issued: &Issued) -> String {
    issued.campo_livre.iter().map(ToString::to_string).collect()
}
