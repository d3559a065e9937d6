//! Money and notices that banks and the Pix network tell of.

use crate::script::check;
use kernel::{InvoiceId, PaymentId};
use receivable::BankStanding;

#[test]
fn a_part_of_a_payment_goes_back_and_the_same_return_again_changes_nothing() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         told pix E1 I1 130 2026-01-20 => received E1 applied 100 credit 30 open 0
         return D1 E1 20 2026-01-21 => reversed E1 applied 0 credit 20 open 0
         return D1 E1 20 2026-01-21 => nothing
         return D1 E1 21 2026-01-21 => precondition return_id return_exists
         return D2 E1 50 2026-01-22 => reversed E1 applied 40 credit 10 open 40
         return D3 E1 61 2026-01-22 => precondition amount_minor return_too_large
         return D3 E1 60 2026-01-22 => reversed E1 applied 60 credit 0 open 100
         return D2 E1 50 2026-01-22 => nothing
         return D4 E1 1 2026-01-22 => precondition payment_id payment_already_reversed
         return D5 E9 1 2026-01-22 => not_found payment_id payment_unknown",
    );
    assert!(account.credit.is_empty());
    assert!(account.payments[&PaymentId::new("E1").unwrap()].reversed.is_some());
}

#[test]
fn a_whole_reversal_takes_what_the_returns_left() {
    check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         pay P1 I1 100 2026-01-20 => received P1 applied 100 credit 0 open 0
         return D1 P1 30 2026-01-21 => reversed P1 applied 30 credit 0 open 30
         pay P2 I1 30 2026-01-22 => received P2 applied 30 credit 0 open 0
         reverse P1 bounced 2026-01-23 => reversed P1 applied 70 credit 0 open 70
         reverse P1 bounced 2026-01-23 => nothing",
    );
}

#[test]
fn money_that_two_channels_tell_of_counts_once_in_either_order() {
    check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         issue I2 100 2026-01-01 2026-02-01 => issued I2 100 BRL
         told pix E1 I1 100 2026-01-20 => received E1 applied 100 credit 0 open 0
         told bank_file_or_pix R1 I1 100 2026-01-21 fee=3 => confirmed E1 by R1; fee I1 3
         told bank_file_or_pix R1 I1 100 2026-01-21 fee=3 => nothing
         told pix E1 I1 100 2026-01-20 => nothing
         told bank_file_or_pix R2 I2 100 2026-01-20 => received R2 applied 100 credit 0 open 0
         told pix E2 I2 100 2026-01-20 => confirmed R2 by E2
         told pix E2 I2 100 2026-01-20 => nothing
         told pix E3 I2 100 2026-01-20 => received E3 applied 0 credit 100 open 0",
    );
}

#[test]
fn other_money_is_not_taken_for_the_same() {
    check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         told pix E1 I1 40 2026-01-20 => received E1 applied 40 credit 0 open 60
         told bank_file R1 I1 40 2026-01-20 => received R1 applied 40 credit 0 open 20
         told bank_file_or_pix R2 I1 39 2026-01-20 => received R2 applied 20 credit 19 open 0
         told bank_file_or_pix R3 I1 40 2026-01-26 => received R3 applied 0 credit 40 open 0
         pay P1 I1 40 2026-01-20 => received P1 applied 0 credit 40 open 0",
    );
}

#[test]
fn a_bank_takes_back_the_newest_payment_of_the_amount_that_its_file_told_of() {
    check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         told bank_file R1 I1 50 2026-01-20 => received R1 applied 50 credit 0 open 50
         told pix E1 I1 50 2026-01-20 => received E1 applied 50 credit 0 open 0
         undo U1 I1 40 => not_found payment_id payment_unknown
         undo U1 I1 50 => reversed R1 applied 50 credit 0 open 50
         undo U1 I1 50 => nothing
         undo U2 I1 50 => not_found payment_id payment_unknown
         undo U3 I9 50 => not_found invoice_id invoice_unknown",
    );
}

#[test]
fn what_the_bank_says_of_a_boleto_is_kept_once() {
    let account = check(
        "issue I1 100 2026-01-01 2026-02-01 => issued I1 100 BRL
         bank N1 I1 rejected reasons=08,63 fee=2 => rejected_by_bank I1 08+63; fee I1 2
         bank N1 I1 rejected reasons=08,63 fee=2 => nothing
         bank N2 I1 registered => registered_at_bank I1
         bank N3 I1 cheque_pending => noticed I1 cheque_pending
         bank N4 I1 fee fee=150 => fee I1 150
         bank N4 I1 fee fee=150 => nothing
         bank N5 I1 fee fee=-1 => invalid fee_minor fee_negative
         bank N5 I9 registered => not_found invoice_id invoice_unknown
         bank N6 I1 written_off => written_off I1",
    );
    let invoice = &account.invoices[&InvoiceId::new("I1").unwrap()];
    assert_eq!((invoice.bank_standing, invoice.open_minor), (BankStanding::WrittenOff, 100));
}
