//! CNAB 240 returns: layout, dialects, what is tolerated and what is refused.

use brazil::cnab::{
    BankEvent, Entry, Refusal, Report, ReturnReader, Review, ReviewReason, TitleFact, Warning, event_of_240, frame240 as frame,
    segments_in, segments_out,
};
use brazil::{NaiveDate, boleto::NossoNumero};
use proptest::prelude::*;

/// A record with texts put at positions (from 1).
pub fn record(size: usize, parts: &[(usize, &str)]) -> String {
    let mut chars = vec![' '; size];
    for (from, text) in parts {
        for (index, c) in text.chars().enumerate() {
            chars[from - 1 + index] = c;
        }
    }
    chars.into_iter().collect()
}

/// Reads bytes in chunks of one size.
pub fn read(bytes: &[u8], chunk: usize) -> (Result<Report, Refusal>, Vec<Entry>) {
    let (mut reader, mut entries) = (ReturnReader::new(), Vec::new());
    for part in bytes.chunks(chunk) {
        if let Err(refusal) = reader.push(part, &mut |entry| entries.push(entry)) {
            assert_eq!(reader.push(b"x", &mut |_| panic!("gives after a refusal")), Err(refusal.clone()));
            return (reader.finish(&mut |_| {}), entries);
        }
    }
    (reader.finish(&mut |entry| entries.push(entry)), entries)
}

pub fn fact(entry: &Entry) -> &TitleFact {
    match entry {
        Entry::Fact(fact) => fact,
        Entry::Review(review) => panic!("for review: {review:?}"),
    }
}

pub fn review(entry: &Entry) -> &Review {
    match entry {
        Entry::Review(review) => review,
        Entry::Fact(fact) => panic!("a fact: {fact:?}"),
    }
}

fn header(bank: &str, flag: &str) -> String {
    record(
        240,
        &[(1, bank), (4, "00000"), (18, "2"), (19, "12ABC34501DE35"), (33, "AGR1234"), (143, flag), (144, "21112026"), (158, "000007")],
    )
}

fn lot(bank: &str) -> String {
    record(240, &[(1, bank), (4, "00011T01"), (34, "LOT5678")])
}

/// Where segment T of a bank has its nosso número and document.
fn title(bank: &str, movement: &str, number: (usize, &str)) -> String {
    record(240, &[(1, bank), (4, "0001300001T"), (16, movement), number])
}

fn amounts(bank: &str, movement: &str, paid: &str, paid_on: &str) -> String {
    record(
        240,
        &[
            (1, bank),
            (4, "0001300002U"),
            (16, movement),
            (18, "000000000000150"),
            (78, paid),
            (93, "000000000009800"),
            (138, paid_on),
            (146, "24112026"),
        ],
    )
}

/// A file of these details, with right trailers.
fn file(bank: &str, details: &[String]) -> Vec<String> {
    let count = if bank == "033" { details.len() } else { details.len() + 2 };
    let mut lines = vec![header(bank, "2"), lot(bank)];
    lines.extend_from_slice(details);
    lines.push(record(240, &[(1, bank), (4, "00015"), (18, &format!("{count:06}"))]));
    lines.push(record(240, &[(1, bank), (4, "99999"), (18, &format!("000001{:06}", details.len() + 4))]));
    lines
}

fn pair(bank: &str, movement: &str) -> Vec<String> {
    vec![title(bank, movement, (38, "00000000000000123456")), amounts(bank, movement, "000000000010150", "23112026")]
}

