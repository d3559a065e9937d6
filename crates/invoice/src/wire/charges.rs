//! Charges and discounts: as agreed, and as they stand on a day. Errors name the field as the caller wrote it.

use super::event::DecodeFault;
use brazil::charges::{
    Allocation, Convention, DayBasis, DiscountValue, Fine, InterestStart, LegalRates, Period, ProRata, Rate, Rounding, Statement,
};
use contracts::invoice::v1 as proto;
use host::Refusal;
use kernel::{Calendar, InvoiceId, NaiveDate, money::MAX_AMOUNT_MINOR, written};
use receivable::{
    Account, Invoice, Phase,
    charges::{AgreedInterest, ChargeTerms, EarlyDiscount, statement_on},
};

/// Terms of a request; `field` is the message that holds them. Errors: INVALID_ARGUMENT on the field at fault.
pub fn charge_terms(field: &str, m: &proto::ChargeTerms) -> Result<ChargeTerms, Refusal> {
    for (name, minor) in [("fine_minor", m.fine_minor), ("interest_minor_per_day", m.interest_minor_per_day)] {
        if minor > MAX_AMOUNT_MINOR {
            return Err(Refusal::invalid(&format!("{field}.{name}"), "amount_too_large", "is more than 2^53"));
        }
    }
    read(m).map_err(|name| Refusal::invalid(&format!("{field}.{name}"), "charges_terms", "has a value that it does not take"))
}

/// Terms of an event.
pub(super) fn charge_terms_in(m: &proto::ChargeTerms) -> Result<ChargeTerms, DecodeFault> {
    read(m).map_err(DecodeFault::Field)
}

/// Terms as they are stored and shown.
pub fn charge_terms_out(terms: &ChargeTerms) -> proto::ChargeTerms {
    let mut m = proto::ChargeTerms {
        interest_start: terms.interest_start.name().to_owned(),
        discounts: terms.discounts.iter().map(discount_out).collect(),
        discounts_roll: terms.discounts_roll,
        allocation: terms.allocation.name().to_owned(),
        rounding: terms.rounding.name().to_owned(),
        calendar: terms.calendar.name().to_owned(),
        ..proto::ChargeTerms::default()
    };
    match terms.fine {
        None => {}
        Some(Fine::Percent(rate)) => m.fine_percent_micros = rate.micros(),
        Some(Fine::Fixed(minor)) => m.fine_minor = minor,
    }
    match terms.interest {
        AgreedInterest::None => {}
        AgreedInterest::PerDay(minor) => m.interest_minor_per_day = minor,
        AgreedInterest::Rate { rate, period, days, convention } => {
            m.interest_percent_micros = rate.micros();
            (m.interest_period, m.interest_period_days) = match period {
                Period::Day => ("day".to_owned(), 0),
                Period::Month(days) => ("month".to_owned(), u32::from(days)),
                Period::Year(days) => ("year".to_owned(), u32::from(days)),
            };
            m.interest_business_days = days == DayBasis::Business;
            convention.name().clone_into(&mut m.interest_convention);
        }
        AgreedInterest::Legal(pro_rata) => pro_rata.name().clone_into(&mut m.interest_legal),
    }
    m
}

fn read(m: &proto::ChargeTerms) -> Result<ChargeTerms, &'static str> {
    let plain = ChargeTerms::default();
    let named = |text: &str, fallback, found: Option<_>, field| if text.is_empty() { Ok(fallback) } else { found.ok_or(field) };
    Ok(ChargeTerms {
        fine: fine(m)?,
        interest: interest(m)?,
        interest_start: if m.interest_start.is_empty() {
            plain.interest_start
        } else {
            InterestStart::named(&m.interest_start).ok_or("interest_start")?
        },
        discounts: m.discounts.iter().map(discount).collect::<Result<_, _>>()?,
        discounts_roll: m.discounts_roll,
        allocation: named(&m.allocation, plain.allocation, allocation(&m.allocation), "allocation")?,
        rounding: if m.rounding.is_empty() { plain.rounding } else { Rounding::named(&m.rounding).ok_or("rounding")? },
        calendar: if m.calendar.is_empty() { plain.calendar } else { Calendar::named(&m.calendar).ok_or("calendar")? },
    })
}

