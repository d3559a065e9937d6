//! `pix_cobv_validity.csv`: until when a charge with a due date can be paid.

use super::row::{Checked, Row};
use brazil::Calendar;
use brazil::pix::cobv::{Cobv, adjusted_due, is_payable, last_payable_day};

pub fn check(row: &Row) -> Checked {
    let (due, validity_days, paid) = (row.day("due")?, row.number("validade")?, row.day("pay_date")?);
    let calendar = Calendar::BrSettlement;
    row.same("adjusted_due", &row.day("adjusted_due")?, &adjusted_due(due, calendar))?;
    row.same("last_day", &row.day("last_day")?, &last_payable_day(due, validity_days, calendar))?;
    let charge = Cobv { original_cents: 1, due, validity_days, fine: None, interest: None, abatement: None, discount: None };
    let stated = row.one_of("expected", &["aceito", "negado"])?;
    let computed = if is_payable(&charge, paid, calendar) { "aceito" } else { "negado" };
    if row.text("check") == "agree" { row.is("expected", computed) } else { row.holds("check", stated != computed, "agree") }
}
