//! Facts of the other services as text, a line each, after the day on which they are recorded:
//!
//! `2026-03-01 customer A retail`, `2026-03-01 issued I1 A 10000 due=2026-03-20 on=2026-02-28 in=USD`, `… paid P1 I1 4000 on=…`,
//! `… reversed P1`, `… amended I1 amount=9000 due=2026-04-01`, `… cancelled I1`, `… authorised A`, `… erased A`,
//! `… enrolled I1 padrao effective=2026-03-20 steps=d-7:2026-03-13:2026-03-20,d+1:2026-03-21:`, `… rescheduled I1 2 due=… effective=… steps=…`,
//! `… reopened I1 2 steps=…`, `… dated I1 1 steps=…`, `… migrated I1 outra new=d+3 steps=…`, `… closed I1 1 d+1 executed`, `… closed I1 1 d-7 superseded paid`, `… contact K1 A email,sms`,
//! `… contact K2 A -`, and those of [`messages`]. The books are kept here as the invoice service keeps them, by other code.

use crate::{messages, site::Site};
use contracts::{dunning::v1 as dunning, invoice::v1 as invoice, notification::v1 as notification};
use eventlog::{Append, Expected, Log, Meta, NewEvent};
use prost::Message;
use std::collections::HashMap;

const TENANT: &str = "default";

/// What the facts so far say of receivables and payments.
#[derive(Default)]
pub struct Books {
    invoices: HashMap<String, Receivable>,
    payments: HashMap<String, Payment>,
}

#[derive(Clone)]
struct Receivable {
    customer_id: String,
    currency: String,
    amount_minor: i64,
    open_minor: i64,
    issued_on: String,
    due_on: String,
}

#[derive(Clone)]
struct Payment {
    invoice_id: String,
    amount_minor: i64,
    applied_minor: i64,
}

pub struct Words<'a> {
    pub day: &'a str,
    pub plain: Vec<&'a str>,
    named: HashMap<&'a str, &'a str>,
}

impl Words<'_> {
    pub fn at(&self, place: usize) -> String {
        self.plain[place].to_owned()
    }

    pub fn named(&self, name: &str, other: &str) -> String {
        self.named.get(name).copied().unwrap_or(other).to_owned()
    }

    fn amount(&self, place: usize) -> i64 {
        self.plain[place].parse().unwrap()
    }
}

/// Writes facts into the logs, moves the clock along, and waits until the views have them.
pub async fn tell(site: &Site, facts: &str) {
    tell_on(site, &mut Books::default(), facts).await;
}

/// The same, going on with books.
pub async fn tell_on(site: &Site, books: &mut Books, facts: &str) {
    for line in facts.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (day, rest) = line.split_once(' ').unwrap();
        let (named, plain): (Vec<&str>, Vec<&str>) = rest.split_whitespace().partition(|word| word.contains('='));
        let words = Words { day, plain, named: named.iter().filter_map(|word| word.split_once('=')).collect() };
        site.go_to(day);
        fact(site, books, &words).await;
    }
    site.settle().await;
}

async fn fact(site: &Site, books: &mut Books, words: &Words<'_>) {
    match words.plain[0] {
        "customer" | "authorised" | "erased" => payer(site, words).await,
        "issued" | "paid" | "reversed" | "amended" | "cancelled" => money(site, books, words).await,
        "enrolled" | "rescheduled" | "reopened" | "dated" | "migrated" | "closed" => ladder(site, books, words).await,
        "agreed" | "restored" | "part" => books.agreement(site, words).await,
        "disputed" | "resolved" => dispute(site, words).await,
        "contact" => contact(site, words).await,
        "attempt" | "concluded" | "receipt" | "opted" => messages::message(site, words).await,
        other => panic!("{other} is no fact"),
    }
}

async fn payer(site: &Site, words: &Words<'_>) {
    let customer_id = words.at(1);
    let stream = ("account", customer_id.clone());
    match words.plain[0] {
        "customer" => {
            let attributes = invoice::CustomerAttributes {
                segment: words.plain.get(2).copied().unwrap_or_default().to_owned(),
                language: "pt-BR".to_owned(),
                ..Default::default()
            };
            // The views take both kinds of event alike.
            let kind = if words.named.contains_key("again") { "CustomerAmended" } else { "CustomerRegistered" };
            let event = invoice::CustomerRegistered { customer_id, attributes: Some(attributes), consents: vec![] };
            append(&site.logs.invoice, stream, kind, event).await;
        }
        "authorised" => {
            let event = invoice::ReminderAuthorized { customer_id, contact_id: "K".to_owned(), ..Default::default() };
            append(&site.logs.invoice, stream, "ReminderAuthorized", event).await;
        }
        _ => append(&site.logs.invoice, stream, "CustomerErased", invoice::CustomerErased { customer_id }).await,
    }
}

