//! Bytes that are no message: each call is refused, nothing is stored, and the service goes on.

use crate::{
    script::{new_invoice, play},
    site::Site,
};
use bytes::{Buf, BufMut};
use contracts::invoice::v1 as proto;
use host::refusal::reason_of;
use prost::Message;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

/// Sends bytes as they are, and gives back bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

async fn send(site: &Site, call: &str, bodies: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Status> {
    let address = site.service().grpc().unwrap();
    let mut grpc = Grpc::new(Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy());
    grpc.ready().await.unwrap();
    let path = PathAndQuery::try_from(format!("/regua.invoice.v1.InvoiceService/{call}")).unwrap();
    let answers = grpc.streaming(Request::new(futures::stream::iter(bodies)), path, Raw).await?;
    let mut answers = answers.into_inner();
    let mut got = Vec::new();
    while let Some(answer) = answers.message().await? {
        got.push(answer);
    }
    Ok(got)
}

const CALLS: [&str; 27] = [
    "RegisterCustomer",
    "RegisterCustomers",
    "GetCustomer",
    "ListCustomers",
    "EraseCustomer",
    "IssueInvoice",
    "IssueInvoices",
    "AmendInvoice",
    "CancelInvoice",
    "GetInvoice",
    "ListInvoices",
    "RecordPayment",
    "RecordPayments",
    "ReversePayment",
    "GetInvoiceBalance",
    "GetCustomerBalance",
    "AuthorizeReminder",
    "IssueCreditNote",
    "CancelCreditNote",
    "RecordLegalRates",
    "DismissBankFinding",
    "MakeAgreement",
    "BreakAgreement",
    "GetAgreement",
    "ListAgreements",
    "RecordView",
    "RateCustomer",
];

/// Wrong in every message: field 1 is a text or a message everywhere, and field 2 is never a fixed 64-bit number.
const MALFORMED: [(&str, &[u8]); 7] = [
    ("field 1 as a number", &[0x08, 0x96, 0x01]),
    ("field 1 as eight bytes", &[0x09, 1, 2, 3, 4, 5, 6, 7, 8]),
    ("no UTF-8", &[0x0a, 0x02, 0xff, 0xfe]),
    ("a length past the end", &[0x0a, 0x7f, b'a']),
    ("a number that never ends", &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ("field number zero", &[0x02, 0x01, b'a']),
    ("an end without a beginning", &[0x0c]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_are_refused_by_every_call() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    for call in CALLS {
        for (what, bytes) in MALFORMED {
            let refused = send(&site, call, vec![bytes.to_vec()]).await.expect_err(what);
            assert_eq!((refused.code(), reason_of(&refused)), (Code::InvalidArgument, "message_malformed"), "{call}: {what}: {refused}");
        }
    }
    assert_eq!(site.events().await.len(), 1);
    play(&site, "issue I1 A 100 due=2026-03-20").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_is_answered_and_stores_nothing_unheard_of() {
    let site = Site::embedded(Default::default()).await;
    // A fixed sequence of bytes that look random (a linear congruence), and cut and flipped good requests.
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let good = proto::IssueInvoiceRequest { command_id: "k".to_owned(), invoice: Some(new_invoice("I1", "A", 1000, "2026-03-20")) };
    let good = good.encode_to_vec();
    for round in 0..60 {
        let length = usize::from(next()) % 64;
        let mut bytes: Vec<u8> = if round % 2 == 0 { (0..length).map(|_| next()).collect() } else { good.clone() };
        if round % 2 == 1 {
            let at = usize::from(next()) % bytes.len();
            bytes[at] ^= next() | 1;
            bytes.truncate(bytes.len() - usize::from(next()) % 8);
        }
        for call in CALLS {
            if let Err(refused) = send(&site, call, vec![bytes.clone()]).await {
                assert!(refused.code() != Code::Unknown && refused.code() != Code::Unavailable, "{call} {bytes:?}: {refused}");
            }
        }
    }
    play(&site, "register A\nissue I1 A 100 due=2026-03-20").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_ten_megabytes_is_refused_unread() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    let mut invoice = new_invoice("I1", "A", 1000, "2026-03-20");
    invoice.document = "x".repeat(10 << 20);
    let request = proto::IssueInvoiceRequest { command_id: "big".to_owned(), invoice: Some(invoice) };
    let refused = site.client.clone().issue_invoice(request).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::OutOfRange, "message_too_large"), "{refused}");
    let item = proto::IssueInvoicesRequest { command_id: "x".repeat(10 << 20), invoice: None }.encode_to_vec();
    let refused = send(&site, "IssueInvoices", vec![item]).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::OutOfRange, "message_too_large"), "{refused}");
    // One that is read is refused by its field.
    let mut invoice = new_invoice("I1", "A", 1000, "2026-03-20");
    invoice.document = "x".repeat(3 << 20);
    let request = proto::IssueInvoiceRequest { command_id: "large".to_owned(), invoice: Some(invoice) };
    let refused = site.client.clone().issue_invoice(request).await;
    assert_eq!(crate::site::told(&refused), "InvalidArgument text_refused invoice.document");
    assert_eq!(site.events().await.len(), 1);
    play(&site, "issue I1 A 100 due=2026-03-20").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_item_ends_its_stream_and_what_came_before_is_done() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A").await;
    let item = |n: u32| {
        let invoice = new_invoice(&format!("I{n}"), "A", 100, "2026-03-20");
        proto::IssueInvoicesRequest { command_id: format!("k{n}"), invoice: Some(invoice) }.encode_to_vec()
    };
    let refused = send(&site, "IssueInvoices", vec![item(1), item(2), vec![0x08, 0x01], item(3)]).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::InvalidArgument, "message_malformed"), "{refused}");
    assert_eq!(site.transcript(1).await, ["account/default/A@2 InvoiceIssued", "account/default/A@3 InvoiceIssued"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_does_not_exist_is_unimplemented() {
    let site = Site::embedded(Default::default()).await;
    let refused = send(&site, "Nothing", vec![vec![]]).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::Unimplemented, "unknown_call"));
}
