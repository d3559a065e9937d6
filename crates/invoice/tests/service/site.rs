//! A service of its own for each test, on every database that is there.

use contracts::invoice::v1::{self as proto, invoice_service_client::InvoiceServiceClient};
use eventlog::{
    Activity, Clock, Recorded,
    bus::{Bus, InProcess},
};
use host::{
    Process, Service,
    client::for_tenant,
    clock::VirtualClock,
    config::{Access, Listen, Storage},
    ids::TimeOrdered,
    refusal::{FIELD_KEY, reason_of},
};
use kernel::Zone;
use sql::{Db, Durability};
use std::{
    future::Future,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};

/// Today of every test: the tenth of March, noon in São Paulo.
pub const NOON: &str = "2026-03-10T15:00:00Z";

pub type Client = InvoiceServiceClient<Channel>;

/// A running service.
pub struct Site {
    pub database: &'static str,
    pub clock: Arc<VirtualClock>,
    pub activity: Activity,
    pub client: Client,
    pub process: Process,
    pub storage: Storage,
    service: Option<Service>,
    place: Place,
}

enum Place {
    Folder { _kept: TempDir },
    Schema { url: String, schema: String },
}

impl Site {
    /// A service on every database that is there.
    pub async fn every() -> Vec<Site> {
        Self::every_with(Access::default()).await
    }

    /// The same behind some access rules.
    pub async fn every_with(access: Access) -> Vec<Site> {
        let mut all = vec![Self::embedded(access.clone()).await];
        match std::env::var("REGUA_TEST_POSTGRES") {
            Ok(url) => all.push(Self::on_postgres(url, access).await),
            Err(_) => println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set"),
        }
        all
    }

    /// On SQLite alone, for what has nothing to do with the database.
    pub async fn embedded(access: Access) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage("sqlite", folder.path(), "", "");
        Self::start("sqlite", storage, Place::Folder { _kept: folder }, access).await
    }

    async fn on_postgres(url: String, access: Access) -> Site {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        let prefix = format!("t{started}_{}_{}_", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let storage = storage("postgres", Path::new(""), &url, &prefix);
        Self::start("postgres", storage, Place::Schema { url, schema: format!("{prefix}{}", invoice::NAME) }, access).await
    }

    /// On SQLite alone, with a limit on the age of the payment feed.
    pub async fn with_feed_limit(hours: u32) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage("sqlite", folder.path(), "", "");
        let limited = invoice::Settings { payment_feed_max_age_hours: hours, ..settings(storage, loopback()) };
        Self::start_with("sqlite", limited, Place::Folder { _kept: folder }, Access::default()).await
    }

    async fn start(database: &'static str, storage: Storage, place: Place, access: Access) -> Site {
        Self::start_with(database, settings(storage, loopback()), place, access).await
    }

    async fn start_with(database: &'static str, settings: invoice::Settings, place: Place, access: Access) -> Site {
        let storage = settings.storage.clone();
        let activity = Activity::new();
        let clock = VirtualClock::new(NOON.parse().unwrap(), activity.clone());
        let process = process(clock.clone(), activity.clone(), access);
        let service = invoice::start(&process, settings).await.unwrap();
        let address = service.grpc().unwrap();
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        let client = InvoiceServiceClient::new(channel).max_decoding_message_size(64 << 20);
        Site { database, clock, activity, client, process, storage, service: Some(service), place }
    }

    /// Ends the process and starts another one over the same storage.
    pub async fn restart(&mut self) {
        self.take().stop_within(Duration::from_secs(10)).await;
        let (service, client, process) = self.replica().await;
        (self.service, self.client, self.process) = (Some(service), client, process);
    }

    /// Another process over the same storage.
    pub async fn replica(&self) -> (Service, Client, Process) {
        let process = process(self.clock.clone(), self.activity.clone(), Access::default());
        let service = invoice::start(&process, settings(self.storage.clone(), loopback())).await.unwrap();
        let channel = Channel::from_shared(format!("http://{}", service.grpc().unwrap())).unwrap().connect_lazy();
        (service, InvoiceServiceClient::new(channel), process)
    }

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// Takes the service out, to stop it.
    pub fn take(&mut self) -> Service {
        self.service.take().unwrap()
    }

    /// Every event of the log.
    pub async fn events(&self) -> Vec<Recorded> {
        self.service().environment().log.read(0, 100_000).await.unwrap()
    }

    /// `stream@version type`, a line for each event after a position.
    pub async fn transcript(&self, after: usize) -> Vec<String> {
        let line = |e: &Recorded| format!("{}@{} {}", e.stream, e.version, e.event_type);
        self.events().await.iter().skip(after).map(line).collect()
    }

    /// Waits until the views have taken everything in.
    pub async fn settle(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.activity.settled()).await.expect("the service comes to rest");
    }

    /// Moves the clock to noon of a day.
    pub fn go_to(&self, day: &str) {
        self.clock.advance_to(format!("{day}T15:00:00Z").parse().unwrap());
    }
}

