//! The check of vector files, on copies that were changed.

use crate::rows::read;
use std::fs;
use std::path::Path;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors");

/// What is said of a directory with these files, and whether it is good.
fn said_of(files: &[(&str, String)]) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let outcome = read(directory.path(), false).unwrap();
    (outcome.is_good(), outcome.to_string())
}

fn original(name: &str) -> String {
    fs::read_to_string(Path::new(VECTORS).join(name)).unwrap()
}

#[test]
fn a_wrong_value_is_told_with_its_file_line_and_column() {
    for (file, from, to, told) in [
        ("arrecadacao.csv", "mod10,2999,", "mod10,2998,", "arrecadacao.csv:3: column value_cents:"),
        (
            "arrecadacao.csv",
            "invalid,invalid,agree,mod10,,barcode",
            "valid,valid,agree,mod10,,barcode",
            "arrecadacao.csv:5: column computed:",
        ),
        ("bank_holidays.csv", "2020-04-10,fri", "2020-04-11,sat", "bank_holidays.csv:4: column date:"),
        ("bank_holidays.csv", "2020-04-10,fri", "2020-04-10,thu", "bank_holidays.csv:4: column weekday:"),
        ("boleto.csv", "001-03,001,00193377100", "001-03,001,00193377101", "boleto.csv:4: column barcode:"),
        ("boleto.csv", "2008-02-03,3771,", "2008-02-04,3771,", "boleto.csv:4: column due_date:"),
        ("boleto.csv", "1238798,,7777700168", "1238798,,7777700169", "boleto.csv:4: column campo_livre:"),
        ("boleto.csv", "0000000013724-3,,", "0000000013724-3,,", "every row checked"),
        ("boleto.csv", "14000000000000006-5", "14000000000000006-4", "column nosso_numero_fmt:"),
        ("boleto.csv", "differs: source prints", "ok", "column campo_livre_check:"),
        (
            "boleto.csv",
            "0000001238798777770016818,,ok",
            "0000001238798777770016818,,differs: so they say",
            "boleto.csv:4: column campo_livre_check:",
        ),
        ("boleto_invalid.csv", "stated 2 computed 3", "stated 2 computed 4", "boleto_invalid.csv:4: column problem:"),
        ("business_days.csv", "2027-01-01,,2027-01-04", "2027-01-01,,2027-01-05", "business_days.csv:9: column result:"),
        (
            "business_days.csv",
            "preceding,2026-12-24",
            "before,2026-12-24",
            "business_days.csv:6: column kind: \"before\" is a kind that is not known",
        ),
        ("cnab240_layout.csv", "0,2,4,7,4,0,N,0000,", "0,2,4,7,4,0,N,9999,", "cnab240_layout.csv:4: column fixed:"),
        ("contact_windows.csv", "phone,09:00-19:00", "phone,09:00-20:00", "contact_windows.csv:4: column weekdays:"),
        ("cpf_cnpj.csv", "400.448.260-79", "400.448.260-78", "cpf_cnpj.csv:4: column computed:"),
        ("cpf_cnpj.csv", "cnpj,61882613000194", "cpf,61882613000194", "column computed:"),
        ("due_date_factor.csv", "2002-05-01,1667", "2002-05-01,1668", "due_date_factor.csv:5: column factor:"),
        ("due_date_factor.csv", "7640,2018-09-07", "7600,", "every row checked"),
        ("due_date_factor.csv", "7640,2018-09-07", "7640,", "column decoded:"),
        ("dv_primitives.csv", "01230067896,3,3,agree", "01230067896,4,3,differ", "every row checked"),
        ("dv_primitives.csv", "01230067896,3,3,agree", "01230067896,4,4,agree", "dv_primitives.csv:3: column computed:"),
        (
            "late_fees.csv",
            "1021.66,1021.65",
            "1021.66,1021.66",
            "late_fees.csv:7: column total_daily_rate_3dec: \"1021.66\" in the file, 1021.65 by the rule",
        ),
        ("late_fees.csv", "1050.00,NONE", "1030.00,NONE", "late_fees.csv:8: column matching_convention:"),
        ("late_fees.csv", "2007-05-28,23,", "2007-05-28,21,", "late_fees.csv:3: column days_counted:"),
        ("phones.csv", "+5568999554433,True", "+5568999554434,True", "phones.csv:6: column e164:"),
        ("phones.csv", "987654321,+55987654321,False", "987654321,+55987654321,True", "phones.csv:8: column valid:"),
        ("pix_brcode.csv", "Pedido 123,,", "Pedido 124,,", "pix_brcode.csv:3: column key:"),
        ("pix_brcode.csv", ",62CA,", ",62CB,", "pix_brcode.csv:3: column crc:"),
        ("pix_cobv_validity.csv", "2020-10-27,negado", "2020-10-27,aceito", "pix_cobv_validity.csv:6: column expected:"),
        ("webhook_signatures.csv", "Hi There", "Hi there", "webhook_signatures.csv:4: column expected:"),
        ("webhook_signatures.csv", "meta_sha256,Jefe", "meta_md5,Jefe", "webhook_signatures.csv:3: column scheme:"),
    ] {
        let text = original(file);
        assert!(text.contains(from), "{file} has no {from}");
        let (good, said) = said_of(&[(file, text.replacen(from, to, 1))]);
        assert_eq!(good, told == "every row checked", "{file}: {from} -> {to}\n{said}");
        assert!(said.contains(told), "{file}: {from} -> {to}\n{said}");
    }
}

