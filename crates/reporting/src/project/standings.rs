//! Where each receivable stood on which days: what a report of everybody needs, in rows that it only has to add up.
//!
//! A row is a stretch of days on which something of a receivable was open and nothing of it changed. The rows of a receivable are a
//! function of its facts (entries, due dates placed, disputes, the payer's segment) and made anew from all of them whenever a page brings one
//! more, so a fact that counts from a day long past takes its place among the stretches, and neither the order between topics nor the
//! paging is seen in them.

use super::{
    CUSTOMER_ID, INVOICE_ID, TENANT, day_number,
    entries::Entry,
    placements::Placed,
    receivables::{Payer, Receivable},
};
use chrono::NaiveDate;
use eventlog::{
    bus::Message,
    projection::{ProjectionError, TableDef, View},
};
use insight::{Contested, Mark, Moved, Stretch, stretches};
use sql::{Column, Keys, Kind, Row, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The end of a stretch that has none yet: after every day that can be asked for.
pub const FOREVER: i64 = i32::MAX as i64;

pub const STANDING: TableDef = TableDef {
    name: "standing",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        CURRENCY,
        INVOICE_ID,
        // Days since 1970: the first, and the first after it.
        Column::new("from_day", Kind::Int),
        Column::new("until_day", Kind::Int),
        // Where the due date falls that holds.
        Column::new("due_day", Kind::Int),
        // What is open and not contested, and what is contested.
        Column::new("clear_minor", Kind::Int),
        Column::new("contested_minor", Kind::Int),
        Column::new("segment", Kind::Text),
    ],
    // All columns: who goes through payers finds everything where it finds them.
    key: &[
        "tenant",
        "customer_id",
        "currency",
        "invoice_id",
        "from_day",
        "until_day",
        "due_day",
        "clear_minor",
        "contested_minor",
        "segment",
    ],
    // What stands now lies together, by due date, and before it what stood until a day. Within a day by payers, as facts come in, so that
    // a page of them meets few pages of the index.
    indexes: &[&["tenant", "until_day", "due_day", "from_day", "customer_id", "clear_minor", "contested_minor", "currency", "segment"]],
};

/// A row that whoever makes rows of a payer writes first: two processes may hold the two topics' pages of one payer.
pub const TURN: TableDef = TableDef {
    name: "standing_turn",
    columns: &[TENANT, CUSTOMER_ID, Column::new("taken", Kind::Int)],
    key: &["tenant", "customer_id"],
    indexes: &[],
};

const CURRENCY: Column = Column::new("currency", Kind::Text);
const PAYERS: &[Column] = &[TENANT, CUSTOMER_ID];
const INVOICES: &[Column] = &[TENANT, INVOICE_ID];
const STANDINGS: &[Column] = &[TENANT, CUSTOMER_ID, CURRENCY, INVOICE_ID];

/// A tenant's payer, or a tenant's invoice.
type Named = (String, String);

/// An entry, as far as stretches are made of it.
struct Fact {
    on: NaiveDate,
    version: i64,
    mark: Mark,
    currency: String,
    amount_minor: i64,
    due_on: Option<NaiveDate>,
}

fn mark(kind: &str) -> Mark {
    match kind {
        "issued" => Mark::Issued,
        "cancelled" => Mark::Cancelled,
        _ => Mark::Plain,
    }
}

/// The receivables whose stretches a page changes.
#[derive(Default)]
pub struct Touched {
    payers: BTreeSet<Named>,
    /// With what the page says of each.
    receivables: BTreeMap<Receivable, Vec<Fact>>,
}

impl Touched {
    /// Notes a payer of whom the page tells something.
    pub fn payer(&mut self, tenant: &str, customer_id: &str) {
        self.payers.insert((tenant.to_owned(), customer_id.to_owned()));
    }

    /// Notes a receivable.
    pub fn receivable(&mut self, receivable: Receivable) {
        self.payer(&receivable.tenant, &receivable.customer_id);
        self.receivables.entry(receivable).or_default();
    }

    /// Notes an entry of a receivable.
    pub fn entry(&mut self, message: &Message, entry: Entry) {
        let Entry { customer_id, invoice_id, effective_on: on, kind, currency, amount_minor, terms } = entry;
        let version = i64::try_from(message.event.version).unwrap_or(i64::MAX);
        let fact = Fact { on, version, mark: mark(kind), currency, amount_minor, due_on: terms.map(|(_, due_on)| due_on) };
        self.payer(&message.event.tenant, &customer_id);
        let receivable = Receivable { tenant: message.event.tenant.clone(), customer_id, invoice_id };
        self.receivables.entry(receivable).or_default().push(fact);
    }

    /// Waits for whoever else is at one of the payers, so that the later of two sees the facts of both. In the order of names: who waits
    /// for whom has no circle.
    pub async fn take_turn(&self, view: &mut View<'_>) -> Result<(), ProjectionError> {
        let rows = self.payers.iter().map(|(tenant, customer_id)| vec![tenant.as_str().into(), customer_id.as_str().into(), 0_i64.into()]);
        view.upsert("standing_turn", rows.collect()).await
    }

