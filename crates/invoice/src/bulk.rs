//! Bulk streams: many commands in flight, one answer per item in the order sent, a bad item never fails the rest.

use crate::grpc::{Ready, Server};
use contracts::invoice::v1 as proto;
use futures::{
    Stream, StreamExt,
    future::{self, Either},
};
use host::Refusal;
use prost::Message;
use std::{future::Future, sync::Arc, task::Poll};
use tokio::task::unconstrained;
use tonic::{Status, Streaming};

/// Commands of one stream that wait for the log at a time; the caller feels it as flow control. Two transactions of the writer: while one is
/// stored the commands of the next are read and made ready.
const IN_FLIGHT: usize = 1024;
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

/// Puts a command into the queue of the log; what is given back is its answer to come. Commands are decided in the order in which
/// they were put there.
async fn enqueue<M: Message + Default>(server: Arc<Server>, ready: Ready) -> impl Future<Output = Result<M, Refusal>> + Send {
    // Polled once, here, it is in the queue or in the line before it. Without a budget: where tokio would put it off in favour of
    // other tasks, the commands behind it would overtake.
    let mut answer = Box::pin(unconstrained(async move { server.submit(ready).await }));
    match futures::poll!(answer.as_mut()) {
        Poll::Ready(outcome) => Either::Left(future::ready(outcome)),
        Poll::Pending => Either::Right(answer),
    }
}

/// Runs the commands in order. What has been answered is durable; the rest of a cut stream is done or not, told by repeating it.
fn answers<T, M, R>(
    server: Arc<Server>,
    ready: impl Stream<Item = Result<(T, Result<Ready, Refusal>), Status>> + Send,
    respond: impl Fn(T, Result<M, proto::ItemError>) -> R + Clone + Send,
) -> impl Stream<Item = Result<R, Status>> + Send
where
    T: Send,
    M: Message + Default,
    R: Send,
{
    let enqueued = ready.then(move |item: Result<(T, Result<Ready, Refusal>), Status>| {
        let server = Arc::clone(&server);
        async move {
            let (asked, ready) = item?;
            Ok::<_, Status>(match ready {
                Ok(ready) => (asked, Either::Left(enqueue::<M>(server, ready).await)),
                Err(refusal) => (asked, Either::Right(future::ready(Err(refusal)))),
            })
        }
    });
    let one = move |item: Result<(T, _), Status>| {
        let respond = respond.clone();
        async move {
            let (asked, outcome) = item?;
            let outcome: Result<M, Refusal> = outcome.await;
            Ok(respond(asked, outcome.map_err(|refusal| item_error(&refusal))))
        }
    };
    until_broken(enqueued.map(one).buffered(IN_FLIGHT))
}

/// A broken stream says so once and ends.
fn until_broken<R: Send>(answers: impl Stream<Item = Result<R, Status>> + Send) -> impl Stream<Item = Result<R, Status>> + Send {
    answers.scan(false, |broken, answer| {
        let stop = *broken;
        *broken = answer.is_err();
        future::ready(if stop { None } else { Some(answer) })
    })
}

pub(crate) fn register_customers(
    server: Server,
    tenant: String,
    items: Streaming<proto::RegisterCustomersRequest>,
) -> impl Stream<Item = Result<proto::RegisterCustomersResponse, Status>> + Send {
    let server = Arc::new(server);
    let prepared = Arc::clone(&server);
    let ready = items.map(move |item| {
        let item = item?;
        let ready = prepared.ready_customer(&tenant, item.customer.clone(), (&item.command_id, &item));
        Ok((item.command_id, ready))
    });
    answers(server, ready, |command_id, outcome: Result<proto::RegisterCustomerResponse, _>| proto::RegisterCustomersResponse {
        command_id,
        error: outcome.err(),
    })
}

pub(crate) fn issue_invoices(
    server: Server,
    tenant: String,
    items: Streaming<proto::IssueInvoicesRequest>,
) -> impl Stream<Item = Result<proto::IssueInvoicesResponse, Status>> + Send {
    let server = Arc::new(server);
    let prepared = Arc::clone(&server);
    // One after the other: numbers of boletos are given out in the order sent.
    let ready = items.then(move |item| {
        let (server, tenant) = (Arc::clone(&prepared), tenant.clone());
        async move {
            let item = item?;
            let ready = server.ready_invoice(&tenant, item.invoice.clone(), (&item.command_id, &item)).await;
            Ok(((item.command_id, item.invoice.unwrap_or_default().invoice_id), ready))
        }
    });
    answers(server, ready, |(command_id, invoice_id), outcome: Result<proto::IssueInvoiceResponse, _>| proto::IssueInvoicesResponse {
        command_id,
        invoice_id,
        error: outcome.err(),
    })
}

pub(crate) fn record_payments(
    server: Server,
    tenant: String,
    items: Streaming<proto::RecordPaymentsRequest>,
) -> impl Stream<Item = Result<proto::RecordPaymentsResponse, Status>> + Send {
    let server = Arc::new(server);
    let prepared = Arc::clone(&server);
    let lookups = items.map(move |item| {
        let (server, tenant) = (Arc::clone(&prepared), tenant.clone());
        async move {
            let item = item?;
            let asked = (item.command_id.clone(), item.payment.as_ref().map(|payment| payment.payment_id.clone()).unwrap_or_default());
            // A task of its own: nobody polls this stream while the commands in flight wait for the log, and a lookup that stood
            // still with a connection in hand would keep that connection from the log.
            let looked_up =
                tokio::spawn(async move { server.ready_payment(&tenant, item.payment.clone(), (&item.command_id, &item)).await });
            let ready = looked_up.await.unwrap_or_else(|_| Err(Refusal::internal("the lookup ended early")));
            Ok((asked, ready))
        }
    });
    // Lookups run side by side and leave in order, so that two payments of one invoice keep theirs.
    let ready = lookups.buffered(LOOKUPS);
    answers(server, ready, |(command_id, payment_id), outcome: Result<proto::RecordPaymentResponse, _>| {
        let invoice = outcome.as_ref().ok().and_then(|answer| answer.invoice.as_ref());
        let outstanding_minor = invoice.map_or(0, |invoice| invoice.outstanding_minor);
        proto::RecordPaymentsResponse { command_id, payment_id, outstanding_minor, error: outcome.err() }
    })
}
