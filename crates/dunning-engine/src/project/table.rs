//! The tables, declared.

use eventlog::projection::TableDef;
use sql::{Column, Kind};

pub(super) const TENANT: Column = Column::new("tenant", Kind::Text);
pub(super) const INVOICE_ID: Column = Column::new("invoice_id", Kind::Text);
pub(super) const CUSTOMER_ID: Column = Column::new("customer_id", Kind::Text);
pub(super) const CYCLE: Column = Column::new("cycle", Kind::Int);
pub(super) const STEP_ID: Column = Column::new("step_id", Kind::Text);
pub(super) const OCCURRENCE: Column = Column::new("occurrence", Kind::Int);
pub(super) const REASON: Column = Column::new("reason", Kind::Text);
const DAY: Column = Column::new("day", Kind::Date);

/// One row a receivable.
pub(super) const TRACK: TableDef = TableDef {
    name: "track",
    columns: &[
        TENANT,
        INVOICE_ID,
        CUSTOMER_ID,
        Column::new("policy_id", Kind::Text),
        Column::new("policy_version", Kind::Int),
        CYCLE,
        Column::new("phase", Kind::Text),
        Column::new("issued_on", Kind::Date),
        Column::new("due_on", Kind::Date),
        Column::new("effective_due", Kind::Date),
        Column::new("known_on", Kind::Date),
        Column::new("outstanding_minor", Kind::Int),
        Column::new("currency", Kind::Text),
    ],
    key: &["tenant", "invoice_id"],
    indexes: &[&["tenant", "customer_id"]],
};

/// One row an occurrence key. Open ones whose last day is over read as expired: nothing here depends on when somebody looked.
pub(super) const STEP_OCCURRENCE: TableDef = TableDef {
    name: "step_occurrence",
    columns: &[
        TENANT,
        INVOICE_ID,
        CYCLE,
        STEP_ID,
        OCCURRENCE,
        CUSTOMER_ID,
        // Place in policy order, from 0.
        Column::new("place", Kind::Int),
        Column::new("kind", Kind::Text),
        Column::new("tone", Kind::Int),
        // Empty while it counts from an execution that has not come.
        Column::optional("planned_on", Kind::Date),
        Column::optional("last_day", Kind::Date),
        Column::new("status", Kind::Text),
        REASON,
        Column::new("by_step_id", Kind::Text),
        Column::optional("ended_on", Kind::Date),
        Column::new("contact_id", Kind::Text),
        Column::new("channel", Kind::Text),
        Column::optional("delivered_on", Kind::Date),
    ],
    key: &["tenant", "invoice_id", "cycle", "step_id", "occurrence"],
    indexes: &[&["tenant", "customer_id"]],
};

/// What was decided about an occurrence on a local day. An occurrence is offered at most once a day, and ends once.
pub(super) const DECISION: TableDef = TableDef {
    name: "decision",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        DAY,
        INVOICE_ID,
        CYCLE,
        STEP_ID,
        OCCURRENCE,
        Column::new("decision", Kind::Text),
        REASON,
        Column::new("by_step_id", Kind::Text),
        Column::new("contact_id", Kind::Text),
        Column::new("channel", Kind::Text),
    ],
    key: &["tenant", "customer_id", "day", "invoice_id", "cycle", "step_id", "occurrence", "decision"],
    indexes: &[],
};

/// What a person has to do.
pub(super) const TASK: TableDef = TableDef {
    name: "task",
    columns: &[
        TENANT,
        INVOICE_ID,
        CYCLE,
        REASON,
        // Empty where it is about no step.
        STEP_ID,
        DAY,
        CUSTOMER_ID,
        Column::optional("until", Kind::Date),
        // 0 where it is about no step.
        OCCURRENCE,
        Column::new("status", Kind::Text),
        Column::optional("snoozed_until", Kind::Date),
        Column::new("attended_by", Kind::Text),
        Column::new("note", Kind::Text),
        Column::optional("ended_on", Kind::Date),
    ],
    key: &["tenant", "invoice_id", "cycle", "reason", "step_id", "day"],
    indexes: &[&["tenant", "day"]],
};

/// One row for each debt of a hold, dispute, promise or announced payment. Open ones whose last day is over read as over.
pub(super) const ARRANGEMENT: TableDef = TableDef {
    name: "arrangement",
    columns: &[
        TENANT,
        CUSTOMER_ID,
        Column::new("arrangement_id", Kind::Text),
        INVOICE_ID,
        Column::new("kind", Kind::Text),
        Column::new("since", Kind::Date),
        Column::optional("until", Kind::Date),
        Column::optional("review_on", Kind::Date),
        Column::new("amount_minor", Kind::Int),
        Column::optional("promised_on", Kind::Date),
        Column::new("method", Kind::Text),
        Column::new("ordered_by", Kind::Text),
        REASON,
        // Empty while open.
        Column::new("ended_as", Kind::Text),
        Column::optional("ended_on", Kind::Date),
        Column::new("received_minor", Kind::Int),
        Column::new("ended_by", Kind::Text),
        Column::new("end_reason", Kind::Text),
    ],
    key: &["tenant", "customer_id", "arrangement_id", "invoice_id"],
    indexes: &[&["tenant", "invoice_id"]],
};
