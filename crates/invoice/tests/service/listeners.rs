//! What every service offers beside its calls: health, reflection, metrics, and an orderly end.

use crate::{
    script::{fresh, new_invoice, play},
    site::{Site, eventually, told_item},
};
use contracts::invoice::v1 as proto;
use eventlog::{Append, Expected, Meta, NewEvent};
use futures::StreamExt;
use host::config::{Access, Reflection};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

fn channel(site: &Site) -> Channel {
    Channel::from_shared(format!("http://{}", site.service().grpc().unwrap())).unwrap().connect_lazy()
}

fn http(site: &Site) -> SocketAddr {
    site.service().addresses().iter().find(|(protocol, _)| *protocol == "http").unwrap().1
}

/// Status and body of a GET.
async fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    connection.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Ok((status, body.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_for_the_service_by_its_name() {
    let site = Site::embedded(Access { tokens: "t = \"acme\"".parse().unwrap(), ..Access::default() }).await;
    let mut health = HealthClient::new(channel(&site));
    for service in ["", "regua.invoice.v1.InvoiceService"] {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

async fn reflected(site: &Site) -> Result<Vec<String>, tonic::Status> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(MessageRequest::ListServices(String::new())) };
    let mut client = ServerReflectionClient::new(channel(site));
    let answers = client.server_reflection_info(futures::stream::iter([request])).await?;
    let answer = answers.into_inner().message().await?.unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("no list: {answer:?}") };
    Ok(list.service.into_iter().map(|service| service.name).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_lists_the_service_where_it_is_asked_for_only() {
    let open = Site::embedded(Access { reflection: Reflection::Loopback, ..Access::default() }).await;
    let services = reflected(&open).await.unwrap();
    for name in ["regua.invoice.v1.InvoiceService", "grpc.health.v1.Health"] {
        assert!(services.iter().any(|service| service == name), "{services:?}");
    }
    let closed = Site::embedded(Access::default()).await;
    assert_eq!(reflected(&closed).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_health_are_served_over_http() {
    for site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20").await;
        site.settle().await;
        assert_eq!(get(http(&site), "/health").await.unwrap().0, 200);
        let (status, text) = get(http(&site), "/metrics").await.unwrap();
        assert_eq!(status, 200);
        for line in ["consumer_lag_events{consumer=\"invoice.views\"} 0", "parked_streams{consumer=\"invoice.views\"} 0"] {
            assert!(text.contains(line), "{}: {line} is not in\n{text}", site.database);
        }
        assert!(!text.contains("I1") && !text.contains("default/A"), "no ids in labels");
        assert_eq!(get(http(&site), "/nothing").await.unwrap().0, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_with_a_token_are_for_who_shows_it() {
    let site = Site::embedded(Access { metrics_token: "scrape".to_owned(), ..Access::default() }).await;
    assert_eq!(get(http(&site), "/metrics").await.unwrap().0, 401);
    assert_eq!(get(http(&site), "/metrics HTTP/1.1\r\nAuthorization: Bearer scrape\r\nX:").await.unwrap().0, 200);
    assert_eq!((get(http(&site), "/health").await.unwrap().0, get(http(&site), "/live").await.unwrap().0), (200, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_tells_which_part_is_not_well_and_of_no_payer() {
    for site in Site::every().await {
        play(&site, "register A").await;
        site.settle().await;
        assert_eq!(get(http(&site), "/health").await.unwrap(), (200, r#"{"degraded":[],"status":"serving"}"#.to_owned()));
        let event = NewEvent { event_type: "InvoiceIssued", schema_version: 1, payload: vec![0xff], occurred_at: None, effective_on: None };
        let append = Append {
            stream: "account/default/A".to_owned(),
            expected: Expected::Any,
            events: vec![event],
            meta: Meta { tenant: "default".to_owned(), key: "default/A".to_owned(), ..Meta::default() },
            command: None,
            claims: Vec::new(),
            side: Vec::new(),
            answer: Vec::new(),
        };
        site.service().environment().log.append(vec![append]).await.unwrap().remove(0).unwrap();
        site.settle().await;
        let told = r#"{"degraded":[{"count":1,"part":"consumer invoice.views","state":"streams_parked"}],"status":"degraded"}"#;
        assert_eq!(get(http(&site), "/health").await.unwrap(), (200, told.to_owned()), "{}", site.database);
    }
}

fn item(n: u32) -> proto::IssueInvoicesRequest {
    proto::IssueInvoicesRequest { command_id: fresh(), invoice: Some(new_invoice(&format!("I{n}"), "A", 1000, "2026-03-20")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_call_ends_in_good_order_when_the_service_stops() {
    for mut site in Site::every().await {
        play(&site, "register A").await;
        let (grpc, log) = (site.service().grpc().unwrap(), site.service().environment().log.clone());
        let (send, items) = mpsc::channel(4);
        let mut answers = site.client.clone().issue_invoices(ReceiverStream::new(items)).await.unwrap().into_inner();
        send.send(item(1)).await.unwrap();
        assert_eq!(told_item(&answers.next().await.unwrap().unwrap().error), "ok");

        let stopping = tokio::spawn(site.take().stop());
        eventually("nobody new is let in", || async { TcpStream::connect(grpc).await.is_err() }).await;
        // The stream that was running takes items until its caller has no more.
        send.send(item(2)).await.unwrap();
        assert_eq!(told_item(&answers.next().await.unwrap().unwrap().error), "ok", "{}", site.database);
        assert!(!stopping.is_finished());
        drop(send);
        assert!(answers.next().await.is_none());
        tokio::time::timeout(Duration::from_secs(20), stopping).await.expect("it stops once the call is over").unwrap();
        assert_eq!(log.head().await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_never_ends_does_not_keep_the_service_from_stopping() {
    let mut site = Site::embedded(Access::default()).await;
    play(&site, "register A").await;
    let (send, items) = mpsc::channel(4);
    let mut answers = site.client.clone().issue_invoices(ReceiverStream::new(items)).await.unwrap().into_inner();
    send.send(item(1)).await.unwrap();
    answers.next().await.unwrap().unwrap();
    let stopping = site.take().stop_within(Duration::from_millis(50));
    tokio::time::timeout(Duration::from_secs(20), stopping).await.expect("it stops though the stream is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_stopped_goes_on_where_it_was() {
    for mut site in Site::every().await {
        play(&site, "register A\nissue I1 A 1000 due=2026-03-20").await;
        site.take().stop().await;
        let process = crate::site::process(site.clock.clone(), eventlog::Activity::new(), Access::default());
        let again = invoice::start(&process, crate::site::settings(site.storage.clone(), crate::site::loopback())).await.unwrap();
        let channel = Channel::from_shared(format!("http://{}", again.grpc().unwrap())).unwrap().connect_lazy();
        let mut client = crate::site::Client::new(channel);
        let found = client.get_invoice(proto::GetInvoiceRequest { invoice_id: "I1".to_owned() }).await.unwrap().into_inner();
        assert_eq!(found.invoice.unwrap().outstanding_minor, 1000, "{}", site.database);
        again.stop().await;
    }
}
