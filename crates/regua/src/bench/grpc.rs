//! Calls over loopback: the whole invoice service behind its real listener, with its views kept meanwhile.

use super::{
    Figure, Plan,
    append::{self, Ground},
    echo,
    facts::{self, Facts},
    load::{self, Load},
    postgres, tell,
};
use crate::{
    progress,
    settings::{Mode, Settings},
    system,
};
use anyhow::{Context, ensure};
use contracts::invoice::v1 as proto;
use contracts::invoice::v1::invoice_service_client::InvoiceServiceClient;
use eventlog::Activity;
use futures::{future, stream};
use host::{
    Process, Service,
    clock::SystemClock,
    config::{Access, Storage},
};
use kernel::{NaiveDate, calendar::add_days};
use sql::Durability;
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// Calls that wait for their answer at a time.
const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];
/// Latency is told at this share of what the path can take.
const USUAL_LOAD: f64 = 0.7;
/// Streams at a time; together they send as many items as the store took in a round, so that both last about as long.
const STREAMS: [usize; 2] = [1, 4];
/// Commands of one bulk stream that wait for the log at a time.
const BULK_IN_FLIGHT: usize = 1024;

/// A caller of the invoice service.
pub type Client = InvoiceServiceClient<Channel>;

/// The invoice service, running, and its payers.
struct Running {
    service: Service,
    process: Process,
    storage: Storage,
    url: String,
    facts: Facts,
}

impl Running {
    /// In files of a directory.
    async fn start(plan: &Plan, place: &Path) -> anyhow::Result<Self> {
        let mut settings = Settings::load(None)?.on_free_ports();
        settings.storage.directory = place.join("data");
        Self::over(plan, settings).await
    }

    /// In a schema of a bench, which [`postgres::clear`] removes.
    async fn on_postgres(plan: &Plan, storage: &Storage) -> anyhow::Result<Self> {
        let mut settings = Settings::load(None)?.on_free_ports();
        settings.storage = Storage { prefix: postgres::schema(storage, ""), ..storage.clone() };
        Self::over(plan, settings).await
    }

    async fn over(plan: &Plan, settings: Settings) -> anyhow::Result<Self> {
        let process = system::process(&settings, Mode::Live, Arc::new(SystemClock), Activity::new());
        let service = system::start_service(invoice::NAME, &settings, Mode::Live, &process, system::owner_url(&settings)).await?;
        let url = format!("http://{}", service.grpc().context("the service does not listen")?);
        let running = Self { service, process, storage: settings.storage, url, facts: Facts::new(plan.payers) };
        register(&mut client(&running.url)?, plan.payers).await?;
        Ok(running)
    }

    fn request(&self) -> proto::IssueInvoiceRequest {
        let (number, payer) = self.facts.next();
        proto::IssueInvoiceRequest { command_id: format!("i{number}"), invoice: Some(invoice_of(number, payer)) }
    }

    async fn head(&self) -> anyhow::Result<u64> {
        Ok(self.service.environment().log.head().await?)
    }

    /// Looks for what was acknowledged in a handle of its own.
    async fn verify(&self, before: u64, acknowledged: u64) -> anyhow::Result<()> {
        let db = host::environment::open_database(invoice::NAME, &self.storage, Durability::Full).await?;
        append::verify(&db, before, acknowledged).await
    }

    async fn stop(self) {
        self.process.stop.cancel();
        self.service.stop().await;
    }
}

fn client(url: &str) -> anyhow::Result<Client> {
    Ok(Client::new(host::client::channel(url, &Access::default())?))
}

/// Makes so many payers known. Errors: one is refused.
async fn register(client: &mut Client, payers: u64) -> anyhow::Result<()> {
    let customers: Vec<_> = (0..payers).map(customer).collect();
    let mut answers = client.register_customers(stream::iter(customers)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        ensure!(answer.error.is_none(), "a payer was refused: {:?}", answer.error);
    }
    Ok(())
}

/// Issues invoices over one stream. Errors: one is refused or not answered.
async fn issue(client: &mut Client, invoices: Vec<proto::IssueInvoiceRequest>) -> anyhow::Result<()> {
    let (expected, mut answered) = (invoices.len(), 0);
    let item = |one: proto::IssueInvoiceRequest| proto::IssueInvoicesRequest { command_id: one.command_id, invoice: one.invoice };
    let items: Vec<_> = invoices.into_iter().map(item).collect();
    let mut answers = client.issue_invoices(stream::iter(items)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        ensure!(answer.error.is_none(), "an invoice was refused: {:?}", answer.error);
        answered += 1;
    }
    ensure!(answered == expected, "{answered} of {expected} invoices were answered");
    Ok(())
}

/// Makes so many payers known and issues one invoice to each, due on a day. Errors: one is refused.
pub async fn one_each(client: &mut Client, payers: u64, due_on: NaiveDate) -> anyhow::Result<()> {
    register(client, payers).await?;
    let issued_on = add_days(due_on, -30).to_string();
    let invoice = |number| {
        let invoice = proto::NewInvoice { issued_on: issued_on.clone(), due_on: due_on.to_string(), ..invoice_of(number, number) };
        proto::IssueInvoiceRequest { command_id: format!("i{number}"), invoice: Some(invoice) }
    };
    issue(client, (0..payers).map(invoice).collect()).await
}

