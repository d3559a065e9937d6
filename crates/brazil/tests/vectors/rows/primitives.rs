//! `dv_primitives.csv`: check digits that manuals print.

use super::row::{Checked, Row};
use brazil::check_digit as dv;

pub fn check(row: &Row) -> Checked {
    let digits = row.read("input", dv::values)?;
    let number = |digit: u8| char::from(b'0' + digit);
    let computed = match row.text("algorithm") {
        "mod10" | "itau_dac" => number(dv::mod10(&digits)),
        "mod11_arrec" | "mod11_santander_nn" | "mod11_caixa" | "mod11_sicredi" => number(dv::mod11(&digits)),
        "mod11_boleto_general" => number(dv::boleto_general(&digits)),
        "mod11_base7_bradesco" => dv::bradesco(&digits),
        "mod11_bb_nn" => dv::banco_do_brasil(&digits),
        "sicoob_3197" => number(dv::sicoob(&digits)),
        _ => return Err(row.unchecked("algorithm", "is a kind that is not known")),
    };
    row.verdict("expected", "computed", computed)
}
