//! Goes round the open entries: what must leave is watched, what is unknown asked for, what is due handed over, and answers are fetched.

use super::clerk::{Clerk, Postponed};
use super::follow::{ENGINE, PROVIDER};
use super::provider::{Handover, Incoming, LineFault, Outcome, Provider, Standing, Word};
use super::{EntryKey, OrderKey};
use crate::query;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::invoice::v1::{self as invoice, AuthorizeReminderRequest, GetCustomerRequest, ReminderItem};
use kernel::{Zone, personal::Personal};
use ladder::listing::{self, Answer, Command, Kind, Listing, Opened, Order};
use std::sync::Arc;
use tonic::Code;

/// Entries read at a time.
const PAGE: i64 = 500;
/// Commands of a batch, at most.
const BATCH: usize = 200;
/// How long a command may be in the hands of a process before its outcome counts as unknown: longer than all tries of a call.
pub(super) const IN_HAND: TimeDelta = TimeDelta::minutes(10);
/// How often a provider is asked for the same command.
const ASK_EVERY: TimeDelta = TimeDelta::minutes(10);
/// How long a provider that takes nothing is left alone.
const LEAVE_ALONE: TimeDelta = TimeDelta::minutes(10);
/// How long an inclusion that may not be handed over now waits.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(10);

/// A command that is ready.
struct Ready {
    key: EntryKey,
    opened: Opened,
    listing: Arc<Listing>,
    order: Order,
}

pub(super) async fn go_round(clerk: &Clerk) -> Result<(), Postponed> {
    for kind in Kind::ALL {
        if let Some(provider) = clerk.providers.of(kind) {
            fetch(clerk, provider).await?;
        }
    }
    let mut after = None;
    loop {
        let found = query::unsettled_listings(&clerk.views, after.as_ref(), PAGE).await;
        let keys = found.map_err(|error| Postponed(error.to_string()))?;
        let Some(last) = keys.last().cloned() else { return Ok(()) };
        let (mut bureau, mut protest) = (Vec::new(), Vec::new());
        for key in keys {
            if let Some(ready) = attend(clerk, key).await? {
                match ready.opened.kind {
                    Kind::Bureau => bureau.push(ready),
                    Kind::Protest => protest.push(ready),
                }
            }
        }
        for (kind, ready) in [(Kind::Bureau, bureau), (Kind::Protest, protest)] {
            hand_over(clerk, kind, ready).await?;
        }
        after = Some(last);
    }
}

/// Watches an entry and asks for what is unknown; the command that is then due.
async fn attend(clerk: &Clerk, key: EntryKey) -> Result<Option<Ready>, Postponed> {
    let now = clerk.clock.now();
    let mut listing = clerk.listing(&key).await?;
    if listing.must_leave() {
        (_, listing) = clerk.tell(&key, Command::Watch { today: clerk.today(), at: now }).await?;
    }
    let Some(opened) = listing.opened.clone() else { return Ok(None) };
    let Some(provider) = clerk.providers.of(opened.kind) else { return Ok(None) };
    if let Some((order, since)) = listing.unsettled().filter(|(_, since)| *since + IN_HAND <= now) {
        listing = ask(clerk, provider, &key, (order, since)).await?.unwrap_or(listing);
    }
    let order = listing.next_order(clerk.clock.now());
    Ok(order.map(|order| Ready { key, opened, listing, order }))
}

/// The entry after the provider said what became of a command; `None` where it does not say.
async fn ask(
    clerk: &Clerk,
    provider: &Arc<dyn Provider>,
    key: &EntryKey,
    (order, _): (Order, DateTime<Utc>),
) -> Result<Option<Arc<Listing>>, Postponed> {
    let order_key = OrderKey { entry: key.clone(), order };
    if !clerk.pauses.take(&order_key.to_string(), clerk.clock.now(), ASK_EVERY) {
        return Ok(None);
    }
    match provider.ask(&order_key).await {
        Standing::NotTaken => Ok(Some(clerk.tell(key, Command::Lose { order, at: clerk.clock.now() }).await?.1)),
        Standing::Taken(word) => {
            clerk.note_word(key, word, PROVIDER).await?;
            Ok(Some(clerk.listing(key).await?))
        }
        Standing::Unclear => Ok(None),
    }
}

async fn hand_over(clerk: &Clerk, kind: Kind, ready: Vec<Ready>) -> Result<(), Postponed> {
    let Some(provider) = clerk.providers.of(kind) else { return Ok(()) };
    for batch in ready.chunks(BATCH) {
        if !clerk.pauses.is_free(kind.slug(), clerk.clock.now()) {
            return Ok(());
        }
        let mut mine = Vec::new();
        for one in batch {
            let Some(command) = prepared(clerk, one).await? else { continue };
            // Whoever gets the event hands over, nobody else.
            let (is_mine, _) = clerk.tell(&one.key, Command::Send { order: one.order, at: clerk.clock.now() }).await?;
            if is_mine {
                mine.push(command);
            }
        }
        if mine.is_empty() {
            continue;
        }
        let outcomes = provider.send(&mine).await;
        for (command, outcome) in mine.iter().zip(outcomes) {
            conclude(clerk, kind, &command.key, outcome).await?;
        }
    }
    Ok(())
}

async fn conclude(clerk: &Clerk, kind: Kind, key: &OrderKey, outcome: Outcome) -> Result<(), Postponed> {
    let OrderKey { entry, order } = key;
    match outcome {
        Outcome::Taken(word) => _ = clerk.note_word(entry, word, PROVIDER).await?,
        Outcome::Refused(reason) => {
            let word = Word { answer: Answer::refused(*order), reason, reference: String::new() };
            clerk.note_word(entry, word, PROVIDER).await?;
        }
        // It stays as it is: the provider is asked, or calls back.
        Outcome::Unknown(reason) => tracing::warn!(%key, reason, "what became of a command to a bureau is unknown"),
        Outcome::NotNow(reason) => {
            tracing::warn!(%key, reason, "a bureau takes nothing");
            clerk.pauses.put_off(kind.slug(), clerk.clock.now() + LEAVE_ALONE);
            clerk.tell(entry, Command::Lose { order: *order, at: clerk.clock.now() }).await?;
        }
    }
    Ok(())
}

