//! A real mail server behind TLS, with a certificate made for the test: aiosmtpd, where `REGUA_TEST_AIOSMTPD` names its program
//! (`deploy/test.sh` prepares it).

use crate::channel::{message, open};
use notice::Channel;
use notification::channel::{Answer, ChannelConfig, Channels, ChannelsConfig, Kind, Security};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A mail server that ends with its test.
struct MailServer {
    process: Child,
    port: u16,
    directory: TempDir,
}

impl MailServer {
    /// Starts it on a free port with a certificate for `name`; `None`, with a line that says so, where there is no program for it.
    fn start(security: Security, name: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("REGUA_TEST_AIOSMTPD") else {
            println!("skipped: REGUA_TEST_AIOSMTPD names no mail server (make test prepares one)");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = certify(directory.path(), name);
        let flags = match security {
            Security::Starttls => ["--tlscert", "--tlskey"],
            Security::Tls => ["--smtpscert", "--smtpskey"],
            Security::None => panic!("this server is never in the clear"),
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["-n", "-l", &format!("127.0.0.1:{port}")]).arg(flags[0]).arg(certificate).arg(flags[1]).arg(key);
        command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(directory.path().join("mail"));
        // It tells every handshake that fails, which is what some tests are about.
        let process = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, port, directory };
        server.wait_until_it_listens();
        Some(server)
    }

    fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the mail server does not listen");
            std::thread::yield_now();
        }
    }

    /// A configuration that leads to it and trusts nobody but whom `ca` names; empty = those that the public trusts.
    fn config(&self, security: Security, ca: &Path) -> ChannelConfig {
        ChannelConfig {
            kind: Kind::Smtp,
            host: "127.0.0.1".into(),
            port: self.port,
            security,
            ca: ca.to_str().unwrap().into(),
            timeout_seconds: 10,
            ..ChannelConfig::default()
        }
    }

    fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// What it has taken.
    fn mails(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.directory.path().join("mail/new")) else { return Vec::new() };
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes an authority's certificate, `ca.pem`, and a certificate that it signed for a name, with its key.
fn certify(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let write = |file: &str, text: String| {
        let path = directory.join(file);
        fs::write(&path, text).unwrap();
        path
    };
    write("ca.pem", root.pem());
    (write("server.pem", certificate.pem()), write("key.pem", key.serialize_pem()))
}

fn not_now(reason: &str) -> Answer {
    Answer::NotNow { reason: reason.into() }
}

#[tokio::test]
async fn a_mail_goes_through_tls_to_a_server_that_the_configuration_trusts() {
    for security in [Security::Starttls, Security::Tls] {
        let Some(server) = MailServer::start(security, "127.0.0.1") else { return };
        let sent = message(Channel::Email, "a.0.0");
        let answer = open(server.config(security, &server.authority())).send(&sent).await;
        assert!(matches!(answer, Answer::Accepted { .. }), "{security:?}: {answer:?}");
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "{security:?}");
        assert!(mails[0].contains(&sent.key.digest()) && mails[0].contains("ana@payer.example"), "{}", mails[0]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_nothing_not_even_in_the_clear() {
    for security in [Security::Starttls, Security::Tls] {
        let Some(stranger) = MailServer::start(security, "127.0.0.1") else { return };
        let Some(other) = MailServer::start(security, "mail.example") else { return };
        let cases = [
            ("signed by somebody unknown", stranger.config(security, Path::new(""))),
            ("signed by another authority", stranger.config(security, &other.authority())),
            ("another server's certificate", other.config(security, &other.authority())),
        ];
        for (what, config) in cases {
            assert_eq!(open(config).send(&message(Channel::Email, "a.0.0")).await, not_now("smtp_tls"), "{security:?}: {what}");
        }
        assert!(stranger.mails().is_empty() && other.mails().is_empty(), "{security:?}");
    }
}

#[tokio::test]
async fn a_server_that_begins_in_the_clear_is_not_spoken_to_where_tls_is_asked_for_from_the_start() {
    let Some(server) = MailServer::start(Security::Starttls, "127.0.0.1") else { return };
    let answer = open(server.config(Security::Tls, &server.authority())).send(&message(Channel::Email, "a.0.0")).await;
    assert_eq!(answer, not_now("smtp_tls"));
    assert!(server.mails().is_empty());
}

#[test]
fn an_authority_that_cannot_be_read_is_a_fault_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let nonsense = directory.path().join("ca.pem");
    fs::write(&nonsense, "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n").unwrap();
    for ca in [directory.path().join("missing.pem"), nonsense] {
        let email =
            ChannelConfig { kind: Kind::Smtp, host: "127.0.0.1".into(), ca: ca.to_str().unwrap().into(), ..ChannelConfig::default() };
        let faults = Channels::open(&ChannelsConfig { email, ..ChannelsConfig::default() }, &crate::channel::creditor()).err().unwrap();
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["channels.email.ca"], "{}", ca.display());
    }
}
