//! `cpf_cnpj.csv` and `phones.csv`.

use super::row::{Checked, Row};
use brazil::phone::PhoneKind;
use brazil::tax_id::TaxIdKind;
use brazil::{Phone, TaxId};

pub fn check_tax_id(row: &Row) -> Checked {
    let kind = match row.one_of("kind", &["cpf", "cnpj"])? {
        "cpf" => TaxIdKind::Cpf,
        _ => TaxIdKind::Cnpj,
    };
    row.one_of("expected", &["valid", "invalid"])?;
    let parsed = TaxId::parse(row.text("value")).ok();
    // A good number of the other kind is no number of this one.
    let good = parsed.as_ref().is_some_and(|id| id.kind() == kind);
    row.verdict("expected", "computed", if good { "valid" } else { "invalid" })?;
    let again = parsed.as_ref().map(|id| TaxId::parse(&id.formatted()).ok() == parsed);
    row.holds("value", again != Some(false), "another number once it is formatted")?;
    let shown = parsed.map(|id| format!("{id} {id:?}").contains(id.reveal()));
    row.holds("value", shown != Some(true), "shown in full where it must be masked")
}

pub fn check_phone(row: &Row) -> Checked {
    let valid = row.one_of("valid", &["True", "False"])? == "True";
    let abroad = row.text("e164").starts_with('+') && !row.text("e164").starts_with("+55");
    let parsed = Phone::parse(row.text("input"));
    match (parsed, valid) {
        // Of numbers abroad only the form is checked.
        (Ok(phone), false) if abroad => row.is("e164", phone.e164()),
        (Ok(phone), false) => Err(row.differs("valid", format!("True: {}", phone.e164()))),
        (Err(_), false) => Ok(()),
        (Err(fault), true) => Err(row.differs("valid", format!("False: {fault}"))),
        (Ok(phone), true) => {
            row.is("e164", phone.e164())?;
            let kind = match row.text("type") {
                _ if abroad => PhoneKind::Foreign,
                "MOBILE" => PhoneKind::Mobile,
                "FIXED_LINE" => PhoneKind::Landline,
                "SHARED_COST" | "TOLL_FREE" | "PREMIUM_RATE" => PhoneKind::Service,
                _ => return Err(row.unchecked("type", "is a kind that is not known")),
            };
            row.same("type", &kind, &phone.kind())
        }
    }
}
