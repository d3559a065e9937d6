//! Rehearsals of drafts.

use super::{Server, policies::policy_faults, rejected, unreadable};
use crate::aggregate::stream;
use crate::rehearsal::{Asked, DraftBook, Rehearsal};
use crate::{policy_toml, query};
use contracts::dunning::v1 as proto;
use host::Refusal;
use kernel::calendar;
use tonic::Status;

/// Payers that are looked up at a time.
const PAGE: i64 = 500;
/// Days that are played where the caller names none.
const DEFAULT_DAYS: u32 = 90;
/// Most days that are played.
const MAX_DAYS: u32 = 366;
/// Most payers with a harsh first contact that are named.
const NAMED: usize = 100;

impl Server {
    pub(super) async fn rehearse_policy_of(
        &self,
        tenant: &str,
        m: &proto::RehearsePolicyRequest,
    ) -> Result<proto::RehearsePolicyResponse, Status> {
        let days = if m.days == 0 { DEFAULT_DAYS } else { m.days };
        if days > MAX_DAYS {
            return Err(Refusal::invalid("days", "days_out_of_range", "should be 1 to 366").into());
        }
        let draft = policy_toml::load(&m.toml).map_err(|faults| policy_faults(&faults))?;
        let (mut total, mut harsh, mut after) = (Rehearsal::default(), Vec::new(), String::new());
        loop {
            let page = query::running_payers(&self.views, tenant, (&after, PAGE)).await.map_err(unreadable)?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            for customer in page {
                let (payer, _) = self.writer.state(&stream(tenant, &customer)).await.map_err(unreadable)?;
                let published = self.books().of(tenant);
                let book = DraftBook { book: &*published, draft: &draft };
                let (from, zone) = (self.clock.now(), payer.ladder.zone(&*published).unwrap_or(self.zone));
                let until = calendar::add_days(zone.day_of(from), i64::from(days) - 1);
                let asked = Asked { from, until, zone, book: &book, terms: self.ladders.terms_of_rehearsals() };
                let one = Rehearsal::of(&asked, &payer.ladder).map_err(|rejection| rejected(rejection.into(), "RehearsePolicyRequest"))?;
                if one.harsh_firsts > 0 && harsh.len() < NAMED {
                    harsh.push(customer);
                }
                total.add(&one);
            }
        }
        Ok(crate::wire::rehearsed(&total, harsh))
    }
}
