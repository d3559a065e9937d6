//! Made-up data for previews: it is nobody's.

use super::{Creditor, Language, Letter, Line};
use kernel::{Currency, NaiveDate, calendar, personal::Personal};

/// A letter of a day, with one overdue and one upcoming receivable, from a creditor.
pub fn sample(language: Language, creditor: Creditor, day: NaiveDate) -> Letter {
    let line = |document: &str, amount_minor, due_on, overdue| Line {
        document: document.to_owned(),
        amount_minor,
        due_on,
        overdue,
        payment_returned: false,
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
        lines: vec![line("NF 1001", 123_456, calendar::add_days(day, -7), true), line("NF 1002", 5_000, calendar::add_days(day, 7), false)],
    }
}
