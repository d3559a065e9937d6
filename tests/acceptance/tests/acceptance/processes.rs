//! Four services as four processes on PostgreSQL and Kafka, on the real clock, driven by gRPC clients; and one process that is killed.

use crate::{
    collector::Collector,
    metrics,
    program::{self, Running},
    traces,
};
use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use contracts::{
    dunning::v1::{self as dunning, dunning_service_client::DunningServiceClient},
    invoice::v1::{self as invoice, invoice_service_client::InvoiceServiceClient},
    reporting::v1::{self as reporting, reporting_service_client::ReportingServiceClient},
};
use eventlog::Clock;
use host::clock::SystemClock;
use std::{
    fs,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};
use tonic::{Request, transport::Channel};

pub const SERVICES: [&str; 4] = ["invoice", "dunning-engine", "notification", "reporting"];

/// Ports that were free a moment ago.
pub fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Sections that let the services listen: four ports for gRPC, four for HTTP.
pub fn listeners(ports: &[u16]) -> String {
    let section = |(index, service): (usize, &&str)| {
        format!("\n[{service}]\ngrpc = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n", ports[index], ports[index + 4])
    };
    SERVICES.iter().enumerate().map(section).collect()
}

/// The stack's configuration with names, ports and a mail directory of this test alone.
fn configuration(stack: &Path, directory: &Path, name: &str) -> (String, Vec<u16>) {
    let ports = free_ports(8);
    let prefix = format!("{name}_{}_", std::process::id());
    let stack = fs::read_to_string(stack.join("regua.toml")).unwrap();
    let stack = stack.replace("[storage]", &format!("[storage]\nprefix = \"{prefix}\""));
    let mut text = stack.replace("[bus]", &format!("[bus]\nprefix = \"{prefix}\""));
    text += &listeners(&ports);
    text += &format!("\n[channels.email]\nkind = \"directory\"\ndirectory = \"{}\"\n", directory.join("mail").display());
    text += "\n[creditor]\nname = \"Escola de Exemplo Ltda.\"\n";
    (text, ports)
}

pub async fn connect(port: u16) -> Channel {
    let address = format!("http://127.0.0.1:{port}");
    let endpoint = Channel::from_shared(address).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    until(deadline, "a service does not listen", async || endpoint.connect().await.ok()).await
}

/// Asks again until there is an answer, with a pause between.
pub async fn until<T>(deadline: Instant, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A policy whose window opens at a time of today, so that a reminder of today can be waited for.
pub fn policy_opening_at(time: NaiveTime) -> String {
    format!(
        "policy = \"agora\"\ntime_zone = \"UTC\"\ncalendar = \"none\"\nmin_known_days = 0\n[contact]\nmax_per_day = 9\nmax_per_7_days = 9\n\
         window = {{ weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"], from = \"{}\", until = \"23:59\" }}\n\
         [[step]]\nid = \"d0\"\noffset_days = 0\nroll = \"none\"\ntone = 1\nchannels = [\"email\"]\ntemplate = \"vence-hoje\"\nexpires = \"at_due\"\n",
        time.format("%H:%M")
    )
}

pub async fn register(client: &mut InvoiceServiceClient<Channel>, customer_id: &str) {
    let customer = invoice::Customer {
        customer_id: customer_id.into(),
        name: format!("Fulana {customer_id} de Exemplo"),
        email: format!("{}@example.invalid", customer_id.to_lowercase()),
        attributes: Some(invoice::CustomerAttributes { time_zone: "Etc/UTC".into(), ..Default::default() }),
        ..Default::default()
    };
    let request = invoice::RegisterCustomerRequest { command_id: format!("register-{customer_id}"), customer: Some(customer) };
    client.register_customer(request).await.unwrap();
}

pub async fn issue(client: &mut InvoiceServiceClient<Channel>, customer_id: &str, now: DateTime<Utc>) {
    let invoice = invoice::NewInvoice {
        invoice_id: format!("F-{customer_id}"),
        customer_id: customer_id.into(),
        amount_minor: 12_990,
        issued_on: (now - TimeDelta::days(3)).date_naive().to_string(),
        due_on: now.date_naive().to_string(),
        ..Default::default()
    };
    let mut request = Request::new(invoice::IssueInvoiceRequest { command_id: format!("issue-{customer_id}"), invoice: Some(invoice) });
    request.metadata_mut().insert("traceparent", traces::traceparent().parse().unwrap());
    client.issue_invoice(request).await.unwrap();
}

async fn pay(client: &mut InvoiceServiceClient<Channel>, customer_id: &str) {
    let payment = invoice::NewPayment {
        payment_id: format!("P-{customer_id}"),
        invoice_id: format!("F-{customer_id}"),
        amount_minor: 12_990,
        ..Default::default()
    };
    let request = invoice::RecordPaymentRequest { command_id: format!("pay-{customer_id}"), payment: Some(payment) };
    client.record_payment(request).await.unwrap();
}

