//! Bulk streams: many commands in flight, one answer per item in the order sent, a bad item never fails the rest.

use crate::grpc::{Ready, Server};
use contracts::invoice::v1 as proto;
use futures::{Stream, StreamExt};
use host::Refusal;
use kernel::InvoiceId;
use receivable::Account;
use tonic::{Status, Streaming};

/// Commands of one stream that wait for the log at a time; the caller feels it as flow control.
const IN_FLIGHT: usize = 512;
/// Items whose account is being looked up at a time.
const LOOKUPS: usize = 64;

fn item_error(refusal: &Refusal) -> proto::ItemError {
    proto::ItemError {
        code: i32::from(refusal.code),
        reason: refusal.reason.clone(),
        field: refusal.field.clone(),
        message: refusal.message.clone(),
    }
}

/// Runs the commands in order. What has been answered is durable; the rest of a cut stream is done or not, told by repeating it.
fn answers<T, R>(
    server: Server,
    ready: impl Stream<Item = Result<(T, Result<Ready, Refusal>), Status>> + Send,
    respond: impl Fn(T, Result<&Account, proto::ItemError>) -> R + Clone + Send,
) -> impl Stream<Item = Result<R, Status>> + Send
where
    T: Send,
    R: Send,
{
    let one = move |item: Result<(T, Result<Ready, Refusal>), Status>| {
        let (server, respond) = (server.clone(), respond.clone());
        async move {
            let (asked, ready) = item?;
            let outcome = match ready {
                Ok(ready) => server.submit(ready).await,
                Err(refusal) => Err(refusal),
            };
            Ok(match outcome {
                Ok(written) => respond(asked, Ok(&written.state)),
                Err(refusal) => respond(asked, Err(item_error(&refusal))),
            })
        }
    };
    until_broken(ready.map(one).buffered(IN_FLIGHT))
}

/// A broken stream says so once and ends.
fn until_broken<R: Send>(answers: impl Stream<Item = Result<R, Status>> + Send) -> impl Stream<Item = Result<R, Status>> + Send {
    answers.scan(false, |broken, answer| {
        let stop = *broken;
        *broken = answer.is_err();
        futures::future::ready(if stop { None } else { Some(answer) })
    })
}

pub(crate) fn register_customers(
    server: Server,
    tenant: String,
    items: Streaming<proto::RegisterCustomersRequest>,
) -> impl Stream<Item = Result<proto::RegisterCustomersResponse, Status>> + Send {
    let prepared = server.clone();
    let ready = items.map(move |item| {
        let item = item?;
        let ready = prepared.ready_customer(&tenant, item.customer.clone(), (&item.command_id, &item));
        Ok((item.command_id, ready))
    });
    answers(server, ready, |command_id, outcome| proto::RegisterCustomersResponse { command_id, error: outcome.err() })
}

pub(crate) fn issue_invoices(
    server: Server,
    tenant: String,
    items: Streaming<proto::IssueInvoicesRequest>,
) -> impl Stream<Item = Result<proto::IssueInvoicesResponse, Status>> + Send {
    let prepared = server.clone();
    let ready = items.map(move |item| {
        let item = item?;
        let ready = prepared.ready_invoice(&tenant, item.invoice.clone(), (&item.command_id, &item));
        Ok(((item.command_id, item.invoice.unwrap_or_default().invoice_id), ready))
    });
    answers(server, ready, |(command_id, invoice_id), outcome| proto::IssueInvoicesResponse {
        command_id,
        invoice_id,
        error: outcome.err(),
    })
}

struct PaymentAsked {
    command_id: String,
    payment_id: String,
    invoice_id: Option<InvoiceId>,
}

pub(crate) fn record_payments(
    server: Server,
    tenant: String,
    items: Streaming<proto::RecordPaymentsRequest>,
) -> impl Stream<Item = Result<proto::RecordPaymentsResponse, Status>> + Send {
    let prepared = server.clone();
    let lookups = items.map(move |item| {
        let (server, tenant) = (prepared.clone(), tenant.clone());
        async move {
            let item = item?;
            let found = server.ready_payment(&tenant, item.payment.clone(), (&item.command_id, &item)).await;
            let payment_id = item.payment.unwrap_or_default().payment_id;
            let (invoice_id, ready) = match found {
                Ok((ready, invoice_id)) => (Some(invoice_id), Ok(ready)),
                Err(refusal) => (None, Err(refusal)),
            };
            Ok((PaymentAsked { command_id: item.command_id, payment_id, invoice_id }, ready))
        }
    });
    // Lookups run side by side and leave in order, so that two payments of one invoice keep theirs.
    let ready = lookups.buffered(LOOKUPS);
    answers(server, ready, |asked: PaymentAsked, outcome| {
        let outstanding_minor = |account: &Account| asked.invoice_id.as_ref().map_or(0, |id| account.open_minor(id));
        let (outstanding_minor, error) = match outcome {
            Ok(account) => (outstanding_minor(account), None),
            Err(error) => (0, Some(error)),
        };
        proto::RecordPaymentsResponse { command_id: asked.command_id, payment_id: asked.payment_id, outstanding_minor, error }
    })
}
