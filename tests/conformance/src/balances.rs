//! The read model of the suite: sum, number of entries and last version of every account.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use eventlog::bus::Message;
use eventlog::projection::{Change, Projection, ProjectionError, Projections, TableDef, View, Views};
use sql::{Column, Keys, Kind, SqlError};

use crate::account::{BOOKED, amount_of};
use crate::faults::{Spot, Switchboard};
use crate::world::{BANK, MIRROR};

const COLUMNS: &[Column] = &[
    Column::new("account", Kind::Text),
    Column::new("balance", Kind::Int),
    Column::new("entries", Kind::Int),
    Column::new("version", Kind::Int),
];
const KEY: &[Column] = &[Column::new("account", Kind::Text)];
const BALANCES: TableDef = TableDef { name: "balances", columns: COLUMNS, key: &["account"], indexes: &[&["balance"]] };
const OWN_BALANCES: TableDef = TableDef { name: "own_balances", ..BALANCES };

/// A line of the read model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) balance: i64,
    pub(crate) entries: u64,
    /// The last version of the stream that held an amount.
    pub(crate) version: u64,
}

/// The read model over a topic. It reads its rows and writes them back, so that nothing makes a second application harmless.
pub(crate) struct Balances {
    table: &'static [TableDef],
    source: &'static [&'static str],
    event_type: &'static str,
    faults: Arc<Switchboard>,
}

impl Balances {
    /// Over what the bank publishes.
    pub(crate) fn of_the_bank(faults: &Arc<Switchboard>) -> Arc<dyn Projection> {
        Arc::new(Balances { table: &[BALANCES], source: &[BANK], event_type: BOOKED, faults: faults.clone() })
    }

    /// Over the log of the service that keeps it.
    pub(crate) fn own(faults: &Arc<Switchboard>) -> Arc<dyn Projection> {
        Arc::new(Balances { table: &[OWN_BALANCES], source: &[MIRROR], event_type: "Paid", faults: faults.clone() })
    }
}

impl Projection for Balances {
    fn name(&self) -> &'static str {
        self.table[0].name
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        self.source
    }

    fn tables(&self) -> &'static [TableDef] {
        self.table
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut booked = Vec::new();
        for message in page.iter().filter(|message| self.knows("", &message.event.event_type)) {
            let amount = amount_of(&message.event.payload).map_err(|error| ProjectionError::poison(message, error.to_string()))?;
            booked.push((message.event.stream.clone(), amount, message.event.version));
        }
        Ok(Box::new(Bookings { table: self.table[0].name, booked, faults: Arc::clone(&self.faults) }))
    }

    fn knows(&self, _topic: &str, event_type: &str) -> bool {
        event_type == self.event_type
    }
}

/// The bookings of a page.
struct Bookings {
    table: &'static str,
    /// Account, amount and version.
    booked: Vec<(String, i64, u64)>,
    faults: Arc<Switchboard>,
}

#[async_trait::async_trait]
impl Change for Bookings {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        let mut lines = stored(view, self.table, &self.booked).await?;
        for (account, amount, version) in self.booked {
            let line = lines.entry(account).or_default();
            *line = Line { balance: line.balance + amount, entries: line.entries + 1, version: line.version.max(version) };
        }
        let row = |(account, line): (String, Line)| {
            vec![account.into(), line.balance.into(), (line.entries as i64).into(), (line.version as i64).into()]
        };
        view.upsert(self.table, lines.into_iter().map(row).collect()).await?;
        self.faults.pass(Spot::Applied).await.map_err(|fault| SqlError::Unavailable(fault).into())
    }
}

async fn stored(view: &mut View<'_>, table: &str, booked: &[(String, i64, u64)]) -> Result<BTreeMap<String, Line>, ProjectionError> {
    let rows = booked.iter().map(|(account, ..)| vec![account.as_str().into()]).collect();
    let sql = format!("SELECT DISTINCT t.* FROM {{keys}} k CROSS JOIN {{{table}}} t WHERE t.account = k.account");
    let rows = view.query_keyed(&sql, Keys { columns: KEY, rows }, &[]).await?;
    Ok(rows.iter().map(line_of).collect::<Result<_, _>>()?)
}

fn line_of(row: &sql::Row) -> Result<(String, Line), SqlError> {
    let line =
        Line { balance: row.int("balance")?, entries: row.int("entries")?.unsigned_abs(), version: row.int("version")?.unsigned_abs() };
    Ok((row.text("account")?, line))
}

/// The lines of the model as readers see them.
pub(crate) async fn lines(models: &Projections, table: &str) -> Result<BTreeMap<String, Line>> {
    let rows = Views::of(vec![models.clone()]).query(&format!("SELECT * FROM {{{table}}}"), &[]).await?;
    Ok(rows.iter().map(line_of).collect::<Result<_, _>>()?)
}
