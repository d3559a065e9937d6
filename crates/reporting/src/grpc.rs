//! Request → question → response.

use crate::query::{self, AsOf, ChannelFilter, DelinquencyFilter, ReceivableFilter, Until};
use chrono::{DateTime, NaiveDate, Utc};
use contracts::reporting::v1::{self as proto, reporting_service_server::ReportingService};
use eventlog::{
    Clock,
    projection::{ProjectionError, Views},
};
use host::{
    Refusal,
    access::tenant_of,
    request::{self, FIRST_DAY, LAST_DAY, Page},
};
use kernel::{Currency, CustomerId, PolicyId, StepId, Zone, calendar};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Days that one question about aging may ask for.
const MAX_DAYS: usize = 400;
/// Longest segment, in characters.
const MAX_SEGMENT: usize = 64;
/// Days after a contact in which a payment counts for it, where none are asked for.
const WITHIN_DAYS: i32 = 7;
/// Most of them.
const MAX_WITHIN_DAYS: i32 = 90;
const CHANNELS: [&str; 6] = ["", "email", "whatsapp", "sms", "voice", "letter"];
const STATUSES: [&str; 6] = ["", "open", "overdue", "settled", "cancelled", "renegotiated"];

/// The service; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(crate) views: Views,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
}

type Answer<T> = Result<Response<T>, Status>;

impl Server {
    fn day(&self, text: &str) -> Result<NaiveDate, Refusal> {
        request::date_or("as_of", text, self.zone.day_of(self.clock.now()))
    }

    fn as_of(&self, tenant: String, text: &str) -> Result<AsOf, Refusal> {
        Ok(AsOf { tenant, day: self.day(text)?, known_at: None })
    }
}