impl Drop for Site {
    /// Stops the service and takes its schema away, also when the test failed. Needs a runtime with threads of its own.
    fn drop(&mut self) {
        self.process.stop.cancel();
        let service = self.service.take();
        let ending = async {
            if let Some(service) = service {
                service.stop_within(Duration::from_secs(1)).await;
            }
            if let Place::Schema { url, schema } = &self.place {
                drop_schema(url, schema).await;
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ending));
    }
}

async fn drop_schema(url: &str, schema: &str) {
    let db = Db::connect_postgres(url, "public", 1).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute(&format!("DROP SCHEMA {schema} CASCADE"), &[]).await.unwrap();
    tx.commit().await.unwrap();
}

fn storage(kind: &str, directory: &Path, url: &str, prefix: &str) -> Storage {
    Storage {
        kind: kind.to_owned(),
        directory: directory.to_owned(),
        url: url.to_owned(),
        max_connections: 6,
        statement_timeout_seconds: 30,
        prefix: prefix.to_owned(),
    }
}

pub fn loopback() -> Listen {
    let any = ([127, 0, 0, 1], 0).into();
    Listen { grpc: any, http: any, url: String::new() }
}

pub fn settings(storage: Storage, listen: Listen) -> invoice::Settings {
    invoice::Settings { storage, listen, zone: Zone::SAO_PAULO, tolerance_minor: 100, payment_feed_max_age_hours: 0, pix: pix_tokens() }
}

/// Token of the default tenant's Pix notifications.
pub const PIX_TOKEN: &str = "pix-token-of-tests";

fn pix_tokens() -> invoice::PixConfig {
    invoice::PixConfig { tokens: [("default".to_owned(), PIX_TOKEN.to_owned())].into() }
}

pub fn process(clock: Arc<dyn Clock>, activity: Activity, access: Access) -> Process {
    Process {
        clock,
        ids: Arc::new(TimeOrdered),
        activity,
        bus: Bus::InProcess(InProcess::new()),
        access,
        partitions: 1,
        durability: Durability::Throwaway,
        stop: CancellationToken::new(),
    }
}

/// `ok`, or `Code reason field`.
pub fn told<T>(answer: &Result<Response<T>, Status>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(status) => told_status(status),
    }
}

pub fn told_status(status: &Status) -> String {
    let field = status.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok()).unwrap_or("");
    format!("{:?} {} {field}", status.code(), reason_of(status)).trim_end().to_owned()
}

/// `ok`, or `Code reason field` of one item.
pub fn told_item(error: &Option<proto::ItemError>) -> String {
    match error {
        None => "ok".to_owned(),
        Some(e) => format!("{:?} {} {}", tonic::Code::from_i32(e.code), e.reason, e.field).trim_end().to_owned(),
    }
}

/// A request on behalf of a tenant with a token.
pub fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

pub fn as_tenant<T>(message: T, tenant: &str) -> Request<T> {
    for_tenant(message, tenant)
}

/// Waits for a condition; fails the test after twenty seconds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