fn customer(payer: u64) -> proto::RegisterCustomersRequest {
    let attributes = proto::CustomerAttributes { state: "SP".to_owned(), ..Default::default() };
    let customer = proto::Customer {
        customer_id: facts::customer(payer),
        name: format!("Pagador {payer}"),
        attributes: Some(attributes),
        ..Default::default()
    };
    proto::RegisterCustomersRequest { command_id: format!("c{payer}"), customer: Some(customer) }
}

fn invoice_of(number: u64, payer: u64) -> proto::NewInvoice {
    proto::NewInvoice {
        invoice_id: facts::invoice(number),
        customer_id: facts::customer(payer),
        amount_minor: 12_345,
        currency: "BRL".to_owned(),
        issued_on: "2026-01-15".to_owned(),
        due_on: "2026-02-15".to_owned(),
        ..proto::NewInvoice::default()
    }
}

/// One call after the other by so many callers over one connection.
async fn calls(client: &Client, running: &Running, in_flight: usize, plan: &Plan) -> anyhow::Result<Load> {
    load::closed(in_flight, plan.round, || call(client, running)).await
}

async fn call(client: &Client, running: &Running) -> anyhow::Result<()> {
    client.clone().issue_invoice(running.request()).await?;
    Ok(())
}

/// `IssueInvoice` beside an echo.
pub async fn unary(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let running = Running::start(plan, place).await?;
    let stop = CancellationToken::new();
    let real = client(&running.url)?;
    let answer = real.clone().issue_invoice(running.request()).await?.into_inner();
    let bare = client(&format!("http://{}", echo::start(answer, stop.clone())?))?;
    let mut figures = Vec::new();
    for in_flight in IN_FLIGHT {
        let (mut path, mut reference, mut waits) = (Vec::new(), Vec::new(), load::Rounds::default());
        for round in 0..plan.rounds {
            tell(&format!("grpc_unary, {in_flight} in flight"), round, plan);
            let before = running.head().await?;
            let load = calls(&real, &running, in_flight, plan).await?;
            running.verify(before, load.done).await?;
            path.push(load.rate());
            reference.push(calls(&bare, &running, in_flight, plan).await?.rate());
            let before = running.head().await?;
            let usual = load::open(load.rate() * USUAL_LOAD, plan.latency_round(), || call(&real, &running)).await?;
            running.verify(before, usual.done).await?;
            waits.push(&usual.latency);
        }
        let reference = ("bare tonic, same messages", reference.as_slice());
        let figure = Figure::rate(format!("grpc_unary/{in_flight}"), "calls/s", &path, reference);
        let goal = (in_flight >= 64).then_some(0.6);
        figures.push(figure.with_goal(goal).with_latency(waits.medians()));
    }
    stop.cancel();
    running.stop().await;
    Ok(figures)
}

/// `IssueInvoices` on SQLite beside the same number of commands straight to a writer.
pub async fn bulk(plan: &Plan, place: &Path) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::on_sqlite(plan, place).await?;
    let running = Running::start(plan, place).await?;
    let figures = beside_appends(plan, (&ground, "append_sqlite in the same run"), (&running, "grpc_bulk")).await?;
    running.stop().await;
    Ok(figures)
}

/// The same on PostgreSQL.
pub async fn bulk_on_postgres(plan: &Plan, storage: &Storage) -> anyhow::Result<Vec<Figure>> {
    postgres::clear(storage).await?;
    let ground = Ground::on_postgres(plan, storage).await?;
    let running = Running::on_postgres(plan, storage).await?;
    let figures = beside_appends(plan, (&ground, "append_postgres in the same run"), (&running, "grpc_bulk_postgres")).await?;
    running.stop().await;
    drop(ground);
    postgres::clear(storage).await?;
    Ok(figures)
}

async fn beside_appends(
    plan: &Plan,
    (ground, reference_name): (&Ground, &'static str),
    (running, name): (&Running, &str),
) -> anyhow::Result<Vec<Figure>> {
    let stop = CancellationToken::new();
    let echo = format!("http://{}", echo::start(proto::IssueInvoiceResponse::default(), stop.clone())?);
    let mut figures = Vec::new();
    for streams in STREAMS {
        let (mut path, mut reference, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..plan.rounds {
            tell(&format!("{name}, {streams} streams"), round, plan);
            let append = ground.path(BULK_IN_FLIGHT * streams, plan).await?;
            reference.push(append.rate());
            let before = running.head().await?;
            path.push(send(running, &running.url, streams, append.done).await?);
            running.verify(before, (append.done / streams as u64).max(1) * streams as u64).await?;
            bare.push(send(running, &echo, streams, append.done).await?);
        }
        let figure = Figure::rate(format!("{name}/{streams}"), "invoices/s", &path, (reference_name, &reference));
        figures.push(figure.with_goal(Some(0.8)));
        figures.push(Figure::rate(format!("{name}/{streams}/bare"), "invoices/s", &path, ("bare tonic streams, the same messages", &bare)));
    }
    stop.cancel();
    Ok(figures)
}

/// Sends so many invoices over some streams of a connection each, and tells how many a second went through.
async fn send(running: &Running, url: &str, streams: usize, count: u64) -> anyhow::Result<f64> {
    let each = (count / streams as u64).max(1);
    let watch = progress::stopwatch();
    let one = async || {
        let invoices = (0..each).map(|_| running.request()).collect();
        issue(&mut client(url)?, invoices).await
    };
    future::try_join_all((0..streams).map(|_| one())).await?;
    let took = watch();
    Ok(load::per_second(each * streams as u64, took))
}