/// Earlier than anything that is recorded, and in range of both databases.
fn first() -> DateTime<Utc> {
    DateTime::from_timestamp(-2_208_988_800, 0).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn unreadable(error: ProjectionError) -> Refusal {
    tracing::warn!(%error, "a view could not be read");
    Refusal::unavailable("the views cannot be read now")
}

fn known_at(stamp: Option<prost_types::Timestamp>) -> Result<Option<DateTime<Utc>>, Refusal> {
    let Some(stamp) = stamp else { return Ok(None) };
    let nanos = u32::try_from(stamp.nanos).ok();
    let at = nanos.and_then(|nanos| DateTime::from_timestamp(stamp.seconds, nanos)).filter(|at| (first()..query::for_ever()).contains(at));
    at.map(Some).ok_or_else(|| Refusal::invalid("known_at", "instant_out_of_range", "should be an instant of the years 1900 to 2199"))
}

fn offset(page: &Page) -> Result<i64, Refusal> {
    let offset = if page.after.is_empty() { Some(0) } else { page.after.parse().ok().filter(|offset| *offset >= 0) };
    offset.ok_or_else(|| Refusal::invalid("page_token", "page_token_malformed", "is not a token of ours"))
}

#[tonic::async_trait]
impl ReportingService for Server {
    async fn list_receivables(&self, request: Request<proto::ListReceivablesRequest>) -> Answer<proto::ListReceivablesResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        if !STATUSES.contains(&m.status.as_str()) {
            return Err(Refusal::invalid("status", "unknown_status", "should be open, overdue, settled, cancelled or renegotiated").into());
        }
        let page = Page::of(m.page_size, &m.page_token)?;
        let customer_id = request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let segment = request::filter("segment", &m.segment, MAX_SEGMENT)?;
        let filter = ReceivableFilter {
            customer_id: customer_id.as_ref().map_or("", CustomerId::as_str),
            segment: &segment,
            status: &m.status,
            after: &page.after,
            limit: page.limit(),
        };
        let found = query::receivables(&self.views, &self.as_of(tenant, &m.as_of)?, &filter).await;
        let mut receivables = found.map_err(unreadable)?;
        let next_page_token = page.cut(&mut receivables, |receivable| receivable.invoice_id.clone());
        Ok(Response::new(proto::ListReceivablesResponse { receivables, next_page_token }))
    }

    async fn list_delinquency(&self, request: Request<proto::ListDelinquencyRequest>) -> Answer<proto::ListDelinquencyResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let by_segment = match m.group_by.as_str() {
            "" | "customer" => false,
            "segment" => true,
            _ => return Err(Refusal::invalid("group_by", "unknown_group", "should be customer or segment").into()),
        };
        let page = Page::of(m.page_size, &m.page_token)?;
        let offset = offset(&page)?;
        if m.min_days_late < 0 {
            return Err(Refusal::invalid("min_days_late", "negative", "is below zero").into());
        }
        let segment = request::filter("segment", &m.segment, MAX_SEGMENT)?;
        let filter =
            DelinquencyFilter { by_segment, segment: &segment, min_days_late: i64::from(m.min_days_late), offset, limit: page.limit() };
        let found = query::delinquency(&self.views, &self.as_of(tenant, &m.as_of)?, &filter).await;
        let mut lines = found.map_err(unreadable)?;
        let next = (offset + i64::try_from(page.size).unwrap_or(0)).to_string();
        let next_page_token = page.cut(&mut lines, |_| next.clone());
        Ok(Response::new(proto::ListDelinquencyResponse { lines, next_page_token }))
    }

    async fn get_aging(&self, request: Request<proto::GetAgingRequest>) -> Answer<proto::GetAgingResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        if m.as_of.len() > MAX_DAYS {
            return Err(Refusal::invalid("as_of", "too_many", "more than 400 days").into());
        }
        let known_at = known_at(m.known_at)?;
        if !m.currency.is_empty() && Currency::new(&m.currency).is_none() {
            return Err(Refusal::invalid("currency", "unknown_currency", "is no known ISO 4217 code with cents").into());
        }
        let segment = request::filter("segment", &m.segment, MAX_SEGMENT)?;
        let days = if m.as_of.is_empty() { vec![String::new()] } else { m.as_of };
        let mut lines = Vec::with_capacity(days.len());
        for day in days {
            let at = AsOf { tenant: tenant.clone(), day: self.day(&day)?, known_at };
            lines.push(query::aging(&self.views, &at, &m.currency, &segment).await.map_err(unreadable)?);
        }
        Ok(Response::new(proto::GetAgingResponse { lines }))
    }

    async fn get_settlement(&self, request: Request<proto::GetSettlementRequest>) -> Answer<proto::GetSettlementResponse> {
        let tenant = tenant_of(&request)?;
        let day = request::date_or("as_of", &request.get_ref().as_of, LAST_DAY)?;
        let at = AsOf { tenant, day, known_at: None };
        Ok(Response::new(query::settlement(&self.views, &at).await.map_err(unreadable)?))
    }

    async fn get_step_results(&self, request: Request<proto::GetStepResultsRequest>) -> Answer<proto::GetStepResultsResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let policy_id = request::optional_id("policy_id", &m.policy_id, PolicyId::new)?;
        let policy_id = policy_id.as_ref().map_or("", PolicyId::as_str);
        let steps = query::step_results(&self.views, &tenant, self.day(&m.as_of)?, policy_id).await.map_err(unreadable)?;
        Ok(Response::new(proto::GetStepResultsResponse { steps }))
    }

    async fn get_contact_results(&self, request: Request<proto::GetContactResultsRequest>) -> Answer<proto::GetContactResultsResponse> {
        let tenant = tenant_of(&request)?;
        let day = request::date_or("as_of", &request.get_ref().as_of, LAST_DAY)?;
        Ok(Response::new(query::contact_results(&self.views, &tenant, day).await.map_err(unreadable)?))
    }

    async fn get_channel_results(&self, request: Request<proto::GetChannelResultsRequest>) -> Answer<proto::GetChannelResultsResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let policy_id = request::optional_id("policy_id", &m.policy_id, PolicyId::new)?;
        let step_id = request::optional_id("step_id", &m.step_id, StepId::new)?;
        if !CHANNELS.contains(&m.channel.as_str()) {
            return Err(Refusal::invalid("channel", "unknown_channel", "should be email, whatsapp, sms, voice or letter").into());
        }
        let within_days = if m.within_days == 0 { WITHIN_DAYS } else { m.within_days };
        if !(1..=MAX_WITHIN_DAYS).contains(&within_days) {
            return Err(Refusal::invalid("within_days", "days_out_of_range", "should be 1 to 90").into());
        }
        let filter = ChannelFilter {
            policy_id: policy_id.as_ref().map_or("", PolicyId::as_str),
            step_id: step_id.as_ref().map_or("", StepId::as_str),
            channel: &m.channel,
            from: request::date_or("day_from", &m.day_from, FIRST_DAY)?,
            until: request::date_or("day_until", &m.day_until, LAST_DAY)?,
            within_days: within_days.into(),
        };
        let day = self.day(&m.as_of)?;
        let at = Until { day, end: self.zone.midnight(calendar::next(day)) };
        let results = query::channel_results(&self.views, &tenant, &at, &filter).await.map_err(unreadable)?;
        Ok(Response::new(proto::GetChannelResultsResponse { results }))
    }

    async fn get_portfolio(&self, request: Request<proto::GetPortfolioRequest>) -> Answer<proto::GetPortfolioResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(query::portfolio(&self.views, &tenant).await.map_err(unreadable)?))
    }
}
