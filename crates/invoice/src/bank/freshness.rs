//! How far a return file brings the payment feed.
//!
//! A file tells what its bank knew when it made it: its header's date and time, or the beginning of its day where it has no time. It speaks
//! for the accounts whose agreement its header or its titles name. The tenant's feed reaches as far as the last file of every account that
//! has an agreement for boletos; see [`receivable::feed`].

use super::matching::is_ours;
use crate::{
    feed,
    grpc::{Server, unreadable},
    receipts::unwritten,
};
use brazil::cnab::Report;
use chrono::{DateTime, Utc};
use eventlog::Submission;
use host::Refusal;
use receivable::{FeedCommand, TakeBankFile};
use std::collections::BTreeSet;

impl Server {
    /// Says how far the payments of a file's accounts are known; gives how far the tenant's are then. Errors: UNAVAILABLE.
    pub(crate) async fn file_taken(
        &self,
        tenant: &str,
        report: &Report,
        agreements: &BTreeSet<String>,
    ) -> Result<Option<DateTime<Utc>>, Refusal> {
        let accounts = self.allotment.accounts(tenant).await.map_err(unreadable)?;
        let with_agreement =
            accounts.accounts.iter().filter_map(|(id, account)| account.agreement.as_ref().map(|agreement| (id, agreement)));
        let with_agreement: Vec<_> = with_agreement.collect();
        let told = || agreements.iter().chain([&report.agreement]).filter(|told| !told.is_empty() || agreements.len() == 1);
        let named = with_agreement.iter().filter(|(_, agreement)| told().any(|told| is_ours(agreement, report.bank, told)));
        let of = named.map(|(id, _)| (*id).clone()).collect();
        let all = with_agreement.iter().map(|(id, _)| (*id).clone()).collect();
        let now = self.clock.now();
        let made =
            report.created_on.map(|day| report.created_at.map_or_else(|| self.zone.midnight(day), |time| self.zone.instant(day, time)));
        let Some(known_until) = made else { return Ok(None) };
        let command = FeedCommand::TakeBankFile(TakeBankFile { of, known_until, all, at: now });
        let submission = Submission::new(feed::stream(tenant), feed::meta(tenant), command);
        let written = self.feeds.writer.submit(submission).await.map_err(unwritten)?;
        self.feeds.judge(tenant, &written.state, now);
        Ok(written.state.known_until)
    }
}
