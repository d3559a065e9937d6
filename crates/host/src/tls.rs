//! TLS before HTTP.

use crate::config::Access;
use anyhow::Context;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// How long a caller may take to greet.
const GREETING: Duration = Duration::from_secs(10);
/// Callers that greet at the same time; more wait in the system's queue.
const GREETINGS: usize = 256;
/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_secs(1);

/// What a listener answers with. Errors: the certificate or its key cannot be read, or do not belong together.
pub(crate) fn acceptor(access: &Access) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(&access.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.with_context(|| format!("access.certificate: {} cannot be read", access.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&access.private_key);
    let key = key.with_context(|| format!("access.private_key: {} cannot be read", access.private_key))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).context("access.certificate")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Hands out connections whose greeting is done. A caller that greets slowly, or not at all, keeps nobody else waiting.
pub(crate) struct Listener {
    address: SocketAddr,
    greeted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Listener {
    /// Listens until it is dropped.
    pub(crate) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, greeted) = mpsc::channel(1);
        tokio::spawn(greet_all(listener, acceptor, sender));
        Ok(Self { address, greeted })
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.greeted.recv().await {
            Some(connection) => connection,
            // The task that greets ends only after this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn greet_all(listener: TcpListener, acceptor: TlsAcceptor, sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    let greetings = Arc::new(Semaphore::new(GREETINGS));
    // Never closed.
    while let Ok(greeting) = Arc::clone(&greetings).acquire_owned().await {
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, caller)) => {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(GREETING, acceptor.accept(stream)).await {
                        // Nobody takes it where the listener is gone.
                        Ok(Ok(stream)) => _ = sender.send((stream, caller)).await,
                        Ok(Err(error)) => tracing::debug!(%error, "a caller does not speak TLS"),
                        Err(_) => tracing::debug!("a caller did not greet in time"),
                    }
                    drop(greeting);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(NO_ROOM).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server;
    use axum::{Router, routing::get};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio_rustls::{
        TlsConnector,
        rustls::{ClientConfig, RootCertStore},
    };
    use tokio_util::sync::CancellationToken;

    /// A certificate for `localhost`, made for this run.
    fn certified(folder: &std::path::Path) -> Access {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (certificate, private_key) = (write("certificate.pem", made.cert.pem()), write("key.pem", made.signing_key.serialize_pem()));
        Access { certificate, private_key, tokens: "t = \"acme\"".parse().unwrap(), ..Access::default() }
    }

    fn connector(access: &Access) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&access.certificate).unwrap()).unwrap();
        let builder =
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
        TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }

    async fn ask(mut connection: impl AsyncRead + AsyncWrite + Unpin) -> String {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut bytes = Vec::new();
        // A connection that is not closed in order has said what it says.
        let _ = connection.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn an_http_listener_that_others_reach_speaks_tls_and_waits_for_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (access, stop) = (certified(folder.path()), CancellationToken::new());
        let router = Router::new().route("/", get(async || "hello"));
        let running = server::serve_http("0.0.0.0:0".parse().unwrap(), router, &access, stop.clone()).await.unwrap();
        let connect = async || TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();

        let silent = connect().await;
        assert!(!ask(connect().await).await.contains("HTTP/1.1"), "nothing is answered in the clear");
        let secure = connector(&access).connect("localhost".try_into().unwrap(), connect().await).await.unwrap();
        let answer = ask(secure).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
        drop(silent);

        stop.cancel();
        running.task.await.unwrap();
        assert!(TcpStream::connect(("127.0.0.1", running.address.port())).await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn on_loopback_a_proxy_is_answered_in_the_clear() {
        let router = Router::new().route("/", get(async || "hello"));
        let stop = CancellationToken::new();
        let running = server::serve_http("127.0.0.1:0".parse().unwrap(), router, &Access::default(), stop).await.unwrap();
        let answer = ask(TcpStream::connect(running.address).await.unwrap()).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_told_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let access = certified(folder.path());
        assert!(acceptor(&access).is_ok());
        let nowhere = || "/nowhere.pem".to_owned();
        for (access, key) in [
            (Access { certificate: nowhere(), ..access.clone() }, "access.certificate"),
            (Access { private_key: nowhere(), ..access.clone() }, "access.private_key"),
            (Access { private_key: access.certificate.clone(), ..access.clone() }, "access.private_key"),
        ] {
            let error = acceptor(&access).err().unwrap();
            assert!(format!("{error:#}").starts_with(key), "{error:#}");
        }
    }
}
