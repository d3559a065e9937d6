//! Entries at bureaus and protest offices.

use super::{Server, unreadable};
use crate::{
    listings::EntryKey,
    query::{self, ListingFilter},
    wire,
};
use contracts::dunning::v1 as proto;
use host::{
    Refusal,
    request::{self, Page},
};
use kernel::{CustomerId, DateTime, InvoiceId, Utc};
use ladder::listing::{self, Kind, Listing};
use std::collections::BTreeMap;

/// What a list may be asked for.
const STATUSES: [&str; 4] = ["open", "leaving", "over", "all"];

impl Server {
    pub(super) async fn entries(&self, tenant: &str, m: &proto::ListListingsRequest) -> Result<proto::ListListingsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let invoice_id = request::optional_id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        if !m.kind.is_empty() && Kind::named(&m.kind).is_none() {
            return Err(Refusal::invalid("kind", "unknown_kind", "should be bureau or protest"));
        }
        let status = if m.status.is_empty() { "open" } else { m.status.as_str() };
        if !STATUSES.contains(&status) {
            return Err(Refusal::invalid("status", "unknown_status", "should be open, leaving, over or all"));
        }
        let filter = ListingFilter {
            tenant,
            customer_id: customer_id.as_ref().map_or("", |id| id.as_str()),
            invoice_id: invoice_id.as_ref().map_or("", |id| id.as_str()),
            kind: &m.kind,
            status,
            after: &page.after,
            limit: page.limit(),
        };
        let mut keyed = query::listings(&self.views, filter).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut keyed, |(_, key)| key.clone());
        Ok(proto::ListListingsResponse { listings: keyed.into_iter().map(|(listing, _)| listing).collect(), next_page_token })
    }
}

impl Server {
    /// Where a payer's entries were at an instant, for a person.
    pub(super) async fn entries_on(&self, tenant: &str, customer_id: &str, end: DateTime<Utc>) -> Result<Vec<String>, Refusal> {
        let keys = query::listings_of(&self.views, tenant, customer_id).await.map_err(unreadable)?;
        let streams: Vec<(String, u64)> = keys.iter().map(|key| (key.stream(), 0)).collect();
        let mut then: BTreeMap<String, Listing> = BTreeMap::new();
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        for event in self.log.read_streams(&streams).await.map_err(unreadable)?.iter().filter(|event| event.recorded_at < end) {
            if let Some(heard) = wire::decode_listing(&event.event_type, &event.payload).map_err(unreadable)? {
                let listing = then.entry(event.stream.clone()).or_default();
                *listing = listing::evolve(std::mem::take(listing), &heard);
            }
        }
        Ok(keys.iter().filter_map(|key| line(key, then.get(&key.stream())?)).collect())
    }
}

/// `I1: the entry of d+45 (bureau) is removal_sent: paid, to be out by 2026-12-04`.
fn line(key: &EntryKey, listing: &Listing) -> Option<String> {
    let (phase, kind) = (listing.phase()?, listing.opened.as_ref()?.kind);
    let why = match (&listing.obligation, listing.reason.as_str()) {
        (Some(obligation), _) => format!(": {}, to be out by {}", obligation.cause.slug(), obligation.until),
        (None, "") => String::new(),
        (None, reason) => format!(": {reason}"),
    };
    Some(format!("{}: the entry of {} ({}) is {}{why}", key.invoice_id, key.step_id, kind.slug(), phase.slug()))
}
