//! The whole service in process, on a SQLite file and a virtual clock: facts of invoices and contacts come from memory logs, the owner of
//! the balance is a function. PostgreSQL takes part when REGUA_TEST_POSTGRES names one. Tests only.

mod actions;
mod agreements;
mod arrangements;
mod catch_ups;
mod conditions;
mod days;
mod explanations;
mod holidays;
mod listings;
mod migrations;
mod notices;
mod policies;
mod rehearsals;
mod repeats;
mod tasks;
mod variants;

use crate::{
    NAME, TOPIC,
    actions::LastLook,
    grpc::Server,
    inbound::{INVOICE_TOPIC, NOTIFICATION_TOPIC},
    migrations::MIGRATIONS,
    start::{Rules, assemble},
};
use chrono::{DateTime, Utc};
use contracts::dunning::v1::dunning_service_server::DunningService;
use contracts::{dunning::v1 as proto, invoice::v1 as invoice, notification::v1 as notification};
use eventlog::activity::Registration;
use eventlog::{
    Activity, Append, Clock, Expected, Log, Meta, NewEvent,
    bus::{Bus, InProcess, Verbatim},
};
use host::{
    Environment, Parts, Process,
    access::Caller,
    clock::VirtualClock,
    config::{Access, Storage},
    ids::TimeOrdered,
};
use kernel::Zone;
use prost::Message;
use sql::Durability;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const TENANT: &str = "default";

/// What the owner says of every item: empty = authorised, `offline`, or the reason of a refusal.
type Owner = Arc<Mutex<String>>;

struct World {
    clock: Arc<VirtualClock>,
    process: Process,
    storage: Storage,
    _directory: tempfile::TempDir,
    _sleepers: Registration,
    facts: [Log; 2],
    owner: Owner,
    rules: Rules,
    parts: Parts,
    environment: Environment,
    server: Server,
    answered: u64,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A moment of a day in Brasília, whose clocks are three hours behind.
fn brasilia(day: &str, hour: u32) -> DateTime<Utc> {
    at(&format!("{day}T00:00:00Z")) + chrono::TimeDelta::hours(i64::from(hour) + 3)
}

fn owner_says(owner: &Owner) -> LastLook {
    let owner = Arc::clone(owner);
    Arc::new(move |_tenant, asked| {
        let says = owner.lock().unwrap().clone();
        Box::pin(async move {
            if says == "offline" {
                return Err(Status::unavailable("nobody is there"));
            }
            let verdict = |item: &invoice::ReminderItem| invoice::ReminderVerdict {
                invoice_id: item.invoice_id.clone(),
                authorized: says.is_empty(),
                reason: says.clone(),
                ..Default::default()
            };
            Ok(invoice::AuthorizeReminderResponse { verdicts: asked.items.iter().map(verdict).collect(), ..Default::default() })
        })
    })
}

fn process(clock: &Arc<VirtualClock>, activity: Activity, bus: InProcess) -> Process {
    Process {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        ids: Arc::new(TimeOrdered),
        activity,
        bus: Bus::InProcess(bus),
        access: Access::default(),
        partitions: 1,
        durability: Durability::Throwaway,
        stop: CancellationToken::new(),
    }
}

async fn open(process: &Process, storage: &Storage) -> Environment {
    Environment::open(NAME, storage, MIGRATIONS, process).await.unwrap()
}

fn sqlite(directory: &tempfile::TempDir) -> Storage {
    let directory = directory.path().to_owned();
    let (kind, url, prefix) = ("sqlite".into(), String::new(), String::new());
    Storage { kind, directory, url, max_connections: 2, statement_timeout_seconds: 30, prefix }
}

/// A schema of its own for every world.
fn postgres(url: String) -> Storage {
    let prefix = format!("t{}_", uuid::Uuid::now_v7().simple());
    let directory = std::path::PathBuf::new();
    Storage { kind: "postgres".into(), directory, url, max_connections: 4, statement_timeout_seconds: 30, prefix }
}

fn rules(approvals_given: bool) -> Rules {
    Rules { approvals_given, zone: Zone::SAO_PAULO, limits: crate::Limits::default() }
}

impl World {
    async fn begin(now: DateTime<Utc>, approvals_given: bool) -> World {
        let directory = tempfile::tempdir().unwrap();
        World::begin_on(sqlite(&directory), directory, now, rules(approvals_given)).await
    }

    /// The same world on every database that there is.
    async fn begin_on_each(now: DateTime<Utc>, approvals_given: bool) -> Vec<World> {
        let mut worlds = vec![World::begin(now, approvals_given).await];
        match std::env::var("REGUA_TEST_POSTGRES") {
            Ok(url) => worlds.push(World::begin_on(postgres(url), tempfile::tempdir().unwrap(), now, rules(approvals_given)).await),
            Err(_) => println!("skipped on PostgreSQL: REGUA_TEST_POSTGRES is not set"),
        }
        worlds
    }