#[test]
fn another_row_is_counted_and_checked() {
    let more = original("phones.csv") + "4004-1234,+5540041234,True,SHARED_COST\n+351 912 345 678,+351912345678,True,MOBILE\n";
    let (good, said) = said_of(&[("phones.csv", more)]);
    assert!(good && said.contains("phones.csv                        13       13       0"), "{said}");
    let twilio = "twilio_sha1,key,The quick brown fox jumps over the lazy dog,3nybhbi3iqa8ino29wqQcBydtNk=,ok,RFC 2202 style\r\n";
    let (good, said) = said_of(&[("webhook_signatures.csv", original("webhook_signatures.csv").replace('\n', "\r\n") + twilio)]);
    assert!(good && said.contains("       4        4       0"), "{said}");
    // Columns in another order, a comment in the middle, a line end inside of a value.
    let text = "message,key,scheme,expected,check,source\n\"two\nlines\",k,meta_sha256,x,no,\n# more\na,k,meta_sha256,sha256=,ok,\n";
    let (good, said) = said_of(&[("webhook_signatures.csv", text.to_owned())]);
    assert!(!good && said.contains("webhook_signatures.csv:5: column expected:"), "{said}");
    assert!(said.contains("       2        2       1"), "{said}");
}

#[test]
fn a_row_that_cannot_be_checked_is_counted_and_not_checked() {
    let (good, said) =
        said_of(&[("business_days.csv", "kind,a,b,result\nfollowing,2026-02-30,,2026-03-02\nsoon,2026-02-27,,\n".to_owned())]);
    assert!(!good && said.contains("       2        0       2"), "{said}");
    assert!(said.contains("business_days.csv:2: column a: \"2026-02-30\" cannot be read"), "{said}");
}

#[test]
fn files_and_columns_that_no_check_knows_fail() {
    let phones = || ("phones.csv", original("phones.csv"));
    for (files, told) in [
        (vec![("phones.csv", "input,e164,valid,type,carrier\n".to_owned())], "phones.csv has an unknown column \"carrier\""),
        (vec![("phones.csv", "input,e164,valid\n".to_owned())], "phones.csv has no column \"type\""),
        (vec![("phones.csv", "input,e164,valid,type,type\n".to_owned())], "phones.csv has the column \"type\" twice"),
        (vec![("phones.csv", String::new())], "phones.csv has no header"),
        (
            vec![("phones.csv", "input,e164,valid,type\n11 98765-4321,True\n".to_owned())],
            "phones.csv:2: column (all): \"2 values\" are not as many as the columns",
        ),
        (vec![phones(), ("nfe.csv", "a,b\n".to_owned())], "nfe.csv is a kind of file that is not known"),
        (vec![phones(), ("pix.json", "{}".to_owned())], "pix.json is a kind of file that is not known"),
        (vec![("README.md", String::new())], "missing: arrecadacao.csv, bank_holidays.csv"),
    ] {
        let (good, said) = said_of(&files);
        assert!(!good && said.contains(told), "{told}\n{said}");
    }
}

#[test]
fn a_missing_file_is_said_and_fails_only_where_the_set_must_be_whole() {
    let (good, said) = said_of(&[("phones.csv", original("phones.csv")), ("README.md", String::new())]);
    assert!(
        good && said.contains("missing: arrecadacao.csv, bank_holidays.csv, boleto.csv") && said.contains("README.md is no vector file"),
        "{said}"
    );
    let whole = read(Path::new(VECTORS), true).unwrap();
    assert!(whole.is_good(), "{whole}");
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("phones.csv"), original("phones.csv")).unwrap();
    assert!(!read(directory.path(), true).unwrap().is_good());
    assert!(read(&directory.path().join("nowhere"), false).is_err());
}
