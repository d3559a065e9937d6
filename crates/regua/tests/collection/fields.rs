//! Refusals name fields that their requests have: every unary call of every service, with each of its fields spoilt in turn.

use crate::world::World;
use bytes::{Buf, BufMut};
use contracts::{
    dunning::v1::{self as dunning, dunning_service_client::DunningServiceClient},
    invoice::v1 as proto,
};
use host::refusal::{FIELD_KEY, reason_of};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage, Value};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

/// Sends bytes as they are; what is answered is of no interest.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}

const SERVICES: [(&str, &str); 4] = [
    (invoice::NAME, "regua.invoice.v1.InvoiceService"),
    (dunning_engine::NAME, "regua.dunning.v1.DunningService"),
    (notification::NAME, "regua.notification.v1.NotificationService"),
    (reporting::NAME, "regua.reporting.v1.ReportingService"),
];

const POLICY: &str = "policy = \"one\"\ncalendar = \"none\"\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\n";

/// A text that a field takes, by its name: what the world of this test has.
fn good(name: &str, command_id: &str) -> String {
    let text = match name {
        "command_id" | "arrangement_id" | "payment_id" | "credit_note_id" => command_id,
        "customer_id" => "A",
        "invoice_id" | "invoice_ids" => "I1",
        "policy_id" => "one",
        "step_id" => "d+1",
        "task_id" => "I1,1,hold_review,,2026-03-01",
        "contact_id" | "finding_id" | "account_id" => "X",
        "toml" => POLICY,
        "currency" => "BRL",
        "due_on" | "promised_on" | "until" | "review_on" | "preview_due_on" => "2026-03-20",
        "issued_on" | "paid_on" | "noted_on" | "as_of" | "day" | "day_from" => "2026-03-01",
        "channel" | "consents" => "email",
        "month" => "2026-01",
        "outcome" => "accepted",
        "scope" => "customer",
        "target" => "A",
        "template" => "lembrete",
        "by" | "reason" | "name" => "ana",
        _ => "",
    };
    text.to_owned()
}

/// Names of the fields that lead to one that holds no message.
type Path = Vec<String>;

fn leaves(message: &MessageDescriptor, prefix: &[String]) -> Vec<(Path, FieldDescriptor)> {
    let mut found = Vec::new();
    for field in message.fields() {
        let path: Path = prefix.iter().cloned().chain([field.name().to_owned()]).collect();
        match field.kind() {
            Kind::Message(_) if field.is_list() || path.len() > 3 => {}
            Kind::Message(inner) => found.extend(leaves(&inner, &path)),
            _ => found.push((path, field)),
        }
    }
    found
}

fn put(message: &mut DynamicMessage, path: &[String], value: Value) {
    let [first, rest @ ..] = path else { return };
    let field = message.descriptor().get_field_by_name(first).unwrap();
    if rest.is_empty() {
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        message.set_field(&field, value);
    } else if let Value::Message(inner) = message.get_field_mut(&field) {
        put(inner, rest, value);
    }
}

/// A request with every field as the services take it, as far as its name says how.
fn request(message: &MessageDescriptor, command_id: &str) -> DynamicMessage {
    let mut request = DynamicMessage::new(message.clone());
    for (path, field) in leaves(message, &[]) {
        let value = match field.kind() {
            Kind::String => Value::String(good(field.name(), command_id)),
            Kind::Int64 if field.name() == "amount_minor" => Value::I64(10),
            Kind::Uint32 if field.name() == "policy_version" => Value::U32(if path.first().is_some_and(|at| at == "to") { 2 } else { 1 }),
            _ => continue,
        };
        if value != Value::String(String::new()) {
            put(&mut request, &path, value);
        }
    }
    request
}

fn spoilt(field: &FieldDescriptor) -> Vec<Value> {
    let texts = ["", "nonsense \u{202e}", "nonsense", "9999-12-31", "2026-02-01"].map(|text| Value::String(text.to_owned()));
    match field.kind() {
        Kind::String => texts.into_iter().chain([Value::String("x".repeat(5_000))]).collect(),
        Kind::Int64 => vec![Value::I64(-1), Value::I64(0), Value::I64(i64::MAX)],
        Kind::Int32 => vec![Value::I32(-1), Value::I32(i32::MAX)],
        Kind::Uint32 => vec![Value::U32(0), Value::U32(u32::MAX)],
        Kind::Enum(_) => vec![Value::EnumNumber(99)],
        _ => Vec::new(),
    }
}

