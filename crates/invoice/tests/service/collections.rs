//! Collection accounts over gRPC: refusals by field, what is shown, and what no event holds.

use crate::{
    script::fresh,
    site::{Client, Site, told},
};
use contracts::invoice::v1 as proto;

/// An account with an agreement of Santander and a random Pix key.
pub fn account(id: &str) -> proto::CollectionAccount {
    proto::CollectionAccount {
        account_id: id.to_owned(),
        boleto: Some(proto::BoletoAgreement { bank: 33, agreement: "1234567".into(), wallet: "101".into(), ..Default::default() }),
        beneficiary: Some(proto::Beneficiary {
            name: "Oficina Fictícia Ltda.".into(),
            tax_id: "11.222.333/0001-81".into(),
            address: "Rua Fictícia, 1, São Paulo - SP".into(),
        }),
        pix: Some(proto::PixReceiver {
            key: "123e4567-e12b-12d1-a456-426655440000".into(),
            name: "Oficina Fictícia".into(),
            city: "São Paulo".into(),
        }),
        is_default: false,
        charges: None,
    }
}

pub async fn register(client: &mut Client, account: proto::CollectionAccount) -> String {
    let request = proto::RegisterCollectionAccountRequest { command_id: fresh(), account: Some(account) };
    told(&client.register_collection_account(request).await)
}

type Change = fn(&mut proto::CollectionAccount);

fn boleto(account: &mut proto::CollectionAccount) -> &mut proto::BoletoAgreement {
    account.boleto.as_mut().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_account_is_refused_with_the_field_at_fault() {
    let changes: &[(Change, &str)] = &[
        (|a| a.account_id = String::new(), "InvalidArgument id_malformed account.account_id"),
        (|a| boleto(a).bank = 999, "InvalidArgument bank_unsupported account.boleto.bank"),
        (|a| boleto(a).bank = 70_000, "InvalidArgument bank_unsupported account.boleto.bank"),
        (|a| boleto(a).agreement = "12345678".into(), "InvalidArgument boleto_field_too_long account.boleto.agreement"),
        (|a| boleto(a).wallet = String::new(), "InvalidArgument boleto_field_not_digits account.boleto.wallet"),
        (|a| boleto(a).agency = "12-3".into(), "InvalidArgument text_refused account.boleto.agency"),
        (|a| boleto(a).first_number = u64::MAX, "InvalidArgument first_number_out_of_range account.boleto.first_number"),
        (|a| a.beneficiary = None, "InvalidArgument missing account.beneficiary"),
        (|a| a.beneficiary.as_mut().unwrap().name = " ".into(), "InvalidArgument text_refused account.beneficiary.name"),
        (|a| a.beneficiary.as_mut().unwrap().tax_id = "1".into(), "InvalidArgument tax_id_malformed account.beneficiary.tax_id"),
        (|a| a.pix.as_mut().unwrap().key = "someone".into(), "InvalidArgument pix_key_malformed account.pix.key"),
        (|a| a.pix.as_mut().unwrap().name = String::new(), "InvalidArgument pix_code_refused account.pix.name"),
        (|a| a.pix.as_mut().unwrap().city = String::new(), "InvalidArgument pix_code_refused account.pix.city"),
        (|a| (a.boleto, a.pix) = (None, None), "InvalidArgument nothing_to_pay_with account"),
    ];
    let site = Site::embedded(Default::default()).await;
    let mut client = site.client.clone();
    for (change, expected) in changes {
        let mut wrong = account("main");
        change(&mut wrong);
        assert_eq!(register(&mut client, wrong).await, *expected);
    }
    let nothing = proto::RegisterCollectionAccountRequest { command_id: fresh(), account: None };
    assert_eq!(told(&client.register_collection_account(nothing).await), "InvalidArgument missing account");
    assert_eq!(site.events().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_shown_as_it_was_registered_and_who_receives_is_in_no_event() {
    for site in Site::every().await {
        let mut client = site.client.clone();
        let main = proto::CollectionAccount { is_default: true, ..account("main") };
        let pix_only = proto::CollectionAccount { boleto: None, beneficiary: None, ..account("pix") };
        for one in [main.clone(), pix_only.clone()] {
            assert_eq!(register(&mut client, one).await, "ok");
        }
        let asked = proto::GetCollectionAccountRequest { account_id: "main".into() };
        let found = client.get_collection_account(asked).await.unwrap().into_inner();
        let mut shown = main.clone();
        boleto(&mut shown).first_number = 1;
        shown.beneficiary.as_mut().unwrap().tax_id = "11222333000181".into();
        assert_eq!((found.account.unwrap(), found.next_number), (shown.clone(), 1));

        let page = |page_token| proto::ListCollectionAccountsRequest { page_size: 1, page_token };
        let first = client.list_collection_accounts(page(String::new())).await.unwrap().into_inner();
        let second = client.list_collection_accounts(page(first.next_page_token)).await.unwrap().into_inner();
        assert_eq!((first.accounts, second.accounts, second.next_page_token.as_str()), (vec![shown], vec![pix_only], ""));

        let unknown = client.get_collection_account(proto::GetCollectionAccountRequest { account_id: "no".into() }).await;
        assert_eq!(told(&unknown), "NotFound unknown_collection_account account_id");
        for event in site.events().await {
            let text = String::from_utf8_lossy(&event.payload).into_owned();
            for personal in ["Oficina", "Rua", "11222333000181", "123e4567"] {
                assert!(!text.contains(personal), "{} holds {personal}", event.event_type);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_registration_changes_nothing_and_another_body_is_refused() {
    let site = Site::embedded(Default::default()).await;
    let mut client = site.client.clone();
    let request = proto::RegisterCollectionAccountRequest { command_id: fresh(), account: Some(account("main")) };
    for _ in 0..2 {
        assert_eq!(told(&client.register_collection_account(request.clone()).await), "ok");
    }
    let other = proto::RegisterCollectionAccountRequest { account: Some(account("other")), ..request };
    assert_eq!(told(&client.register_collection_account(other).await), "InvalidArgument command_reused command_id");
    assert_eq!(site.transcript(0).await, ["collection/default@1 CollectionAccountRegistered"]);
}
