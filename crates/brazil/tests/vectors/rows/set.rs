//! The files of the set: columns and check of each.

use super::row::{Checked, Row};
use super::{
    arrecadacao, bank_title, br_code, business_days, cnab240_columns, contact_hours, due_factor, identity, late_fees, pix_validity,
    primitives, signatures, slip,
};

/// One file.
pub struct VectorFile {
    pub name: &'static str,
    /// Exactly these, in any order.
    pub columns: &'static [&'static str],
    pub check: fn(&Row) -> Checked,
    pub aside: Option<Aside>,
}

/// Rows that stand in comments of a file.
pub struct Aside {
    pub prefix: &'static str,
    /// By position.
    pub columns: &'static [&'static str],
    pub check: fn(&Row) -> Checked,
}

const fn file(name: &'static str, columns: &'static [&'static str], check: fn(&Row) -> Checked) -> VectorFile {
    VectorFile { name, columns, check, aside: None }
}

pub const SET: &[VectorFile] = &[
    file(
        "arrecadacao.csv",
        &["barcode", "linha", "expected", "computed", "check", "module", "value_cents", "derived", "note", "source"],
        arrecadacao::check,
    ),
    file(
        "bank_holidays.csv",
        &["date", "weekday", "name", "py_holidays_public", "py_holidays_public_or_optional", "workalendar_bank", "py_holidays_bvmf"],
        business_days::check_holiday,
    ),
    file(
        "boleto.csv",
        &[
            "id",
            "bank",
            "barcode",
            "linha",
            "linha_fmt",
            "due_date",
            "factor",
            "amount_cents",
            "agencia",
            "conta",
            "convenio_or_beneficiario",
            "carteira",
            "nosso_numero_in",
            "nosso_numero_fmt",
            "extra",
            "campo_livre",
            "derived",
            "campo_livre_check",
            "source",
        ],
        check_boleto,
    ),
    file("boleto_invalid.csv", &["barcode", "linha", "problem", "source"], slip::check_inconsistent),
    file("business_days.csv", &["kind", "a", "b", "result"], business_days::check),
    file("cnab240_layout.csv", &["record", "field_no", "from", "to", "size", "decimals", "type", "fixed", "name"], cnab240_columns::check),
    file(
        "contact_windows.csv",
        &["scope", "legal_basis", "channels", "weekdays", "saturday", "sunday_and_holidays", "binding", "confidence", "source"],
        contact_hours::check,
    ),
    file("cpf_cnpj.csv", &["kind", "value", "expected", "computed", "check", "note", "source"], identity::check_tax_id),
    file("due_date_factor.csv", &["kind", "date", "factor", "decoded", "check", "source"], due_factor::check),
    file("dv_primitives.csv", &["algorithm", "input", "expected", "computed", "check", "source"], primitives::check),
    VectorFile {
        name: "late_fees.csv",
        columns: &[
            "id",
            "value",
            "fine_pct",
            "rate_pct",
            "rate_period",
            "days",
            "fine",
            "total_exact_half_up",
            "total_exact_truncated",
            "total_daily_rate_3dec",
            "total_per_day_cents",
            "stated_total",
            "matching_convention",
            "note",
            "source",
        ],
        check: late_fees::check,
        aside: Some(Aside {
            prefix: "#daycount,",
            columns: &["due", "paid", "days_counted", "rule", "source"],
            check: late_fees::check_day_count,
        }),
    },
    file("phones.csv", &["input", "e164", "valid", "type"], identity::check_phone),
    file(
        "pix_brcode.csv",
        &[
            "id",
            "authority",
            "type",
            "payload",
            "crc",
            "check",
            "poi",
            "key",
            "info",
            "url",
            "rec_url",
            "amount",
            "name",
            "city",
            "cep",
            "txid",
            "remarks",
            "source",
        ],
        br_code::check,
    ),
    file(
        "pix_cobv_validity.csv",
        &["example", "due", "validade", "adjusted_due", "pay_date", "expected", "last_day", "check"],
        pix_validity::check,
    ),
    file("webhook_signatures.csv", &["scheme", "key", "message", "expected", "check", "source"], signatures::check),
];

fn check_boleto(row: &Row) -> Checked {
    slip::check(row)?;
    bank_title::check(row)
}
