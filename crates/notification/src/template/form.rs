//! Amounts and dates in the reader's form.

use super::Language;
use chrono::{Datelike, NaiveDate};
use kernel::{Currency, Money};
use minijinja::Value;

/// An amount: `R$ 1.234,56` in Portuguese, `USD 1,234.56` in English.
pub fn amount(money: Money, language: Language) -> String {
    let (thousands, decimal) = match language {
        Language::Portuguese => ('.', ','),
        Language::English => (',', '.'),
    };
    let sign = if money.minor < 0 { "-" } else { "" };
    let minor = money.minor.unsigned_abs();
    format!("{} {sign}{}{decimal}{:02}", symbol(money.currency, language), grouped(minor / 100, thousands), minor % 100)
}

fn symbol(currency: Currency, language: Language) -> String {
    if currency == Currency::BRL && language == Language::Portuguese { "R$".to_owned() } else { currency.to_string() }
}

fn grouped(whole: u64, separator: char) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A date: `23/11/2026` in Portuguese, `Nov 23, 2026` in English.
pub fn date(day: NaiveDate, language: Language) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    match language {
        Language::Portuguese => format!("{:02}/{:02}/{}", day.day(), day.month(), day.year()),
        Language::English => {
            let month = MONTHS.get(day.month0() as usize).copied().unwrap_or_default();
            format!("{month} {}, {}", day.day(), day.year())
        }
    }
}

/// A text as the end of a sentence: with a full stop, unless it has one, as `Ltda.` has.
pub fn stop(value: Value) -> Value {
    let text = value.to_string();
    match (text.ends_with('.'), value.is_safe()) {
        (true, _) => value,
        (false, true) => Value::from_safe_string(text + "."),
        (false, false) => Value::from(text + "."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_the_reader_writes_them() {
        for (minor, currency, portuguese, english) in [
            (123_456, "BRL", "R$ 1.234,56", "BRL 1,234.56"),
            (5, "BRL", "R$ 0,05", "BRL 0.05"),
            (100_000, "USD", "USD 1.000,00", "USD 1,000.00"),
            (99_999, "EUR", "EUR 999,99", "EUR 999.99"),
            (-150, "BRL", "R$ -1,50", "BRL -1.50"),
            (9_007_199_254_740_992, "USD", "USD 90.071.992.547.409,92", "USD 90,071,992,547,409.92"),
        ] {
            let money = Money { minor, currency: Currency::new(currency).unwrap() };
            assert_eq!(amount(money, Language::Portuguese), portuguese);
            assert_eq!(amount(money, Language::English), english);
        }
    }

    #[test]
    fn dates_read_as_the_reader_writes_them() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 3).unwrap();
        assert_eq!(date(day, Language::Portuguese), "03/11/2026");
        assert_eq!(date(day, Language::English), "Nov 3, 2026");
    }
}
