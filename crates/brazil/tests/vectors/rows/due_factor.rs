//! `due_date_factor.csv`: factors of dates, and dates of factors seen from a day.

use super::row::{Checked, Row};
use brazil::boleto::FactorFault;
use brazil::boleto::due_factor::{decode, encode};

pub fn check(row: &Row) -> Checked {
    // A kind may say in brackets where its values come from.
    let kind = row.text("kind").split('(').next().unwrap_or_default().trim();
    let (day, factor) = (row.day("date")?, row.number::<u16>("factor")?);
    match kind {
        "encode" => {
            let computed = encode(day).map_err(|fault| row.differs("factor", fault))?;
            if row.text("check") != "ok" {
                return row.holds("check", computed != factor, "ok");
            }
            row.same("factor", &factor, &computed)?;
            row.holds("date", decode(factor, day) == Ok(day), format!("{:?}", decode(factor, day)))
        }
        "decode_window" | "decode" => match (row.day_if_given("decoded")?, decode(factor, day)) {
            (Some(stated), Ok(computed)) => row.same("decoded", &stated, &computed),
            (None, Err(FactorFault::GuardZone { .. })) => Ok(()),
            (_, computed) => Err(row.differs("decoded", format!("{computed:?}"))),
        },
        _ => Err(row.unchecked("kind", "is a kind that is not known")),
    }
}