async fn money(site: &Site, books: &mut Books, words: &Words<'_>) {
    let log = &site.logs.invoice;
    match words.plain[0] {
        "issued" => {
            let event = books.issue(words);
            append(log, ("account", event.customer_id.clone()), "InvoiceIssued", event).await;
        }
        "amended" => {
            let event = books.amend(words);
            append(log, ("account", event.customer_id.clone()), "InvoiceAmended", event).await;
        }
        "cancelled" => {
            let event = books.cancel(words);
            append(log, ("account", event.customer_id.clone()), "InvoiceCancelled", event).await;
        }
        "paid" => {
            let event = books.pay(words);
            append(log, ("account", event.customer_id.clone()), "PaymentReceived", event).await;
        }
        _ => {
            let event = books.reverse(words);
            append(log, ("account", event.customer_id.clone()), "PaymentReversed", event).await;
        }
    }
}

impl Books {
    fn issue(&mut self, words: &Words<'_>) -> invoice::InvoiceIssued {
        let receivable = Receivable {
            customer_id: words.at(2),
            currency: words.named("in", "BRL"),
            amount_minor: words.amount(3),
            open_minor: words.amount(3),
            issued_on: words.named("on", words.day),
            due_on: words.named("due", ""),
        };
        self.invoices.insert(words.at(1), receivable.clone());
        let Receivable { customer_id, currency, amount_minor, issued_on, due_on, .. } = receivable;
        let invoice_id = words.at(1);
        invoice::InvoiceIssued { customer_id, invoice_id, amount_minor, currency, issued_on, due_on, ..Default::default() }
    }

    /// Takes what is applied past `keep_minor` off the payments, the newest name first.
    fn release(&mut self, invoice_id: &str, keep_minor: i64) -> Vec<invoice::Release> {
        let mut names: Vec<String> = self.payments.iter().filter(|(_, p)| p.invoice_id == invoice_id).map(|(id, _)| id.clone()).collect();
        names.sort();
        let applied: i64 = names.iter().map(|id| self.payments[id].applied_minor).sum();
        let mut left = (applied - keep_minor).max(0);
        let mut released = Vec::new();
        for payment_id in names.into_iter().rev() {
            let payment = self.payments.get_mut(&payment_id).unwrap();
            let amount_minor = payment.applied_minor.min(left);
            (payment.applied_minor, left) = (payment.applied_minor - amount_minor, left - amount_minor);
            if amount_minor > 0 {
                released.push(invoice::Release { payment_id, amount_minor });
            }
        }
        released
    }

    fn amend(&mut self, words: &Words<'_>) -> invoice::InvoiceAmended {
        let before = self.invoices[&words.at(1)].clone();
        let amount_minor = words.named.get("amount").map_or(before.amount_minor, |text| text.parse().unwrap());
        let applied_minor = before.amount_minor - before.open_minor;
        let released = self.release(&words.at(1), amount_minor);
        let after = self.invoices.get_mut(&words.at(1)).unwrap();
        after.amount_minor = amount_minor;
        after.open_minor = (amount_minor - applied_minor).max(0);
        after.due_on = words.named("due", &before.due_on);
        invoice::InvoiceAmended {
            customer_id: before.customer_id,
            invoice_id: words.at(1),
            previous_amount_minor: before.amount_minor,
            amount_minor,
            previous_due_on: before.due_on,
            due_on: after.due_on.clone(),
            outstanding_minor: after.open_minor,
            released,
            currency: before.currency,
            amended_on: words.named("on", words.day),
            ..Default::default()
        }
    }

    fn cancel(&mut self, words: &Words<'_>) -> invoice::InvoiceCancelled {
        let before = self.invoices[&words.at(1)].clone();
        let released = self.release(&words.at(1), 0);
        self.invoices.get_mut(&words.at(1)).unwrap().open_minor = 0;
        invoice::InvoiceCancelled {
            customer_id: before.customer_id,
            invoice_id: words.at(1),
            reason: "issued twice".to_owned(),
            previous_outstanding_minor: before.open_minor,
            released,
            currency: before.currency,
            amount_minor: before.amount_minor,
            cancelled_on: words.day.to_owned(),
            ..Default::default()
        }
    }

    fn pay(&mut self, words: &Words<'_>) -> invoice::PaymentReceived {
        let (invoice_id, amount_minor) = (words.at(2), words.amount(3));
        let receivable = self.invoices.get_mut(&invoice_id).unwrap();
        let applied_minor = amount_minor.min(receivable.open_minor);
        receivable.open_minor -= applied_minor;
        self.payments.insert(words.at(1), Payment { invoice_id: invoice_id.clone(), amount_minor, applied_minor });
        invoice::PaymentReceived {
            customer_id: receivable.customer_id.clone(),
            invoice_id,
            payment_id: words.at(1),
            amount_minor,
            currency: receivable.currency.clone(),
            paid_on: words.named("on", words.day),
            method: "pix".to_owned(),
            applied_minor,
            unapplied_minor: amount_minor - applied_minor,
            outstanding_minor: receivable.open_minor,
            ..Default::default()
        }
    }

