//! What a pasted line or bar code says.

use super::super::{DONE, FOUND};
use super::fields::{self, Field};
use crate::output::{Format, Table};
use brazil::NaiveDate;
use brazil::boleto::{Arrecadacao, Boleto, Faults, Slip, parse};
use eventlog::Clock;
use host::clock::SystemClock;
use kernel::Zone;
use serde_json::json;

pub fn run(text: &str, today: Option<NaiveDate>, format: Format) -> anyhow::Result<u8> {
    match parse(text) {
        Err(faults) => {
            faults_table(&faults).print(format)?;
            Ok(FOUND)
        }
        Ok(Slip::Arrecadacao(slip)) => fields::print(&arrecadacao(&slip), format).map(|()| DONE),
        Ok(Slip::Bank(slip)) => {
            let today = today.unwrap_or_else(|| Zone::SAO_PAULO.day_of(SystemClock.now()));
            let (fields, sure) = boleto(&slip, today);
            fields::print(&fields, format)?;
            Ok(if sure { DONE } else { FOUND })
        }
    }
}

/// Its fields, and whether its due date is sure.
fn boleto(slip: &Boleto, today: NaiveDate) -> (Vec<Field>, bool) {
    let due = slip.due_date(today);
    let number = slip.nosso_numero();
    let fields = vec![
        ("kind", json!("boleto")),
        ("bank", json!(format!("{:03}", slip.bank()))),
        ("line", json!(slip.printed_line())),
        ("barcode", json!(slip.barcode())),
        ("amount_minor", json!(slip.amount_cents())),
        ("due_factor", json!(slip.factor())),
        ("due_date", json!(due.ok().flatten().map(|day| day.to_string()))),
        ("due_date_fault", json!(due.err().map(|fault| json!({ "slug": fault.slug(), "reason": fault.to_string() })))),
        ("nosso_numero", json!(number.as_ref().map(|number| number.number.as_str()))),
        ("nosso_numero_check", json!(number.as_ref().and_then(|number| number.check))),
        ("campo_livre", json!(slip.campo_livre())),
    ];
    (fields, due.is_ok())
}

fn arrecadacao(slip: &Arrecadacao) -> Vec<Field> {
    vec![
        ("kind", json!("arrecadacao")),
        ("segment", json!(slip.segment().digit())),
        ("value_kind", json!(slip.value_kind().digit())),
        ("line", json!(slip.printed_line())),
        ("barcode", json!(slip.barcode())),
        ("amount_minor", json!(slip.amount_cents())),
        ("company", json!(slip.company())),
        ("free_field", json!(slip.free_field())),
        ("due_date_hint", json!(slip.due_date_hint().map(|day| day.to_string()))),
    ]
}

fn faults_table(faults: &Faults) -> Table {
    let mut table = Table::new("Faults", &["slug", "reason"]);
    for fault in faults.all() {
        table.row(vec![fault.slug().into(), fault.to_string().into()]);
    }
    table
}
