//! Tax ids, phones, postal codes, places, ids and amounts of Pix: no panic, and a good one reads again as itself.
#![no_main]

use brazil::pix::{ChargeTxid, EndToEndId, NotifiedTxid, RecurrenceId, ReturnId, StaticTxid, decimal_text, kind_of_key, parse_decimal};
use brazil::{Cep, Municipality, Phone, Place, TaxId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = TaxId::parse(text) {
        assert_eq!(TaxId::parse(id.reveal()).ok(), Some(id));
    }
    if let Ok(phone) = Phone::parse(text) {
        assert_eq!(Phone::parse(&phone.e164()).map(|again| again.e164()).ok(), Some(phone.e164()));
    }
    if let Ok(cep) = Cep::parse(text) {
        assert_eq!(Cep::parse(&cep.formatted()).ok(), Some(cep));
    }
    if let Ok(place) = Place::parse(text) {
        assert_eq!(Place::parse(&place.to_string()), Ok(place));
    }
    if let Ok(municipality) = Municipality::parse(text) {
        assert_eq!(municipality.to_string(), text);
    }
    if let Some(hundredths) = parse_decimal(text) {
        assert_eq!(decimal_text(hundredths).and_then(|text| parse_decimal(&text)), Some(hundredths));
    }
    let _ = (ChargeTxid::new(text), EndToEndId::new(text), NotifiedTxid::new(text), RecurrenceId::new(text));
    let _ = (ReturnId::new(text), StaticTxid::new(text), kind_of_key(text));
});
