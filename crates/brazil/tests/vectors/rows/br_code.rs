//! `pix_brcode.csv`: BR Codes read, and written again from their parts.

use super::row::{Checked, Row};
use brazil::Cep;
use brazil::pix::{Account, BrCode, BrCodeFault, Draft, Initiation, StaticTxid};

/// What a code is read as equals its row. One without remarks is written back from those parts too; one with remarks
/// (deviations of its source from the standard) is only read.
pub fn check(row: &Row) -> Checked {
    row.one_of("authority", &["central-bank", "lib-test", "lib-doc", "third-party"])?;
    let payload = row.text("payload");
    let stated = payload.get(payload.len().saturating_sub(4)..).unwrap_or_default();
    row.is("crc", stated)?;
    let read = BrCode::parse(payload);
    if row.text("check") != "crc_ok" {
        return row.holds("check", matches!(read, Err(BrCodeFault::Checksum { .. })), "crc_ok");
    }
    let code = read.map_err(|fault| row.differs("payload", fault))?;
    row.holds("payload", code.text().eq_ignore_ascii_case(payload), code.text())?;
    let (account, recurrence) = (account(row), row.given("rec_url"));
    compare(row, &code, &account)?;
    row.is("type", kind(&account, recurrence.is_some()))?;
    if row.given("remarks").is_some() || !is_of_plain_parts(&code) {
        return Ok(());
    }
    row.holds("payload", code.deviations().is_empty(), format!("{:?}, and no remark", code.deviations()))?;
    let draft = draft(row, &code, account);
    let written = draft.code().map_err(|fault| row.differs("payload", fault))?;
    row.is("payload", written.text())
}

fn compare(row: &Row, code: &BrCode, account: &Account) -> Checked {
    let column = match code.account() {
        Account::Static { .. } => "key",
        Account::Dynamic { .. } | Account::RecurrenceOnly => "url",
    };
    row.holds(column, same_account(code.account(), account), format!("{:?}", code.account()))?;
    let initiation = match row.one_of("poi", &["", "11", "12"])? {
        "11" => Initiation::Reusable,
        "12" => Initiation::Once,
        _ => Initiation::Unstated,
    };
    row.same("poi", &initiation, &code.initiation())?;
    row.is("rec_url", code.recurrence_url().unwrap_or_default())?;
    row.is("name", code.name())?;
    row.is("city", code.city())?;
    row.is("cep", code.postal_code().unwrap_or_default())?;
    let amount = code.fields().iter().find(|field| field.tag == 54).map(|field| field.value.as_str());
    row.is("amount", amount.unwrap_or_default())?;
    row.holds("amount", amount.is_some() == code.amount_cents().is_some(), format!("{:?}", code.amount_cents()))?;
    let txid = row.given("txid").filter(|txid| *txid != "***");
    row.same("txid", &txid, &code.txid())
}

/// A withdrawal facilitator has no column.
fn same_account(read: &Account, listed: &Account) -> bool {
    match (read, listed) {
        (Account::Static { key, info, .. }, Account::Static { key: listed_key, info: listed_info, .. }) => {
            (key, info) == (listed_key, listed_info)
        }
        _ => read == listed,
    }
}

fn account(row: &Row) -> Account {
    match (row.given("key"), row.given("url")) {
        (Some(key), _) => Account::Static { key: key.to_owned(), info: row.given("info").map(str::to_owned), fss: None },
        (None, Some(url)) => Account::Dynamic { url: url.to_owned() },
        (None, None) => Account::RecurrenceOnly,
    }
}

fn kind(account: &Account, recurrence: bool) -> String {
    let kind = match account {
        Account::Static { .. } => "static",
        Account::Dynamic { .. } => "dynamic",
        Account::RecurrenceOnly => return "recurrence-only".to_owned(),
    };
    if recurrence { format!("{kind}+recurrence") } else { kind.to_owned() }
}

/// Whether the code says nothing but what a draft can say: no merchant category, no field of its own, no id in a dynamic
/// code (its id is behind the URL).
fn is_of_plain_parts(code: &BrCode) -> bool {
    let plain = |tag: u8, value: &str| match tag {
        52 => value == "0000",
        62 => value.starts_with("05") && value.len() == 4 + value.get(2..4).and_then(|size| size.parse().ok()).unwrap_or(0),
        tag => matches!(tag, 0 | 1 | 26 | 53 | 54 | 58..=61 | 80),
    };
    let fields = code.fields().iter().all(|field| plain(field.tag, &field.value));
    let gui = code.text().contains("0014br.gov.bcb.pix");
    fields && gui && (matches!(code.account(), Account::Static { .. }) || code.txid().is_none())
}

fn draft(row: &Row, code: &BrCode, account: Account) -> Draft {
    let account = match (account, code.account()) {
        (Account::Static { key, info, .. }, Account::Static { fss, .. }) => Account::Static { key, info, fss: fss.clone() },
        (account, _) => account,
    };
    Draft {
        account,
        initiation: code.initiation(),
        amount_cents: code.amount_cents(),
        name: row.text("name").to_owned(),
        city: row.text("city").to_owned(),
        cep: Cep::parse(row.text("cep")).ok(),
        txid: StaticTxid::new(row.text("txid")).ok(),
        recurrence_url: row.given("rec_url").map(str::to_owned),
    }
}
