//! The views can be built again from what was consumed, whatever the order between topics, and one bad event stops one payer only.

use crate::{
    facts::{append_raw, tell},
    site::Site,
};
use contracts::reporting::v1 as proto;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

const FACTS: &str = "
    2026-03-01 customer A retail
    2026-03-01 issued I1 A 1000 due=2026-03-10
    2026-03-01 enrolled I1 padrao steps=d-7:2026-03-03:2026-03-10,d+1:2026-03-11:
    2026-03-01 customer B trade
    2026-03-02 issued I2 B 300 due=2026-03-20
    2026-03-03 closed I1 1 d-7 executed
    2026-03-03 contact K1 A email
    2026-03-03 attempt K2 A email accepted
    2026-03-03 concluded K2 A items=I1:d-7
    2026-03-03 receipt K2 A email read
    2026-03-03 opted A email
    2026-03-04 authorised A
    2026-03-05 paid P1 I1 1200
    2026-03-06 amended I1 amount=700
    2026-03-07 reversed P1
    2026-03-08 amended I1 due=2026-04-10
    2026-03-08 rescheduled I1 2 steps=d-7:2026-04-03:2026-04-10
    2026-03-09 cancelled I2
    2026-03-09 customer A trade again=yes
    2026-03-09 disputed I1 A d1 100
    2026-03-09 erased B";

async fn figures(site: &Site) -> String {
    let mut client = site.client.clone();
    let as_of = ["2026-03-04", "2026-03-05", "2026-03-08", "2026-05-01"].map(str::to_owned).to_vec();
    let aging = client.get_aging(proto::GetAgingRequest { as_of, ..Default::default() }).await.unwrap().into_inner();
    let listed = client.list_receivables(proto::ListReceivablesRequest::default()).await.unwrap().into_inner();
    let steps = client.get_step_results(proto::GetStepResultsRequest::default()).await.unwrap().into_inner();
    let channels = client.get_channel_results(proto::GetChannelResultsRequest::default()).await.unwrap().into_inner();
    format!("{aging:#?}{listed:#?}{steps:#?}{channels:#?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_built_again_equal_the_live_ones_and_answer_the_same() {
    for site in Site::every().await {
        tell(&site, FACTS).await;
        let before = figures(&site).await;
        let set = &site.service().projections()[0];
        let mut names = Vec::new();
        for status in set.status().await.unwrap() {
            let verified = set.verify(&status.name).await.unwrap();
            assert!(verified.agrees() && verified.rows == verified.rebuilt_rows && verified.rows > 0, "{} {verified:?}", site.database);
            names.push(status.name);
        }
        let all = ["reporting-receivables", "reporting-ladders", "reporting-contacts", "reporting-payments"];
        assert_eq!(names, all);
        for name in names {
            set.rebuild(&name).await.unwrap();
        }
        assert_eq!(figures(&site).await, before, "{}", site.database);
        tell(&site, "2026-03-10 issued I9 A 5 due=2026-03-20").await;
        assert!(figures(&site).await.contains("I9"), "the rebuilt views go on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_facts_give_the_same_rows_on_every_database_and_in_every_paging() {
    let mut hashes = Vec::new();
    // Told line by line, each fact is a page of its own; told while the consumer rests, all of them are one page.
    for at_once in [false, true] {
        for site in Site::every().await {
            if at_once {
                site.service().pause();
                tell(&site, FACTS).await;
                site.service().resume();
                site.settle().await;
            } else {
                tell(&site, FACTS).await;
            }
            let set = &site.service().projections()[0];
            let mut of_site = Vec::new();
            for status in set.status().await.unwrap() {
                of_site.push((status.name.clone(), set.verify(&status.name).await.unwrap().live_hash));
            }
            hashes.push(of_site);
        }
    }
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{hashes:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_parks_its_payer_and_nobody_else() {
    for site in Site::every().await {
        tell(&site, "2026-03-01 issued I1 A 1000 due=2026-03-10\n2026-03-01 issued I2 B 300 due=2026-03-10").await;
        append_raw(&site.logs.invoice, "account/default/A".to_owned(), "InvoiceIssued", vec![0x08, 0x01]).await;
        // A type that nobody here knows is passed over.
        append_raw(&site.logs.invoice, "account/default/B".to_owned(), "SomethingNew", vec![0x08, 0x01]).await;
        let late = proto_issued("B", "I3");
        append_raw(&site.logs.invoice, "account/default/B".to_owned(), "InvoiceIssued", late).await;
        append_raw(&site.logs.invoice, "account/default/A".to_owned(), "InvoiceIssued", proto_issued("A", "I4")).await;
        tokio::time::timeout(std::time::Duration::from_secs(30), site.activity.settled()).await.unwrap();
        assert_eq!(site.service().consumers()[0].parked, 1, "{}", site.database);
        let listed = site.client.clone().list_receivables(proto::ListReceivablesRequest::default()).await.unwrap().into_inner();
        let ids: Vec<&str> = listed.receivables.iter().map(|r| r.invoice_id.as_str()).collect();
        assert_eq!(ids, ["I1", "I2", "I3"], "{}", site.database);
    }
}

fn proto_issued(customer_id: &str, invoice_id: &str) -> Vec<u8> {
    let event = contracts::invoice::v1::InvoiceIssued {
        customer_id: customer_id.to_owned(),
        invoice_id: invoice_id.to_owned(),
        amount_minor: 5,
        currency: "BRL".to_owned(),
        issued_on: "2026-03-01".to_owned(),
        due_on: "2026-03-10".to_owned(),
        ..Default::default()
    };
    prost::Message::encode_to_vec(&event)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_for_the_service_by_its_name() {
    let site = Site::embedded().await;
    let address = site.service().grpc().unwrap();
    let channel = tonic::transport::Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let request = HealthCheckRequest { service: "regua.reporting.v1.ReportingService".to_owned() };
    let answer = HealthClient::new(channel).check(request).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}
