//! Balances as of any day. A payment that was acknowledged is in the next balance, however far behind the views are.

use crate::{script::play, site::Site};

const HISTORY: &str = "
    register A
    issue I1 A 10000 on=2026-03-01 due=2026-03-20
    pay P1 I1 4000 on=2026-03-05
    pay P2 I1 8000 on=2026-03-07
    issue I2 A 3000 on=2026-03-08 due=2026-03-30
    go 2026-03-12
    reverse P1
    go 2026-03-14
    amend I2 amount=2500
    go 2026-03-15
    cancel I1
    issue I3 A 700 on=2026-03-13 due=2026-03-30
    pay P3 I3 700 on=2026-03-02";

const BALANCES: &str = "
    balance I1 2026-02-28 => 0 BRL
    balance I1 2026-03-01 => 10000 BRL
    balance I1 2026-03-04 => 10000 BRL
    balance I1 2026-03-05 => 6000 BRL
    balance I1 2026-03-07 => 0 BRL
    balance I1 2026-03-11 => 0 BRL
    balance I1 2026-03-12 => 4000 BRL
    balance I1 2026-03-15 => 0 BRL
    balance I1 => 0 BRL
    balance I2 2026-03-13 => 3000 BRL
    balance I2 2026-03-14 => 2500 BRL
    balance I3 2026-03-05 => 0 BRL
    owes A 2026-02-28 => BRL 0 credit 0
    owes A 2026-03-04 => BRL 10000 credit 0
    owes A 2026-03-07 => BRL 0 credit 2000
    owes A 2026-03-08 => BRL 3000 credit 2000
    owes A 2026-03-12 => BRL 7000 credit 2000
    owes A 2026-03-15 => BRL 2500 credit 8000
    owes A => BRL 2500 credit 8000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balance_is_the_sum_of_the_entries_until_the_end_of_the_day() {
    for site in Site::every().await {
        play(&site, HISTORY).await;
        site.settle().await;
        play(&site, BALANCES).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances_do_not_wait_for_the_views() {
    for site in Site::every().await {
        let (before, after) = HISTORY.split_at(HISTORY.find("go 2026-03-12").unwrap());
        play(&site, before).await;
        site.settle().await;
        site.service().pause();
        play(&site, after).await;
        play(&site, BALANCES).await;
        site.service().resume();
        site.settle().await;
        play(&site, BALANCES).await;
    }
}