    /// `agreed I1 G1`, `restored I1 G1 1000`, `part G1+1 I1 300 of=P1 on=2026-02-10`.
    async fn agreement(&mut self, site: &Site, words: &Words<'_>) {
        let log = &site.logs.invoice;
        if words.plain[0] == "part" {
            let mut event = self.pay(words);
            (event.part_of, event.moved_on) = (words.named("of", ""), words.day.to_owned());
            return append(log, ("account", event.customer_id.clone()), "PaymentReceived", event).await;
        }
        let (invoice_id, agreement_id) = (words.at(1), words.at(2));
        let debt = self.invoices.get_mut(&invoice_id).unwrap();
        let (customer_id, currency, due_on) = (debt.customer_id.clone(), debt.currency.clone(), debt.due_on.clone());
        let stream = ("account", customer_id.clone());
        if words.plain[0] == "agreed" {
            let (principal_minor, renegotiated_on) = (debt.open_minor, words.day.to_owned());
            debt.open_minor = 0;
            let event = invoice::InvoiceRenegotiated {
                customer_id,
                invoice_id,
                agreement_id,
                currency,
                principal_minor,
                renegotiated_on,
                ..Default::default()
            };
            return append(log, stream, "InvoiceRenegotiated", event).await;
        }
        debt.open_minor = words.amount(3);
        let (moved_minor, outstanding_minor, reopened_on) = (debt.open_minor, debt.open_minor, words.day.to_owned());
        let event = invoice::InvoiceReopened {
            customer_id,
            invoice_id,
            agreement_id,
            currency,
            moved_minor,
            outstanding_minor,
            due_on,
            reopened_on,
            ..Default::default()
        };
        append(log, stream, "InvoiceReopened", event).await;
    }

    fn reverse(&mut self, words: &Words<'_>) -> invoice::PaymentReversed {
        let payment = self.payments.remove(&words.at(1)).unwrap();
        let receivable = self.invoices.get_mut(&payment.invoice_id).unwrap();
        receivable.open_minor += payment.applied_minor;
        invoice::PaymentReversed {
            customer_id: receivable.customer_id.clone(),
            invoice_id: payment.invoice_id,
            payment_id: words.at(1),
            reversed_on: words.named("on", words.day),
            reason: "chargeback".to_owned(),
            applied_minor: payment.applied_minor,
            unapplied_minor: payment.amount_minor - payment.applied_minor,
            outstanding_minor: receivable.open_minor,
            currency: receivable.currency.clone(),
            amount_minor: payment.amount_minor,
            ..Default::default()
        }
    }
}

/// `d-7:2026-03-13:2026-03-20,d+1#2:2026-03-21:`: id, occurrence where it is not the first, planned day, last day, or nothing.
fn planned(text: &str) -> Vec<dunning::PlannedStep> {
    let one = |step: &str| {
        let cells: Vec<&str> = step.split(':').collect();
        let (step_id, occurrence) = cells[0].split_once('#').unwrap_or((cells[0], "1"));
        dunning::PlannedStep {
            occurrence: occurrence.parse().unwrap(),
            step_id: step_id.to_owned(),
            tone: 1,
            kind: "notify".to_owned(),
            planned_on: cells[1].to_owned(),
            last_day: cells[2].to_owned(),
        }
    };
    text.split(',').filter(|step| !step.is_empty()).map(one).collect()
}

/// Steps of the version that a receivable moves to; `new` names those that it had not.
fn moved(steps: Vec<dunning::PlannedStep>, new: &str) -> Vec<dunning::MovedStep> {
    let one = |step: dunning::PlannedStep| dunning::MovedStep { is_new: new.split(',').any(|id| id == step.step_id), step: Some(step) };
    steps.into_iter().map(one).collect()
}

