//! A database that does not answer in time.

use crate::{
    processes::{connect, free_ports, issue, listeners, register},
    program::{self, Running},
};
use contracts::invoice::v1::{self as invoice, invoice_service_client::InvoiceServiceClient};
use eventlog::Clock;
use host::{clock::SystemClock, refusal::reason_of};
use sql::{Db, Server};
use std::{
    fs,
    time::{Duration, Instant},
};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_database_does_not_answer_is_unavailable_and_succeeds_later() {
    let Some(stack) = program::stack() else { return };
    let text = fs::read_to_string(stack.join("regua.toml")).unwrap();
    let url = text.lines().find_map(|line| line.strip_prefix("url = ")).unwrap().trim_matches('"').to_owned();
    let prefix = format!("hung{}_", std::process::id());
    let (directory, ports) = (tempfile::tempdir().unwrap(), free_ports(8));
    let storage = format!("[storage]\nkind = \"postgres\"\nurl = \"{url}\"\nprefix = \"{prefix}\"\nstatement_timeout_seconds = 2\n");
    let config = directory.path().join("regua.toml");
    fs::write(&config, storage + &listeners(&ports)).unwrap();
    let running = Running::start(&["up", "--config", config.to_str().unwrap()], "ready");
    let mut owner = InvoiceServiceClient::new(connect(ports[0]).await);
    register(&mut owner, "C").await;

    // Another session holds what every append needs.
    let db = Db::connect_postgres(&url, &format!("{prefix}invoice"), 1).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    holder.execute("LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE", &[]).await.unwrap();
    let asked = Instant::now();
    let request = || invoice::RegisterCustomerRequest {
        command_id: "register-D".into(),
        customer: Some(invoice::Customer { customer_id: "D".into(), name: "Fulana D de Exemplo".into(), ..Default::default() }),
    };
    let refused = owner.register_customer(request()).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::Unavailable, "unavailable"), "{refused}");
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());

    holder.rollback().await.unwrap();
    owner.register_customer(request()).await.unwrap();
    issue(&mut owner, "D", SystemClock.now()).await;
    let mut server = Server::connect(&url).await.unwrap();
    drop(running);
    for schema in server.schemas(&prefix).await.unwrap() {
        server.drop_schema(&schema).await.unwrap();
    }
}
