//! The reference of a call: bare tonic that reads the same message and answers with one of the same size, and does nothing between;
//! of a stream, item by item.

use contracts::invoice::v1::{IssueInvoiceRequest, IssueInvoiceResponse, IssueInvoicesRequest, IssueInvoicesResponse};
use futures::{StreamExt, stream::BoxStream};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    codegen::{BoxFuture, Context, Poll, Service, http},
    server::{Grpc, NamedService, StreamingService, UnaryService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

/// Answers to every call with the same message.
#[derive(Clone)]
struct Echo {
    answer: Arc<IssueInvoiceResponse>,
}

impl NamedService for Echo {
    /// The name of the real one: the same client calls both.
    const NAME: &'static str = contracts::invoice::v1::invoice_service_server::SERVICE_NAME;
}

impl UnaryService<IssueInvoiceRequest> for Echo {
    type Response = IssueInvoiceResponse;
    type Future = BoxFuture<Response<IssueInvoiceResponse>, Status>;

    fn call(&mut self, _: Request<IssueInvoiceRequest>) -> Self::Future {
        let answer = IssueInvoiceResponse::clone(&self.answer);
        Box::pin(async move { Ok(Response::new(answer)) })
    }
}

impl StreamingService<IssueInvoicesRequest> for Echo {
    type Response = IssueInvoicesResponse;
    type ResponseStream = BoxStream<'static, Result<IssueInvoicesResponse, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, items: Request<Streaming<IssueInvoicesRequest>>) -> Self::Future {
        let answered = |item: Result<IssueInvoicesRequest, Status>| {
            item.map(|item| IssueInvoicesResponse {
                command_id: item.command_id,
                invoice_id: item.invoice.map(|invoice| invoice.invoice_id).unwrap_or_default(),
                ..Default::default()
            })
        };
        Box::pin(async move { Ok(Response::new(items.into_inner().map(answered).boxed())) })
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            if request.uri().path().ends_with("/IssueInvoices") {
                return Ok(Grpc::new(ProstCodec::default()).streaming(echo, request).await);
            }
            Ok(Grpc::new(ProstCodec::default()).unary(echo, request).await)
        })
    }
}

/// Starts it on any free port of this machine; it ends with `stop`. Errors: no port.
pub fn start(answer: IssueInvoiceResponse, stop: CancellationToken) -> anyhow::Result<SocketAddr> {
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let incoming = TcpIncoming::bind(any)?.with_nodelay(Some(true));
    let address = incoming.local_addr()?;
    let server = Server::builder().add_service(Echo { answer: Arc::new(answer) });
    tokio::spawn(async move {
        if let Err(error) = server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await {
            eprintln!("bench: the echo: {error}");
        }
    });
    Ok(address)
}
