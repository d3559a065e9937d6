//! Collection accounts: which agreements make boletos, and how numbers are set aside.

use brazil::boleto::Boleto;
use kernel::{CollectionAccountId, NaiveDate};
use proptest::prelude::*;
use receivable::collection::{
    AccountTerms, Agreement, Block, Collection, CollectionCommand, CollectionEvent, CollectionRejection, MAX_BLOCK, decide_collection,
    evolve_collection,
};
use std::collections::BTreeSet;

/// `33 agreement=1234567 wallet=101 first=10`.
fn agreement(text: &str) -> Agreement {
    let mut words = text.split_whitespace();
    let mut agreement = Agreement { bank: words.next().unwrap().parse().unwrap(), first_number: 1, ..Agreement::default() };
    for (name, value) in words.map(|word| word.split_once('=').unwrap()) {
        match name {
            "agency" => agreement.agency = value.to_owned(),
            "account" => agreement.account = value.to_owned(),
            "digit" => agreement.account_digit = value.to_owned(),
            "agreement" => agreement.agreement = value.to_owned(),
            "wallet" => agreement.wallet = value.to_owned(),
            "modality" => agreement.modality = value.to_owned(),
            "post" => agreement.post = value.to_owned(),
            "first" => agreement.first_number = value.parse().unwrap(),
            other => panic!("{other} is no field"),
        }
    }
    agreement
}

const GOOD: [&str; 10] = [
    "1 agreement=1234567 wallet=17",
    "1 agreement=123456 agency=1234 account=12345678 wallet=17",
    "1 agreement=1234 agency=1234 account=12345678 wallet=17",
    "33 agreement=1234567 wallet=101",
    "77 agreement=1234567 wallet=112",
    "104 agreement=123456",
    "237 agency=1234 account=1234567 wallet=09",
    "341 agency=1234 account=12345 digit=6 wallet=109",
    "748 agency=0165 post=02 agreement=00623 modality=1 wallet=1",
    "756 agency=3069 agreement=1234567 wallet=1 modality=01",
];

#[test]
fn an_agreement_that_makes_no_boletos_names_its_field() {
    for (text, expected) in [
        ("260 agreement=1", "bank bank_unsupported"),
        ("33 agreement=12345678 wallet=101", "agreement boleto_field_too_long"),
        ("33 agreement=12x wallet=101", "agreement boleto_field_not_digits"),
        ("33 agreement=123", "wallet boleto_field_not_digits"),
        ("1 agreement=12345 wallet=17", "agreement boleto_field_value"),
        ("77 wallet=112", "agreement boleto_field_not_digits"),
        ("104", "agreement boleto_field_not_digits"),
        ("237 account=1 wallet=9", "agency boleto_field_not_digits"),
        ("341 agency=1 account=2 wallet=109", "account_digit boleto_field_not_digits"),
        ("341 agency=1 account=2 digit=3 wallet=198", "wallet wallet_unsupported"),
        ("748 agency=1 agreement=2 modality=1 wallet=1", "post boleto_field_not_digits"),
        ("756 agency=1 agreement=2 wallet=1 modality=123", "modality boleto_field_too_long"),
        ("33 agreement=123 wallet=101 first=0", "first_number first_number_out_of_range"),
        ("1 agreement=123456 agency=1 account=2 wallet=17 first=100000", "first_number first_number_out_of_range"),
    ] {
        let fault = agreement(text).check().unwrap_err();
        assert_eq!(format!("{} {}", fault.field(), fault.slug()), expected, "{text}");
    }
}

#[test]
fn every_layout_makes_slips_from_its_first_to_its_last_number_and_no_further() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 10).unwrap();
    for text in GOOD {
        let agreement = agreement(text);
        assert_eq!(agreement.check(), Ok(()), "{text}");
        let last = agreement.last_number();
        let numbers: BTreeSet<String> = [1, 2, last / 2, last - 1, last]
            .into_iter()
            .map(|number| {
                let (slip, issued) = Boleto::issue(&agreement.title(number, day).unwrap(), Some(day), 1000).unwrap();
                assert_eq!(slip.nosso_numero().unwrap().number, issued.nosso_numero.number, "{text} {number}");
                issued.nosso_numero.number
            })
            .collect();
        assert_eq!(numbers.len(), 5, "{text}");
        assert!(agreement.title(last + 1, day).unwrap().issue(1000).is_err(), "{text}");
    }
}

