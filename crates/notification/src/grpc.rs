//! Request → command → response.

use crate::{
    aggregate::{self, Addressed, AllContacts},
    query::{self, ContactFilter, Place},
    template::{Creditor, Language, Letter, TemplateFault, Templates, VERSION, asks, sample},
};
use chrono::NaiveDate;
use contracts::notification::v1::{self as proto, notification_service_server::NotificationService};
use eventlog::{Clock, CommandKey, Submission, WriteError, Writer, projection::Views};
use host::{
    Refusal,
    access::tenant_of,
    request::{self, Page},
};
use kernel::{CustomerId, Zone};
use notice::{Channel, Command, Kind, OptIn, OptOut, Rejection};
use prost::Message;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(crate) writer: Writer<AllContacts>,
    pub(crate) views: Views,
    pub(crate) templates: Arc<Templates>,
    pub(crate) creditor: Creditor,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
}

type Answer<T> = Result<Response<T>, Status>;

fn channel(field: &str, text: &str) -> Result<Channel, Refusal> {
    let unknown = || Refusal::invalid(field, "unknown_channel", "should be email, whatsapp, sms, voice or letter");
    Channel::named(text).ok_or_else(unknown)
}

pub(crate) fn command_key<M: Message>(command_id: &str, message: &M) -> Result<CommandKey, Refusal> {
    let id = request::command_id(command_id)?;
    Ok(CommandKey { id: id.as_str().to_owned(), body_hash: Sha256::digest(message.encode_to_vec()).into() })
}

pub(crate) fn refusal(error: WriteError<Rejection>) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => rejected(&rejection),
        WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
        WriteError::DiskFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        WriteError::Unavailable(reason) => Refusal::unavailable(reason),
        WriteError::ClaimTaken { .. } | WriteError::SideRefused(_) | WriteError::Corrupt(_) => {
            tracing::error!(%error, "contacts could not be written");
            Refusal::internal("the contacts could not be written")
        }
    }
}

fn rejected(rejection: &Rejection) -> Refusal {
    let (field, slug, text) = (rejection.field(), rejection.slug(), rejection.to_string());
    match rejection.kind() {
        Kind::Invalid => Refusal::invalid(field, slug, text),
        Kind::NotFound => Refusal::not_found(field, slug, text),
        Kind::Precondition => Refusal::precondition(field, slug, text),
    }
}

impl Server {
    async fn carry_out(&self, tenant: &str, customer_id: CustomerId, command: Command, key: CommandKey) -> Result<(), Refusal> {
        let stream = aggregate::stream(tenant, customer_id.as_str());
        let meta = aggregate::meta(tenant, customer_id.as_str());
        let submission = Submission::new(stream, meta, Addressed::new(customer_id, command)).with_key(key);
        self.writer.submit(submission).await.map(drop).map_err(refusal)
    }
}

/// The last day that a request can name.
fn last_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2199, 12, 31).unwrap_or_default()
}

#[tonic::async_trait]
impl NotificationService for Server {
    async fn list_contacts(&self, request: Request<proto::ListContactsRequest>) -> Answer<proto::ListContactsResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        request::optional_id("customer_id", &m.customer_id, CustomerId::new)?;
        let page = Page::of(m.page_size, &m.page_token)?;
        let malformed = || Refusal::invalid("page_token", "page_token_malformed", "is not a token of ours");
        let after = if page.after.is_empty() { None } else { Some(Place::parse(&page.after).ok_or_else(malformed)?) };
        let filter = ContactFilter {
            tenant: &tenant,
            customer_id: &m.customer_id,
            day_from: request::date_or("day_from", &m.day_from, NaiveDate::default())?,
            day_until: request::date_or("day_until", &m.day_until, last_day())?,
            after,
            limit: page.limit(),
        };
        let found = query::contacts(&self.views, filter).await;
        let mut found = found.map_err(|error| {
            tracing::warn!(%error, "a read failed");
            Refusal::unavailable("the database did not answer")
        })?;
        let next_page_token = page.cut(&mut found, |found| found.place.clone());
        let contacts = found.into_iter().map(|found| found.contact).collect();
        Ok(Response::new(proto::ListContactsResponse { contacts, next_page_token }))
    }

    async fn record_consent(&self, request: Request<proto::RecordConsentRequest>) -> Answer<proto::RecordConsentResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let key = command_key(&m.command_id, &m)?;
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let channel = channel("channel", &m.channel)?;
        let command = if m.granted { Command::OptIn(OptIn { channel }) } else { Command::OptOut(OptOut { channel: Some(channel) }) };
        self.carry_out(&tenant, customer_id, command, key).await?;
        Ok(Response::new(proto::RecordConsentResponse {}))
    }

    async fn opt_out(&self, request: Request<proto::OptOutRequest>) -> Answer<proto::OptOutResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let key = command_key(&m.command_id, &m)?;
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let channel = if m.channel.is_empty() { None } else { Some(channel("channel", &m.channel)?) };
        self.carry_out(&tenant, customer_id, Command::OptOut(OptOut { channel }), key).await?;
        Ok(Response::new(proto::OptOutResponse {}))
    }

    async fn list_templates(&self, request: Request<proto::ListTemplatesRequest>) -> Answer<proto::ListTemplatesResponse> {
        tenant_of(&request)?;
        let line = |(template, language): (&str, Language)| proto::TemplateLine {
            template: template.to_owned(),
            language: language.tag().to_owned(),
            version: VERSION,
        };
        Ok(Response::new(proto::ListTemplatesResponse { templates: self.templates.list().into_iter().map(line).collect() }))
    }

    async fn render_template(&self, request: Request<proto::RenderTemplateRequest>) -> Answer<proto::RenderTemplateResponse> {
        tenant_of(&request)?;
        let m = request.into_inner();
        let channel = if m.channel.is_empty() { Channel::Email } else { channel("channel", &m.channel)? };
        let day = self.zone.day_of(self.clock.now());
        let letter = Letter { asks: asks(&m.template), ..sample(Language::of(&m.language), self.creditor.clone(), day) };
        let rendered = self.templates.render(&m.template, channel, &letter).map_err(|fault| match fault {
            TemplateFault::Unknown => Refusal::not_found("template", fault.slug(), fault.to_string()),
            TemplateFault::Broken(_) => Refusal::internal(fault.to_string()),
        })?;
        Ok(Response::new(proto::RenderTemplateResponse { subject: rendered.subject, text: rendered.text, html: rendered.html }))
    }
}
