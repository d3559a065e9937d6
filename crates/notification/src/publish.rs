//! Own events → public events.

use crate::wire::{self, Aside, Fact};
use contracts::notification::v1 as proto;
use eventlog::{
    Recorded,
    bus::{Publish, Published},
};
use kernel::{ContactId, Currency, NaiveDate};
use notice::{Event, ItemOutcome};
use prost::Message;

/// Public are the ends of steps and of tries, receipts and consents. What a gate drops has come to its end there: it is told as a
/// `ReminderConcluded` of its own. How a contact comes about stays inside.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublicFacts;

impl Publish for PublicFacts {
    fn publish(&self, event: &Recorded) -> Published {
        match event.event_type.as_str() {
            "ReminderConcluded" | "AttemptEnded" | "ReceiptNoted" | "OptedOut" | "OptedIn" => {
                Published::Public { event_type: event.event_type.clone(), payload: event.payload.clone() }
            }
            "ContactGated" | "FallbackGated" => dropped(event).unwrap_or(Published::Withheld),
            _ => Published::Withheld,
        }
    }
}

/// What a gate dropped, as a conclusion; `None` where it dropped nothing.
fn dropped(recorded: &Recorded) -> Option<Published> {
    let fact = match wire::decode(&recorded.event_type, &recorded.payload) {
        Ok(fact) => fact?,
        Err(fault) => {
            // The writer refuses the stream as corrupt before anybody gets here.
            tracing::error!(position = recorded.position, %fault, "an event cannot be published");
            return None;
        }
    };
    let (contact_id, day, currency) = contact(&fact)?;
    let concluded = conclusion(&fact, contact_id, day, currency)?;
    Some(Published::Public { event_type: "ReminderConcluded".to_owned(), payload: concluded.encode_to_vec() })
}

fn contact(fact: &Fact) -> Option<(&ContactId, NaiveDate, Currency)> {
    match (&fact.event, &fact.aside) {
        (Event::ContactGated(e), _) => Some((&e.contact_id, e.day, e.currency)),
        (Event::FallbackGated(e), Aside::Contact { day, currency }) => Some((&e.contact_id, *day, *currency)),
        (_, Aside::Nothing | Aside::Returned(_) | Aside::Contact { .. } | Aside::Receipt { .. }) => None,
    }
}

fn conclusion(fact: &Fact, contact_id: &ContactId, day: NaiveDate, currency: Currency) -> Option<proto::ReminderConcluded> {
    let outcomes: &[ItemOutcome] = fact.event.outcomes();
    (!outcomes.is_empty()).then(|| proto::ReminderConcluded {
        customer_id: fact.customer_id.to_string(),
        contact_id: contact_id.to_string(),
        day: day.to_string(),
        currency: currency.to_string(),
        items: wire::outcomes_out(outcomes),
        ..proto::ReminderConcluded::default()
    })
}
