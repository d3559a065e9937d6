//! The payment feed of a tenant: up to which instant its payments are known.
//!
//! An overdue reminder is only fair where a payment would have been known by now. Whoever brings payments in says how far they reach;
//! the gate compares that with the tenant's limit. The instant never goes back.
//!
//! A bank's return file says that the payments of its account are known until the file was made. With several accounts the feed reaches
//! only as far as the file of each of them: an account whose file is missing holds it back.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use chrono::TimeDelta;
use kernel::{CollectionAccountId, DateTime, Utc};

/// How far ahead of this clock a reporter's may run.
const CLOCK_SKEW_MINUTES: i64 = 5;

/// What is known of a tenant's feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentFeed {
    /// All payments up to this instant are recorded; `None` where nobody ever said so.
    pub known_until: Option<DateTime<Utc>>,
    /// Until when the return files of each account reach.
    pub files: BTreeMap<CollectionAccountId, DateTime<Utc>>,
}

impl PaymentFeed {
    /// Whether payments may be missing: a feed that nobody reported, or that ends before the last `max_age`.
    pub fn is_stale(&self, now: DateTime<Utc>, max_age: TimeDelta) -> bool {
        self.known_until.is_none_or(|known_until| now.signed_duration_since(known_until) > max_age)
    }
}

/// A command on a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedCommand {
    /// Somebody says how far it reaches.
    Report(ReportPaymentFeed),
    /// A return file was taken in whole.
    TakeBankFile(TakeBankFile),
}

/// A return file was taken in whole. A file from the future, or one that is older than the last, adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeBankFile {
    /// The accounts that it speaks for.
    pub of: Vec<CollectionAccountId>,
    /// When the bank made it.
    pub known_until: DateTime<Utc>,
    /// All accounts for which banks write return files.
    pub all: BTreeSet<CollectionAccountId>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What happened to a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// It reaches so far.
    Reported(PaymentFeedReported),
    /// The return files of an account reach so far.
    BankFileTaken(BankFileTaken),
}

/// The return files of an account reach so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFileTaken {
    /// The account.
    pub account_id: CollectionAccountId,
    /// Until when.
    pub known_until: DateTime<Utc>,
}

/// Says that all payments up to an instant are recorded. One that is known already adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportPaymentFeed {
    /// Up to when.
    pub known_until: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// All payments up to an instant are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentFeedReported {
    /// Up to when.
    pub known_until: DateTime<Utc>,
}

/// Why a report is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedRejection {
    /// Nobody knows the payments of tomorrow; such a feed would look fresh for ever.
    #[error("known_until lies in the future")]
    InFuture,
}

impl FeedRejection {
    /// Stable reason for the caller.
    pub fn slug(self) -> &'static str {
        match self {
            FeedRejection::InFuture => "in_future",
        }
    }

    /// The field at fault, by its name in the command.
    pub fn field(self) -> &'static str {
        match self {
            FeedRejection::InFuture => "known_until",
        }
    }
}

/// What a command does: events, none where nothing is new, or the reason why not.
pub fn decide(feed: &PaymentFeed, command: &FeedCommand) -> Result<Vec<FeedEvent>, FeedRejection> {
    match command {
        FeedCommand::Report(report) if in_future(report.known_until, report.at) => Err(FeedRejection::InFuture),
        FeedCommand::Report(report) => Ok(reaching(feed, Some(report.known_until))),
        FeedCommand::TakeBankFile(file) if in_future(file.known_until, file.at) => Ok(vec![]),
        FeedCommand::TakeBankFile(file) => Ok(take_file(feed, file)),
    }
}

fn in_future(known_until: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    known_until.signed_duration_since(at) > TimeDelta::minutes(CLOCK_SKEW_MINUTES)
}

/// The feed reaches as far as the file of the account that is furthest behind.
fn take_file(feed: &PaymentFeed, file: &TakeBankFile) -> Vec<FeedEvent> {
    let newer = file.of.iter().filter(|account_id| feed.files.get(account_id).is_none_or(|known| *known < file.known_until));
    let taken = newer.map(|account_id| BankFileTaken { account_id: account_id.clone(), known_until: file.known_until });
    let mut events: Vec<FeedEvent> = taken.map(FeedEvent::BankFileTaken).collect();
    let after = events.iter().fold(feed.clone(), evolve);
    let reaches: Option<Vec<DateTime<Utc>>> = file.all.iter().map(|account_id| after.files.get(account_id).copied()).collect();
    events.extend(reaching(feed, reaches.and_then(|all| all.into_iter().min())));
    events
}

fn reaching(feed: &PaymentFeed, known_until: Option<DateTime<Utc>>) -> Vec<FeedEvent> {
    let news = known_until.filter(|until| feed.known_until.is_none_or(|known| known < *until));
    news.map(|known_until| FeedEvent::Reported(PaymentFeedReported { known_until })).into_iter().collect()
}

/// The feed after an event. Total.
pub fn evolve(mut feed: PaymentFeed, event: &FeedEvent) -> PaymentFeed {
    match event {
        FeedEvent::Reported(event) => feed.known_until = feed.known_until.max(Some(event.known_until)),
        FeedEvent::BankFileTaken(event) => {
            let known = feed.files.entry(event.account_id.clone()).or_insert(event.known_until);
            *known = event.known_until.max(*known);
        }
    }
    feed
}
