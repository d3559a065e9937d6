//! Topic `regua.dunning.v1` → disputes with the days on which they were open.

use super::{INVOICE_ID, TENANT, date, payload};
use async_trait::async_trait;
use contracts::dunning::v1 as proto;
use eventlog::{
    bus::Message,
    projection::{Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind};

/// Disputes, dated and never forgotten: what was contested on a day is known for ever.
pub struct DisputeTables;

const DISPUTE: TableDef = TableDef {
    name: "dispute",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("arrangement_id", Kind::Text),
        // The contested part; 0 = all that is open.
        Column::new("amount_minor", Kind::Int),
        Column::new("opened_on", Kind::Date),
        Column::new("opened_at", Kind::Instant),
    ],
    key: &["tenant", "invoice_id", "arrangement_id"],
    indexes: &[],
};

const DISPUTE_END: TableDef = TableDef {
    name: "dispute_end",
    columns: &[
        TENANT,
        INVOICE_ID,
        Column::new("arrangement_id", Kind::Text),
        Column::new("ended_on", Kind::Date),
        Column::new("ended_at", Kind::Instant),
    ],
    key: &["tenant", "invoice_id", "arrangement_id"],
    indexes: &[],
};

#[async_trait]
impl Projection for DisputeTables {
    fn name(&self) -> &'static str {
        "reporting-disputes"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &["regua.dunning.v1"]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[DISPUTE, DISPUTE_END]
    }

    async fn apply(&self, view: &mut View<'_>, page: &[Message]) -> Result<(), ProjectionError> {
        let (mut opened, mut ended) = (Vec::new(), Vec::new());
        for message in page {
            let event = &message.event;
            match event.event_type.as_str() {
                "DisputeOpened" => {
                    let m: proto::DisputeOpened = payload(message)?;
                    let day = date(message, "day", &m.day)?;
                    opened.push(vec![
                        event.tenant.as_str().into(),
                        m.invoice_id.into(),
                        m.arrangement_id.into(),
                        m.amount_minor.into(),
                        day.into(),
                        event.recorded_at.into(),
                    ]);
                }
                "DisputeResolved" => {
                    let m: proto::DisputeResolved = payload(message)?;
                    let day = date(message, "day", &m.day)?;
                    let row = vec![
                        event.tenant.as_str().into(),
                        m.invoice_id.into(),
                        m.arrangement_id.into(),
                        day.into(),
                        event.recorded_at.into(),
                    ];
                    ended.push(row);
                }
                _ => {}
            }
        }
        view.upsert("dispute", opened).await?;
        view.upsert("dispute_end", ended).await
    }
}
