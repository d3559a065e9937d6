//! A mail server of our own that answers what a test tells it to, and what the adapter makes of that.

use crate::channel::{message, open};
use notice::Channel;
use notification::channel::{Answer, ChannelConfig, Channels, Kind, Security};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server says; an empty answer hangs up.
#[derive(Clone, Copy)]
pub struct Script {
    pub greeting: &'static str,
    pub mail: &'static str,
    pub recipient: &'static str,
    pub data: &'static str,
    pub end: &'static str,
}

pub const POLITE: Script = Script { greeting: "220 ready", mail: "250 ok", recipient: "250 ok", data: "354 go on", end: "250 taken" };

/// Mails that a server took up to their end, whatever it answered then.
pub type Taken = Arc<Mutex<Vec<String>>>;

async fn serve(script: Script) -> (Channels, Taken) {
    let (config, taken) = server(script).await;
    (open(config), taken)
}

/// Starts a server; what the e-mail channel must be told to use it.
pub async fn server(script: Script) -> (ChannelConfig, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Taken::default();
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, script, Arc::clone(&kept)));
        }
    });
    (to_port(port), taken)
}

fn to_port(port: u16) -> ChannelConfig {
    ChannelConfig {
        kind: Kind::Smtp,
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        timeout_seconds: 2,
        ..ChannelConfig::default()
    }
}

async fn converse(stream: TcpStream, script: Script, taken: Taken) -> Option<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, script.greeting).await?;
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let answer = match line.split([' ', '\r', ':']).next()? {
            "EHLO" => "250 8BITMIME",
            "MAIL" => script.mail,
            "RCPT" => script.recipient,
            "DATA" => {
                say(&mut stream, script.data).await?;
                if !script.data.starts_with('3') {
                    continue;
                }
                let mail = mail(&mut stream).await?;
                taken.lock().unwrap().push(mail);
                script.end
            }
            _ => "221 bye",
        };
        say(&mut stream, answer).await?;
    }
}

async fn mail(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        if line == ".\r\n" {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Answers; `None` hangs up, and "silence" says nothing for as long as the other side waits.
async fn say(stream: &mut BufReader<TcpStream>, answer: &str) -> Option<()> {
    match answer {
        "" => None,
        "silence" => {
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(stream, &mut rest).await;
            None
        }
        _ => stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok(),
    }
}

fn refused(reason: &str) -> Answer {
    Answer::Refused { reason: reason.into() }
}

fn not_now(reason: &str) -> Answer {
    Answer::NotNow { reason: reason.into() }
}

fn unknown(reason: &str) -> Answer {
    Answer::Unknown { reason: reason.into() }
}

#[tokio::test]
async fn a_mail_is_taken_with_the_id_of_its_attempt() {
    let (channels, taken) = serve(POLITE).await;
    let sent = message(Channel::Email, "a.0.0");
    let id = format!("<{}@loja.example>", sent.key.digest());
    assert_eq!(channels.send(&sent).await, Answer::Accepted { provider_id: id.clone() });
    assert!(!channels.is_idempotent(Channel::Email), "a mail server takes the same id twice");
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].contains(&format!("Message-ID: {id}\r\n")) && taken[0].contains("List-Unsubscribe: <mailto:"), "{}", taken[0]);
}

#[tokio::test]
async fn what_the_server_says_decides() {
    let cases = [
        ("the server is not well", Script { greeting: "421 later", ..POLITE }, not_now("smtp_421"), 0),
        ("the server wants nobody", Script { greeting: "554 no", ..POLITE }, not_now("smtp_554"), 0),
        ("the sender is refused", Script { mail: "550 no", ..POLITE }, refused("smtp_550"), 0),
        ("the reader is unknown", Script { recipient: "550 no such user", ..POLITE }, refused("smtp_550"), 0),
        ("the reader is greylisted", Script { recipient: "451 later", ..POLITE }, not_now("smtp_451"), 0),
        ("the data is not wanted", Script { data: "554 no", ..POLITE }, refused("smtp_554"), 0),
        ("the data is not wanted now", Script { data: "452 full", ..POLITE }, not_now("smtp_452"), 0),
        ("the text is refused", Script { end: "550 spam", ..POLITE }, refused("smtp_550"), 1),
        ("the text is refused for now", Script { end: "451 later", ..POLITE }, not_now("smtp_451"), 1),
        ("hangs up before the mail", Script { mail: "", ..POLITE }, not_now("smtp_lost"), 0),
        ("hangs up before the data", Script { data: "", ..POLITE }, not_now("smtp_lost"), 0),
        ("hangs up after the data", Script { end: "", ..POLITE }, unknown("smtp_lost"), 1),
        ("says nothing at first", Script { greeting: "silence", ..POLITE }, not_now("smtp_timeout"), 0),
        ("says nothing before the data", Script { data: "silence", ..POLITE }, not_now("smtp_timeout"), 0),
        ("says nothing after the data", Script { end: "silence", ..POLITE }, unknown("smtp_timeout"), 1),
    ];
    for (what, script, expected, calls) in cases {
        let (channels, taken) = serve(script).await;
        assert_eq!(channels.send(&message(Channel::Email, "a.0.0")).await, expected, "{what}");
        assert_eq!(taken.lock().unwrap().len(), calls, "{what}: once at most");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_took_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(open(to_port(free)).send(&message(Channel::Email, "a.0.0")).await, not_now("smtp_unreachable"));
}

#[tokio::test]
async fn a_server_without_tls_gets_no_mail_where_tls_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Taken::default();
    let kept = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, POLITE, Arc::clone(&kept)));
        }
    });
    let config = ChannelConfig { kind: Kind::Smtp, host: "127.0.0.1".into(), port, timeout_seconds: 2, ..ChannelConfig::default() };
    assert_eq!(open(config).send(&message(Channel::Email, "a.0.0")).await, not_now("smtp_not_offered"));
    assert!(taken.lock().unwrap().is_empty());
}
