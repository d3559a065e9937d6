//! Histories as text: `register A segment=retail`, `issue I1 A 10000 due=2026-03-20`, `pay P1 I1 4000 on=2026-03-05`,
//! `amend I1 amount=5000 debit=2026-03-20`, `cancel I1`, `reverse P1`, `erase A`, `go 2026-04-01`, `balance I1 2026-03-05`, `credit A`.

use crate::site::{Site, told};
use contracts::invoice::v1 as proto;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

/// A key that was never used.
pub fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("c-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn customer(id: &str) -> proto::Customer {
    proto::Customer { customer_id: id.to_owned(), ..Default::default() }
}

pub fn new_invoice(id: &str, customer_id: &str, amount_minor: i64, due_on: &str) -> proto::NewInvoice {
    proto::NewInvoice {
        invoice_id: id.to_owned(),
        customer_id: customer_id.to_owned(),
        amount_minor,
        due_on: due_on.to_owned(),
        ..Default::default()
    }
}

/// A fine of 2 %, interest of 1 % a month, 5 % off until ten days before the due date.
pub fn late_terms() -> proto::ChargeTerms {
    let discount = proto::Discount { days_before_due: 10, percent_micros: 5_000_000, minor: 0 };
    proto::ChargeTerms {
        fine_percent_micros: 2_000_000,
        interest_percent_micros: 1_000_000,
        discounts: vec![discount],
        ..proto::ChargeTerms::default()
    }
}

pub fn new_payment(id: &str, invoice_id: &str, amount_minor: i64) -> proto::NewPayment {
    proto::NewPayment { payment_id: id.to_owned(), invoice_id: invoice_id.to_owned(), amount_minor, ..Default::default() }
}

/// A line cut into its words: plain ones in order, `name=value` ones by name.
struct Words<'a> {
    plain: Vec<&'a str>,
    named: HashMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    fn of(line: &'a str) -> Self {
        let (named, plain): (Vec<&str>, Vec<&str>) = line.split_whitespace().partition(|word| word.contains('='));
        Self { plain, named: named.iter().filter_map(|word| word.split_once('=')).collect() }
    }

    fn text(&self, name: &str) -> String {
        self.named.get(name).copied().unwrap_or_default().to_owned()
    }

    fn at(&self, place: usize) -> String {
        self.plain.get(place).copied().unwrap_or_default().to_owned()
    }

    fn amount(&self, place: usize) -> i64 {
        self.at(place).parse().unwrap()
    }
}

/// Plays a history; a line may end in `=> answer`, else it must go through. What `balance` and `credit` say is compared likewise.
pub async fn play(site: &Site, history: &str) {
    for line in history.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (asked, expected) = line.split_once("=>").map_or((line, "ok"), |(asked, expected)| (asked, expected.trim()));
        let got = step(site, &Words::of(asked)).await;
        assert_eq!(got, expected, "{} {line}", site.database);
    }
}

/// Plays one line and gives what it said.
pub async fn try_line(site: &Site, line: &str) -> String {
    step(site, &Words::of(line)).await
}

async fn step(site: &Site, words: &Words<'_>) -> String {
    let mut client = site.client.clone();
    let command_id = fresh();
    match words.plain[0] {
        "go" => {
            site.go_to(&words.at(1));
            "ok".to_owned()
        }
        "register" => {
            let attributes = proto::CustomerAttributes { segment: words.text("segment"), state: words.text("state"), ..Default::default() };
            let customer = proto::Customer { attributes: Some(attributes), ..customer(&words.at(1)) };
            told(&client.register_customer(proto::RegisterCustomerRequest { command_id, customer: Some(customer) }).await)
        }
        "erase" => told(&client.erase_customer(proto::EraseCustomerRequest { command_id, customer_id: words.at(1) }).await),
        "issue" => {
            let invoice = proto::NewInvoice {
                issued_on: words.text("on"),
                currency: words.text("currency"),
                document: words.text("document"),
                automatic_debit_on: words.text("debit"),
                collection_account_id: words.text("account"),
                charges: words.named.get("charges").map(|_| late_terms()),
                ..new_invoice(&words.at(1), &words.at(2), words.amount(3), &words.text("due"))
            };
            told(&client.issue_invoice(proto::IssueInvoiceRequest { command_id, invoice: Some(invoice) }).await)
        }
        "amend" => {
            let amount_minor = words.named.get("amount").map(|text| text.parse().unwrap());
            let due_on = words.named.get("due").map(|text| (*text).to_owned());
            let automatic_debit_on = words.named.get("debit").map(|text| text.replace("none", ""));
            let invoice_id = words.at(1);
            let request = proto::AmendInvoiceRequest { command_id, invoice_id, amount_minor, due_on, automatic_debit_on };
            told(&client.amend_invoice(request).await)
        }
        "cancel" => {
            let request = proto::CancelInvoiceRequest { command_id, invoice_id: words.at(1), reason: "issued twice".to_owned() };
            told(&client.cancel_invoice(request).await)
        }
        "credit" => {
            let credit_note = proto::NewCreditNote {
                credit_note_id: words.at(1),
                invoice_id: words.at(2),
                customer_id: words.text("payer"),
                amount_minor: words.amount(3),
                currency: words.text("currency"),
                reason: "agreed".to_owned(),
                noted_on: words.text("on"),
            };
            told(&client.issue_credit_note(proto::IssueCreditNoteRequest { command_id, credit_note: Some(credit_note) }).await)
        }
        "uncredit" => {
            let request = proto::CancelCreditNoteRequest { command_id, credit_note_id: words.at(1), reason: "by mistake".to_owned() };
            told(&client.cancel_credit_note(request).await)
        }
        "pay" => {
            let payment = proto::NewPayment {
                paid_on: words.text("on"),
                method: words.text("by"),
                currency: words.text("currency"),
                ..new_payment(&words.at(1), &words.at(2), words.amount(3))
            };
            told(&client.record_payment(proto::RecordPaymentRequest { command_id, payment: Some(payment) }).await)
        }
        "reverse" => {
            let request = proto::ReversePaymentRequest { command_id, payment_id: words.at(1), reason: "chargeback".to_owned() };
            told(&client.reverse_payment(request).await)
        }
        _ => question(site, words).await,
    }
}

