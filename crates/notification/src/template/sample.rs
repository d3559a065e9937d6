//! Made-up data for previews: it is nobody's. The bank 999 and the Pix key of zeros do not exist.

use super::{Charged, Creditor, Language, Letter, Line, PayWith};
use brazil::{
    boleto::Boleto,
    pix::{Account, Draft, Initiation, StaticTxid},
};
use kernel::{Currency, NaiveDate, calendar, personal::Personal};

/// Nominal value of the overdue receivable, minor units.
const NOMINAL_MINOR: i64 = 120_759;
/// Its charges after seven days: a fine of 2 %, 1 % a month.
const CHARGED: Charged = Charged { fine_minor: 2_415, interest_minor: 282, discount_minor: 0 };

/// A letter of a day, with one overdue and one upcoming receivable, from a creditor.
pub fn sample(language: Language, creditor: Creditor, day: NaiveDate) -> Letter {
    let (late, soon) = (calendar::add_days(day, -7), calendar::add_days(day, 7));
    let line = |document: &str, (amount_minor, nominal_minor), due_on, overdue| Line {
        document: document.to_owned(),
        amount_minor,
        due_on,
        overdue,
        payment_returned: false,
        charged: if overdue { CHARGED } else { Charged::default() },
        pay_with: pay_with(document, amount_minor, (nominal_minor, due_on)),
    };
    let (name, address) = match language {
        Language::Portuguese => ("Ana Exemplo", "Rua das Flores, 100, São Paulo/SP, 01000-000"),
        Language::English => ("Ann Example", "100 Flower Street, Springfield"),
    };
    Letter {
        language,
        name: Personal::new(name),
        address: Personal::new(address),
        creditor,
        day,
        currency: Currency::BRL,
        asks: true,
        lines: vec![line("NF 1001", (123_456, NOMINAL_MINOR), late, true), line("NF 1002", (5_000, 5_000), soon, false)],
    }
}

fn pay_with(document: &str, amount_minor: i64, (nominal_minor, due_on): (i64, NaiveDate)) -> PayWith {
    let slip = Boleto::new(999, Some(due_on), nominal_minor.unsigned_abs(), &[0; 25]).ok();
    let txid: String = document.chars().filter(char::is_ascii_alphanumeric).collect();
    let draft = Draft {
        account: Account::Static { key: "00000000-0000-0000-0000-000000000000".to_owned(), info: None, fss: None },
        initiation: Initiation::Unstated,
        amount_cents: Some(amount_minor.unsigned_abs()),
        name: "Exemplo".to_owned(),
        city: "Cidade Exemplo".to_owned(),
        cep: None,
        txid: StaticTxid::new(&txid).ok(),
        recurrence_url: None,
    };
    PayWith {
        pix: draft.code().map(|code| code.text()).unwrap_or_default(),
        line: slip.map(|slip| slip.printed_line()).unwrap_or_default(),
        bar_code: slip.map(|slip| slip.barcode()).unwrap_or_default(),
        boleto_differs: false,
    }
}
