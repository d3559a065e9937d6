//! The generator of whole histories: who owes what, what happens to it and when, which services are out, and how much goes wrong.
//!
//! A history follows from its seed alone. What befalls messages and processes on the way is drawn while it is played, from another
//! sequence of the same seed, so that the same facts can be played with and without outages.

use crate::agreements::agreements;
use crate::chance::Chance;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kernel::calendar;
use ladder::arrangement::ArrangementKind;
use ladder::terms::Method;
use notice::Channel;

/// Days that a history lasts; the last fact comes well before its end.
pub const DAYS: i64 = 110;
/// Days on which facts are told.
const FACT_DAYS: i64 = 60;

/// One of the three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Who owns balances.
    Invoice,
    /// Who plans.
    Engine,
    /// Who reaches payers.
    Notification,
}

impl Who {
    /// All of them.
    pub const ALL: [Who; 3] = [Who::Invoice, Who::Engine, Who::Notification];

    /// For transcripts.
    pub fn name(self) -> &'static str {
        match self {
            Who::Invoice => "invoice",
            Who::Engine => "engine",
            Who::Notification => "notification",
        }
    }
}

/// A service that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Which.
    pub who: Who,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// A payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// Its id.
    pub id: String,
    /// Its zone; empty where nobody knows.
    pub zone: &'static str,
    /// An address of each kind.
    pub email: bool,
    /// A phone that takes texts.
    pub phone: bool,
    /// A postal address.
    pub address: bool,
    /// Channels that it agreed to; none: all but WhatsApp.
    pub consents: Vec<&'static str>,
}

/// What happens, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// When it is told.
    pub at: DateTime<Utc>,
    /// Of which payer.
    pub payer: usize,
    /// Of which receivable, or which agreement.
    pub invoice: String,
    /// What.
    pub fact: Fact,
}

/// What happens to a receivable or a payer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of ladder.md section 8; instalments have minor units and days until due")]
pub enum Fact {
    Issued { amount_minor: i64, term_days: i64, charged: bool, debit_days: Option<i64> },
    Paid { payment: String, amount_minor: i64 },
    Reversed { payment: String },
    ReturnedInPart { payment: String, amount_minor: i64 },
    DueMoved { days: i64 },
    AmountChanged { amount_minor: i64 },
    Cancelled,
    Credited { note: String, amount_minor: i64, whole_payer: bool },
    CreditTakenBack { note: String },
    Held { days: i64, for_review: bool },
    Disputed { amount_minor: Option<i64> },
    Promised { days: i64, amount_minor: i64 },
    Announced { method: Method },
    Ended { kind: ArrangementKind },
    Agreed { debts: usize, instalments: Vec<(i64, i64)>, breach_after_days: u32, charged: bool },
    Broken,
    WrittenOff,
    HandedOff,
    OptedOut { channel: Option<Channel> },
    OptedIn { channel: Channel },
    Erased,
    Migrated,
}

impl Fact {
    /// Its kind, as coverage counts it.
    pub fn kind(&self) -> &'static str {
        match self {
            Fact::Issued { charged: true, .. } => "issued with charges",
            Fact::Issued { debit_days: Some(_), .. } => "issued on automatic debit",
            Fact::Issued { .. } => "issued",
            Fact::Paid { .. } => "paid",
            Fact::Reversed { .. } => "payment reversed",
            Fact::ReturnedInPart { .. } => "payment returned in part",
            Fact::DueMoved { days } if *days < 0 => "due date earlier",
            Fact::DueMoved { .. } => "due date later",
            Fact::AmountChanged { .. } => "amount changed",
            Fact::Cancelled => "cancelled",
            Fact::Credited { whole_payer: true, .. } => "credit for the payer",
            Fact::Credited { .. } => "credit note",
            Fact::CreditTakenBack { .. } => "credit note taken back",
            Fact::Held { for_review: true, .. } => "held for review",
            Fact::Held { .. } => "held",
            Fact::Disputed { amount_minor: None } => "disputed",
            Fact::Disputed { .. } => "disputed in part",
            Fact::Promised { .. } => "promised",
            Fact::Announced { .. } => "payment announced",
            Fact::Ended { .. } => "arrangement ended",
            Fact::Agreed { charged: true, .. } => "agreed, with charges",
            Fact::Agreed { .. } => "agreed",
            Fact::Broken => "agreement broken by a person",
            Fact::WrittenOff => "written off",
            Fact::HandedOff => "handed off",
            Fact::OptedOut { .. } => "opted out",
            Fact::OptedIn { .. } => "opted in",
            Fact::Erased => "payer erased",
            Fact::Migrated => "policy migrated",
        }
    }
}

