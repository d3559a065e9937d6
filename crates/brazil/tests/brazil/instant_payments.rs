//! BR Codes, identifiers of Pix, charges with a due date.

use brazil::charges::{DayBasis, Rate, Rounding};
use brazil::pix::cobv::{Cobv, CobvFault, Discount, InterestPer, InterestValue, Settings, Value, amount_due, is_payable};
use brazil::pix::{
    Account, BrCode, BrCodeFault, ChargeTxid, Draft, EndToEndId, IdFault, Initiation, KeyKind, NotifiedTxid, RecurrenceId, ReturnId,
    StaticTxid, decimal_text, kind_of_key, parse_decimal,
};
use brazil::{Calendar, NaiveDate};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn draft() -> Draft {
    Draft {
        account: Account::Static { key: "123e4567-e12b-12d1-a456-426655440000".to_owned(), info: None, fss: None },
        initiation: Initiation::Unstated,
        amount_cents: None,
        name: "Fulano de Tal".to_owned(),
        city: "BRASILIA".to_owned(),
        cep: None,
        txid: None,
        recurrence_url: None,
    }
}

#[test]
fn the_static_example_of_the_central_bank_ends_in_1d3d() {
    let text = draft().code().unwrap().text();
    assert_eq!(&text[text.len() - 8..], "63041D3D");
    assert_eq!(BrCode::parse(&format!(" {}\n", text.replace("1D3D", "1d3d"))).map(|code| code.text()), Ok(text));
}

#[test]
fn names_lose_accents_and_what_does_not_fit() {
    let code = Draft { name: "João Conceição Sociedade Anônima".into(), city: "São Miguel do Oeste".into(), ..draft() }.code().unwrap();
    assert_eq!((code.name(), code.city()), ("Joao Conceicao Sociedade", "Sao Miguel do O"));
    assert!(code.text().is_ascii());
    assert_eq!(Draft { name: "東京".into(), ..draft() }.code(), Err(BrCodeFault::Value(59)));
    assert_eq!(Draft { amount_cents: Some(1_000_000_000_000), ..draft() }.code(), Err(BrCodeFault::Value(54)));
    for url in ["https://pix.example.com/x", "", &"x".repeat(78), "a b"] {
        assert_eq!(Draft { account: Account::Dynamic { url: url.to_owned() }, ..draft() }.code(), Err(BrCodeFault::Value(26)), "{url}");
    }
    let long = Account::Static { key: "k".repeat(60), info: Some("i".repeat(20)), fss: None };
    assert_eq!(Draft { account: long, ..draft() }.code(), Err(BrCodeFault::Value(26)), "the template is over 99");
}

/// A code with these fields and a right checksum.
fn sealed(body: &str) -> String {
    let crc = body.bytes().chain(*b"6304").fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    });
    format!("{body}6304{crc:04X}")
}

#[test]
fn a_broken_code_says_what_is_broken() {
    let good = "00020126360014br.gov.bcb.pix0114arya@stark.com5204000053039865802BR5904Arya6006Winter62070503***";
    assert!(BrCode::parse(&sealed(good)).is_ok());
    let changed = |from: &str, to: &str| BrCode::parse(&sealed(&good.replacen(from, to, 1))).map(|_| ()).unwrap_err();
    for (from, to, fault) in [
        ("000201", "000202", BrCodeFault::Value(0)),
        ("5303986", "5303840", BrCodeFault::Value(53)),
        ("5802BR", "5802US", BrCodeFault::Value(58)),
        ("5904Arya", "", BrCodeFault::Missing(59)),
        ("5904Arya", "5904Arya5904Arya", BrCodeFault::Duplicate(59)),
        ("5802BR", "58A2BR", BrCodeFault::Structure(0)),
        ("62070503***", "62080503***", BrCodeFault::Structure(0)),
        ("5802BR", "54041.0x5802BR", BrCodeFault::Value(54)),
        ("br.gov.bcb.pix", "com.visa.other", BrCodeFault::NotPix),
        ("0503***", "0503a-b", BrCodeFault::Value(62)),
    ] {
        let found = changed(from, to);
        let same = found == fault || matches!((found, fault), (BrCodeFault::Structure(_), BrCodeFault::Structure(_)));
        assert!(same, "{from} -> {to}: {found:?} is not {fault:?}");
    }
    let text = sealed(good);
    assert!(matches!(BrCode::parse(&text.replacen("Arya", "Anya", 1)), Err(BrCodeFault::Checksum { .. })));
    assert_eq!(BrCode::parse(&text[..text.len() - 3]), Err(BrCodeFault::ChecksumMissing));
    assert_eq!(BrCode::parse(""), Err(BrCodeFault::ChecksumMissing));
    // Unknown tags stay where they are; a system name in capitals is the same system.
    let other = sealed(&good.replacen("br.gov.bcb.pix", "BR.GOV.BCB.PIX", 1).replacen("5802BR", "5502015802BR", 1));
    let code = BrCode::parse(&other).unwrap();
    assert_eq!((code.text(), code.fields().iter().any(|field| field.tag == 55)), (other, true));
}

