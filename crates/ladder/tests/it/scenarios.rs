//! Scenarios: dates and facts in, transcript out (`tests/acceptance/scenarios/*.txt`), readable by who collects.
//!
//! Above the line `---` a script, below what came of it. With `REGUA_WRITE_SCENARIOS=1` the part below is written anew, to be read before it
//! is kept. Every morning at nine the engine looks; a fact is recorded at eight of its day.

use crate::book::{PADRAO, SIMPLES};
use crate::world::{World, at, day, id};
use kernel::{AgreementId, ArrangementId, Currency, NaiveDate, StepId, calendar};
use ladder::arrangement::{Arrangement, ArrangementEnd, ArrangementKind, ArrangementTerms};
use ladder::ladder::{Arrange, Closing, DueItem, Shift};
use ladder::terms::Method;
use ladder::track::End;
use ladder::{Command, Event};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/acceptance/scenarios")
}

#[test]
fn every_scenario_tells_what_it_says() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "only {} scenarios", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (script, told) = text.split_once("---\n").unwrap_or((&text, ""));
        let transcript = Scenario::play(script);
        if std::env::var("REGUA_WRITE_SCENARIOS").is_ok() {
            std::fs::write(&file, format!("{script}---\n{transcript}")).unwrap();
        } else if transcript != told {
            wrong.push(format!("{}:\n{transcript}", file.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Scenario {
    world: World,
    today: Option<NaiveDate>,
    lines: Vec<String>,
    orders: usize,
}

impl Scenario {
    fn play(script: &str) -> String {
        let mut scenario = Scenario { world: World::new(SIMPLES), today: None, lines: Vec::new(), orders: 0 };
        let mut ladder = String::from(SIMPLES);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["policy", "simples"] => {}
                // A variant of the small ladder and its steps, as `book` reads them.
                ["variant" | "+" | "notice", ..] => {
                    ladder.push_str(&format!("\n{line}"));
                    scenario.world = World::new(&ladder);
                }
                ["policy", "regua-padrao"] => scenario.world = World::new(PADRAO),
                ["approvals", "asked"] => scenario.world.approvals_given = false,
                ["late", "after", days, "days"] => scenario.world.terms.late_after_days = days.parse().ok(),
                ["until", end] => scenario.live(calendar::next(day(end))),
                ["nothing", "runs", "until", end] => scenario.today = Some(day(end)),
                [on, ..] => scenario.fact(day(on), &words[1..]),
                [] => {}
            }
        }
        scenario.lines.join("")
    }

    /// Every morning before `end`.
    fn live(&mut self, end: NaiveDate) {
        while let Some(today) = self.today.filter(|today| *today < end) {
            let events = self.world.wake(at(today, 9));
            self.tell(today, &events);
            self.today = Some(calendar::next(today));
        }
    }

    fn fact(&mut self, on: NaiveDate, words: &[&str]) {
        self.today.get_or_insert(on);
        self.live(on);
        let command = self.command(on, words);
        match self.world.try_tell(&command) {
            Ok(events) => {
                self.tell(on, &events);
                let conclusions: Vec<Command> = events.iter().filter_map(|event| self.world.conclusion(event)).collect();
                conclusions.into_iter().for_each(|conclusion| _ = self.world.tell(conclusion));
            }
            Err(rejection) => self.say(on, &format!("refused: {rejection}")),
        }
    }

    fn command(&mut self, on: NaiveDate, words: &[&str]) -> Command {
        let recorded_at = at(on, 8);
        let open = |world: &World, invoice: &str| world.track(invoice).outstanding_minor;
        match *words {
            ["invoice", invoice, "due", due] => crate::world::enrolment(invoice, on, day(due), recorded_at),
            ["invoice", invoice, "issued", issued, "due", due] => crate::world::enrolment(invoice, day(issued), day(due), recorded_at),
            ["payment", invoice, amount] => {
                let outstanding_minor = (open(&self.world, invoice) - minor(amount)).max(0);
                Command::NotePayment { invoice_id: id(invoice), outstanding_minor, recorded_at }
            }
            ["credit-note", invoice, amount] => {
                let outstanding_minor = (open(&self.world, invoice) - minor(amount)).max(0);
                Command::NoteCredit { invoice_id: id(invoice), outstanding_minor, recorded_at }
            }
            ["returned", invoice, amount] => {
                let outstanding_minor = open(&self.world, invoice) + minor(amount);
                Command::NoteReversal { invoice_id: id(invoice), outstanding_minor, recorded_at }
            }
            ["due-date", invoice, due] => {
                let outstanding_minor = open(&self.world, invoice);
                Command::NoteAmendment { invoice_id: id(invoice), outstanding_minor, due_on: day(due), recorded_at }
            }
            ["amount", invoice, amount] => {
                let due_on = self.world.track(invoice).due_on;
                Command::NoteAmendment { invoice_id: id(invoice), outstanding_minor: minor(amount), due_on, recorded_at }
            }
            ["instalment", invoice, amount, "due", due, "of", agreement] => {
                crate::world::instalment(invoice, (on, day(due)), (minor(amount), agreement), recorded_at)
            }
            ["agreement", agreement, invoice] => {
                Command::NoteAgreement { invoice_id: id(invoice), agreement_id: AgreementId::new(agreement).unwrap(), recorded_at }
            }
            ["broken", invoice, amount] => Command::NoteBreach { invoice_id: id(invoice), outstanding_minor: minor(amount), recorded_at },
            ["segment", segment] => Command::NotePayer { zone: None, segment: Some(segment.into()), state: None, municipality: None },
            ["opened", invoice] => Command::NoteView { invoice_id: id(invoice), viewed_at: recorded_at },
            ["rated", score] => Command::NoteRating { score: score.parse().unwrap() },
            ["cancelled", invoice] => Command::NoteCancellation { invoice_id: id(invoice), recorded_at },
            ["delivered", invoice, step] => {
                let (invoice_id, step_id, cycle) = (id(invoice), StepId::new(step).unwrap(), self.world.track(invoice).cycle);
                Command::NoteDelivery { invoice_id, cycle, step_id, occurrence: 1, delivered_on: on }
            }
            ["catch-up", word] => Command::EndCatchUp { number: 1, released: word == "approved", now: at(on, 9) },
            _ => Command::Arrange { at: recorded_at, by: "ana".into(), why: "ligou".into(), what: self.order(words) },
        }
    }

    fn order(&mut self, words: &[&str]) -> Arrange {
        self.orders += 1;
        let arrangement = ArrangementId::new(&format!("order-{}", self.orders)).unwrap();
        let end = |invoice: &str, kind, end| Arrange::End { invoice_id: id(invoice), kind, end };
        match *words {
            ["hold", invoice, "until", until] => {
                Arrange::Hold { id: arrangement, invoice_id: id(invoice), until: Some(day(until)), review_on: None }
            }
            ["hold", invoice, "review", on] => {
                Arrange::Hold { id: arrangement, invoice_id: id(invoice), until: None, review_on: Some(day(on)) }
            }
            ["hold-lifted", invoice] => end(invoice, ArrangementKind::Hold, ArrangementEnd::Lifted),
            ["dispute", invoice] => Arrange::Dispute { id: arrangement, invoice_id: id(invoice), amount_minor: None },
            ["dispute", invoice, amount] => {
                Arrange::Dispute { id: arrangement, invoice_id: id(invoice), amount_minor: Some(minor(amount)) }
            }
            ["dispute-accepted", invoice] => end(invoice, ArrangementKind::Dispute, ArrangementEnd::Accepted),
            ["dispute-rejected", invoice] => end(invoice, ArrangementKind::Dispute, ArrangementEnd::Rejected),
            ["promise", items, amount, "on", promised_on, "by", method] => Arrange::Promise {
                id: arrangement,
                invoice_ids: items.split(',').map(id).collect(),
                amount_minor: minor(amount),
                currency: Currency::BRL,
                promised_on: day(promised_on),
                method: Method::named(method),
            },
            ["announced", invoice, "by", method] => {
                Arrange::Announce { id: arrangement, invoice_id: id(invoice), method: Method::named(method).unwrap() }
            }
            ["written-off", invoice] => Arrange::WriteOff { invoice_id: id(invoice) },
            ["handed-off", invoice] => Arrange::HandOff { invoice_id: id(invoice) },
            _ => panic!("not understood: {words:?}"),
        }
    }

    fn say(&mut self, on: NaiveDate, what: &str) {
        self.lines.push(format!("{on} {} {what}\n", on.format("%a")));
    }

    fn tell(&mut self, on: NaiveDate, events: &[Event]) {
        for event in events {
            for line in lines(event) {
                self.say(on, &line);
            }
        }
    }
}

fn minor(amount: &str) -> i64 {
    let (whole, cents) = amount.split_once('.').unwrap();
    whole.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()
}

fn money(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// What an event says to a person; nothing where another one says it.
fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::ReminderDue { items, .. } => items.iter().map(reminder).collect(),
        Event::StepsClosed { invoice_id, closings, .. } => ends(closings).iter().map(|end| format!("{invoice_id}: {end}")).collect(),
        Event::OutstandingNoted { invoice_id, outstanding_minor, .. } => vec![format!("{invoice_id}: {} open", money(*outstanding_minor))],
        Event::TrackSettled { invoice_id, .. } => vec![format!("{invoice_id}: settled")],
        Event::NoticePlanned { .. } => Vec::new(),
        Event::NoticeDue { items, .. } => items.iter().map(|item| format!("{}: is told ({})", item.invoice_id, item.template)).collect(),
        Event::NoticeDeferred { invoice_id, kind, reason, .. } => vec![format!("{invoice_id}: {} waits ({reason})", kind.name())],
        Event::NoticeClosed { end: End::Executed { .. }, .. } => Vec::new(),
        Event::NoticeClosed { invoice_id, kind, end, .. } => {
            let why = end.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
            vec![format!("{invoice_id}: {} {}{why}", kind.name(), end.slug())]
        }
        Event::ViewNoted { invoice_id, .. } => vec![format!("{invoice_id}: opened by the payer")],
        Event::RatingNoted { score } => vec![format!("the payer's risk is {score} of 100")],
        Event::TrackCancelled { invoice_id, .. } => vec![format!("{invoice_id}: cancelled")],
        Event::TrackRenegotiated { invoice_id, agreement_id, .. } => vec![format!("{invoice_id}: renegotiated by {agreement_id}")],
        Event::TrackAgreementBroken { invoice_id, cycle, outstanding_minor, .. } => {
            vec![format!("{invoice_id}: agreement broken, {} open again, cycle {cycle} begins", money(*outstanding_minor))]
        }
        Event::TrackReopened { invoice_id, cycle, outstanding_minor, .. } => {
            vec![format!("{invoice_id}: {} open again, cycle {cycle} begins", money(*outstanding_minor))]
        }
        Event::TrackRescheduled { invoice_id, cycle, shift, effective_due, .. } => {
            let moved = if *shift == Shift::Later { "later" } else { "earlier" };
            vec![format!("{invoice_id}: due {moved}, on {effective_due}, cycle {cycle} begins")]
        }
        Event::TrackExhausted { invoice_id, .. } => vec![format!("{invoice_id}: ladder over, debt open")],
        Event::TrackHandedOff { invoice_id, .. } => vec![format!("{invoice_id}: handed to a collector")],
        Event::TrackWrittenOff { invoice_id, .. } => vec![format!("{invoice_id}: written off")],
        Event::TaskRaised { invoice_id, reason, until, .. } => {
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            vec![format!("{invoice_id}: a person must act ({reason}){until}")]
        }
        Event::ApprovalRequested { invoice_id, step_id, .. } => vec![format!("{invoice_id}: {step_id} asks for approval")],
        Event::ActionDue { invoice_id, step_id, kind, .. } => vec![format!("{invoice_id}: {step_id} is to be done ({})", kind.name())],
        Event::StepDeferred { invoice_id, step_id, reason, .. } => vec![format!("{invoice_id}: {step_id} waits ({reason})")],
        Event::Arranged { arrangement } => vec![arranged(arrangement)],
        Event::ArrangementEnded { invoice_ids, kind, end, received_minor, .. } => {
            let came = if *received_minor > 0 { format!(", {} came", money(*received_minor)) } else { String::new() };
            vec![format!("{}: {} {}{came}", names(invoice_ids), kind.name(), end.slug().replace('_', " "))]
        }
        Event::CatchUpBegan { forecast, .. } => vec![format!("the payer waits for the catch-up: {} contacts", forecast.contacts)],
        Event::CatchUpEnded { released, .. } => {
            vec![format!("the catch-up is {}", if *released { "approved" } else { "refused" })]
        }
        Event::TrackEnrolled { invoice_id, amount_minor, effective_due, variant, .. } => {
            let variant = variant.as_ref().map(|variant| format!(", variant {variant}")).unwrap_or_default();
            vec![format!("{invoice_id}: {} due {effective_due} enters its ladder{variant}", money(*amount_minor))]
        }
        Event::StepsPlanned { invoice_id, steps, .. } => {
            let dated =
                |step: &ladder::schedule::PlannedStep| Some(format!("{invoice_id}: {} is planned for {}", step.step_id, step.planned_on?));
            steps.iter().filter_map(dated).collect()
        }
        Event::TrackMigrated { invoice_id, policy_version, .. } => vec![format!("{invoice_id}: moves to version {policy_version}")],
        Event::PayerNoted { .. }
        | Event::PayerForgotten
        | Event::ApprovalGiven { .. }
        | Event::ApprovalRefused { .. }
        | Event::TaskDone { .. }
        | Event::TaskSnoozed { .. }
        | Event::StepDelivered { .. } => Vec::new(),
    }
}

