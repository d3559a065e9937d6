//! Traces run unbroken through all services, in process and over Kafka.

use crate::{
    collector::{Collector, Seen},
    processes::{SERVICES, connect, free_ports, issue, mails, policy_opening_at, register, until, use_policy},
    program::Running,
};
use chrono::{TimeDelta, Timelike};
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::Clock;
use host::clock::SystemClock;
use std::{
    fs,
    time::{Duration, Instant},
};

/// The trace that a caller begins, and the caller's own span.
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What the caller sends with the call.
pub fn traceparent() -> String {
    format!("00-{TRACE}-{CALLER}-01")
}

/// Where a trace passes. `all` is the name that the services give themselves where they share a process.
struct Route {
    all: Option<&'static str>,
}

impl Route {
    fn service(&self, name: &'static str) -> &'static str {
        self.all.unwrap_or(name)
    }

    /// A span by service, name and parent.
    fn find<'a>(&self, spans: &'a [Seen], service: &'static str, name: &str, parent: &str) -> Option<&'a Seen> {
        spans.iter().find(|span| span.service == self.service(service) && span.name == name && span.parent == parent)
    }

    /// From the call through the owner's log to its views, to the engine, and on to the figures. `None` while something is missing.
    fn of_the_call(&self, spans: &[Seen]) -> Option<()> {
        let call = self.find(spans, "invoice", "/regua.invoice.v1.InvoiceService/IssueInvoice", CALLER)?;
        for reader in ["invoice", "reporting"] {
            self.find(spans, reader, "InvoiceIssued", &call.id)?;
        }
        let issued = spans.iter().filter(|span| span.service == self.service("dunning-engine") && span.name == "InvoiceIssued");
        let entered = issued.filter(|span| span.parent == call.id).find(|span| self.read_by(spans, "reporting", span))?;
        self.read_by(spans, "dunning-engine", entered).then_some(())
    }

    /// Whether a service's views took in what a span caused.
    fn read_by(&self, spans: &[Seen], service: &'static str, cause: &Seen) -> bool {
        spans.iter().any(|span| span.service == self.service(service) && span.parent == cause.id)
    }

    /// From the timer's wake to the contact, the owner's last look, and the figures. `None` while something is missing.
    fn of_the_wake(&self, spans: &[Seen]) -> Option<()> {
        let wake = self.find(spans, "dunning-engine", "wake ladder", "")?;
        let contact = spans.iter().filter(|span| span.service == self.service("notification") && span.name == "carry out contact");
        let due =
            |contact: &&Seen| spans.iter().any(|span| span.id == contact.parent && span.name == "ReminderDue" && span.parent == wake.id);
        let contact = contact.into_iter().find(due)?;
        let look = self.find(spans, "invoice", "/regua.invoice.v1.InvoiceService/AuthorizeReminder", &contact.id)?;
        self.find(spans, "reporting", "ReminderConcluded", &contact.id)?;
        let concluded = |span: &&Seen| span.service == self.service("dunning-engine") && span.name == "ReminderConcluded";
        let mut ends = spans.iter().filter(concluded).filter(|span| span.parent == contact.id);
        ends.find(|end| self.find(spans, "reporting", "StepsClosed", &end.id).is_some())?;
        assert_eq!(look.trace, wake.trace);
        Some(())
    }
}

/// Waits until both traces are whole, and looks for holes.
pub async fn until_whole(collector: &Collector, all: Option<&'static str>) {
    let route = Route { all };
    let deadline = Instant::now() + Duration::from_secs(30);
    let dump = || collector.spans().iter().map(|span| format!("{span:?}\n")).collect::<String>();
    while route.of_the_call(&collector.trace(TRACE)).is_none() {
        assert!(Instant::now() < deadline, "the trace of the call has holes:\n{}", dump());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let woken = || {
        let spans = collector.spans();
        let due = spans.iter().find(|span| span.name == "ReminderDue")?;
        let trace = collector.trace(&due.trace);
        route.of_the_wake(&trace).map(|()| trace)
    };
    let trace = loop {
        if let Some(trace) = woken() {
            break trace;
        }
        assert!(Instant::now() < deadline, "the trace of the wake has holes:\n{}", dump());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for span in trace.iter().filter(|span| !span.parent.is_empty()) {
        assert!(trace.iter().any(|parent| parent.id == span.parent), "nobody knows the parent of {span:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_runs_through_all_services_of_one_process() {
    let now = SystemClock.now();
    if now.hour() == 23 && now.minute() > 50 {
        println!("skipped: too near to midnight UTC for a reminder of today");
        return;
    }
    let (collector, endpoint) = Collector::start().await;
    let directory = tempfile::tempdir().unwrap();
    let ports = free_ports(8);
    let mut text = format!("[telemetry]\nlog = \"error\"\notlp_endpoint = \"{endpoint}\"\n");
    for (index, service) in SERVICES.iter().enumerate() {
        text += &format!("[{service}]\ngrpc = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n", ports[index], ports[index + 4]);
    }
    text += &format!("[channels.email]\nkind = \"directory\"\ndirectory = \"{}\"\n", directory.path().join("mail").display());
    let config = directory.path().join("regua.toml");
    fs::write(&config, text).unwrap();
    let data = directory.path().join("data");
    let _running = Running::start(&["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()], "ready");

    // Windows open on whole minutes.
    use_policy(ports[1], policy_opening_at((SystemClock.now() + TimeDelta::seconds(75)).time())).await;
    let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
    register(&mut owner, "OWES").await;
    issue(&mut owner, "OWES", now).await;
    let deadline = Instant::now() + Duration::from_secs(180);
    until(deadline, "no mail came", async || (!mails(directory.path()).is_empty()).then_some(())).await;
    until_whole(&collector, Some("regua")).await;
}
