//! What puts a reminder off for a while: an automatic debit to come, and payments that may be missing.

use crate::script::{check, look};
use chrono::TimeDelta;
use kernel::{CollectionAccountId, DateTime, Utc};
use receivable::feed::{
    self, BankFileTaken, FeedCommand, FeedEvent, FeedRejection, PaymentFeed, PaymentFeedReported, ReportPaymentFeed, TakeBankFile,
};

const DEBITED: &str = "issue I1 100 2026-01-01 2026-02-01 BRL nf debit=2026-02-03 => issued I1 100 BRL
                       issue I2 50 2026-01-01 2026-02-01                          => issued I2 50 BRL";

#[test]
fn an_invoice_on_automatic_debit_waits_until_its_day_in_the_payers_zone() {
    for (zone, at, answer) in [
        ("America/Sao_Paulo", "2026-02-03T02:59:59Z", "I1 automatic_debit, I2 50"),
        ("America/Sao_Paulo", "2026-02-03T03:00:00Z", "I1 100, I2 50"),
        ("America/Rio_Branco", "2026-02-03T04:59:59Z", "I1 automatic_debit, I2 50"),
        ("America/Rio_Branco", "2026-02-03T05:00:00Z", "I1 100, I2 50"),
    ] {
        let account = check(&format!("register zone={zone} => amended c1\n{DEBITED}"));
        assert_eq!(look(&account, &format!("look C1 tol=0 at={at} I1 I2")), answer, "{zone} {at}");
    }
    let without_a_zone = check(DEBITED);
    assert_eq!(look(&without_a_zone, "look C1 tol=0 at=2026-02-03T02:59:59Z I1"), "I1 automatic_debit", "then the tenant's");
}

#[test]
fn what_waits_for_its_debit_is_not_authorised_and_what_ends_it_comes_first() {
    let account = check(&format!(
        "{DEBITED}
         look C1 tol=0 I1      => nothing
         look C1 tol=0 I1 I2   => authorized C1 I2 50
         pay P1 I1 100 2026-01-20 => received P1 applied 100 credit 0 open 0"
    ));
    assert_eq!(look(&account, "look C1 tol=0 I1"), "I1 paid");
}

#[test]
fn a_debit_is_amended_taken_away_and_never_before_the_issue() {
    let account = check(&format!(
        "{DEBITED}
         amend I1 debit=2025-12-31 => invalid automatic_debit_on debit_before_issue
         amend I1 debit=2026-02-03 => nothing
         amend I1 debit=2026-02-05 => amended I1 100->100 2026-02-01->2026-02-01 open 100
         amend I1 due=2026-02-04   => amended I1 100->100 2026-02-01->2026-02-04 open 100
         issue I1 100 2026-01-01 2026-02-01 BRL nf debit=2026-02-03 => nothing
         issue I1 100 2026-01-01 2026-02-01 BRL nf                  => precondition invoice_id invoice_exists
         issue I3 100 2026-01-02 2026-02-01 BRL nf debit=2026-01-01 => invalid automatic_debit_on debit_before_issue"
    ));
    assert_eq!(look(&account, "look C1 tol=0 at=2026-02-04T15:00:00Z I1"), "I1 automatic_debit", "another due day leaves it");
    let account = crate::script::check_from(account, "amend I1 debit=none => amended I1 100->100 2026-02-04->2026-02-04 open 100");
    assert_eq!(look(&account, "look C1 tol=0 at=2026-02-01T15:00:00Z I1"), "I1 100");
}

#[test]
fn a_stale_feed_puts_off_what_is_overdue_and_nothing_else() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         issue I2 50 2026-01-01 2026-03-01  => issued I2 50 BRL
         look C1 tol=0 feed=stale late:I1   => nothing
         look C1 tol=0 feed=stale late:I1 I2 => authorized C1 I2 50
         look C1 tol=0 late:I1 I2           => authorized C1 I1 100 I2 50
         pay P1 I1 100 2026-01-20           => received P1 applied 100 credit 0 open 0",
    );
    assert_eq!(look(&account, "look C1 tol=0 feed=stale late:I1 late:I2"), "I1 paid, I2 stale_feed", "what is known to be paid is paid");
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn report(feed: PaymentFeed, known_until: &str) -> Result<Vec<FeedEvent>, FeedRejection> {
    feed::decide(&feed, &FeedCommand::Report(ReportPaymentFeed { known_until: at(known_until), at: at("2026-02-02T12:00:00Z") }))
}