fn text(lines: &[String]) -> String {
    lines.join("\r\n") + "\r\n"
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_columns_of_a_record_fill_it_without_gaps() {
    let layouts = [
        frame::file_header::ALL,
        frame::lot_header::ALL,
        segments_out::segment_p::ALL,
        segments_out::segment_q::ALL,
        segments_out::segment_r::ALL,
        segments_in::segment_t::ALL,
        segments_in::segment_u::ALL,
        frame::lot_trailer::ALL,
        frame::file_trailer::ALL,
    ];
    for columns in layouts {
        assert!(columns.windows(2).all(|pair| pair[0].to + 1 == pair[1].from), "{columns:?}");
        assert_eq!((columns[0].from, columns[columns.len() - 1].to), (1, 240));
    }
}

#[test]
fn a_payment_is_read_with_its_dates_and_amounts() {
    let mut details = pair("756", "06");
    details[0] = record(
        240,
        &[
            (1, "756"),
            (4, "0001300001T"),
            (16, "06"),
            (38, "00000123450201"),
            (59, "DOC-1"),
            (74, "20112026"),
            (82, "000000000010000"),
            (106, "invoice/42"),
            (133, "2"),
            (134, "012ABC34501DE35"),
            (199, "000000000000200"),
            (214, "0304000000"),
        ],
    );
    let (report, entries) = read(text(&file("756", &details)).as_bytes(), 7);
    let report = report.unwrap();
    assert_eq!(
        (report.bank, report.agreement.as_str(), report.sequence.as_str(), report.created_on),
        (756, "AGR1234", "000007", Some(day("2026-11-21")))
    );
    assert_eq!((report.lines, report.facts, report.reviews, report.warnings.len()), (6, 1, 0, 0), "{:?}", report.warnings);
    let paid = fact(&entries[0]);
    let settlement = paid.settlement.unwrap();
    assert_eq!(
        (paid.event, settlement.paid_cents, settlement.net_cents, settlement.additions_cents),
        (BankEvent::PaymentReceived { after_write_off: false }, 10_150, 9_800, 150)
    );
    assert_eq!((paid.event_on, paid.credit_on, paid.due), (Some(day("2026-11-23")), Some(day("2026-11-24")), Some(day("2026-11-20"))));
    assert_eq!((paid.nominal_cents, paid.fee_cents, paid.reasons.clone()), (10_000, 200, vec!["03".to_owned(), "04".to_owned()]));
    let title = &paid.title;
    assert_eq!((&*title.agreement, &*title.nosso_numero, &*title.instalment, &*title.wallet), ("LOT5678", "0000012345", "02", "01"));
    assert_eq!((&*title.document, &*title.company_use), ("DOC-1", "invoice/42"));
    assert_eq!(title.payer.as_ref().map(|payer| payer.reveal()), Some("12ABC34501DE35"), "letters in a numeric field");
    assert!(title.is(&NossoNumero { number: "1234".into(), check: Some('5') }));
    assert!(!title.is(&NossoNumero { number: "1234".into(), check: Some('6') }));
    assert_eq!(paid.key.as_str(), "756|LOT5678|0000012345|payment_received|2026-11-23|10150|1");
}

#[test]
fn each_dialect_has_its_columns() {
    let read_title = |bank: &str, parts: &[(usize, &str)]| {
        let mut all = vec![(1, bank), (4, "0001300001T"), (16, "06")];
        all.extend_from_slice(parts);
        let details = [record(240, &all), amounts(bank, "06", "000000000010150", "23112026")];
        let (report, entries) = read(text(&file(bank, &details)).as_bytes(), 4096);
        assert_eq!(report.unwrap().warnings, []);
        fact(&entries[0]).clone()
    };
    let santander = read_title(
        "033",
        &[(41, "0000009000026"), (54, "5"), (55, "DOC"), (70, "20112026"), (78, "000000000010000"), (101, "USE"), (194, "000000000000199")],
    );
    assert_eq!(
        (&*santander.title.nosso_numero, &*santander.title.document, santander.due),
        ("0000009000026", "DOC", Some(day("2026-11-20")))
    );
    assert_eq!((santander.nominal_cents, santander.fee_cents, &*santander.title.company_use), (10_000, 199, "USE"));
    let caixa =
        read_title("104", &[(18, "01234"), (24, "654321"), (40, "14000000000000019"), (57, "7"), (59, "DOC"), (82, "000000000010000")]);
    assert_eq!((&*caixa.title.agreement, &*caixa.title.nosso_numero, caixa.title.check), ("654321", "14000000000000019", Some('7')));
    assert_eq!((caixa.nominal_cents, &*caixa.title.document), (10_000, "DOC"));
    let itau = read_title("341", &[(38, "109"), (41, "00223350"), (49, "2")]);
    assert_eq!((&*itau.title.wallet, &*itau.title.nosso_numero, itau.title.check), ("109", "00223350", Some('2')));
    assert!(itau.settlement.unwrap().paid_is_net);
    let other = read_title("237", &[(38, "00900000000001234567"), (58, "9")]);
    assert_eq!((&*other.title.nosso_numero, &*other.title.wallet), ("00900000000001234567", "9"));
}

#[test]
fn movements_are_told_by_code_and_bank() {
    for (bank, code, slug) in [
        (1, "06", "payment_received"),
        (1, "17", "payment_received"),
        (1, "02", "registered"),
        (1, "03", "registration_rejected"),
        (1, "09", "written_off"),
        (1, "25", "written_off_after_protest"),
        (1, "28", "fee_debited"),
        (1, "44", "cheque_bounced"),
        (1, "45", "cheque_cleared"),
        (1, "50", "cheque_pending"),
        (1, "14", "instruction_acknowledged"),
        (1, "61", "instruction_acknowledged"),
        (1, "11", "open_title_listed"),
        (1, "46", "protest_cancel_instructed"),
        (1, "63", "protest_suspended_by_court"),
        (1, "26", "instruction_rejected"),
        (1, "30", "instruction_rejected"),
        (1, "29", "payer_event"),
        (1, "51", "dda_recognised"),
        (1, "52", "dda_refused"),
        (1, "53", "dda_refused_by_clearing"),
        (1, "54", "bureau_entry_removed"),
        (341, "17", "instruction_rejected"),
        (341, "08", "payment_received"),
        (341, "95", "operational_write_off"),
        (104, "46", "payment_received"),
        (104, "44", "payment_reversed"),
        (104, "47", "payment_reversed"),
        (85, "76", "payment_received"),
        (85, "77", "payment_received"),
        (33, "93", "operational_write_off"),
        (33, "94", "operational_write_off_cancelled"),
    ] {
        assert_eq!(event_of_240(bank, code).map(BankEvent::slug), Some(slug), "{bank} {code}");
    }
    for (bank, code) in [(1, "76"), (1, "08x"), (1, ""), (1, "99"), (237, "95")] {
        assert_eq!(event_of_240(bank, code), None, "{bank} {code}");
    }
}

#[test]
fn an_entry_confirmation_with_an_amount_is_no_payment() {
    for movement in ["02", "28", "09", "11"] {
        let (_, entries) = read(text(&file("001", &pair("001", movement))).as_bytes(), 64);
        assert_eq!((fact(&entries[0]).event.moves_money(), fact(&entries[0]).settlement), (false, None), "{movement}");
    }
}

#[test]
fn what_is_doubtful_goes_to_review() {
    let (good, number) = ("000000000010150", (38, "123"));
    let cases: Vec<(Vec<String>, ReviewReason)> = vec![
        (vec![title("001", "06", number), amounts("001", "02", good, "23112026")], ReviewReason::MovementsDiffer),
        (vec![title("001", "06", number), amounts("001", "06", "000000000000000", "23112026")], ReviewReason::ZeroAmount),
        (vec![title("001", "06", number), amounts("001", "06", "", "23112026")], ReviewReason::ZeroAmount),
        (vec![title("001", "06", number), amounts("001", "06", "0000000000101S0", "23112026")], ReviewReason::UnreadableAmount),
        (vec![title("001", "06", (38, "00000000")), amounts("001", "06", good, "23112026")], ReviewReason::NoNossoNumero),
        (vec![title("001", "06", (38, "")), amounts("001", "06", good, "23112026")], ReviewReason::NoNossoNumero),
        (vec![title("001", "06", number), amounts("001", "06", good, "31022026")], ReviewReason::BadEventDate),
        (vec![title("001", "06", number), amounts("001", "06", good, "00000000")], ReviewReason::BadEventDate),
        (vec![title("001", "", number), amounts("001", "", good, "23112026")], ReviewReason::BlankMovement),
        (vec![title("001", "99", number), amounts("001", "99", good, "23112026")], ReviewReason::UnlistedMovement),
        (vec![title("001", "06", number)], ReviewReason::MissingAmounts),
        (vec![amounts("001", "06", good, "23112026")], ReviewReason::MissingTitle),
        (vec![record(240, &[(1, "0010001X")])], ReviewReason::UnknownRecord),
    ];
    for (details, reason) in cases {
        let (report, entries) = read(text(&file("001", &details)).as_bytes(), 1000);
        assert_eq!((entries.len(), report.unwrap().reviews), (1, 1), "{reason:?}");
        assert_eq!(review(&entries[0]).reason, reason);
    }
    let two = [title("001", "06", number), title("001", "06", (38, "456")), amounts("001", "06", good, "23112026")];
    let (_, entries) = read(text(&file("001", &two)).as_bytes(), 1000);
    assert_eq!((review(&entries[0]).reason, fact(&entries[1]).title.nosso_numero.as_str()), (ReviewReason::MissingAmounts, "456"));
}

#[test]
fn the_same_settlement_in_two_files_has_one_key_and_two_equal_ones_in_a_file_have_two() {
    let caixa = |movement| {
        let details = [
            record(240, &[(1, "104"), (4, "0001300001T"), (16, movement), (24, "654321"), (40, "14000000000000019")]),
            amounts("104", movement, "000000000010150", "23112026"),
        ];
        let (_, entries) = read(text(&file("104", &details)).as_bytes(), 100);
        fact(&entries[0]).key.clone()
    };
    assert_eq!(caixa("46"), caixa("06"));
    let twice = [pair("001", "06"), pair("001", "06")].concat();
    let keys = |details: &[String]| {
        let (_, entries) = read(text(&file("001", details)).as_bytes(), 100);
        entries.iter().map(|entry| fact(entry).key.to_string()).collect::<Vec<_>>()
    };
    let first = keys(&twice);
    assert_ne!(first[0], first[1]);
    assert_eq!((keys(&twice), keys(&pair("001", "06"))[0].clone()), (first.clone(), first[0].clone()), "a repeated file repeats its keys");
}

#[test]
fn what_real_files_do_is_tolerated() {
    let lines = file("001", &pair("001", "06"));
    let (expected_report, expected) = read(text(&lines).as_bytes(), 240);
    let same = |name: &str, bytes: Vec<u8>| {
        let (report, entries) = read(&bytes, 33);
        assert_eq!((report.as_ref().map(|report| report.facts), &entries), (Ok(1), &expected), "{name}: {report:?}");
        report.unwrap().warnings
    };
    let join = |lines: &[String], end: &str| lines.join(end);
    assert_eq!(expected_report.unwrap().warnings, []);
    assert_eq!(same("LF, no last line end", join(&lines, "\n").into_bytes()), []);
    assert_eq!(same("blank lines", join(&lines, "\r\n\r\n").into_bytes()), []);
    assert_eq!(same("Ctrl-Z on its own line", (text(&lines) + "\u{1a}").into_bytes()), []);
    assert_eq!(same("Ctrl-Z after the trailer", (join(&lines, "\r\n") + "\u{1a}").into_bytes()), []);
    let trimmed: Vec<String> = lines.iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(same("trailing blanks cut", text(&trimmed).into_bytes()), []);
    assert_eq!(same("UTF-8 with its mark", ("\u{feff}".to_owned() + &text(&lines)).into_bytes()), []);
    let wide = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
        let units = text(&lines).encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        [mark, &units].concat()
    };
    assert_eq!(same("UTF-16 LE", wide(&[0xff, 0xfe], u16::to_le_bytes)), []);
    assert_eq!(same("UTF-16 BE", wide(&[0xfe, 0xff], u16::to_be_bytes)), []);
    assert_eq!(same("UTF-16 LE without mark", wide(&[], u16::to_le_bytes)), []);
    let long: Vec<String> = lines.iter().map(|line| format!("{line:<265}Z")).collect();
    assert_eq!(same("266 characters", text(&long).into_bytes()).len(), lines.len());
    let mut miscounted = lines.clone();
    miscounted[5] = record(240, &[(1, "001"), (4, "99999"), (18, "000002000099")]);
    assert_eq!(same("wrong trailer", text(&miscounted).into_bytes()).len(), 2);
    let mut doubtful = lines.clone();
    doubtful[0] = header("001", "0");
    assert_eq!(same("flag 0", text(&doubtful).into_bytes()), [Warning::Direction { flag: '0' }]);
}