/// Whether a path leads to a field of a message; `[0]` of a list is left aside.
fn has(message: &MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = message.get_field_by_name(first.split('[').next().unwrap_or("")) else { return false };
    match (field.kind(), rest) {
        (_, None) => true,
        (Kind::Message(inner), Some(rest)) => has(&inner, rest),
        (_, Some(_)) => false,
    }
}

/// What is wrong with a refusal.
fn fault(method: &MethodDescriptor, status: &Status) -> Option<String> {
    let field = status.metadata().get(FIELD_KEY).and_then(|value| value.to_str().ok()).unwrap_or("");
    let reason = reason_of(status);
    let place = format!("{}: {:?} {reason} {field:?}: {}", method.name(), status.code(), status.message());
    // The faults of a policy have paths within its text.
    if reason == "policy_faults" {
        return None;
    }
    let is_callers = matches!(status.code(), Code::InvalidArgument | Code::NotFound | Code::FailedPrecondition);
    let is_named = has(&method.input(), field) || (field.is_empty() && !is_callers);
    (reason.is_empty() || !is_named).then_some(place)
}

async fn prepare(world: &mut World) {
    let customer = |id: &str| proto::Customer { customer_id: id.to_owned(), ..Default::default() };
    let register = proto::RegisterCustomerRequest { command_id: "c".to_owned(), customer: Some(customer("A")) };
    world.invoices.register_customer(register).await.unwrap();
    let url = world.system.url(dunning_engine::NAME).unwrap();
    let mut engine = DunningServiceClient::new(host::client::channel(&url, world.system.access()).unwrap());
    for version in ["1", "2"] {
        let toml = POLICY.replace("offset_days = 1", &format!("offset_days = {version}"));
        let publish = dunning::PublishPolicyRequest { command_id: format!("p{version}"), toml, ..Default::default() };
        engine.publish_policy(publish).await.unwrap();
    }
    let invoice = proto::NewInvoice {
        invoice_id: "I1".to_owned(),
        customer_id: "A".to_owned(),
        amount_minor: 1_000,
        due_on: "2026-03-20".to_owned(),
        ..Default::default()
    };
    world.invoices.issue_invoice(proto::IssueInvoiceRequest { command_id: "i".to_owned(), invoice: Some(invoice) }).await.unwrap();
    let payment = proto::NewPayment {
        payment_id: "full".to_owned(),
        invoice_id: "I1".to_owned(),
        amount_minor: kernel::MAX_AMOUNT_MINOR,
        ..Default::default()
    };
    world.invoices.record_payment(proto::RecordPaymentRequest { command_id: "f".to_owned(), payment: Some(payment) }).await.unwrap();
    world.until("2026-03-02").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_names_a_field_that_its_request_has() {
    let mut world = World::start().await;
    prepare(&mut world).await;
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
    let (mut faults, mut refusals, mut calls) = (Vec::new(), 0, 0);
    for (service, full_name) in SERVICES {
        let channel: Channel = host::client::channel(&world.system.url(service).unwrap(), world.system.access()).unwrap();
        let mut grpc = Grpc::new(channel);
        for method in pool.get_service_by_name(full_name).unwrap().methods() {
            // A stream tells of its items in its answers.
            if method.is_client_streaming() || method.is_server_streaming() {
                continue;
            }
            let path = PathAndQuery::try_from(format!("/{full_name}/{}", method.name())).unwrap();
            let mut requests = vec![DynamicMessage::new(method.input())];
            for (at, (leaf, field)) in leaves(&method.input(), &[]).into_iter().enumerate() {
                for (way, value) in spoilt(&field).into_iter().enumerate() {
                    let mut request = request(&method.input(), &format!("{}-{at}-{way}", method.name()));
                    put(&mut request, &leaf, value);
                    requests.push(request);
                }
            }
            for request in requests {
                calls += 1;
                grpc.ready().await.unwrap();
                if let Err(status) = grpc.unary(Request::new(request.encode_to_vec()), path.clone(), Raw).await {
                    refusals += 1;
                    faults.extend(fault(&method, &status).map(|fault| format!("{fault} of {request}")));
                }
            }
        }
    }
    faults.dedup();
    assert!(faults.is_empty(), "{} of {refusals}:\n{}", faults.len(), faults.join("\n"));
    assert!(calls > 500 && refusals > 300, "{refusals} refusals of {calls} calls");
    world.system.stop().await;
}