fn reminder(item: &DueItem) -> String {
    let mut says = String::new();
    for (flag, text) in
        [(item.payment_returned, ", says that the payment was returned"), (item.promise_broken, ", says that the promise was not kept")]
    {
        says.push_str(if flag { text } else { "" });
    }
    if item.disputed_minor > 0 {
        says.push_str(&format!(", leaves out {} in dispute", money(item.disputed_minor)));
    }
    format!("{}: reminder {} (tone {}){says}", item.invoice_id, item.step_id, item.tone)
}

fn arranged(arrangement: &Arrangement) -> String {
    let until = arrangement.until.map(|until| format!(", left alone until {until}")).unwrap_or_default();
    let what = match &arrangement.terms {
        ArrangementTerms::Hold { review_on: Some(on) } => format!("held, to be looked at again on {on}"),
        ArrangementTerms::Hold { review_on: None } => "held".into(),
        ArrangementTerms::Dispute { amount_minor: None } => "disputed".into(),
        ArrangementTerms::Dispute { amount_minor: Some(part) } => format!("{} disputed", money(*part)),
        ArrangementTerms::Promise { amount_minor, promised_on, .. } => format!("{} promised for {promised_on}", money(*amount_minor)),
        ArrangementTerms::Announcement { method } => format!("payment by {} announced", method.name()),
    };
    format!("{}: {what}{until}", names(&arrangement.invoice_ids))
}

