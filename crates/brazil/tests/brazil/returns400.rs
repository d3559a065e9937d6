//! CNAB 400 and FEBRABAN 150 returns.

use crate::returns240::{fact, read, record, review};
use brazil::cnab::{BankEvent, Entry, Format, Refusal, Report, ReviewReason, TitleFact, Warning, event_of_400};
use brazil::{Arrecadacao, NaiveDate};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn header(bank: &str) -> String {
    record(400, &[(1, "02RETORNO01COBRANCA"), (27, "ACC"), (77, bank), (95, "211126"), (109, "00007")])
}

fn detail(parts: &[(usize, &str)]) -> String {
    let base = [
        (111, "231126"),
        (117, "DOC-1"),
        (147, "201126"),
        (153, "0000000010000"),
        (228, "0000000000001"),
        (241, "0000000000002"),
        (254, "0000000010150"),
        (267, "0000000000150"),
        (296, "241126"),
    ];
    record(400, &[&base, parts].concat())
}

fn file(bank: &str, details: &[String], trailer: &[(usize, &str)]) -> String {
    let last = record(400, &[&[(1, "9201")], trailer].concat());
    [vec![header(bank)], details.to_vec(), vec![last]].concat().join("\r\n")
}

fn one(bank: &str, line: String) -> (Report, Entry) {
    let (report, mut entries) = read(file(bank, &[line], &[(213, "00000001"), (221, "00000000010000")]).as_bytes(), 11);
    assert_eq!(entries.len(), 1);
    (report.unwrap(), entries.remove(0))
}

fn paid(fact: &TitleFact) -> (i64, i64) {
    let settlement = fact.settlement.unwrap();
    (settlement.paid_cents, settlement.net_cents)
}

#[test]
fn each_bank_has_its_own_columns() {
    let (report, entry) = one(
        "341",
        detail(&[(1, "1"), (18, "1234"), (24, "567890"), (38, "USE"), (63, "00223350"), (83, "109"), (109, "06"), (176, "0000000000250")]),
    );
    let itau = fact(&entry);
    assert_eq!((report.format, report.bank, report.created_on, report.warnings), (Format::Cnab400, 341, Some(day("2026-11-21")), vec![]));
    assert_eq!(
        (&*itau.title.nosso_numero, &*itau.title.company_use, &*itau.title.wallet, &*itau.title.agreement),
        ("00223350", "USE", "109", "1234  567890")
    );
    assert_eq!(paid(itau), (10_400, 10_150), "credited net of the fee; interest is never added");
    assert_eq!(
        (itau.event_on, itau.credit_on, itau.due, itau.nominal_cents, itau.fee_cents),
        (Some(day("2026-11-23")), Some(day("2026-11-24")), Some(day("2026-11-20")), 10_000, 250)
    );
    assert_eq!(
        (itau.settlement.unwrap().additions_cents, itau.settlement.unwrap().discount_cents, itau.settlement.unwrap().abatement_cents),
        (150, 2, 1)
    );

    let (_, entry) =
        one("237", detail(&[(1, "1"), (21, "00090123400567890"), (38, "USE"), (71, "00000000453P"), (109, "15"), (176, "0000000000250")]));
    assert_eq!((&*fact(&entry).title.nosso_numero, paid(fact(&entry))), ("00000000453P", (10_150, 10_150)));

    let (_, entry) = one("033", detail(&[(1, "1"), (38, "USE"), (63, "00013724"), (109, "17"), (176, "0000000000250")]));
    assert_eq!((&*fact(&entry).title.nosso_numero, paid(fact(&entry)), fact(&entry).fee_cents), ("00013724", (10_150, 10_150), 250));

    let (_, entry) = one(
        "001",
        detail(&[
            (1, "7"),
            (32, "1234567"),
            (39, "USE"),
            (64, "12345670000000321"),
            (109, "05"),
            (176, "251126"),
            (182, "0000199"),
            (296, "999999"),
        ]),
    );
    let seven = fact(&entry);
    assert_eq!((&*seven.title.agreement, &*seven.title.nosso_numero, &*seven.title.company_use), ("1234567", "12345670000000321", "USE"));
    assert_eq!(
        (seven.credit_on, seven.fee_cents, seven.event),
        (Some(day("2026-11-25")), 199, BankEvent::PaymentReceived { after_write_off: true })
    );
    let (_, entry) =
        one("001", detail(&[(1, "1"), (32, "123456"), (38, "USE"), (63, "85068014982"), (74, "9"), (109, "06"), (176, "251126")]));
    let six = fact(&entry);
    assert_eq!((&*six.title.nosso_numero, six.title.check, &*six.title.company_use), ("85068014982", Some('9'), "USE"));
}

