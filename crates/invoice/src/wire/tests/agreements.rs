//! Events of agreements.

use super::{day, invoice, issued, payment, received, released, reversed};
use kernel::{AgreementId, Currency};
use receivable::{
    AgreementBroken, AgreementMade, AgreementMoved, BreakCause, Event, InstalmentOf, InvoiceRenegotiated, InvoiceReopened, Original,
    PartOf, Source,
};

fn agreement() -> AgreementId {
    AgreementId::new("A1").unwrap()
}

fn broken(cause: BreakCause) -> Event {
    Event::AgreementBroken(AgreementBroken {
        agreement_id: agreement(),
        cause,
        reason: "no answer".into(),
        paid_minor: 400,
        currency: Currency::BRL,
        broken_on: day("2027-01-10"),
    })
}

fn reopened() -> Event {
    Event::InvoiceReopened(InvoiceReopened {
        agreement_id: agreement(),
        invoice_id: invoice(),
        currency: Currency::BRL,
        moved_minor: 12_000,
        charges_minor: -300,
        discount_minor: -645,
        released: released(),
        outstanding_minor: 12_345,
        due_on: day("2026-11-23"),
        reopened_on: day("2027-01-10"),
    })
}

pub(super) fn events() -> Vec<Event> {
    let made = AgreementMade {
        agreement_id: agreement(),
        currency: Currency::BRL,
        owed_minor: 12_645,
        total_minor: 12_000,
        breach_after_days: 30,
        originals: vec![invoice()],
        instalments: vec![invoice(), invoice()],
        made_on: day("2026-12-01"),
    };
    let original = Original {
        invoice_id: invoice(),
        principal_minor: 12_345,
        charges_minor: 300,
        discount_minor: 645,
        charges_paid_minor: 7,
        discount_taken_minor: 5,
    };
    let renegotiated =
        InvoiceRenegotiated { agreement_id: agreement(), currency: Currency::BRL, original, renegotiated_on: day("2026-12-01") };
    let (mut instalment, mut part, mut part_back) = (issued(None, None), received(Source::Caller), reversed(None));
    if let Event::InvoiceIssued(issued) = &mut instalment {
        issued.instalment = Some(InstalmentOf { agreement_id: agreement(), number: 2, count: 6 });
    }
    if let Event::PaymentReceived(received) = &mut part {
        received.part_of = Some(PartOf { payment_id: payment("P7"), moved_on: day("2027-01-10") });
    }
    if let Event::PaymentReversed(reversed) = &mut part_back {
        reversed.part_of = Some(payment("P7"));
    }
    let moved = |on| AgreementMoved { agreement_id: agreement(), on: day(on) };
    vec![
        Event::AgreementMade(made),
        Event::InvoiceRenegotiated(renegotiated),
        instalment,
        broken(BreakCause::Late),
        broken(BreakCause::Person),
        reopened(),
        part,
        part_back,
        Event::AgreementCompleted(moved("2027-02-01")),
        Event::AgreementResumed(moved("2027-02-03")),
    ]
}
