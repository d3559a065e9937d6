//! Listeners: gRPC, and HTTP for what gRPC does not reach.

use crate::{config::Access, tls};
use anyhow::Context;
use std::net::SocketAddr;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

/// Longest message that a service decodes, in bytes; a longer one is refused before it is read.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Ends when the server has drained.
    pub task: JoinHandle<()>,
}

/// Starts a gRPC server on an address that [`crate::access::check_listener`] let pass; it drains when `stop` is cancelled.
pub async fn serve_grpc(listen: SocketAddr, routes: Routes, access: &Access, stop: CancellationToken) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let mut builder = Server::builder()
        .trace_fn(crate::trace::request_span)
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .max_concurrent_streams(1024);
    if !access.certificate.is_empty() {
        builder = builder.tls_config(ServerTlsConfig::new().identity(identity(access)?))?;
    }
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let router = builder.add_routes(routes);
    let task = tokio::spawn(async move {
        if let Err(error) = router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await {
            tracing::error!(%error, "the gRPC server ended");
        }
    });
    Ok(Running { address, task })
}

fn identity(access: &Access) -> anyhow::Result<Identity> {
    let read = |path: &str| std::fs::read(path).with_context(|| format!("cannot read {path}"));
    Ok(Identity::from_pem(read(&access.certificate)?, read(&access.private_key)?))
}

/// Starts an HTTP server on an address that [`crate::access::check_listener`] let pass; it drains when `stop` is cancelled. It speaks TLS
/// where others can reach it, and clear text on loopback, where a proxy may stand before it.
pub async fn serve_http(listen: SocketAddr, router: axum::Router, access: &Access, stop: CancellationToken) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let task = if listen.ip().is_loopback() {
        tokio::spawn(drained(axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).into_future()))
    } else {
        let listener = tls::Listener::new(listener, tls::acceptor(access)?)?;
        tokio::spawn(drained(axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).into_future()))
    };
    Ok(Running { address, task })
}

async fn drained(server: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = server.await {
        tracing::error!(%error, "the HTTP server ended");
    }
}