    async fn begin_on(storage: Storage, directory: tempfile::TempDir, now: DateTime<Utc>, rules: Rules) -> World {
        let activity = Activity::new();
        let clock = VirtualClock::new(now, activity.clone());
        let checked = Arc::clone(&clock);
        let sleepers = activity.register("clock", Box::new(move || checked.is_idle()));
        let bus = InProcess::new();
        let facts = [(); 2].map(|()| Log::memory(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(TimeOrdered)));
        bus.offer(INVOICE_TOPIC, facts[0].clone(), Arc::new(Verbatim));
        bus.offer(NOTIFICATION_TOPIC, facts[1].clone(), Arc::new(Verbatim));
        let process = process(&clock, activity, bus);
        let owner = Owner::default();
        let environment = open(&process, &storage).await;
        let mut parts = Parts::default();
        let server = assemble(&environment, rules, owner_says(&owner), &mut parts).await.unwrap();
        World {
            clock,
            process,
            storage,
            _directory: directory,
            _sleepers: sleepers,
            facts,
            owner,
            rules,
            parts,
            environment,
            server,
            answered: 0,
        }
    }

    /// Ends the service and starts it again on what it stored.
    async fn restart(mut self) -> World {
        self.environment.stop.cancel();
        let parts = std::mem::take(&mut self.parts);
        drop(parts.timers);
        for consumer in parts.consumers {
            consumer.stopped().await;
        }
        for task in parts.tasks {
            task.await.unwrap();
        }
        drop(self.server);
        let environment = open(&self.process, &self.storage).await;
        let mut parts = Parts::default();
        let server = assemble(&environment, self.rules, owner_says(&self.owner), &mut parts).await.unwrap();
        World { parts, environment, server, ..self }
    }

    async fn settle(&self) {
        let settled = tokio::time::timeout(PATIENCE, self.process.activity.settled()).await;
        assert!(settled.is_ok(), "still busy: {:?}", self.process.activity.busy());
    }

    async fn tell(&self, log: &Log, stream: String, customer: &str, fact: (&'static str, Vec<u8>)) {
        let (event_type, payload) = fact;
        let event = NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None };
        let meta = Meta { tenant: TENANT.into(), key: format!("{TENANT}/{customer}"), ..Meta::default() };
        let append = Append {
            stream,
            expected: Expected::Any,
            events: vec![event],
            meta,
            command: None,
            claims: vec![],
            side: vec![],
            answer: vec![],
        };
        log.append(vec![append]).await.unwrap().remove(0).unwrap();
        self.settle().await;
    }

    async fn invoice_says<M: Message>(&self, customer: &str, event_type: &'static str, fact: M) {
        self.tell(&self.facts[0], format!("account/{TENANT}/{customer}"), customer, (event_type, fact.encode_to_vec())).await;
    }

    async fn registered(&self, customer: &str, segment: &str) {
        let attributes = invoice::CustomerAttributes { segment: segment.into(), ..Default::default() };
        let fact = invoice::CustomerRegistered { customer_id: customer.into(), attributes: Some(attributes), consents: vec![] };
        self.invoice_says(customer, "CustomerRegistered", fact).await;
    }

    async fn issued(&self, customer: &str, invoice_id: &str, (issued_on, due_on): (&str, &str)) {
        let fact = invoice::InvoiceIssued {
            customer_id: customer.into(),
            invoice_id: invoice_id.into(),
            amount_minor: 10_000,
            currency: "BRL".into(),
            issued_on: issued_on.into(),
            due_on: due_on.into(),
            ..invoice::InvoiceIssued::default()
        };
        self.invoice_says(customer, "InvoiceIssued", fact).await;
    }

    async fn paid(&self, customer: &str, invoice_id: &str, outstanding_minor: i64) {
        let fact = invoice::PaymentReceived {
            customer_id: customer.into(),
            invoice_id: invoice_id.into(),
            payment_id: format!("P-{invoice_id}-{outstanding_minor}"),
            outstanding_minor,
            ..Default::default()
        };
        self.invoice_says(customer, "PaymentReceived", fact).await;
    }

