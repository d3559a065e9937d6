//! What a person pastes as a line or a bar code: no panic, and what is read says itself again.
#![no_main]

use brazil::NaiveDate;
use brazil::boleto::{Boleto, Slip, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match parse(text) {
    Ok(Slip::Bank(slip)) => {
        assert_eq!(Boleto::from_line(&slip.printed_line()).ok(), Some(slip.clone()));
        assert_eq!(Boleto::from_barcode(&slip.barcode()).ok(), Some(slip.clone()));
        let _ = slip.due_date(NaiveDate::default());
    }
    Ok(Slip::Arrecadacao(slip)) => match parse(&slip.printed_line()) {
        Ok(Slip::Arrecadacao(again)) => assert_eq!(again.barcode(), slip.barcode()),
        other => panic!("{other:?}"),
    },
    Err(faults) => assert!(!faults.all().is_empty()),
});
