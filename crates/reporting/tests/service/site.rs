//! A service of its own for each test, on every database that is there, with the logs that it reads.

use contracts::reporting::v1::reporting_service_client::ReportingServiceClient;
use eventlog::{
    Activity, Log, Recorded,
    bus::{Bus, InProcess, Publish, Published, Verbatim},
};
use host::{
    Process, Service,
    clock::VirtualClock,
    config::{Access, Listen, Storage},
    ids::TimeOrdered,
    refusal::{FIELD_KEY, reason_of},
};
use kernel::Zone;
use sql::{Db, Durability};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status, transport::Channel};

pub type Client = ReportingServiceClient<Channel>;

/// The logs of the services that publish.
#[derive(Clone)]
pub struct Logs {
    pub invoice: Log,
    pub dunning: Log,
    pub notification: Log,
}

/// A running service.
pub struct Site {
    pub database: &'static str,
    pub clock: Arc<VirtualClock>,
    pub activity: Activity,
    pub client: Client,
    pub logs: Logs,
    process: Process,
    service: Option<Service>,
    place: Place,
}

enum Place {
    Folder { _kept: TempDir },
    Schema { url: String, schema: String },
}

/// What the invoice service publishes: the authorisation of a reminder stays inside.
struct WithoutAuthorisations;

impl Publish for WithoutAuthorisations {
    fn publish(&self, event: &Recorded) -> Published {
        match event.event_type.as_str() {
            "ReminderAuthorized" => Published::Withheld,
            _ => Verbatim.publish(event),
        }
    }
}

impl Site {
    /// A service on every database that is there. The clock stands at noon (São Paulo) of 2026-01-01.
    pub async fn every() -> Vec<Site> {
        let mut all = vec![Self::embedded().await];
        match std::env::var("REGUA_TEST_POSTGRES") {
            Ok(url) => all.push(Self::on_postgres(url).await),
            Err(_) => println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set"),
        }
        all
    }

    /// On SQLite alone.
    pub async fn embedded() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage("sqlite", folder.path(), "", "");
        Self::start("sqlite", storage, Place::Folder { _kept: folder }).await
    }

    async fn on_postgres(url: String) -> Site {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        let prefix = format!("t{started}_{}_{}_", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let storage = storage("postgres", Path::new(""), &url, &prefix);
        Self::start("postgres", storage, Place::Schema { url, schema: format!("{prefix}{}", reporting::NAME) }).await
    }

    async fn start(database: &'static str, storage: Storage, place: Place) -> Site {
        let activity = Activity::new();
        let clock = VirtualClock::new("2026-01-01T15:00:00Z".parse().unwrap(), activity.clone());
        let bus = InProcess::new();
        let log = || Log::memory(clock.clone(), Arc::new(TimeOrdered));
        let logs = Logs { invoice: log(), dunning: log(), notification: log() };
        bus.offer("regua.invoice.v1", logs.invoice.clone(), Arc::new(WithoutAuthorisations));
        bus.offer("regua.dunning.v1", logs.dunning.clone(), Arc::new(Verbatim));
        bus.offer("regua.notification.v1", logs.notification.clone(), Arc::new(Verbatim));
        let process = Process {
            clock: clock.clone(),
            ids: Arc::new(TimeOrdered),
            activity: activity.clone(),
            bus: Bus::InProcess(bus),
            access: Access::default(),
            partitions: 1,
            durability: Durability::Throwaway,
            stop: CancellationToken::new(),
        };
        let any = ([127, 0, 0, 1], 0).into();
        let listen = Listen { grpc: any, http: any, url: String::new() };
        let service = reporting::start(&process, reporting::Settings { storage, listen, zone: Zone::SAO_PAULO }).await.unwrap();
        let channel = Channel::from_shared(format!("http://{}", service.grpc().unwrap())).unwrap().connect_lazy();
        let client = ReportingServiceClient::new(channel);
        Site { database, clock, activity, client, logs, process, service: Some(service), place }
    }

    pub fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// URL and schema, on PostgreSQL.
    pub fn schema(&self) -> Option<(&str, &str)> {
        match &self.place {
            Place::Folder { .. } => None,
            Place::Schema { url, schema } => Some((url, schema)),
        }
    }

    /// Waits until the views have taken everything in, and nothing was left aside.
    pub async fn settle(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.activity.settled()).await.expect("the service comes to rest");
        for status in self.service().consumers() {
            assert_eq!((status.parked, status.gaps.len(), status.trouble), (0, 0, None), "{}", self.database);
        }
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
                let db = Db::connect_postgres(url, "public", 1).await.unwrap();
                let mut tx = db.begin().await.unwrap();
                tx.execute(&format!("DROP SCHEMA {schema} CASCADE"), &[]).await.unwrap();
                tx.commit().await.unwrap();
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ending));
    }
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

/// `ok`, or `Code reason field`.
pub fn told<T>(answer: &Result<Response<T>, Status>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(status) => {
            let field = status.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok()).unwrap_or("");
            format!("{:?} {} {field}", status.code(), reason_of(status)).trim_end().to_owned()
        }
    }
}
