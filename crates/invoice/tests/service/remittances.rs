//! Files for the bank: written once, again on request, and read back.

use crate::{
    bank_file::{Told, import, santander as return_file},
    bank_files::issue,
    collections::{account, register},
    script::{customer, fresh, late_terms, play},
    site::{Site, told, told_status},
};
use brazil::cnab::remittance::{FineOrder, InterestOrder, Order, RemittanceReader};
use contracts::invoice::v1 as proto;
use tonic::Status;

fn itau() -> proto::CollectionAccount {
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

fn santander() -> proto::BoletoAgreement {
    proto::BoletoAgreement {
        bank: 33,
        agency: "0987".into(),
        account: "13000456".into(),
        account_digit: "6".into(),
        agreement: "1234567".into(),
        wallet: "101".into(),
        ..Default::default()
    }
}

async fn payer(site: &Site, id: &str, address: &str) {
    let customer =
        proto::Customer { name: "Maria Conceição".into(), tax_id: "133.782.710-00".into(), address: address.into(), ..customer(id) };
    let request = proto::RegisterCustomerRequest { command_id: fresh(), customer: Some(customer) };
    assert_eq!(told(&site.client.clone().register_customer(request).await), "ok");
}

const ADDRESS: &str = "Rua das Flores, 10, Centro, São Paulo - SP, 01310-100";

/// The summary and the bytes of a file.
async fn write(site: &Site, command_id: &str, account: &str, sequence: u32) -> Result<(proto::RemittanceSummary, Vec<u8>), Status> {
    site.settle().await;
    let request = proto::WriteRemittanceRequest { command_id: command_id.into(), collection_account_id: account.into(), sequence };
    let mut pieces = site.client.clone().write_remittance(request).await?.into_inner();
    let (mut summary, mut content) = (None, Vec::new());
    while let Some(piece) = pieces.message().await? {
        summary = summary.or(piece.summary);
        content.extend(piece.content);
    }
    Ok((summary.unwrap(), content))
}

fn read_back(content: &[u8]) -> Vec<Order> {
    let text = std::str::from_utf8(content).unwrap();
    assert!(text.split_terminator("\r\n").all(|line| line.len() == 240 && line.is_ascii()));
    let mut reader = RemittanceReader::default();
    let mut orders: Vec<Order> = text.lines().filter_map(|line| reader.line(line).unwrap()).collect();
    orders.extend(reader.finish());
    orders
}

/// `01 I1 10000 2026-03-20, …`
fn shown(content: &[u8]) -> String {
    let one = |order: &Order| {
        let title = &order.title;
        format!("{} {} {} {}", order.instruction.code(), title.company_use, title.nominal_cents, title.due)
    };
    read_back(content).iter().map(one).collect::<Vec<_>>().join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_title_is_registered_changed_and_written_off_and_nothing_is_asked_twice() {
    for site in Site::every().await {
        payer(&site, "A", ADDRESS).await;
        assert_eq!(register(&mut site.client.clone(), itau()).await, "ok");
        let number = issue(&site, "I1", "itau", 10000).await;
        issue(&site, "I2", "itau", 20000).await;
        let (summary, first) = write(&site, "w-1", "itau", 0).await.unwrap();
        assert_eq!((summary.sequence, summary.orders, summary.skipped_total, summary.more), (1, 2, 0, false), "{}", site.database);
        assert_eq!(shown(&first), "01 I1 10000 2026-03-20, 01 I2 20000 2026-03-20");
        let order = &read_back(&first)[0];
        assert_eq!(order.title.nosso_numero, format!("109{number}"));
        let payer = order.title.payer.as_ref().unwrap();
        assert_eq!((payer.name.reveal(), payer.city.as_str(), payer.cep.digits().as_str()), ("MARIA CONCEICAO", "SAO PAULO", "01310100"));

        // Nothing new: no file. The same key, or the number: the same file.
        let (nothing, content) = write(&site, "w-2", "itau", 0).await.unwrap();
        assert_eq!((nothing.sequence, content.len()), (0, 0), "{}", site.database);
        assert_eq!(write(&site, "w-1", "itau", 0).await.unwrap().1, first);
        assert_eq!(write(&site, "w-3", "itau", 1).await.unwrap().1, first);

        play(&site, "amend I1 amount=12000 due=2026-04-20\n cancel I2").await;
        let (summary, second) = write(&site, "w-4", "itau", 0).await.unwrap();
        assert_eq!(summary.sequence, 2);
        assert_eq!(shown(&second), "06 I1 12000 2026-04-20, 47 I1 12000 2026-04-20, 02 I2 20000 2026-03-20");
        assert_eq!(write(&site, "w-5", "itau", 0).await.unwrap().0.sequence, 0);
        // Paid elsewhere: the bank must not take it again.
        play(&site, "pay P1 I1 12000").await;
        assert_eq!(shown(&write(&site, "w-6", "itau", 0).await.unwrap().1), "02 I1 12000 2026-04-20");
        assert_eq!(told_status(&write(&site, "w-7", "itau", 9).await.unwrap_err()), "NotFound unknown_remittance sequence");
    }
}

/// The number of the only title of a file.
fn number(content: &[u8]) -> String {
    let orders = read_back(content);
    assert_eq!(orders.len(), 1);
    orders[0].title.nosso_numero.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debt_that_is_owed_again_after_its_title_was_written_off_is_registered_under_another_number() {
    for site in Site::every().await {
        payer(&site, "A", ADDRESS).await;
        let main = proto::CollectionAccount { boleto: Some(santander()), ..account("santander") };
        assert_eq!(register(&mut site.client.clone(), main).await, "ok");
        for (again, away, back) in
            [("I1", "agree G1 A I1 10000 5000@2026-04-06 5000@2026-05-04", "break G1"), ("I2", "pay P2 I2 10000", "reverse P2")]
        {
            let had = issue(&site, again, "santander", 10000).await;
            let first = write(&site, &fresh(), "santander", 0).await.unwrap();
            assert_eq!(shown(&first.1), format!("01 {again} 10000 2026-03-20"), "{}", site.database);
            play(&site, away).await;
            let second = shown(&write(&site, &fresh(), "santander", 0).await.unwrap().1);
            assert!(second.contains(&format!("02 {again} 10000 2026-03-20")), "{second}");
            play(&site, back).await;
            let third = write(&site, &fresh(), "santander", 0).await.unwrap();
            assert!(!shown(&third.1).contains(again), "the bank has not said that the old title is closed: {}", shown(&third.1));
            import(&site, &return_file(&[Told::new("09", &had, 0)])).await.unwrap();
            let (_, fourth) = write(&site, &fresh(), "santander", 0).await.unwrap();
            assert_eq!(shown(&fourth), format!("01 {again} 10000 2026-03-20"), "{}", site.database);
            assert_ne!(number(&fourth), number(&first.1), "no bank takes a number twice");
            assert_eq!(write(&site, &fresh(), "santander", 0).await.unwrap().0.sequence, 0, "and once");
            // A file that is written again names the title of its day.
            assert_eq!(write(&site, &fresh(), "santander", first.0.sequence).await.unwrap().1, first.1);
            // Money for the new title finds the debt.
            let new = number(&fourth);
            import(&site, &return_file(&[Told::new("06", &new, 10000)])).await.unwrap();
            play(&site, &format!("balance {again} 2026-03-10 => 0 BRL")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_bank_closed_by_itself_while_the_debt_was_owed_stays_closed() {
    let site = Site::embedded(Default::default()).await;
    payer(&site, "A", ADDRESS).await;
    let main = proto::CollectionAccount { boleto: Some(santander()), ..account("santander") };
    assert_eq!(register(&mut site.client.clone(), main).await, "ok");
    let had = issue(&site, "I1", "santander", 10000).await;
    assert_eq!(write(&site, &fresh(), "santander", 0).await.unwrap().0.sequence, 1);
    import(&site, &return_file(&[Told::new("09", &had, 0)])).await.unwrap();
    assert_eq!(write(&site, &fresh(), "santander", 0).await.unwrap().0.sequence, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_whose_data_is_not_enough_does_not_hold_up_the_others() {
    let site = Site::embedded(Default::default()).await;
    payer(&site, "A", "").await;
    assert_eq!(register(&mut site.client.clone(), itau()).await, "ok");
    issue(&site, "I1", "itau", 10000).await;
    let (summary, _) = write(&site, "w-1", "itau", 0).await.unwrap();
    assert_eq!((summary.sequence, summary.skipped_total), (0, 1));
    assert_eq!(summary.skipped[0], proto::RemittanceSkip { invoice_id: "I1".into(), reason: "payer_address_incomplete".into() });
    payer(&site, "A", ADDRESS).await;
    assert_eq!(write(&site, "w-2", "itau", 0).await.unwrap().0.sequence, 1);
    assert!(!site.events().await.iter().any(|event| event.payload.windows(5).any(|part| part == b"Maria")), "no name is in an event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_has_no_file_here_is_refused_by_name() {
    let site = Site::embedded(Default::default()).await;
    let inter = proto::BoletoAgreement {
        bank: 77,
        agency: "0001".into(),
        account: "1234567".into(),
        agreement: "1234567".into(),
        wallet: "112".into(),
        ..Default::default()
    };
    let of_bank = |id: &str, boleto| proto::CollectionAccount { boleto: Some(boleto), ..account(id) };
    let carteira = proto::BoletoAgreement { wallet: "102".into(), ..santander() };
    for one in [of_bank("inter", inter), account("no-agency"), of_bank("carteira", carteira)] {
        assert_eq!(register(&mut site.client.clone(), one).await, "ok");
    }
    for (account, expected) in [
        ("inter", "FailedPrecondition remittance_unsupported_bank collection_account_id"),
        ("no-agency", "FailedPrecondition remittance_text collection_account_id"),
        ("carteira", "FailedPrecondition remittance_range collection_account_id"),
        ("nobody", "NotFound unknown_collection_account collection_account_id"),
        ("", "InvalidArgument id_malformed collection_account_id"),
    ] {
        assert_eq!(told_status(&write(&site, &fresh(), account, 0).await.unwrap_err()), expected, "{account}");
    }
}

/// `01 2%/2026-03-21 1%/2026-03-21 5% until 2026-03-10, …`
fn charges(content: &[u8]) -> String {
    let one = |order: &Order| {
        let title = &order.title;
        let interest = match title.interest {
            InterestOrder::Exempt => "exempt".to_owned(),
            InterestOrder::CentsPerDay(from, cents) => format!("{cents} a day/{from}"),
            InterestOrder::PercentPerMonth(from, rate) => format!("{}%/{from}", rate.micros() / 1_000_000),
        };
        let fine = match title.fine {
            None => "no fine".to_owned(),
            Some(FineOrder::Fixed(from, cents)) => format!("{cents}/{from}"),
            Some(FineOrder::Percent(from, rate)) => format!("{}%/{from}", rate.micros() / 1_000_000),
        };
        let discounts: String = title.discounts.iter().map(|one| format!(" {}:{} until {}", one.code, one.hundredths, one.until)).collect();
        format!("{} {fine} {interest}{discounts}", order.instruction.code())
    };
    read_back(content).iter().map(one).collect::<Vec<_>>().join(", ")
}

// Issued on 2026-03-10 and due on Friday 2026-03-20: 2 %, 1 % a month, 5 % off until ten days before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bank_is_told_fine_interest_and_discounts_and_told_again_when_they_change() {
    for site in Site::every().await {
        payer(&site, "A", ADDRESS).await;
        let caixa = proto::BoletoAgreement { bank: 104, agency: "0123".into(), agreement: "123456".into(), ..Default::default() };
        for (id, boleto, nosso_numero) in [("santander", santander(), 13), ("caixa", caixa, 17)] {
            let main = proto::CollectionAccount { boleto: Some(boleto), charges: Some(late_terms()), ..account(id) };
            assert_eq!(register(&mut site.client.clone(), main).await, "ok");
            let invoice = format!("I-{id}");
            issue(&site, &invoice, id, 10000).await;
            let (_, first) = write(&site, &fresh(), id, 0).await.unwrap();
            assert_eq!(charges(&first), "01 2%/2026-03-21 1%/2026-03-21 2:500 until 2026-03-10", "{id} {}", site.database);
            let order = &read_back(&first)[0];
            assert_eq!(order.title.nosso_numero.len(), nosso_numero);
            assert_eq!(write(&site, &fresh(), id, 0).await.unwrap().0.sequence, 0);
            play(&site, &format!("amend {invoice} due=2026-04-20")).await;
            let (_, second) = write(&site, &fresh(), id, 0).await.unwrap();
            let each = "2%/2026-04-21 1%/2026-04-21 2:500 until 2026-04-10";
            let expected = ["06", "12", "14", "07"].map(|code| format!("{code} {each}")).join(", ");
            assert_eq!(charges(&second), expected, "{id} {}", site.database);
            assert_eq!(write(&site, &fresh(), id, 2).await.unwrap().1, second);
        }
    }
}
