//! An entry at a bureau: what opens it, in which order its words may come, and that it leaves.

use crate::book::PADRAO;
use crate::world::{World, at, day, id};
use chrono::TimeDelta;
use kernel::{Calendar, Currency, CustomerId, DateTime, NaiveDate, StepId, Utc, calendar};
use ladder::arrangement::ArrangementKind;
use ladder::ladder::{Arrange, ListingNote};
use ladder::listing::{
    Alarm, Answer, Cause, Command, Event, Kind, Listing, Missing, Obligation, Opened, Order, Phase, decide, due_removal, evolve, may_send,
    request,
};
use ladder::{Command as LadderCommand, Event as LadderEvent, TaskReason};
use proptest::prelude::*;

fn opened() -> Opened {
    Opened {
        customer_id: CustomerId::new("c").unwrap(),
        invoice_id: id("i"),
        cycle: 1,
        step_id: StepId::new("d+45").unwrap(),
        occurrence: 1,
        kind: Kind::Bureau,
        amount_minor: 10_000,
        currency: Currency::BRL,
        due_on: day("2026-01-12"),
        day: day("2026-02-26"),
        notice_step: Some(StepId::new("d+30").unwrap()),
        notice_contact: None,
        notice_delivered_on: Some(day("2026-02-12")),
    }
}

/// Asked for on Friday 2026-02-27: the alarm begins on Wednesday, the last day is Friday.
fn obligation() -> Obligation {
    Obligation { cause: Cause::Paid, since: day("2026-02-27"), alarm_on: day("2026-03-04"), until: day("2026-03-06") }
}

fn noon(on: &str) -> DateTime<Utc> {
    at(day(on), 12)
}

fn word(answer: Answer) -> Command {
    let (reason, reference) = (String::new(), String::new());
    Command::Answer { answer, reason, reference, by: "provider".into(), at: noon("2026-02-27") }
}

/// An entry, and all that ever happened to it.
#[derive(Clone, Default)]
struct Entry {
    listing: Listing,
    log: Vec<Event>,
}

impl Entry {
    fn requested() -> Self {
        let mut entry = Self::default();
        entry.tell(&Command::Request { opened: opened(), missing: None, at: noon("2026-02-26") });
        entry
    }

    fn tell(&mut self, command: &Command) -> usize {
        let events = decide(&self.listing, command);
        self.listing = events.iter().fold(std::mem::take(&mut self.listing), evolve);
        self.log.extend(events.iter().cloned());
        events.len()
    }

    fn told(mut self, commands: &[Command]) -> Self {
        commands.iter().for_each(|command| _ = self.tell(command));
        self
    }

    fn phase(&self) -> &'static str {
        self.listing.phase().map_or("none", Phase::slug)
    }
}

fn send(order: Order, on: &str) -> Command {
    Command::Send { order, at: noon(on) }
}

fn require() -> Command {
    Command::Require { obligation: obligation(), at: noon("2026-02-27") }
}

fn watch(on: NaiveDate) -> Command {
    Command::Watch { today: on, at: at(on, 12) }
}

#[test]
fn an_entry_goes_in_and_out_and_each_command_is_handed_over_once() {
    let mut entry = Entry::requested();
    assert_eq!((entry.phase(), entry.listing.next_order(noon("2026-02-26"))), ("requested", Some(Order::Include)));
    assert_eq!((entry.tell(&send(Order::Include, "2026-02-26")), entry.tell(&send(Order::Include, "2026-02-26"))), (1, 0));
    assert_eq!(entry.phase(), "sent");
    for (command, phase) in [
        (word(Answer::Accepted), "taken"),
        (word(Answer::Listed), "listed"),
        (require(), "removal_due"),
        (send(Order::Remove, "2026-02-27"), "removal_sent"),
        (word(Answer::RemovalAccepted), "removal_sent"),
        (word(Answer::Removed), "removed"),
    ] {
        assert_eq!((entry.tell(&command), entry.phase()), (1, phase), "{command:?}");
        assert_eq!(entry.tell(&command), 0, "told again: {command:?}");
    }
    let again = Command::Request { opened: opened(), missing: None, at: noon("2026-03-09") };
    assert_eq!((entry.tell(&again), entry.listing.next_order(noon("2026-03-09"))), (0, None), "it is never listed again by itself");
}