fn names(invoice_ids: &[kernel::InvoiceId]) -> String {
    invoice_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `d+7, d+15 superseded (paid)`, executed ones left out: their reminder was told.
fn ends(closings: &[Closing]) -> Vec<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for Closing { step_id, end, .. } in closings.iter().filter(|closing| !matches!(closing.end, End::Executed { .. })) {
        let reason = end.reason().map(|reason| format!(" ({})", reason.slug().replace('_', " "))).unwrap_or_default();
        let name = format!("{}{reason}", end.slug());
        match groups.last_mut().filter(|(last, _)| *last == name) {
            Some((_, steps)) => steps.push(step_id.to_string()),
            None => groups.push((name, vec![step_id.to_string()])),
        }
    }
    groups.into_iter().map(|(name, steps)| format!("{} {name}", steps.join(", "))).collect()
}

#[test]
fn a_scenario_that_tells_something_else_is_found() {
    let script = "2026-01-01 invoice A due 2026-01-10\nuntil 2026-01-05\n";
    let told = Scenario::play(script);
    assert_eq!(told, "2026-01-01 Thu A: 100.00 due 2026-01-10 enters its ladder\n2026-01-05 Mon A: reminder d-5 (tone 1)\n");
    assert_eq!(Scenario::play("2026-01-01 invoice A due 2026-01-10\n2026-01-02 hold-lifted A\n").lines().count(), 2, "a refusal is told");
}
