//! Agreements over gRPC: debts are owed in instalments, and by themselves again where those are not paid.

use crate::{
    charges::record,
    feed::report,
    reminders::{ask, look, verdicts},
    script::{fresh, new_invoice, play},
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debts_are_owed_in_instalments_and_are_counted_once_in_balances_lists_and_at_the_gate() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-02-01 due=2026-02-20
             issue I2 A 5000 on=2026-02-01 due=2026-03-05
             agree G1 A I1,I2 12000 6000@2026-04-06 6000@2026-05-04
             agree G1 A I1,I2 12000 6000@2026-04-06 6000@2026-05-04
             invoice I1 => I1 of A: 0 of 10000 BRL, due 2026-02-20, renegotiated
             invoice G1-2 => G1-2 of A: 6000 of 6000 BRL, due 2026-05-04, open
             owes A => BRL 12000 credit 0
             balance I1 2026-03-09 => 10000 BRL
             balance I1 2026-03-10 => 0 BRL
             agreement G1 => G1 of A: 12000 of 15000 BRL open, breaks 2026-05-07: G1-1 6000 of 6000, G1-2 6000 of 6000
             pay P0 I1 100 => FailedPrecondition invoice_renegotiated payment.invoice_id
             pay P1 G1-1 6000
             pay P2 G1-2 6000
             agreement G1 => G1 of A: 12000 of 15000 BRL completed 2026-03-10: G1-1 0 of 6000, G1-2 0 of 6000
             break G1 => FailedPrecondition agreement_completed agreement_id
             reverse P2
             agreement G1 => G1 of A: 12000 of 15000 BRL open, breaks 2026-06-04: G1-1 0 of 6000, G1-2 6000 of 6000",
        )
        .await;
        let said = verdicts(&ask(&site, look("A", "K1", "I1")).await);
        assert_eq!(said, ["I1 renegotiated"], "{}", site.database);
        site.settle().await;
        play(&site, "owes A => BRL 6000 credit 0").await;
        let filter = proto::ListInvoicesRequest { status: proto::InvoiceStatus::Renegotiated.into(), ..Default::default() };
        let listed = site.client.clone().list_invoices(filter).await.unwrap().into_inner().invoices;
        let listed: Vec<_> = listed.iter().map(|invoice| (invoice.invoice_id.as_str(), invoice.outstanding_minor)).collect();
        assert_eq!(listed, [("I1", 0), ("I2", 0)], "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_breaks_an_agreement_and_what_was_paid_is_on_the_oldest_debt() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-02-01 due=2026-02-20
             issue I2 A 5000 on=2026-02-01 due=2026-03-05
             agree G1 A I2,I1 15000 8000@2026-04-06 7000@2026-05-04
             pay P1 G1-1 8000
             break G1
             break G1
             agreement G1 => G1 of A: 15000 of 15000 BRL broken 2026-03-10 by_person: G1-1 0 of 8000, G1-2 0 of 7000
             invoice I1 => I1 of A: 2000 of 10000 BRL, due 2026-02-20, open
             invoice I2 => I2 of A: 5000 of 5000 BRL, due 2026-03-05, open
             invoice G1-2 => G1-2 of A: 0 of 7000 BRL, due 2026-05-04, cancelled
             owes A => BRL 7000 credit 0
             reverse P1
             owes A => BRL 15000 credit 0
             break G9 => NotFound unknown_agreement agreement_id",
        )
        .await;
        site.settle().await;
        play(&site, "owes A => BRL 15000 credit 0\n invoice I1 => I1 of A: 10000 of 10000 BRL, due 2026-02-20, open").await;
        let request = proto::ListAgreementsRequest { customer_id: "A".into(), ..Default::default() };
        let listed = site.client.clone().list_agreements(request).await.unwrap().into_inner().agreements;
        assert_eq!(listed.len(), 1, "{}", site.database);
        assert_eq!(listed[0].cause, "by_person");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instalment_that_is_too_late_breaks_its_agreement_by_itself_on_its_day_and_not_before() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-02-01 due=2026-02-20
             agree G1 A I1 10000 4000@2026-04-06 6000@2026-05-04 after=5
             pay P1 G1-1 1000
             go 2026-04-11",
        )
        .await;
        site.settle().await;
        play(
            &site,
            "agreement G1 => G1 of A: 10000 of 10000 BRL open, breaks 2026-04-12: G1-1 3000 of 4000, G1-2 6000 of 6000\n go 2026-04-12",
        )
        .await;
        site.settle().await;
        play(
            &site,
            "agreement G1 => G1 of A: 10000 of 10000 BRL broken 2026-04-12 instalment_late: G1-1 0 of 4000, G1-2 0 of 6000
             invoice I1 => I1 of A: 9000 of 10000 BRL, due 2026-02-20, open
             go 2026-04-20",
        )
        .await;
        site.settle().await;
        play(&site, "owes A => BRL 9000 credit 0").await;
    }
}

