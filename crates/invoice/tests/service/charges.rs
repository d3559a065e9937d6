//! Charges and discounts over gRPC: agreed, stated, asked for, paid.

use crate::{
    collections::{account, register},
    script::{fresh, late_terms, new_invoice, play},
    site::{Client, Site, told},
};
use brazil::pix::BrCode;
use contracts::invoice::v1 as proto;

async fn stands(client: &Client, invoice_id: &str, as_of: &str) -> String {
    let request = proto::GetStatementRequest { invoice_id: invoice_id.into(), as_of: as_of.into() };
    let answer = client.clone().get_statement(request).await;
    let text = |s: &proto::Statement| {
        format!(
            "{} + {} + {} - {} - {} = {}, {} days late",
            s.principal_minor, s.fine_minor, s.interest_minor, s.discount_minor, s.paid_minor, s.due_minor, s.days_late
        )
    };
    answer.as_ref().map_or_else(|_| told(&answer), |found| text(found.get_ref().statement.as_ref().unwrap()))
}

async fn look(client: &Client, invoice_id: &str) -> proto::ReminderVerdict {
    look_without(client, invoice_id, 0).await
}

async fn look_without(client: &Client, invoice_id: &str, disputed_minor: i64) -> proto::ReminderVerdict {
    let item = proto::ReminderItem {
        invoice_id: invoice_id.into(),
        cycle: 1,
        step_id: "d+1".into(),
        occurrence: 1,
        min_outstanding_minor: 0,
        overdue: true,
        disputed_minor,
        purpose: String::new(),
    };
    let request = proto::AuthorizeReminderRequest { customer_id: "A".into(), contact_id: fresh(), items: vec![item] };
    client.clone().authorize_reminder(request).await.unwrap().into_inner().verdicts.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_is_right_on_every_day_and_what_was_agreed_stays() {
    for site in Site::every().await {
        play(&site, "register A\n issue I1 A 10000 on=2026-03-01 due=2026-04-06 charges=late").await;
        for (day, expected) in [
            ("2026-03-27", "10000 + 0 + 0 - 500 - 0 = 9500, 0 days late"),
            ("2026-03-28", "10000 + 0 + 0 - 0 - 0 = 10000, 0 days late"),
            ("2026-04-06", "10000 + 0 + 0 - 0 - 0 = 10000, 0 days late"),
            ("2026-04-16", "10000 + 200 + 33 - 0 - 0 = 10233, 10 days late"),
        ] {
            assert_eq!(stands(&site.client, "I1", day).await, expected, "{} {day}", site.database);
        }
        play(&site, "go 2026-04-16\n pay P1 I1 5000\n invoice I1 => I1 of A: 5233 of 10000 BRL, due 2026-04-06, open").await;
        assert_eq!(stands(&site.client, "I1", "2026-05-16").await, "10000 + 200 + 86 - 0 - 5000 = 5286, 40 days late");
        assert_eq!(stands(&site.client, "I1", "2026-04-15").await, "10000 + 200 + 30 - 0 - 0 = 10230, 9 days late", "the day before");
        play(
            &site,
            "balance I1 2026-04-15 => 10000 BRL
             balance I1 2026-04-16 => 5233 BRL
             amend I1 due=2026-04-20
             invoice I1 => I1 of A: 5000 of 10000 BRL, due 2026-04-20, open
             balance I1 2026-04-16 => 5000 BRL
             go 2026-04-19
             pay P2 I1 5000 on=2026-04-20
             invoice I1 => I1 of A: 0 of 10000 BRL, due 2026-04-20, settled",
        )
        .await;
        assert_eq!(stands(&site.client, "I1", "").await, "10000 + 0 + 0 - 0 - 5000 = 5000, 0 days late", "today is the 16th");
        let unknown = stands(&site.client, "I9", "").await;
        assert_eq!(unknown, "NotFound unknown_invoice invoice_id");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_asks_for_the_day_net_of_credit_and_the_pix_code_with_it() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    let main = proto::CollectionAccount { is_default: true, charges: Some(late_terms()), ..account("main") };
    assert_eq!(register(&mut site.client.clone(), main).await, "ok");
    play(&site, "issue I1 A 10000 on=2026-03-01 due=2026-04-06\n go 2026-04-16").await;
    let said = look(&site.client, "I1").await;
    assert_eq!((said.net_minor, said.due_minor, said.fine_minor, said.interest_minor, said.boleto_fits), (10233, 10233, 200, 33, true));
    let code = |said: &proto::ReminderVerdict| {
        let pix = said.instruments.clone().unwrap().pix.unwrap();
        BrCode::parse(&pix.code).unwrap().amount_cents()
    };
    assert_eq!(code(&said), Some(10233));
    // R$ 40,00 of it are contested: charges are on the rest, and the boleto over all of it is left out.
    let rest = look_without(&site.client, "I1", 4000).await;
    assert_eq!((rest.net_minor, rest.due_minor, rest.fine_minor, rest.interest_minor, rest.boleto_fits), (6140, 6140, 120, 20, false));
    assert_eq!(code(&rest), Some(6140));
    let nothing = look_without(&site.client, "I1", 10_000).await;
    assert_eq!((nothing.authorized, nothing.reason.as_str(), nothing.instruments), (false, "disputed", None));
    // Another invoice, without charges, is overpaid: the payer has R$ 3,00.
    let plain = proto::NewInvoice { charges: Some(proto::ChargeTerms::default()), ..new_invoice("I2", "A", 1000, "2026-04-20") };
    let request = proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(plain) };
    assert_eq!(told(&site.client.clone().issue_invoice(request).await), "ok");
    play(&site, "pay P1 I2 1300").await;
    let said = look(&site.client, "I1").await;
    assert_eq!((said.net_minor, said.due_minor, said.outstanding_minor, said.boleto_fits), (9933, 10233, 10000, false));
    assert_eq!(code(&said), Some(9933));
    play(&site, "pay P2 I1 10233").await;
    let said = look(&site.client, "I1").await;
    assert_eq!((said.authorized, said.reason.as_str(), said.instruments), (false, "paid", None));
}

pub async fn record(client: &Client, months: &[(&str, u64)], correct: bool) -> String {
    let rates = months.iter().map(|(month, micros)| proto::LegalRate { month: (*month).into(), percent_micros: *micros }).collect();
    let request = proto::RecordLegalRatesRequest { command_id: fresh(), rates, correct };
    let answer = client.clone().record_legal_rates(request).await;
    answer.as_ref().map_or_else(|_| told(&answer), |recorded| recorded.get_ref().recorded.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_legal_rate_is_the_tenants_data_and_a_month_without_one_is_no_guess() {
    for site in Site::every().await {
        let client = &site.client;
        play(&site, "register A").await;
        let terms = proto::ChargeTerms { interest_legal: "actual_month".into(), ..Default::default() };
        let invoice = proto::NewInvoice { charges: Some(terms.clone()), ..new_invoice("I1", "A", 10_000, "2026-04-06") };
        let issued = client.clone().issue_invoice(proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(invoice) }).await;
        let shown = issued.unwrap().into_inner().invoice.unwrap();
        assert_eq!((shown.charges.unwrap().interest_legal.as_str(), shown.due_minor), ("actual_month", 10_000));
        play(&site, "go 2026-05-16").await;
        let missing = "InvalidArgument charges_missing_legal_rate as_of";
        assert_eq!(stands(client, "I1", "").await, missing, "{}", site.database);
        let said = look(client, "I1").await;
        assert_eq!((said.authorized, said.reason.as_str()), (false, "charges_unknown"));
        let metrics = site.service().environment().metrics.text();
        assert!(metrics.contains("legal_rate_missing{tenant=\"default\"} 1"), "{metrics}");
        let get = proto::GetInvoiceRequest { invoice_id: "I1".into() };
        let shown = client.clone().get_invoice(get).await.unwrap().into_inner().invoice.unwrap();
        assert_eq!((shown.due_minor, shown.due_unknown.as_str()), (0, "charges_missing_legal_rate"));
        play(&site, "pay P1 I1 1000 => FailedPrecondition charges_missing_legal_rate payment.invoice_id").await;

        type Case<'a> = (&'a [(&'a str, u64)], bool, &'a str);
        let cases: &[Case<'_>] = &[
            (&[("2026-04", 600_000), ("2026-05", 620_000)], false, "2"),
            (&[("2026-04", 600_000)], false, "0"),
            (&[("2026-06", 1), ("2026-04", 610_000)], false, "FailedPrecondition legal_rate_known rates"),
            (&[("2026-04", 620_000)], true, "1"),
            (&[], false, "InvalidArgument legal_rates_count rates"),
            (&[("2026-13", 1)], false, "InvalidArgument legal_rate_month rates.month"),
            (&[("2024-07", 1)], false, "InvalidArgument legal_rate_month rates.month"),
            (&[("04/2026", 1)], false, "InvalidArgument legal_rate_month rates.month"),
            (&[("2026-06", 20_000_001)], false, "InvalidArgument legal_rate_too_high rates.percent_micros"),
        ];
        for (months, correct, expected) in cases {
            assert_eq!(record(client, months, *correct).await, *expected, "{months:?}");
        }
        let listed = client.clone().list_legal_rates(proto::ListLegalRatesRequest {}).await.unwrap().into_inner().rates;
        let listed: Vec<_> = listed.iter().map(|rate| (rate.month.as_str(), rate.percent_micros)).collect();
        assert_eq!(listed, [("2026-05", 620_000), ("2026-04", 620_000)]);
        // 24 of 30 days and 16 of 31 days of 0,62 %.
        assert_eq!(stands(client, "I1", "").await, "10000 + 0 + 82 - 0 - 0 = 10082, 40 days late", "{}", site.database);
        assert!(look(client, "I1").await.authorized);
        play(&site, "pay P2 I1 10082\n invoice I1 => I1 of A: 0 of 10000 BRL, due 2026-04-06, settled").await;
    }
}

type Change = fn(&mut proto::ChargeTerms);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_terms_are_refused_with_the_field_at_fault() {
    let changes: &[(Change, &str)] = &[
        (|t| (t.fine_percent_micros, t.fine_minor) = (0, (1 << 53) + 1), "amount_too_large invoice.charges.fine_minor"),
        (|t| (t.fine_percent_micros, t.fine_minor) = (0, i64::MAX), "amount_too_large invoice.charges.fine_minor"),
        (|t| (t.fine_percent_micros, t.fine_minor) = (0, 1 << 53), "charges_too_large invoice.charges"),
        (|t| t.fine_minor = 100, "charges_terms invoice.charges.fine_minor"),
        (|t| (t.fine_percent_micros, t.fine_minor) = (0, -1), "charges_terms invoice.charges.fine_minor"),
        (|t| t.interest_minor_per_day = 3, "charges_terms invoice.charges.interest_minor_per_day"),
        (|t| t.interest_legal = "actual_month".into(), "charges_terms invoice.charges.interest_legal"),
        (|t| (t.interest_percent_micros, t.interest_legal) = (0, "x".into()), "charges_terms invoice.charges.interest_legal"),
        (|t| t.interest_period = "week".into(), "charges_terms invoice.charges.interest_period"),
        (|t| t.interest_period_days = 70_000, "charges_terms invoice.charges.interest_period_days"),
        (|t| t.interest_convention = "x".into(), "charges_terms invoice.charges.interest_convention"),
        (|t| t.interest_start = "x".into(), "charges_terms invoice.charges.interest_start"),
        (|t| t.allocation = "x".into(), "charges_terms invoice.charges.allocation"),
        (|t| t.rounding = "x".into(), "charges_terms invoice.charges.rounding"),
        (|t| t.calendar = "x".into(), "charges_terms invoice.charges.calendar"),
        (|t| t.discounts[0].percent_micros = 0, "charges_terms invoice.charges.discounts"),
        (|t| t.discounts[0].days_before_due = 70_000, "charges_terms invoice.charges.discounts.days_before_due"),
        (|t| t.discounts[0].percent_micros = 100_000_000, "charges_terms invoice.charges"),
        (|t| t.fine_percent_micros = 100_000_001, "charges_terms invoice.charges"),
        (|t| t.interest_percent_micros = u64::MAX, "charges_terms invoice.charges"),
    ];
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    for (change, expected) in changes {
        let mut terms = late_terms();
        change(&mut terms);
        let invoice = proto::NewInvoice { charges: Some(terms), ..new_invoice("I1", "A", 10_000, "2026-04-06") };
        let answer = site.client.clone().issue_invoice(proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(invoice) }).await;
        assert_eq!(told(&answer), format!("InvalidArgument {expected}"));
    }
    assert_eq!(site.events().await.len(), 1);
}
