//! A payer under test: text to commands, events to text. The only place of these tests that touches the API.

use kernel::{Calendar, ChannelAttemptId, ContactId, Currency, DateTime, InvoiceId, NaiveDate, Purpose, StepId, Utc, Zone};
use notice::command::AttemptResult;
use notice::{
    Address, Channel, CloseStale, Command, Compose, Contacts, Event, Evidence, Gate, Item, ItemOutcome, NoteAttempt, NoteReceipt, OptIn,
    OptOut, OwnerAnswer, OwnerRefusal, Reach, Reachability, ReceiptStatus, Rejection, Reminder, RetryAttempt, Rules, Said, Standstill,
    Suspend, decide, due, evolve,
};
use std::collections::BTreeMap;

/// A payer, and what the rest of the world says of them. Every channel is open and every invoice has 100.00 open unless
/// a test says otherwise.
pub struct Payer {
    pub contacts: Contacts,
    pub reach: Reach,
    pub rules: Rules,
    pub calendar: Calendar,
    pub zone: Zone,
    pub feed_fresh: bool,
    pub local_holiday: bool,
    pub owner: BTreeMap<String, String>,
    pub log: Vec<Event>,
}

impl Payer {
    pub fn new() -> Self {
        let open = Reachability { address: Address::Valid, consent: true };
        Self {
            contacts: Contacts::default(),
            reach: Channel::ALL.into_iter().map(|channel| (channel, open)).collect(),
            rules: Rules::default(),
            calendar: Calendar::BrSettlement,
            zone: Zone::SAO_PAULO,
            feed_fresh: true,
            local_holiday: false,
            owner: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// A payer with these channels only.
    pub fn reached_by(channels: &str) -> Self {
        let mut payer = Self::new();
        payer.reach.retain(|channel, _| channels.split(' ').any(|slug| slug == channel.slug()));
        payer
    }

    /// What the owner says of an invoice: a balance in minor units, or the slug of a refusal.
    pub fn owes(&mut self, invoice: &str, answer: &str) -> &mut Self {
        self.owner.insert(invoice.to_owned(), answer.to_owned());
        self
    }

    pub fn reminder(&self, day: &str, items: &str) -> Reminder {
        let (day, lines) = (date(day), items.lines().map(str::trim).filter(|line| !line.is_empty()));
        let items = lines.map(|line| item(line, day)).collect();
        Reminder { day, rules: self.rules, calendar: self.calendar, zone: self.zone, items }
    }

    /// The engine offers steps: one a line, `invoice step tone due planned chains [currency] [cycle=n] [wait=hours] [for=thank_you]`.
    pub fn offer(&mut self, day: &str, items: &str) -> String {
        let reminder = self.reminder(day, items);
        self.run(&Command::Compose(Compose { reminder }))
    }

    /// Gates all that is due, in its turn.
    pub fn look(&mut self, at: &str) -> String {
        let shown: Vec<String> = due(&self.contacts, instant(at)).iter().map(|contact_id| self.gate(contact_id.as_str(), at)).collect();
        if shown.is_empty() { "nothing due".to_owned() } else { shown.join("\n") }
    }

    pub fn gate(&mut self, contact: &str, at: &str) -> String {
        let contact_id = ContactId::new(contact).unwrap();
        let evidence = self.evidence(&contact_id, at);
        self.run(&Command::Gate(Gate { contact_id, evidence }))
    }

    pub fn evidence(&self, contact_id: &ContactId, at: &str) -> Evidence {
        let items = self.contacts.contacts.get(contact_id).map_or(&[][..], |contact| &contact.items[..]);
        let verdicts = items.iter().map(|item| (item.key(), self.answer_of(item))).collect();
        Evidence { now: instant(at), verdicts, reach: self.reach.clone(), local_holiday: self.local_holiday }
    }

    fn answer_of(&self, item: &Item) -> OwnerAnswer {
        let answer = self.owner.get(item.invoice_id.as_str()).map_or("10000", String::as_str);
        match answer.parse() {
            Ok(_) if item.overdue && !self.feed_fresh => OwnerAnswer::Refused(OwnerRefusal::StaleFeed),
            Ok(net_minor) => OwnerAnswer::Authorized { net_minor },
            Err(_) => OwnerAnswer::Refused(OwnerRefusal::named(answer).unwrap()),
        }
    }

    /// A provider answers: `accepted`, `refused` or `unknown`.
    pub fn answer(&mut self, attempt: &str, answer: &str, at: &str) -> String {
        let attempt_id = ChannelAttemptId::new(attempt).unwrap();
        let (contact, _) = attempt.rsplit_once('.').unwrap().0.rsplit_once('.').unwrap();
        let result = match answer {
            "accepted" => AttemptResult::Accepted { provider_id: format!("p-{attempt}") },
            "refused" => AttemptResult::Refused { reason: "bad_address".to_owned() },
            "unknown" => AttemptResult::Unknown,
            other => panic!("{other:?} is no answer"),
        };
        let contact_id = ContactId::new(contact).unwrap();
        self.run(&Command::NoteAttempt(NoteAttempt { contact_id, attempt_id, result, at: instant(at) }))
    }

    pub fn retry(&mut self, attempt: &str, channel_is_idempotent: bool, at: &str) -> String {
        let attempt_id = ChannelAttemptId::new(attempt).unwrap();
        self.run(&Command::RetryAttempt(RetryAttempt { attempt_id, channel_is_idempotent, at: instant(at) }))
    }

    pub fn receipt(&mut self, attempt: &str, status: &str, at: &str) -> String {
        let attempt_id = ChannelAttemptId::new(attempt).unwrap();
        let status = ReceiptStatus::named(status).unwrap();
        self.run(&Command::NoteReceipt(NoteReceipt { attempt_id, status, at: instant(at) }))
    }

    pub fn close(&mut self, at: &str) -> String {
        self.run(&Command::CloseStale(CloseStale { now: instant(at) }))
    }

    pub fn opt_out(&mut self, channel: Channel) -> String {
        self.run(&Command::OptOut(OptOut { channel: Some(channel) }))
    }

    pub fn opt_out_of_all(&mut self) -> String {
        self.run(&Command::OptOut(OptOut { channel: None }))
    }

    /// The engine says that a debt stands still.
    pub fn suspend(&mut self, invoice: &str, why: &str) -> String {
        let (invoice_ids, standstill) = (vec![InvoiceId::new(invoice).unwrap()], Standstill::named(why).unwrap());
        self.run(&Command::Suspend(Suspend { invoice_ids, standstill }))
    }

    pub fn opt_in(&mut self, channel: Channel) -> String {
        self.run(&Command::OptIn(OptIn { channel }))
    }

    pub fn run(&mut self, command: &Command) -> String {
        match decide(&self.contacts, command) {
            Ok(events) => {
                let shown: Vec<String> = events.iter().map(shown).collect();
                self.contacts = events.iter().fold(core::mem::take(&mut self.contacts), evolve);
                self.log.extend(events);
                if shown.is_empty() { "nothing".to_owned() } else { shown.join("\n") }
            }
            Err(rejection) => refused(rejection),
        }
    }

    /// A whole day on which every provider accepts: offered, looked at when the window opens, accepted.
    pub fn day(&mut self, day: &str, items: &str) -> String {
        self.offer(day, items);
        let at = format!("{day}T12:00:00Z");
        let mut shown = vec![self.look(&at)];
        for attempt in self.in_flight() {
            shown.push(self.answer(&attempt, "accepted", &at));
        }
        shown.join("\n")
    }

    pub fn in_flight(&self) -> Vec<String> {
        let chains = self.contacts.contacts.values().flat_map(|contact| &contact.chains);
        let attempts = chains.flat_map(|chain| &chain.attempts).filter(|attempt| attempt.is_in_flight());
        attempts.map(|attempt| attempt.attempt_id.to_string()).collect()
    }

    /// Attempts ever started, provider calls that is.
    pub fn started(&self) -> usize {
        self.log.iter().filter(|event| matches!(event, Event::AttemptStarted(_))).count()
    }
}

fn refused(rejection: Rejection) -> String {
    format!("refused {} {}", rejection.field(), rejection.slug())
}

fn item(line: &str, day: NaiveDate) -> Item {
    let words: Vec<&str> = line.split_whitespace().collect();
    let setting = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).map(|text| text.parse().unwrap());
    let due_on = date(words[3]);
    Item {
        invoice_id: InvoiceId::new(words[0]).unwrap(),
        cycle: setting("cycle=").unwrap_or(1),
        step_id: StepId::new(words[1]).unwrap(),
        occurrence: 1,
        tone: words[2].parse().unwrap(),
        template: format!("tone-{}", words[2]),
        chains: chains(words[5]),
        planned_on: date(words[4]),
        due_on,
        effective_due: due_on,
        overdue: due_on < day,
        currency: words.iter().find_map(|word| Currency::new(word)).unwrap_or(Currency::BRL),
        min_outstanding_minor: 0,
        disputed_minor: 0,
        fallback_after_hours: setting("wait=").unwrap_or(4),
        purpose: words.iter().find_map(|word| word.strip_prefix("for=")).map_or(Purpose::Reminder, |name| Purpose::named(name).unwrap()),
    }
}

/// `whatsapp>sms+email`: two chains, the first of two channels.
fn chains(text: &str) -> Vec<Vec<Channel>> {
    text.split('+').map(|chain| chain.split('>').map(|slug| Channel::named(slug).unwrap()).collect()).collect()
}

fn shown(event: &Event) -> String {
    match event {
        Event::ContactComposed(event) => {
            let items: Vec<&str> = event.items.iter().map(|item| item.invoice_id.as_str()).collect();
            format!("composed {}: {}", event.contact_id, items.join(" "))
        }
        Event::ContactGated(event) => {
            let chains: Vec<String> =
                event.chains.iter().map(|chain| chain.iter().map(|channel| channel.slug()).collect::<Vec<_>>().join(">")).collect();
            let (says, by, drops) = (said(&event.said), chains.join("+"), dropped(&event.outcomes));
            format!("gated {} as {} says {says} by {by}{drops}", event.contact_id, event.template)
        }
        Event::FallbackGated(event) => {
            format!("again {} as {} says {}{}", event.contact_id, event.template, said(&event.said), dropped(&event.outcomes))
        }
        Event::FallbackStopped(event) => format!("stopped {} {:?} {}", event.contact_id, event.chains, event.reason.slug()),
        Event::AttemptStarted(event) => format!("starts {} {}", event.attempt_id, event.channel.slug()),
        Event::AttemptRetried(event) => format!("retries {}", event.attempt_id),
        Event::AttemptAccepted(event) => format!("accepted {} {}", event.attempt_id, event.channel.slug()),
        Event::AttemptRefused(event) => format!("refused {} {}", event.attempt_id, event.reason),
        Event::AttemptUnknown(event) => format!("unknown {}", event.attempt_id),
        Event::ReceiptNoted(event) => format!("{} {}", event.status.slug(), event.attempt_id),
        Event::ContactConcluded(event) => {
            let by = event.channel.map_or(String::new(), |channel| format!(" by {}", channel.slug()));
            format!("concluded {}{by}: {}", event.contact_id, outcomes(&event.outcomes))
        }
        Event::OptedOut(event) => format!("opted out {}", event.channel.slug()),
        Event::OptedIn(event) => format!("opted in {}", event.channel.slug()),
        Event::Forgotten(_) => "forgotten".to_owned(),
        Event::Suspended(event) => format!("suspended {} {}", event.invoice_ids[0], event.standstill.slug()),
    }
}

fn said(said: &[Said]) -> String {
    said.iter().map(|said| format!("{} {}", said.key.invoice_id, said.net_minor)).collect::<Vec<_>>().join(", ")
}

fn dropped(items: &[ItemOutcome]) -> String {
    if items.is_empty() { String::new() } else { format!(" without {}", outcomes(items)) }
}

fn outcomes(outcomes: &[ItemOutcome]) -> String {
    let shown = outcomes.iter().map(|item| {
        let reason = item.outcome.reason().map_or(String::new(), |reason| format!(" {}", reason.slug()));
        format!("{} {}{reason}", item.key.invoice_id, item.outcome.slug())
    });
    shown.collect::<Vec<_>>().join(", ")
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
