//! Messages as e-mail (RFC 5322): for mail servers, and for the files of the other channels.

use super::{
    AttemptKey, ConfigFault, CreditorConfig, Outgoing,
    bounce::{KEY_HEADER, UNSUBSCRIBE},
};
use crate::template::{Figure, Rendered};
use lettre::{
    Address, Message,
    message::{Attachment, Mailbox, MultiPart, MultiPartKind, SinglePart, header},
};
use notice::Channel;
use std::time::SystemTime;

/// Where e-mails come from.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    mailbox: Mailbox,
}

impl Sender {
    /// Reads the creditor's sender. Errors: it is no mail address.
    pub fn of(creditor: &CreditorConfig) -> Result<Self, ConfigFault> {
        let mut mailbox: Mailbox =
            creditor.email_from.parse().map_err(|_| ConfigFault::new("creditor.email_from", "is no e-mail address"))?;
        if mailbox.name.is_none() && !creditor.name.is_empty() {
            mailbox.name = Some(creditor.name.clone());
        }
        Ok(Self { mailbox })
    }

    /// The e-mail. Errors: a slug, where the reader has no usable address.
    pub fn email(&self, message: &Outgoing) -> Result<Message, &'static str> {
        let address: Address = message.to.reveal().trim().parse().map_err(|_| "address_invalid")?;
        self.message(message, address)
    }

    /// The file of a message on any channel.
    pub fn file(&self, message: &Outgoing) -> Result<Vec<u8>, &'static str> {
        let built = match message.channel {
            Channel::Email => self.email(message)?,
            Channel::Whatsapp | Channel::Sms | Channel::Voice => {
                let digits: String = message.to.reveal().chars().filter(char::is_ascii_digit).collect();
                let local = if digits.is_empty() { return Err("address_invalid") } else { digits };
                self.message(message, stand_in(&local, message.channel)?)?
            }
            Channel::Letter => self.message(message, stand_in("post", message.channel)?)?,
        };
        Ok(built.formatted())
    }

    fn message(&self, message: &Outgoing, to: Address) -> Result<Message, &'static str> {
        let name = message.name.reveal().trim();
        let recipient = Mailbox::new((!name.is_empty()).then(|| name.to_owned()), to);
        let digest = message.key.digest();
        let domain = self.mailbox.email.domain();
        let builder = Message::builder()
            .from(self.mailbox.clone())
            .to(recipient)
            .subject(message.body.subject.clone())
            .date(SystemTime::from(message.at))
            .message_id(Some(format!("<{digest}@{domain}>")))
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("Content-Language", message.language.tag()))
            .raw_header(raw("X-Regua-Channel", message.channel.slug()))
            .raw_header(raw(KEY_HEADER, &message.key.to_string()))
            .raw_header(raw("List-Unsubscribe", &unsubscribe(&self.mailbox.email, &message.key)));
        let built = if message.body.html.is_empty() {
            builder.singlepart(SinglePart::plain(message.body.text.clone()))
        } else {
            // A boundary of the message's own keeps the bytes the same whenever it is made.
            let parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(&digest);
            let parts = parts.singlepart(SinglePart::plain(message.body.text.clone()));
            builder.multipart(match pictured(&message.body, &digest)? {
                Some(related) => parts.multipart(related),
                None => parts.singlepart(SinglePart::html(message.body.html.clone())),
            })
        };
        built.map_err(|_| "message_malformed")
    }
}

/// Where a reader asks to be left alone (RFC 2369): a mail to the sender, whose subject says which message was the last straw.
fn unsubscribe(sender: &Address, key: &AttemptKey) -> String {
    let mut subject = String::new();
    for byte in key.to_string().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => subject.push(char::from(byte)),
            other => subject.push_str(&format!("%{other:02X}")),
        }
    }
    format!("<mailto:{sender}?subject={UNSUBSCRIBE}%20{subject}>")
}

/// The HTML with its pictures (RFC 2387); `None` where it has none.
fn pictured(body: &Rendered, digest: &str) -> Result<Option<MultiPart>, &'static str> {
    if body.figures.is_empty() {
        return Ok(None);
    }
    let png = header::ContentType::parse("image/png").map_err(|_| "message_malformed")?;
    let related = MultiPart::builder().kind(MultiPartKind::Related).boundary(format!("{digest}.pictures"));
    let html = related.singlepart(SinglePart::html(body.html.clone()));
    let add = |parts: MultiPart, figure: &Figure| {
        let drawn = figure.png().ok_or("figure_too_large")?;
        Ok(parts.singlepart(Attachment::new_inline(figure.content_id.clone()).body(drawn, png.clone())))
    };
    body.figures.iter().try_fold(html, add).map(Some)
}

/// A place for an address that is no e-mail address; nothing is ever delivered to `.invalid` (RFC 2606).
fn stand_in(local: &str, channel: Channel) -> Result<Address, &'static str> {
    Address::new(local, format!("{}.invalid", channel.slug())).map_err(|_| "address_invalid")
}

fn raw(name: &'static str, value: &str) -> header::HeaderValue {
    header::HeaderValue::new(header::HeaderName::new_from_ascii_str(name), value.to_owned())
}
