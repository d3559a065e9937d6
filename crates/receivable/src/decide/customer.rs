//! The payer: known, changed, erased.

use super::{bounded, bounded_option};
use crate::account::Attributes;
use crate::{Account, CustomerAmended, CustomerErased, CustomerRegistered, EraseCustomer, Event, RegisterCustomer, Rejection, Standing};
use alloc::{collections::BTreeSet, string::String, vec, vec::Vec};
use kernel::Zone;

const MAX_CHARS: usize = 64;

pub(super) fn register(account: &Account, command: &RegisterCustomer) -> Result<Vec<Event>, Rejection> {
    let attributes = checked(&command.attributes)?;
    let consents = command.consents.iter().map(|slug| bounded("consents", slug, MAX_CHARS)).collect::<Result<BTreeSet<String>, _>>()?;
    let customer_id = command.customer_id.clone();
    match account.standing {
        Standing::Unknown => Ok(vec![Event::CustomerRegistered(CustomerRegistered { customer_id, attributes, consents })]),
        Standing::Active if account.attributes == attributes && account.consents == consents => Ok(vec![]),
        Standing::Active => Ok(vec![Event::CustomerAmended(CustomerAmended { customer_id, attributes, consents })]),
        Standing::Erased => Err(Rejection::CustomerErased),
    }
}

pub(super) fn erase(account: &Account, command: &EraseCustomer) -> Result<Vec<Event>, Rejection> {
    match account.standing {
        Standing::Unknown => Err(Rejection::CustomerUnknown),
        Standing::Active => Ok(vec![Event::CustomerErased(CustomerErased { customer_id: command.customer_id.clone() })]),
        Standing::Erased => Ok(vec![]),
    }
}

fn checked(attributes: &Attributes) -> Result<Attributes, Rejection> {
    let zone = bounded_option("attributes.zone", attributes.zone.as_ref(), MAX_CHARS)?;
    if zone.as_deref().is_some_and(|name| Zone::named(name).is_none()) {
        return Err(Rejection::ZoneUnknown);
    }
    Ok(Attributes {
        segment: bounded_option("attributes.segment", attributes.segment.as_ref(), MAX_CHARS)?,
        language: bounded("attributes.language", &attributes.language, MAX_CHARS)?,
        zone,
        state: bounded_option("attributes.state", attributes.state.as_ref(), MAX_CHARS)?,
        municipality: bounded_option("attributes.municipality", attributes.municipality.as_ref(), MAX_CHARS)?,
    })
}
