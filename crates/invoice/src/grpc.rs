//! Request → command → response.

use crate::{
    aggregate::{self, Accounts, Addressed},
    bulk, query,
    wire::{self, Contact},
};
use chrono::NaiveDate;
use contracts::invoice::v1::{self as proto, invoice_service_server::InvoiceService};
use eventlog::{Clock, CommandKey, Log, Statement, Submission, WriteError, Writer, Written, projection::Views};
use futures::{Stream, StreamExt};
use host::{
    Refusal,
    access::tenant_of,
    request::{self, Page},
};
use kernel::{Currency, CustomerId, InvoiceId, Zone};
use moka::sync::Cache;
use prost::Message;
use receivable::{Account, Kind, Rejection, Standing};
use sha2::{Digest, Sha256};
use sql::Db;
use std::{pin::Pin, sync::Arc};
use tonic::{Request, Response, Status, Streaming};

/// Kind of the claim by which an invoice's account is found.
const INVOICE: &str = "invoice";
/// Kind of the claim by which a payment's account is found.
const PAYMENT: &str = "payment";

/// The service; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(crate) writer: Writer<Accounts>,
    pub(crate) log: Log,
    pub(crate) views: Views,
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
    pub(crate) tolerance_minor: i64,
    /// (tenant, kind, id) → stream; claims never change, so an entry is never wrong.
    pub(crate) streams: Cache<(String, &'static str, String), String>,
}

type Answer<T> = Result<Response<T>, Status>;
type Outcome = Result<Written<Account>, Refusal>;

/// A command ready for its account.
pub(crate) struct Ready {
    submission: Submission<Accounts>,
    tenant: String,
    claim: Option<(&'static str, String)>,
}

impl Server {
    pub(crate) fn today(&self) -> NaiveDate {
        self.zone.day_of(self.clock.now())
    }

    /// The stream that owns an id. Errors: NOT_FOUND `unknown_<kind>`.
    async fn stream_of(&self, tenant: &str, kind: &'static str, field: &str, id: &str) -> Result<String, Refusal> {
        let key = (tenant.to_owned(), kind, id.to_owned());
        if let Some(stream) = self.streams.get(&key) {
            return Ok(stream);
        }
        let found = self.log.claimed(tenant, kind, id).await.map_err(unreadable)?;
        let stream = found.ok_or_else(|| Refusal::not_found(field, &format!("unknown_{kind}"), format!("no {kind} {id}")))?;
        self.streams.insert(key, stream.clone());
        Ok(stream)
    }

    /// The account of an id, as it is now, with the payer's id.
    async fn account_of(&self, tenant: &str, kind: &'static str, field: &str, id: &str) -> Result<(String, Arc<Account>), Refusal> {
        let stream = self.stream_of(tenant, kind, field, id).await?;
        let (account, _) = self.writer.state(&stream).await.map_err(unreadable)?;
        Ok((aggregate::customer_of(tenant, &stream).unwrap_or_default().to_owned(), account))
    }

    fn ready<M: Message>(
        &self,
        tenant: &str,
        customer_id: CustomerId,
        command: receivable::Command,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let key = command_key::<M>(keyed.0, keyed.1)?;
        let stream = aggregate::stream(tenant, customer_id.as_str());
        let meta = aggregate::meta(tenant, customer_id.as_str());
        let submission = Submission::new(stream, meta, Addressed { customer_id, command }).with_key(key);
        Ok(Ready { submission, tenant: tenant.to_owned(), claim: None })
    }

    pub(crate) fn ready_customer<M: Message>(
        &self,
        tenant: &str,
        customer: Option<proto::Customer>,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let (command, contact) = wire::customer(customer)?;
        let receivable::Command::RegisterCustomer(register) = &command else { return Err(Refusal::internal("no registration")) };
        let customer_id = register.customer_id.clone();
        let side = store_contact(tenant, customer_id.as_str(), &contact);
        let mut ready = self.ready(tenant, customer_id, command, keyed)?;
        ready.submission = ready.submission.with_side(side);
        Ok(ready)
    }

    pub(crate) fn ready_invoice<M: Message>(
        &self,
        tenant: &str,
        invoice: Option<proto::NewInvoice>,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let (customer_id, invoice_id, command) = wire::new_invoice(invoice, self.today())?;
        let mut ready = self.ready(tenant, customer_id, command, keyed)?;
        ready.submission = ready.submission.with_claim(INVOICE, invoice_id.as_str());
        ready.claim = Some((INVOICE, invoice_id.to_string()));
        Ok(ready)
    }

