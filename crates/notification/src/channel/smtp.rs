//! A mail server. Each command is sent by itself, so that it is known on which side of DATA a connection was lost:
//! before it nothing was handed over; after it only the server knows, and nothing is sent again.

use super::{Answer, ChannelConfig, ConfigFault, Outgoing, Security, mail::Sender};
use host::signed;
use lettre::{
    Message,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use std::{error::Error as _, future::Future, io, time::Duration};

/// How long a farewell may take; nothing depends on it.
const FAREWELL: Duration = Duration::from_secs(2);

/// The way out.
pub(super) struct Smtp {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    timeout: Duration,
    sender: Sender,
}

/// How the connection is protected. What is not trusted is not talked to: there is no way from TLS back to the clear.
enum Protection {
    Starttls(TlsParameters),
    Tls(TlsParameters),
    None,
}

impl Smtp {
    /// Errors: no server, a timeout out of range, mail in the clear to another machine, or an authority that cannot be read.
    pub fn open(config: &ChannelConfig, sender: Sender) -> Result<Self, ConfigFault> {
        if config.host.is_empty() {
            return Err(ConfigFault::new("host", "is empty"));
        }
        let protection = match config.security {
            Security::Starttls => Protection::Starttls(tls(config)?),
            Security::Tls => Protection::Tls(tls(config)?),
            Security::None if signed::is_this_machine(&config.host) => Protection::None,
            Security::None => return Err(ConfigFault::new("security", "may be none only for a server on the same machine")),
        };
        let credentials = (!config.username.is_empty()).then(|| Credentials::new(config.username.clone(), config.password.clone()));
        Ok(Self { host: config.host.clone(), port: config.port, protection, credentials, timeout: timeout(config)?, sender })
    }

    pub async fn send(&self, message: &Outgoing) -> Answer {
        let email = match self.sender.email(message) {
            Ok(email) => email,
            Err(reason) => return Answer::refused(reason),
        };
        let mut connection = match self.in_time(self.connect()).await {
            Some(Ok(connection)) => connection,
            // Whatever a server says before it has heard of the message is about the server.
            Some(Err(error)) => return Answer::not_now(format!("smtp_{}", reason(&error))),
            None => return Answer::not_now("smtp_timeout"),
        };
        if let Some(answer) = self.in_time(offer(&mut connection, email.envelope())).await.unwrap_or(Some(Answer::not_now("smtp_timeout")))
        {
            goodbye(connection).await;
            return answer;
        }
        let answer = match self.in_time(connection.message(&email.formatted())).await {
            Some(Ok(_)) => Answer::Accepted { provider_id: message_id(&email) },
            Some(Err(error)) => judged(&error, Answer::unknown("smtp_lost")),
            None => Answer::unknown("smtp_timeout"),
        };
        goodbye(connection).await;
        answer
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let (server, hello) = ((self.host.as_str(), self.port), ClientId::default());
        let (from_the_start, later) = match &self.protection {
            Protection::Tls(tls) => (Some(tls.clone()), None),
            Protection::Starttls(tls) => (None, Some(tls.clone())),
            Protection::None => (None, None),
        };
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &hello, from_the_start, None).await?;
        if let Some(tls) = later {
            connection.starttls(tls, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    async fn in_time<T>(&self, step: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.timeout, step).await.ok()
    }
}

/// Names sender and reader, up to DATA. `None` where the server waits for the message.
async fn offer(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Option<Answer> {
    let mut parameters = Vec::new();
    if envelope.to().iter().any(|address| !address.to_string().is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Some(Answer::refused("smtp_address_not_ascii"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let lost = || Answer::not_now("smtp_lost");
    if let Err(error) = connection.command(Mail::new(envelope.from().cloned(), parameters)).await {
        return Some(judged(&error, lost()));
    }
    for address in envelope.to() {
        if let Err(error) = connection.command(Rcpt::new(address.clone(), vec![])).await {
            return Some(judged(&error, lost()));
        }
    }
    connection.command(Data).await.err().map(|error| judged(&error, lost()))
}

/// What a server's refusal means; `otherwise` where it said nothing that can be understood.
fn judged(error: &Error, otherwise: Answer) -> Answer {
    match code(error) {
        Some(code) if error.is_permanent() => Answer::refused(format!("smtp_{code}")),
        Some(code) => Answer::not_now(format!("smtp_{code}")),
        None => otherwise,
    }
}

/// Whom we trust: the configured authority alone, or those that the public trusts.
fn tls(config: &ChannelConfig) -> Result<TlsParameters, ConfigFault> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if !config.ca.is_empty() {
        let fault = |error: &dyn std::fmt::Display| ConfigFault::new("ca", format!("{} cannot be used: {error}", config.ca));
        let pem = std::fs::read(&config.ca).map_err(|error| fault(&error))?;
        let authority = Certificate::from_pem(&pem).map_err(|error| fault(&error))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    parameters.build().map_err(|error| ConfigFault::new("ca", error.to_string()))
}

/// Why there is no connection: what the server said, a certificate that is not trusted, a server without TLS, or no server.
fn reason(error: &Error) -> String {
    match code(error) {
        Some(code) => code,
        None if is_distrust(error) => "tls".to_owned(),
        // What the client cannot do with this server: switch to TLS, or log in.
        None if error.is_client() => "not_offered".to_owned(),
        None => "unreachable".to_owned(),
    }
}

fn is_distrust(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        // The error of TLS is inside one of the connection, and not its source.
        if cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        source = cause.source();
    }
    error.is_tls()
}

fn code(error: &Error) -> Option<String> {
    error.status().map(|code| code.to_string())
}

async fn goodbye(mut connection: AsyncSmtpConnection) {
    // The message is handed over or refused by now: how the conversation ends changes nothing.
    let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
}

fn message_id(email: &Message) -> String {
    let id = email.headers().get_raw("Message-ID").unwrap_or_default().trim();
    if id.is_empty() { "accepted".to_owned() } else { id.chars().take(200).collect() }
}

fn timeout(config: &ChannelConfig) -> Result<Duration, ConfigFault> {
    signed::timeout(config.timeout_seconds).map_err(|fault| ConfigFault::new(fault.key, fault.message))
}
