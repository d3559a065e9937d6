//! CPF, CNPJ, telephones, postal codes.

use brazil::phone::{PhoneFault, PhoneKind, match_key_of};
use brazil::tax_id::{TaxIdFault, TaxIdKind, check_digits_of};
use brazil::{Cep, Phone, State, TaxId};
use proptest::prelude::*;

#[test]
fn the_official_cnpj_with_letters_keeps_its_letters() {
    let id = TaxId::parse("12.abc.345/01de-35").unwrap();
    assert_eq!((id.reveal(), id.formatted().as_str()), ("12ABC34501DE35", "12.ABC.345/01DE-35"));
    assert_eq!((id.root(), format!("{id:?}").as_str()), (Some("12ABC345"), "TaxId(**.***.***/01DE-**)"));
    assert_eq!(TaxId::from_padded(TaxIdKind::Cnpj, "012ABC34501DE35"), Ok(id));
}

#[test]
fn faults_of_a_tax_id_are_told_apart() {
    for (text, fault) in [
        ("", TaxIdFault::Empty),
        (" .-/ ", TaxIdFault::Empty),
        ("1337827100", TaxIdFault::Length(10)),
        ("1337827100A", TaxIdFault::Character),
        ("12ABC34501DE3A", TaxIdFault::Character),
        ("ÀÀABC34501DE35", TaxIdFault::Character),
        ("11111111111", TaxIdFault::Repeated),
        ("00000000000000", TaxIdFault::Repeated),
        ("13378271001", TaxIdFault::CheckDigit),
    ] {
        assert_eq!(TaxId::parse(text), Err(fault), "{text:?}");
    }
    assert_eq!(TaxId::from_padded(TaxIdKind::Cpf, "000013378271000").map(|id| id.kind()), Ok(TaxIdKind::Cpf));
    assert_eq!(TaxId::from_padded(TaxIdKind::Cpf, "100013378271000"), Err(TaxIdFault::Length(15)));
    assert_eq!(TaxId::from_padded(TaxIdKind::Cpf, "éééééééé"), Err(TaxIdFault::Length(8)));
}

proptest! {
    #[test]
    fn any_base_with_its_digits_is_a_tax_id_and_any_other_digit_is_not(base in "[0-9]{9}|[0-9A-Z]{12}", wrong in 1u8..10) {
        let digits = check_digits_of(&base).unwrap();
        let repeated = base.bytes().chain(digits.bytes()).all(|byte| Some(byte) == base.bytes().next());
        prop_assume!(!repeated);
        let text = format!("{base}{digits}");
        let id = TaxId::parse(&text.to_lowercase()).unwrap();
        prop_assert_eq!(id.reveal(), &text);
        let oracle = if text.len() == 11 { cpf_cnpj::cpf::validate(&text) } else { cpf_cnpj::cnpj::validate(&text) };
        prop_assert!(oracle, "the public library agrees");
        let last = (digits.as_bytes()[1] - b'0' + wrong) % 10;
        let broken = format!("{}{last}", &text[..text.len() - 1]);
        prop_assert!(TaxId::parse(&broken).is_err());
    }

    #[test]
    fn no_text_makes_identity_panic(text in any::<String>(), digits in "[+0-9 ().-]{0,20}") {
        for text in [text, digits] {
            let _ = TaxId::parse(&text);
            let _ = TaxId::from_padded(TaxIdKind::Cnpj, &text);
            let _ = check_digits_of(&text);
            let _ = Cep::parse(&text).map(|cep| (cep.state(), cep.formatted()));
            let _ = Phone::parse(&text).map(|phone| (phone.match_key(), phone.state(), format!("{phone:?}")));
            let _ = match_key_of(&text);
        }
    }

    #[test]
    fn a_phone_read_from_its_own_e164_is_itself(area in 11u8..=99, mobile in "9[0-9]{8}|[2-5][0-9]{7}") {
        let parsed = Phone::parse(&format!("({area}) {mobile}"));
        let geographic = parsed.as_ref().is_ok_and(|phone| phone.kind() != PhoneKind::Service);
        prop_assert_eq!(geographic, brazil::phone::state_of_area(area).is_some());
        if let (true, Ok(phone)) = (geographic, parsed) {
            prop_assert_eq!(Phone::parse(&phone.e164()), Ok(phone.clone()));
            prop_assert_eq!(Phone::parse(&phone.e164()[1..]), Ok(phone.clone()));
            prop_assert_eq!(Phone::parse(&format!("0{area}{mobile}")), Ok(phone.clone()));
            prop_assert_eq!(Phone::parse(&format!("015{area}{mobile}")), Ok(phone));
        }
    }
}

