//! What holds whatever is offered, paid, answered and reported, in whatever order.

use crate::payer::Payer;
use kernel::{Calendar, ContactId, Currency, NaiveDate, calendar};
use notice::{Event, Merge, Occurrence, Outcome, Phase};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One thing that happens; days count from Monday 2026-11-23, hours are UTC.
#[derive(Debug, Clone)]
enum Happening {
    Offer { day: u32, items: Vec<(u32, u32, u32, usize, bool)> },
    Owes { invoice: u32, answer: usize },
    Feed(bool),
    Look { day: u32, hour: u32 },
    Answer { which: usize, answer: usize, day: u32, hour: u32 },
    Receipt { which: usize, status: usize, day: u32, hour: u32 },
    Close { day: u32 },
    Consent { channel: usize, yes: bool },
}

/// Day and hour; what has none comes first.
fn when(happening: &Happening) -> (u32, u32) {
    match happening {
        Happening::Offer { day, .. } | Happening::Close { day } => (*day, 0),
        Happening::Look { day, hour } | Happening::Answer { day, hour, .. } | Happening::Receipt { day, hour, .. } => (*day, *hour),
        Happening::Owes { .. } | Happening::Feed(_) | Happening::Consent { .. } => (0, 0),
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let (day, hour) = (0..10u32, 8..24u32);
    let item = (0..5u32, 0..3u32, 1..4u32, 0..5usize, any::<bool>());
    prop_oneof![
        4 => (day.clone(), prop::collection::vec(item, 1..5)).prop_map(|(day, items)| Happening::Offer { day, items }),
        1 => (0..5u32, 0..5usize).prop_map(|(invoice, answer)| Happening::Owes { invoice, answer }),
        1 => any::<bool>().prop_map(Happening::Feed),
        6 => (day.clone(), hour.clone()).prop_map(|(day, hour)| Happening::Look { day, hour }),
        6 => (any::<usize>(), 0..3usize, day.clone(), hour.clone()).prop_map(|(which, answer, day, hour)| Happening::Answer { which, answer, day, hour }),
        2 => (any::<usize>(), 0..3usize, day.clone(), hour).prop_map(|(which, status, day, hour)| Happening::Receipt { which, status, day, hour }),
        1 => day.prop_map(|day| Happening::Close { day }),
        1 => (0..5usize, any::<bool>()).prop_map(|(channel, yes)| Happening::Consent { channel, yes }),
    ]
}

fn on(day: u32) -> NaiveDate {
    calendar::add_days("2026-11-23".parse().unwrap(), i64::from(day))
}

fn at(day: u32, hour: u32) -> String {
    format!("{}T{hour:02}:00:00Z", on(day))
}

const CHAINS: [&str; 5] = ["email", "whatsapp>sms", "whatsapp>sms+email", "voice>sms+email", "letter"];

fn happen(payer: &mut Payer, happening: &Happening) {
    let attempts: Vec<String> = payer
        .contacts
        .contacts
        .values()
        .flat_map(|contact| contact.chains.iter().flat_map(|chain| &chain.attempts))
        .map(|attempt| attempt.attempt_id.to_string())
        .collect();
    let pick = |which: usize| (!attempts.is_empty()).then(|| attempts[which % attempts.len()].clone());
    match happening {
        Happening::Offer { day, items } => {
            let line = |(invoice, step, tone, chains, usd): &(u32, u32, u32, usize, bool)| {
                let currency = if *usd { "USD" } else { "BRL" };
                format!("I{invoice} s{step} {tone} 2026-11-{} {} {} {currency}\n", 24 + invoice, on(*day), CHAINS[*chains])
            };
            payer.offer(&on(*day).to_string(), &items.iter().map(line).collect::<String>());
        }
        Happening::Owes { invoice, answer } => {
            payer.owes(&format!("I{invoice}"), ["100", "200", "paid", "covered_by_credit", "cancelled"][*answer]);
        }
        Happening::Feed(fresh) => payer.feed_fresh = *fresh,
        Happening::Look { day, hour } => {
            payer.look(&at(*day, *hour));
        }
        Happening::Answer { which, answer, day, hour } => {
            if let Some(attempt) = pick(*which) {
                payer.answer(&attempt, ["accepted", "refused", "unknown"][*answer], &at(*day, *hour));
            }
        }
        Happening::Receipt { which, status, day, hour } => {
            if let Some(attempt) = pick(*which) {
                payer.receipt(&attempt, ["failed", "delivered", "read"][*status], &at(*day, *hour));
            }
        }
        Happening::Close { day } => {
            payer.close(&at(*day, 12));
        }
        Happening::Consent { channel, yes } => {
            let channel = notice::Channel::ALL[*channel];
            if *yes {
                payer.opt_in(channel)
            } else {
                payer.opt_out(channel)
            };
        }
    }
}

fn run(happenings: &[Happening], merge: Merge, max_per_day: u32) -> Payer {
    let mut payer = Payer::new();
    payer.calendar = Calendar::None;
    payer.rules.merge = merge;
    payer.rules.max_per_day = max_per_day;
    happenings.iter().for_each(|happening| happen(&mut payer, happening));
    payer
}

fn merge() -> impl Strategy<Value = Merge> {
    prop_oneof![Just(Merge::PerDay), Just(Merge::ByClass), Just(Merge::None)]
}

fn outcomes(payer: &Payer) -> impl Iterator<Item = (&Occurrence, Outcome)> {
    payer.log.iter().flat_map(Event::outcomes).map(|item| (&item.key, item.outcome))
}

proptest! {
    #[test]
    fn an_occurrence_ends_for_good_once_and_is_executed_by_one_contact(
        happenings in prop::collection::vec(happening(), 0..60), merge in merge(), max_per_day in 1..3u32,
    ) {
        let payer = run(&happenings, merge, max_per_day);
        let mut ended = BTreeSet::new();
        for (key, outcome) in outcomes(&payer).filter(|(_, outcome)| outcome.is_final()) {
            prop_assert!(ended.insert(key), "{:?} ended again: {:?}", key, outcome);
        }
    }

    #[test]
    fn every_item_of_a_contact_gets_one_outcome(happenings in prop::collection::vec(happening(), 0..60), merge in merge()) {
        let mut payer = run(&happenings, merge, 1);
        payer.close("2027-02-01T12:00:00Z");
        prop_assert!(payer.contacts.contacts.values().all(|contact| contact.phase == Phase::Concluded));
        let mut composed: BTreeMap<&ContactId, BTreeSet<Occurrence>> = BTreeMap::new();
        let mut got: BTreeMap<&ContactId, Vec<Occurrence>> = BTreeMap::new();
        for event in &payer.log {
            let contact_id = match event {
                Event::ContactComposed(event) => {
                    composed.insert(&event.contact_id, event.items.iter().map(notice::Item::key).collect());
                    continue;
                }
                Event::ContactGated(event) => &event.contact_id,
                Event::FallbackGated(event) => &event.contact_id,
                Event::ContactConcluded(event) => &event.contact_id,
                _ => continue,
            };
            got.entry(contact_id).or_default().extend(event.outcomes().iter().map(|item| item.key.clone()));
        }
        for (contact_id, items) in composed {
            let got = got.remove(contact_id).unwrap_or_default();
            prop_assert_eq!(got.len(), items.len(), "{}", contact_id);
            prop_assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), items);
        }
    }

    #[test]
    fn the_budget_is_never_passed(happenings in prop::collection::vec(happening(), 0..60), merge in merge(), max_per_day in 1..3u32) {
        // Receipts that disprove a refusal are facts of the world, not decisions: without them. And time runs forward.
        let mut decided: Vec<Happening> = happenings.into_iter().filter(|happening| !matches!(happening, Happening::Receipt { .. })).collect();
        decided.sort_by_key(when);
        let payer = run(&decided, merge, max_per_day);
        let handed: Vec<NaiveDate> = payer.contacts.contacts.values().filter(|contact| contact.was_handed()).map(|contact| contact.day).collect();
        for day in 0..10 {
            let (day, start) = (on(day), calendar::add_days(on(day), -6));
            let today = handed.iter().filter(|handed| **handed == day).count();
            let week = handed.iter().filter(|handed| (start..=day).contains(*handed)).count();
            prop_assert!(today <= max_per_day as usize, "{} contacts on {}", today, day);
            prop_assert!(week <= 3, "{} contacts in the seven days to {}", week, day);
            let calls: u32 = payer.contacts.contacts.values().filter(|contact| contact.day == day).map(notice::Contact::voice_calls).sum();
            prop_assert!(calls <= 1, "{} calls on {}", calls, day);
        }
    }

    #[test]
    fn nothing_starts_outside_the_window_of_its_own_day(happenings in prop::collection::vec(happening(), 0..60), merge in merge()) {
        let payer = run(&happenings, merge, 2);
        for event in &payer.log {
            if let Event::AttemptStarted(event) = event {
                prop_assert!(event.contact_id.as_str().starts_with(&payer.zone.day_of(event.at).to_string()));
                prop_assert!(payer.rules.window.is_open(event.at, payer.zone, payer.calendar));
            }
        }
    }

    #[test]
    fn what_happens_again_changes_nothing(happenings in prop::collection::vec(happening(), 0..40), merge in merge()) {
        let mut payer = Payer::new();
        payer.rules.merge = merge;
        for happening in &happenings {
            happen(&mut payer, happening);
            let again = match happening {
                // Attempts are picked anew by number, so these are other facts.
                Happening::Answer { .. } | Happening::Receipt { .. } => continue,
                Happening::Offer { .. } | Happening::Owes { .. } | Happening::Feed(_) | Happening::Look { .. } | Happening::Close { .. } | Happening::Consent { .. } => happening,
            };
            let before = payer.contacts.clone();
            happen(&mut payer, again);
            prop_assert_eq!(&payer.contacts, &before, "{:?} again", again);
        }
        let folded = payer.log.iter().fold(notice::Contacts::default(), notice::evolve);
        prop_assert_eq!(folded, payer.contacts);
    }

    #[test]
    fn a_contact_says_one_currency(happenings in prop::collection::vec(happening(), 0..40), merge in merge()) {
        let payer = run(&happenings, merge, 2);
        for contact in payer.contacts.contacts.values() {
            let currencies: BTreeSet<Currency> = contact.items.iter().map(|item| item.currency).collect();
            prop_assert_eq!(currencies.into_iter().collect::<Vec<_>>(), vec![contact.currency]);
        }
    }
}