    /// Notes what stands of the payers whose segment is another than before.
    pub async fn payers_that_moved(&mut self, view: &mut View<'_>, payers: &[Payer]) -> Result<(), ProjectionError> {
        let known: BTreeSet<Named> =
            payers.iter().filter(|payer| !payer.is_new).map(|payer| (payer.tenant.clone(), payer.customer_id.clone())).collect();
        if known.is_empty() {
            return Ok(());
        }
        let before = segments(view, &known).await?;
        let is_other = |payer: &&Payer| {
            let name = (payer.tenant.clone(), payer.customer_id.clone());
            known.contains(&name) && before.get(&name).map_or("", String::as_str) != payer.segment
        };
        let moved: BTreeSet<Named> =
            payers.iter().filter(is_other).map(|payer| (payer.tenant.clone(), payer.customer_id.clone())).collect();
        let text = "SELECT s.tenant, s.customer_id, s.invoice_id FROM {keys} k CROSS JOIN {standing} s \
                    WHERE s.tenant = k.tenant AND s.customer_id = k.customer_id";
        for row in keyed(view, text, PAYERS, &moved).await? {
            let (tenant, customer_id) = (row.text("tenant")?, row.text("customer_id")?);
            self.receivable(Receivable { tenant, customer_id, invoice_id: row.text("invoice_id")? });
        }
        Ok(())
    }

    /// Notes the receivables whose due date falls on another day than it did before. Most fall where they are, and nobody thought otherwise.
    pub async fn due_dates_that_moved(&mut self, view: &mut View<'_>, placed: &[Placed]) -> Result<(), ProjectionError> {
        let names: BTreeSet<Named> = placed.iter().map(|placed| invoice(&placed.receivable)).collect();
        let before = placements(view, &names).await?;
        for one in placed {
            let known = before.get(&invoice(&one.receivable)).into_iter().flatten();
            let fell_elsewhere = known.copied().any(|(due_on, effective)| due_on == one.due_on && effective != one.effective_due);
            if fell_elsewhere || one.effective_due != one.due_on {
                self.receivable(one.receivable.clone());
            }
        }
        Ok(())
    }

    /// Makes the rows of every receivable noted, from facts that are written.
    pub async fn renew(mut self, view: &mut View<'_>) -> Result<(), ProjectionError> {
        if self.receivables.is_empty() {
            return Ok(());
        }
        let stood = self.read_older_entries(view).await?;
        let names: BTreeSet<Named> = self.receivables.keys().map(invoice).collect();
        let (placements, contested) = (placements(view, &names).await?, contested(view, &names).await?);
        let segments = segments(view, &self.payers).await?;
        let mut rows = Vec::new();
        for (receivable, facts) in &self.receivables {
            let (Some(fact), name) = (facts.first(), invoice(receivable)) else { continue };
            let places = placements.get(&name).map_or(&[][..], Vec::as_slice);
            let moved: Vec<Moved> = facts.iter().map(|fact| fact.placed(places)).collect();
            let segment = segments.get(&(receivable.tenant.clone(), receivable.customer_id.clone())).map_or("", String::as_str);
            let found = stretches(&moved, contested.get(&name).map_or(&[][..], Vec::as_slice));
            rows.extend(found.iter().map(|stretch| row(receivable, (&fact.currency, segment), stretch)));
        }
        view.delete("standing", Keys { columns: STANDINGS, rows: stood }).await?;
        view.insert_missing("standing", rows).await
    }

    /// Reads all entries of receivables that were issued before this page, and tells which may have rows. What is issued in the page has
    /// all its entries there: those of a payer come in order.
    async fn read_older_entries(&mut self, view: &mut View<'_>) -> Result<Vec<Vec<Value>>, ProjectionError> {
        let is_older = |facts: &[Fact]| facts.iter().all(|fact| fact.mark != Mark::Issued);
        let older = self.receivables.iter_mut().filter(|(_, facts)| is_older(facts));
        let mut of_invoice: HashMap<Named, (&Receivable, &mut Vec<Fact>)> = HashMap::new();
        for (receivable, facts) in older {
            facts.clear();
            of_invoice.insert(invoice(receivable), (receivable, facts));
        }
        let names: BTreeSet<Named> = of_invoice.keys().cloned().collect();
        let text = "SELECT e.tenant, e.invoice_id, e.version, e.effective_on, e.kind, e.currency, e.amount_minor, e.due_on \
                    FROM {keys} k CROSS JOIN {ledger_entry} e WHERE e.tenant = k.tenant AND e.invoice_id = k.invoice_id";
        for row in keyed(view, text, INVOICES, &names).await? {
            if let Some((_, facts)) = of_invoice.get_mut(&(row.text("tenant")?, row.text("invoice_id")?)) {
                facts.push(Fact::read(&row)?);
            }
        }
        let stood = of_invoice.into_values().filter_map(|(receivable, facts)| {
            let Receivable { tenant, customer_id, invoice_id } = receivable;
            let currency = facts.first()?.currency.as_str();
            Some(vec![tenant.as_str().into(), customer_id.as_str().into(), currency.into(), invoice_id.as_str().into()])
        });
        Ok(stood.collect())
    }
}