/// A whole history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Its seed.
    pub seed: u64,
    /// The creditor: which policy holds.
    pub tenant: &'static str,
    /// Who owes.
    pub payers: Vec<Payer>,
    /// What happens, in order.
    pub facts: Vec<Planned>,
    /// Who is out, and when.
    pub outages: Vec<Outage>,
    /// Of a thousand steps so many go wrong.
    pub faults_permille: u64,
    /// Of a thousand calls of a provider so many are not simply taken.
    pub failures_permille: u64,
    /// Steps that ask for approval need none, and no catch-up waits.
    pub approvals_given: bool,
}

/// The first instant of every history: midnight in São Paulo.
pub fn beginning() -> DateTime<Utc> {
    first_day().and_hms_opt(3, 0, 0).unwrap_or_default().and_utc()
}

/// The first day of every history, a Thursday and a holiday.
pub fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default()
}

/// The civil day of an instant, as those who tell facts count it.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    kernel::Zone::SAO_PAULO.day_of(at)
}

/// The history of a seed.
pub fn history(seed: u64) -> History {
    let mut chance = Chance::new(seed, 1);
    let tenant = ["padrao", "simples", "mixed"][chance.place(3)];
    let payers: Vec<Payer> = (0..1 + i64::from(chance.permille(350))).map(|number| payer(&mut chance, number)).collect();
    let mut facts = Vec::new();
    for place in 0..payers.len() {
        for number in 0..chance.within(1, 4) {
            invoice(&mut chance, place, number, &mut facts);
        }
    }
    // From numbers of its own: histories without agreements are what they would be without this line.
    let mut other = Chance::new(seed, 3);
    (0..payers.len()).for_each(|place| agreements(&mut other, place, &mut facts));
    facts.sort_by_key(|planned| planned.at);
    let outages = outages(&mut chance);
    let faults_permille = [0, 15, 60][chance.place(3)];
    let failures_permille = [0, 150, 500][chance.place(3)];
    History { seed, tenant, payers, facts, outages, faults_permille, failures_permille, approvals_given: chance.permille(600) }
}

fn payer(chance: &mut Chance, number: i64) -> Payer {
    let zone = ["", "America/Sao_Paulo", "America/Manaus", "America/Noronha"][chance.place(4)];
    let consents = [vec![], vec!["email", "whatsapp", "sms", "letter"], vec!["email"]][chance.place(3)].clone();
    let [email, phone, address] = [900, 850, 500].map(|cases| chance.permille(cases));
    Payer { id: format!("c{number}"), zone, email, phone, address, consents }
}

/// Hours at which facts are told: many around the opening of windows, where they race with what goes out.
pub(crate) fn moment(chance: &mut Chance, day: i64) -> DateTime<Utc> {
    let minute = if chance.permille(500) { 9 * 60 + chance.within(-3, 8) } else { chance.within(7 * 60, 20 * 60) };
    beginning() + TimeDelta::days(day) + TimeDelta::minutes(minute) + TimeDelta::seconds(chance.within(0, 60))
}

