//! Credit notes over gRPC: less is owed, at the gate too, and taken back as they were given.

use crate::{
    reminders::{ask, look, verdicts},
    script::{fresh, play},
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_counts_in_the_balance_in_lists_and_at_the_gate() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 10000 on=2026-03-01 due=2026-03-20
             credit N1 I1 3000
             credit N1 I1 3000
             credit N1 I1 2000 => FailedPrecondition credit_note_exists credit_note.credit_note_id
             credit N2 I1 7001 => FailedPrecondition credit_note_too_large credit_note.amount_minor
             credit N2 I9 1 => NotFound unknown_invoice credit_note.invoice_id
             credit N2 I1 1 payer=A => InvalidArgument one_of_both credit_note.invoice_id
             credit N2 I1 1 currency=USD => InvalidArgument currency_mismatch credit_note.currency
             invoice I1 => I1 of A: 7000 of 10000 BRL, due 2026-03-20, open
             balance I1 2026-03-09 => 10000 BRL
             balance I1 2026-03-10 => 7000 BRL",
        )
        .await;
        assert_eq!(verdicts(&ask(&site, look("A", "K1", "I1")).await), ["I1 7000 of 7000"], "{}", site.database);
        site.settle().await;
        let listed = site.client.clone().list_invoices(proto::ListInvoicesRequest::default()).await.unwrap().into_inner().invoices;
        assert_eq!((listed[0].outstanding_minor, listed[0].due_minor), (7000, 7000), "{}", site.database);
        play(
            &site,
            "pay P1 I1 7000
             invoice I1 => I1 of A: 0 of 10000 BRL, due 2026-03-20, settled
             uncredit N1
             uncredit N9 => NotFound unknown_credit_note credit_note_id
             invoice I1 => I1 of A: 3000 of 10000 BRL, due 2026-03-20, open
             credit N2 I1 5000
             owes A => BRL 0 credit 2000",
        )
        .await;
        site.settle().await;
        play(&site, "owes A => BRL 0 credit 2000").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_may_have_credit_of_their_own_and_it_is_given_once() {
    let site = Site::embedded(Default::default()).await;
    play(&site, "register A\n issue I1 A 10000 due=2026-03-20").await;
    let note = proto::NewCreditNote {
        credit_note_id: "N1".into(),
        customer_id: "A".into(),
        amount_minor: 10_000,
        reason: "goodwill".into(),
        ..Default::default()
    };
    let request = proto::IssueCreditNoteRequest { command_id: fresh(), credit_note: Some(note) };
    let first = site.client.clone().issue_credit_note(request.clone()).await.unwrap().into_inner();
    assert_eq!((first.credit_minor, first.invoice.is_none()), (10_000, true));
    assert_eq!(site.client.clone().issue_credit_note(request).await.unwrap().into_inner(), first);
    assert_eq!(verdicts(&ask(&site, look("A", "K1", "I1")).await), ["I1 covered_by_credit"]);
    play(&site, "uncredit N1\n owes A => BRL 10000 credit 0").await;
    for (note, expected) in [
        (None, "InvalidArgument missing credit_note"),
        (
            Some(proto::NewCreditNote { credit_note_id: "N2".into(), ..Default::default() }),
            "InvalidArgument one_of_both credit_note.invoice_id",
        ),
    ] {
        let request = proto::IssueCreditNoteRequest { command_id: fresh(), credit_note: note };
        assert_eq!(told(&site.client.clone().issue_credit_note(request).await), expected);
    }
}
