//! Agreements, as the owner of invoices tells of them.

use super::*;

fn renegotiated(invoice_id: &str) -> invoice::InvoiceRenegotiated {
    invoice::InvoiceRenegotiated {
        customer_id: "C1".into(),
        invoice_id: invoice_id.into(),
        agreement_id: "G1".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_renegotiated_debt_leaves_its_ladder_its_instalment_climbs_one_and_a_breach_brings_the_debt_back() {
    for mut world in World::begin_on_each(brasilia("2026-11-03", 8), false).await {
        world.registered("C1", "").await;
        world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
        world.live(brasilia("2026-11-24", 20), sent).await;
        world.clock.advance_to(brasilia("2026-11-25", 8));
        world.invoice_says("C1", "InvoiceRenegotiated", renegotiated("I1")).await;
        let instalment = invoice::InvoiceIssued {
            customer_id: "C1".into(),
            invoice_id: "G1-1".into(),
            amount_minor: 10_000,
            currency: "BRL".into(),
            issued_on: "2026-11-25".into(),
            due_on: "2026-12-15".into(),
            agreement_id: "G1".into(),
            instalment: 1,
            instalments: 1,
            ..Default::default()
        };
        world.invoice_says("C1", "InvoiceIssued", instalment).await;
        assert_eq!((world.track("I1").await.phase.as_str(), world.track("I1").await.outstanding_minor), ("renegotiated", 0));
        world.live(brasilia("2026-12-20", 20), sent).await;
        let track = world.track("G1-1").await;
        assert!(track.steps.iter().any(|step| step.status == "executed"), "{track:?}");
        world.clock.advance_to(brasilia("2026-12-21", 8));
        let cancelled = invoice::InvoiceCancelled { customer_id: "C1".into(), invoice_id: "G1-1".into(), ..Default::default() };
        world.invoice_says("C1", "InvoiceCancelled", cancelled).await;
        let reopened = invoice::InvoiceReopened {
            customer_id: "C1".into(),
            invoice_id: "I1".into(),
            agreement_id: "G1".into(),
            outstanding_minor: 10_000,
            ..Default::default()
        };
        world.invoice_says("C1", "InvoiceReopened", reopened).await;
        let track = world.track("I1").await;
        assert_eq!((track.phase.as_str(), track.cycle, track.outstanding_minor), ("active", 2, 10_000));
        assert_eq!(world.track("G1-1").await.phase, "cancelled");
        world.check().await;
    }
}
