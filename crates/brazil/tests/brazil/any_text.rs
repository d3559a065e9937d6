//! Parsers on any text: none panics, and what is read says itself again.

use brazil::boleto::{Boleto, Slip, parse};
use brazil::cnab::{Record, ReturnReader, remittance::RemittanceReader};
use brazil::pix::{
    BrCode, ChargeTxid, EndToEndId, NotifiedTxid, RecurrenceId, ReturnId, StaticTxid, decimal_text, kind_of_key, parse_decimal,
};
use brazil::{Cep, Municipality, NaiveDate, Phone, Place, TaxId};
use proptest::prelude::*;

const LINE: &str = "00190.00009 01238.798977 77700.168188 3 37690000013500";
const CODE: &str = "00020126360014br.gov.bcb.pix0114+55119999999995204000053039865802BR5906FULANO6009SAO PAULO62070503***6304";

/// Any text, digits and masks, and a good text with characters changed.
fn text(good: &'static str) -> impl Strategy<Value = String> {
    let changed = prop::collection::vec((0..good.chars().count(), any::<char>()), 0..4).prop_map(move |places| {
        let mut chars: Vec<char> = good.chars().collect();
        places.into_iter().for_each(|(place, c)| chars[place] = c);
        chars.into_iter().collect()
    });
    prop_oneof![any::<String>(), "[0-9A-Z. /-]{0,60}", changed]
}

/// Positions of a line by its characters, blanks past its end.
fn by_characters(line: &str, from: usize, to: usize) -> String {
    line.chars().chain(std::iter::repeat(' ')).skip(from - 1).take((to + 1).saturating_sub(from)).collect()
}

proptest! {
    #[test]
    fn a_column_is_counted_in_characters_whatever_bytes_they_take(line in "[0-9A-Zçã€ ]{0,30}|\\PC{0,30}", from in 1..40_usize, size in 0..12_usize) {
        let (record, to) = (Record::new(&line, 1), from + size);
        prop_assert_eq!(record.slice(from, to), by_characters(&line, from, to));
        prop_assert_eq!(record.char_at(from).to_string(), by_characters(&line, from, from));
        prop_assert_eq!((record.len(), record.width()), (line.trim_end_matches(' ').chars().count(), line.chars().count()));
    }

    #[test]
    fn a_file_is_read_the_same_wherever_its_bytes_are_cut(
        lines in prop::collection::vec("[0-9A-Z ]{0,40}|0010000[0-9A-Z ]{233}|[0-9Açã ]{0,9}", 0..5),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\n")],
        wide in any::<bool>(),
        size in 1..50_usize,
    ) {
        let text = lines.join(end);
        let bytes: Vec<u8> = if wide { text.encode_utf16().flat_map(u16::to_le_bytes).collect() } else { text.into_bytes() };
        let read = |size: usize| {
            let (mut reader, mut entries) = (ReturnReader::new(), Vec::new());
            let pushed = bytes.chunks(size).try_for_each(|chunk| reader.push(chunk, &mut |entry| entries.push(entry)));
            (pushed, reader.finish(&mut |entry| entries.push(entry)), entries)
        };
        prop_assert_eq!(read(size), read(bytes.len().max(1)));
    }

    #[test]
    fn a_place_is_read_and_says_itself_again(text in prop_oneof![text("3550308"), "[0-9]{7}", "[A-Za-z]{2}", Just("tenant".to_owned())]) {
        if let Ok(place) = Place::parse(&text) {
            prop_assert_eq!(Place::parse(&place.to_string()), Ok(place));
            prop_assert!(place.to_string().eq_ignore_ascii_case(&text));
        }
        if let Ok(municipality) = Municipality::parse(&text) {
            prop_assert_eq!(municipality.to_string(), text);
        }
    }

    #[test]
    fn a_pasted_slip_is_read_or_its_faults_are_named(text in text(LINE)) {
        match parse(&text) {
            Ok(Slip::Bank(slip)) => {
                prop_assert_eq!(Boleto::from_line(&slip.printed_line()).ok().map(|again| again.barcode()), Some(slip.barcode()));
                let _ = slip.due_date(NaiveDate::default());
            }
            Ok(Slip::Arrecadacao(slip)) => match parse(&slip.printed_line()) {
                Ok(Slip::Arrecadacao(again)) => prop_assert_eq!(again.barcode(), slip.barcode()),
                other => prop_assert!(false, "{:?}", other),
            },
            Err(faults) => prop_assert!(!faults.all().is_empty()),
        }
    }

    #[test]
    fn a_pix_code_is_read_and_written_as_itself(text in text(CODE)) {
        if let Ok(code) = BrCode::parse(&text) {
            prop_assert_eq!(BrCode::parse(&code.text()).ok(), Some(code));
        }
    }

    #[test]
    fn identifiers_read_again_as_themselves(text in text("12ABC34501DE35")) {
        if let Ok(id) = TaxId::parse(&text) {
            prop_assert!(TaxId::parse(id.reveal()).is_ok_and(|again| again == id));
        }
        if let Ok(phone) = Phone::parse(&text) {
            prop_assert!(Phone::parse(&phone.e164()).is_ok_and(|again| again.e164() == phone.e164()));
        }
        if let Ok(cep) = Cep::parse(&text) {
            prop_assert!(Cep::parse(&cep.formatted()).is_ok_and(|again| again == cep));
        }
        if let Some(hundredths) = parse_decimal(&text) {
            prop_assert_eq!(decimal_text(hundredths).and_then(|text| parse_decimal(&text)), Some(hundredths));
        }
        let _ = (ChargeTxid::new(&text), EndToEndId::new(&text), NotifiedTxid::new(&text), RecurrenceId::new(&text));
        let _ = (ReturnId::new(&text), StaticTxid::new(&text), kind_of_key(&text));
    }

    #[test]
    fn lines_of_a_remittance_are_read_or_refused(lines in prop::collection::vec("\\PC{0,20}|[0-9 ]{7}3[0-9 ]{5}[PQR] [0-9]{2}[ 0-9A-Z]{0,230}", 0..6)) {
        let mut reader = RemittanceReader::default();
        for line in &lines {
            if let Ok(Some(order)) = reader.line(line) {
                let _ = order.faults();
            }
        }
        let _ = reader.finish().map(|order| order.faults());
    }
}