#[test]
fn what_is_too_long_is_read_and_said() {
    let body = "00020126360014br.gov.bcb.pix0114arya@stark.com520400005303986540212";
    let long = format!("{body}5802BR5926{}6016{}62300526{}", "n".repeat(26), "c".repeat(16), "t".repeat(26));
    let code = BrCode::parse(&sealed(&long)).unwrap();
    assert_eq!(code.deviations(), [54, 59, 60, 62].map(BrCodeFault::Value));
    assert_eq!((code.amount_cents(), code.txid().map(str::len), code.text()), (Some(1_200), Some(26), sealed(&long)));
    assert_eq!(draft().code().unwrap().deviations(), []);
}

#[test]
fn lengths_are_characters_and_bytes_are_understood() {
    let by_chars = "00020126360014br.gov.bcb.pix0114arya@stark.com5204000053039865802BR5905JoãoS6006Winter";
    let by_bytes = by_chars.replace("5905JoãoS", "5906JoãoS");
    for text in [by_chars, &by_bytes] {
        assert_eq!(BrCode::parse(&sealed(text)).map(|code| code.name().to_owned()), Ok("JoãoS".to_owned()));
    }
}

#[test]
fn identifiers_keep_their_form() {
    let id = EndToEndId::new("E12345678202611211530abcdef12345").unwrap();
    assert_eq!((id.ispb(), id.minute_utc().unwrap().to_string().as_str()), ("12345678", "2026-11-21 15:30:00"));
    for (text, fault) in [
        ("E12345678202611211530abcdef1234", IdFault::Length(31)),
        ("D12345678202611211530abcdef12345", IdFault::Prefix),
        ("E1234567a202611211530abcdef12345", IdFault::Ispb),
        ("E12345678202613211530abcdef12345", IdFault::Date),
        ("E12345678202611212530abcdef12345", IdFault::Date),
        ("E12345678202611211530abcdef-2345", IdFault::Character),
    ] {
        assert_eq!(EndToEndId::new(text), Err(fault), "{text}");
    }
    assert!(EndToEndId::new("E1AB45Z78202611211530abcdef12345").is_ok(), "ISPB with letters");
    assert!(ReturnId::new("D12345678202611211530abcdef12345").is_ok());
    assert!(RecurrenceId::new("RR1234567820261121abcdef12345").is_ok_and(|id| id.may_retry()));
    assert_eq!(RecurrenceId::new("RX1234567820261121abcdef12345"), Err(IdFault::Prefix));
    let fits = |size: usize| {
        (
            ChargeTxid::new(&"a".repeat(size)).is_ok(),
            NotifiedTxid::new(&"a".repeat(size)).is_ok(),
            StaticTxid::new(&"a".repeat(size)).is_ok(),
        )
    };
    assert_eq!(
        [0, 1, 25, 26, 35, 36].map(fits),
        [(false, false, false), (false, true, true), (false, true, true), (true, true, false), (true, true, false), (false, false, false)]
    );
}

#[test]
fn keys_are_known_by_their_form() {
    for (key, kind) in [
        ("13378271000", Some(KeyKind::Cpf)),
        ("12ABC34501DE35", Some(KeyKind::Cnpj)),
        ("133.782.710-00", None),
        ("+5511987654321", Some(KeyKind::Phone)),
        ("+551134567890", None),
        ("fulano_da_silva.recebedor@example.com", Some(KeyKind::Email)),
        ("Fulano@example.com", None),
        ("123e4567-e12b-12d1-a456-426655440000", Some(KeyKind::Random)),
        ("a@", None),
        ("", None),
    ] {
        assert_eq!(kind_of_key(key), kind, "{key}");
    }
}

