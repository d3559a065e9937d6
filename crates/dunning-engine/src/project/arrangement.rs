//! Rows of `arrangement`: holds, disputes, promises and announced payments, one for each debt that they are about.

use super::{Fact, ProjectionError, View, rows::Rows, track};
use chrono::NaiveDate;
use ladder::{
    Event,
    arrangement::{Arrangement, ArrangementTerms},
};
use sql::{Row, Value};

/// (tenant, payer, arrangement, invoice).
type Key = (String, String, String, String);
pub(super) type Arrangements = Rows<Key, ArrangementRow>;

/// An arrangement as it is stored.
pub(super) struct ArrangementRow {
    key: Key,
    kind: String,
    since: NaiveDate,
    until: Option<NaiveDate>,
    review_on: Option<NaiveDate>,
    /// Of a dispute or promise; 0 where the whole debt is disputed, and for other kinds.
    amount_minor: i64,
    /// Of a promise, the day; of an announced payment, how.
    promised_on: Option<NaiveDate>,
    method: String,
    by: String,
    reason: String,
    end: String,
    ended_on: Option<NaiveDate>,
    received_minor: i64,
    ended_by: String,
    end_reason: String,
}

impl ArrangementRow {
    pub(super) fn values(self) -> Vec<Value> {
        let (tenant, customer_id, arrangement_id, invoice_id) = self.key;
        vec![
            tenant.into(),
            customer_id.into(),
            arrangement_id.into(),
            invoice_id.into(),
            self.kind.into(),
            self.since.into(),
            self.until.into(),
            self.review_on.into(),
            self.amount_minor.into(),
            self.promised_on.into(),
            self.method.into(),
            self.by.into(),
            self.reason.into(),
            self.end.into(),
            self.ended_on.into(),
            self.received_minor.into(),
            self.ended_by.into(),
            self.end_reason.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, ProjectionError> {
        Ok(Self {
            key: (row.text("tenant")?, row.text("customer_id")?, row.text("arrangement_id")?, row.text("invoice_id")?),
            kind: row.text("kind")?,
            since: row.date("since")?,
            until: row.opt_date("until")?,
            review_on: row.opt_date("review_on")?,
            amount_minor: row.int("amount_minor")?,
            promised_on: row.opt_date("promised_on")?,
            method: row.text("method")?,
            by: row.text("ordered_by")?,
            reason: row.text("reason")?,
            end: row.text("ended_as")?,
            ended_on: row.opt_date("ended_on")?,
            received_minor: row.int("received_minor")?,
            ended_by: row.text("ended_by")?,
            end_reason: row.text("end_reason")?,
        })
    }

    fn made(key: Key, made: &Arrangement) -> Self {
        let row = Self {
            key,
            kind: made.kind().name().to_owned(),
            since: made.since,
            until: made.until,
            review_on: made.review_on(),
            amount_minor: 0,
            promised_on: None,
            method: String::new(),
            by: made.by.clone(),
            reason: made.why.clone(),
            end: String::new(),
            ended_on: None,
            received_minor: 0,
            ended_by: String::new(),
            end_reason: String::new(),
        };
        match &made.terms {
            ArrangementTerms::Hold { .. } => row,
            ArrangementTerms::Dispute { amount_minor } => Self { amount_minor: amount_minor.unwrap_or_default(), ..row },
            ArrangementTerms::Promise { amount_minor, promised_on, .. } => {
                Self { amount_minor: *amount_minor, promised_on: Some(*promised_on), ..row }
            }
            ArrangementTerms::Announcement { method } => Self { method: method.name().to_owned(), ..row },
        }
    }
}

/// The stored rows of the tracks whose arrangements end in a page.
pub(super) async fn stored(view: &mut View<'_>, facts: &[Fact]) -> Result<Arrangements, ProjectionError> {
    let ends = facts.iter().filter(|fact| matches!(fact.event, Event::ArrangementEnded { .. }));
    let Some(keys) = track::keys_of(ends) else { return Ok(Arrangements::none()) };
    let text = "SELECT a.* FROM {keys} k CROSS JOIN {arrangement} a WHERE a.tenant = k.tenant AND a.invoice_id = k.invoice_id";
    let found = view.query_keyed(text, keys, &[]).await?;
    found.iter().map(|row| ArrangementRow::read(row).map(|row| (row.key.clone(), row))).collect()
}

pub(super) fn fold(rows: &mut Arrangements, fact: &Fact) {
    let key = |id: &kernel::ArrangementId, invoice_id: &kernel::InvoiceId| {
        (fact.tenant.clone(), fact.customer_id.to_string(), id.to_string(), invoice_id.to_string())
    };
    if let Event::Arranged { arrangement } = &fact.event {
        for invoice_id in &arrangement.invoice_ids {
            let key = key(&arrangement.id, invoice_id);
            rows.insert(key.clone(), ArrangementRow::made(key, arrangement));
        }
    }
    if let Event::ArrangementEnded { id, invoice_ids, end, day, received_minor, by, why, .. } = &fact.event {
        for invoice_id in invoice_ids {
            if let Some(row) = rows.change(&key(id, invoice_id)) {
                end.slug().clone_into(&mut row.end);
                row.ended_on = Some(*day);
                row.received_minor = *received_minor;
                row.ended_by.clone_from(by);
                row.end_reason.clone_from(why);
            }
        }
    }
}