    pub(crate) async fn ready_payment<M: Message>(
        &self,
        tenant: &str,
        payment: Option<proto::NewPayment>,
        keyed: (&str, &M),
    ) -> Result<(Ready, InvoiceId), Refusal> {
        let (payment_id, invoice_id, payment) = wire::new_payment(payment, self.today())?;
        let stream = self.stream_of(tenant, INVOICE, "payment.invoice_id", invoice_id.as_str()).await?;
        let currency = match payment.currency {
            Some(currency) => currency,
            None => self.currency_of(&stream, &invoice_id).await?,
        };
        let customer_id = customer_id(tenant, &stream)?;
        let command = payment.command(payment_id.clone(), invoice_id.clone(), currency);
        let mut ready = self.ready(tenant, customer_id, command, keyed)?;
        ready.submission = ready.submission.with_claim(PAYMENT, payment_id.as_str());
        ready.claim = Some((PAYMENT, payment_id.to_string()));
        Ok((ready, invoice_id))
    }

    async fn currency_of(&self, stream: &str, invoice_id: &InvoiceId) -> Result<Currency, Refusal> {
        let (account, _) = self.writer.state(stream).await.map_err(unreadable)?;
        Ok(account.invoices.get(invoice_id).map_or(Currency::BRL, |invoice| invoice.currency))
    }

    pub(crate) async fn submit(&self, ready: Ready) -> Outcome {
        let Ready { submission, tenant, claim } = ready;
        let stream = submission.stream.clone();
        let written = self.writer.submit(submission).await.map_err(refusal)?;
        if let Some((kind, id)) = claim {
            self.streams.insert((tenant, kind, id), stream);
        }
        Ok(written)
    }

