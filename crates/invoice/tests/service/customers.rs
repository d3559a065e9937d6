//! Payers: registered, shown, listed, erased. Personal data is in one table and nowhere else.

use crate::{
    script::{customer, fresh, play},
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

const PERSONAL: [&str; 6] =
    ["Maria das Dores Exemplo", "52998224725", "maria.dores@example.com", "+5511987654321", "+551133334444", "Rua das Acácias 12"];

fn maria() -> proto::Customer {
    proto::Customer {
        name: PERSONAL[0].to_owned(),
        tax_id: "529.982.247-25".to_owned(),
        email: PERSONAL[2].to_owned(),
        phones: vec!["(11) 98765-4321".to_owned(), "11 3333-4444".to_owned()],
        address: PERSONAL[5].to_owned(),
        attributes: Some(proto::CustomerAttributes {
            segment: "retail".to_owned(),
            state: "SP".to_owned(),
            municipality: "3550308".to_owned(),
            ..Default::default()
        }),
        consents: vec!["whatsapp".to_owned(), "email".to_owned(), "email".to_owned()],
        ..customer("M1")
    }
}

async fn register(site: &Site, customer: proto::Customer) -> String {
    told(&site.client.clone().register_customer(proto::RegisterCustomerRequest { command_id: fresh(), customer: Some(customer) }).await)
}

async fn get(site: &Site, customer_id: &str) -> proto::GetCustomerResponse {
    let request = proto::GetCustomerRequest { customer_id: customer_id.to_owned() };
    site.client.clone().get_customer(request).await.unwrap().into_inner()
}

/// Bytes of every event and its envelope.
async fn logged(site: &Site) -> Vec<u8> {
    let events = site.events().await;
    assert!(!events.is_empty());
    events.iter().flat_map(|event| [event.payload.clone(), format!("{event:?}").into_bytes()].concat()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_is_shown_as_registered_in_normal_form() {
    for site in Site::every().await {
        assert_eq!(register(&site, maria()).await, "ok");
        let found = get(&site, "M1").await;
        assert!(!found.erased);
        let shown = found.customer.unwrap();
        assert_eq!(shown.phones, [PERSONAL[3], PERSONAL[4]]);
        assert_eq!((shown.name.as_str(), shown.tax_id.as_str(), shown.email.as_str()), (PERSONAL[0], PERSONAL[1], PERSONAL[2]));
        assert_eq!(shown.address, PERSONAL[5]);
        assert_eq!(shown.consents, ["email", "whatsapp"]);
        let attributes = shown.attributes.unwrap();
        assert_eq!((attributes.segment.as_str(), attributes.language.as_str()), ("retail", "pt-BR"));
        assert_eq!((attributes.time_zone.as_str(), attributes.state.as_str()), ("America/Sao_Paulo", "SP"));
        assert_eq!(attributes.municipality, "3550308");
        site.settle().await;
        let listed = site.client.clone().list_customers(proto::ListCustomersRequest::default()).await.unwrap().into_inner().customers;
        assert_eq!(listed[0].attributes.as_ref(), Some(&attributes), "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registering_again_replaces_contact_data_and_only_a_neutral_change_is_an_event() {
    for site in Site::every().await {
        register(&site, maria()).await;
        register(&site, proto::Customer { email: "nova@example.com".to_owned(), phones: vec![], ..maria() }).await;
        let shown = get(&site, "M1").await.customer.unwrap();
        assert_eq!((shown.email.as_str(), shown.phones.len()), ("nova@example.com", 0));
        register(&site, proto::Customer { consents: vec!["sms".to_owned()], ..maria() }).await;
        assert_eq!(
            site.transcript(0).await,
            ["account/default/M1@1 CustomerRegistered", "account/default/M1@2 CustomerAmended"],
            "{}",
            site.database
        );
        assert_eq!(get(&site, "M1").await.customer.unwrap().consents, ["sms"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_is_in_no_event_and_is_gone_from_its_table_once_erased() {
    for site in Site::every().await {
        register(&site, maria()).await;
        play(&site, "issue I1 M1 10000 due=2026-03-20 document=NF-1\npay P1 I1 100\nregister B").await;
        let rows = "SELECT * FROM customer_contact WHERE tenant = 'default' AND customer_id = 'M1'";
        let db = site.service().environment().db.clone();
        assert_eq!(db.query(rows, &[]).await.unwrap().len(), 1);

        play(&site, "erase M1\nerase M1").await;
        assert_eq!(db.query(rows, &[]).await.unwrap().len(), 0, "{}", site.database);
        let found = get(&site, "M1").await;
        let shown = found.customer.unwrap();
        assert!(found.erased);
        assert_eq!((shown.name, shown.tax_id, shown.email, shown.address), Default::default());
        assert_eq!((shown.phones, shown.consents), Default::default());
        assert_eq!(shown.attributes.unwrap().segment, "retail", "neutral attributes are in the log for ever");

        let bytes = logged(&site).await;
        for text in PERSONAL.iter().chain(&["529.982.247-25", "98765-4321", "Maria", "example.com"]) {
            assert!(!holds(&bytes, text), "{text} is in the log");
        }
        // What is owed stays owed; nothing new is issued and nobody is registered under the id again.
        play(
            &site,
            "balance I1 2026-03-10 => 9900 BRL
             pay P2 I1 900
             issue I2 M1 100 due=2026-03-20 => FailedPrecondition customer_erased invoice.customer_id
             register M1 => FailedPrecondition customer_erased customer.customer_id",
        )
        .await;
        assert_eq!(db.query(rows, &[]).await.unwrap().len(), 0, "a refused registration leaves nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_payer_stays_listed_in_its_segment() {
    for site in Site::every().await {
        play(&site, "register A segment=retail state=BA\nerase A").await;
        site.settle().await;
        let request = proto::ListCustomersRequest { segment: "retail".to_owned(), ..Default::default() };
        let listed = site.client.clone().list_customers(request).await.unwrap().into_inner().customers;
        let attributes = listed[0].attributes.clone().unwrap();
        assert_eq!((listed[0].customer_id.as_str(), attributes.state.as_str()), ("A", "BA"), "{}", site.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_payer_is_not_found() {
    let site = Site::embedded(Default::default()).await;
    let answer = site.client.clone().get_customer(proto::GetCustomerRequest { customer_id: "X".to_owned() }).await;
    assert_eq!(told(&answer), "NotFound unknown_customer customer_id");
    play(&site, "erase X => NotFound unknown_customer customer_id\nowes X => NotFound unknown_customer customer_id").await;
    assert!(site.events().await.is_empty());
}

/// Ids and names that a search finds, page by page.
async fn search(site: &Site, text: &str, page_size: i32) -> Vec<String> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = proto::ListCustomersRequest { search: text.to_owned(), page_size, page_token, ..Default::default() };
        let answer = site.client.clone().list_customers(request).await.unwrap().into_inner();
        found.extend(answer.customers.into_iter().map(|line| format!("{} {}", line.customer_id, line.name).trim().to_owned()));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payers_are_found_by_the_beginning_of_id_document_or_name() {
    for site in Site::every().await {
        for (id, name, tax_id) in [
            ("M1", "Maria das Dores Exemplo", "529.982.247-25"),
            ("M2", "JOSÉ Maria d'Ávila", ""),
            ("X_3", "Padaria São João Ltda. 100%", "11.222.333/0001-81"),
            ("XY3", "", ""),
        ] {
            let payer = proto::Customer { name: name.to_owned(), tax_id: tax_id.to_owned(), ..customer(id) };
            assert_eq!(register(&site, payer).await, "ok");
        }
        site.settle().await;
        let (maria, jose, bakery) = ("M1 Maria das Dores Exemplo", "M2 JOSÉ Maria d'Ávila", "X_3 Padaria São João Ltda. 100%");
        for (text, expected) in [
            ("maria", vec![maria, jose]),
            ("jose mar", vec![jose]),
            ("avila", vec![jose]),
            ("ores", vec![]),
            ("sao joao", vec![bakery]),
            ("529.982", vec![maria]),
            ("52998224725", vec![maria]),
            ("11222333", vec![bakery]),
            ("M", vec![maria, jose]),
            ("X_", vec![bakery]),
            ("%", vec![]),
            ("52", vec![]),
            ("100%", vec![bakery]),
            ("nobody", vec![]),
            // What SQL takes for wildcards stands for itself, and no id, document or name begins with it.
            ("%", vec![]),
            ("_", vec![]),
            ("*", vec![]),
            ("%%", vec![]),
            ("_ %", vec![]),
        ] {
            for page_size in [1, 100] {
                assert_eq!(search(&site, text, page_size).await, expected, "{text} {}", site.database);
            }
        }
        // Without a search nobody's name is shown; once erased nobody is found by it.
        assert_eq!(search(&site, "", 100).await, ["M1", "M2", "XY3", "X_3"].map(String::from).to_vec(), "{}", site.database);
        play(&site, "erase M1").await;
        assert_eq!(search(&site, "maria", 100).await, [jose]);
    }
}

/// The tables as they were before there was a search.
async fn before_the_search(site: &Site) {
    let db = site.service().environment().db.clone();
    let mut tx = db.begin().await.unwrap();
    for statement in [
        "DROP INDEX customer_contact_tax_id",
        "ALTER TABLE customer_contact DROP COLUMN name_search",
        "DELETE FROM schema_migrations WHERE name = 'search of customers'",
    ] {
        tx.execute(statement, &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payers_of_before_there_was_a_search_are_found_after_the_upgrade() {
    for mut site in Site::every().await {
        for (id, name) in [("M1", "Maria das Dores Exemplo"), ("M2", "JOSÉ Maria d'Ávila"), ("N1", ""), ("N2", "100%")] {
            assert_eq!(register(&site, proto::Customer { name: name.to_owned(), ..customer(id) }).await, "ok");
        }
        before_the_search(&site).await;
        site.restart().await;
        let both = ["M1 Maria das Dores Exemplo", "M2 JOSÉ Maria d'Ávila"];
        // The start does not wait for the names.
        let found = async { while search(&site, "maria", 100).await != both {} };
        tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect("the names are not found");
        assert_eq!(search(&site, "avila", 100).await, ["M2 JOSÉ Maria d'Ávila"], "{}", site.database);
        assert_eq!(search(&site, "100", 100).await, ["N2 100%"], "{}", site.database);
    }
}