#[test]
fn phones_know_their_state_and_hide_their_digits() {
    let phone = Phone::parse("(68) 99955-4433").unwrap();
    assert_eq!((phone.area_code(), phone.state()), (Some(68), Some(State::AC)));
    assert_eq!(phone.to_string(), "+55 68 *****33");
    for (text, fault) in [
        ("11 8765-4321", PhoneFault::MissingNinthDigit),
        ("20 98765-4321", PhoneFault::AreaCode(20)),
        ("98765-4321", PhoneFault::MissingAreaCode),
        ("11 18765-4321", PhoneFault::Subscriber),
        ("11 1234-567x", PhoneFault::Character),
        ("", PhoneFault::Empty),
    ] {
        assert_eq!(Phone::parse(text), Err(fault), "{text:?}");
    }
    // DDD 55 is Santa Maria: eleven digits are a number there, thirteen begin with the country.
    assert_eq!(Phone::parse("55 99955-4433").unwrap().state(), Some(State::RS));
    assert_eq!(Phone::parse("5511987654321").unwrap().state(), Some(State::SP));
}

#[test]
fn a_line_of_a_company_is_no_payers_phone() {
    for (text, e164) in
        [("0303 123 4567", "+553031234567"), ("0800 123456", "+55800123456"), ("4004-1234", "+5540041234"), ("3003 1234", "+5530031234")]
    {
        let phone = Phone::parse(text).unwrap();
        assert_eq!((phone.e164().as_str(), phone.kind(), phone.state(), phone.takes_text()), (e164, PhoneKind::Service, None, false));
    }
    for text in ["0300 123 456", "3456-7890", "3031 1234"] {
        assert_eq!(Phone::parse(text), Err(PhoneFault::MissingAreaCode), "{text}");
    }
}

#[test]
fn a_messenger_id_without_the_ninth_digit_matches() {
    let key = Phone::parse("11 98765-4321").unwrap().match_key();
    for id in ["5511987654321", "551187654321", "+5511987654321"] {
        assert_eq!(match_key_of(id), Some(key.clone()), "{id}");
    }
    let (young, line) = (Phone::parse("11 95432-1000").unwrap(), Phone::parse("11 5432-1000").unwrap());
    assert_ne!(young.match_key(), line.match_key(), "a mobile is not the landline with its last eight digits");
    assert_eq!(match_key_of("joão"), None);
}

#[test]
fn postal_codes_know_their_state() {
    for (text, state) in [
        ("01310-100", "SP"),
        ("20040-002", "RJ"),
        ("69900-000", "AC"),
        ("69.300-000", "RR"),
        ("70040 010", "DF"),
        ("72800-000", "GO"),
        ("73700-000", "GO"),
        ("76800-000", "RO"),
        ("77000-000", "TO"),
        ("88010-000", "SC"),
        ("99999-999", "RS"),
    ] {
        assert_eq!(Cep::parse(text).map(|cep| cep.state().code()).unwrap(), state, "{text}");
    }
    for bad in ["", "1310100", "013101000", "0131O100", "00999-999"] {
        assert!(Cep::parse(bad).is_err(), "{bad}");
    }
    let cep = Cep::parse("01310100").unwrap();
    assert_eq!((cep.formatted().as_str(), cep.digits().as_str(), cep.to_string().as_str()), ("01310-100", "01310100", "01***-***"));
}
