//! The payment feed: proto ↔ domain.

use super::{DecodeFault, timestamp};
use chrono::{DateTime, Utc};
use contracts::invoice::v1 as proto;
use host::Refusal;
use prost::Message;
use receivable::{FeedRejection, PaymentFeed, PaymentFeedReported, ReportPaymentFeed};

/// Type name of its one event.
pub const FEED_REPORTED: &str = "PaymentFeedReported";

/// Bytes of a report.
pub fn encode_feed(event: &PaymentFeedReported) -> Vec<u8> {
    proto::PaymentFeedReported { known_until_us: event.known_until.timestamp_micros() }.encode_to_vec()
}

/// A stored report; `None` for a type that this version does not know.
pub fn decode_feed(event_type: &str, payload: &[u8]) -> Result<Option<PaymentFeedReported>, DecodeFault> {
    if event_type != FEED_REPORTED {
        return Ok(None);
    }
    let m = proto::PaymentFeedReported::decode(payload).map_err(|error| DecodeFault::Bytes(FEED_REPORTED, error))?;
    let known_until = DateTime::from_timestamp_micros(m.known_until_us).ok_or(DecodeFault::Field("known_until_us"))?;
    Ok(Some(PaymentFeedReported { known_until }))
}

/// A report. Errors: INVALID_ARGUMENT `missing` or `instant_malformed` on the instant.
pub fn feed_report(m: &proto::ReportPaymentFeedRequest, now: DateTime<Utc>) -> Result<ReportPaymentFeed, Refusal> {
    let told = m.known_until.as_ref().ok_or_else(|| Refusal::invalid("known_until", "missing", "is missing"))?;
    let nanos = u32::try_from(told.nanos).ok();
    let known_until = nanos.and_then(|nanos| DateTime::from_timestamp(told.seconds, nanos));
    let known_until = known_until.ok_or_else(|| Refusal::invalid("known_until", "instant_malformed", "is no instant"))?;
    // Whole microseconds, as the event keeps it: the same report again is then no news.
    let known_until = DateTime::from_timestamp_micros(known_until.timestamp_micros()).unwrap_or(known_until);
    Ok(ReportPaymentFeed { known_until, at: now })
}

/// The answer to a report.
pub fn feed_reported(feed: &PaymentFeed) -> proto::ReportPaymentFeedResponse {
    proto::ReportPaymentFeedResponse { known_until: feed.known_until.map(timestamp) }
}

/// A refused report.
pub fn feed_refused(rejection: &FeedRejection) -> Refusal {
    Refusal::invalid(rejection.field(), rejection.slug(), rejection.to_string())
}
