//! What the codecs are given where their speed is measured: here and by `regua bench`.

use brazil::charges::Rate;
use brazil::cnab::remittance::{
    Company, FineOrder, Instruction, InterestOrder, Order, Payer, ProtestOrder, RemittanceWriter, Species, Title,
};
use brazil::{Cep, NaiveDate, State, TaxId};
use chrono::NaiveTime;
use kernel::personal::Personal;

/// A line of Banco do Brasil.
pub const LINE: &str = "00190.00009 01238.798977 77700.168188 3 37690000013500";
/// Its bar code.
pub const BARCODE: &str = "00193376900000135000000001238798977770016818";
/// A code of a key.
pub const PIX: &str = "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 1235204000053039865802BR5914THALES OGLIARI6015SAO MIGUEL DO \
                   O62070503***630462CA";
/// Titles of a return file.
pub const TITLES: usize = 1000;

/// A return of Banco do Brasil in which every title is paid.
pub fn return_file() -> Vec<u8> {
    let header =
        record(&[(1, "00100000"), (18, "2"), (19, "11222333000181"), (33, "1234567"), (143, "2"), (144, "21112026"), (158, "000007")]);
    let mut lines = vec![header, record(&[(1, "00100011T01"), (34, "1234567")])];
    for number in 0..TITLES {
        let (first, second) = (2 * number + 1, 2 * number + 2);
        let (t, u, title) = (format!("00100013{first:05}T"), format!("00100013{second:05}U"), format!("1234567{number:010}"));
        lines.push(record(&[(1, &t), (16, "06"), (38, &title)]));
        lines.push(record(&[(1, &u), (16, "06"), (78, "000000000010000"), (93, "000000000009800"), (138, "20112026"), (146, "21112026")]));
    }
    lines.push(record(&[(1, "00100015"), (18, &format!("{:06}", 2 * TITLES + 2))]));
    lines.push(record(&[(1, "00199999"), (18, "000001"), (24, &format!("{:06}", 2 * TITLES + 4))]));
    lines.concat().into_bytes()
}

/// Who sends a remittance, and its titles, each to be registered with a fine: segments P, Q and R. None where a sample is no longer valid.
pub fn remittance() -> Option<(Company, Vec<Order>)> {
    let company = Company {
        bank: 756,
        bank_name: "Sicoob".into(),
        tax_id: TaxId::parse("11222333000181").ok()?,
        name: "Padaria Sao Joao".into(),
        agreement: "229385".into(),
        agency: "4327".into(),
        agency_digit: '3',
        account: "417270".into(),
        account_digit: '0',
        agency_account_digit: ' ',
    };
    let payer = Payer {
        tax_id: TaxId::parse("133.782.710-00").ok()?,
        name: Personal::new("Maria Conceição"),
        street: Personal::new("Rua Ação, 10"),
        district: Personal::new("Centro"),
        cep: Cep::parse("01310-100").ok()?,
        city: "São Paulo".into(),
        state: State::SP,
    };
    let (due, late, issued_on) =
        (NaiveDate::from_ymd_opt(2026, 12, 21)?, NaiveDate::from_ymd_opt(2026, 12, 22)?, NaiveDate::from_ymd_opt(2026, 11, 21)?);
    let title = |number: usize| Title {
        nosso_numero: format!("{number:010} 0101"),
        wallet: 1,
        document: format!("DOC-{number}"),
        company_use: format!("invoice/{number}"),
        due,
        issued_on,
        nominal_cents: 12_345,
        species: Species::DM,
        accepted: false,
        interest: InterestOrder::PercentPerMonth(late, Rate::percent(1)),
        discounts: Vec::new(),
        abatement_cents: 0,
        fine: Some(FineOrder::Percent(late, Rate::percent(2))),
        protest: ProtestOrder::None,
        write_off_days: None,
        payer: Some(payer.clone()),
    };
    Some((company, (1..=TITLES).map(|number| Order { instruction: Instruction::Entry, title: title(number) }).collect()))
}

/// Writes a remittance; how many records it has. Errors: the writer's.
pub fn records_written(company: &Company, orders: &[Order]) -> Option<usize> {
    let (day, time) = (NaiveDate::from_ymd_opt(2026, 11, 21)?, NaiveTime::from_hms_opt(10, 11, 12)?);
    let mut writer = RemittanceWriter::new(company.clone(), 7, day, time).ok()?;
    let mut records = writer.begin().ok()?.len();
    for order in orders {
        records += writer.order(order).ok()?.len();
    }
    Some(records + writer.finish().ok()?.len())
}

fn record(parts: &[(usize, &str)]) -> String {
    let mut line = " ".repeat(240);
    parts.iter().for_each(|(from, text)| line.replace_range(from - 1..from - 1 + text.len(), text));
    line + "\r\n"
}