fn invoice(chance: &mut Chance, payer: usize, number: i64, facts: &mut Vec<Planned>) {
    let name = format!("i{payer}-{number}");
    let issued_on = chance.within(0, 20);
    let amount_minor = chance.within(10, 500) * 100;
    let term_days = chance.within(0, 22);
    let debit_days = chance.permille(80).then(|| chance.within(0, 30));
    let charged = debit_days.is_none() && chance.permille(200);
    let mut told = vec![(moment(chance, issued_on), Fact::Issued { amount_minor, term_days, charged, debit_days })];
    let last = FACT_DAYS.max(issued_on + 1);
    let mut payments = 0;
    for _ in 0..chance.within(0, 6) {
        let at = moment(chance, chance.clone().within(issued_on, last)).max(told[0].0 + TimeDelta::minutes(1));
        chance.number();
        let fact = fact(chance, (&name, amount_minor), &mut payments);
        let later = at + TimeDelta::days(chance.within(0, 9)) + TimeDelta::minutes(chance.within(1, 900));
        if let Fact::Paid { payment, .. } = &fact
            && chance.permille(300)
        {
            told.push((later, Fact::Reversed { payment: payment.clone() }));
        }
        if let Fact::Credited { note, .. } = &fact
            && chance.permille(300)
        {
            told.push((later, Fact::CreditTakenBack { note: note.clone() }));
        }
        told.push((at, fact));
    }
    facts.extend(told.into_iter().map(|(at, fact)| Planned { at, payer, invoice: name.clone(), fact }));
}

pub(crate) fn fact(chance: &mut Chance, (invoice, amount_minor): (&str, i64), payments: &mut u32) -> Fact {
    let part = |chance: &mut Chance, from, until| (amount_minor * chance.within(from, until) / 100).max(1);
    match chance.within(0, 40) {
        0..10 => {
            *payments += 1;
            let paid_minor = match chance.within(0, 4) {
                0 => part(chance, 10, 90),
                1 => part(chance, 101, 150),
                _ => amount_minor,
            };
            Fact::Paid { payment: format!("p.{invoice}.{payments}"), amount_minor: paid_minor }
        }
        10 => Fact::ReturnedInPart { payment: format!("p.{invoice}.{payments}"), amount_minor: part(chance, 5, 40) },
        11..14 => Fact::DueMoved { days: chance.within(1, 25) },
        14 | 15 => Fact::DueMoved { days: chance.within(-12, 0) },
        16 => Fact::AmountChanged { amount_minor: part(chance, 60, 150) },
        17 => Fact::Cancelled,
        18 | 19 => {
            *payments += 1;
            let note = format!("n.{invoice}.{payments}");
            Fact::Credited { note, amount_minor: part(chance, 5, 20), whole_payer: chance.permille(400) }
        }
        20..23 => Fact::Held { days: chance.within(0, 25), for_review: chance.permille(300) },
        23..26 => Fact::Disputed { amount_minor: chance.permille(500).then(|| part(chance, 10, 90)) },
        26..29 => Fact::Promised { days: chance.within(0, 20), amount_minor: part(chance, 20, 100) },
        29 | 30 => Fact::Announced { method: Method::ALL[chance.place(6)] },
        31 | 32 => Fact::Ended { kind: ArrangementKind::ALL[chance.place(4)] },
        33 => Fact::WrittenOff,
        34 => Fact::HandedOff,
        35 => Fact::OptedOut { channel: chance.permille(700).then(|| Channel::ALL[chance.place(5)]) },
        36 => Fact::OptedIn { channel: Channel::ALL[chance.place(5)] },
        37 if chance.permille(150) => Fact::Erased,
        37 | 38 => Fact::Migrated,
        _ => Fact::AmountChanged { amount_minor },
    }
}

fn outages(chance: &mut Chance) -> Vec<Outage> {
    let mut outages = Vec::new();
    for (who, cases, most_hours) in [(Who::Engine, 200, 24 * 30), (Who::Notification, 120, 24 * 10), (Who::Invoice, 80, 30)] {
        if chance.permille(cases) {
            let from = beginning() + TimeDelta::hours(chance.within(24, 24 * FACT_DAYS));
            outages.push(Outage { who, from, until: from + TimeDelta::hours(chance.within(1, most_hours)) });
        }
    }
    outages
}

/// A day so many days later.
pub fn later(day: NaiveDate, days: i64) -> NaiveDate {
    calendar::add_days(day, days)
}
