//! Message files: whole, readable by a mail reader, written once.

use crate::channel::{creditor, message};
use notice::Channel;
use notification::channel::{Answer, ChannelConfig, Channels, ChannelsConfig, Kind};
use std::{collections::BTreeMap, fs, path::Path};

fn open(directory: &Path) -> Channels {
    let config = ChannelConfig { kind: Kind::Directory, directory: directory.to_str().unwrap().into(), ..ChannelConfig::default() };
    Channels::open(&ChannelsConfig::all(config), &creditor()).unwrap()
}

/// A mail as a reader sees it: unfolded headers and decoded parts. Written for these tests, from RFC 5322, 2045 and 2047.
struct Mail {
    headers: BTreeMap<String, String>,
    /// Kind, content id and bytes; parts within parts are laid flat.
    parts: Vec<Part>,
}

struct Part {
    kind: String,
    content_id: String,
    bytes: Vec<u8>,
}

impl Part {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap().replace("\r\n", "\n").trim().to_owned()
    }
}

fn read(bytes: &[u8]) -> Mail {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 998) && !text.replace("\r\n", "").contains('\n'));
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers = headers(head);
    let parts = parts(&headers, body);
    Mail { headers, parts }
}

fn parts(headers: &BTreeMap<String, String>, body: &str) -> Vec<Part> {
    let kind = headers["content-type"].clone();
    let Some(rest) = kind.split("boundary=\"").nth(1) else {
        let content_id = headers.get("content-id").cloned().unwrap_or_default();
        return vec![Part { kind, content_id, bytes: decoded(&headers["content-transfer-encoding"], body) }];
    };
    let boundary = format!("--{}", rest.split('"').next().unwrap());
    let (body, line) = (format!("\r\n{body}"), format!("\r\n{boundary}\r\n"));
    let sections: Vec<&str> = body.split(&line).collect();
    let inner = |section: &&str| {
        let section = section.split(&format!("\r\n{boundary}--")).next().unwrap();
        let (head, body) = section.split_once("\r\n\r\n").unwrap();
        parts(&self::headers(head), body)
    };
    assert!(body.contains(&format!("{boundary}--")), "the end is there");
    sections[1..].iter().flat_map(inner).collect()
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let unfolded = head.replace("\r\n ", " ");
    let pairs = unfolded.split("\r\n").map(|line| line.split_once(':').unwrap());
    pairs.map(|(name, value)| (name.to_lowercase(), words(value.trim()))).collect()
}

fn words(value: &str) -> String {
    let word = |word: &str| match word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => (String::from_utf8(base64(encoded)).unwrap(), true),
        None => (word.to_owned(), false),
    };
    let mut out = String::new();
    let mut before_encoded = false;
    for (text, encoded) in value.split(' ').map(word) {
        if !(out.is_empty() || encoded && before_encoded) {
            out.push(' ');
        }
        out.push_str(&text);
        before_encoded = encoded;
    }
    out
}