#[test]
fn what_is_paid_before_it_was_handed_over_is_withdrawn_and_after_it_is_taken_out() {
    let mut early = Entry::requested();
    early.tell(&require());
    assert_eq!((early.phase(), early.tell(&send(Order::Include, "2026-02-27"))), ("withdrawn", 0));
    // The provider never had it: the same.
    let lost = Entry::requested().told(&[send(Order::Include, "2026-02-26"), require()]);
    let lost = lost.told(&[Command::Lose { order: Order::Include, at: noon("2026-02-27") }]);
    assert_eq!(lost.phase(), "withdrawn");
    // The outcome is unknown: first it is asked for, and after a day the removal goes out all the same.
    let unknown = Entry::requested().told(&[send(Order::Include, "2026-02-27"), require()]);
    let next = |on: &str| unknown.listing.next_order(noon(on));
    assert_eq!((unknown.phase(), next("2026-02-27"), next("2026-02-28")), ("removal_due", None, Some(Order::Remove)));
    // It says later that it listed what was withdrawn: that has to go as well.
    let late = early.told(&[word(Answer::Listed)]);
    assert_eq!((late.phase(), late.listing.next_order(noon("2026-02-28"))), ("removal_due", Some(Order::Remove)));
}

#[test]
fn a_command_that_nobody_lost_is_not_sent_again_and_a_lost_one_is() {
    let mut entry = Entry::requested();
    let lose = Command::Lose { order: Order::Include, at: noon("2026-02-27") };
    assert_eq!(entry.tell(&lose), 0);
    entry.tell(&send(Order::Include, "2026-02-26"));
    assert_eq!((entry.tell(&lose), entry.tell(&send(Order::Include, "2026-02-27"))), (1, 1));
    entry.tell(&word(Answer::Accepted));
    assert_eq!((entry.tell(&lose), entry.tell(&send(Order::Include, "2026-03-01"))), (0, 0));
}

#[test]
fn the_alarm_is_raised_two_business_days_before_the_last_day_and_once_more_after_it() {
    let mut entry = Entry::requested().told(&[send(Order::Include, "2026-02-26"), word(Answer::Listed), require()]);
    let alarms: Vec<(String, usize)> = ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-09"]
        .map(|on| (on.to_owned(), entry.tell(&watch(day(on)))))
        .into();
    let raised: Vec<&str> = alarms.iter().filter(|(_, events)| *events > 0).map(|(on, _)| on.as_str()).collect();
    assert_eq!((raised, entry.listing.alarm), (vec!["2026-03-04", "2026-03-07"], Some(Alarm::Late)));
    entry.tell(&send(Order::Remove, "2026-03-07"));
    entry.tell(&word(Answer::Removed));
    assert_eq!(Entry { listing: Listing { alarm: None, ..entry.listing }, log: vec![] }.tell(&watch(day("2026-03-10"))), 0);
}

/// A payer who has been through the default ladder until the bureau's step of 2026-02-26.
fn listed(world: &mut World) {
    world.enroll("i", "2026-01-02", "2026-01-12");
    world.mornings("2026-01-02", "2026-02-12");
    world.deliver("i", "d+30", "2026-02-12");
    world.mornings("2026-02-13", "2026-02-26");
}

fn asked(world: &World, approvals_given: bool) -> Option<(Opened, Option<Missing>)> {
    let of_step = (1, &StepId::new("d+45").unwrap(), 1);
    request(&CustomerId::new("c").unwrap(), (world.track("i"), &world.book.first), of_step, approvals_given)
}

#[test]
fn an_executed_step_asks_with_the_proof_of_its_notice() {
    let mut world = World::new(PADRAO);
    listed(&mut world);
    let (opened, missing) = asked(&world, false).unwrap();
    assert_eq!((opened.notice_delivered_on, opened.day, missing), (Some(day("2026-02-12")), day("2026-02-26"), None));
    assert!(opened.notice_contact.is_some() && opened.amount_minor > 0);
    assert!(may_send(world.track("i"), day("2026-02-26")));
    let mut without = World::new(&PADRAO.replace("requires=d+30:delivered:10", "requires=d+30:executed:10"));
    without.enroll("i", "2026-01-02", "2026-01-12");
    without.mornings("2026-01-02", "2026-02-27");
    assert_eq!(asked(&without, true).unwrap().1, Some(Missing::NoticeUnproven), "sent is not delivered");
    let mut unasked = World::new(&PADRAO.replace(" approval=true", ""));
    listed(&mut unasked);
    assert_eq!((asked(&unasked, false).unwrap().1, asked(&unasked, true).unwrap().1), (Some(Missing::Approval), None));
}

