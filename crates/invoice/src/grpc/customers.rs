//! Search of payers.

use super::{Server, unreadable};
use crate::query;
use contracts::invoice::v1 as proto;
use host::{Refusal, request::Page};
use std::collections::BTreeMap;

impl Server {
    /// Payers that match. A segment is asked of what is found: pages may then be shorter than asked for, the last one has no token.
    pub(super) async fn search_customers(
        &self,
        tenant: &str,
        (search, segment): (&str, &str),
        page: &Page,
    ) -> Result<proto::ListCustomersResponse, Refusal> {
        let mut found = query::search_customers(&self.db, tenant, search, page).await?;
        let next_page_token = page.cut(&mut found, |one| one.customer_id.clone());
        let mut customers = Vec::with_capacity(found.len());
        let ids: Vec<&str> = found.iter().map(|one| one.customer_id.as_str()).collect();
        let lines = query::customers_of(&self.views, tenant, &ids).await.map_err(unreadable)?;
        let mut known: BTreeMap<String, proto::CustomerLine> = lines.into_iter().map(|line| (line.customer_id.clone(), line)).collect();
        for one in found {
            let unseen = || proto::CustomerLine { customer_id: one.customer_id.clone(), ..Default::default() };
            let line = known.remove(&one.customer_id).unwrap_or_else(unseen);
            let its = line.attributes.as_ref().map(|attributes| attributes.segment.as_str()).unwrap_or_default();
            if segment.is_empty() || its == segment {
                customers.push(proto::CustomerLine { name: one.name.reveal().to_owned(), ..line });
            }
        }
        Ok(proto::ListCustomersResponse { customers, next_page_token })
    }
}
