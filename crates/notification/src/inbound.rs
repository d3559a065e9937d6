//! Facts of other contexts → own commands.
//!
//! Consents that the owner records are not copied: the owner tells them with every last look, and the payer's own word,
//! which is recorded here, stands before them.

use crate::aggregate::{Addressed, stream};
use crate::wire::{self, DecodeFault};
use eventlog::{
    bus::Message,
    consumer::{Inbound, InboundCommand, Poison},
};
use kernel::{CustomerId, InvoiceId};
use notice::{Command, Compose, Forget, Standstill, Suspend};

/// The topic of reminders that are due.
pub const DUNNING_TOPIC: &str = "regua.dunning.v1";
/// The topic of payers and what they owe.
pub const INVOICE_TOPIC: &str = "regua.invoice.v1";

/// What this service makes of others' facts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts;

impl Inbound<Addressed> for Facts {
    fn commands(&self, message: &Message) -> Result<Vec<InboundCommand<Addressed>>, Poison> {
        let understood = match (message.topic.as_str(), message.event.event_type.as_str()) {
            (DUNNING_TOPIC, "ReminderDue") => due(&message.event.payload).map(Some),
            (DUNNING_TOPIC, "NoticeDue") => notice_due(&message.event.payload).map(Some),
            (DUNNING_TOPIC, "TrackHandedOff") => handed_off(&message.event.payload).map(Some),
            (DUNNING_TOPIC, other) => wire::arranged(other, &message.event.payload).map(|found| found.map(arranged)),
            (INVOICE_TOPIC, "CustomerErased") => erased(&message.event.payload).map(Some),
            _ => Ok(None),
        };
        let addressed = understood.map_err(|fault| Poison::new(format!("{}: {fault}", message.event.event_type)))?;
        let command = |addressed: Addressed| {
            let to = stream(&message.event.tenant, addressed.customer_id.as_str());
            let mut command = InboundCommand::caused_by(message, to, addressed);
            command.meta.traceparent = host::trace::consumed(&message.event.event_type, message.event.traceparent.as_deref());
            command
        };
        Ok(addressed.map(command).into_iter().collect())
    }

    /// Of these topics all other types are known and of no interest here.
    fn knows(&self, topic: &str, _event_type: &str) -> bool {
        topic == DUNNING_TOPIC || topic == INVOICE_TOPIC
    }
}

fn due(payload: &[u8]) -> Result<Addressed, DecodeFault> {
    let (customer_id, reminder, returned) = wire::reminder(payload)?;
    Ok(Addressed { customer_id, command: Command::Compose(Compose { reminder }), returned })
}

fn notice_due(payload: &[u8]) -> Result<Addressed, DecodeFault> {
    let (customer_id, reminder) = wire::notice(payload)?;
    Ok(Addressed::new(customer_id, Command::Compose(Compose { reminder })))
}

fn handed_off(payload: &[u8]) -> Result<Addressed, DecodeFault> {
    let (customer_id, invoice_id) = wire::handed_off(payload)?;
    Ok(suspended(customer_id, vec![invoice_id], Standstill::Over))
}

fn arranged((customer_id, invoice_ids, standstill): (CustomerId, Vec<InvoiceId>, Standstill)) -> Addressed {
    suspended(customer_id, invoice_ids, standstill)
}

fn suspended(customer_id: CustomerId, invoice_ids: Vec<InvoiceId>, standstill: Standstill) -> Addressed {
    Addressed::new(customer_id, Command::Suspend(Suspend { invoice_ids, standstill }))
}

fn erased(payload: &[u8]) -> Result<Addressed, DecodeFault> {
    Ok(Addressed::new(wire::erased(payload)?, Command::Forget(Forget)))
}
