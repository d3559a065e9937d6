//! Return files for tests, written by hand: Santander's CNAB 240, Itaú's CNAB 400, FEBRABAN 150.

use crate::site::{Client, Site};
use contracts::invoice::v1 as proto;
use futures::stream;
use tonic::Status;

/// A record with texts put at positions (from 1).
pub fn record(size: usize, parts: &[(usize, &str)]) -> String {
    let mut line = vec![' '; size];
    for (from, text) in parts {
        for (index, c) in text.chars().enumerate() {
            line[from - 1 + index] = c;
        }
    }
    line.into_iter().collect()
}

/// A title of Santander's file.
#[derive(Clone)]
pub struct Told {
    pub movement: &'static str,
    pub nosso_numero: String,
    pub cents: i64,
    /// DDMMAAAA.
    pub on: &'static str,
    pub fee: i64,
    pub company_use: &'static str,
    pub reasons: &'static str,
}

impl Told {
    pub fn new(movement: &'static str, nosso_numero: &str, cents: i64) -> Self {
        let nosso_numero = nosso_numero.to_owned();
        Self { movement, nosso_numero, cents, on: "09032026", fee: 0, company_use: "", reasons: "" }
    }

    fn lines(&self) -> [String; 2] {
        let (cents, fee) = (format!("{:015}", self.cents), format!("{:015}", self.fee));
        let nosso_numero = format!("{:0>13}", self.nosso_numero);
        let title = [
            (1, "03300013"),
            (14, "T"),
            (16, self.movement),
            (41, &nosso_numero),
            (78, &cents),
            (101, self.company_use),
            (194, &fee),
            (209, self.reasons),
        ];
        let amounts = [(1, "03300013"), (14, "U"), (16, self.movement), (78, &cents), (93, &cents), (138, self.on), (146, self.on)];
        [record(240, &title), record(240, &amounts)]
    }
}

/// A file of Santander for the agreement of the tests' account.
pub fn santander(titles: &[Told]) -> Vec<u8> {
    santander_of("1234567", titles)
}

pub fn santander_of(agreement: &str, titles: &[Told]) -> Vec<u8> {
    let mut lines = vec![record(240, &[(1, "03300000"), (33, agreement), (143, "2"), (158, "000007")])];
    lines.push(record(240, &[(1, "03300011T01"), (34, agreement)]));
    lines.extend(titles.iter().flat_map(Told::lines));
    lines.push(record(240, &[(1, "03300015"), (18, &format!("{:06}", titles.len() * 2))]));
    lines.push(record(240, &[(1, "03399999"), (18, "000001"), (24, &format!("{:06}", titles.len() * 2 + 4))]));
    (lines.join("\r\n") + "\r\n").into_bytes()
}

/// A file of Itaú with one title: occurrence, nosso número, cents credited, fee, DDMMAA.
pub fn itau(occurrence: &str, nosso_numero: &str, cents: i64, fee: i64, on: &str) -> Vec<u8> {
    let header = record(400, &[(1, "02RETORNO01"), (27, "0123005678900"), (77, "341"), (95, "100326")]);
    let (cents, fee) = (format!("{cents:013}"), format!("{fee:013}"));
    let detail = record(
        400,
        &[
            (1, "1"),
            (18, "0123005678900"),
            (63, nosso_numero),
            (83, "109"),
            (109, occurrence),
            (111, on),
            (153, &cents),
            (176, &fee),
            (254, &cents),
        ],
    );
    let trailer = record(400, &[(1, "9"), (213, "00000001"), (221, &format!("{:0>14}", cents))]);
    [header, detail, trailer].join("\r\n").into_bytes()
}

/// A return of arrecadação with one payment.
pub fn arrecadacao(bar_code: &str, cents: i64) -> Vec<u8> {
    let header = record(150, &[(1, "A2"), (3, "AGR"), (43, "033"), (66, "20260310"), (74, "000001")]);
    let detail = record(150, &[(1, "G"), (22, "2026030920260310"), (38, bar_code), (82, &format!("{cents:012}")), (94, "0000000")]);
    let trailer = record(150, &[(1, "Z"), (2, "000003"), (8, &format!("{cents:017}"))]);
    [header, detail, trailer].join("\r\n").into_bytes()
}

/// Sends a file in pieces of 100 bytes.
pub async fn import(site: &Site, file: &[u8]) -> Result<proto::ImportBankFileResponse, Status> {
    import_with(site.client.clone(), file).await
}

pub async fn import_with(mut client: Client, file: &[u8]) -> Result<proto::ImportBankFileResponse, Status> {
    let pieces: Vec<_> = file.chunks(100).map(|piece| proto::ImportBankFileRequest { content: piece.to_vec() }).collect();
    client.import_bank_file(stream::iter(pieces)).await.map(tonic::Response::into_inner)
}

/// `applied 2 15000, known 1 0`.
pub fn outcomes(answer: &proto::ImportBankFileResponse) -> String {
    let one = |outcome: &proto::BankFileOutcome| format!("{} {} {}", outcome.outcome, outcome.records, outcome.amount_minor);
    let counted: u64 = answer.outcomes.iter().map(|outcome| outcome.records).sum();
    assert_eq!(counted, answer.titles, "every title has one outcome");
    answer.outcomes.iter().map(one).collect::<Vec<_>>().join(", ")
}