#[test]
fn a_feed_goes_forward_only_and_never_into_the_future() {
    let known = |text: &str| PaymentFeed { known_until: Some(at(text)), ..PaymentFeed::default() };
    for (before, reported, events) in [
        (PaymentFeed::default(), "2026-02-02T11:00:00Z", Ok(1)),
        (known("2026-02-02T10:00:00Z"), "2026-02-02T11:00:00Z", Ok(1)),
        (known("2026-02-02T11:00:00Z"), "2026-02-02T11:00:00Z", Ok(0)),
        (known("2026-02-02T11:00:00Z"), "2026-02-01T11:00:00Z", Ok(0)),
        (PaymentFeed::default(), "2026-02-02T12:05:00Z", Ok(1)),
        (PaymentFeed::default(), "2026-02-02T12:05:01Z", Err("known_until in_future")),
    ] {
        let told = report(before.clone(), reported)
            .map(|events| events.len())
            .map_err(|refused| format!("{} {}", refused.field(), refused.slug()));
        assert_eq!(told, events.map_err(str::to_owned), "{reported} after {before:?}");
    }
    let reported = |text: &str| FeedEvent::Reported(PaymentFeedReported { known_until: at(text) });
    let (later, earlier) = (reported("2026-02-02T11:00:00Z"), reported("2026-02-01T11:00:00Z"));
    assert_eq!([later, earlier].iter().fold(PaymentFeed::default(), feed::evolve), known("2026-02-02T11:00:00Z"));
}

/// `itau 2026-02-02T06:00:00Z`: what a file of an account does, where `itau` and `caixa` have agreements.
fn take_file(feed: &PaymentFeed, line: &str) -> (PaymentFeed, String) {
    let id = |text: &str| CollectionAccountId::new(text).unwrap();
    let (of, known_until) = line.split_once(' ').unwrap();
    let file = TakeBankFile {
        of: vec![id(of)],
        known_until: at(known_until),
        all: [id("itau"), id("caixa")].into(),
        at: at("2026-02-03T12:00:00Z"),
    };
    let events = feed::decide(feed, &FeedCommand::TakeBankFile(file)).unwrap();
    let shown = events.iter().map(|event| match event {
        FeedEvent::Reported(PaymentFeedReported { known_until }) => format!("until {known_until}"),
        FeedEvent::BankFileTaken(BankFileTaken { account_id, .. }) => account_id.to_string(),
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    (events.iter().fold(feed.clone(), feed::evolve), shown)
}

#[test]
fn a_feed_reaches_as_far_as_the_file_of_the_account_that_is_furthest_behind() {
    let mut feed = PaymentFeed::default();
    for (line, expected) in [
        ("itau 2026-02-02T06:00:00Z", "itau"),
        ("caixa 2026-02-01T06:00:00Z", "caixa, until 2026-02-01 06:00:00 UTC"),
        ("caixa 2026-02-03T06:00:00Z", "caixa, until 2026-02-02 06:00:00 UTC"),
        ("itau 2026-02-01T06:00:00Z", ""),
        ("itau 2026-02-02T06:00:00Z", ""),
        // A file from the future says nothing.
        ("itau 2026-02-04T06:00:00Z", ""),
        ("itau 2026-02-03T06:00:00Z", "itau, until 2026-02-03 06:00:00 UTC"),
    ] {
        let (after, shown) = take_file(&feed, line);
        assert_eq!(shown, expected, "{line}");
        feed = after;
    }
}

#[test]
fn a_feed_is_stale_once_it_is_older_than_the_limit_and_before_anybody_reported_it() {
    let (now, limit) = (at("2026-02-02T12:00:00Z"), TimeDelta::hours(24));
    for (known_until, stale) in
        [(None, true), (Some("2026-02-01T11:59:59Z"), true), (Some("2026-02-01T12:00:00Z"), false), (Some("2026-02-02T12:01:00Z"), false)]
    {
        assert_eq!(
            PaymentFeed { known_until: known_until.map(at), ..PaymentFeed::default() }.is_stale(now, limit),
            stale,
            "{known_until:?}"
        );
    }
}
