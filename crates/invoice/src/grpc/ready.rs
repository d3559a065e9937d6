//! Commands made ready for their account: idempotency key, names, rows beside the events, and the answer that is stored with them.
//!
//! A command that is repeated gets the answer of the first time, whatever has happened to the account since. The items of a bulk
//! stream are the commands of the single calls: same key, same body, same answer.

use super::agreement::Making;
use super::{BOLETO, INVOICE, PAYMENT, Server, TXID, collection, unreadable};
use crate::{
    aggregate::{self, Accounts, Addressed},
    allotment::Allotted,
    feed, query,
    wire::{self, Contact, Place},
};
use brazil::charges::LegalRates;
use chrono::NaiveDate;
use contracts::invoice::v1 as proto;
use eventlog::{CommandKey, Statement, Submission, WriteError, Written};
use host::{Refusal, request};
use kernel::{CollectionAccountId, Currency, CustomerId, InvoiceId, PaymentId};
use prost::Message;
use receivable::{Account, Command, IssueInvoice, Rejection};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A command ready for its account.
pub(crate) struct Ready {
    submission: Submission<Accounts>,
    tenant: String,
    claim: Option<(&'static str, String)>,
    place: Place,
    /// The numbers of boletos that were taken for it.
    allotted: Vec<Allotted>,
    /// What the numbers were taken for, to be tried with others.
    again: Option<Again>,
}

/// What is tried again where a number turns out to be taken.
enum Again {
    Invoice(Box<Issue>),
    Agreement(Box<Making>),
}

/// An invoice to be issued, before a number is taken for it.
#[derive(Clone)]
struct Issue {
    customer_id: CustomerId,
    account_id: Option<CollectionAccountId>,
    issue: IssueInvoice,
    key: CommandKey,
    rates: Arc<LegalRates>,
    today: NaiveDate,
}

/// Numbers tried for an invoice where those before turn out to be taken.
const NUMBERS_TRIED: usize = 100;

impl Ready {
    pub(super) fn claiming(mut self, kind: &'static str, id: &str) -> Self {
        self.submission = self.submission.with_claim(kind, id);
        self.claim = Some((kind, id.to_owned()));
        self.place.within = kind;
        self
    }