/// The command as it is handed over; `None` where it has to wait, or was refused here and now.
async fn prepared(clerk: &Clerk, ready: &Ready) -> Result<Option<Handover>, Postponed> {
    let Ready { key, opened, listing, order } = ready;
    let may = match order {
        Order::Include => may_include(clerk, key, opened).await?,
        Order::Remove => true,
    };
    if !may {
        return Ok(None);
    }
    let Some(debtor) = debtor(clerk, key).await? else { return Ok(None) };
    if *order == Order::Include && (debtor.tax_id.is_empty() || debtor.name.is_empty()) {
        let reason = if debtor.tax_id.is_empty() { "payer_tax_id_missing" } else { "payer_name_missing" };
        let word = Word { answer: Answer::Refused, reason: reason.to_owned(), reference: String::new() };
        clerk.note_word(key, word, ENGINE).await?;
        return Ok(None);
    }
    let obligation = listing.obligation.as_ref();
    Ok(Some(Handover {
        key: OrderKey { entry: key.clone(), order: *order },
        opened: opened.clone(),
        name: Personal::new(debtor.name),
        tax_id: Personal::new(debtor.tax_id),
        address: Personal::new(debtor.address),
        cause: obligation.map(|obligation| obligation.cause),
        until: obligation.map(|obligation| obligation.until),
    }))
}

/// Nothing pauses or contests the debt, and the owner of the balance says that it is owed, right before it is made public.
async fn may_include(clerk: &Clerk, key: &EntryKey, opened: &Opened) -> Result<bool, Postponed> {
    let name = key.to_string();
    if !clerk.pauses.is_free(&name, clerk.clock.now()) {
        return Ok(false);
    }
    let payer = clerk.payer(key.tenant.as_str(), &key.customer_id).await?;
    let book = clerk.rules.books().of(key.tenant.as_str());
    let day = payer.ladder.zone(&*book).unwrap_or(Zone::SAO_PAULO).day_of(clerk.clock.now());
    let track = payer.ladder.tracks.get(&key.invoice_id);
    let may = track.is_some_and(|track| listing::may_send(track, day)) && is_owed(clerk, key, opened).await?;
    if !may {
        clerk.pauses.put_off(&name, clerk.clock.now() + LOOK_AGAIN);
    }
    Ok(may)
}

async fn is_owed(clerk: &Clerk, key: &EntryKey, opened: &Opened) -> Result<bool, Postponed> {
    let item = ReminderItem {
        invoice_id: key.invoice_id.to_string(),
        cycle: key.cycle,
        step_id: key.step_id.to_string(),
        occurrence: key.occurrence,
        min_outstanding_minor: 0,
        overdue: opened.due_on < clerk.today(),
        disputed_minor: 0,
        purpose: String::new(),
    };
    let asked = AuthorizeReminderRequest { customer_id: key.customer_id.to_string(), contact_id: contact_id(key), items: vec![item] };
    match (clerk.look)(key.tenant.to_string(), asked).await {
        Ok(answer) => Ok(answer.verdicts.first().is_some_and(|verdict| verdict.authorized)),
        Err(status) => absent(&status).map(|()| false),
    }
}

/// The id under which the owner is asked: hashed, because an entry's key is longer than an id may be.
fn contact_id(key: &EntryKey) -> String {
    use sha2::{Digest, Sha256};
    format!("listing.{}", &hex::encode(Sha256::digest(key.to_string()))[..40])
}

/// Who the debtor is; without data where they were erased; `None` where the owner knows nobody.
async fn debtor(clerk: &Clerk, key: &EntryKey) -> Result<Option<invoice::Customer>, Postponed> {
    let asked = GetCustomerRequest { customer_id: key.customer_id.to_string() };
    match (clerk.debtors)(key.tenant.to_string(), asked).await {
        Ok(found) => Ok(Some(found.customer.unwrap_or_default())),
        Err(status) => absent(&status).map(|()| None),
    }
}

/// Whether the owner has understood and says no; else the same question may be answered later.
fn absent(status: &tonic::Status) -> Result<(), Postponed> {
    match status.code() {
        Code::NotFound | Code::FailedPrecondition | Code::InvalidArgument => Ok(()),
        code => Err(Postponed(format!("the owner of invoices did not answer: {code:?}"))),
    }
}

/// Notes what came as files.
async fn fetch(clerk: &Clerk, provider: &Arc<dyn Provider>) -> Result<(), Postponed> {
    for incoming in provider.fetch().await {
        let mut faults = incoming.faults.clone();
        for (line, key, word) in &incoming.words {
            if !clerk.note_word(key, word.clone(), PROVIDER).await? {
                faults.push(LineFault { line: *line, slug: "entry_unknown", field: "key" });
            }
        }
        faults.sort_by_key(|fault| fault.line);
        told(&incoming, &faults);
        provider.put_away(&incoming, &faults).await;
    }
    Ok(())
}

fn told(incoming: &Incoming, faults: &[LineFault]) {
    let (file, words) = (&incoming.name, incoming.words.len());
    match faults.first() {
        Some(first) => {
            tracing::warn!(file, faults = faults.len(), line = first.line, slug = first.slug, "answers of a bureau cannot be used")
        }
        None => tracing::info!(file, words, "answers of a bureau were noted"),
    }
}