    /// Concludes every reminder that was not answered yet, item by item: outcome and reason as `gate` says of day and step.
    async fn answer(&mut self, gate: &impl Fn(&str, &str) -> (&'static str, &'static str)) {
        for event in self.environment.log.read(self.answered, 10_000).await.unwrap() {
            self.answered = event.position;
            if event.event_type != "ReminderDue" {
                continue;
            }
            let due = proto::ReminderDue::decode(event.payload.as_slice()).unwrap();
            let item = |item: &proto::DueItem| {
                let (outcome, reason) = gate(&due.day, &item.step_id);
                notification::ItemOutcome {
                    invoice_id: item.invoice_id.clone(),
                    cycle: item.cycle,
                    step_id: item.step_id.clone(),
                    occurrence: item.occurrence,
                    outcome: outcome.into(),
                    reason: reason.into(),
                    net_minor: 0,
                }
            };
            let items: Vec<_> = due.items.iter().map(item).collect();
            let sent = items.iter().any(|item| item.outcome == "executed");
            let fact = notification::ReminderConcluded {
                customer_id: due.customer_id.clone(),
                contact_id: format!("contact.{}", due.day),
                day: due.day.clone(),
                sent,
                channels: if sent { vec!["email".into()] } else { vec![] },
                items: items.clone(),
                ..Default::default()
            };
            let stream = format!("contacts/{TENANT}/{}", due.customer_id);
            self.tell(&self.facts[1], stream.clone(), &due.customer_id, ("ReminderConcluded", fact.encode_to_vec())).await;
            if sent {
                let receipt = notification::ReceiptNoted {
                    customer_id: due.customer_id.clone(),
                    contact_id: format!("contact.{}", due.day),
                    status: "delivered".into(),
                    day: due.day,
                    items: items.into_iter().filter(|item| item.outcome == "executed").collect(),
                    ..Default::default()
                };
                self.tell(&self.facts[1], stream, &due.customer_id, ("ReceiptNoted", receipt.encode_to_vec())).await;
            }
        }
    }

    /// Lives until a moment; contacts end as `gate` says.
    async fn live(&mut self, until: DateTime<Utc>, gate: impl Fn(&str, &str) -> (&'static str, &'static str)) {
        loop {
            self.settle().await;
            self.answer(&gate).await;
            self.settle().await;
            match self.clock.next_deadline().filter(|next| *next <= until) {
                Some(next) => self.clock.advance_to(next),
                None if self.clock.now() < until => self.clock.advance_to(until),
                None => return,
            }
        }
    }

    fn ask<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(Caller { tenant: TENANT.into() });
        request
    }

    async fn track(&self, invoice_id: &str) -> proto::Track {
        let asked = self.ask(proto::GetTrackRequest { invoice_id: invoice_id.into() });
        self.server.get_track(asked).await.unwrap().into_inner().track.unwrap()
    }

    /// `step status reason ended_on`, one line a step.
    async fn ends(&self, invoice_id: &str) -> String {
        let line = |step: &proto::StepOccurrence| format!("{} {} {} {}", step.step_id, step.status, step.reason, step.ended_on);
        let lines: Vec<String> = self.track(invoice_id).await.steps.iter().map(line).map(|line| line.trim().replace("  ", " ")).collect();
        lines.join("\n")
    }

    async fn events(&self, event_type: &str) -> usize {
        let events = self.environment.log.read(0, 100_000).await.unwrap();
        events.iter().filter(|event| event.event_type == event_type).count()
    }

    async fn publish(&self, command_id: &str, toml: &str) -> Result<proto::PublishPolicyResponse, Status> {
        let asked = proto::PublishPolicyRequest { command_id: command_id.into(), toml: toml.into(), preview_due_on: "2026-11-23".into() };
        self.server.publish_policy(self.ask(asked)).await.map(tonic::Response::into_inner)
    }

    async fn assign(&self, scope: &str, target: &str, policy: (&str, u32)) -> Result<(), Status> {
        let asked = proto::AssignPolicyRequest {
            command_id: format!("assign.{scope}.{target}.{}.{}", policy.0, policy.1),
            scope: scope.into(),
            target: target.into(),
            policy_id: policy.0.into(),
            policy_version: policy.1,
        };
        self.server.assign_policy(self.ask(asked)).await.map(|_| ())
    }

    /// Views rebuilt from zero equal the live ones, and nothing is parked.
    async fn check(&self) {
        for projections in &self.parts.projections {
            for name in ["dunning-ladders", "dunning-listings"] {
                let proof = projections.verify(name).await.unwrap();
                assert_eq!(proof.live_hash, proof.rebuilt_hash, "{name}");
            }
        }
        for consumer in &self.parts.consumers {
            assert_eq!(consumer.status().parked, 0, "{}", consumer.name());
        }
        assert_eq!(crate::CONSUMERS.len(), self.parts.consumers.len(), "{TOPIC}");
    }
}

fn sent(_: &str, _: &str) -> (&'static str, &'static str) {
    ("executed", "")
}