fn id(text: &str) -> CollectionAccountId {
    CollectionAccountId::new(text).unwrap()
}

fn run(state: Collection, command: CollectionCommand) -> (Collection, Result<Vec<CollectionEvent>, CollectionRejection>) {
    let decided = decide_collection(&state, &command);
    let after = decided.iter().flatten().fold(state, evolve_collection);
    (after, decided)
}

fn register(account_id: &str, boleto: Option<&str>, has_pix: bool, is_default: bool) -> CollectionCommand {
    CollectionCommand::Register(AccountTerms {
        account_id: id(account_id),
        agreement: boleto.map(agreement),
        has_pix,
        is_default,
        charges: None,
    })
}

fn reserve(account_id: &str, count: u32) -> CollectionCommand {
    CollectionCommand::ReserveNumbers { account_id: id(account_id), count }
}

#[test]
fn an_account_keeps_its_agreement_once_a_number_is_set_aside() {
    let (state, _) = run(Collection::default(), register("a", Some(GOOD[3]), false, false));
    let (state, changed) = run(state, register("a", Some(GOOD[4]), false, false));
    assert_eq!(changed.unwrap().len(), 1, "nothing was numbered yet");
    let (state, _) = run(state, reserve("a", 5));
    for boleto in [Some(GOOD[3]), None] {
        assert_eq!(run(state.clone(), register("a", boleto, true, false)).1, Err(CollectionRejection::InUse));
    }
    let (state, pix) = run(state, register("a", Some(GOOD[4]), true, true));
    assert_eq!((pix.unwrap().len(), state.default.clone()), (1, Some(id("a"))));
    assert_eq!(run(state, register("a", Some(GOOD[4]), true, true)).1, Ok(vec![]), "the same again adds nothing");
}

#[test]
fn the_last_account_that_says_so_is_the_default() {
    let (state, nothing) = run(Collection::default(), register("a", None, false, true));
    assert_eq!(nothing, Err(CollectionRejection::NothingToPayWith));
    let (state, _) = run(state, register("a", None, true, true));
    let (state, _) = run(state, register("b", None, true, true));
    assert_eq!(state.default, Some(id("b")));
    let (state, _) = run(state, register("a", None, true, false));
    assert_eq!(state.default, Some(id("b")), "another account's word changes nothing");
    let (state, _) = run(state, register("b", None, true, false));
    assert_eq!(state.default, None);
}

#[test]
fn numbers_end_where_the_layout_does() {
    let first = "1 agreement=123456 agency=1234 account=12345678 wallet=17 first=99990";
    let (state, _) = run(Collection::default(), register("a", Some(first), false, false));
    let (state, events) = run(state, reserve("a", 16));
    let block = Block { first: 99_990, count: 10 };
    assert_eq!(events, Ok(vec![CollectionEvent::NumbersReserved { account_id: id("a"), block }]));
    assert_eq!(run(state.clone(), reserve("a", 1)).1, Err(CollectionRejection::NumbersExhausted));
    assert_eq!(run(state.clone(), reserve("x", 1)).1, Err(CollectionRejection::Unknown));
    let (state, _) = run(state, register("p", None, true, false));
    assert_eq!(run(state, reserve("p", 1)).1, Err(CollectionRejection::NoAgreement));
}

proptest! {
    #[test]
    fn blocks_follow_one_another_whatever_is_asked(asks in prop::collection::vec((any::<bool>(), 0..3000_u32), 1..40)) {
        let (state, _) = run(Collection::default(), register("a", Some(GOOD[3]), false, false));
        let (mut state, _) = run(state, register("b", Some(GOOD[4]), false, false));
        let mut next = [1_u64, 1];
        for (second, count) in asks {
            let (account, place) = if second { ("b", 1) } else { ("a", 0) };
            let (after, events) = run(state, reserve(account, count));
            let block = Block { first: next[place], count: count.clamp(1, MAX_BLOCK) };
            prop_assert_eq!(events, Ok(vec![CollectionEvent::NumbersReserved { account_id: id(account), block }]));
            next[place] += u64::from(block.count);
            state = after;
        }
    }
}
