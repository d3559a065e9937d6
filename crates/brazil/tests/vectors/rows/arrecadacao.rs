//! `arrecadacao.csv`: bar code of 44 and line of 48 digits.

use super::row::{Checked, Row};
use brazil::Arrecadacao;
use brazil::boleto::arrecadacao::ValueKind;
use brazil::boleto::{Slip, parse};

/// Every text of a valid row is the same slip; of an invalid one at least one is refused.
pub fn check(row: &Row) -> Checked {
    let texts: Vec<&str> = ["barcode", "linha"].into_iter().filter_map(|column| row.given(column)).collect();
    if texts.is_empty() {
        return Err(row.unchecked("barcode", "and the line are both missing"));
    }
    let slip = same_slip(&texts);
    let computed = row.one_of("computed", &["valid", "invalid"])?;
    row.one_of("expected", &["valid", "invalid"])?;
    let module = row.one_of("module", &["mod10", "mod11", ""])?;
    row.verdict("expected", "computed", if slip.is_some() { "valid" } else { "invalid" })?;
    let Some(slip) = slip else { return Ok(()) };
    debug_assert_eq!(computed, "valid");
    for (column, made) in [("barcode", slip.barcode()), ("linha", slip.line())] {
        row.given(column).map_or(Ok(()), |_| row.is(column, made))?;
    }
    let by_kind = match slip.value_kind() {
        ValueKind::CentsMod10 | ValueKind::ReferenceMod10 => "mod10",
        ValueKind::CentsMod11 | ValueKind::ReferenceMod11 => "mod11",
    };
    row.holds("module", module.is_empty() || module == by_kind, by_kind)?;
    row.given("value_cents").map_or(Ok(()), |_| value(row, &slip))
}

/// The slip that all the texts are, masks or not.
fn same_slip(texts: &[&str]) -> Option<Arrecadacao> {
    let mut slips = texts.iter().map(|text| match parse(text) {
        Ok(Slip::Arrecadacao(slip)) if parse(&slip.printed_line()) == Ok(Slip::Arrecadacao(slip)) => Some(slip),
        _ => None,
    });
    let first = slips.next()??;
    slips.all(|slip| slip == Some(first)).then_some(first)
}

/// Digits 5 to 15: cents, or a quantity of which no amount may be made.
fn value(row: &Row, slip: &Arrecadacao) -> Checked {
    let stated: u64 = row.number("value_cents")?;
    let digits = slip.barcode()[4..15].parse().map_err(|_| row.unchecked("barcode", "has no value"))?;
    row.same("value_cents", &stated, &digits)?;
    let amount = match slip.value_kind() {
        ValueKind::CentsMod10 | ValueKind::CentsMod11 => Some(stated).filter(|cents| *cents > 0),
        ValueKind::ReferenceMod10 | ValueKind::ReferenceMod11 => None,
    };
    row.same("value_cents", &amount, &slip.amount_cents())
}
