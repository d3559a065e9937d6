//! E-mails that come back: delivery status notifications (RFC 3464), and readers who ask to be left alone.
//!
//! Every message of ours carries its key in a header of its own. A notification returns those headers, so whose attempt it is about is
//! read from there; a reader who unsubscribes sends the key in the subject that `List-Unsubscribe` proposes.
//!
//! Read line by line: the part with the status is 7-bit text (RFC 3464 section 2), and returned headers are never encoded
//! (RFC 2046 section 5.2.1).

use super::AttemptKey;
use notice::ReceiptStatus;

/// The header that carries a message's key.
pub(crate) const KEY_HEADER: &str = "X-Regua-Attempt";
/// The word that begins the subject of an unsubscription.
pub(crate) const UNSUBSCRIBE: &str = "SAIR";

/// What an e-mail that came back says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// What became of a message; `None` where it is still being tried, or where a relay only passed it on.
    Status {
        /// Its key.
        key: AttemptKey,
        /// What became of it.
        receipt: Option<ReceiptStatus>,
    },
    /// The reader wants no more e-mails.
    OptOut {
        /// The key of the message that was answered.
        key: AttemptKey,
    },
}

/// Reads an e-mail. `None` where it is neither a delivery status notification about a message of ours nor an unsubscription.
pub fn read(mail: &str) -> Option<Returned> {
    let lines = unfolded(mail);
    let head = || lines.iter().map(String::as_str).take_while(|line| !line.is_empty());
    if let Some(key) = field(head(), "Subject").and_then(unsubscription) {
        return Some(Returned::OptOut { key });
    }
    let kind = field(head(), "Content-Type")?.to_ascii_lowercase();
    if !(kind.starts_with("multipart/report") && kind.contains("delivery-status")) {
        return None;
    }
    let body = || lines.iter().map(String::as_str).skip_while(|line| !line.is_empty());
    let key = field(body(), KEY_HEADER)?.parse().ok()?;
    Some(Returned::Status { key, receipt: receipt(field(body(), "Action")?) })
}

/// `failed` is for good, whatever its code: who gave up after days has given up. `delayed` is not the end, and neither is `relayed` to a
/// system that may never tell.
fn receipt(action: &str) -> Option<ReceiptStatus> {
    match action.to_ascii_lowercase().as_str() {
        "failed" => Some(ReceiptStatus::Failed),
        "delivered" | "expanded" => Some(ReceiptStatus::Delivered),
        _ => None,
    }
}

fn unsubscription(subject: &str) -> Option<AttemptKey> {
    // Readers' programs put `Re:` and the like before it.
    let words: Vec<&str> = subject.split_whitespace().collect();
    let place = words.iter().position(|word| word.eq_ignore_ascii_case(UNSUBSCRIBE))?;
    words.get(place + 1)?.parse().ok()
}

fn field<'a>(mut lines: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    lines.find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Lines with their continuations (RFC 5322 section 2.2.3).
fn unfolded(mail: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in mail.lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) && !last.is_empty() => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "acme~c1~2026-11-23.BRL.all.0.0";

    /// As postfix writes it; the last part returns the headers of the message.
    fn notification(action: &str, status: &str) -> String {
        format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"AB/mx\"\r\n\r\n\
             --AB/mx\r\nContent-Type: text/plain\r\n\r\nThis is the mail system. X-Regua-Attempt was not delivered.\r\n\r\n\
             --AB/mx\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; nobody@payer.example\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n\
             --AB/mx\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: Loja <contas@loja.example>\r\n\
             X-Regua-Attempt:\r\n {KEY}\r\nSubject: Aviso\r\n\r\n--AB/mx--\r\n"
        )
    }

    #[test]
    fn a_notification_tells_what_became_of_its_message() {
        for (action, status, receipt) in [
            ("failed", "5.1.1", Some(ReceiptStatus::Failed)),
            ("Failed", "4.4.7", Some(ReceiptStatus::Failed)),
            ("delivered", "2.0.0", Some(ReceiptStatus::Delivered)),
            ("delayed", "4.4.1", None),
            ("relayed", "2.0.0", None),
        ] {
            let expected = Returned::Status { key: KEY.parse().unwrap(), receipt };
            assert_eq!(read(&notification(action, status)), Some(expected.clone()), "{action}");
            assert_eq!(read(&notification(action, status).replace("\r\n", "\n")), Some(expected), "{action}, without CR");
        }
    }

    #[test]
    fn a_reader_who_answers_with_the_proposed_subject_opts_out() {
        let opt_out = Some(Returned::OptOut { key: KEY.parse().unwrap() });
        for subject in [format!("SAIR {KEY}"), format!("Re: sair {KEY}"), format!("SAIR\r\n {KEY}")] {
            assert_eq!(read(&format!("From: ana@payer.example\r\nSubject: {subject}\r\n\r\n")), opt_out, "{subject}");
        }
    }

    #[test]
    fn other_mail_is_nobodys_fate() {
        let of_others = notification("failed", "5.1.1").replace(KEY, "no key of ours");
        let without_headers = notification("failed", "5.1.1").replace("X-Regua-Attempt:", "X-Other:");
        let without_status = notification("failed", "5.1.1").replace("Action:", "Reaction:");
        let answer = format!("Subject: Re: Aviso\r\nContent-Type: text/plain\r\n\r\nX-Regua-Attempt: {KEY}\r\nAction: failed\r\n");
        for mail in ["", "\r\n", "no mail", "Subject: SAIR", "Subject: SAIR agora", &of_others, &without_headers, &without_status, &answer]
        {
            assert_eq!(read(mail), None, "{mail}");
        }
    }
}
