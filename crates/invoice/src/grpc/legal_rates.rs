//! The legal rates of a tenant: recorded, shown, and read by commands.

use super::{Server, ready, unreadable};
use crate::{legal_rates, wire};
use brazil::charges::LegalRates;
use contracts::invoice::v1 as proto;
use eventlog::Submission;
use host::Refusal;
use prost::Message;
use receivable::legal_rates::LegalRateRecorded;
use std::sync::Arc;

impl Server {
    /// The tenant's rates, at most two seconds old.
    pub(crate) async fn rates(&self, tenant: &str) -> Result<Arc<LegalRates>, Refusal> {
        self.rate_book.of(tenant).await.map_err(unreadable)
    }

    pub(super) async fn record_rates(
        &self,
        tenant: &str,
        m: &proto::RecordLegalRatesRequest,
    ) -> Result<proto::RecordLegalRatesResponse, Refusal> {
        let key = ready::command_key("RecordLegalRates", (&m.command_id, m))?;
        let command = wire::legal_rates(m)?;
        let submission = Submission::new(legal_rates::stream(tenant), legal_rates::meta(tenant), command).with_key(key);
        let submission = submission.with_answer(|_, events: &[LegalRateRecorded]| {
            proto::RecordLegalRatesResponse { recorded: u32::try_from(events.len()).unwrap_or(u32::MAX) }.encode_to_vec()
        });
        let outcome = self.rate_book.writer.submit(submission).await;
        self.rate_book.changed(tenant);
        let written =
            outcome.map_err(|error| ready::refusal(error, wire::Place::default(), |rejection| wire::legal_rates_refused(*rejection)))?;
        ready::stored_answer(&written.appended.answer)
    }

    pub(super) async fn list_rates(&self, tenant: &str) -> Result<proto::ListLegalRatesResponse, Refusal> {
        let (rates, _) = self.rate_book.writer.state(&legal_rates::stream(tenant)).await.map_err(unreadable)?;
        Ok(proto::ListLegalRatesResponse { rates: wire::legal_rates_view(&rates) })
    }
}
