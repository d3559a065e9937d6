//! Facts of messages: `2026-03-11 attempt K1 A whatsapp accepted`, `… concluded K1 A items=I1:d+1,I2:d+7:undeliverable in=USD`,
//! `… receipt K1 A whatsapp read`, `… opted A whatsapp`. A contact has one attempt a channel.

use crate::{
    facts::{Words, append},
    site::Site,
};
use contracts::notification::v1 as notification;

pub async fn message(site: &Site, words: &Words<'_>) {
    let (log, day) = (&site.logs.notification, words.day.to_owned());
    let attempt_id = || format!("{}.{}", words.at(1), words.at(3));
    match words.plain[0] {
        "attempt" => {
            let (attempt_id, channel, result) = (attempt_id(), words.at(3), words.at(4));
            let ended = notification::AttemptEnded { attempt_id, channel, result, ..of_contact(words) };
            append(log, ("contacts", words.at(2)), "AttemptEnded", ended).await;
        }
        "receipt" => {
            let (customer_id, contact_id, attempt_id) = (words.at(2), words.at(1), attempt_id());
            let (channel, status) = (words.at(3), words.at(4));
            let noted = notification::ReceiptNoted { customer_id, contact_id, attempt_id, status, day, channel, ..Default::default() };
            append(log, ("contacts", words.at(2)), "ReceiptNoted", noted).await;
        }
        "concluded" => {
            let concluded = notification::ReminderConcluded {
                customer_id: words.at(2),
                contact_id: words.at(1),
                day,
                currency: words.named("in", "BRL"),
                sent: true,
                items: words.named("items", "").split(',').map(item).collect(),
                ..Default::default()
            };
            append(log, ("contacts", words.at(2)), "ReminderConcluded", concluded).await;
        }
        _ => {
            let opted_out = notification::OptedOut { customer_id: words.at(1), channel: words.at(2) };
            append(log, ("contacts", words.at(1)), "OptedOut", opted_out).await;
        }
    }
}

fn of_contact(words: &Words<'_>) -> notification::AttemptEnded {
    notification::AttemptEnded { customer_id: words.at(2), contact_id: words.at(1), ..Default::default() }
}

/// `I1:d+1`, executed, or `I1:d+1:superseded`.
fn item(text: &str) -> notification::ItemOutcome {
    let cells: Vec<&str> = text.split(':').collect();
    notification::ItemOutcome {
        invoice_id: cells[0].to_owned(),
        cycle: 1,
        step_id: cells[1].to_owned(),
        occurrence: 1,
        outcome: cells.get(2).copied().unwrap_or("executed").to_owned(),
        ..Default::default()
    }
}
