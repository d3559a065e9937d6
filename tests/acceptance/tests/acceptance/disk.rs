//! A disk without space, seen by callers.

use crate::{
    processes::{connect, free_ports, listeners, register, until},
    program::{self, Running},
};
use contracts::invoice::v1::{self as invoice, invoice_service_client::InvoiceServiceClient};
use host::refusal::reason_of;
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tonic::{Code, Status, transport::Channel};

/// Whether a process may mount a disk that only it sees.
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    let may = tried.is_ok_and(|done| done.status.success());
    if !may {
        println!("skipped: a process may not mount a disk of its own here");
    }
    may
}

async fn issue(client: &mut InvoiceServiceClient<Channel>, n: usize) -> Result<(), Status> {
    let invoice = invoice::NewInvoice {
        invoice_id: format!("F{n}"),
        customer_id: "C".into(),
        amount_minor: 100,
        due_on: "2199-12-31".into(),
        ..Default::default()
    };
    let request = invoice::IssueInvoiceRequest { command_id: format!("i{n}"), invoice: Some(invoice) };
    client.issue_invoice(request).await.map(drop)
}

fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for size in [1 << 16, 1 << 9, 1] {
        let full = loop {
            if let Err(error) = file.write_all(&vec![0; size]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_on_a_full_disk_is_refused_whole_and_issued_when_there_is_space() {
    if !may_mount() {
        return;
    }
    let (directory, ports) = (tempfile::tempdir().unwrap(), free_ports(8));
    let (config, data) = (directory.path().join("regua.toml"), directory.path().join("data"));
    fs::write(&config, listeners(&ports)).unwrap();
    fs::create_dir(&data).unwrap();
    // The disk is the process's own and goes with it.
    let script = "mount -t tmpfs -o size=64m tmpfs \"$1\" && exec \"$2\" up --config \"$3\" --data \"$1\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "bash", "-c", script, "disk"]).arg(&data).arg(program::path("regua")).arg(&config);
    let running = Running::start_command(command, "ready");
    let mut client = InvoiceServiceClient::new(connect(ports[0]).await);
    register(&mut client, "C").await;
    issue(&mut client, 0).await.unwrap();

    let ballast = format!("/proc/{}/root{}/ballast", running.id(), data.display());
    fill(Path::new(&ballast));
    let mut issued = 1;
    let refused = loop {
        match issue(&mut client, issued).await {
            Ok(()) => issued += 1,
            Err(refused) => break refused,
        }
        assert!(issued < 50_000, "the disk never gets full");
    };
    println!("refused after {issued}: {refused}");
    assert_eq!((refused.code(), reason_of(&refused)), (Code::ResourceExhausted, "disk_full"), "{refused}");
    let asked = invoice::GetInvoiceRequest { invoice_id: format!("F{issued}") };
    assert_eq!(client.get_invoice(asked).await.unwrap_err().code(), Code::NotFound, "nothing half done");

    fs::remove_file(&ballast).unwrap();
    issue(&mut client, issued).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    until(deadline, "an invoice is missing or there twice", async || {
        let asked = invoice::ListInvoicesRequest { page_size: 1000, ..Default::default() };
        let listed = client.clone().list_invoices(asked).await.ok()?.into_inner().invoices.len();
        (listed == (issued + 1).min(1000)).then_some(())
    })
    .await;
}
