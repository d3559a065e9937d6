//! Rows of `listing`: entries at bureaus and protest offices, one for each occurrence that asked for one.

use super::table::{CUSTOMER_ID, CYCLE, INVOICE_ID, OCCURRENCE, REASON, STEP_ID, TENANT};
use crate::{listings::EntryKey, wire};
use async_trait::async_trait;
use chrono::NaiveDate;
use eventlog::bus::Message;
use eventlog::projection::{Change, Projection, ProjectionError, TableDef, View};
use ladder::listing::{Alarm, Cause, Event, Listing, Obligation, Opened, Stage, evolve};
use sql::{Column, Kind, Row, Value};
use std::collections::BTreeMap;

const LISTING: TableDef = TableDef {
    name: "listing",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        INVOICE_ID,
        CYCLE,
        STEP_ID,
        OCCURRENCE,
        Column::new("kind", Kind::Text),
        Column::new("phase", Kind::Text),
        Column::new("amount_minor", Kind::Int),
        Column::new("currency", Kind::Text),
        Column::new("due_on", Kind::Date),
        Column::new("requested_on", Kind::Date),
        Column::optional("notice_delivered_on", Kind::Date),
        // How far the two commands are.
        Column::new("inclusion", Kind::Text),
        Column::new("removal", Kind::Text),
        Column::new("withdrawn", Kind::Int),
        // Empty where it need not leave.
        Column::new("cause", Kind::Text),
        Column::optional("since", Kind::Date),
        Column::optional("alarm_on", Kind::Date),
        Column::optional("until", Kind::Date),
        Column::new("alarm", Kind::Text),
        REASON,
        Column::new("reference", Kind::Text),
    ],
    key: &["tenant", "customer_id", "invoice_id", "cycle", "step_id", "occurrence"],
    indexes: &[&["phase"]],
};

/// Entries as a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListingTable;

impl Projection for ListingTable {
    fn name(&self) -> &'static str {
        "dunning-listings"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[LISTING]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut told = Vec::new();
        for message in page {
            let Some(key) = EntryKey::of_stream(&message.event.stream) else { continue };
            let decoded = wire::decode_listing(&message.event.event_type, &message.event.payload);
            let Some(event) = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))? else { continue };
            told.push((key, event));
        }
        Ok(Box::new(Told(told)))
    }
}

/// What a page tells of entries.
struct Told(Vec<(EntryKey, Event)>);

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        let mut rows: BTreeMap<EntryKey, Entry> = BTreeMap::new();
        for (key, event) in self.0 {
            let mut entry = match rows.remove(&key) {
                Some(entry) => entry,
                None => stored(view, &key).await?,
            };
            entry.hear(event);
            rows.insert(key, entry);
        }
        view.upsert("listing", rows.into_iter().filter_map(|(key, entry)| entry.values(key)).collect()).await
    }
}

/// An entry as it is stored: without the instants, which no phase depends on.
#[derive(Default)]
struct Entry {
    listing: Listing,
    reference: String,
}

async fn stored(view: &mut View<'_>, key: &EntryKey) -> Result<Entry, ProjectionError> {
    let text = "SELECT * FROM {listing} WHERE tenant = $1 AND customer_id = $2 AND invoice_id = $3 AND cycle = $4 AND step_id = $5 \
                AND occurrence = $6";
    let args = [
        key.tenant.as_str().into(),
        key.customer_id.as_str().into(),
        key.invoice_id.as_str().into(),
        key.cycle.into(),
        key.step_id.as_str().into(),
        key.occurrence.into(),
    ];
    let found = view.query(text, &args).await?;
    Ok(found.first().map(|row| read(row, key)).transpose()?.flatten().unwrap_or_default())
}

fn read(row: &Row, key: &EntryKey) -> Result<Option<Entry>, ProjectionError> {
    let stage = |column: &str| row.text(column).map(|slug| Stage::named(&slug).unwrap_or_default());
    let (Some(kind), Some(currency)) = (ladder::listing::Kind::named(&row.text("kind")?), kernel::Currency::new(&row.text("currency")?))
    else {
        return Ok(None);
    };
    let opened = Opened {
        customer_id: key.customer_id.clone(),
        invoice_id: key.invoice_id.clone(),
        cycle: key.cycle,
        step_id: key.step_id.clone(),
        occurrence: key.occurrence,
        kind,
        amount_minor: row.int("amount_minor")?,
        currency,
        due_on: row.date("due_on")?,
        day: row.date("requested_on")?,
        notice_step: None,
        notice_contact: None,
        notice_delivered_on: row.opt_date("notice_delivered_on")?,
    };
    let days = (row.opt_date("since")?, row.opt_date("alarm_on")?, row.opt_date("until")?);
    let obligation = match (Cause::named(&row.text("cause")?), days) {
        (Some(cause), (Some(since), Some(alarm_on), Some(until))) => Some(Obligation { cause, since, alarm_on, until }),
        _ => None,
    };
    let listing = Listing {
        opened: Some(opened),
        inclusion: stage("inclusion")?,
        removal: stage("removal")?,
        obligation,
        withdrawn: row.int("withdrawn")? != 0,
        alarm: Alarm::named(&row.text("alarm")?),
        reason: row.text("reason")?,
        ..Listing::default()
    };
    Ok(Some(Entry { listing, reference: row.text("reference")? }))
}

impl Entry {
    fn hear(&mut self, event: Event) {
        if let Event::Answered { reference, .. } = &event
            && !reference.is_empty()
        {
            self.reference.clone_from(reference);
        }
        self.listing = evolve(std::mem::take(&mut self.listing), &event);
    }

    /// `None` of a stream that does not begin with its request.
    fn values(self, key: EntryKey) -> Option<Vec<Value>> {
        let phase = self.listing.phase()?;
        let opened = self.listing.opened?;
        let of_obligation = |day: fn(&Obligation) -> NaiveDate| self.listing.obligation.as_ref().map(day);
        let cause = self.listing.obligation.as_ref().map(|obligation| obligation.cause.slug()).unwrap_or_default();
        Some(vec![
            key.tenant.as_str().into(),
            key.customer_id.as_str().into(),
            key.invoice_id.as_str().into(),
            key.cycle.into(),
            key.step_id.as_str().into(),
            key.occurrence.into(),
            opened.kind.slug().into(),
            phase.slug().into(),
            opened.amount_minor.into(),
            opened.currency.as_str().into(),
            opened.due_on.into(),
            opened.day.into(),
            opened.notice_delivered_on.into(),
            self.listing.inclusion.slug().into(),
            self.listing.removal.slug().into(),
            i64::from(self.listing.withdrawn).into(),
            cause.into(),
            of_obligation(|obligation| obligation.since).into(),
            of_obligation(|obligation| obligation.alarm_on).into(),
            of_obligation(|obligation| obligation.until).into(),
            self.listing.alarm.map(Alarm::slug).unwrap_or_default().into(),
            self.listing.reason.into(),
            self.reference.into(),
        ])
    }
}