    async fn submit_on_invoice<M: Message>(
        &self,
        tenant: &str,
        target: (InvoiceId, receivable::Command),
        keyed: (&str, &M),
    ) -> Result<proto::Invoice, Refusal> {
        let (invoice_id, command) = target;
        let stream = self.stream_of(tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let customer_id = customer_id(tenant, &stream)?;
        let written = self.submit(self.ready(tenant, customer_id.clone(), command, keyed)?).await?;
        view(&written.state, customer_id.as_str(), &invoice_id)
    }
}

fn customer_id(tenant: &str, stream: &str) -> Result<CustomerId, Refusal> {
    let text = aggregate::customer_of(tenant, stream).unwrap_or_default();
    CustomerId::new(text).map_err(|_| Refusal::internal("a claim leads to no account"))
}

fn view(account: &Account, customer_id: &str, invoice_id: &InvoiceId) -> Result<proto::Invoice, Refusal> {
    let invoice = account.invoices.get(invoice_id).ok_or_else(|| Refusal::not_found("invoice_id", "unknown_invoice", "no such invoice"))?;
    Ok(wire::invoice_view(customer_id, invoice_id, invoice))
}

fn command_key<M: Message>(command_id: &str, body: &M) -> Result<CommandKey, Refusal> {
    let id = request::command_id(command_id)?;
    // The type's name is part of the body: one key for two kinds of command is a mistake of the caller.
    let mut hash = Sha256::new();
    hash.update(
        std::any::type_name::<M>().rsplit("::").next().unwrap_or_default().trim_end_matches("sRequest").trim_end_matches("Request"),
    );
    hash.update(body.encode_to_vec());
    Ok(CommandKey { id: id.to_string(), body_hash: hash.finalize().into() })
}

fn store_contact(tenant: &str, customer_id: &str, contact: &Contact) -> Statement {
    let phones: Vec<&str> = contact.phones.iter().map(|phone| phone.reveal()).collect();
    Statement {
        sql:
            "INSERT INTO customer_contact (tenant, customer_id, name, tax_id, email, phones, address) VALUES ($1, $2, $3, $4, $5, $6, $7) \
              ON CONFLICT (tenant, customer_id) DO UPDATE SET name = excluded.name, tax_id = excluded.tax_id, email = excluded.email, \
              phones = excluded.phones, address = excluded.address"
                .to_owned(),
        args: vec![
            tenant.into(),
            customer_id.into(),
            contact.name.reveal().into(),
            contact.tax_id.reveal().into(),
            contact.email.reveal().into(),
            phones.join(query::PHONE_SEPARATOR).into(),
            contact.address.reveal().into(),
        ],
    }
}

fn erase_contact(tenant: &str, customer_id: &str) -> Statement {
    Statement {
        sql: "DELETE FROM customer_contact WHERE tenant = $1 AND customer_id = $2".to_owned(),
        args: vec![tenant.into(), customer_id.into()],
    }
}

fn unreadable(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "a read failed");
    Refusal::unavailable("the database did not answer")
}

pub(crate) fn refusal(error: WriteError<Rejection>) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => rejected(&rejection),
        WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
        WriteError::ClaimTaken { kind, .. } => {
            Refusal::precondition(&format!("{kind}_id"), &format!("{kind}_exists"), format!("the id is another {kind}'s"))
        }
        WriteError::DiskFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        WriteError::Unavailable(reason) => Refusal::unavailable(reason),
        WriteError::SideRefused(reason) | WriteError::Corrupt(reason) => {
            tracing::error!(%reason, "the account could not be written");
            Refusal::internal("the account could not be written")
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

fn customer_message(customer_id: &str, account: &Account, contact: Option<Contact>) -> proto::Customer {
    let contact = contact.unwrap_or_default();
    proto::Customer {
        customer_id: customer_id.to_owned(),
        name: contact.name.reveal().to_owned(),
        tax_id: contact.tax_id.reveal().to_owned(),
        email: contact.email.reveal().to_owned(),
        phones: contact.phones.iter().map(|phone| phone.reveal().to_owned()).collect(),
        address: contact.address.reveal().to_owned(),
        attributes: Some(proto::CustomerAttributes {
            segment: account.attributes.segment.clone().unwrap_or_default(),
            language: account.attributes.language.clone(),
            time_zone: account.attributes.zone.clone().unwrap_or_default(),
            state: account.attributes.state.clone().unwrap_or_default(),
        }),
        consents: account.consents.iter().cloned().collect(),
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl InvoiceService for Server {
    type RegisterCustomersStream = Answers<proto::RegisterCustomersResponse>;
    type IssueInvoicesStream = Answers<proto::IssueInvoicesResponse>;
    type RecordPaymentsStream = Answers<proto::RecordPaymentsResponse>;

    async fn register_customer(&self, request: Request<proto::RegisterCustomerRequest>) -> Answer<proto::RegisterCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let ready = self.ready_customer(&tenant, m.customer.clone(), (&m.command_id, &m))?;
        self.submit(ready).await?;
        Ok(Response::new(proto::RegisterCustomerResponse { customer_id: m.customer.unwrap_or_default().customer_id }))
    }

    async fn register_customers(
        &self,
        request: Request<Streaming<proto::RegisterCustomersRequest>>,
    ) -> Answer<Self::RegisterCustomersStream> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(bulk::register_customers(self.clone(), tenant, request.into_inner()).boxed()))
    }

    async fn get_customer(&self, request: Request<proto::GetCustomerRequest>) -> Answer<proto::GetCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let customer_id = request::id("customer_id", &request.get_ref().customer_id, CustomerId::new)?;
        let (account, _) = self.writer.state(&aggregate::stream(&tenant, customer_id.as_str())).await.map_err(unreadable)?;
        if account.standing == Standing::Unknown {
            return Err(Refusal::not_found("customer_id", "customer_unknown", "the customer is unknown").into());
        }
        let contact = query::contact(&self.db, &tenant, customer_id.as_str()).await.map_err(Refusal::from)?;
        let customer = customer_message(customer_id.as_str(), &account, contact);
        Ok(Response::new(proto::GetCustomerResponse { customer: Some(customer), erased: account.standing == Standing::Erased }))
    }