#[test]
fn how_the_text_was_written_is_told() {
    let lines = file("001", &pair("001", "06"));
    let form = |bytes: &[u8]| {
        let report = read(bytes, 50).0.unwrap();
        (report.text.encoding.name(), report.text.byte_order_mark, report.text.end_mark, report.short_lines)
    };
    assert_eq!(form(text(&lines).as_bytes()), ("ascii", false, false, 0));
    assert_eq!(form(("\u{feff}".to_owned() + &text(&lines) + "\u{1a}").as_bytes()), ("utf-8", true, true, 0));
    let trimmed: Vec<String> = lines.iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(form(text(&trimmed).replace('\r', "").as_bytes()), ("ascii", false, false, 6));
    let wide: Vec<u8> = text(&lines).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(form(&wide), ("utf-16", false, false, 0));
    let latin1: Vec<u8> = text(&lines).replacen("123456", "12345\u{c9}", 1).chars().map(|c| u32::from(c) as u8).collect();
    assert_eq!(form(&latin1), ("latin-1", false, false, 0));
}

#[test]
fn accents_shift_no_column_in_either_encoding() {
    let mut details = pair("001", "06");
    details[0] =
        record(240, &[(1, "001"), (4, "0001300001T"), (16, "06"), (38, "123"), (59, "AÇÃO"), (106, "JOÃO"), (199, "000000000000077")]);
    let utf8 = text(&file("001", &details));
    let latin1: Vec<u8> = utf8.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [utf8.clone().into_bytes(), latin1.clone()] {
        let (_, entries) = read(&bytes, 50);
        assert_eq!((&*fact(&entries[0]).title.company_use, fact(&entries[0]).fee_cents), ("JOÃO", 77));
    }
    // The first pair in UTF-8, the second in Latin-1.
    let lines = file("001", &[details.clone(), details].concat());
    let mixed: Vec<u8> = lines
        .iter()
        .enumerate()
        .flat_map(|(index, line)| {
            let narrow = |c: char| u8::try_from(u32::from(c)).unwrap();
            let mut bytes: Vec<u8> = if index < 4 { line.clone().into_bytes() } else { line.chars().map(narrow).collect() };
            bytes.push(b'\n');
            bytes
        })
        .collect();
    assert_eq!(read(&mixed, 50).0, Err(Refusal::MixedEncodings { line: 5 }));
}

