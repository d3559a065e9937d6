//! Random histories: the entries of the views add up to what the account says, on every day, and the views can be built again.

use crate::{script::play, site::Site};
use contracts::invoice::v1 as proto;
use eventlog::projection::Views;
use proptest::{prelude::*, test_runner::TestRunner};
use std::fmt::Write;

/// One step on a small world, so that most steps meet something: a receivable, a payment, an amount, a day.
#[derive(Debug, Clone)]
struct Step {
    kind: u8,
    invoice: u8,
    payment: u8,
    amount_minor: i64,
    days: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..10_u8, 0..5_u8, 0..12_u8, 1..2_000_i64, 0..10_u8).prop_map(|(kind, invoice, payment, amount_minor, days)| Step {
        kind,
        invoice,
        payment,
        amount_minor,
        days,
    });
    prop::collection::vec(step, 40..80)
}

/// The step as a line of a history.
fn line(step: &Step) -> String {
    let Step { kind, invoice, payment, amount_minor, days } = step;
    match kind {
        1 => format!("issue I{invoice} A 1000 on=2026-03-01 due=2026-03-05 charges=late"),
        0 => format!("issue I{invoice} A 1000 on=2026-03-0{} due=2026-04-01", days + 1 - days / 9),
        2..=5 => format!("pay P{payment} I{invoice} {amount_minor} on=2026-03-{:02}", days + 1),
        6 => format!("reverse P{payment}"),
        7 => format!("amend I{invoice} amount={amount_minor}"),
        8 => format!("cancel I{invoice}"),
        _ => format!("go 2026-03-{:02}", 10 + days),
    }
}

/// Plays the steps; those that the rules refuse are part of the history.
async fn play_all(site: &Site, steps: &[Step]) -> String {
    let mut transcript = String::new();
    for step in steps {
        let line = line(step);
        writeln!(transcript, "{line}").unwrap();
        let _ = crate::script::try_line(site, &line).await;
    }
    transcript
}

async fn check(site: &Site, transcript: &str) {
    site.settle().await;
    let client = site.client.clone();
    let views = Views::of(site.service().projections().to_vec());
    let text = "SELECT invoice_id, CAST(SUM(amount_minor) AS BIGINT) AS open_minor, CAST(SUM(credit_minor) AS BIGINT) AS credit_minor \
                FROM {entry} WHERE customer_id = 'A' GROUP BY invoice_id";
    let mut credit_minor = 0;
    for row in views.query(text, &[]).await.unwrap() {
        let invoice_id = row.text("invoice_id").unwrap();
        let found = client.clone().get_invoice(proto::GetInvoiceRequest { invoice_id: invoice_id.clone() }).await.unwrap();
        let outstanding_minor = found.into_inner().invoice.unwrap().outstanding_minor;
        assert_eq!(row.int("open_minor").unwrap(), outstanding_minor, "{invoice_id} after\n{transcript}");
        let asked = proto::GetInvoiceBalanceRequest { invoice_id: invoice_id.clone(), as_of: "2026-12-31".to_owned() };
        let balance = client.clone().get_invoice_balance(asked).await.unwrap().into_inner();
        assert_eq!(balance.outstanding_minor, outstanding_minor, "{invoice_id} after\n{transcript}");
        credit_minor += row.int("credit_minor").unwrap();
    }
    let asked = proto::GetCustomerBalanceRequest { customer_id: "A".to_owned(), as_of: "2026-12-31".to_owned() };
    let owes = client.clone().get_customer_balance(asked).await.unwrap().into_inner().balances;
    assert_eq!(owes.iter().map(|b| b.credit_minor).sum::<i64>(), credit_minor, "after\n{transcript}");
    assert!(credit_minor >= 0);
    for set in site.service().projections() {
        let verified = set.verify("invoice-accounts").await.unwrap();
        assert!(verified.agrees() && verified.rows == verified.rebuilt_rows, "{verified:?} after\n{transcript}");
    }
}

#[test]
fn the_entries_of_any_history_add_up_to_the_open_balance() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            for site in Site::every().await {
                play(&site, "register A").await;
                let transcript = play_all(&site, &steps).await;
                check(&site, &transcript).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}
