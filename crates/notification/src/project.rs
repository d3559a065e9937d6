//! Events → tables: contacts and attempts as they stand.

mod attempt;
mod contact;

use crate::wire::{self, Fact};
use async_trait::async_trait;
use eventlog::{
    bus::Message,
    projection::{Change, Projection, ProjectionError, TableDef, View},
};
use sql::{Column, Kind};

const TENANT: Column = Column::new("tenant", Kind::Text);
const CUSTOMER_ID: Column = Column::new("customer_id", Kind::Text);
const CONTACT_ID: Column = Column::new("contact_id", Kind::Text);
const ATTEMPT_ID: Column = Column::new("attempt_id", Kind::Text);

/// Tenant, payer, contact or attempt.
type Key = (String, String, String);

/// Contacts and attempts.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContactTables;

impl Projection for ContactTables {
    fn name(&self) -> &'static str {
        "notification-contacts"
    }

    fn version(&self) -> u32 {
        1
    }

    fn sources(&self) -> &'static [&'static str] {
        &[crate::TOPIC]
    }

    fn tables(&self) -> &'static [TableDef] {
        &[contact::TABLE, attempt::TABLE]
    }

    fn read(&self, page: &[&Message]) -> Result<Box<dyn Change>, ProjectionError> {
        let mut facts = Vec::with_capacity(page.len());
        for message in page {
            let decoded = wire::decode(&message.event.event_type, &message.event.payload);
            if let Some(fact) = decoded.map_err(|fault| ProjectionError::poison(message, fault.to_string()))? {
                facts.push((message.event.tenant.clone(), fact));
            }
        }
        Ok(Box::new(Told(facts)))
    }
}

/// What a page tells, each fact with its tenant.
struct Told(Vec<(String, Fact)>);

#[async_trait]
impl Change for Told {
    async fn write(self: Box<Self>, view: &mut View<'_>) -> Result<(), ProjectionError> {
        contact::write(view, &self.0).await?;
        attempt::write(view, &self.0).await
    }
}
