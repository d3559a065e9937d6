//! Where a demo's invoices are paid: a bank agreement and a Pix key that nobody has.

use brazil::charges::{
    Allocation, Convention, DayBasis, Debt, Fine, Interest, InterestStart, Movement, MovementKind, Period, Rate, Rounding, Terms, statement,
};
use contracts::invoice::v1 as proto;
use kernel::{Calendar, NaiveDate};

/// A fine of 2 %, the most that a consumer may be charged.
const FINE: Rate = Rate::percent(2);
/// Interest of 1 % a month, the custom.
const INTEREST: Rate = Rate::percent(1);

/// The collection account of a demo: its default one.
pub fn account() -> proto::CollectionAccount {
    proto::CollectionAccount {
        account_id: "demo".to_owned(),
        boleto: Some(proto::BoletoAgreement { bank: 33, agreement: "0000001".into(), wallet: "101".into(), ..Default::default() }),
        beneficiary: Some(proto::Beneficiary {
            name: "Credor de Exemplo Ltda.".to_owned(),
            tax_id: "11.222.333/0001-81".to_owned(),
            address: "Rua Fictícia, 1, 00000-000 Cidade Exemplo - SP".to_owned(),
        }),
        pix: Some(proto::PixReceiver {
            key: "00000000-0000-0000-0000-000000000000".to_owned(),
            name: "Credor de Exemplo".to_owned(),
            city: "Cidade Exemplo".to_owned(),
        }),
        is_default: true,
        charges: Some(proto::ChargeTerms {
            fine_percent_micros: FINE.micros(),
            interest_percent_micros: INTEREST.micros(),
            ..proto::ChargeTerms::default()
        }),
    }
}

/// What an invoice of that account comes to on a day, after payments of other days: what its payer is asked for.
pub(super) fn due_minor((amount_minor, due_on): (i64, NaiveDate), paid: &[(NaiveDate, i64)], day: NaiveDate) -> i64 {
    let movement = |(day, cents): &(NaiveDate, i64)| Movement { day: *day, cents: *cents, kind: MovementKind::Payment };
    let debt = Debt { principal_cents: amount_minor, due: due_on, movements: paid.iter().map(movement).collect() };
    let interest = Interest::Agreed { rate: INTEREST, period: Period::Month(30), days: DayBasis::Calendar, convention: Convention::Exact };
    let terms = Terms {
        fine: Some(Fine::Percent(FINE)),
        interest,
        interest_start: InterestStart::Original,
        discounts: Vec::new(),
        discounts_roll: false,
        allocation: Allocation::ChargesFirst,
        rounding: Rounding::HalfUp,
        calendar: Calendar::BrSettlement,
    };
    statement(&debt, &terms, day).map_or(amount_minor, |statement| statement.due_cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_pays_late_in_a_demo_pays_what_is_asked() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let due = |paid: &[(NaiveDate, i64)], on| due_minor((10_000, day("2026-02-02")), paid, day(on));
        assert_eq!((due(&[], "2026-02-02"), due(&[], "2026-02-12")), (10_000, 10_233));
        assert_eq!(due(&[(day("2026-02-12"), 5_000)], "2026-03-14"), 5_286);
    }
}