#[test]
fn settlements_are_told_by_each_bank_s_codes() {
    for (bank, settle) in [(1, "05 06 07 08 15"), (33, "06 07 08 17"), (237, "06 15 17"), (341, "06 07 08 10")] {
        for code in 0..=99 {
            let code = format!("{code:02}");
            let pays = matches!(event_of_400(bank, &code), Some(BankEvent::PaymentReceived { .. }));
            assert_eq!(pays, settle.contains(&code), "{bank} {code}");
        }
    }
    for (bank, code, slug) in [
        (237, "16", "cheque_pending"),
        (237, "22", "payment_reversed"),
        (341, "17", "instruction_rejected"),
        (1, "44", "cheque_bounced"),
        (1, "46", "cheque_pending"),
        (341, "95", "operational_write_off"),
        (33, "02", "registered"),
    ] {
        assert_eq!(event_of_400(bank, code).map(BankEvent::slug), Some(slug), "{bank} {code}");
    }
    assert_eq!(event_of_400(748, "06"), None);
}

#[test]
fn a_pix_record_belongs_to_the_detail_before_it() {
    let santander = [
        detail(&[(1, "1"), (63, "00013724"), (109, "06")]),
        record(400, &[(1, "2"), (80, "7978c0c97ea847e78e8849634473c1f1")]),
        detail(&[(1, "1"), (63, "00013725"), (109, "06")]),
    ];
    let (report, entries) = read(file("033", &santander, &[]).as_bytes(), 401);
    assert_eq!(
        (report.unwrap().facts, fact(&entries[0]).pix.as_ref().map(|pix| &*pix.txid)),
        (2, Some("7978c0c97ea847e78e8849634473c1f1"))
    );
    assert_eq!(
        (fact(&entries[0]).may_repeat_a_pix, fact(&entries[1]).may_repeat_a_pix, fact(&entries[1]).pix.is_some()),
        (true, false, false)
    );
    let itau = [detail(&[(1, "1"), (63, "00223350"), (109, "10")]), record(400, &[(1, "3"), (2, "00020126...6304ABCD")])];
    let (_, entries) = read(file("341", &itau, &[]).as_bytes(), 401);
    assert_eq!(
        (fact(&entries[0]).pix.as_ref().map(|pix| &*pix.br_code), fact(&entries[0]).may_repeat_a_pix),
        (Some("00020126...6304ABCD"), true)
    );
    let (_, entry) = one("341", detail(&[(1, "1"), (63, "00223350"), (109, "10")]));
    assert!(fact(&entry).may_repeat_a_pix, "10 may be a BolePix even without its record");
}

#[test]
fn doubtful_details_go_to_review_and_the_trailer_of_itau_is_verified() {
    for (parts, reason) in [
        (vec![(109, "06"), (63, "00000000")], ReviewReason::NoNossoNumero),
        (vec![(109, "06"), (63, "00223350"), (254, "0000000000000")], ReviewReason::ZeroAmount),
        (vec![(109, "06"), (63, "00223350"), (254, "00000000101A0")], ReviewReason::UnreadableAmount),
        (vec![(109, "06"), (63, "00223350"), (111, "310226")], ReviewReason::BadEventDate),
        (vec![(109, "  "), (63, "00223350")], ReviewReason::BlankMovement),
        (vec![(109, "99"), (63, "00223350")], ReviewReason::UnlistedMovement),
    ] {
        let (_, entry) = one("341", detail(&[&[(1, "1")], parts.as_slice()].concat()));
        assert_eq!(review(&entry).reason, reason, "{parts:?}");
    }
    let line = detail(&[(1, "1"), (63, "00223350"), (109, "02")]);
    let (report, _) = read(file("341", &[line], &[(213, "00000002"), (221, "00000000010001")]).as_bytes(), 50);
    let trailer = |what, stated, counted| Warning::Trailer { line: 3, what, stated: Some(stated), counted };
    assert_eq!(report.unwrap().warnings, [trailer("titles of the file", 2, 1), trailer("nominal cents of the file", 10_001, 10_000)]);
}