    pub(super) fn claiming_too(mut self, claims: Vec<(&'static str, String)>) -> Self {
        self.submission = claims.into_iter().fold(self.submission, |submission, (kind, name)| submission.with_claim(kind, name));
        self
    }

    pub(super) fn with_numbers(self, allotted: Vec<Allotted>, making: Making) -> Self {
        let again = (!allotted.is_empty()).then(|| Again::Agreement(Box::new(making)));
        Self { allotted, again, ..self }
    }

    fn beside(mut self, row: Statement) -> Self {
        self.submission = self.submission.with_side(row);
        self
    }

    pub(super) fn answering<M: Message>(mut self, answer: impl Fn(&Account) -> M + Send + Sync + 'static) -> Self {
        self.submission = self.submission.with_answer(move |account, _| answer(account).encode_to_vec());
        self
    }
}

impl Server {
    /// `request`: the message that the command came in.
    pub(super) fn ready(&self, tenant: &str, addressed: Addressed, (request, key): (&'static str, CommandKey)) -> Ready {
        let stream = aggregate::stream(tenant, addressed.customer_id.as_str());
        let meta = aggregate::meta(tenant, addressed.customer_id.as_str());
        let submission = Submission::new(stream, meta, addressed).with_key(key);
        Ready { submission, tenant: tenant.to_owned(), claim: None, place: Place::of(request), allotted: Vec::new(), again: None }
    }

    pub(crate) fn ready_customer<M: Message>(
        &self,
        tenant: &str,
        customer: Option<proto::Customer>,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let key = command_key("RegisterCustomer", keyed)?;
        let (register, contact) = wire::customer(customer)?;
        let customer_id = register.customer_id.clone();
        let row = store_contact(tenant, customer_id.as_str(), &contact);
        let addressed = without_rates(customer_id.clone(), Command::RegisterCustomer(register));
        let ready = self.ready(tenant, addressed, ("RegisterCustomerRequest", key));
        let answer = move |_: &Account| proto::RegisterCustomerResponse { customer_id: customer_id.to_string() };
        let place = Place { within: "customer", ..ready.place };
        Ok(Ready { place, ..ready.beside(row).answering(answer) })
    }

    pub(crate) fn ready_erasure(&self, tenant: &str, m: &proto::EraseCustomerRequest) -> Result<Ready, Refusal> {
        let key = command_key("EraseCustomer", (&m.command_id, m))?;
        let customer_id = request::id("customer_id", &m.customer_id, CustomerId::new)?;
        let command = Command::EraseCustomer(receivable::EraseCustomer { customer_id: customer_id.clone() });
        let row = erase_contact(tenant, customer_id.as_str());
        let ready = self.ready(tenant, without_rates(customer_id, command), ("EraseCustomerRequest", key));
        Ok(ready.beside(row).answering(|_| proto::EraseCustomerResponse {}))
    }

    pub(crate) async fn ready_invoice<M: Message>(
        &self,
        tenant: &str,
        invoice: Option<proto::NewInvoice>,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let key = command_key("IssueInvoice", keyed)?;
        let today = self.today();
        let wire::NewInvoice { customer_id, issue, account_id } = wire::new_invoice(invoice, today)?;
        let rates = self.rates(tenant).await?;
        self.ready_issue(tenant, Issue { customer_id, account_id, issue, key, rates, today }).await
    }

    /// Takes a number for the invoice, where its account has any.
    async fn ready_issue(&self, tenant: &str, asked: Issue) -> Result<Ready, Refusal> {
        let paid_with = self.paid_with(tenant, &asked.issue, asked.account_id.clone()).await?;
        let collection::PaidWith { instruments, charges, allotted } = paid_with;
        let again = allotted.is_some().then(|| Again::Invoice(Box::new(asked.clone())));
        let Issue { customer_id, mut issue, key, rates, today, .. } = asked;
        let invoice_id = issue.invoice_id.clone();
        issue.instruments = instruments;
        issue.charges = issue.charges.or(charges);
        let claims = collection::claims(&issue);
        let addressed = Addressed { customer_id: customer_id.clone(), command: Command::IssueInvoice(issue), rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("IssueInvoiceRequest", key)).claiming(INVOICE, invoice_id.as_str());
        let ready = Ready { allotted: allotted.into_iter().collect(), again, ..ready.claiming_too(claims) };
        Ok(ready.answering(move |account| proto::IssueInvoiceResponse {
            invoice: wire::invoice_view(&customer_id, &invoice_id, account, (today, &rates)),
        }))
    }

    pub(crate) async fn ready_amendment(&self, tenant: &str, m: &proto::AmendInvoiceRequest) -> Result<Ready, Refusal> {
        let key = command_key("AmendInvoice", (&m.command_id, m))?;
        let today = self.today();
        let (invoice_id, command) = wire::amendment(m, today)?;
        let customer_id = self.payer_of(tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("AmendInvoiceRequest", key));
        Ok(ready.answering(move |account| proto::AmendInvoiceResponse {
            invoice: wire::invoice_view(&customer_id, &invoice_id, account, (today, &rates)),
        }))
    }

    pub(crate) async fn ready_cancellation(&self, tenant: &str, m: &proto::CancelInvoiceRequest) -> Result<Ready, Refusal> {
        let key = command_key("CancelInvoice", (&m.command_id, m))?;
        let today = self.today();
        let (invoice_id, command) = wire::cancellation(m, today)?;
        let customer_id = self.payer_of(tenant, INVOICE, "invoice_id", invoice_id.as_str()).await?;
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("CancelInvoiceRequest", key));
        Ok(ready.answering(move |account| proto::CancelInvoiceResponse {
            invoice: wire::invoice_view(&customer_id, &invoice_id, account, (today, &rates)),
        }))
    }

    pub(crate) async fn ready_payment<M: Message>(
        &self,
        tenant: &str,
        payment: Option<proto::NewPayment>,
        keyed: (&str, &M),
    ) -> Result<Ready, Refusal> {
        let key = command_key("RecordPayment", keyed)?;
        let today = self.today();
        let (payment_id, invoice_id, payment) = wire::new_payment(payment, today)?;
        let customer_id = self.payer_of(tenant, INVOICE, "payment.invoice_id", invoice_id.as_str()).await?;
        let currency = match payment.currency {
            Some(currency) => currency,
            None => self.currency_of(&aggregate::stream(tenant, customer_id.as_str()), &invoice_id).await?,
        };
        let command = payment.command(payment_id.clone(), invoice_id.clone(), currency);
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("RecordPaymentRequest", key)).claiming(PAYMENT, payment_id.as_str());
        Ok(ready.answering(move |account| proto::RecordPaymentResponse {
            invoice: wire::invoice_view(&customer_id, &invoice_id, account, (today, &rates)),
            unapplied_minor: account.payments.get(&payment_id).map_or(0, receivable::Payment::unapplied_minor),
        }))
    }