impl Fact {
    fn read(row: &Row) -> Result<Self, ProjectionError> {
        Ok(Self {
            on: row.date("effective_on")?,
            version: row.int("version")?,
            mark: mark(&row.text("kind")?),
            currency: row.text("currency")?,
            amount_minor: row.int("amount_minor")?,
            due_on: row.opt_date("due_on")?,
        })
    }

    /// With its due date where it falls; one that nobody placed stands for itself.
    fn placed(&self, places: &[(NaiveDate, NaiveDate)]) -> Moved {
        let falls = |due_on: NaiveDate| places.iter().find(|(on, _)| *on == due_on).map_or(due_on, |(_, effective)| *effective);
        let Self { on, version, mark, amount_minor, due_on, .. } = *self;
        Moved { on, version, mark, amount_minor, due: due_on.map(falls) }
    }
}

fn invoice(receivable: &Receivable) -> Named {
    (receivable.tenant.clone(), receivable.invoice_id.clone())
}

fn row(receivable: &Receivable, (currency, segment): (&str, &str), stretch: &Stretch) -> Vec<Value> {
    let Receivable { tenant, customer_id, invoice_id } = receivable;
    vec![
        tenant.as_str().into(),
        customer_id.as_str().into(),
        currency.into(),
        invoice_id.as_str().into(),
        day_number(stretch.from).into(),
        stretch.until.map_or(FOREVER, day_number).into(),
        day_number(stretch.due).into(),
        (stretch.open_minor - stretch.contested_minor).into(),
        stretch.contested_minor.into(),
        segment.into(),
    ]
}

async fn keyed(view: &mut View<'_>, text: &str, columns: &[Column], names: &BTreeSet<Named>) -> Result<Vec<Row>, ProjectionError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = names.iter().map(|(tenant, name)| vec![tenant.as_str().into(), name.as_str().into()]).collect();
    view.query_keyed(text, Keys { columns, rows }, &[]).await
}

async fn segments(view: &mut View<'_>, payers: &BTreeSet<Named>) -> Result<HashMap<Named, String>, ProjectionError> {
    let text = "SELECT p.tenant, p.customer_id, p.segment FROM {keys} k CROSS JOIN {payer} p \
                WHERE p.tenant = k.tenant AND p.customer_id = k.customer_id";
    let rows = keyed(view, text, PAYERS, payers).await?;
    rows.iter().map(|row| Ok(((row.text("tenant")?, row.text("customer_id")?), row.text("segment")?))).collect()
}

/// Due dates of invoices, and where each falls.
async fn placements(view: &mut View<'_>, names: &BTreeSet<Named>) -> Result<HashMap<Named, Vec<(NaiveDate, NaiveDate)>>, ProjectionError> {
    let text = "SELECT p.tenant, p.invoice_id, p.due_on, p.effective_due FROM {keys} k CROSS JOIN {placement} p \
                WHERE p.tenant = k.tenant AND p.invoice_id = k.invoice_id";
    let mut found: HashMap<Named, Vec<_>> = HashMap::new();
    for row in keyed(view, text, INVOICES, names).await? {
        let name = (row.text("tenant")?, row.text("invoice_id")?);
        found.entry(name).or_default().push((row.date("due_on")?, row.date("effective_due")?));
    }
    Ok(found)
}

/// What is and was contested of invoices.
async fn contested(view: &mut View<'_>, names: &BTreeSet<Named>) -> Result<HashMap<Named, Vec<Contested>>, ProjectionError> {
    let text = "SELECT d.tenant, d.invoice_id, d.arrangement_id, d.amount_minor, d.opened_on FROM {keys} k CROSS JOIN {dispute} d \
                WHERE d.tenant = k.tenant AND d.invoice_id = k.invoice_id";
    let opened = keyed(view, text, INVOICES, names).await?;
    let mut disputed = BTreeSet::new();
    for row in &opened {
        disputed.insert((row.text("tenant")?, row.text("invoice_id")?));
    }
    let text = "SELECT f.tenant, f.invoice_id, f.arrangement_id, f.ended_on FROM {keys} k CROSS JOIN {dispute_end} f \
                WHERE f.tenant = k.tenant AND f.invoice_id = k.invoice_id";
    let mut ends = HashMap::new();
    for row in keyed(view, text, INVOICES, &disputed).await? {
        ends.insert((row.text("tenant")?, row.text("invoice_id")?, row.text("arrangement_id")?), row.date("ended_on")?);
    }
    let mut found: HashMap<Named, Vec<Contested>> = HashMap::new();
    for row in &opened {
        let (tenant, invoice_id) = (row.text("tenant")?, row.text("invoice_id")?);
        let until = ends.get(&(tenant.clone(), invoice_id.clone(), row.text("arrangement_id")?)).copied();
        let part = Contested { from: row.date("opened_on")?, until, amount_minor: row.int("amount_minor")? };
        found.entry((tenant, invoice_id)).or_default().push(part);
    }
    Ok(found)
}
