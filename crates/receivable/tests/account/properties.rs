//! What holds after any commands whatever.

use crate::script::{parse, rates};
use kernel::{Currency, DateTime, InvoiceId, NaiveDate, Utc};
use proptest::prelude::*;
use receivable::ledger::{Book, Entry, Posting, Sums, postings, sums_on};
use receivable::{Account, Answer, AuthorizationItem, AuthorizeReminder, Command, Event, Phase, decide, evolve, last_look};
use std::collections::BTreeMap;

fn command() -> impl Strategy<Value = String> {
    let (invoice, payment, amount, day) = (0..4u32, 0..8u32, 1..200i64, 1..28u32);
    prop_oneof![
        2 => (invoice.clone(), amount.clone(), day.clone(), 0..2usize).prop_map(|(invoice, amount, day, currency)| {
            format!("issue I{invoice} {amount} 2026-01-01 2026-02-{day:02} {}", ["BRL", "USD"][currency])
        }),
        5 => (payment.clone(), invoice.clone(), amount.clone(), day.clone(), 0..2usize).prop_map(|(payment, invoice, amount, day, currency)| {
            format!("pay P{payment} I{invoice} {amount} 2026-01-{day:02} {}", ["BRL", "USD"][currency])
        }),
        2 => (payment.clone(), invoice.clone(), amount.clone(), day.clone(), 0..3usize).prop_map(|(payment, invoice, amount, day, source)| {
            let source = ["pix", "bank_file", "bank_file_or_pix"][source];
            format!("told {source} P{payment} I{invoice} {amount} 2026-01-{day:02} fee={}", amount % 3)
        }),
        3 => (payment.clone(), amount.clone(), 0..4u32).prop_map(|(payment, amount, id)| format!("return D{id} P{payment} {amount} 2026-02-01")),
        1 => (invoice.clone(), amount.clone(), 0..4u32).prop_map(|(invoice, amount, id)| format!("undo R{id} I{invoice} {amount}")),
        1 => (invoice.clone(), 0..9u32).prop_map(|(invoice, id)| format!("bank N{id} I{invoice} rejected reasons=08 fee=1")),
        3 => (payment, day.clone()).prop_map(|(payment, day)| format!("reverse P{payment} bounced 2026-02-{day:02}")),
        2 => (invoice.clone(), amount).prop_map(|(invoice, amount)| format!("amend I{invoice} amount={amount}")),
        1 => (invoice.clone(), day).prop_map(|(invoice, day)| format!("amend I{invoice} due=2026-03-{day:02}")),
        1 => invoice.clone().prop_map(|invoice| format!("cancel I{invoice} why")),
        1 => (invoice, 0..50i64).prop_map(|(invoice, minimum)| format!("look C{invoice} tol=1 I{invoice}:min={minimum} I0")),
        1 => Just("register segment=x".to_owned()),
    ]
}

fn run(commands: &[String]) -> (Account, Vec<Event>) {
    let mut log = Vec::new();
    let mut account = Account::default();
    for text in core::iter::once("register").chain(commands.iter().map(String::as_str)) {
        let command = parse(text);
        if let Ok(events) = decide(&account, &command, &rates()) {
            account = events.iter().fold(account, evolve);
            log.extend(events);
            assert_eq!(decide(&account, &command, &rates()), Ok(vec![]), "{text} again");
        }
    }
    (account, log)
}

fn at(number: usize) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
    start + chrono::TimeDelta::minutes(i64::try_from(number).unwrap())
}

fn last_day() -> NaiveDate {
    "2026-12-31".parse().unwrap()
}

fn books(log: &[Event]) -> (BTreeMap<InvoiceId, Vec<Entry>>, BTreeMap<Currency, i64>) {
    let mut invoices: BTreeMap<InvoiceId, Vec<Entry>> = BTreeMap::new();
    let mut credit: BTreeMap<Currency, i64> = BTreeMap::new();
    for Posting { book, entry, .. } in log.iter().enumerate().flat_map(|(number, event)| postings(event, at(number))) {
        match book {
            Book::Invoice(invoice_id) => invoices.entry(invoice_id).or_default().push(entry),
            Book::Unapplied(currency) => *credit.entry(currency).or_default() += entry.amount_minor,
        }
    }
    credit.retain(|_, credit| *credit != 0);
    (invoices, credit)
}

fn asked(account: &Account) -> AuthorizeReminder {
    AuthorizeReminder {
        contact_id: kernel::ContactId::new("k").unwrap(),
        items: account.invoices.keys().map(authorization_item).collect(),
        at: at(0),
        day: last_day(),
        tolerance_minor: 0,
        zone: kernel::Zone::SAO_PAULO,
        feed_stale: false,
    }
}