#[test]
fn what_is_paid_cancelled_contested_or_given_up_must_leave_and_why_is_told() {
    let order = |what: Arrange| LadderCommand::Arrange { at: noon("2026-02-27"), by: "ana".into(), why: "x".into(), what };
    let dispute = Arrange::Dispute { id: kernel::ArrangementId::new("d").unwrap(), invoice_id: id("i"), amount_minor: Some(1) };
    let ways: [(&str, Option<Arrange>); 4] = [
        ("paid", None),
        ("cancelled", None),
        ("disputed", Some(dispute)),
        ("written_off", Some(Arrange::WriteOff { invoice_id: id("i") })),
    ];
    for (cause, what) in ways {
        let mut world = World::new(PADRAO);
        listed(&mut world);
        let events = match (cause, what) {
            (_, Some(what)) => world.tell(order(what)),
            ("paid", None) => world.pay("i", "2026-02-27", 0),
            (_, None) => world.cancel("i", "2026-02-27"),
        };
        let raised = events.iter().find_map(|event| match event {
            LadderEvent::TaskRaised { reason: TaskReason::RemoveBureauListing, day, until, .. } => Some((*day, until.unwrap())),
            _ => None,
        });
        let told = due_removal(world.track("i"), Calendar::BrSettlement, raised.unwrap());
        assert_eq!((told.cause.slug(), told.alarm_on, told.until), (cause, day("2026-03-04"), day("2026-03-06")));
        assert!(!may_send(world.track("i"), day("2026-02-27")) || cause == "written_off" || cause == "cancelled", "{cause}");
    }
}

#[test]
fn a_payment_that_is_returned_after_the_removal_lists_nothing_by_itself() {
    let mut world = World::new(PADRAO);
    listed(&mut world);
    world.pay("i", "2026-02-27", 0);
    let events = world.reverse("i", "2026-03-02", 10_000);
    assert!(!events.iter().any(|event| matches!(event, LadderEvent::ActionDue { .. })), "{events:?}");
    world.mornings("2026-03-03", "2026-03-10");
    let bureau = |event: &&LadderEvent| matches!(event, LadderEvent::ActionDue { cycle: 2, step_id, .. } if step_id.as_str() == "d+45");
    assert_eq!(world.log.iter().filter(bureau).count(), 0, "the notice of the new cycle comes first");
}

#[test]
fn tasks_of_an_entry_are_asked_for_once_and_done_when_it_is_gone() {
    let mut world = World::new(PADRAO);
    listed(&mut world);
    world.pay("i", "2026-02-27", 0);
    let note = |note: ListingNote| LadderCommand::NoteListing {
        invoice_id: id("i"),
        cycle: 1,
        step_id: StepId::new("d+45").unwrap(),
        day: day("2026-03-04"),
        note,
    };
    let until = day("2026-03-06");
    assert_eq!(world.tell(note(ListingNote::Near { until })).len(), 1);
    assert_eq!(world.tell(note(ListingNote::Near { until })), [], "it is open");
    world.tell(note(ListingNote::RemovalRefused { until }));
    let open = |world: &World| world.track("i").tasks.iter().map(|task| task.key.reason.slug()).collect::<Vec<_>>();
    assert_eq!(open(&world), ["remove_bureau_listing", "removal_near", "removal_refused"]);
    assert_eq!(world.tell(note(ListingNote::Gone { by: "provider".into() })).len(), 3);
    assert_eq!((open(&world), world.tell(note(ListingNote::Gone { by: "provider".into() }))), (vec![], vec![]));
    assert_eq!(world.track("i").arrangement(ArrangementKind::Dispute), None);
}

