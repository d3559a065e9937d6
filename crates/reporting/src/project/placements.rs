//! Topic `regua.dunning.v1` → where due dates fall by the calendars of policies.

use super::{INVOICE_ID, TENANT, date, day_number, payload, receivables::Receivable};
use chrono::NaiveDate;
use contracts::dunning::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{ProjectionError, TableDef},
};
use sql::{Column, Kind, Value};

/// Where a due date falls by the calendar of the track's policy. The date itself is the receivable's, dated by its entries; a due
/// date that no track knows yet stands for itself.
pub const PLACEMENT: TableDef = TableDef {
    name: "placement",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("due_on", Kind::Date),
        Column::new("effective_due", Kind::Date),
        Column::new("effective_due_day", Kind::Int),
    ],
    key: &["tenant", "invoice_id", "due_on"],
    indexes: &[],
};

/// A due date of a receivable, and where it falls.
pub struct Placed {
    pub receivable: Receivable,
    pub due_on: NaiveDate,
    pub effective_due: NaiveDate,
}

impl Placed {
    pub fn row(&self) -> Vec<Value> {
        let Receivable { tenant, invoice_id, .. } = &self.receivable;
        let effective_due_day = day_number(self.effective_due).into();
        vec![tenant.as_str().into(), invoice_id.as_str().into(), self.due_on.into(), self.effective_due.into(), effective_due_day]
    }
}

/// What an event says of it. Errors: a date that is none.
pub fn placed(message: &Message) -> Result<Option<Placed>, ProjectionError> {
    let (customer_id, invoice_id, due_on, effective_due) = match message.event.event_type.as_str() {
        "TrackEnrolled" => {
            let m: proto::TrackEnrolled = payload(message)?;
            (m.customer_id, m.invoice_id, m.due_on, m.effective_due)
        }
        "TrackRescheduled" => {
            let m: proto::TrackRescheduled = payload(message)?;
            (m.customer_id, m.invoice_id, m.due_on, m.effective_due)
        }
        "TrackMigrated" => {
            let m: proto::TrackMigrated = payload(message)?;
            (m.customer_id, m.invoice_id, m.due_on, m.effective_due)
        }
        _ => return Ok(None),
    };
    let receivable = Receivable { tenant: message.event.tenant.clone(), customer_id, invoice_id };
    let (due_on, effective_due) = (date(message, "due_on", &due_on)?, date(message, "effective_due", &effective_due)?);
    Ok(Some(Placed { receivable, due_on, effective_due }))
}