    pub(crate) async fn ready_reversal(&self, tenant: &str, m: &proto::ReversePaymentRequest) -> Result<Ready, Refusal> {
        let key = command_key("ReversePayment", (&m.command_id, m))?;
        let today = self.today();
        let (payment_id, command) = wire::payment_reversal(m, today)?;
        let customer_id = self.payer_of(tenant, PAYMENT, "payment_id", payment_id.as_str()).await?;
        let rates = self.rates(tenant).await?;
        let addressed = Addressed { customer_id: customer_id.clone(), command, rates: Arc::clone(&rates) };
        let ready = self.ready(tenant, addressed, ("ReversePaymentRequest", key));
        Ok(ready.answering(move |account| proto::ReversePaymentResponse {
            invoice: paid_invoice(&customer_id, &payment_id, account, (today, &rates)),
        }))
    }

    /// The currency of a payer's invoice, which it has from its issue on and for good; the real's where there is no such invoice, which
    /// the account then says.
    pub(super) async fn currency_of(&self, stream: &str, invoice_id: &InvoiceId) -> Result<Currency, Refusal> {
        let currency = |account: Arc<Account>| account.invoices.get(invoice_id).map(|invoice| invoice.currency);
        if let Some(known) = self.writer.remembered(stream).and_then(currency) {
            return Ok(known);
        }
        let (account, _) = self.writer.state(stream).await.map_err(unreadable)?;
        Ok(currency(account).unwrap_or(Currency::BRL))
    }

    /// Says how far the payments reach; the same key gets the same answer.
    pub(super) async fn report_feed(
        &self,
        tenant: &str,
        m: &proto::ReportPaymentFeedRequest,
    ) -> Result<proto::ReportPaymentFeedResponse, Refusal> {
        let key = command_key("ReportPaymentFeed", (&m.command_id, m))?;
        let now = self.clock.now();
        let report = wire::feed_report(m, now)?;
        let submission = Submission::new(feed::stream(tenant), feed::meta(tenant), report).with_key(key);
        let submission = submission.with_answer(|feed, _| wire::feed_reported(feed).encode_to_vec());
        let written = self.feeds.writer.submit(submission).await.map_err(|error| refusal(error, Place::default(), wire::feed_refused))?;
        self.feeds.judge(tenant, &written.state, now);
        stored_answer(&written.appended.answer)
    }

    /// Submits a command and gives the answer that is stored with it: the first one, where it was carried out before. An invoice whose
    /// number turns out to be taken is tried with others.
    pub(crate) async fn submit<M: Message + Default>(&self, mut ready: Ready) -> Result<M, Refusal> {
        let mut tries = 1;
        loop {
            let (tenant, claim, place, again) = (ready.tenant.clone(), ready.claim.clone(), ready.place, ready.again.take());
            let stream = ready.submission.stream.clone();
            let outcome = self.carry_out(ready).await;
            if let (Err(WriteError::ClaimTaken { kind, key, .. }), Some(again)) = (&outcome, again)
                && *kind == BOLETO
                && tries < NUMBERS_TRIED
            {
                tracing::warn!(kind, key, "the number was taken before; another one is tried");
                tries += 1;
                // In memory of their own: every command would else have room for what hardly one comes to.
                ready = match again {
                    Again::Invoice(issue) => Box::pin(self.ready_issue(&tenant, *issue)).await?,
                    Again::Agreement(making) => Box::pin(self.ready_making(&tenant, *making)).await?,
                };
                continue;
            }
            let written = outcome.map_err(|error| refusal(error, place, |rejection| wire::refused(rejection, place)))?;
            if let Some((kind, id)) = claim {
                self.streams.insert((tenant, kind, id), stream);
            }
            return stored_answer(&written.appended.answer);
        }
    }