#[test]
fn what_is_no_return_is_refused_whole() {
    let good = file("001", &pair("001", "06"));
    let with = |index: usize, line: String| {
        let mut lines = good.clone();
        lines[index] = line;
        text(&lines)
    };
    let after = |line: &str| text(&good) + line;
    let pre = |code: &str| text(&[vec![header("104", code)], good[1..].to_vec()].concat());
    let segment = record(240, &[(1, "001"), (4, "0001300001W")]);
    let lot_of = |parts: &[(usize, &str)]| record(240, &[&[(1, "001"), (4, "00011T01")], parts].concat());
    for (file, slug) in [
        (with(0, header("001", "1")), "cnab_remittance"),
        (with(0, header("136", "2")), "cnab_unsupported_bank"),
        (pre("3"), "cnab_pre_critique"),
        (pre("5"), "cnab_pre_critique"),
        (after(&good[0]), "cnab_data_after_trailer"),
        (after(&text(&good)), "cnab_data_after_trailer"),
        (with(2, segment), "cnab_foreign_service"),
        (with(1, lot_of(&[(10, "03")])), "cnab_foreign_service"),
        (with(1, good[0].clone()), "cnab_out_of_place"),
        (with(1, good[2].clone()), "cnab_out_of_place"),
        (with(2, "x".repeat(267)), "cnab_line_too_long"),
        (with(2, "x".repeat(5000)), "cnab_line_too_long"),
        (text(&good[..5]), "cnab_truncated"),
        (text(&[vec![header("001", "0"), lot_of(&[(9, "R")])], good[2..].to_vec()].concat()), "cnab_direction"),
        (text(&[vec![header("001", " ")], good[4..].to_vec()].concat()), "cnab_out_of_place"),
        ("hello".to_owned(), "cnab_not_a_bank_file"),
        (String::new(), "cnab_not_a_bank_file"),
        ("<html>".repeat(100), "cnab_not_a_bank_file"),
    ] {
        let (report, _) = read(file.as_bytes(), 97);
        assert_eq!(report.map(|_| ()).map_err(|refusal| refusal.slug()), Err(slug), "{}", &file[..file.len().min(240)]);
    }
    assert_eq!(read(pre("5").as_bytes(), 97).0, Err(Refusal::PreCritique { code: 5 }));
}

proptest! {
    #[test]
    fn no_bytes_make_a_return_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), head in 0usize..4, chunk in 1usize..50) {
        let starts = [String::new(), header("341", "2") + "\n" + &lot("341") + "\n", "02RETORNO01".to_owned(), "A2".to_owned()];
        let all = [starts[head].as_bytes(), &bytes].concat();
        let _ = read(&all, chunk);
    }

    #[test]
    fn changed_files_read_or_refuse_and_chunks_do_not_matter(places in prop::collection::vec((0usize..1452, any::<char>()), 0..5), chunk in 1usize..300) {
        let mut chars: Vec<char> = text(&file("104", &pair("104", "06"))).chars().collect();
        for (place, c) in places {
            chars[place] = c;
        }
        let changed: String = chars.into_iter().collect();
        prop_assert_eq!(read(changed.as_bytes(), chunk), read(changed.as_bytes(), 100_000));
    }
}