/// What the world may do to an entry within some hours.
fn anything(within_hours: i64) -> impl Strategy<Value = Command> {
    let order = prop::sample::select(&Order::ALL[..]);
    let hour = 0..within_hours;
    let when = move |hours: i64| noon("2026-02-26") + TimeDelta::hours(hours);
    prop_oneof![
        Just(require()),
        (order.clone(), hour.clone()).prop_map(move |(order, hours)| Command::Send { order, at: when(hours) }),
        (order, hour).prop_map(move |(order, hours)| Command::Lose { order, at: when(hours) }),
        prop::sample::select(&Answer::ALL[..]).prop_map(word),
        (0..15_i64).prop_map(|days| watch(calendar::add_days(day("2026-02-26"), days))),
    ]
}

fn count(log: &[Event], is: impl Fn(&Event) -> bool) -> usize {
    log.iter().filter(|event| is(event)).count()
}

proptest! {
    #[test]
    fn an_occurrence_is_never_in_two_hands(commands in prop::collection::vec(anything(200), 0..40)) {
        let entry = Entry::requested().told(&commands);
        for order in Order::ALL {
            let sent = count(&entry.log, |event| matches!(event, Event::Sent { order: of, .. } if *of == order));
            let lost = count(&entry.log, |event| matches!(event, Event::Lost { order: of, .. } if *of == order));
            prop_assert!(sent <= lost + 1, "{order:?}: {:?}", entry.log);
        }
        let required = count(&entry.log, |event| matches!(event, Event::RemovalRequired { .. }));
        prop_assert!(required <= 1, "{:?}", entry.log);
        // The state is that of the log, and what is told again changes nothing.
        let again = entry.log.iter().fold(Listing::default(), evolve);
        prop_assert_eq!(&again, &entry.listing);
        // Nothing is handed over to list a debt that must leave.
        let required = entry.log.iter().position(|event| matches!(event, Event::RemovalRequired { .. }));
        let after = required.map_or(&[][..], |at| &entry.log[at..]);
        prop_assert_eq!(count(after, |event| matches!(event, Event::Sent { order: Order::Include, .. })), 0);
    }

    #[test]
    fn the_order_of_a_providers_words_and_their_repetition_do_not_matter(
        commands in prop::collection::vec(anything(200), 0..12),
        words in prop::collection::vec(prop::sample::select(&Answer::ALL[..]), 0..6),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let before = Entry::requested().told(&commands);
        let forward: Vec<Command> = words.iter().copied().map(word).collect();
        let mut other = forward.clone();
        other.rotate_left(if forward.is_empty() { 0 } else { shuffled.index(forward.len()) });
        other.reverse();
        other.extend(forward.iter().cloned());
        let (one, two) = (before.clone().told(&forward), before.told(&other));
        prop_assert_eq!(one.listing.phase(), two.listing.phase());
        prop_assert_eq!((one.listing.inclusion, one.listing.removal), (two.listing.inclusion, two.listing.removal));
    }

    #[test]
    fn what_must_leave_has_its_removal_handed_over_or_its_alarm_raised_before_the_last_day(
        commands in prop::collection::vec(anything(24), 0..20),
        is_down in any::<bool>(),
    ) {
        let mut entry = Entry::requested().told(&commands);
        entry.tell(&require());
        // The clerk goes round each day; a provider that is down takes nothing, which is known.
        let mut today = day("2026-02-27");
        while today <= day("2026-03-06") {
            let now = at(today, 12);
            entry.tell(&watch(today));
            if let Some(order) = entry.listing.next_order(now) {
                entry.tell(&Command::Send { order, at: now });
                let answer = if is_down { Command::Lose { order, at: now } } else { word(Answer::taken(order)) };
                entry.tell(&answer);
            }
            today = calendar::next(today);
        }
        let removal = entry.listing.removal > ladder::listing::Stage::Waiting;
        let is_safe = !entry.listing.must_leave() || removal || entry.listing.alarm.is_some();
        prop_assert!(is_safe, "{:?}", entry.log);
        prop_assert!(is_down || !entry.listing.must_leave() || removal, "a provider that works has it: {:?}", entry.log);
        // Whatever is not confirmed by the last day is alarmed.
        prop_assert!(!entry.listing.must_leave() || entry.listing.alarm.is_some(), "{:?}", entry.log);
    }
}
