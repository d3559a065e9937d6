//! The payment feed: proto ↔ domain.

use super::{DecodeFault, event::message, timestamp};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use host::Refusal;
use kernel::CollectionAccountId;
use prost::Message;
use receivable::{BankFileTaken, FeedCommand, FeedEvent, FeedRejection, PaymentFeed, PaymentFeedReported, ReportPaymentFeed};

const REPORTED: &str = "PaymentFeedReported";
const FILE_TAKEN: &str = "BankFileTaken";

/// Type name and bytes of a fact.
pub fn encode_feed(event: &FeedEvent) -> (&'static str, Vec<u8>) {
    match event {
        FeedEvent::Reported(event) => {
            (REPORTED, proto::PaymentFeedReported { known_until_us: event.known_until.timestamp_micros() }.encode_to_vec())
        }
        FeedEvent::BankFileTaken(event) => {
            let (account_id, known_until_us) = (event.account_id.to_string(), event.known_until.timestamp_micros());
            (FILE_TAKEN, proto::BankFileTaken { account_id, known_until_us }.encode_to_vec())
        }
    }
}

/// The fact of a stored event; `None` for a type that this version does not know.
pub fn decode_feed(event_type: &str, payload: &[u8]) -> Result<Option<FeedEvent>, DecodeFault> {
    let instant = |micros| DateTime::from_timestamp_micros(micros).ok_or(DecodeFault::Field("known_until_us"));
    Ok(Some(match event_type {
        REPORTED => {
            let m: proto::PaymentFeedReported = message(REPORTED, payload)?;
            FeedEvent::Reported(PaymentFeedReported { known_until: instant(m.known_until_us)? })
        }
        FILE_TAKEN => {
            let m: proto::BankFileTaken = message(FILE_TAKEN, payload)?;
            let account_id = CollectionAccountId::new(&m.account_id).map_err(|_| DecodeFault::Field("account_id"))?;
            FeedEvent::BankFileTaken(BankFileTaken { account_id, known_until: instant(m.known_until_us)? })
        }
        _ => return Ok(None),
    }))
}

/// A report. Errors: INVALID_ARGUMENT `missing` or `instant_malformed` on the instant.
pub fn feed_report(m: &proto::ReportPaymentFeedRequest, now: DateTime<Utc>) -> Result<FeedCommand, Refusal> {
    let told = m.known_until.as_ref().ok_or_else(|| Refusal::invalid("known_until", "missing", "is missing"))?;
    Ok(FeedCommand::Report(ReportPaymentFeed { known_until: instant("known_until", told)?, at: now }))
}

/// An instant of a request. Errors: INVALID_ARGUMENT `instant_malformed`.
pub(super) fn instant(field: &str, told: &prost_types::Timestamp) -> Result<DateTime<Utc>, Refusal> {
    let nanos = u32::try_from(told.nanos).ok();
    let instant = nanos.and_then(|nanos| DateTime::from_timestamp(told.seconds, nanos));
    instant.map(whole_micros).ok_or_else(|| Refusal::invalid(field, "instant_malformed", "is no instant"))
}

/// Whole microseconds, as events keep them: the same instant again is then no news.
pub(super) fn whole_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or(instant)
}

/// The answer to a report.
pub fn feed_reported(feed: &PaymentFeed) -> proto::ReportPaymentFeedResponse {
    proto::ReportPaymentFeedResponse { known_until: feed.known_until.map(timestamp) }
}

/// A refused report.
pub fn feed_refused(rejection: &FeedRejection) -> Refusal {
    Refusal::invalid(rejection.field(), rejection.slug(), rejection.to_string())
}
