//! Topics `regua.invoice.v1` and `regua.dunning.v1` → payers, what moved the balances of their receivables, what was contested of them and
//! where their due dates fall; and of all that where each receivable stood on which days.

use super::{
    CUSTOMER_ID, TENANT, disputes, entries, payload,
    placements::{self, Placed},
    standings::{self, Touched},
};
use async_trait::async_trait;
use contracts::invoice::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind, Value};

/// Payers and their receivables.
pub struct ReceivableTables;

const PAYER: TableDef = TableDef {
    name: "payer",
    columns: &[TENANT, CUSTOMER_ID, Column::new("segment", Kind::Text), Column::new("state", Kind::Text)],
    key: &["tenant", "customer_id"],
    indexes: &[],
};

/// A receivable by its names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receivable {
    pub tenant: String,
    pub customer_id: String,
    pub invoice_id: String,
}

impl Projection for ReceivableTables {
    fn name(&self) -> &'static str {
        "reporting-receivables"
    }

    fn version(&self) -> u32 {
        // 2 of the tables that came to it from other projections were theirs; 4 orders an index anew; 5 keeps a standing once.
        5
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.invoice.v1", "regua.dunning.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[PAYER, entries::ENTRY, placements::PLACEMENT, disputes::DISPUTE, disputes::DISPUTE_END, standings::TURN, standings::STANDING]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut rows = Rows::default();
        for message in page {
            rows.add(message)?;
        }
        Ok(Box::new(rows))
    }
}

/// What an event says of a payer.
pub struct Payer {
    pub tenant: String,
    pub customer_id: String,
    pub segment: String,
    state: String,
    /// Nothing of the payer was told before.
    pub is_new: bool,
}

impl Payer {
    fn of(message: &Message, customer_id: String, attributes: Option<proto::CustomerAttributes>) -> Self {
        let proto::CustomerAttributes { segment, state, .. } = attributes.unwrap_or_default();
        Self { tenant: message.event.tenant.clone(), customer_id, segment, state, is_new: message.event.version == 1 }
    }

    fn row(self) -> Vec<Value> {
        vec![self.tenant.into(), self.customer_id.into(), self.segment.into(), self.state.into()]
    }
}

/// The facts of a page.
#[derive(Default)]
struct Rows {
    payers: Vec<Payer>,
    entries: Vec<Vec<Value>>,
    placed: Vec<Placed>,
    opened: Vec<Vec<Value>>,
    ended: Vec<Vec<Value>>,
    touched: Touched,
}

#[async_trait]
impl Change for Rows {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        let Self { payers, entries, placed, opened, ended, mut touched } = *self;
        touched.take_turn(view).await?;
        // Before the page is written: what it changes is told by what stood there.
        touched.payers_that_moved(view, &payers).await?;
        touched.due_dates_that_moved(view, &placed).await?;
        view.upsert("payer", payers.into_iter().map(Payer::row).collect()).await?;
        view.insert_missing("ledger_entry", entries).await?;
        view.upsert("placement", placed.iter().map(Placed::row).collect()).await?;
        view.upsert("dispute", opened).await?;
        view.upsert("dispute_end", ended).await?;
        touched.renew(view).await
    }
}

impl Rows {
    fn add(&mut self, message: &Message) -> Result<(), ProjectionError> {
        if message.topic == "regua.dunning.v1" {
            return self.add_of_dunning(message);
        }
        match message.event.event_type.as_str() {
            "CustomerRegistered" => {
                let m: proto::CustomerRegistered = payload(message)?;
                self.add_payer(Payer::of(message, m.customer_id, m.attributes));
            }
            "CustomerAmended" => {
                let m: proto::CustomerAmended = payload(message)?;
                self.add_payer(Payer::of(message, m.customer_id, m.attributes));
            }
            _ => {
                if let Some(entry) = entries::entry(message)? {
                    self.entries.push(entries::entry_row(message, &entry));
                    self.touched.entry(message, entry);
                }
            }
        }
        Ok(())
    }

    fn add_payer(&mut self, payer: Payer) {
        self.touched.payer(&payer.tenant, &payer.customer_id);
        self.payers.push(payer);
    }

    fn add_of_dunning(&mut self, message: &Message) -> Result<(), ProjectionError> {
        if let Some(placed) = placements::placed(message)? {
            self.touched.payer(&placed.receivable.tenant, &placed.receivable.customer_id);
            self.placed.push(placed);
        }
        if let Some((receivable, row)) = disputes::opened(message)? {
            self.touched.receivable(receivable);
            self.opened.push(row);
        }
        if let Some((receivable, row)) = disputes::ended(message)? {
            self.touched.receivable(receivable);
            self.ended.push(row);
        }
        Ok(())
    }
}
