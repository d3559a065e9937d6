//! Read models for tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use eventlog::bus::Message;
use eventlog::projection::{Projection, ProjectionError, Projections, TableDef, View, Views};
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
    pub failures: AtomicU32,
    /// A number that it can never apply.
    pub unlucky: Option<i64>,
}

impl Default for Totals {
    fn default() -> Self {
        Totals { version: 1, factor: 1, failures: AtomicU32::new(0), unlucky: None }
    }
}

#[async_trait::async_trait]
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

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        add_up(view, page, "totals", ("NumberAdded", self.factor)).await?;
        if let Some(message) = page.iter().find(|message| self.unlucky.is_some() && self.unlucky == message_number(message)) {
            return Err(ProjectionError::poison(message, "unlucky"));
        }
        // After the rows are written: all of it must vanish.
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(SqlError::Unavailable("for a test".into()).into());
        }
        Ok(())
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

#[async_trait::async_trait]
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

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        add_up(view, page, "own_totals", ("Added", 1)).await
    }
}

async fn add_up(view: &mut View<'_>, page: &[Message], table: &str, what: (&str, i64)) -> Result<(), ProjectionError> {
    let (event_type, factor) = what;
    let wanted: Vec<&Message> = page.iter().filter(|message| message.event.event_type == event_type).collect();
    let rows = wanted.iter().map(|message| vec![Value::from(message.event.stream.as_str())]).collect();
    let keys = Keys { columns: &[Column::new("stream", Kind::Text)], rows };
    let sql = format!("SELECT DISTINCT t.stream, t.total, t.events FROM {{keys}} k CROSS JOIN {{{table}}} t WHERE t.stream = k.stream");
    let mut sums: BTreeMap<String, (i64, i64, Option<Value>)> = BTreeMap::new();
    for row in view.query_keyed(&sql, keys, &[]).await? {
        sums.insert(row.text("stream")?, (row.int("total")?, row.int("events")?, None));
    }
    for message in wanted {
        let sum = sums.entry(message.event.stream.clone()).or_insert((0, 0, None));
        sum.0 += number_of(message) * factor;
        sum.1 += 1;
        sum.2 = Some(Some(message.event.recorded_at).into());
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
