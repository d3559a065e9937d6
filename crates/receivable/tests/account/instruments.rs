//! What an invoice can be paid with, as it is issued and changed.

use crate::script::check;

#[test]
fn an_invoice_keeps_its_number_and_id_when_amount_or_due_day_change() {
    let account = check(
        "slip I1 10000 2026-03-01 2026-03-20 number=7 => issued I1 10000 BRL; assigned I1 000000000007-8 \
            03398139100000100009012345600000000000780101 TX1
         amend I1 amount=12345 => amended I1 10000->12345 2026-03-20->2026-03-20 open 12345; assigned I1 000000000007-8 \
            03395139100000123459012345600000000000780101 TX1
         amend I1 due=2026-03-21 => amended I1 12345->12345 2026-03-20->2026-03-21 open 12345; assigned I1 000000000007-8 \
            03391139200000123459012345600000000000780101 TX1
         amend I1 due=2026-03-21 => nothing",
    );
    let invoice = account.invoices.values().next().unwrap();
    assert_eq!(invoice.instruments.as_ref().unwrap().boleto.as_ref().unwrap().look_up_number(), "7");
}

#[test]
fn a_repeated_issue_is_the_same_whatever_number_was_taken_for_it() {
    check(
        "slip I1 10000 2026-03-01 2026-03-20 number=7 => issued I1 10000 BRL; assigned I1 000000000007-8 \
            03398139100000100009012345600000000000780101 TX1
         slip I1 10000 2026-03-01 2026-03-20 number=8 => nothing
         slip I1 10000 2026-03-01 2026-03-20 number=8 account=a => nothing
         slip I1 10000 2026-03-01 2026-03-20 number=8 account=b => precondition invoice_id invoice_exists",
    );
}

#[test]
fn what_no_boleto_can_carry_is_refused_by_field() {
    check(
        "slip I1 10000 2026-03-01 2026-03-20 number=7 currency=USD => invalid currency instruments_currency
         slip I1 10000 1999-03-01 1999-03-20 number=7 => invalid due_on due_factor_before_first
         slip I1 10000000000000 2026-03-01 2026-03-20 number=7 => invalid amount_minor boleto_amount
         slip I1 10000000000 2026-03-01 2026-03-20 number=7 bank=104 => invalid amount_minor boleto_amount
         issue I2 100 2026-03-01 2026-03-20 => issued I2 100 BRL
         amend I2 amount=10000000000000 => amended I2 100->10000000000000 2026-03-20->2026-03-20 open 10000000000000",
    );
}