// Interest of the debt is the legal rate: what is owed again cannot be told without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_has_just_started_reads_the_legal_rates_before_an_agreement_breaks() {
    for mut site in Site::every().await {
        play(&site, "register A").await;
        let terms = proto::ChargeTerms { interest_legal: "actual_month".into(), ..Default::default() };
        let invoice = proto::NewInvoice { charges: Some(terms), ..new_invoice("I1", "A", 10_000, "2026-03-12") };
        let request = proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(invoice) };
        assert_eq!(told(&site.client.clone().issue_invoice(request).await), "ok");
        assert_eq!(record(&site.client, &[("2026-03", 600_000), ("2026-04", 620_000)], false).await, "2");
        play(
            &site,
            "go 2026-03-20
             agree G1 A I1 10000 4000@2026-04-06 6000@2026-05-04 after=5
             pay P1 G1-1 1000",
        )
        .await;
        site.settle().await;
        site.restart().await;
        site.go_to("2026-04-12");
        site.settle().await;
        let expected = "agreement G1 => G1 of A: 10000 of 10015 BRL broken 2026-04-12 instalment_late: G1-1 0 of 4000, G1-2 0 of 6000";
        play(&site, expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_agreement_breaks_while_payments_may_be_missing() {
    let site = Site::with_feed_limit(24).await;
    play(
        &site,
        "register A
         issue I1 A 10000 on=2026-02-01 due=2026-02-20
         issue I2 A 10000 on=2026-02-01 due=2026-02-20
         agree G1 A I1 10000 4000@2026-04-06 6000@2026-05-04 after=5
         agree G2 A I2 10000 4000@2026-04-06 6000@2026-05-04 after=5",
    )
    .await;
    site.go_to("2026-04-12");
    site.settle().await;
    play(&site, "agreement G1 => G1 of A: 10000 of 10000 BRL open, breaks 2026-04-12: G1-1 4000 of 4000, G1-2 6000 of 6000").await;
    // What waited comes in, and with it the word that nothing is missing.
    play(&site, "pay P1 G1-1 4000").await;
    assert!(site.client.clone().report_payment_feed(report("2026-04-12T15:00:00Z".parse().unwrap())).await.is_ok());
    site.go_to("2026-04-13");
    site.settle().await;
    play(
        &site,
        "agreement G1 => G1 of A: 10000 of 10000 BRL open, breaks 2026-05-10: G1-1 0 of 4000, G1-2 6000 of 6000
         agreement G2 => G2 of A: 10000 of 10000 BRL broken 2026-04-13 instalment_late: G2-1 0 of 4000, G2-2 0 of 6000",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_agreements_are_refused() {
    let site = Site::embedded(Default::default()).await;
    play(
        &site,
        "register A
         register B
         issue I1 A 10000 on=2026-02-01 due=2026-02-20
         issue I2 A 5000 on=2026-02-01 due=2026-02-20 currency=USD
         issue I3 B 5000 on=2026-02-01 due=2026-02-20
         issue I4 A 5000 on=2026-02-01 due=2026-02-20
         issue I5 A 5000 on=2026-02-01 due=2026-02-20
         issue I6 A 5000 on=2026-02-01 due=2026-02-20
         issue G9-1 A 5000 on=2026-02-01 due=2026-02-20
         cancel I4
         pay P5 I5 5000
         agree G6 A I6 5000 5000@2026-04-06
         agree G1 A I1 10000 => InvalidArgument instalments_count agreement.instalments
         agree G1 A - 1 1@2026-04-06 => InvalidArgument originals_missing agreement.invoice_ids
         agree G1 A I1,I1 1 1@2026-04-06 => InvalidArgument originals_not_distinct agreement.invoice_ids
         agree G1 A I1 3 1@2026-04-06 1@2026-05-04 => InvalidArgument instalments_sum agreement.total_minor
         agree G1 A I1 0 0@2026-04-06 => InvalidArgument amount_not_positive agreement.instalments.amount_minor
         agree G1 A I1 9007199254740993 9007199254740993@2026-04-06 => InvalidArgument amount_too_large agreement.instalments.amount_minor
         agree G1 A I1 2 1@2026-04-06 1@2026-04-06 => InvalidArgument instalments_order agreement.instalments.due_on
         agree G1 A I1 1 1@2026-03-09 => InvalidArgument instalments_order agreement.instalments.due_on
         agree G1 A I1 1 1@2026-02-30 => InvalidArgument date_malformed agreement.instalments.due_on
         agree G1 A I1 1 1@2026-04-06 after=366 => InvalidArgument breach_days_too_many agreement.breach_after_days
         agree G1 A I1,I2 1 1@2026-04-06 => InvalidArgument currency_mismatch agreement.invoice_ids
         agree G1 A I1,I3 1 1@2026-04-06 => InvalidArgument invoice_of_another_payer agreement.invoice_ids
         agree G1 A I9 1 1@2026-04-06 => NotFound unknown_invoice agreement.invoice_ids
         agree G1 A I4 1 1@2026-04-06 => FailedPrecondition invoice_cancelled agreement.invoice_ids
         agree G1 A I5 1 1@2026-04-06 => FailedPrecondition invoice_settled agreement.invoice_ids
         agree G1 A I6 1 1@2026-04-06 => FailedPrecondition invoice_renegotiated agreement.invoice_ids
         agree G1 A G6-1 1 1@2026-04-06 => FailedPrecondition invoice_is_instalment agreement.invoice_ids
         agree G6 A I1 1 1@2026-04-06 => FailedPrecondition agreement_exists agreement.agreement_id
         agree G9 A I1 1 1@2026-04-06 => FailedPrecondition invoice_exists agreement.agreement_id
         agreement G1 => NotFound unknown_agreement agreement_id
         owes A => BRL 20000 credit 0, USD 5000 credit 0",
    )
    .await;
    let long = proto::NewAgreement { agreement_id: "x".repeat(49), customer_id: "A".into(), ..Default::default() };
    let request = proto::MakeAgreementRequest { command_id: fresh(), agreement: Some(long) };
    let refused = site.client.clone().make_agreement(request).await.unwrap_err();
    assert_eq!(refused.metadata().get("regua-reason").unwrap(), "agreement_id_too_long");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_says_which_instalment_it_is() {
    let site = Site::embedded(Default::default()).await;
    play(
        &site,
        "register A\n issue I1 A 9000 on=2026-02-01 due=2026-02-20\n agree G1 A I1 9000 3000@2026-04-06 3000@2026-05-04 3000@2026-06-01",
    )
    .await;
    let answer = ask(&site, look("A", "K1", "G1-2")).await;
    let said = &answer.verdicts[0];
    assert_eq!((said.agreement_id.as_str(), said.instalment, said.instalments, said.net_minor), ("G1", 2, 3, 3000));
}