fn fine(m: &proto::ChargeTerms) -> Result<Option<Fine>, &'static str> {
    match (m.fine_percent_micros, m.fine_minor) {
        (0, 0) => Ok(None),
        (micros, 0) => Ok(Some(Fine::Percent(Rate::from_micros(micros)))),
        (0, minor) if minor > 0 => Ok(Some(Fine::Fixed(minor))),
        _ => Err("fine_minor"),
    }
}

fn interest(m: &proto::ChargeTerms) -> Result<AgreedInterest, &'static str> {
    if !m.interest_legal.is_empty() {
        let agreed = m.interest_percent_micros != 0 || m.interest_minor_per_day != 0;
        let pro_rata = ProRata::named(&m.interest_legal).filter(|_| !agreed);
        return pro_rata.map(AgreedInterest::Legal).ok_or("interest_legal");
    }
    match (m.interest_percent_micros, m.interest_minor_per_day) {
        (0, 0) => Ok(AgreedInterest::None),
        (0, minor) if minor > 0 => Ok(AgreedInterest::PerDay(minor)),
        (micros, 0) => {
            let spread = |custom: u16| match m.interest_period_days {
                0 => Ok(custom),
                days => u16::try_from(days).map_err(|_| "interest_period_days"),
            };
            let period = match m.interest_period.as_str() {
                "day" => Period::Day,
                "month" | "" => Period::Month(spread(30)?),
                "year" => Period::Year(spread(365)?),
                _ => return Err("interest_period"),
            };
            let days = if m.interest_business_days { DayBasis::Business } else { DayBasis::Calendar };
            let convention = match m.interest_convention.as_str() {
                "" => Convention::Exact,
                name => Convention::named(name).ok_or("interest_convention")?,
            };
            Ok(AgreedInterest::Rate { rate: Rate::from_micros(micros), period, days, convention })
        }
        _ => Err("interest_minor_per_day"),
    }
}

fn allocation(name: &str) -> Option<Allocation> {
    [Allocation::ChargesFirst, Allocation::PrincipalFirst].into_iter().find(|allocation| allocation.name() == name)
}

fn discount(m: &proto::Discount) -> Result<EarlyDiscount, &'static str> {
    let value = match (m.percent_micros, m.minor) {
        (micros, 0) if micros > 0 => DiscountValue::Percent(Rate::from_micros(micros)),
        (0, minor) if minor > 0 => DiscountValue::Fixed(minor),
        _ => return Err("discounts"),
    };
    Ok(EarlyDiscount { days_before_due: u16::try_from(m.days_before_due).map_err(|_| "discounts.days_before_due")?, value })
}

fn discount_out(discount: &EarlyDiscount) -> proto::Discount {
    let (percent_micros, minor) = match discount.value {
        DiscountValue::Percent(rate) => (rate.micros(), 0),
        DiscountValue::Fixed(minor) => (0, minor),
    };
    proto::Discount { days_before_due: discount.days_before_due.into(), percent_micros, minor }
}

/// What a receivable comes to on a day; `None` where the account has no such one. Errors: a day on which it cannot be computed.
pub fn statement(
    account: &Account,
    invoice_id: &InvoiceId,
    (day, rates): (NaiveDate, &LegalRates),
) -> Result<Option<proto::Statement>, Refusal> {
    let Some(invoice) = account.invoices.get(invoice_id) else { return Ok(None) };
    let stands = statement_on(account, (invoice_id, invoice), day, rates)
        .map_err(|fault| Refusal::invalid("as_of", fault.slug(), fault.to_string()))?;
    Ok(Some(statement_view(&stands, invoice)))
}

fn statement_view(statement: &Statement, invoice: &Invoice) -> proto::Statement {
    let due_minor = match invoice.phase {
        Phase::Open | Phase::Settled => statement.due_cents,
        Phase::Renegotiated => invoice.open_minor,
        Phase::Cancelled => 0,
    };
    proto::Statement {
        day: written::date_text(statement.day),
        principal_minor: statement.principal_cents,
        fine_minor: statement.fine_cents,
        interest_minor: statement.interest_cents,
        discount_minor: statement.discount_cents,
        credits_minor: statement.credits_cents,
        paid_minor: statement.paid_cents,
        due_minor,
        excess_minor: statement.excess_cents,
        days_late: statement.days_late,
        currency: invoice.currency.to_string(),
        interest_convention: statement.convention.to_owned(),
        rounding: statement.rounding.name().to_owned(),
        interest_start: statement.interest_start.name().to_owned(),
        allocation: statement.allocation.name().to_owned(),
    }
}
