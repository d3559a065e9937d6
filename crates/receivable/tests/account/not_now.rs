//! What puts a reminder off for a while: an automatic debit to come, and payments that may be missing.

use crate::script::{check, look};
use chrono::TimeDelta;
use kernel::{DateTime, Utc};
use receivable::feed::{self, FeedRejection, PaymentFeed, PaymentFeedReported, ReportPaymentFeed};

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

fn report(feed: PaymentFeed, known_until: &str) -> Result<Vec<PaymentFeedReported>, FeedRejection> {
    feed::decide(&feed, &ReportPaymentFeed { known_until: at(known_until), at: at("2026-02-02T12:00:00Z") })
}

#[test]
fn a_feed_goes_forward_only_and_never_into_the_future() {
    let known = |text: &str| PaymentFeed { known_until: Some(at(text)) };
    for (before, reported, events) in [
        (PaymentFeed::default(), "2026-02-02T11:00:00Z", Ok(1)),
        (known("2026-02-02T10:00:00Z"), "2026-02-02T11:00:00Z", Ok(1)),
        (known("2026-02-02T11:00:00Z"), "2026-02-02T11:00:00Z", Ok(0)),
        (known("2026-02-02T11:00:00Z"), "2026-02-01T11:00:00Z", Ok(0)),
        (PaymentFeed::default(), "2026-02-02T12:05:00Z", Ok(1)),
        (PaymentFeed::default(), "2026-02-02T12:05:01Z", Err("known_until in_future")),
    ] {
        let told = report(before, reported).map(|events| events.len()).map_err(|refused| format!("{} {}", refused.field(), refused.slug()));
        assert_eq!(told, events.map_err(str::to_owned), "{reported} after {before:?}");
    }
    let later = PaymentFeedReported { known_until: at("2026-02-02T11:00:00Z") };
    let earlier = PaymentFeedReported { known_until: at("2026-02-01T11:00:00Z") };
    assert_eq!([later, earlier].iter().fold(PaymentFeed::default(), feed::evolve), known("2026-02-02T11:00:00Z"));
}

#[test]
fn a_feed_is_stale_once_it_is_older_than_the_limit_and_before_anybody_reported_it() {
    let (now, limit) = (at("2026-02-02T12:00:00Z"), TimeDelta::hours(24));
    for (known_until, stale) in
        [(None, true), (Some("2026-02-01T11:59:59Z"), true), (Some("2026-02-01T12:00:00Z"), false), (Some("2026-02-02T12:01:00Z"), false)]
    {
        assert_eq!(PaymentFeed { known_until: known_until.map(at) }.is_stale(now, limit), stale, "{known_until:?}");
    }
}
