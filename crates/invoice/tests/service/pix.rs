//! Notifications of Pix received: who may, what is understood, and nothing twice in any order.

use crate::{
    bank_files::{issue, txid},
    collections::{account, register},
    script::{fresh, play},
    site::{PIX_TOKEN, Site},
};
use contracts::invoice::v1 as proto;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One notified Pix, at noon of the ninth of March in São Paulo.
pub fn pix(end_to_end_id: &str, txid: &str, value: &str) -> String {
    let txid = if txid.is_empty() { String::new() } else { format!(r#""txid":"{txid}","#) };
    format!(r#"{{"endToEndId":"{end_to_end_id}",{txid}"valor":"{value}","horario":"2026-03-09T15:00:00.000Z","infoPagador":"Fulano"}}"#)
}

fn returned(item: &str, returns: &str) -> String {
    item.replacen("\"infoPagador\":\"Fulano\"", &format!("\"devolucoes\":{returns}"), 1)
}

fn back(id: char, value: &str, status: &str) -> String {
    format!(
        r#"{{"id":"{id}","rtrId":"D12345678202603101500{id}{id}{id}{id}{id}{id}{id}{id}{id}{id}{id}","valor":"{value}","horario":{{"solicitacao":"2026-03-10T15:00:00Z"}},"status":"{status}"}}"#
    )
}

const E1: &str = "E1234567820260309150000000000001";
const E2: &str = "E1234567820260309150000000000002";

/// Posts a call of some items. Gives status and body.
pub async fn notify(site: &Site, items: &str) -> (u16, String) {
    post(site, &format!("/pix/{PIX_TOKEN}/pix"), "", &format!(r#"{{"pix":[{items}]}}"#)).await
}

async fn post(site: &Site, path: &str, header: &str, body: &str) -> (u16, String) {
    let address = site.service().addresses().iter().find(|(protocol, _)| *protocol == "http").unwrap().1;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: here\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

async fn prepare(site: &Site) -> String {
    play(site, "register A").await;
    assert_eq!(register(&mut site.client.clone(), account("main")).await, "ok");
    issue(site, "I1", "main", 10000).await;
    txid(site, "I1").await
}

async fn types_after(site: &Site, from: usize) -> Vec<String> {
    site.events().await.into_iter().skip(from).map(|event| event.event_type).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_knows_the_tenants_token_may_notify() {
    let site = Site::embedded(Default::default()).await;
    let txid = prepare(&site).await;
    let body = format!(r#"{{"pix":[{}]}}"#, pix(E1, &txid, "1.00"));
    let before = site.events().await.len();
    for (path, header) in [
        ("/pix", ""),
        ("/pix/", ""),
        ("/pix/wrong-token-of-tests", ""),
        ("/pix/wrong-token-of-tests/pix", ""),
        ("/pix", "authorization: Bearer wrong\r\n"),
        ("/pix", "authorization: Basic pix-token-of-tests\r\n"),
    ] {
        let (status, answer) = post(&site, path, header, &body).await;
        assert!(status == 401 || (path == "/pix/" && status == 404), "{path} {header} {status}");
        assert!(status == 404 || answer.contains("application/problem+json"), "{answer}");
    }
    assert_eq!(site.events().await.len(), before);
    let bearer = format!("authorization: Bearer {PIX_TOKEN}\r\n");
    for (path, header) in [("/pix", bearer.as_str()), (&format!("/pix/{PIX_TOKEN}"), ""), (&format!("/pix/{PIX_TOKEN}/pix"), "")] {
        assert_eq!(post(&site, path, header, &body).await.0, 200, "{path}");
    }
    assert_eq!(types_after(&site, before).await, ["PaymentReceived"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_partial_and_unnamed_payments_of_one_call_each_find_their_place_once() {
    for site in Site::every().await {
        let txid = prepare(&site).await;
        let before = site.events().await.len();
        let call = [
            pix(E1, &txid, "40.00"),
            pix(E2, &txid, "60.00"),
            pix("E1234567820260309150000000000003", "", "5.00"),
            pix("E1234567820260309150000000000004", "naoconhecido", "6.00"),
        ]
        .join(",");
        for _ in 0..2 {
            assert_eq!(notify(&site, &call).await.0, 200, "{}", site.database);
        }
        let mut types = types_after(&site, before).await;
        types.sort();
        assert_eq!(
            types,
            ["PaymentReceived", "PaymentReceived", "UnappliedPaymentReceived", "UnappliedPaymentReceived"],
            "{}",
            site.database
        );
        play(&site, "balance I1 2026-03-10 => 0 BRL").await;
        site.settle().await;
        let listed = site.client.clone().list_unapplied_payments(proto::ListUnappliedPaymentsRequest::default()).await.unwrap();
        let listed = listed.into_inner().payments;
        let told: Vec<_> =
            listed.iter().map(|one| one.payment.as_ref().unwrap()).map(|p| (p.reason.as_str(), p.reference.as_str())).collect();
        assert_eq!(told, [("not_named", ""), ("no_receivable", "naoconhecido")], "{}", site.database);
        assert!(!site.events().await.iter().any(|event| event.payload.windows(6).any(|part| part == b"Fulano")), "no payer's text is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returns_take_back_their_part_in_any_order_and_once() {
    for site in Site::every().await {
        let txid = prepare(&site).await;
        let item = pix(E1, &txid, "100.00");
        let (first, second) = (back('a', "30.00", "DEVOLVIDO"), back('b', "70.00", "DEVOLVIDO"));
        // The call with the return comes before the one without, and again after it.
        for (call, open) in [
            (returned(&item, &format!("[{first}]")), 3000),
            (item.clone(), 3000),
            (returned(&item, &first), 3000),
            (returned(&item, &format!("[{first},{}]", back('b', "70.00", "EM_PROCESSAMENTO"))), 3000),
            (returned(&item, &format!("[{first},{}]", back('c', "70.00", "NAO_REALIZADO"))), 3000),
            (returned(&item, &format!("[{first},{second}]")), 10000),
            (item.clone(), 10000),
            (returned(&item, &format!("[{second},{first}]")), 10000),
        ] {
            let (status, answer) = notify(&site, &call).await;
            assert_eq!(status, 200, "{} {call} {answer}", site.database);
            play(&site, &format!("balance I1 2026-03-10 => {open} BRL")).await;
        }
        let types = types_after(&site, 0).await;
        let counted = |name: &str| types.iter().filter(|one| *one == name).count();
        assert_eq!((counted("PaymentReceived"), counted("PaymentReversed")), (1, 2), "{}", site.database);
        let more = returned(&item, &format!("[{}]", back('d', "0.01", "DEVOLVIDO")));
        let (status, answer) = notify(&site, &more).await;
        assert!(status == 400 && answer.contains("payment_reversed"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_back_of_an_unapplied_payment_is_not_applied_and_the_rest_is() {
    let site = Site::embedded(Default::default()).await;
    prepare(&site).await;
    let item = pix(E1, "", "100.00");
    let first = format!("[{}]", back('a', "30.00", "DEVOLVIDO"));
    assert_eq!(notify(&site, &returned(&item, &first)).await.0, 200);
    let apply = proto::ApplyPaymentRequest { command_id: fresh(), payment_id: E1.into(), invoice_id: "I1".into() };
    let applied = site.client.clone().apply_payment(apply).await.unwrap().into_inner();
    assert_eq!(applied.invoice.unwrap().outstanding_minor, 3000);
    // From here on a return is the receivable's; the first one, told again, is known.
    let both = format!("[{},{}]", back('a', "30.00", "DEVOLVIDO"), back('b', "20.00", "DEVOLVIDO"));
    for _ in 0..2 {
        assert_eq!(notify(&site, &returned(&item, &both)).await.0, 200);
    }
    play(&site, "balance I1 2026-03-10 => 5000 BRL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_none_changes_nothing_and_a_bad_item_does_not_lose_the_good_ones() {
    let site = Site::embedded(Default::default()).await;
    let txid = prepare(&site).await;
    let before = site.events().await.len();
    for body in ["", "{", "{}", "[]", r#"{"pix":1}"#] {
        let (status, answer) = post(&site, &format!("/pix/{PIX_TOKEN}"), "", body).await;
        assert!(status == 400 && answer.contains("application/problem+json"), "{body} {answer}");
    }
    assert_eq!(post(&site, &format!("/pix/{PIX_TOKEN}"), "", &" ".repeat(1 << 21)).await.0, 413);
    assert_eq!(site.events().await.len(), before);
    let call = [pix("E123", &txid, "1.00"), pix(E1, &txid, "40.00"), pix(E2, &txid, "1,00")].join(",");
    for _ in 0..2 {
        let (status, answer) = notify(&site, &call).await;
        assert_eq!(status, 400);
        for part in ["pix[0].endToEndId", "pix[2].valor"] {
            assert!(answer.contains(part), "{answer}");
        }
    }
    assert_eq!(types_after(&site, before).await, ["PaymentReceived"]);
    let (status, answer) = notify(&site, &pix(E1, &txid, "41.00")).await;
    assert!(status == 400 && answer.contains("payment_changed"), "{answer}");
    assert_eq!(notify(&site, "").await.0, 200);
}
