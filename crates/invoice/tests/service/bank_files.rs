//! Bank files on accounts: matched, counted, and nothing twice.

use crate::{
    bank_file::{Told, arrecadacao, import, import_with, itau, outcomes, santander, santander_of},
    collections::{account, register},
    pix::{notify, pix},
    script::{fresh, new_invoice, play},
    site::{Site, eventually, told, told_status},
};
use contracts::invoice::v1 as proto;

/// An invoice of payer A on an account; its nosso número without mask.
pub async fn issue(site: &Site, id: &str, account_id: &str, amount_minor: i64) -> String {
    let invoice = proto::NewInvoice { collection_account_id: account_id.into(), ..new_invoice(id, "A", amount_minor, "2026-03-20") };
    let request = proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(invoice) };
    let issued = site.client.clone().issue_invoice(request).await.unwrap().into_inner().invoice.unwrap();
    issued.instruments.unwrap().boleto.unwrap().nosso_numero.replace('-', "")
}

/// An account of Itaú with a Pix key.
fn itau_account() -> proto::CollectionAccount {
    let agreement = proto::BoletoAgreement {
        bank: 341,
        agency: "0123".into(),
        account: "56789".into(),
        account_digit: "0".into(),
        wallet: "109".into(),
        ..Default::default()
    };
    proto::CollectionAccount { boleto: Some(agreement), ..account("itau") }
}

async fn prepare(site: &Site) {
    play(site, "register A").await;
    assert_eq!(register(&mut site.client.clone(), account("main")).await, "ok");
}

async fn types_after(site: &Site, from: usize) -> Vec<String> {
    site.events().await.into_iter().skip(from).map(|event| event.event_type).collect()
}

async fn count(site: &Site, event_type: &str) -> usize {
    site.events().await.iter().filter(|event| event.event_type == event_type).count()
}

