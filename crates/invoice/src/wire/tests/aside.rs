//! Values of what stands beside the accounts of payers.

use super::{account_id, agreement, at, customer, day, invoice, payment, rated};
use crate::{finding::FindingFact, unapplied::UnappliedFact};
use brazil::{
    charges::Rate,
    cnab::remittance::{DiscountOrder, FineOrder, InterestOrder},
};
use kernel::Currency;
use receivable::{
    BankCharges, BankFileTaken, FeedEvent, PaymentFeedReported, Source,
    collection::{AccountTerms, Block, CollectionEvent},
    finding::{FindingEvent, Found},
    legal_rates::{LegalRateRecorded, Month},
    remittance::{Instruction, Order, RemittanceWritten},
    unapplied::{Assignment, Receipt, UnappliedEvent},
};

pub(super) fn accounts() -> Vec<CollectionEvent> {
    let terms = |agreement, charges| AccountTerms { account_id: account_id(), agreement, has_pix: true, is_default: true, charges };
    vec![
        CollectionEvent::Registered(terms(Some(agreement()), Some(rated()))),
        CollectionEvent::Amended(terms(None, None)),
        CollectionEvent::NumbersReserved { account_id: account_id(), block: Block { first: 101, count: 100 } },
    ]
}

pub(super) fn unapplied() -> Vec<UnappliedFact> {
    let receipt = |source, suggested| {
        UnappliedEvent::Received(Receipt {
            payment_id: payment("U1"),
            source,
            amount_minor: 100,
            currency: Currency::BRL,
            paid_on: day("2026-11-20"),
            reference: "123-4".into(),
            account: "033".into(),
            end_to_end_id: "E0000".into(),
            reason: "unknown_reference".into(),
            suggested,
            fee_minor: 3,
        })
    };
    let events = [
        receipt(Source::Pix, None),
        receipt(Source::BankFileOrPix, Some(invoice())),
        UnappliedEvent::Assigned(Assignment { invoice_id: invoice(), customer_id: customer(), amount_minor: 90 }),
        UnappliedEvent::Applied { invoice_id: invoice(), customer_id: customer() },
        UnappliedEvent::Released { invoice_id: invoice(), reason: "invoice_cancelled".into() },
        UnappliedEvent::Dismissed { reason: "not ours".into() },
        UnappliedEvent::Returned { return_id: "D1".into(), amount_minor: 10, returned_on: day("2026-11-25") },
    ];
    events.into_iter().map(|event| UnappliedFact { payment_id: "U1".into(), event }).collect()
}

pub(super) fn remittances() -> Vec<RemittanceWritten> {
    let order = |instruction, charges| Order {
        instruction,
        invoice_id: invoice(),
        customer_id: customer(),
        due_on: day("2026-11-23"),
        amount_minor: 12_345,
        charges,
        nosso_numero: String::new(),
    };
    let discount = |code, hundredths| DiscountOrder { code, until: day("2026-11-20"), hundredths };
    let rates = BankCharges {
        interest: InterestOrder::PercentPerMonth(day("2026-11-24"), Rate::from_hundredths(100)),
        fine: Some(FineOrder::Percent(day("2026-11-24"), Rate::from_hundredths(200))),
        discounts: vec![discount(1, 500), discount(2, 250)],
        abatement_minor: 7,
    };
    let amounts = BankCharges {
        interest: InterestOrder::CentsPerDay(day("2026-11-24"), 3),
        fine: Some(FineOrder::Fixed(day("2026-11-24"), 199)),
        discounts: vec![],
        abatement_minor: 0,
    };
    let plain = Instruction::ALL.map(|instruction| order(instruction, BankCharges::default()));
    let charged = vec![order(Instruction::Enter, rates), order(Instruction::Enter, amounts)];
    [plain.into(), charged].map(|orders| RemittanceWritten { sequence: 7, written_at: at(), orders }).into()
}

pub(super) fn findings() -> Vec<FindingFact> {
    let found = |known: bool| {
        FindingEvent::Found(Found {
            kind: "paid_twice".into(),
            bank: "033".into(),
            agreement: "1234567".into(),
            nosso_numero: "000000000001".into(),
            movement: "06".into(),
            reference: "F1".into(),
            event_on: known.then(|| day("2026-11-20")),
            amount_minor: 100,
            currency: Currency::BRL,
            invoice_id: known.then(invoice),
            payment_id: known.then(|| payment("P1")),
            counted_payment_id: known.then(|| payment("P2")),
            line: 12,
        })
    };
    let events = [found(true), found(false), FindingEvent::Dismissed { reason: "sent back".into() }];
    events.into_iter().map(|event| FindingFact { finding_id: "033.06.1".into(), event }).collect()
}

pub(super) fn feed() -> [FeedEvent; 2] {
    let taken = BankFileTaken { account_id: account_id(), known_until: at() };
    [FeedEvent::Reported(PaymentFeedReported { known_until: at() }), FeedEvent::BankFileTaken(taken)]
}

pub(super) fn legal_rate() -> LegalRateRecorded {
    LegalRateRecorded { month: Month { year: 2026, month: 10 }, rate: Rate::from_micros(790_000) }
}