fn charge(due: &str) -> Cobv {
    Cobv { original_cents: 10_000, due: day(due), validity_days: 30, fine: None, interest: None, abatement: None, discount: None }
}

fn total(charge: &Cobv, on: &str) -> i64 {
    amount_due(charge, day(on), &Settings::default()).unwrap().total_cents
}

#[test]
fn a_late_charge_costs_its_fine_and_interest() {
    let mut late = charge("2026-11-23");
    late.fine = Some(Value::of("valor.multa", 2, 300).unwrap());
    late.interest = Some(InterestValue::of(2, 100).unwrap());
    assert_eq!(["2026-11-23", "2026-11-24", "2026-11-25"].map(|on| total(&late, on)), [10_000, 10_400, 10_500]);
    // Due on the holiday of Friday 20 Nov: adjusted to Monday, from where both count.
    let rolled = Cobv { due: day("2026-11-20"), ..late.clone() };
    assert_eq!(["2026-11-23", "2026-11-24"].map(|on| total(&rolled, on)), [10_000, 10_400]);
    // A month late, in each modality of juros (R$ 100,00; 30 calendar days, 22 business days).
    for (modality, hundredths, cents) in
        [(1, 5, 150), (2, 10, 300), (3, 100, 100), (4, 1200, 99), (5, 5, 110), (6, 10, 220), (7, 100, 73), (8, 1200, 72)]
    {
        let interest = Some(InterestValue::of(modality, hundredths).unwrap());
        let made = amount_due(&Cobv { fine: None, interest, ..late.clone() }, day("2026-12-23"), &Settings::default()).unwrap();
        assert_eq!(made.interest_cents, cents, "modalidade {modality}");
    }
    assert_eq!(InterestValue::of(9, 1), Err(CobvFault::Modality { object: "valor.juros", modality: 9 }));
}

#[test]
fn an_early_charge_costs_less_by_each_modality_of_discount() {
    let with = |discount| Cobv { discount: Some(discount), ..charge("2026-11-30") };
    let dates = [(day("2026-11-20"), 500), (day("2026-11-25"), 200)];
    let fixed = with(Discount::of(1, None, &dates).unwrap());
    assert_eq!(["2026-11-20", "2026-11-21", "2026-11-25", "2026-11-26"].map(|on| total(&fixed, on)), [9_500, 9_800, 9_800, 10_000]);
    let percent = with(Discount::of(2, None, &dates).unwrap());
    assert_eq!(["2026-11-20", "2026-11-25", "2026-12-01"].map(|on| total(&percent, on)), [9_500, 9_800, 10_000]);
    // From Thursday 19 to Monday 30 Nov: 11 calendar days; Friday 20 is a holiday: 6 business days.
    for (modality, hundredths, cents) in [(3, 10, 110), (4, 10, 60), (5, 50, 550), (6, 50, 300)] {
        let early = with(Discount::of(modality, Some(hundredths), &[]).unwrap());
        assert_eq!(total(&early, "2026-11-19"), 10_000 - cents, "modalidade {modality}");
        assert_eq!(total(&early, "2026-11-30"), 10_000);
    }
    let all = Cobv { abatement: Some(Value::Fixed(1_000)), ..fixed };
    assert_eq!(total(&all, "2026-11-20"), 8_500);
    assert_eq!(total(&all, "2026-12-01"), 9_000);
}

#[test]
fn terms_that_a_provider_refuses_are_refused_all_at_once() {
    let created = day("2026-11-21");
    assert_eq!(charge("2026-11-21").faults(created), []);
    let bad = Cobv {
        original_cents: 0,
        abatement: Some(Value::Fixed(0)),
        discount: Some(Discount::PercentUntil(vec![(day("2026-11-21"), Rate::percent(100))])),
        ..charge("2026-11-20")
    };
    let faults = [CobvFault::Original, CobvFault::Due, CobvFault::Abatement, CobvFault::Discount, CobvFault::DiscountAfterDue];
    assert_eq!(bad.faults(created), faults);
    let date = [(created, 1)];
    assert_eq!(Discount::of(1, Some(1), &date), Err(CobvFault::DiscountValue));
    assert_eq!(Discount::of(1, None, &[]), Err(CobvFault::DiscountDates));
    assert_eq!(Discount::of(2, None, &[(created, 1); 4]), Err(CobvFault::DiscountDates));
    assert_eq!(Discount::of(3, None, &[]), Err(CobvFault::DiscountValue));
    assert_eq!(Discount::of(6, Some(1), &date), Err(CobvFault::DiscountDates));
    assert_eq!(Discount::of(7, Some(1), &[]), Err(CobvFault::Modality { object: "valor.desconto", modality: 7 }));
    assert_eq!(Value::of("valor.multa", 3, 1), Err(CobvFault::Modality { object: "valor.multa", modality: 3 }));
    let negative = Cobv { fine: Some(Value::Fixed(-1)), ..charge("2026-11-20") };
    assert_eq!(amount_due(&negative, day("2026-12-20"), &Settings::default()), Err(CobvFault::Range("valor.multa")));
    let early = Cobv { discount: Some(Discount::CentsPerDayEarly(DayBasis::Calendar, 9_000)), ..charge("2026-11-20") };
    assert_eq!(amount_due(&early, day("2026-11-10"), &Settings::default()), Err(CobvFault::Discount));
}