    async fn list_customers(&self, request: Request<proto::ListCustomersRequest>) -> Answer<proto::ListCustomersResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let page = Page::of(m.page_size, &m.page_token)?;
        let found = query::customers(&self.views, &tenant, &m.segment, &page.after, page.limit()).await;
        let mut customers = found.map_err(unreadable)?;
        let next_page_token = page.cut(&mut customers, |customer| customer.customer_id.clone());
        Ok(Response::new(proto::ListCustomersResponse { customers, next_page_token }))
    }

    async fn erase_customer(&self, request: Request<proto::EraseCustomerRequest>) -> Answer<proto::EraseCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let command = receivable::Command::EraseCustomer(receivable::EraseCustomer { customer_id: customer_id.clone() });
        let side = erase_contact(&tenant, customer_id.as_str());
        let mut ready = self.ready(&tenant, customer_id, command, (&m.command_id, &m))?;
        ready.submission = ready.submission.with_side(side);
        self.submit(ready).await?;
        Ok(Response::new(proto::EraseCustomerResponse {}))
    }

    async fn issue_invoice(&self, request: Request<proto::IssueInvoiceRequest>) -> Answer<proto::IssueInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let ready = self.ready_invoice(&tenant, m.invoice.clone(), (&m.command_id, &m))?;
        let written = self.submit(ready).await?;
        let asked = m.invoice.unwrap_or_default();
        let invoice_id = request::id("invoice.invoice_id", &asked.invoice_id, InvoiceId::new)?;
        let invoice = view(&written.state, &asked.customer_id, &invoice_id)?;
        Ok(Response::new(proto::IssueInvoiceResponse { invoice: Some(invoice) }))
    }

    async fn issue_invoices(&self, request: Request<Streaming<proto::IssueInvoicesRequest>>) -> Answer<Self::IssueInvoicesStream> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(bulk::issue_invoices(self.clone(), tenant, request.into_inner()).boxed()))
    }

    async fn amend_invoice(&self, request: Request<proto::AmendInvoiceRequest>) -> Answer<proto::AmendInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let invoice = self.submit_on_invoice(&tenant, wire::amendment(&m, self.today())?, (&m.command_id, &m)).await?;
        Ok(Response::new(proto::AmendInvoiceResponse { invoice: Some(invoice) }))
    }

    async fn cancel_invoice(&self, request: Request<proto::CancelInvoiceRequest>) -> Answer<proto::CancelInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let invoice = self.submit_on_invoice(&tenant, wire::cancellation(&m, self.today())?, (&m.command_id, &m)).await?;
        Ok(Response::new(proto::CancelInvoiceResponse { invoice: Some(invoice) }))
    }

    async fn get_invoice(&self, request: Request<proto::GetInvoiceRequest>) -> Answer<proto::GetInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let invoice_id = request::id("invoice_id", &request.get_ref().invoice_id, InvoiceId::new)?;
        let (customer_id, account) = self.account_of(&tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        Ok(Response::new(proto::GetInvoiceResponse { invoice: Some(view(&account, &customer_id, &invoice_id)?) }))
    }

    async fn list_invoices(&self, request: Request<proto::ListInvoicesRequest>) -> Answer<proto::ListInvoicesResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let page = Page::of(m.page_size, &m.page_token)?;
        let status = match m.status() {
            proto::InvoiceStatus::Unspecified => "",
            proto::InvoiceStatus::Open => "open",
            proto::InvoiceStatus::Settled => "settled",
            proto::InvoiceStatus::Cancelled => "cancelled",
        };
        let filter = query::InvoiceFilter {
            tenant: &tenant,
            customer_id: &m.customer_id,
            status,
            due_from: request::date_or("due_from", &m.due_from, NaiveDate::default())?,
            due_until: request::date_or("due_until", &m.due_until, NaiveDate::from_ymd_opt(2199, 12, 31).unwrap_or_default())?,
            search: &m.search,
            after: &page.after,
            limit: page.limit(),
        };
        let mut invoices = query::invoices(&self.views, filter).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut invoices, |invoice| invoice.invoice_id.clone());
        Ok(Response::new(proto::ListInvoicesResponse { invoices, next_page_token }))
    }

    async fn record_payment(&self, request: Request<proto::RecordPaymentRequest>) -> Answer<proto::RecordPaymentResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let (ready, invoice_id) = self.ready_payment(&tenant, m.payment.clone(), (&m.command_id, &m)).await?;
        let customer_id = customer_id(&tenant, &ready.submission.stream)?;
        let written = self.submit(ready).await?;
        let invoice = view(&written.state, customer_id.as_str(), &invoice_id)?;
        let payment_id = request::id("payment.payment_id", &m.payment.unwrap_or_default().payment_id, kernel::PaymentId::new)?;
        let unapplied_minor = written.state.payments.get(&payment_id).map_or(0, receivable::Payment::unapplied_minor);
        Ok(Response::new(proto::RecordPaymentResponse { invoice: Some(invoice), unapplied_minor }))
    }

    async fn record_payments(&self, request: Request<Streaming<proto::RecordPaymentsRequest>>) -> Answer<Self::RecordPaymentsStream> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(bulk::record_payments(self.clone(), tenant, request.into_inner()).boxed()))
    }

    async fn reverse_payment(&self, request: Request<proto::ReversePaymentRequest>) -> Answer<proto::ReversePaymentResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let (payment_id, command) = wire::payment_reversal(&m, self.today())?;
        let stream = self.stream_of(&tenant, PAYMENT, "payment_id", payment_id.as_str()).await?;
        let customer_id = customer_id(&tenant, &stream)?;
        let written = self.submit(self.ready(&tenant, customer_id.clone(), command, (&m.command_id, &m))?).await?;
        let invoice_id = written.state.payments.get(&payment_id).map(|payment| payment.invoice_id.clone());
        let invoice_id = invoice_id.ok_or_else(|| Refusal::internal("a reversed payment has no invoice"))?;
        let invoice = view(&written.state, customer_id.as_str(), &invoice_id)?;
        Ok(Response::new(proto::ReversePaymentResponse { invoice: Some(invoice) }))
    }

    async fn get_invoice_balance(&self, request: Request<proto::GetInvoiceBalanceRequest>) -> Answer<proto::GetInvoiceBalanceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let invoice_id = request::id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        let as_of = request::date_or("as_of", &m.as_of, self.today())?;
        let (_, account) = self.account_of(&tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let found = query::invoice_balance(&self.views, &tenant, invoice_id.as_str(), as_of).await.map_err(unreadable)?;
        let currency = account.invoices.get(&invoice_id).map(|invoice| invoice.currency.to_string()).unwrap_or_default();
        let (outstanding_minor, currency) = found.unwrap_or((0, currency));
        Ok(Response::new(proto::GetInvoiceBalanceResponse { outstanding_minor, currency }))
    }

    async fn get_customer_balance(&self, request: Request<proto::GetCustomerBalanceRequest>) -> Answer<proto::GetCustomerBalanceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let as_of = request::date_or("as_of", &m.as_of, self.today())?;
        let (account, _) = self.writer.state(&aggregate::stream(&tenant, customer_id.as_str())).await.map_err(unreadable)?;
        if account.standing == Standing::Unknown {
            return Err(Refusal::not_found("customer_id", "customer_unknown", "the customer is unknown").into());
        }
        let balances = query::customer_balance(&self.views, &tenant, customer_id.as_str(), as_of).await.map_err(unreadable)?;
        Ok(Response::new(proto::GetCustomerBalanceResponse { balances }))
    }

    async fn authorize_reminder(&self, request: Request<proto::AuthorizeReminderRequest>) -> Answer<proto::AuthorizeReminderResponse> {
        let tenant = tenant_of(&request)?;
        let now = self.clock.now();
        let (customer_id, look) = wire::reminder(request.get_ref(), now, self.tolerance_minor)?;
        let stream = aggregate::stream(&tenant, customer_id.as_str());
        let items = look.items.clone();
        let addressed = Addressed { customer_id: customer_id.clone(), command: receivable::Command::AuthorizeReminder(look) };
        let submission = Submission::new(stream, aggregate::meta(&tenant, customer_id.as_str()), addressed);
        let written = self.writer.submit(submission).await.map_err(refusal)?;
        let verdicts = receivable::last_look(&written.state, &items, self.tolerance_minor);
        let contact = query::contact(&self.db, &tenant, customer_id.as_str()).await.map_err(Refusal::from)?;
        let authorized = written.appended.last_version >= written.appended.first_version;
        Ok(Response::new(proto::AuthorizeReminderResponse {
            verdicts: verdicts.iter().map(|v| wire::verdict(v, written.state.invoices.get(&v.item.invoice_id))).collect(),
            customer: Some(customer_message(customer_id.as_str(), &written.state, contact)),
            looked_at: Some(prost_types::Timestamp {
                seconds: now.timestamp(),
                nanos: i32::try_from(now.timestamp_subsec_nanos()).unwrap_or(0),
            }),
            position: if authorized { written.appended.last_position } else { 0 },
        }))
    }
}
