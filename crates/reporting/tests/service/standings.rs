//! Reports of everybody come from stretches of days, and say what the entries say.

use crate::{
    facts::{Books, tell, tell_on},
    site::Site,
};
use contracts::reporting::v1 as proto;
use sql::Db;
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

const DAYS: u64 = 150;
const PAYERS: [&str; 5] = ["A", "B", "C", "D", "E"];
const SEGMENTS: [&str; 3] = ["retail", "trade", ""];

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

fn day(number: u64) -> String {
    kernel::calendar::add_days("2026-01-01".parse().unwrap(), i64::try_from(number).unwrap()).to_string()
}

/// A history: what happens on a day may count from another one, before or after.
#[derive(Default)]
struct History {
    today: u64,
    invoices: Vec<(String, &'static str)>,
    paid: Vec<String>,
    disputes: Vec<(String, &'static str, String)>,
    names: u64,
}

impl History {
    fn name(&mut self, letter: &str) -> String {
        self.names += 1;
        format!("{letter}{:03}", self.names)
    }

    fn on(&self, dice: &mut Dice) -> String {
        day((self.today + dice.below(20)).saturating_sub(dice.below(30)))
    }

    fn line(&mut self, dice: &mut Dice) -> String {
        self.today += dice.below(3);
        let (today, on, due) = (day(self.today), self.on(dice), day(self.today + dice.below(40)));
        let amount = 100 + dice.below(900);
        let choice = if self.invoices.is_empty() { dice.below(4) } else { dice.below(20) };
        match choice {
            0 => format!("{today} customer {} {} again=yes", dice.one_of(&PAYERS), dice.one_of(&SEGMENTS)),
            1..=4 => {
                let (invoice, payer) = (self.name("I"), *dice.one_of(&PAYERS));
                let currency = dice.one_of(&["BRL", "BRL", "USD"]);
                self.invoices.push((invoice.clone(), payer));
                format!("{today} issued {invoice} {payer} {amount} due={due} on={on} in={currency}")
            }
            5..=9 => {
                let (payment, invoice) = (self.name("P"), dice.one_of(&self.invoices).0.clone());
                self.paid.push(payment.clone());
                format!("{today} paid {payment} {invoice} {amount} on={on}")
            }
            10 | 11 if !self.paid.is_empty() => {
                let payment = self.paid.remove(usize::try_from(dice.below(self.paid.len() as u64)).unwrap());
                format!("{today} reversed {payment} on={on}")
            }
            12 => format!("{today} amended {} due={due} on={on}", dice.one_of(&self.invoices).0),
            13 => format!("{today} amended {} amount={amount} on={on}", dice.one_of(&self.invoices).0),
            14 => format!("{today} enrolled {} padrao effective={due}", dice.one_of(&self.invoices).0),
            15 => format!("{today} rescheduled {} 2 effective={due}", dice.one_of(&self.invoices).0),
            16 if !self.disputes.is_empty() => {
                let (invoice, payer, dispute) = self.disputes.pop().unwrap();
                format!("{today} resolved {invoice} {payer} {dispute} on={on}")
            }
            17 => format!("{today} cancelled {}", dice.one_of(&self.invoices).0),
            _ => {
                let ((invoice, payer), dispute) = (dice.one_of(&self.invoices).clone(), self.name("d"));
                self.disputes.push((invoice.clone(), payer, dispute.clone()));
                format!("{today} disputed {invoice} {payer} {dispute} {} on={on}", dice.one_of(&[0, 50, 400]))
            }
        }
    }
}

async fn aging(site: &Site, at: &str, (currency, segment): (&str, &str), of_entries: bool) -> proto::AgingLine {
    // Later than all that was recorded: the question goes to the entries, and they are the same.
    let known_at = of_entries.then_some(prost_types::Timestamp { seconds: 7_000_000_000, nanos: 0 });
    let (as_of, currency, segment) = (vec![at.to_owned()], currency.to_owned(), segment.to_owned());
    let request = proto::GetAgingRequest { as_of, known_at, currency, segment };
    site.client.clone().get_aging(request).await.unwrap().into_inner().lines.remove(0)
}

/// Delinquency by hand, from the list of receivables, which comes from the entries.
async fn by_hand(site: &Site, asked: &proto::ListDelinquencyRequest) -> Vec<proto::DelinquencyLine> {
    let (as_of, segment) = (asked.as_of.clone(), asked.segment.clone());
    let request = proto::ListReceivablesRequest { as_of, segment, page_size: 1000, ..Default::default() };
    let listed = site.client.clone().list_receivables(request).await.unwrap().into_inner().receivables;
    let mut lines: BTreeMap<(String, String), proto::DelinquencyLine> = BTreeMap::new();
    for r in listed.into_iter().filter(|r| ["open", "overdue"].contains(&r.status.as_str())) {
        let group = if asked.group_by == "segment" { r.segment } else { r.customer_id };
        let line = lines.entry((group.clone(), r.currency.clone())).or_default();
        (line.group, line.currency) = (group, r.currency);
        line.open_count += 1;
        line.open_minor += r.open_minor;
        if r.status == "overdue" {
            line.overdue_minor += r.open_minor;
            if r.days_late > line.days_late {
                (line.days_late, line.oldest_due) = (r.days_late, r.effective_due);
            }
        }
    }
    let mut lines: Vec<_> = lines.into_values().filter(|line| line.days_late >= asked.min_days_late).collect();
    lines.sort_by_key(|line| (Reverse(line.days_late), Reverse(line.open_minor), line.group.clone(), line.currency.clone()));
    lines
}

async fn delinquency(site: &Site, asked: &proto::ListDelinquencyRequest) -> Vec<proto::DelinquencyLine> {
    let (mut token, mut lines) = (String::new(), Vec::new());
    loop {
        let request = proto::ListDelinquencyRequest { page_size: 2, page_token: token, ..asked.clone() };
        let page = site.client.clone().list_delinquency(request).await.unwrap().into_inner();
        lines.extend(page.lines.into_iter().map(|line| proto::DelinquencyLine { bucket: String::new(), ..line }));
        token = page.next_page_token;
        if token.is_empty() {
            return lines;
        }
    }
}

async fn check(site: &Site, dice: &mut Dice, told: &str) {
    let mut open = 0;
    for _ in 0..12 {
        let at = day(dice.below(DAYS));
        for narrowed in [("", ""), ("USD", ""), ("", "retail"), ("BRL", "trade")] {
            let (fast, slow) = (aging(site, &at, narrowed, false).await, aging(site, &at, narrowed, true).await);
            assert_eq!(fast, slow, "{} {at} {narrowed:?}\n{told}", site.database);
            open += fast.open_count;
        }
        for (group_by, segment, min_days_late) in [("", "", 0), ("", "", 1), ("", "", 31), ("", "retail", 1), ("segment", "", 0)] {
            let (group_by, segment) = (group_by.to_owned(), segment.to_owned());
            let asked = proto::ListDelinquencyRequest { group_by, as_of: at.clone(), segment, min_days_late, ..Default::default() };
            assert_eq!(delinquency(site, &asked).await, by_hand(site, &asked).await, "{} {asked:?}\n{told}", site.database);
        }
    }
    assert!(open > 0, "{} nothing was ever open\n{told}", site.database);
    let set = &site.service().projections()[0];
    let verified = set.verify("reporting-receivables").await.unwrap();
    assert!(verified.agrees(), "{} {verified:?}\n{told}", site.database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stretches_say_on_every_day_of_random_histories_what_the_entries_say() {
    for seed in 1..=4 {
        for site in Site::every().await {
            let (mut dice, mut history, mut books, mut told) = (Dice(seed), History::default(), Books::default(), String::new());
            for _ in 0..6 {
                let facts: Vec<String> = (0..1 + dice.below(25)).map(|_| history.line(&mut dice)).collect();
                let facts = facts.join("\n");
                told = format!("{told}{facts}\n");
                // As pages of one fact or so, or all in one.
                let at_once = dice.below(2) == 0;
                if at_once {
                    site.service().pause();
                }
                tell_on(&site, &mut books, &facts).await;
                site.service().resume();
                site.settle().await;
            }
            check(&site, &mut dice, &format!("seed {seed}\n{told}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_of_a_day_long_past_takes_its_place_among_the_stretches() {
    for (fact, days) in [
        ("paid P9 I1 250 on=2026-01-20", [("2026-01-19", 1000, 0), ("2026-01-20", 750, 0), ("2026-03-15", 150, 150)]),
        ("paid P9 I1 400 on=2026-01-01", [("2026-01-09", 0, 0), ("2026-01-10", 600, 0), ("2026-03-15", 0, 0)]),
        ("amended I1 due=2026-06-01 on=2026-02-20", [("2026-02-19", 1000, 1000), ("2026-02-20", 1000, 0), ("2026-03-15", 400, 0)]),
        ("amended I1 amount=900 on=2026-01-15", [("2026-01-14", 1000, 0), ("2026-01-15", 900, 0), ("2026-03-15", 300, 300)]),
        ("reversed P1 on=2026-03-05", [("2026-03-04", 400, 400), ("2026-03-05", 1000, 1000), ("2026-03-15", 1000, 1000)]),
        // The policy's calendar comes to know of the due date late: it holds for every day.
        ("enrolled I1 padrao effective=2026-02-12", [("2026-02-11", 1000, 0), ("2026-02-12", 1000, 0), ("2026-02-13", 1000, 1000)]),
        ("disputed I1 A d9 300 on=2026-02-15", [("2026-02-14", 1000, 1000), ("2026-02-15", 1000, 700), ("2026-03-15", 400, 100)]),
    ] {
        for site in Site::every().await {
            let mut books = Books::default();
            let life = "2026-01-10 customer A retail
                        2026-01-10 issued I1 A 1000 due=2026-02-10
                        2026-03-01 paid P1 I1 600";
            tell_on(&site, &mut books, life).await;
            tell_on(&site, &mut books, &format!("2026-03-20 {fact}")).await;
            for (at, open_minor, overdue_minor) in days {
                let line = aging(&site, at, ("", "retail"), false).await;
                let late = line.overdue_1_30_minor + line.overdue_31_60_minor + line.overdue_61_90_minor + line.overdue_over_90_minor;
                assert_eq!((line.open_minor, late), (open_minor, overdue_minor), "{} {fact}: {at}", site.database);
                assert_eq!(line, aging(&site, at, ("", "retail"), true).await, "{} {fact}: {at}", site.database);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_before_its_receivable_or_its_payer_counts_once_those_are_there() {
    for site in Site::every().await {
        // A line each is a page each: due date and dispute come before the invoice, the payer's segment after it.
        let mut books = Books::default();
        tell_on(&site, &mut books, "2026-01-01 disputed I1 A d1 300").await;
        tell_on(&site, &mut books, "2026-01-02 issued I1 A 1000 due=2026-01-10").await;
        tell_on(&site, &mut books, "2026-01-02 enrolled I1 padrao effective=2026-01-12").await;
        tell_on(&site, &mut books, "2026-01-03 customer A retail").await;
        for (at, current, late) in [("2026-01-01", 0, 0), ("2026-01-12", 700, 0), ("2026-01-13", 0, 700)] {
            let line = aging(&site, at, ("", "retail"), false).await;
            assert_eq!((line.current_minor, line.overdue_1_30_minor), (current, late), "{} {at}", site.database);
            assert_eq!(line, aging(&site, at, ("", "retail"), true).await, "{} {at}", site.database);
        }
        // Another calendar places the due date where it is.
        tell_on(&site, &mut books, "2026-01-04 enrolled I1 outra effective=2026-01-10").await;
        let line = aging(&site, "2026-01-11", ("", "retail"), false).await;
        assert_eq!((line.overdue_1_30_minor, line.disputed_minor), (700, 300), "{}", site.database);
        // And the payer leaves its segment.
        tell_on(&site, &mut books, "2026-01-05 customer A again=yes").await;
        assert_eq!(aging(&site, "2026-01-11", ("", "retail"), false).await.open_count, 0, "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_of_many_who_are_late_since_one_day_are_those_who_owe_most() {
    for site in Site::every().await {
        let mut facts = String::from("2026-01-01 issued OLD P00 5 due=2026-01-05\n");
        for number in 0..40 {
            let amount = 100 + (number * 37) % 40;
            facts.push_str(&format!("2026-01-01 issued I{number:02} P{number:02} {amount} due=2026-01-10\n"));
        }
        // One is paid late, and was late on the days before.
        facts.push_str("2026-02-10 paid P1 I07 1000");
        tell(&site, &facts).await;
        for as_of in ["2026-01-08", "2026-02-09", "2026-03-01"] {
            for min_days_late in [0, 1] {
                let asked = proto::ListDelinquencyRequest { as_of: as_of.to_owned(), min_days_late, ..Default::default() };
                let lines = delinquency(&site, &asked).await;
                assert_eq!(lines, by_hand(&site, &asked).await, "{} {as_of}", site.database);
                assert_eq!(lines[0].group, "P00", "{} {as_of}", site.database);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_waits_for_whoever_is_at_its_payer_and_sees_what_that_one_wrote() {
    for site in Site::every().await {
        // SQLite has one writer.
        let Some((url, schema)) = site.schema() else { continue };
        let db = Db::connect_postgres(url, schema, 2).await.unwrap();
        let statuses = site.service().projections()[0].status().await.unwrap();
        let suffix = &statuses.iter().find(|status| status.name == "reporting-receivables").unwrap().suffix;
        // Another process is at the page in which the invoice is issued.
        let mut other = db.begin().await.unwrap();
        let turn = format!("INSERT INTO standing_turn_{suffix} (tenant, customer_id, taken) VALUES ('default', 'A', 0)");
        let entry = format!(
            "INSERT INTO ledger_entry_{suffix} (tenant, customer_id, version, invoice_id, effective_on, effective_day, recorded_at, kind, \
             currency, amount_minor, stated_minor, due_on, due_day) \
             VALUES ('default', 'A', 1, 'I1', '2026-01-02', 20455, now(), 'issued', 'BRL', 1000, 1000, '2026-01-10', 20463)"
        );
        for text in [turn, entry] {
            other.execute(&text, &[]).await.unwrap();
        }
        let commits = async {
            let waiting =
                "SELECT COUNT(*) AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%standing_turn%'";
            while db.query(waiting, &[]).await.unwrap()[0].int("waiting").unwrap() == 0 {
                tokio::task::yield_now().await;
            }
            other.commit().await.unwrap();
        };
        let both = async { tokio::join!(tell(&site, "2026-01-03 disputed I1 A d1 300"), commits) };
        tokio::time::timeout(Duration::from_secs(25), both).await.expect("the page waits, and goes on");
        let line = aging(&site, "2026-01-05", ("", ""), false).await;
        assert_eq!((line.open_minor, line.disputed_minor), (1000, 300), "{}", site.database);
    }
}