fn decoded(encoding: &str, body: &str) -> Vec<u8> {
    match encoding {
        "7bit" => body.as_bytes().to_vec(),
        "base64" => base64(body),
        "quoted-printable" => quoted_printable(body),
        other => panic!("unexpected encoding {other}"),
    }
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut bytes = joined.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    out
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        bits = bits << 6 | u32::try_from(alphabet.iter().position(|letter| *letter == byte).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    out
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_mail_reader_opens_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let channels = open(directory.path());
    let email = message(Channel::Email, "a.0.0");
    assert_eq!(channels.send(&email).await, Answer::Accepted { provider_id: "acme~c%2F1~a.0.0.eml".into() });
    assert_eq!(files(directory.path()), ["acme~c%2F1~a.0.0.eml"]);
    let mail = read(&fs::read(directory.path().join("acme~c%2F1~a.0.0.eml")).unwrap());
    for (header, expected) in [
        ("from", "\"Loja da Praça\" <contas@loja.example>"),
        ("to", "\"Ana Exemplo\" <ana@payer.example>"),
        ("subject", "Mensagem de Loja da Praça Ltda."),
        ("date", "Mon, 23 Nov 2026 12:00:00 +0000"),
        ("mime-version", "1.0"),
        ("content-language", "pt-BR"),
        ("auto-submitted", "auto-generated"),
        ("x-regua-channel", "email"),
        ("x-regua-attempt", "acme~c/1~a.0.0"),
    ] {
        let got = mail.headers[header].replace('"', "");
        assert_eq!(got, expected.replace('"', ""), "{header}");
    }
    assert_eq!(mail.headers["message-id"], format!("<{}@loja.example>", email.key.digest()));
    assert!(mail.headers["list-unsubscribe"].starts_with("<mailto:contas@loja.example?subject="));
    let kinds: Vec<&str> = mail.parts.iter().map(|part| part.kind.split(';').next().unwrap()).collect();
    assert_eq!(kinds, ["text/plain", "text/html", "image/png", "image/png", "image/png", "image/png"]);
    assert_eq!((mail.parts[0].text(), mail.parts[1].text()), (email.body.text.clone(), email.body.html.clone()));
    for (part, figure) in mail.parts[2..].iter().zip(&email.body.figures) {
        assert_eq!(part.content_id, format!("<{}>", figure.content_id));
        assert!(email.body.html.contains(&format!("\"cid:{}\"", figure.content_id)) && part.bytes == figure.png().unwrap());
    }
}

#[tokio::test]
async fn every_channel_has_its_file() {
    for (channel, to) in [
        (Channel::Whatsapp, "5511999990000@whatsapp.invalid"),
        (Channel::Sms, "5511999990000@sms.invalid"),
        (Channel::Voice, "5511999990000@voice.invalid"),
        (Channel::Letter, "post@letter.invalid"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let sent = message(channel, "a.0.0");
        assert_eq!(open(directory.path()).send(&sent).await.slug(), "accepted");
        let mail = read(&fs::read(directory.path().join(&files(directory.path())[0])).unwrap());
        assert!(mail.headers["to"].contains(to), "{}", mail.headers["to"]);
        assert_eq!(mail.headers["x-regua-channel"], channel.slug());
        assert_eq!(mail.parts[0].text(), sent.body.text, "{}", channel.slug());
        assert_eq!(mail.parts.len(), 1);
    }
}

#[tokio::test]
async fn a_message_handed_over_twice_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let channels = std::sync::Arc::new(open(directory.path()));
    assert!(channels.is_idempotent(Channel::Email));
    let sends = (0..20).map(|number| {
        let channels = std::sync::Arc::clone(&channels);
        tokio::spawn(async move { channels.send(&message(Channel::Email, if number % 2 == 0 { "a.0.0" } else { "a.1.0" })).await })
    });
    for send in sends.collect::<Vec<_>>() {
        assert_eq!(send.await.unwrap().slug(), "accepted");
    }
    assert_eq!(files(directory.path()), ["acme~c%2F1~a.0.0.eml", "acme~c%2F1~a.1.0.eml"]);
}

#[tokio::test]
async fn a_directory_that_went_away_is_tried_again_later() {
    let directory = tempfile::tempdir().unwrap();
    let channels = open(&directory.path().join("out"));
    fs::remove_dir(directory.path().join("out")).unwrap();
    let answer = channels.send(&message(Channel::Email, "a.0.0")).await;
    assert_eq!(answer, Answer::NotNow { reason: "directory_unwritable".into() });
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let channels = open(directory.path());
    for (channel, to) in [(Channel::Email, "nobody"), (Channel::Email, "a@b.example\r\nBcc: x@y.example"), (Channel::Sms, "none")] {
        let mut sent = message(channel, "a.0.0");
        sent.to = kernel::personal::Personal::new(to);
        assert_eq!(channels.send(&sent).await, Answer::Refused { reason: "address_invalid".into() }, "{to}");
    }
    assert!(files(directory.path()).is_empty());
}
