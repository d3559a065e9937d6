//! Who may call: tokens, tenants that never see each other, and no open listener without TLS and a token.

use crate::{
    script::{customer, fresh, new_invoice, new_payment, play},
    site::{Site, as_tenant, loopback, process, settings, told, with_token},
};
use contracts::invoice::v1::{self as proto, invoice_service_client::InvoiceServiceClient};
use eventlog::Activity;
use host::{clock::SystemClock, config::Access};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

fn tokens(text: &str) -> Access {
    Access { tokens: text.parse().unwrap(), ..Access::default() }
}

fn two_tenants() -> Access {
    tokens("acme-token = \"acme\"\nglobex-token = \"globex\"")
}

fn register(id: &str) -> proto::RegisterCustomerRequest {
    proto::RegisterCustomerRequest { command_id: fresh(), customer: Some(customer(id)) }
}

fn issue(id: &str, customer_id: &str) -> proto::IssueInvoiceRequest {
    proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(new_invoice(id, customer_id, 1000, "2026-03-20")) }
}

fn pay(id: &str, invoice_id: &str) -> proto::RecordPaymentRequest {
    proto::RecordPaymentRequest { command_id: fresh(), payment: Some(new_payment(id, invoice_id, 1000)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_known_token_is_refused() {
    let site = Site::embedded(two_tenants()).await;
    let mut client = site.client.clone();
    let cases = [
        (tonic::Request::new(register("A")), "Unauthenticated token_missing authorization"),
        (with_token(register("A"), "nonsense"), "Unauthenticated token_unknown authorization"),
        (with_token(register("A"), "acme-toke"), "Unauthenticated token_unknown authorization"),
        (with_token(register("A"), ""), "Unauthenticated token_missing authorization"),
    ];
    for (request, expected) in cases {
        let got = told(&client.register_customer(request).await);
        assert!(got == expected || got == expected.replace("missing", "unknown"), "{got}, not {expected}");
    }
    let mut elsewhere = with_token(register("A"), "acme-token");
    elsewhere.metadata_mut().insert(host::access::TENANT_KEY, "globex".parse().unwrap());
    assert_eq!(told(&client.register_customer(elsewhere).await), "PermissionDenied tenant_forbidden regua-tenant");
    let stream = futures::stream::iter([proto::IssueInvoicesRequest::default()]);
    assert_eq!(told(&client.issue_invoices(stream).await), "Unauthenticated token_missing authorization");
    assert!(site.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_never_see_each_other() {
    for site in Site::every_with(two_tenants()).await {
        let mut client = site.client.clone();
        for token in ["acme-token", "globex-token"] {
            assert_eq!(told(&client.register_customer(with_token(register("A"), token)).await), "ok");
        }
        // The same ids in both tenants are two receivables.
        assert_eq!(told(&client.issue_invoice(with_token(issue("I1", "A"), "acme-token")).await), "ok");
        assert_eq!(told(&client.issue_invoice(with_token(issue("SECRET", "A"), "acme-token")).await), "ok");
        assert_eq!(told(&client.issue_invoice(with_token(issue("I1", "A"), "globex-token")).await), "ok");
        assert_eq!(told(&client.record_payment(with_token(pay("P1", "I1"), "acme-token")).await), "ok");
        site.settle().await;

        let globex = |message| with_token(message, "globex-token");
        let get = proto::GetInvoiceRequest { invoice_id: "I1".to_owned() };
        let own = client.get_invoice(globex(get)).await.unwrap().into_inner().invoice.unwrap();
        assert_eq!(own.outstanding_minor, 1000, "{}", site.database);
        let secret = client.get_invoice(with_token(proto::GetInvoiceRequest { invoice_id: "SECRET".to_owned() }, "globex-token")).await;
        assert_eq!(told(&secret), "NotFound unknown_invoice invoice_id");
        let paid = client.record_payment(with_token(pay("P2", "SECRET"), "globex-token")).await;
        assert_eq!(told(&paid), "NotFound unknown_invoice payment.invoice_id");
        let reverse = proto::ReversePaymentRequest { command_id: fresh(), payment_id: "P1".to_owned(), reason: "x".to_owned() };
        assert_eq!(told(&client.reverse_payment(with_token(reverse, "globex-token")).await), "NotFound unknown_payment payment_id");
        let listed = client.list_invoices(with_token(proto::ListInvoicesRequest::default(), "globex-token")).await.unwrap();
        assert_eq!(listed.into_inner().invoices, [own], "{}", site.database);
        let asked = proto::GetCustomerBalanceRequest { customer_id: "A".to_owned(), as_of: String::new() };
        let owes = client.get_customer_balance(with_token(asked, "globex-token")).await.unwrap().into_inner();
        assert_eq!(owes.balances[0].outstanding_minor, 1000, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_cannot_be_named_so_that_it_runs_into_another() {
    for site in Site::every().await {
        // The payer `eu/1` of acme has the stream account/acme/eu/1: a tenant `acme/eu` must not exist.
        let mut client = site.client.clone();
        assert_eq!(told(&client.register_customer(as_tenant(register("eu/1"), "acme")).await), "ok");
        let got = told(&client.register_customer(as_tenant(register("1"), "acme/eu")).await);
        assert_eq!(got, "InvalidArgument tenant_malformed regua-tenant", "{}", site.database);
        let get = proto::GetCustomerRequest { customer_id: "eu/1".to_owned() };
        assert_eq!(told(&client.get_customer(as_tenant(get, "acme")).await), "ok");
    }
}

async fn started_at(listen: &str, access: Access) -> anyhow::Result<SocketAddr> {
    let folder = tempfile::tempdir().unwrap();
    let process = process(Arc::new(SystemClock), Activity::new(), access);
    let storage = host::config::Storage {
        kind: "sqlite".to_owned(),
        directory: folder.path().to_owned(),
        url: String::new(),
        max_connections: 2,
        statement_timeout_seconds: 30,
        prefix: String::new(),
    };
    let listen = host::config::Listen { grpc: listen.parse().unwrap(), ..loopback() };
    let started = invoice::start(&process, settings(storage, listen)).await;
    process.stop.cancel();
    started.map(|service| service.grpc().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_listener_starts_only_with_tls_and_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let guarded = certified(folder.path(), two_tenants());
    let cases = [
        ("nothing", Access::default(), false),
        ("a token alone", two_tenants(), false),
        ("TLS alone", Access { tokens: toml::Table::new(), ..guarded.clone() }, false),
        ("a certificate without its key", Access { private_key: String::new(), ..guarded.clone() }, false),
        ("a file that is not there", Access { certificate: "/nowhere.pem".to_owned(), ..guarded.clone() }, false),
        ("both", guarded, true),
    ];
    for (what, access, starts) in cases {
        let started = started_at("0.0.0.0:0", access).await;
        assert_eq!(started.is_ok(), starts, "{what}: {started:?}");
    }
    assert!(started_at("127.0.0.1:0", Access::default()).await.is_ok());
    assert!(started_at("127.0.0.1:0", tokens("t = 5")).await.is_err(), "a token that cannot be used is a fault");
}

/// Access with a certificate for `localhost`, made for this run.
fn certified(folder: &Path, access: Access) -> Access {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    Access { certificate: text(&certificate), private_key: text(&key), authority: text(&certificate), ..access }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_with_tls_speaks_tls_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let access = certified(folder.path(), two_tenants());
    let site = Site::embedded(access.clone()).await;
    let port = site.service().grpc().unwrap().port();
    let authority = Certificate::from_pem(std::fs::read(&access.authority).unwrap());
    let secure = Channel::from_shared(format!("https://localhost:{port}")).unwrap();
    let secure = secure.tls_config(ClientTlsConfig::new().ca_certificate(authority)).unwrap().connect().await.unwrap();
    let mut client = InvoiceServiceClient::new(secure);
    assert_eq!(told(&client.register_customer(with_token(register("A"), "acme-token")).await), "ok");
    assert_eq!(told(&client.register_customer(register("A")).await), "Unauthenticated token_missing authorization");

    // The installation's own calls come the same way.
    let channel = host::client::channel(&format!("https://localhost:{port}"), &access).unwrap();
    let credentials = host::client::Credentials::with_token("globex-token").unwrap();
    let mut own = InvoiceServiceClient::with_interceptor(channel, credentials);
    assert_eq!(told(&own.register_customer(register("B")).await), "ok");

    let mut plain = site.client.clone();
    assert!(plain.register_customer(with_token(register("C"), "acme-token")).await.is_err());
    assert_eq!(site.transcript(0).await, ["account/acme/A@1 CustomerRegistered", "account/globex/B@1 CustomerRegistered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_login_there_is_one_tenant_on_loopback() {
    let site = Site::embedded(Access::default()).await;
    play(&site, "register A").await;
    assert_eq!(site.transcript(0).await, ["account/default/A@1 CustomerRegistered"]);
}
