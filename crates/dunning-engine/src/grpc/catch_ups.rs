//! Catch-ups: what waits, and a person's word on it.

use super::{Server, command_key, refusal, unreadable};
use crate::catch_up::{Change, Refused, Verdict, meta, stream};
use crate::wire;
use contracts::dunning::v1 as proto;
use eventlog::Submission;
use host::{Refusal, request::Page};
use kernel::text;
use prost::Message;

/// Longest operator id, in characters.
const BY_CHARS: usize = 64;
/// Longest reason, in characters.
const WHY_CHARS: usize = 200;

impl Server {
    pub(super) async fn catch_ups(&self, tenant: &str, m: &proto::ListCatchUpsRequest) -> Result<proto::ListCatchUpsResponse, Refusal> {
        let page = Page::of(m.page_size, &m.page_token)?;
        let (planned, _) = self.catch_ups.state(&stream(tenant)).await.map_err(unreadable)?;
        let before = if page.after.is_empty() { u32::MAX } else { page.after.parse().unwrap_or(0) };
        let wanted = planned.all.iter().rev().filter(|one| one.report.number < before && (!m.waiting_only || one.status() == "waiting"));
        let mut found: Vec<_> = wanted.take(page.size + 1).collect();
        let next_page_token = page.cut(&mut found, |one| one.report.number.to_string());
        Ok(proto::ListCatchUpsResponse { catch_ups: found.into_iter().map(wire::catch_up).collect(), next_page_token })
    }

    pub(super) async fn decide_catch_up<M: Message>(
        &self,
        (tenant, command_id, m): (&str, &str, &M),
        number: u32,
        (approved, by, why): (bool, &str, &str),
    ) -> Result<(), Refusal> {
        let bounded = |field: &str, value: &str, chars| {
            text::bounded(value, chars).map_err(|fault| Refusal::invalid(field, "text_refused", fault.to_string()))
        };
        let verdict = Verdict { approved, by: bounded("by", by, BY_CHARS)?, why: bounded("reason", why, WHY_CHARS)? };
        let submission =
            Submission::new(stream(tenant), meta(tenant), Change::Decide { number, verdict }).with_key(command_key(command_id, m)?);
        self.catch_ups.submit(submission).await.map(|_| ()).map_err(|error| refusal(error, refused))
    }
}

fn refused(refused: Refused) -> Refusal {
    match refused {
        Refused::Unknown(_) => Refusal::not_found("number", "unknown_catch_up", refused.to_string()),
        Refused::AlreadyDecided(_) => Refusal::precondition("number", "catch_up_decided", refused.to_string()),
    }
}