#[test]
fn other_banks_and_other_files_are_refused_by_name() {
    let refused = |text: String| read(text.as_bytes(), 77).0.unwrap_err();
    assert_eq!(refused(file("748", &[], &[])), Refusal::UnsupportedBank { format: Format::Cnab400, bank: 748 });
    assert_eq!(refused(file("748", &[], &[])).to_string(), "cnab400 of bank 748 is not supported");
    assert_eq!(refused(file("341", &[], &[]).replacen("02RETORNO01", "01REMESSA01", 1)), Refusal::Remittance);
    assert_eq!(refused(file("341", &[], &[]).replacen("02RETORNO01", "02RETORNO02", 1)).slug(), "cnab_foreign_service");
    assert_eq!(refused(header("341")).slug(), "cnab_truncated");
    assert_eq!(refused(file("341", &[], &[]) + "\n" + &header("341")).slug(), "cnab_data_after_trailer");
    assert_eq!(refused(file("341", &[header("341")], &[])).slug(), "cnab_out_of_place");
}

const BARCODE: &str = "84630000000299902962020041013600000200644114";

fn file150(details: &[String], trailer: &str) -> String {
    let head = record(150, &[(1, "A2"), (3, "AGR"), (23, "COMPANY"), (43, "237"), (66, "20261121"), (74, "000007"), (80, "04")]);
    [vec![head], details.to_vec(), vec![record(150, &[(1, trailer)])]].concat().join("\n")
}

fn detail150(parts: &[(usize, &str)]) -> String {
    let base = [(1, "G"), (22, "20261123"), (30, "20261124"), (38, BARCODE), (82, "000000002999"), (94, "0000150")];
    record(150, &[&base, parts].concat())
}

#[test]
fn arrecadacao_returns_are_read_and_their_trailer_verified() {
    let (report, entries) = read(file150(&[detail150(&[]), detail150(&[])], "Z00000400000000000005998").as_bytes(), 13);
    let report = report.unwrap();
    assert_eq!((report.format, report.bank, &*report.agreement, report.warnings.clone()), (Format::Febraban150, 237, "AGR", vec![]));
    let paid = fact(&entries[0]);
    assert_eq!(paid.title.barcode, Some(Arrecadacao::from_barcode(BARCODE).unwrap()));
    assert_eq!((paid.event_on, paid.credit_on, paid.fee_cents), (Some(day("2026-11-23")), Some(day("2026-11-24")), 150));
    assert_eq!((paid.settlement.unwrap().paid_cents, paid.settlement.unwrap().net_cents), (2_999, 2_849));
    assert_eq!(paid.key.as_str(), format!("237|AGR|{BARCODE}|payment_received|2026-11-23|2999|1"));
    assert_ne!(paid.key, fact(&entries[1]).key);
    let (report, _) = read(file150(&[detail150(&[])], "Z00000400000000000005998").as_bytes(), 13);
    assert_eq!(report.unwrap().warnings_total, 2);
    for (parts, reason) in [
        ((38, "84630000000299902962020041013600000200644115"), ReviewReason::NoNossoNumero),
        ((82, "000000000000"), ReviewReason::ZeroAmount),
        ((82, "00000000299X"), ReviewReason::UnreadableAmount),
        ((22, "20261323"), ReviewReason::BadEventDate),
    ] {
        let (_, entries) = read(file150(&[detail150(&[parts])], "Z00000300000000000002999").as_bytes(), 13);
        assert_eq!(review(&entries[0]).reason, reason);
    }
    let refused = |text: String| read(text.as_bytes(), 9).0.unwrap_err().slug();
    assert_eq!(refused(file150(&[], "Z").replacen("A2", "A1", 1)), "cnab_remittance");
    assert_eq!(refused(file150(&[record(150, &[(1, "F")])], "Z")), "cnab_foreign_service");
    assert_eq!(refused(file150(&[detail150(&[])], "G")), "cnab_truncated");
}