pub async fn use_policy(port: u16, toml: String) {
    let mut engine = DunningServiceClient::new(connect(port).await);
    let publish = dunning::PublishPolicyRequest { command_id: "publish".into(), toml, preview_due_on: String::new() };
    let published = engine.publish_policy(publish).await.unwrap().into_inner();
    let assign = dunning::AssignPolicyRequest {
        command_id: "assign".into(),
        scope: "tenant".into(),
        target: String::new(),
        policy_id: published.policy_id,
        policy_version: 0,
    };
    engine.assign_policy(assign).await.unwrap();
}

pub fn mails(directory: &Path) -> Vec<String> {
    let Ok(files) = fs::read_dir(directory.join("mail")) else { return Vec::new() };
    let is_mail = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "eml");
    files.map(|file| file.unwrap().path()).filter(is_mail).map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_remind_who_owes_and_not_who_paid() {
    let Some(stack) = program::stack() else { return };
    let now = SystemClock.now();
    if now.hour() == 23 && now.minute() > 50 {
        println!("skipped: too near to midnight UTC for a reminder of today");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (mut text, ports) = configuration(&stack, directory.path(), "four");
    let (collector, endpoint) = Collector::start().await;
    text += &format!("\n[telemetry]\notlp_endpoint = \"{endpoint}\"\n");
    let config = directory.path().join("regua.toml");
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let start = |name: &&str| {
        let mut service = program::program(&format!("regua-{name}"));
        service.args(["--config", config]);
        Running::start_command(service, name)
    };
    let _processes: Vec<Running> = SERVICES.iter().map(start).collect();

    let opens = (SystemClock.now() + TimeDelta::seconds(75)).time();
    use_policy(ports[1], policy_opening_at(opens)).await;
    let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
    for customer_id in ["OWES", "PAID"] {
        register(&mut owner, customer_id).await;
        issue(&mut owner, customer_id, now).await;
    }
    pay(&mut owner, "PAID").await;

    let deadline = Instant::now() + Duration::from_secs(180);
    let sent = until(deadline, "no mail came", async || Some(mails(directory.path())).filter(|mails| !mails.is_empty())).await;
    assert_eq!(sent.len(), 1, "one mail, to who owes");
    assert!(sent[0].contains("owes@example.invalid"), "{}", sent[0]);
    let figures = ReportingServiceClient::new(connect(ports[3]).await);
    // The policy's day, which is UTC's: for three hours of it reporting's own, São Paulo's, is the day before.
    let today = SystemClock.now().date_naive().to_string();
    let steps = until(deadline, "the step's end was not reported", async || {
        let asked = reporting::GetStepResultsRequest { as_of: today.clone(), policy_id: "agora".into() };
        let steps = figures.clone().get_step_results(asked).await.unwrap().into_inner().steps;
        steps.into_iter().find(|step| step.executed == 1 && step.superseded == 1)
    })
    .await;
    assert_eq!(steps.reasons.get("paid"), Some(&1));
    assert_eq!(mails(directory.path()).len(), 1);
    traces::until_whole(&collector, None).await;
    metrics::are_told(&ports[4..]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_kill_of_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let ports = free_ports(8);
    let text = listeners(&ports);
    let config = directory.path().join("regua.toml");
    fs::write(&config, text).unwrap();
    let data = directory.path().join("data");
    let arguments = ["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let mut acknowledged = 0_u32;
    for _ in 0..3 {
        // Dropped at the end of the round: SIGKILL, whatever it is doing.
        let _running = Running::start(&arguments, "ready");
        let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
        register(&mut owner, "C").await;
        for _ in 0..25 {
            let invoice = invoice::NewInvoice {
                invoice_id: format!("F{acknowledged}"),
                customer_id: "C".into(),
                amount_minor: 100,
                due_on: "2199-12-31".into(),
                ..Default::default()
            };
            let request = invoice::IssueInvoiceRequest { command_id: format!("i{acknowledged}"), invoice: Some(invoice) };
            owner.issue_invoice(request).await.unwrap();
            acknowledged += 1;
        }
    }
    let _running = Running::start(&arguments, "ready");
    let owner = InvoiceServiceClient::new(connect(ports[0]).await);
    let deadline = Instant::now() + Duration::from_secs(60);
    until(deadline, "an acknowledged invoice is missing", async || {
        let asked = invoice::ListInvoicesRequest { page_size: 1000, ..Default::default() };
        let found = owner.clone().list_invoices(asked).await.unwrap().into_inner().invoices.len();
        (found == acknowledged as usize).then_some(())
    })
    .await;
}
