//! How long after a payment was acknowledged the last look refuses its reminder, and the views show it, on PostgreSQL and Kafka.

use super::{
    Figure, Plan, books, facts, grpc, kept,
    load::{self, Latencies, Rounds},
    streamed, tell,
};
use crate::{
    progress,
    settings::{Mode, Settings},
    system,
};
use anyhow::{Context, ensure};
use contracts::{
    invoice::v1 as owner,
    reporting::v1::{ListReceivablesRequest, reporting_service_client::ReportingServiceClient},
};
use eventlog::{Activity, bus::Loopback};
use host::{Process, Service, clock::SystemClock, config::Access};
use sql::Durability;
use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tonic::transport::Channel;

/// Payments a second.
const RATE: f64 = 2_000.0;
/// Of so many payments one is looked for; looking for each would be the load.
const ONE_IN: u64 = 100;
/// How often whoever looks for a payment looks again: a look is a query, and more often they would be half of the load.
const AGAIN: Duration = Duration::from_millis(5);
/// A payment that no view shows for so long is lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// A view may take so many times as long as a bare message.
const MOST: f64 = 4.0;
/// Bytes of a bare message: about those of a payment's event.
const PAYLOAD: [u8; 200] = [7; 200];
const AMOUNT: i64 = 12_345;

/// Invoice service and reporting, running, with one open invoice for every payment to come.
struct Running {
    services: [Service; 2],
    process: Process,
    owner: grpc::Client,
    reporting: ReportingServiceClient<Channel>,
    next: AtomicU64,
}

/// What a round saw of the payments that were looked for, from the acknowledgement on.
#[derive(Default)]
struct Seen {
    refused: Latencies,
    shown: Latencies,
}

/// From acknowledgement to gate and view, beside a message through Kafka alone at the same rate.
pub async fn measure(plan: &Plan, settings: &Settings) -> anyhow::Result<Vec<Figure>> {
    streamed::clear(settings).await?;
    let apart = streamed::apart(settings);
    let each = (RATE * plan.round.as_secs_f64()) as u64 + 1;
    let running = Running::start(&apart, each * (plan.rounds as u64 + 1)).await?;
    let bare = streamed::kafka(&running.process)?.loopback("bare").await?;
    // One round that does not count: a broker that has just started still translates its own program, on the same cores.
    running.pay(plan.round).await?;
    there_and_back(&bare, plan.round).await?;
    let (mut gate, mut view, mut reference) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..plan.rounds {
        tell("freshness", round, plan);
        let seen = running.pay(plan.round).await?;
        gate.push(&seen.refused);
        view.push(&seen.shown);
        reference.push(&there_and_back(&bare, plan.round).await?);
    }
    bare.close().await?;
    running.verify(&apart).await?;
    running.stop().await;
    streamed::clear(settings).await?;
    let beside = ("a message through Kafka alone, 99th percentile", reference.slow());
    let of_gate = gate.medians();
    Ok(vec![
        // That it refuses is no figure: a run in which it does not has failed.
        Figure::cost("freshness/gate", "ms", of_gate.1, None).with_latency(of_gate),
        Figure::less("freshness/view", "ms", view.slow(), beside).with_goal(Some(1.0 / MOST)).with_latency(view.medians()),
    ])
}

async fn there_and_back(bare: &Loopback, long: Duration) -> anyhow::Result<Latencies> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let piece = || async {
        let arrived = bare.there_and_back(NUMBER.fetch_add(1, Ordering::Relaxed), &PAYLOAD);
        Ok(tokio::time::timeout(PATIENCE, arrived).await.context("a message through Kafka alone does not arrive")??)
    };
    Ok(load::open(RATE, long, piece).await?.latency)
}

impl Running {
    async fn start(settings: &Settings, invoices: u64) -> anyhow::Result<Self> {
        let process = system::process(settings, Mode::Live, Arc::new(SystemClock), Activity::new());
        let owner = system::start_service(invoice::NAME, settings, Mode::Live, &process, system::owner_url(settings)).await?;
        let reporting = system::start_service(reporting::NAME, settings, Mode::Live, &process, system::owner_url(settings)).await?;
        let url = |service: &Service| service.grpc().map(|address| format!("http://{address}")).context("a service does not listen");
        let channel = |url: String| host::client::channel(&url, &Access::default());
        let running = Self {
            owner: grpc::Client::new(channel(url(&owner)?)?),
            reporting: ReportingServiceClient::new(channel(url(&reporting)?)?),
            services: [owner, reporting],
            process,
            next: AtomicU64::new(0),
        };
        // One payer and one invoice for every payment.
        grpc::one_each(&mut running.owner.clone(), invoices, books::day(45)).await?;
        running.wait_until_shown(invoices - 1, AMOUNT).await?;
        Ok(running)
    }