async fn ladder(site: &Site, books: &Books, words: &Words<'_>) {
    let invoice_id = words.at(1);
    let Receivable { customer_id, currency, amount_minor, issued_on, due_on, .. } = books.invoices[&invoice_id].clone();
    let (log, stream, known_on) = (&site.logs.dunning, ("ladder", customer_id.clone()), words.day.to_owned());
    let steps = planned(&words.named("steps", ""));
    match words.plain[0] {
        "enrolled" => {
            let (policy_id, effective_due) = (words.at(2), words.named("effective", &due_on));
            let event = dunning::TrackEnrolled {
                customer_id,
                invoice_id,
                policy_id,
                policy_version: 1,
                cycle: 1,
                amount_minor,
                currency,
                issued_on,
                due_on,
                effective_due,
                known_on,
                steps,
                ..Default::default()
            };
            append(log, stream, "TrackEnrolled", event).await;
        }
        "rescheduled" => {
            let (cycle, effective_due) = (words.at(2).parse().unwrap(), words.named("effective", &due_on));
            let event =
                dunning::TrackRescheduled { customer_id, invoice_id, cycle, due_on, effective_due, known_on, steps, ..Default::default() };
            append(log, stream, "TrackRescheduled", event).await;
        }
        "dated" => {
            let cycle = words.at(2).parse().unwrap();
            let event = dunning::StepsPlanned { customer_id, invoice_id, cycle, day: known_on, steps };
            append(log, stream, "StepsPlanned", event).await;
        }
        "migrated" => {
            let event = dunning::TrackMigrated {
                customer_id,
                invoice_id,
                cycle: 1,
                day: known_on,
                to: Some(dunning::PolicyVersion { policy_id: words.at(2), policy_version: 1 }),
                effective_due: words.named("effective", &due_on),
                due_on,
                steps: moved(steps, &words.named("new", "")),
                ..Default::default()
            };
            append(log, stream, "TrackMigrated", event).await;
        }
        "reopened" => {
            let cycle = words.at(2).parse().unwrap();
            let event = dunning::TrackReopened { customer_id, invoice_id, cycle, known_on, steps, ..Default::default() };
            append(log, stream, "TrackReopened", event).await;
        }
        _ => {
            let end = dunning::StepEnd::from_str_name(&format!("STEP_END_{}", words.at(4).to_uppercase())).unwrap();
            let closing = dunning::StepClosing {
                step_id: words.at(3),
                occurrence: words.named("occurrence", "1").parse().unwrap(),
                end: end.into(),
                reason: words.plain.get(5).copied().unwrap_or_default().to_owned(),
                ..Default::default()
            };
            let cycle = words.at(2).parse().unwrap();
            let event = dunning::StepsClosed { customer_id, invoice_id, cycle, day: words.day.to_owned(), closings: vec![closing] };
            append(log, stream, "StepsClosed", event).await;
        }
    }
}

/// `disputed I1 A d1 400`, `resolved I1 A d1`; an amount of 0 is all of it.
async fn dispute(site: &Site, words: &Words<'_>) {
    let (invoice_id, customer_id, arrangement_id, day) = (words.at(1), words.at(2), words.at(3), words.named("on", words.day));
    let (log, stream) = (&site.logs.dunning, ("ladder", customer_id.clone()));
    if words.plain[0] == "disputed" {
        let amount_minor = words.at(4).parse().unwrap();
        let event = dunning::DisputeOpened { customer_id, invoice_id, arrangement_id, day, amount_minor, ..Default::default() };
        append(log, stream, "DisputeOpened", event).await;
    } else {
        let end = "rejected".to_owned();
        let event = dunning::DisputeResolved { customer_id, invoice_id, arrangement_id, day, end, ..Default::default() };
        append(log, stream, "DisputeResolved", event).await;
    }
}

async fn contact(site: &Site, words: &Words<'_>) {
    let channels: Vec<String> = words.plain[3].split(',').filter(|channel| *channel != "-").map(str::to_owned).collect();
    let event = notification::ReminderConcluded {
        customer_id: words.at(2),
        contact_id: words.at(1),
        day: words.day.to_owned(),
        currency: "BRL".to_owned(),
        sent: !channels.is_empty(),
        channels,
        ..Default::default()
    };
    append(&site.logs.notification, ("contacts", words.at(2)), "ReminderConcluded", event).await;
}

/// Appends one event to the stream of a payer.
pub async fn append(log: &Log, (kind, customer_id): (&str, String), event_type: &'static str, event: impl Message) {
    let payload = event.encode_to_vec();
    append_raw(log, format!("{kind}/{TENANT}/{customer_id}"), event_type, payload).await;
}

/// Appends bytes under a type.
pub async fn append_raw(log: &Log, stream: String, event_type: &'static str, payload: Vec<u8>) {
    let (tenant, key) = stream.split_once('/').map(|(_, key)| (key.split('/').next().unwrap(), key)).unwrap();
    let meta = Meta { tenant: tenant.to_owned(), key: key.to_owned(), ..Meta::default() };
    let event = NewEvent { event_type, schema_version: 1, payload, occurred_at: None, effective_on: None };
    let append =
        Append { stream, expected: Expected::Any, events: vec![event], meta, command: None, claims: vec![], side: vec![], answer: vec![] };
    log.append(vec![append]).await.unwrap().remove(0).unwrap();
}
