//! Files for the bank: written once, again on request, and read back.

use crate::{
    bank_files::issue,
    collections::{account, register},
    script::{customer, fresh, play},
    site::{Site, told, told_status},
};
use brazil::cnab::remittance::{Order, RemittanceReader};
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
    assert_eq!(register(&mut site.client.clone(), account("santander")).await, "ok");
    for (account, expected) in [
        ("santander", "FailedPrecondition remittance_unsupported_bank collection_account_id"),
        ("nobody", "NotFound unknown_collection_account collection_account_id"),
        ("", "InvalidArgument id_malformed collection_account_id"),
    ] {
        assert_eq!(told_status(&write(&site, &fresh(), account, 0).await.unwrap_err()), expected, "{account}");
    }
}
