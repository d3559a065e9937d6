//! Request → command → response.

mod agreement;
mod collection;
mod credit;
mod customers;
mod finding;
mod legal_rates;
mod ready;
mod views;

pub(crate) use ready::{Ready, command_key};

use crate::{
    aggregate::{self, Accounts, Addressed},
    allotment::Allotment,
    balance::Balances,
    bulk,
    feed::{self, FeedWatch},
    finding::Findings,
    legal_rates::RateBook,
    query,
    remittance::RemittanceFiles,
    unapplied::UnappliedPayments,
    wire,
};
use chrono::NaiveDate;
use contracts::invoice::v1::{self as proto, invoice_service_server::InvoiceService};
use eventlog::{Clock, Log, Recorded, Submission, Writer, projection::Views};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use host::{
    Refusal,
    access::tenant_of,
    request::{self, Page},
};
use kernel::{ContactId, CustomerId, InvoiceId, Zone};
use quick_cache::sync::Cache;
use receivable::{Account, Event, Standing};
use sql::Db;
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::Arc,
};
use tonic::{Request, Response, Status, Streaming};

/// Kind of the claim by which an invoice's account is found.
pub(crate) const INVOICE: &str = "invoice";
/// Kind of the claim by which a payment's account is found.
pub(crate) const PAYMENT: &str = "payment";
/// Kind of the claim by which a credit note's account is found.
pub(crate) const CREDIT_NOTE: &str = "credit_note";
/// Kind of the claim by which an agreement's account is found.
pub(crate) const AGREEMENT: &str = "agreement";
/// Kind of the claim by which a boleto's account is found: `<collection account>/<number>`, see [`receivable::Slip::look_up_number`].
pub(crate) const BOLETO: &str = "boleto";
/// Kind of the claim by which a Pix's account is found: its txid.
pub(crate) const TXID: &str = "txid";

/// Accounts of a page that are looked at at a time.
const ACCOUNTS_IN_FLIGHT: usize = 16;

/// The service; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(crate) writer: Writer<Accounts>,
    pub(crate) allotment: Allotment,
    pub(crate) unapplied: Writer<UnappliedPayments>,
    pub(crate) findings: Writer<Findings>,
    pub(crate) remittances: Writer<RemittanceFiles>,
    pub(crate) log: Log,
    pub(crate) views: Views,
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: Zone,
    pub(crate) tolerance_minor: i64,
    pub(crate) feeds: FeedWatch,
    pub(crate) rate_book: RateBook,
    /// (tenant, kind, id) → stream; claims never change, so an entry is never wrong. Ids are chosen by platforms that may write here anyway.
    pub(crate) streams: Arc<Cache<(String, &'static str, String), String>>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Server {
    pub(crate) fn today(&self) -> NaiveDate {
        self.zone.day_of(self.clock.now())
    }

    /// The payer whose account owns an id. Errors: NOT_FOUND `unknown_<kind>`.
    pub(crate) async fn payer_of(&self, tenant: &str, kind: &'static str, field: &str, id: &str) -> Result<CustomerId, Refusal> {
        let unknown = || Refusal::not_found(field, &format!("unknown_{kind}"), format!("no {kind} {id}"));
        self.owner(tenant, kind, id).await?.ok_or_else(unknown)
    }

    /// The payer whose account owns an id; `None` where nobody does.
    pub(crate) async fn owner(&self, tenant: &str, kind: &'static str, id: &str) -> Result<Option<CustomerId>, Refusal> {
        let key = (tenant.to_owned(), kind, id.to_owned());
        let stream = match self.streams.get(&key) {
            Some(stream) => stream,
            None => {
                let Some(stream) = self.log.claimed(tenant, kind, id).await.map_err(unreadable)? else { return Ok(None) };
                self.streams.insert(key, stream.clone());
                stream
            }
        };
        let text = aggregate::customer_of(tenant, &stream).unwrap_or_default();
        CustomerId::new(text).map(Some).map_err(|_| Refusal::internal("a claim leads to no account"))
    }

    /// The account of a payer as it is now. Errors: NOT_FOUND `unknown_customer`.
    async fn account(&self, tenant: &str, customer_id: &CustomerId) -> Result<Arc<Account>, Refusal> {
        let (account, _) = self.writer.state(&aggregate::stream(tenant, customer_id.as_str())).await.map_err(unreadable)?;
        match account.standing {
            Standing::Unknown => Err(unknown_customer()),
            Standing::Active | Standing::Erased => Ok(account),
        }
    }

    /// Fills in what settles each receivable of a page today. The accounts may have moved on since the view: what they say is shown
    /// beside what the view says.
    async fn say_what_is_due(&self, tenant: &str, invoices: &mut [proto::Invoice]) -> Result<(), Refusal> {
        let (today, rates) = (self.today(), self.rates(tenant).await?);
        let open = invoices.iter().filter(|invoice| invoice.status() == proto::InvoiceStatus::Open);
        let payers: BTreeSet<String> = open.map(|invoice| invoice.customer_id.clone()).collect();
        let accounts = stream::iter(payers).map(|customer_id| async move {
            let state = self.writer.state(&aggregate::stream(tenant, &customer_id)).await.map_err(unreadable)?;
            Ok::<_, Refusal>((customer_id, state.0))
        });
        let accounts: BTreeMap<String, Arc<Account>> = accounts.buffer_unordered(ACCOUNTS_IN_FLIGHT).try_collect().await?;
        for invoice in invoices {
            if let Some(account) = accounts.get(&invoice.customer_id) {
                wire::say_what_is_due(invoice, account, (today, &rates));
            }
        }
        Ok(())
    }

    async fn balances(&self, tenant: &str, customer_id: &CustomerId, as_of: NaiveDate) -> Result<Balances, Refusal> {
        let stream = aggregate::stream(tenant, customer_id.as_str());
        Balances::read(&self.views, &self.log, (tenant, customer_id.as_str(), &stream), as_of).await.map_err(unreadable)
    }

    /// Where in the log a contact was authorised last; 0 where it was not.
    async fn authorized_at(&self, stream: String, contact_id: &ContactId) -> Result<u64, Refusal> {
        let events = self.log.read_streams(&[(stream, 0)]).await.map_err(unreadable)?;
        Ok(events.iter().rev().find(|event| authorizes(event, contact_id)).map_or(0, |event| event.position))
    }
}