/// What is asked, and what is done to agreements.
async fn question(site: &Site, words: &Words<'_>) -> String {
    let mut client = site.client.clone();
    match words.plain[0] {
        "agree" => {
            let (command_id, agreement) = (fresh(), Some(agreement(words)));
            told(&client.make_agreement(proto::MakeAgreementRequest { command_id, agreement }).await)
        }
        "break" => {
            let (command_id, agreement_id) = (fresh(), words.at(1));
            told(&client.break_agreement(proto::BreakAgreementRequest { command_id, agreement_id, reason: "no answer".to_owned() }).await)
        }
        "invoice" => {
            let answer = client.get_invoice(proto::GetInvoiceRequest { invoice_id: words.at(1) }).await;
            answer.as_ref().map_or_else(|_| told(&answer), |found| shown(found.get_ref().invoice.as_ref().unwrap()))
        }
        "agreement" => {
            let answer = client.get_agreement(proto::GetAgreementRequest { agreement_id: words.at(1) }).await;
            answer.as_ref().map_or_else(|_| told(&answer), |found| agreed(found.get_ref().agreement.as_ref().unwrap()))
        }
        "balance" => {
            let answer = client.get_invoice_balance(proto::GetInvoiceBalanceRequest { invoice_id: words.at(1), as_of: words.at(2) }).await;
            let text = |found: &proto::GetInvoiceBalanceResponse| format!("{} {}", found.outstanding_minor, found.currency);
            answer.as_ref().map_or_else(|_| told(&answer), |found| text(found.get_ref()))
        }
        "owes" => {
            let request = proto::GetCustomerBalanceRequest { customer_id: words.at(1), as_of: words.at(2) };
            let answer = client.get_customer_balance(request).await;
            let line = |b: &proto::CurrencyBalance| format!("{} {} credit {}", b.currency, b.outstanding_minor, b.credit_minor);
            let text = |found: &proto::GetCustomerBalanceResponse| found.balances.iter().map(line).collect::<Vec<_>>().join(", ");
            answer.as_ref().map_or_else(|_| told(&answer), |found| text(found.get_ref()))
        }
        other => panic!("{other} is no step"),
    }
}

/// `agree A1 A I1,I2 500 200@2026-04-01 300@2026-05-04 [after=30] [account=a]`.
fn agreement(words: &Words<'_>) -> proto::NewAgreement {
    let instalment =
        |(amount, due_on): (&str, &str)| proto::NewInstalment { due_on: due_on.to_owned(), amount_minor: amount.parse().unwrap() };
    proto::NewAgreement {
        agreement_id: words.at(1),
        customer_id: words.at(2),
        invoice_ids: words.at(3).split(',').filter(|id| *id != "-").map(str::to_owned).collect(),
        total_minor: words.amount(4),
        instalments: words.plain.iter().filter_map(|word| word.split_once('@')).map(instalment).collect(),
        breach_after_days: words.named.get("after").map(|text| text.parse().unwrap()),
        collection_account_id: words.text("account"),
        charges: None,
    }
}

/// `A1 of A: 500 of 520 BRL open, breaks 2026-05-02: A1-1 200 of 200, A1-2 300 of 300`.
fn agreed(agreement: &proto::Agreement) -> String {
    let status = match agreement.status() {
        proto::AgreementStatus::Unspecified => "unspecified".to_owned(),
        proto::AgreementStatus::Open => format!("open, breaks {}", agreement.breaks_on),
        proto::AgreementStatus::Completed => format!("completed {}", agreement.ended_on),
        proto::AgreementStatus::Broken => format!("broken {} {}", agreement.ended_on, agreement.cause),
    };
    let one = |i: &proto::AgreementInstalment| format!("{} {} of {}", i.invoice_id, i.outstanding_minor, i.amount_minor);
    let instalments: Vec<String> = agreement.instalments.iter().map(one).collect();
    let proto::Agreement { agreement_id, customer_id, total_minor, owed_minor, currency, .. } = agreement;
    format!("{agreement_id} of {customer_id}: {total_minor} of {owed_minor} {currency} {status}: {}", instalments.join(", "))
}

/// `I1 of A: 600 of 1000 BRL, due 2026-03-20, open`.
pub fn shown(invoice: &proto::Invoice) -> String {
    let status = match invoice.status() {
        proto::InvoiceStatus::Unspecified => "unspecified",
        proto::InvoiceStatus::Open => "open",
        proto::InvoiceStatus::Settled => "settled",
        proto::InvoiceStatus::Cancelled => "cancelled",
        proto::InvoiceStatus::Renegotiated => "renegotiated",
    };
    let proto::Invoice { invoice_id, customer_id, outstanding_minor, amount_minor, currency, due_on, .. } = invoice;
    format!("{invoice_id} of {customer_id}: {outstanding_minor} of {amount_minor} {currency}, due {due_on}, {status}")
}
