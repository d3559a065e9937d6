//! `late_fees.csv`: worked examples by four conventions, and the days that a court counted.

use super::row::{Checked, Row};
use brazil::charges::{
    Allocation, Convention, DayBasis, Debt, Fine, Interest, InterestStart, Period, Rate, Rounding, Statement, Terms, statement,
};
use brazil::{Calendar, NaiveDate};
use chrono::Days;

/// Column, the name that `matching_convention` gives it, and the rule.
const CONVENTIONS: [(&str, &str, Convention, Rounding); 4] = [
    ("total_exact_half_up", "exact/30 half-up", Convention::Exact, Rounding::HalfUp),
    ("total_exact_truncated", "exact/30 truncated", Convention::Exact, Rounding::Truncated),
    ("total_daily_rate_3dec", "daily rate cut to 3 decimals", Convention::DailyRateThreeDecimals, Rounding::HalfUp),
    ("total_per_day_cents", "per-day cents x days (CNAB code 1)", Convention::PerDayCents, Rounding::HalfUp),
];

/// Each convention gives its column; the source's own total is that of the conventions that the row names, and of no other.
pub fn check(row: &Row) -> Checked {
    let (stated, matching) = (row.cents("stated_total")?, row.text("matching_convention"));
    for (column, name, convention, rounding) in CONVENTIONS {
        let made = by_convention(row, convention, rounding)?;
        if rounding == Rounding::HalfUp {
            row.is_cents("fine", made.fine_cents)?;
        }
        row.is_cents(column, made.due_cents)?;
        let named = matching.split(';').any(|named| named.trim() == name);
        row.holds("matching_convention", named == (made.due_cents == stated), format!("{name}: {}", made.due_cents == stated))?;
    }
    Ok(())
}

fn by_convention(row: &Row, convention: Convention, rounding: Rounding) -> Checked<Statement> {
    let period = match row.one_of("rate_period", &["day", "month", "year"])? {
        "day" => Period::Day,
        "month" => Period::Month(30),
        _ => Period::Year(365),
    };
    let rate = row.read("rate_pct", Rate::parse)?;
    let terms = Terms {
        fine: Some(Fine::Percent(row.read("fine_pct", Rate::parse)?)),
        interest: Interest::Agreed { rate, period, days: DayBasis::Calendar, convention },
        rounding,
        calendar: Calendar::None,
        ..terms()
    };
    // Any due date does: without a calendar all days are alike.
    let due = NaiveDate::default();
    let day = row.read("days", |text| due.checked_add_days(Days::new(text.parse().ok()?)))?;
    let debt = Debt { principal_cents: row.cents("value")?, due, movements: Vec::new() };
    statement(&debt, &terms, day).map_err(|fault| row.unchecked("value", fault))
}

fn terms() -> Terms {
    Terms {
        fine: None,
        interest: Interest::None,
        interest_start: InterestStart::Original,
        discounts: Vec::new(),
        discounts_roll: false,
        allocation: Allocation::ChargesFirst,
        rounding: Rounding::HalfUp,
        calendar: Calendar::BrSettlement,
    }
}

/// Days late on the day of payment, from the original due date.
pub fn check_day_count(row: &Row) -> Checked {
    let debt = Debt { principal_cents: 100_000, due: row.day("due")?, movements: Vec::new() };
    let made = statement(&debt, &terms(), row.day("paid")?).map_err(|fault| row.unchecked("due", fault))?;
    row.same("days_counted", &row.number("days_counted")?, &made.days_late)
}