fn authorizes(event: &Recorded, contact_id: &ContactId) -> bool {
    let fact = wire::decode(&event.event_type, &event.payload).ok().flatten();
    fact.is_some_and(|fact| matches!(fact.event, Event::ReminderAuthorized(authorized) if authorized.contact_id == *contact_id))
}

fn unknown_customer() -> Refusal {
    Refusal::not_found("customer_id", "unknown_customer", "the customer is unknown")
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "a read failed");
    Refusal::unavailable("the database did not answer")
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl InvoiceService for Server {
    type RegisterCustomersStream = Answers<proto::RegisterCustomersResponse>;
    type IssueInvoicesStream = Answers<proto::IssueInvoicesResponse>;
    type WriteRemittanceStream = Answers<proto::WriteRemittanceResponse>;
    type RecordPaymentsStream = Answers<proto::RecordPaymentsResponse>;

    async fn register_customer(&self, request: Request<proto::RegisterCustomerRequest>) -> Answer<proto::RegisterCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let ready = self.ready_customer(&tenant, m.customer.clone(), (&m.command_id, &m))?;
        Ok(Response::new(self.submit(ready).await?))
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
        let account = self.account(&tenant, &customer_id).await?;
        let contact = query::contact(&self.db, &tenant, customer_id.as_str()).await.map_err(Refusal::from)?;
        let customer = wire::customer_view(customer_id.as_str(), &account, contact);
        let (erased, rating) = (account.standing == Standing::Erased, wire::rating(&account));
        Ok(Response::new(proto::GetCustomerResponse { customer: Some(customer), erased, rating }))
    }

    async fn list_customers(&self, request: Request<proto::ListCustomersRequest>) -> Answer<proto::ListCustomersResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let page = Page::of(m.page_size, &m.page_token)?;
        let segment = request::filter("segment", &m.segment, 64)?;
        let search = request::filter("search", &m.search, 64)?;
        if !search.is_empty() {
            return Ok(Response::new(self.search_customers(&tenant, (&search, &segment), &page).await?));
        }
        let found = query::customers(&self.views, &tenant, &segment, &page.after, page.limit()).await;
        let mut customers = found.map_err(unreadable)?;
        let next_page_token = page.cut(&mut customers, |customer| customer.customer_id.clone());
        Ok(Response::new(proto::ListCustomersResponse { customers, next_page_token }))
    }

    async fn erase_customer(&self, request: Request<proto::EraseCustomerRequest>) -> Answer<proto::EraseCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_erasure(&tenant, request.get_ref())?;
        Ok(Response::new(self.submit(ready).await?))
    }

    async fn issue_invoice(&self, request: Request<proto::IssueInvoiceRequest>) -> Answer<proto::IssueInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let ready = self.ready_invoice(&tenant, m.invoice.clone(), (&m.command_id, &m)).await?;
        let mut answer: proto::IssueInvoiceResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn issue_invoices(&self, request: Request<Streaming<proto::IssueInvoicesRequest>>) -> Answer<Self::IssueInvoicesStream> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(bulk::issue_invoices(self.clone(), tenant, request.into_inner()).boxed()))
    }

    async fn amend_invoice(&self, request: Request<proto::AmendInvoiceRequest>) -> Answer<proto::AmendInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_amendment(&tenant, request.get_ref()).await?;
        let mut answer: proto::AmendInvoiceResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn cancel_invoice(&self, request: Request<proto::CancelInvoiceRequest>) -> Answer<proto::CancelInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_cancellation(&tenant, request.get_ref()).await?;
        let mut answer: proto::CancelInvoiceResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn get_invoice(&self, request: Request<proto::GetInvoiceRequest>) -> Answer<proto::GetInvoiceResponse> {
        let tenant = tenant_of(&request)?;
        let invoice_id = request::id("invoice_id", &request.get_ref().invoice_id, InvoiceId::new)?;
        let customer_id = self.payer_of(&tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let account = self.account(&tenant, &customer_id).await?;
        let on = (self.today(), &*self.rates(&tenant).await?);
        let mut answer = proto::GetInvoiceResponse { invoice: wire::invoice_view(&customer_id, &invoice_id, &account, on) };
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn list_invoices(&self, request: Request<proto::ListInvoicesRequest>) -> Answer<proto::ListInvoicesResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let page = Page::of(m.page_size, &m.page_token)?;
        let filter = wire::invoice_filter(&m)?;
        let mut invoices = query::invoices(&self.views, &tenant, &filter, &page).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut invoices, |invoice| invoice.invoice_id.clone());
        self.say_what_is_due(&tenant, &mut invoices).await?;
        Ok(Response::new(proto::ListInvoicesResponse { invoices, next_page_token }))
    }

    async fn issue_credit_note(&self, request: Request<proto::IssueCreditNoteRequest>) -> Answer<proto::IssueCreditNoteResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_credit_note(&tenant, request.get_ref()).await?;
        let mut answer: proto::IssueCreditNoteResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn cancel_credit_note(&self, request: Request<proto::CancelCreditNoteRequest>) -> Answer<proto::CancelCreditNoteResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_note_cancellation(&tenant, request.get_ref()).await?;
        let mut answer: proto::CancelCreditNoteResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn record_view(&self, request: Request<proto::RecordViewRequest>) -> Answer<proto::RecordViewResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_view(&tenant, request.get_ref()).await?;
        Ok(Response::new(self.submit(ready).await?))
    }

    async fn rate_customer(&self, request: Request<proto::RateCustomerRequest>) -> Answer<proto::RateCustomerResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_rating(&tenant, request.get_ref())?;
        Ok(Response::new(self.submit(ready).await?))
    }

    async fn make_agreement(&self, request: Request<proto::MakeAgreementRequest>) -> Answer<proto::MakeAgreementResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_agreement(&tenant, request.get_ref()).await?;
        Ok(Response::new(self.submit(ready).await?))
    }

    async fn break_agreement(&self, request: Request<proto::BreakAgreementRequest>) -> Answer<proto::BreakAgreementResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_break(&tenant, request.get_ref()).await?;
        Ok(Response::new(self.submit(ready).await?))
    }

    async fn get_agreement(&self, request: Request<proto::GetAgreementRequest>) -> Answer<proto::GetAgreementResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.show_agreement(&tenant, &request.get_ref().agreement_id).await?))
    }

    async fn list_agreements(&self, request: Request<proto::ListAgreementsRequest>) -> Answer<proto::ListAgreementsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.list_payers_agreements(&tenant, request.get_ref()).await?))
    }

    async fn list_bank_findings(&self, request: Request<proto::ListBankFindingsRequest>) -> Answer<proto::ListBankFindingsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.list_findings(&tenant, request.get_ref()).await?))
    }

    async fn dismiss_bank_finding(&self, request: Request<proto::DismissBankFindingRequest>) -> Answer<proto::DismissBankFindingResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.dismiss_finding(&tenant, request.get_ref()).await?))
    }

    async fn record_payment(&self, request: Request<proto::RecordPaymentRequest>) -> Answer<proto::RecordPaymentResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let ready = self.ready_payment(&tenant, m.payment.clone(), (&m.command_id, &m)).await?;
        let mut answer: proto::RecordPaymentResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn record_payments(&self, request: Request<Streaming<proto::RecordPaymentsRequest>>) -> Answer<Self::RecordPaymentsStream> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(bulk::record_payments(self.clone(), tenant, request.into_inner()).boxed()))
    }

    async fn reverse_payment(&self, request: Request<proto::ReversePaymentRequest>) -> Answer<proto::ReversePaymentResponse> {
        let tenant = tenant_of(&request)?;
        let ready = self.ready_reversal(&tenant, request.get_ref()).await?;
        let mut answer: proto::ReversePaymentResponse = self.submit(ready).await?;
        self.show_pix(&tenant, &mut answer.invoice).await?;
        Ok(Response::new(answer))
    }

    async fn get_invoice_balance(&self, request: Request<proto::GetInvoiceBalanceRequest>) -> Answer<proto::GetInvoiceBalanceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let invoice_id = request::id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        let as_of = request::date_or("as_of", &m.as_of, self.today())?;
        let customer_id = self.payer_of(&tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let account = self.account(&tenant, &customer_id).await?;
        let currency = account.invoices.get(&invoice_id).map(|invoice| invoice.currency.to_string()).unwrap_or_default();
        let balances = self.balances(&tenant, &customer_id, as_of).await?;
        let outstanding_minor = balances.of_invoice(&currency, invoice_id.as_str());
        Ok(Response::new(proto::GetInvoiceBalanceResponse { outstanding_minor, currency }))
    }

    async fn get_customer_balance(&self, request: Request<proto::GetCustomerBalanceRequest>) -> Answer<proto::GetCustomerBalanceResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let as_of = request::date_or("as_of", &m.as_of, self.today())?;
        self.account(&tenant, &customer_id).await?;
        let found = self.balances(&tenant, &customer_id, as_of).await?;
        let line = |(currency, credit_minor): (&String, &i64)| proto::CurrencyBalance {
            currency: currency.clone(),
            outstanding_minor: found.of_currency(currency),
            credit_minor: *credit_minor,
        };
        Ok(Response::new(proto::GetCustomerBalanceResponse { balances: found.credit_minor.iter().map(line).collect() }))
    }

    async fn authorize_reminder(&self, request: Request<proto::AuthorizeReminderRequest>) -> Answer<proto::AuthorizeReminderResponse> {
        let tenant = tenant_of(&request)?;
        let now = self.clock.now();
        let feed_stale = self.feeds.is_stale(&tenant, now).await.map_err(unreadable)?;
        let today = self.zone.day_of(now);
        let terms = wire::Terms { at: now, day: today, tolerance_minor: self.tolerance_minor, zone: self.zone, feed_stale };
        let (customer_id, look) = wire::reminder(request.get_ref(), terms)?;
        let stream = aggregate::stream(&tenant, customer_id.as_str());
        let rates = self.rates(&tenant).await?;
        let command = receivable::Command::AuthorizeReminder(look.clone());
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let submission = Submission::new(stream.clone(), aggregate::meta(&tenant, customer_id.as_str()), addressed);
        let place = wire::Place::of("AuthorizeReminderRequest");
        let refused = |error| ready::refusal(error, place, |rejection| wire::refused(rejection, place));
        let written = self.writer.submit(submission).await.map_err(refused)?;
        if written.state.standing == Standing::Unknown {
            return Err(unknown_customer().into());
        }
        let verdicts = receivable::last_look(&written.state, &look, &rates);
        if verdicts.iter().any(|verdict| verdict.answer == receivable::Answer::Refused(receivable::RefusalReason::ChargesUnknown)) {
            self.rate_book.is_missing(&tenant);
        }
        let authorized = verdicts.iter().any(|verdict| matches!(verdict.answer, receivable::Answer::Authorized { .. }));
        // Contact data is for a message about to go out; without one, nobody is shown it.
        let contact = if authorized { query::contact(&self.db, &tenant, customer_id.as_str()).await.map_err(Refusal::from)? } else { None };
        let appended = written.appended.last_version >= written.appended.first_version;
        let position = match (authorized, appended) {
            (false, _) => 0,
            (true, true) => written.appended.last_position,
            // The contact was authorised for just this before.
            (true, false) => self.authorized_at(stream, &look.contact_id).await?,
        };
        let asked = receivable::uncontested(&written.state, &look.items);
        let mut verdicts: Vec<_> = verdicts.iter().map(|verdict| wire::verdict(verdict, &asked, (today, &rates))).collect();
        for verdict in &mut verdicts {
            self.code_pix(&tenant, verdict.instruments.as_mut(), verdict.net_minor).await?;
        }
        Ok(Response::new(proto::AuthorizeReminderResponse {
            verdicts,
            customer: Some(wire::customer_view(customer_id.as_str(), &written.state, contact)),
            looked_at: Some(wire::timestamp(now)),
            position,
        }))
    }
    async fn report_payment_feed(&self, request: Request<proto::ReportPaymentFeedRequest>) -> Answer<proto::ReportPaymentFeedResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.report_feed(&tenant, request.get_ref()).await?))
    }

    async fn get_payment_feed(&self, request: Request<proto::GetPaymentFeedRequest>) -> Answer<proto::GetPaymentFeedResponse> {
        let tenant = tenant_of(&request)?;
        let (feed, _) = self.feeds.writer.state(&feed::stream(&tenant)).await.map_err(unreadable)?;
        Ok(Response::new(proto::GetPaymentFeedResponse {
            known_until: feed.known_until.map(wire::timestamp),
            stale: self.feeds.judge(&tenant, &feed, self.clock.now()),
            max_age_hours: self.feeds.max_age_hours,
        }))
    }

    async fn register_collection_account(
        &self,
        request: Request<proto::RegisterCollectionAccountRequest>,
    ) -> Answer<proto::RegisterCollectionAccountResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.register_account(&tenant, request.get_ref()).await?))
    }

    async fn get_collection_account(
        &self,
        request: Request<proto::GetCollectionAccountRequest>,
    ) -> Answer<proto::GetCollectionAccountResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.show_account(&tenant, &request.get_ref().account_id).await?))
    }

    async fn list_collection_accounts(
        &self,
        request: Request<proto::ListCollectionAccountsRequest>,
    ) -> Answer<proto::ListCollectionAccountsResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.list_accounts(&tenant, request.get_ref()).await?))
    }

    async fn get_statement(&self, request: Request<proto::GetStatementRequest>) -> Answer<proto::GetStatementResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let invoice_id = request::id("invoice_id", &m.invoice_id, InvoiceId::new)?;
        let as_of = request::date_or("as_of", &m.as_of, self.today())?;
        let customer_id = self.payer_of(&tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let account = self.account(&tenant, &customer_id).await?;
        let rates = self.rates(&tenant).await?;
        Ok(Response::new(proto::GetStatementResponse { statement: wire::statement(&account, &invoice_id, (as_of, &rates))? }))
    }

    async fn record_legal_rates(&self, request: Request<proto::RecordLegalRatesRequest>) -> Answer<proto::RecordLegalRatesResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.record_rates(&tenant, request.get_ref()).await?))
    }

    async fn list_legal_rates(&self, request: Request<proto::ListLegalRatesRequest>) -> Answer<proto::ListLegalRatesResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.list_rates(&tenant).await?))
    }

    async fn list_unapplied_payments(
        &self,
        request: Request<proto::ListUnappliedPaymentsRequest>,
    ) -> Answer<proto::ListUnappliedPaymentsResponse> {
        let tenant = tenant_of(&request)?;
        let m = request.into_inner();
        let page = Page::of(m.page_size, &m.page_token)?;
        let status = wire::unapplied_status(m.status)?;
        let mut payments = query::unapplied(&self.views, &tenant, status, &page).await.map_err(unreadable)?;
        let next_page_token = page.cut(&mut payments, query::unapplied_key);
        Ok(Response::new(proto::ListUnappliedPaymentsResponse { payments, next_page_token }))
    }

    async fn apply_payment(&self, request: Request<proto::ApplyPaymentRequest>) -> Answer<proto::ApplyPaymentResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.apply(&tenant, request.get_ref()).await?))
    }

    async fn import_bank_file(&self, request: Request<Streaming<proto::ImportBankFileRequest>>) -> Answer<proto::ImportBankFileResponse> {
        let tenant = tenant_of(&request)?;
        let pieces = request.into_inner().map(|piece| match piece {
            Ok(piece) => Ok(piece.content),
            Err(status) => Err(Refusal::of_broken_stream(&status, "content")),
        });
        Ok(Response::new(self.import(&tenant, pieces).await?))
    }

    async fn write_remittance(&self, request: Request<proto::WriteRemittanceRequest>) -> Answer<Self::WriteRemittanceStream> {
        let tenant = tenant_of(&request)?;
        let file = Server::write_remittance(self, &tenant, request.get_ref()).await?;
        Ok(Response::new(stream::iter(file.pieces().map(Ok)).boxed()))
    }

    async fn dismiss_payment(&self, request: Request<proto::DismissPaymentRequest>) -> Answer<proto::DismissPaymentResponse> {
        let tenant = tenant_of(&request)?;
        Ok(Response::new(self.dismiss(&tenant, request.get_ref()).await?))
    }
}
