//! The listeners of a service, open from its first moment: what asks for its health gets an answer while the service still waits for
//! its database or broker, and callers are told to come again.

use crate::{
    Refusal,
    access::{self},
    config::{Access, Listen},
    environment::Environment,
    protocol,
    server::{self, Running},
    service::Parts,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Status, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::ServiceExt;

/// What a listener passes its calls on to once the service is there.
type Late = Arc<OnceLock<Router>>;

/// The open listeners of a service that does not serve yet. Dropping it closes them.
pub struct Entrance {
    grpc: (Running, Late),
    http: (Running, Late),
    health: (HealthReporter, &'static str),
    stop: DropGuard,
}

impl Entrance {
    /// Opens both listeners: gRPC health says NOT_SERVING, `/health` says 503, `/live` says 200, and calls are UNAVAILABLE.
    /// `api` is the full name of the gRPC service and the file descriptors, for reflection.
    ///
    /// Errors: an address that cannot be had, or that [`access::check_listener`] refuses.
    pub async fn open(listen: &Listen, api: (&'static str, &'static [u8]), access: &Access) -> anyhow::Result<Self> {
        access::check_listener(listen.grpc, access)?;
        access::check_listener(listen.http, access)?;
        let (name, descriptors) = api;
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let (reporter, health) = tonic_health::server::health_reporter();
        tell(&reporter, name, ServingStatus::NotServing).await;
        let late = Late::default();
        let mut routes = Routes::from(Router::new().fallback(call).with_state(Arc::clone(&late))).add_service(health);
        if access.reflects(listen.grpc) {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptors)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()?;
            routes = routes.add_service(reflection);
        }
        let grpc = (server::serve_grpc(listen.grpc, routes, access, stop.clone()).await?, late);
        let late = Late::default();
        let own = Router::new().route("/live", get(StatusCode::OK)).fallback(page).with_state(Arc::clone(&late));
        let http = (server::serve_http(listen.http, own, access, stop).await?, late);
        Ok(Self { grpc, http, health: (reporter, name), stop: guard })
    }

    /// Whether only this machine reaches the HTTP listener.
    pub(crate) fn is_on_loopback(&self) -> bool {
        self.http.0.address.ip().is_loopback()
    }

    /// Serves `routes` and `pages` from now on, until the service is to stop: then health says so and the listeners drain.
    pub async fn serve(self, environment: &Environment, routes: Routes, pages: Router, parts: &mut Parts) {
        let listeners = [("grpc", self.grpc, routes.prepare().into_axum_router()), ("http", self.http, pages)];
        for (protocol, (running, late), router) in listeners {
            // Only this sets it, and an entrance serves once.
            let _ = late.set(router);
            parts.addresses.push((protocol, running.address));
            parts.tasks.push(running.task);
        }
        let (reporter, name) = self.health;
        tell(&reporter, name, ServingStatus::Serving).await;
        let (stopping, listeners) = (environment.stop.clone(), self.stop.disarm());
        parts.tasks.push(tokio::spawn(async move {
            stopping.cancelled().await;
            tell(&reporter, name, ServingStatus::NotServing).await;
            listeners.cancel();
        }));
    }
}

/// The state of the service, under its own name and under none, which stands for the whole server.
async fn tell(reporter: &HealthReporter, name: &str, status: ServingStatus) {
    for name in ["", name] {
        reporter.set_service_status(name, status).await;
    }
}

async fn call(State(late): State<Late>, request: Request) -> Response {
    match late.get() {
        Some(router) => protocol::named(pass_on(router, request).await),
        None => Status::from(Refusal::unavailable("the service is starting")).into_http::<Body>(),
    }
}

async fn page(State(late): State<Late>, request: Request) -> Response {
    match late.get() {
        Some(router) => pass_on(router, request).await,
        None => (StatusCode::SERVICE_UNAVAILABLE, "the service is starting\n").into_response(),
    }
}

async fn pass_on(router: &Router, request: Request) -> Response {
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