    /// Submits a command; a number that nobody can have got goes back.
    async fn carry_out(&self, ready: Ready) -> Result<Written<Account>, WriteError<Rejection>> {
        let outcome = self.writer.submit(ready.submission).await;
        if leaves_its_number(&outcome) {
            ready.allotted.into_iter().for_each(Allotted::give_back);
        }
        outcome
    }
}

/// The answer that was stored with a command.
pub(super) fn stored_answer<M: Message + Default>(answer: &[u8]) -> Result<M, Refusal> {
    M::decode(answer).map_err(|error| {
        tracing::error!(%error, "a stored answer cannot be read");
        Refusal::internal("the stored answer cannot be read")
    })
}

/// Whether it is certain that a command stored nothing under its number, and that nobody else did.
fn leaves_its_number(outcome: &Result<Written<Account>, WriteError<Rejection>>) -> bool {
    match outcome {
        Ok(written) => written.appended.deduplicated || written.appended.last_version < written.appended.first_version,
        // Given back, a number that is taken would be taken out of the pool again by the next invoice, and the next.
        Err(WriteError::ClaimTaken { kind, .. }) => *kind != BOLETO,
        Err(WriteError::Unavailable(_)) => false,
        Err(
            WriteError::Rejected(_)
            | WriteError::CommandReused
            | WriteError::SideRefused(_)
            | WriteError::DiskFull
            | WriteError::Corrupt(_),
        ) => true,
    }
}

/// A command that no legal rate matters to.
pub(super) fn without_rates(customer_id: CustomerId, command: Command) -> Addressed {
    Addressed { customer_id, command, rates: Arc::default() }
}

fn paid_invoice(
    customer_id: &CustomerId,
    payment_id: &PaymentId,
    account: &Account,
    on: (NaiveDate, &LegalRates),
) -> Option<proto::Invoice> {
    let payment = account.payments.get(payment_id)?;
    wire::invoice_view(customer_id, &payment.invoice_id, account, on)
}

/// The kind of command is part of the body: one key for two kinds is a mistake of the caller.
pub(crate) fn command_key<M: Message>(kind: &str, (command_id, body): (&str, &M)) -> Result<CommandKey, Refusal> {
    let id = request::command_id(command_id)?;
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update(body.encode_to_vec());
    Ok(CommandKey { id: id.to_string(), body_hash: hash.finalize().into() })
}

fn store_contact(tenant: &str, customer_id: &str, contact: &Contact) -> Statement {
    let phones: Vec<&str> = contact.phones.iter().map(|phone| phone.reveal()).collect();
    Statement {
        sql: "INSERT INTO customer_contact (tenant, customer_id, name, tax_id, email, phones, address, name_search) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
              ON CONFLICT (tenant, customer_id) DO UPDATE SET name = excluded.name, tax_id = excluded.tax_id, email = excluded.email, \
              phones = excluded.phones, address = excluded.address, name_search = excluded.name_search"
            .to_owned(),
        args: vec![
            tenant.into(),
            customer_id.into(),
            contact.name.reveal().into(),
            contact.tax_id.reveal().into(),
            contact.email.reveal().into(),
            phones.join(query::PHONE_SEPARATOR).into(),
            contact.address.reveal().into(),
            query::searchable(contact.name.reveal()).into(),
        ],
    }
}

fn erase_contact(tenant: &str, customer_id: &str) -> Statement {
    Statement {
        sql: "DELETE FROM customer_contact WHERE tenant = $1 AND customer_id = $2".to_owned(),
        args: vec![tenant.into(), customer_id.into()],
    }
}

/// Why a command was not written, by the fields of its request.
pub(super) fn refusal<R>(error: WriteError<R>, place: Place, refused: impl FnOnce(&R) -> Refusal) -> Refusal {
    match error {
        WriteError::Rejected(rejection) => refused(&rejection),
        WriteError::CommandReused => Refusal::invalid("command_id", "command_reused", "the key was used for another command"),
        WriteError::ClaimTaken { kind, key, .. } if kind == BOLETO || kind == TXID => {
            tracing::error!(kind, key, "given out twice");
            Refusal::internal("the number of the boleto, or the id of the Pix, is another invoice's")
        }
        WriteError::ClaimTaken { kind, .. } => {
            Refusal::precondition(&wire::taken(&kind, place), &format!("{kind}_exists"), format!("the id is another {kind}'s"))
        }
        WriteError::DiskFull => Refusal::exhausted("disk_full", "the disk is full; nothing was stored"),
        WriteError::Unavailable(reason) => Refusal::unavailable(reason),
        WriteError::SideRefused(reason) | WriteError::Corrupt(reason) => {
            tracing::error!(%reason, "the account could not be written");
            Refusal::internal("the account could not be written")
        }
    }
}