proptest! {
    #[test]
    fn a_written_code_reads_back(key in "[a-z0-9]{1,20}@[a-z]{1,20}[.]com", name in "[A-Za-zÀ-ü ]{0,40}", city in "\\PC{0,20}", cents in prop::option::of(0u64..=999_999_999_999), txid in prop::option::of("[A-Za-z0-9]{1,25}"), info in prop::option::of("[a-zç ]{0,8}")) {
        let draft = Draft {
            account: Account::Static { key: key.clone(), info, fss: Some("12345678".into()) },
            name: format!("A{name}"),
            city: format!("B{city}"),
            amount_cents: cents,
            txid: txid.as_deref().map(|txid| StaticTxid::new(txid).unwrap()),
            ..draft()
        };
        let code = draft.code().unwrap();
        prop_assert!(code.text().is_ascii());
        prop_assert_eq!(BrCode::parse(&code.text()), Ok(code.clone()));
        prop_assert_eq!((code.amount_cents(), code.txid().map(str::to_owned)), (cents, txid));
    }

    #[test]
    fn no_text_makes_pix_panic(text in any::<String>(), digits in "[0-9]{0,40}", body in "(0002012[6-9][0-9]{2}[0-9a-z]{0,30}|[0-9]{4}[é0-9]{0,9}){0,6}") {
        for text in [&text, &digits, &body, &sealed(&body), &sealed(&text)] {
            let _ = (BrCode::parse(text), EndToEndId::new(text), RecurrenceId::new(text), kind_of_key(text), parse_decimal(text));
            let _ = Draft { name: text.clone(), account: Account::Dynamic { url: text.clone() }, recurrence_url: Some(text.clone()), ..draft() }.code();
        }
    }

    #[test]
    fn no_numbers_make_a_charge_panic(original in any::<i64>(), hundredths in any::<u64>(), modality in any::<u8>(), days in [any::<i32>(), any::<i32>()], validity in any::<u32>()) {
        let [due, on] = days.map(|days| NaiveDate::from_num_days_from_ce_opt(days).unwrap_or(NaiveDate::MAX));
        let charge = Cobv {
            original_cents: original,
            due,
            validity_days: validity,
            fine: Value::of("valor.multa", modality % 4, hundredths).ok(),
            interest: InterestValue::of(modality % 10, hundredths).ok(),
            abatement: None,
            discount: Discount::of(modality % 7, Some(hundredths), &[]).ok(),
        };
        let _ = (charge.faults(on), is_payable(&charge, on, Calendar::BrSettlement), amount_due(&charge, on, &Settings::default()), decimal_text(hundredths));
    }

    #[test]
    fn interest_grows_with_the_days(hundredths in 0u64..1000, modality in 1u8..=8, days in [0u64..400, 0u64..400]) {
        let late = Cobv { interest: Some(InterestValue::of(modality, hundredths).unwrap()), ..charge("2026-11-20") };
        let settings = Settings { rounding: Rounding::Truncated, ..Settings::default() };
        let [sooner, later] = days.map(|days| amount_due(&late, day("2026-11-20") + chrono::Days::new(days), &settings).unwrap().total_cents);
        prop_assert_eq!(sooner.cmp(&later) == std::cmp::Ordering::Greater, days[0] > days[1] && sooner != later);
        prop_assert!(matches!(late.interest.unwrap().per, InterestPer::DayCents(_) | InterestPer::Day(_) | InterestPer::Month(_) | InterestPer::Year(_)));
    }
}
