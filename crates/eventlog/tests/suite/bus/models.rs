//! Read models for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use eventlog::bus::Message;
use eventlog::projection::{Change, Projection, ProjectionError, Projections, TableDef, View, Views};
use sql::{Column, Keys, Kind, SqlError, Value};

use super::world::{MIRROR, NUMBERS, number_of};

const COLUMNS: &[Column] = &[
    Column::new("stream", Kind::Text),
    Column::new("total", Kind::Int),
    Column::new("events", Kind::Int),
    Column::optional("last_on", Kind::Instant),
];
const TOTALS: TableDef = TableDef { name: "totals", columns: COLUMNS, key: &["stream"], indexes: &[&["total"]] };
const OWN_TOTALS: TableDef = TableDef { name: "own_totals", ..TOTALS };

/// Sum and number of events per stream. Reads before it writes, as most models do.
pub struct Totals {
    pub version: u32,
    /// Later versions count in another unit.
    pub factor: i64,
    /// How many times it fails before it works.
    pub failures: Arc<AtomicU32>,
    /// A number that it can never apply, and how that shows.
    pub unlucky: Option<(i64, Fault)>,
}

/// How a model fails at a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Unreadable,
    PanicsWhenRead,
    Unwritable,
    PanicsWhenWritten,
    /// Its process will die there.
    HangsWhenWritten,
}

impl Default for Totals {
    fn default() -> Self {
        Totals { version: 1, factor: 1, failures: Arc::default(), unlucky: None }
    }
}

impl Projection for Totals {
    fn name(&self) -> &'static str {
        "totals"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn sources(&self) -> &'static [&'static str] {
        &[NUMBERS]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[TOTALS]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let is_unlucky = |message: &&&Message| self.unlucky.is_some_and(|(number, _)| Some(number) == message_number(message));
        let poison = page.iter().find(is_unlucky).map(|message| ProjectionError::poison(message, "unlucky"));
        let fault = poison.clone().and(self.unlucky).map(|(_, fault)| fault);
        assert_ne!(fault, Some(Fault::PanicsWhenRead), "for a test");
        if let Some(poison) = poison.clone().filter(|_| fault == Some(Fault::Unreadable)) {
            return Err(poison);
        }
        let added = added(page, ("NumberAdded", self.factor));
        Ok(Box::new(Sums { table: "totals", added, failures: Arc::clone(&self.failures), poison: poison.zip(fault) }))
    }

    fn knows(&self, _topic: &str, event_type: &str) -> bool {
        event_type == "NumberAdded"
    }
}

fn message_number(message: &Message) -> Option<i64> {
    (message.event.event_type == "NumberAdded").then(|| number_of(message))
}

/// The same over the mirror's own log.
pub struct OwnTotals;

impl Projection for OwnTotals {
    fn name(&self) -> &'static str {
        "own_totals"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[MIRROR]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[OWN_TOTALS]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        Ok(Box::new(Sums { table: "own_totals", added: added(page, ("Added", 1)), failures: Arc::default(), poison: None }))
    }
}

/// Stream, number and when.
type Added = (String, i64, Value);

fn added(page: &[&Message], (event_type, factor): (&str, i64)) -> Vec<Added> {
    let wanted = page.iter().filter(|message| message.event.event_type == event_type);
    wanted.map(|message| (message.event.stream.clone(), number_of(message) * factor, Some(message.event.recorded_at).into())).collect()
}

struct Sums {
    table: &'static str,
    added: Vec<Added>,
    failures: Arc<AtomicU32>,
    poison: Option<(ProjectionError, Fault)>,
}

#[async_trait::async_trait]
impl Change for Sums {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        add_up(view, self.table, self.added).await?;
        // After the rows are written: all of it must vanish.
        if let Some((poison, fault)) = self.poison {
            assert_ne!(fault, Fault::PanicsWhenWritten, "for a test");
            if fault == Fault::HangsWhenWritten {
                std::future::pending::<()>().await;
            }
            return Err(poison);
        }
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(SqlError::Unavailable("for a test".into()).into());
        }
        Ok(())
    }
}

async fn add_up(view: &mut View<'_>, table: &str, added: Vec<Added>) -> Result<(), ProjectionError> {
    let rows = added.iter().map(|(stream, ..)| vec![Value::from(stream.as_str())]).collect();
    let keys = Keys { columns: &[Column::new("stream", Kind::Text)], rows };
    let sql = format!("SELECT DISTINCT t.stream, t.total, t.events FROM {{keys}} k CROSS JOIN {{{table}}} t WHERE t.stream = k.stream");
    let mut sums: BTreeMap<String, (i64, i64, Option<Value>)> = BTreeMap::new();
    for row in view.query_keyed(&sql, keys, &[]).await? {
        sums.insert(row.text("stream")?, (row.int("total")?, row.int("events")?, None));
    }
    for (stream, number, at) in added {
        let sum = sums.entry(stream).or_insert((0, 0, None));
        sum.0 += number;
        sum.1 += 1;
        sum.2 = Some(at);
    }
    let row = |(stream, (total, events, last)): (String, (i64, i64, Option<Value>))| {
        vec![stream.into(), total.into(), events.into(), last.unwrap_or(Value::OptInstant(None))]
    };
    view.upsert(table, sums.into_iter().map(row).collect()).await
}

/// `"a=3/2"`: stream, total and events, as readers see them now.
pub async fn totals(models: &Projections) -> Vec<String> {
    sums(models, "totals").await
}

pub async fn own_totals(models: &Projections) -> Vec<String> {
    sums(models, "own_totals").await
}

async fn sums(models: &Projections, table: &str) -> Vec<String> {
    let views = Views::of(vec![models.clone()]);
    let sql = format!("SELECT stream, total, events FROM {{{table}}} ORDER BY stream");
    let rows = views.query(&sql, &[]).await.unwrap();
    let line = |row: &sql::Row| format!("{}={}/{}", row.text("stream").unwrap(), row.int("total").unwrap(), row.int("events").unwrap());
    rows.iter().map(line).collect()
}
