//! Instruments → a table: which invoice a boleto number or a Pix id belongs to.

use super::{CUSTOMER_ID, INVOICE_ID, TENANT};
use crate::wire::{self, Fact};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use receivable::Event;
use sql::{Column, Kind, Value};

/// Instruments as a table.
pub struct InstrumentTables;

/// A boleto by its bank number.
pub const BOLETO: &str = "boleto";
/// A Pix by its id.
pub const PIX: &str = "pix";

const INSTRUMENT: TableDef = TableDef {
    name: "instrument",
    columns: &[
        TENANT,
        // `boleto` or `pix`.
        Column::new("kind", Kind::Text),
        Column::new("account_id", Kind::Text),
        // The bank's number without zeros on the left and without check digit; the id of a Pix.
        Column::new("number", Kind::Text),
        INVOICE_ID,
        CUSTOMER_ID,
        // 44 digits as they are now; empty for a Pix.
        Column::new("bar_code", Kind::Text),
    ],
    key: &["tenant", "kind", "account_id", "number"],
    indexes: &[&["tenant", "number"], &["tenant", "invoice_id"]],
};

impl Projection for InstrumentTables {
    fn name(&self) -> &'static str {
        "invoice-instruments"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[INSTRUMENT]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut rows = Vec::new();
        for message in page.iter().filter(|message| message.event.event_type == wire::INSTRUMENTS_ASSIGNED) {
            let decoded = wire::decode(&message.event.event_type, &message.event.payload);
            let fact = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))?;
            rows.extend(fact.iter().flat_map(|fact| instrument_rows(&message.event.tenant, fact)));
        }
        Ok(Box::new(Assigned(rows)))
    }
}

/// Rows of `instrument`.
struct Assigned(Vec<Vec<Value>>);

#[async_trait]
impl Change for Assigned {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        view.upsert("instrument", self.0).await
    }
}

fn instrument_rows(tenant: &str, fact: &Fact) -> Vec<Vec<Value>> {
    let Event::InstrumentsAssigned(assigned) = &fact.event else { return Vec::new() };
    let row = |kind: &str, number: &str, bar_code: String| -> Vec<Value> {
        vec![
            tenant.into(),
            kind.into(),
            assigned.instruments.account_id.as_str().into(),
            number.into(),
            assigned.invoice_id.as_str().into(),
            fact.customer_id.as_str().into(),
            bar_code.into(),
        ]
    };
    let slip = assigned.instruments.boleto.as_ref();
    let boleto = slip.map(|slip| row(BOLETO, slip.look_up_number(), slip.boleto.barcode()));
    let pix = assigned.instruments.txid.as_ref().map(|txid| row(PIX, txid.as_str(), String::new()));
    boleto.into_iter().chain(pix).collect()
}