    /// Payments at a steady rate for so long.
    async fn pay(&self, long: Duration) -> anyhow::Result<Seen> {
        let (seen, watch) = (RefCell::new(Seen::default()), progress::stopwatch());
        // However short the round, its first one is looked for.
        let first = self.next.load(Ordering::Relaxed);
        let piece = || async {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.owner.clone().record_payment(payment(number)).await?;
            if (number - first).is_multiple_of(ONE_IN) {
                let acknowledged = watch();
                let since = || watch().saturating_sub(acknowledged);
                // Two who ask at the same moment.
                let refused = async { self.ask_the_gate(number).await.map(|()| since()) };
                let shown = async { self.wait_until_shown(number, 0).await.map(|()| since()) };
                let (refused, shown) = tokio::try_join!(refused, shown)?;
                let mut seen = seen.borrow_mut();
                seen.refused.record(refused);
                seen.shown.record(shown);
            }
            Ok(())
        };
        load::open(RATE, long, piece).await?;
        Ok(seen.into_inner())
    }

    /// Asks for leave to remind of a paid invoice. Errors: it is given.
    async fn ask_the_gate(&self, number: u64) -> anyhow::Result<()> {
        let invoice_id = facts::invoice(number);
        let item = owner::ReminderItem { invoice_id, cycle: 1, step_id: "bench".to_owned(), occurrence: 1, ..Default::default() };
        let asked = owner::AuthorizeReminderRequest {
            customer_id: facts::customer(number),
            contact_id: format!("bench-{number}"),
            items: vec![item],
        };
        let verdicts = self.owner.clone().authorize_reminder(asked).await?.into_inner().verdicts;
        let paid = verdicts.first().is_some_and(|verdict| !verdict.authorized && verdict.reason == "paid");
        ensure!(paid, "a payment was acknowledged and the last look says {verdicts:?}");
        Ok(())
    }

    /// Looks until the view shows so much open. Errors: it never does.
    async fn wait_until_shown(&self, number: u64, open_minor: i64) -> anyhow::Result<()> {
        let watch = progress::stopwatch();
        loop {
            let asked = ListReceivablesRequest { customer_id: facts::customer(number), ..Default::default() };
            let shown = self.reporting.clone().list_receivables(asked).await?.into_inner().receivables;
            if shown.first().is_some_and(|receivable| receivable.open_minor == open_minor) {
                return Ok(());
            }
            ensure!(watch() < PATIENCE, "invoice {number} should have {open_minor} open, is shown as {shown:?}");
            // The later it is the less often: where the views fall behind, looking for all that wait would keep them from it.
            tokio::time::sleep(AGAIN.max(watch() / 10)).await;
        }
    }

    /// Looks for every payment that was acknowledged, in a handle of its own. Errors: one is not there.
    async fn verify(&self, settings: &Settings) -> anyhow::Result<()> {
        let db = host::environment::open_database(invoice::NAME, &settings.storage, Durability::Full).await?;
        let (stored, paid) = (kept::count(&db, "events WHERE event_type = 'PaymentReceived'").await?, self.next.load(Ordering::Relaxed));
        ensure!(stored == paid, "{paid} payments were acknowledged and {stored} are there");
        Ok(())
    }

    async fn stop(self) {
        self.process.stop.cancel();
        for service in self.services {
            service.stop().await;
        }
    }
}

fn payment(number: u64) -> owner::RecordPaymentRequest {
    let payment = owner::NewPayment {
        payment_id: format!("payment-{number:09}"),
        invoice_id: facts::invoice(number),
        amount_minor: AMOUNT,
        paid_on: "2026-02-10".to_owned(),
        method: "pix".to_owned(),
        ..Default::default()
    };
    owner::RecordPaymentRequest { command_id: format!("p{number}"), payment: Some(payment) }
}
