//! The due-date factor: days since 1997-10-07 in four digits, which restarted at 1000 on 2025-02-22.
//!
//! Source: FEBRABAN FB-082 and FB-122; Manual Operacional do Fator de Vencimento, 01.06.2012; Inter manual 6.1.2.

use kernel::{NaiveDate, calendar};

/// Factors of one turn: 1000 to 9999.
const TURN: i64 = 9000;
/// Oldest factor read as the past, in days before the reference.
pub const WINDOW_BACK_DAYS: i64 = 3000;
/// Furthest factor read as the future, in days after the reference.
pub const WINDOW_FORWARD_DAYS: i64 = 5500;
/// Calendar days that FEBRABAN gives a title payable at sight.
const AT_SIGHT_DAYS: i64 = 15;

/// Why a factor or a date has no counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactorFault {
    /// Not 1000 to 9999.
    #[error("due-date factor {0} is not 1000 to 9999")]
    Range(u16),
    /// Before 2000-07-03, when factors had fewer than four digits.
    #[error("due date {0} has no factor")]
    BeforeFirst(NaiveDate),
    /// Between the two windows: ask whoever issued the slip. The dates are what it could mean.
    #[error("due-date factor {factor} lies in the guard zone")]
    GuardZone {
        /// The factor.
        factor: u16,
        /// Nearest meaning before the reference date.
        earlier: Option<NaiveDate>,
        /// Nearest meaning after it.
        later: NaiveDate,
    },
}

impl FactorFault {
    /// Stable name of the refusal.
    pub fn slug(&self) -> &'static str {
        match self {
            FactorFault::Range(_) => "due_factor_range",
            FactorFault::BeforeFirst(_) => "due_factor_before_first",
            FactorFault::GuardZone { .. } => "due_factor_guard_zone",
        }
    }
}

/// 1997-10-07.
fn base() -> NaiveDate {
    NaiveDate::from_ymd_opt(1997, 10, 7).unwrap_or(NaiveDate::MIN)
}

/// The factor of a due date, 1000 to 9999. Errors: [`FactorFault::BeforeFirst`].
pub fn encode(due: NaiveDate) -> Result<u16, FactorFault> {
    let days = calendar::days_between(base(), due);
    if days < 1000 {
        return Err(FactorFault::BeforeFirst(due));
    }
    u16::try_from((days - 1000) % TURN + 1000).map_err(|_| FactorFault::BeforeFirst(due))
}

/// The due date of a factor seen from `reference`: the one within 3000 days back and 5500 forward, both included.
/// Errors: [`FactorFault::Range`], and [`FactorFault::GuardZone`] for the 499 factors in between.
pub fn decode(factor: u16, reference: NaiveDate) -> Result<NaiveDate, FactorFault> {
    if !(1000..=9999).contains(&factor) {
        return Err(FactorFault::Range(factor));
    }
    let today = calendar::days_between(base(), reference);
    // Days from the oldest day of the window to the first meaning of the factor on or after it.
    let ahead = (i64::from(factor) - (today - WINDOW_BACK_DAYS)).rem_euclid(TURN);
    let days = today - WINDOW_BACK_DAYS + ahead;
    if days >= 1000 && ahead <= WINDOW_BACK_DAYS + WINDOW_FORWARD_DAYS {
        return Ok(calendar::add_days(base(), days));
    }
    let date = |days: i64| (days >= 1000).then(|| calendar::add_days(base(), days));
    let later = if days < 1000 { i64::from(factor) } else { days };
    Err(FactorFault::GuardZone { factor, earlier: date(later - TURN), later: calendar::add_days(base(), later) })
}

/// Due date of a title payable at sight: 15 calendar days after its processing (FEBRABAN manual).
pub fn at_sight(processed: NaiveDate) -> NaiveDate {
    calendar::add_days(processed, AT_SIGHT_DAYS)
}