async fn waiting(site: &Site) -> Vec<proto::UnappliedPayment> {
    site.settle().await;
    let answer = site.client.clone().list_unapplied_payments(proto::ListUnappliedPaymentsRequest::default()).await.unwrap();
    answer.into_inner().payments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_has_an_outcome_and_the_same_file_again_changes_nothing() {
    for site in Site::every().await {
        prepare(&site).await;
        let (paid, part, refused, closed) = (
            issue(&site, "I1", "main", 10000).await,
            issue(&site, "I2", "main", 10000).await,
            issue(&site, "I3", "main", 10000).await,
            issue(&site, "I4", "main", 10000).await,
        );
        let file = santander(&[
            Told { fee: 150, ..Told::new("02", &paid, 10000) },
            Told { fee: 200, ..Told::new("06", &paid, 10000) },
            Told::new("06", &part, 4000),
            Told { reasons: "0863", ..Told::new("03", &refused, 10000) },
            Told::new("09", &closed, 0),
            Told { fee: 90, ..Told::new("28", &closed, 0) },
            Told::new("23", &part, 0),
            Told::new("11", &part, 10000),
            Told::new("06", "9999999999990", 777),
            Told::new("06", "", 500),
            Told::new("02", "9999999999990", 777),
        ]);
        let before = site.events().await.len();
        let answer = import(&site, &file).await.unwrap();
        let told = "applied 2 14000, fee 1 90, for_review 1 0, listed 1 0, noticed 1 0, registered 1 0, rejected 1 0, unapplied 1 777, \
                    unmatched 1 0, written_off 1 0";
        assert_eq!(outcomes(&answer), told, "{}", site.database);
        assert_eq!((answer.layout.as_str(), answer.bank.as_str(), answer.lines), ("cnab240", "033", 26));
        let mut types = types_after(&site, before).await;
        types.sort();
        let expected = [
            "BankFeeCharged",
            "BankFeeCharged",
            "BankFeeCharged",
            "BankFindingNoted",
            "BoletoNoticed",
            "BoletoRegistered",
            "BoletoRejected",
            "BoletoWrittenOff",
            "PaymentReceived",
            "PaymentReceived",
            "UnappliedPaymentReceived",
        ];
        assert_eq!(types, expected, "{}", site.database);
        play(&site, "balance I1 2026-03-10 => 0 BRL\n balance I2 2026-03-10 => 6000 BRL\n balance I3 2026-03-10 => 10000 BRL").await;

        let after = site.events().await.len();
        let again = import(&site, &file).await.unwrap();
        assert_eq!(outcomes(&again), "for_review 1 0, known 8 14777, listed 1 0, unmatched 1 0", "{}", site.database);
        assert_eq!(site.events().await.len(), after, "{}", site.database);
        assert_eq!(waiting(&site).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_refused_changes_nothing_and_says_why() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    let number = issue(&site, "I1", "main", 10000).await;
    let file = santander(&[Told::new("06", &number, 10000)]);
    let whole = String::from_utf8(file).unwrap();
    let before = site.events().await.len();
    for (file, expected) in [
        (whole.rsplit_once("03399999").unwrap().0.to_owned(), "InvalidArgument cnab_truncated content"),
        (whole.clone() + "more", "InvalidArgument cnab_data_after_trailer content"),
        (String::new(), "InvalidArgument cnab_not_a_bank_file content"),
        ("hello".to_owned(), "InvalidArgument cnab_not_a_bank_file content"),
    ] {
        let refused = import(&site, file.as_bytes()).await.unwrap_err();
        assert_eq!(told_status(&refused), expected);
    }
    assert_eq!(site.events().await.len(), before);
    assert_eq!(outcomes(&import(&site, whole.as_bytes()).await.unwrap()), "applied 1 10000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_title_is_matched_by_its_agreement_and_number_else_by_the_companys_own_text() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    let number = issue(&site, "I1", "main", 10000).await;
    let other = import(&site, &santander_of("7654321", &[Told::new("06", &number, 100)])).await.unwrap();
    assert_eq!(outcomes(&other), "unapplied 1 100", "another agreement's title of the same number");
    let named = Told { company_use: "I1", ..Told::new("06", "8888888888880", 200) };
    assert_eq!(outcomes(&import(&site, &santander_of("7654321", &[named])).await.unwrap()), "applied 1 200");
    let unknown = Told { company_use: "I9", ..Told::new("06", "8888888888880", 300) };
    assert_eq!(outcomes(&import(&site, &santander(&[unknown])).await.unwrap()), "unapplied 1 300");
    let bar_code = "84670000001435900240200240500024384221010811";
    let slip = import(&site, &arrecadacao(bar_code, 400)).await.unwrap();
    assert_eq!((slip.layout.as_str(), outcomes(&slip).as_str()), ("febraban150", "unapplied 1 400"));
    let kept = waiting(&site).await;
    let told: Vec<_> = kept.iter().map(|one| one.payment.as_ref().unwrap()).map(|p| (p.amount_minor, p.reason.as_str())).collect();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(sorted, [(100, "no_receivable"), (300, "no_receivable"), (400, "no_receivable")]);
    assert!(kept.iter().any(|one| one.payment.as_ref().unwrap().reference == bar_code));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_of_a_receivable_that_takes_none_waits_for_a_person_and_is_still_known_later() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    let number = issue(&site, "I1", "main", 10000).await;
    play(&site, "cancel I1").await;
    let file = santander(&[Told::new("06", &number, 10000)]);
    assert_eq!(outcomes(&import(&site, &file).await.unwrap()), "unapplied 1 10000");
    let kept = waiting(&site).await;
    let payment = kept[0].payment.clone().unwrap();
    assert_eq!((payment.reason.as_str(), payment.suggested_invoice_id.as_str()), ("invoice_cancelled", "I1"));
    assert_eq!(outcomes(&import(&site, &file).await.unwrap()), "known 1 10000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cheque_is_no_plain_payment_and_a_reversal_takes_the_payment_back() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    let number = issue(&site, "I1", "main", 10000).await;
    let cheque = santander(&[Told::new("50", &number, 10000), Told::new("45", &number, 10000)]);
    assert_eq!(outcomes(&import(&site, &cheque).await.unwrap()), "noticed 1 0, unapplied 1 10000");
    play(&site, "balance I1 2026-03-10 => 10000 BRL").await;
    let kept = waiting(&site).await;
    let payment = kept[0].payment.clone().unwrap();
    assert_eq!((payment.reason.as_str(), payment.suggested_invoice_id.as_str()), ("cheque_cleared", "I1"));
    // A bounced cheque of which nothing was counted is a notice; one that was counted is taken back.
    let bounced = santander(&[Told::new("44", &number, 10000)]);
    assert_eq!(outcomes(&import(&site, &bounced).await.unwrap()), "noticed 1 0");
    let counted = santander(&[Told::new("06", &number, 6000), Told { on: "10032026", ..Told::new("44", &number, 6000) }]);
    assert_eq!(outcomes(&import(&site, &counted).await.unwrap()), "applied 1 6000, reversed 1 0");
    assert_eq!(outcomes(&import(&site, &counted).await.unwrap()), "known 2 6000");
    play(&site, "balance I1 2026-03-10 => 10000 BRL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_boleto_paid_by_its_pix_code_counts_once_whichever_channel_tells_first() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    assert_eq!(register(&mut site.client.clone(), itau_account()).await, "ok");
    for (id, pix_first) in [("I1", true), ("I2", false)] {
        let number = issue(&site, id, "itau", 10000).await;
        let txid = txid(&site, id).await;
        let notice = pix(&format!("E12345678202603091500{id:0>11}"), &txid, "100.00");
        // Credited net of a fee of 2.00, which Itaú's file has in its own columns.
        let file = itau("10", number.get(..8).unwrap(), 9800, 200, "090326");
        if pix_first {
            assert_eq!(notify(&site, &notice).await.0, 200);
            assert_eq!(outcomes(&import(&site, &file).await.unwrap()), "confirmed 1 10000");
        } else {
            assert_eq!(outcomes(&import(&site, &file).await.unwrap()), "applied 1 10000");
            assert_eq!(notify(&site, &notice).await.0, 200);
        }
        assert_eq!(notify(&site, &notice).await.0, 200);
        assert_eq!(outcomes(&import(&site, &file).await.unwrap()), "known 1 10000");
    }
    assert_eq!((count(&site, "PaymentReceived").await, count(&site, "PaymentConfirmed").await), (2, 2));
    // Only receivable, amount and days say that it is the same money: a person is told, once.
    let found = findings(&site).await;
    let told: Vec<_> = found.iter().map(|f| (f.kind.as_str(), f.invoice_id.as_str(), f.amount_minor)).collect();
    assert_eq!(told, [("possibly_told_twice", "I1", 10000), ("possibly_told_twice", "I2", 10000)]);
    assert!(found.iter().all(|f| f.payment_id != f.counted_payment_id && !f.counted_payment_id.is_empty()));
    play(&site, "balance I1 2026-03-10 => 0 BRL\n balance I2 2026-03-10 => 0 BRL\n owes A => BRL 0 credit 0").await;
}

pub async fn txid(site: &Site, invoice_id: &str) -> String {
    let shown = site.client.clone().get_invoice(proto::GetInvoiceRequest { invoice_id: invoice_id.into() }).await.unwrap();
    shown.into_inner().invoice.unwrap().instruments.unwrap().pix.unwrap().txid
}

/// What waits for a person.
async fn findings(site: &Site) -> Vec<proto::BankFindingNoted> {
    site.settle().await;
    let answer = site.client.clone().list_bank_findings(proto::ListBankFindingsRequest::default()).await.unwrap().into_inner();
    answer.findings.into_iter().map(|one| one.finding.unwrap()).collect()
}

async fn dismiss(site: &Site, finding_id: &str, reason: &str) -> String {
    let (command_id, finding_id, reason) = (fresh(), finding_id.into(), reason.into());
    told(&site.client.clone().dismiss_bank_finding(proto::DismissBankFindingRequest { command_id, finding_id, reason }).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_must_look_at_is_kept_once_until_it_is_dismissed() {
    for site in Site::every().await {
        prepare(&site).await;
        let number = issue(&site, "I1", "main", 10000).await;
        let file = santander(&[
            Told::new("06", "", 500),
            Told::new("06", "", 600),
            Told::new("06", &number, 0),
            Told::new("47", "9999999999990", 700),
            Told::new("06", &number, 10000),
        ]);
        import(&site, &file).await.unwrap();
        import(&site, &file).await.unwrap();
        let found = findings(&site).await;
        let mut kinds: Vec<_> = found.iter().map(|f| (f.kind.as_str(), f.bank.as_str(), f.agreement.as_str())).collect();
        kinds.sort();
        let each = |kind| (kind, "033", "1234567");
        assert_eq!(
            kinds,
            [each("no_nosso_numero"), each("no_nosso_numero"), each("unlisted_movement"), each("zero_amount")],
            "{}",
            site.database
        );
        let zero = found.iter().find(|f| f.kind == "zero_amount").unwrap();
        assert_eq!((zero.movement.as_str(), zero.line), ("06", 7));
        assert_eq!(dismiss(&site, &zero.finding_id, "asked the bank").await, "ok");
        assert_eq!(dismiss(&site, &zero.finding_id, "asked the bank").await, "ok");
        assert_eq!(dismiss(&site, &zero.finding_id, "other").await, "FailedPrecondition finding_dismissed finding_id");
        assert_eq!(dismiss(&site, "nothing", "x").await, "NotFound unknown_finding finding_id");
        assert_eq!(dismiss(&site, &found[0].finding_id, "").await, "InvalidArgument text_refused reason");
        // The same file again does not bring back what was dealt with.
        import(&site, &file).await.unwrap();
        assert_eq!(findings(&site).await.len(), 3, "{}", site.database);
        let asked = proto::ListBankFindingsRequest { status: proto::FindingStatus::Dismissed.into(), ..Default::default() };
        let dismissed = site.client.clone().list_bank_findings(asked).await.unwrap().into_inner().findings;
        assert_eq!((dismissed.len(), dismissed[0].reason.as_str()), (1, "asked the bank"));
        let asked = proto::ListBankFindingsRequest { page_size: 2, ..Default::default() };
        let first = site.client.clone().list_bank_findings(asked.clone()).await.unwrap().into_inner();
        let asked = proto::ListBankFindingsRequest { page_token: first.next_page_token, ..asked };
        let second = site.client.clone().list_bank_findings(asked).await.unwrap().into_inner();
        assert_eq!((first.findings.len(), second.findings.len(), second.next_page_token.as_str()), (2, 1, ""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_says_how_far_its_accounts_payments_are_known() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    // An account without an agreement is told of by nobody's file.
    let pix_only = proto::CollectionAccount { boleto: None, beneficiary: None, ..account("pix") };
    assert_eq!(register(&mut site.client.clone(), pix_only).await, "ok");
    // It is the tenth of March, noon in São Paulo.
    let at = |header: &str| {
        let file = String::from_utf8(santander(&[])).unwrap();
        let (first, rest) = file.split_at(143);
        format!("{first}{header:<14}{}", &rest[14..]).into_bytes()
    };
    let reaches = |answer: proto::ImportBankFileResponse| answer.feed_known_until.map(|at| at.seconds);
    let instant = |text: &str| Some(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp());
    for (header, expected) in [
        ("", None),
        ("08032026", instant("2026-03-08T03:00:00Z")),
        ("09032026101112", instant("2026-03-09T13:11:12Z")),
        ("07032026", instant("2026-03-09T13:11:12Z")),
        ("11032026", instant("2026-03-09T13:11:12Z")),
    ] {
        assert_eq!(reaches(import(&site, &at(header)).await.unwrap()), expected, "{header}");
    }
    // A second account holds it back until its own file comes.
    assert_eq!(register(&mut site.client.clone(), itau_account()).await, "ok");
    assert_eq!(reaches(import(&site, &at("10032026060000")).await.unwrap()), instant("2026-03-09T13:11:12Z"));
    let number = issue(&site, "I1", "itau", 10000).await;
    let file = itau("06", number.get(..8).unwrap(), 10000, 0, "090326");
    assert_eq!(reaches(import(&site, &file).await.unwrap()), instant("2026-03-10T03:00:00Z"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_cut_is_made_whole_by_the_same_file() {
    for site in Site::every().await {
        prepare(&site).await;
        let number = issue(&site, "I1", "main", 100_000_000).await;
        let titles: Vec<Told> =
            (1..=900).map(|n| if n % 3 == 0 { Told::new("06", &format!("77{n:09}0"), n) } else { Told::new("06", &number, n) }).collect();
        let file = santander(&titles);
        let (client, cut) = (site.client.clone(), file.clone());
        let running = tokio::spawn(async move { import_with(client, &cut).await });
        eventually("some of the file is stored", || async { count(&site, "PaymentReceived").await > 0 }).await;
        running.abort();
        let _ = running.await;
        let answer = import(&site, &file).await.unwrap();
        assert_eq!(answer.titles, 900);
        let known = answer.outcomes.iter().find(|outcome| outcome.outcome == "known").map_or(0, |outcome| outcome.records);
        assert!(known > 0, "{}: the first try stored something", site.database);
        assert_eq!(
            (count(&site, "PaymentReceived").await, count(&site, "UnappliedPaymentReceived").await),
            (600, 300),
            "{}",
            site.database
        );
        let paid: i64 = (1..=900).filter(|n| n % 3 != 0).sum();
        play(&site, &format!("balance I1 2026-03-10 => {} BRL", 100_000_000 - paid)).await;
    }
}
