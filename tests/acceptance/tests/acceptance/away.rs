//! Services that find no database or no broker when they start.

use crate::{
    http::status,
    processes::{connect, free_ports, until},
    program::{self, Running},
    servers::Servers,
};
use contracts::invoice::v1::{self as invoice, invoice_service_client::InvoiceServiceClient};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// A configuration in a directory of its own, with the ports of the invoice service.
struct Installation {
    directory: TempDir,
    config: PathBuf,
    grpc: u16,
    http: u16,
}

impl Installation {
    fn new(reach: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports = free_ports(4);
        let config = directory.path().join("regua.toml");
        let listen =
            |service: &str, at: usize| format!("[{service}]\ngrpc = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n", ports[at], ports[at + 1]);
        fs::write(&config, format!("{reach}{}{}", listen("invoice", 0), listen("reporting", 2))).unwrap();
        Self { directory, config, grpc: ports[0], http: ports[1] }
    }

    fn start(&self, program: &str, arguments: &[&str]) -> Running {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--config", self.config.to_str().unwrap()]).collect();
        Running::spawn(program, &arguments, &self.directory.path().join("log"))
    }

    /// Waits until the process has logged a text.
    async fn logged(&self, text: &str) {
        until(in_a_minute(), text, async || self.log().contains(text).then_some(())).await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn health(channel: &Channel) -> ServingStatus {
    let asked = HealthCheckRequest { service: "regua.invoice.v1.InvoiceService".to_owned() };
    HealthClient::new(channel.clone()).check(asked).await.unwrap().into_inner().status()
}

async fn register(channel: &Channel) -> Result<(), tonic::Status> {
    let customer = invoice::Customer { customer_id: "C".into(), name: "Fulana de Exemplo".into(), ..Default::default() };
    let request = invoice::RegisterCustomerRequest { command_id: "register".into(), customer: Some(customer) };
    InvoiceServiceClient::new(channel.clone()).register_customer(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_waits_for_a_database_and_a_broker_that_come_later() {
    let Some(stack) = program::stack() else { return };
    let servers = Servers::away(&stack, "later");
    let site = Installation::new(&servers.configuration());
    let mut process = site.start("regua", &["up", "--only", "invoice"]);

    site.logged("waiting for PostgreSQL (invoice)").await;
    let channel = connect(site.grpc).await;
    assert_eq!(health(&channel).await, ServingStatus::NotServing);
    assert_eq!((status(site.http, "/health").await, status(site.http, "/live").await), (Some(503), Some(200)));
    assert_eq!(register(&channel).await.unwrap_err().code(), Code::Unavailable);

    servers.up("postgres");
    site.logged("waiting for Kafka").await;
    assert_eq!(health(&channel).await, ServingStatus::NotServing);
    assert_eq!(status(site.http, "/health").await, Some(503));

    servers.up("kafka");
    until(in_a_minute(), "it serves", async || (health(&channel).await == ServingStatus::Serving).then_some(())).await;
    assert_eq!(status(site.http, "/health").await, Some(200));
    register(&channel).await.unwrap();
    assert!(process.terminate().success(), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_ends_when_it_is_asked_to() {
    let nobody = "[storage]\nkind = \"postgres\"\nurl = \"postgres://regua@127.0.0.1:1/regua\"\n[bus]\nkind = \"kafka\"\nbrokers = \"127.0.0.1:1\"\n";
    for (program, arguments) in [("regua-reporting", &[][..]), ("regua", &["up"])] {
        let site = Installation::new(nobody);
        let mut process = site.start(program, arguments);
        site.logged("waiting for PostgreSQL").await;
        let asked = Instant::now();
        assert!(process.terminate().success(), "{}", site.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waiting_does_not_mend_ends_the_process_at_once() {
    let Some(stack) = program::stack() else { return };
    let good = fs::read_to_string(stack.join("regua.toml")).unwrap();
    for (wrong, told) in [
        (good.replace("/regua\"", "/no_such_database\""), "no_such_database"),
        (good.replace("//regua@", "//nobody@"), "nobody"),
        (good.replace("\"kafka\"", "\"kafkaesque\""), "bus.kind"),
    ] {
        let site = Installation::new(&wrong);
        let ended = site.start("regua-invoice", &[]).ended();
        assert_eq!(ended.code(), Some(1), "{}", site.log());
        assert!(site.log().contains(told) && !site.log().contains("waiting for"), "{}", site.log());
    }
}

#[test]
fn check_answers_at_once_where_nobody_is_there() {
    let site = Installation::new(
        "[storage]\nkind = \"postgres\"\nurl = \"postgres://regua@127.0.0.1:1/regua\"\n[bus]\nkind = \"kafka\"\nbrokers = \"127.0.0.1:1\"\n",
    );
    let asked = Instant::now();
    let answer = program::run(&["check", "--config", site.config.to_str().unwrap(), "--format", "json"]);
    assert_eq!(answer.status.code(), Some(3));
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    let text = String::from_utf8(answer.stdout).unwrap();
    assert!(text.contains("no broker answers at 127.0.0.1:1") && text.contains("cannot be reached"), "{text}");
}