fn authorization_item(invoice_id: &InvoiceId) -> AuthorizationItem {
    AuthorizationItem {
        invoice_id: invoice_id.clone(),
        cycle: 1,
        step_id: kernel::StepId::new("d+1").unwrap(),
        occurrence: 1,
        min_outstanding_minor: 0,
        disputed_minor: 0,
        purpose: kernel::Purpose::Reminder,
        overdue: false,
    }
}

proptest! {
    #[test]
    fn balances_are_never_negative_and_a_phase_says_what_is_open(commands in prop::collection::vec(command(), 0..60)) {
        let (account, _) = run(&commands);
        for invoice in account.invoices.values() {
            prop_assert!((0..=invoice.amount_minor).contains(&invoice.open_minor));
            let has_open = match invoice.phase {
                Phase::Open => true,
                Phase::Settled | Phase::Cancelled => false,
                Phase::Renegotiated => continue,
            };
            prop_assert_eq!(invoice.open_minor > 0, has_open);
        }
        for payment in account.payments.values() {
            prop_assert!((0..=payment.amount_minor).contains(&payment.applied_minor));
        }
        prop_assert!(account.credit.values().all(|credit| *credit > 0));
    }

    #[test]
    fn open_less_credit_is_what_was_invoiced_less_what_was_paid(commands in prop::collection::vec(command(), 0..60)) {
        let (account, _) = run(&commands);
        for code in ["BRL", "USD"] {
            let currency = Currency::new(code).unwrap();
            let owed = || account.invoices.values().filter(|invoice| invoice.currency == currency);
            let open: i64 = owed().map(|invoice| invoice.open_minor).sum();
            let invoiced: i64 = owed().filter(|invoice| invoice.phase != Phase::Cancelled).map(|invoice| invoice.amount_minor).sum();
            let kept = account.payments.values().filter(|payment| payment.currency == currency);
            let paid: i64 = kept.map(|payment| payment.amount_minor - payment.returned_minor).sum();
            prop_assert_eq!(open - account.credit_minor(currency), invoiced - paid);
        }
    }

    #[test]
    fn principal_and_charges_less_credits_and_payments_is_the_balance(commands in prop::collection::vec(command(), 0..60)) {
        let (account, log) = run(&commands);
        let (invoices, credit) = books(&log);
        prop_assert_eq!(&credit, &account.credit);
        for (invoice_id, invoice) in &account.invoices {
            let entries = invoices.get(invoice_id).map_or(&[][..], Vec::as_slice);
            prop_assert_eq!(sums_on(entries, last_day(), None).balance_minor(), i128::from(invoice.open_minor));
            // At every instant: what was known then is the state of the log so far.
            for number in 0..log.len() {
                let then = log[..=number].iter().fold(Account::default(), evolve);
                let sums: Sums = sums_on(entries, last_day(), Some(at(number)));
                prop_assert_eq!(sums.balance_minor(), i128::from(then.open_minor(invoice_id)));
            }
        }
    }

    #[test]
    fn the_gate_authorises_exactly_what_credit_leaves_open(commands in prop::collection::vec(command(), 0..60)) {
        let (account, _) = run(&commands);
        let mut net: BTreeMap<Currency, i64> = BTreeMap::new();
        for verdict in last_look(&account, &asked(&account), &rates()) {
            let invoice = &account.invoices[&verdict.item.invoice_id];
            match verdict.answer {
                Answer::Authorized { net_minor } => {
                    prop_assert!(0 < net_minor && net_minor <= invoice.open_minor);
                    *net.entry(invoice.currency).or_default() += net_minor;
                }
                Answer::Refused(_) => {}
            }
        }
        for code in ["BRL", "USD"] {
            let currency = Currency::new(code).unwrap();
            let open: i64 = account.invoices.values().filter(|invoice| invoice.currency == currency).map(|invoice| invoice.open_minor).sum();
            prop_assert_eq!(net.get(&currency).copied().unwrap_or(0), (open - account.credit_minor(currency)).max(0));
        }
    }

    #[test]
    fn a_log_folds_to_the_same_state_and_any_cut_of_it_is_a_state(commands in prop::collection::vec(command(), 0..40), from in 0..40usize) {
        let (account, log) = run(&commands);
        prop_assert_eq!(log.iter().fold(Account::default(), evolve), account);
        // Events without what they build on change nothing that is not there, and never panic.
        let _ = log.iter().skip(from).fold(Account::default(), evolve);
    }

    #[test]
    fn a_refused_command_has_a_slug_and_a_field(text in command(), commands in prop::collection::vec(command(), 0..20)) {
        let (account, _) = run(&commands);
        let command: Command = parse(&text);
        if let Err(rejection) = decide(&account, &command, &rates()) {
            prop_assert!(!rejection.slug().is_empty() && !rejection.field().is_empty());
        }
    }
}
