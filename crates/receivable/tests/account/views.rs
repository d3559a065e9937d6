//! Views of invoices and ratings of payers, as tables.

use crate::script::{check, check_from, day};
use kernel::{CustomerId, InvoiceId};
use receivable::{Account, Command, rating::RateCustomer, view::RecordView};

/// `view I1 2026-02-09T08:00:00Z portal`, `rate 70 serasa 2026-02-09`; now is noon of 10 February 2026.
pub fn parse(words: &[&str]) -> Command {
    let word = |index: usize| words.get(index).copied().unwrap_or("");
    if word(0) == "view" {
        return Command::RecordView(RecordView {
            invoice_id: InvoiceId::new(word(1)).unwrap(),
            viewed_at: word(2).parse().unwrap(),
            through: word(3).to_owned(),
            now: "2026-02-10T12:00:00Z".parse().unwrap(),
        });
    }
    Command::RateCustomer(RateCustomer {
        customer_id: CustomerId::new("c1").unwrap(),
        score: word(1).parse().unwrap(),
        source: word(2).to_owned(),
        rated_on: day(word(3)),
        today: day("2026-02-10"),
    })
}

#[test]
fn the_newest_view_is_kept_and_what_was_told_before_adds_nothing() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01   => issued I1 100 BRL
         view I1 2026-01-20T08:00:00Z portal  => viewed I1 portal
         view I1 2026-01-20T08:00:00Z portal  => nothing
         view I1 2026-01-19T08:00:00Z link    => nothing
         view I1 2026-01-21T08:00:00Z link    => viewed I1 link
         pay P1 I1 100 2026-01-22             => received P1 applied 100 credit 0 open 0
         view I1 2026-02-10T12:00:00Z portal  => viewed I1 portal
         cancel I1 why                        => cancelled I1 was 0 P1:100
         erase                                => erased c1
         view I1 2026-02-10T12:00:00Z app     => nothing",
    );
    assert!(account.invoices.values().all(|invoice| invoice.viewed_at.is_some()));
}

#[test]
fn wrong_views_are_refused_by_field() {
    check(
        "issue I1 100 2026-01-01 2026-02-01   => issued I1 100 BRL
         view I9 2026-01-20T08:00:00Z portal  => not_found invoice_id invoice_unknown
         view I1 2026-02-10T12:00:01Z portal  => invalid viewed_at viewed_in_future
         view I1 2026-02-10T12:00:00Z         => invalid through text_refused",
    );
}

#[test]
fn the_newest_rating_holds_and_goes_with_the_data() {
    let account = check(
        "rate 70 serasa 2026-02-01  => rated 70 serasa 2026-02-01
         rate 70 serasa 2026-02-01  => nothing
         rate 20 boa 2026-01-31     => nothing
         rate 0 boa 2026-02-01      => rated 0 boa 2026-02-01
         rate 100 boa 2026-02-10    => rated 100 boa 2026-02-10",
    );
    assert_eq!(account.rating.as_ref().map(|rating| rating.score), Some(100));
    let account = check_from(account, "erase => erased c1");
    assert_eq!(account.rating, None);
    check_from(account, "rate 1 boa 2026-02-10 => precondition customer_id customer_erased");
}

#[test]
fn wrong_ratings_are_refused_by_field() {
    check_from(Account::default(), "rate 1 boa 2026-02-10 => not_found customer_id customer_unknown");
    check(
        "rate 101 boa 2026-02-10         => invalid score score_out_of_range
         rate 4294967295 boa 2026-02-10  => invalid score score_out_of_range
         rate 1 boa 2026-02-11           => invalid rated_on rated_in_future",
    );
}
