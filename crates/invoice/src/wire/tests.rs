mod agreements;
mod aside;

use super::{
    DecodeFault, Fact, LEGAL_RATE_RECORDED, decode, decode_collection, decode_feed, decode_finding, decode_legal_rate, decode_remittance,
    decode_unapplied, encode, encode_collection, encode_feed, encode_finding, encode_legal_rate, encode_remittance, encode_unapplied,
};
use brazil::{
    charges::{Allocation, Convention, DayBasis, DiscountValue, Fine, InterestStart, Period, ProRata, Rate, Rounding},
    pix::StaticTxid,
};
use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Calendar, CollectionAccountId, ContactId, CreditNoteId, Currency, CustomerId, InvoiceId, PaymentId, StepId};
use receivable::{
    Attributes, AuthorizedItem, BankFeeCharged, BankRecord, BoletoNoticed, CreditNoteCancelled, CreditNoteIssued, CustomerAmended,
    CustomerErased, CustomerRegistered, Event, InstrumentsAssigned, InvoiceAmended, InvoiceCancelled, InvoiceIssued, PaymentConfirmed,
    PaymentReceived, PaymentReversed, Release, ReminderAuthorized, Source,
    charges::{AgreedInterest, ChargeTerms, EarlyDiscount},
    collection::Agreement,
    instrument::NewInstruments,
    rating::{CustomerRated, Rating},
    view::InvoiceViewed,
};
use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at() -> DateTime<Utc> {
    "2026-11-23T12:00:00.123456Z".parse().unwrap()
}

fn customer() -> CustomerId {
    CustomerId::new("C1").unwrap()
}

fn invoice() -> InvoiceId {
    InvoiceId::new("F1").unwrap()
}

fn payment(id: &str) -> PaymentId {
    PaymentId::new(id).unwrap()
}

fn account_id() -> CollectionAccountId {
    CollectionAccountId::new("main").unwrap()
}

fn released() -> Vec<Release> {
    vec![Release { payment_id: payment("P1"), amount_minor: 40 }, Release { payment_id: payment("P2"), amount_minor: 2 }]
}

fn attributes() -> Attributes {
    Attributes { segment: Some("varejo".into()), zone: Some("America/Manaus".into()), state: Some("AM".into()), ..Attributes::default() }
}

fn rated() -> ChargeTerms {
    ChargeTerms {
        fine: Some(Fine::Percent(Rate::from_micros(2_000_000))),
        interest: AgreedInterest::Rate {
            rate: Rate::from_micros(1_000_000),
            period: Period::Month(30),
            days: DayBasis::Business,
            convention: Convention::PerDayCents,
        },
        interest_start: InterestStart::Adjusted,
        discounts: vec![
            EarlyDiscount { days_before_due: 5, value: DiscountValue::Percent(Rate::from_micros(500_000)) },
            EarlyDiscount { days_before_due: 2, value: DiscountValue::Fixed(10) },
        ],
        discounts_roll: true,
        allocation: Allocation::PrincipalFirst,
        rounding: Rounding::HalfEven,
        calendar: Calendar::None,
    }
}

fn fixed() -> ChargeTerms {
    ChargeTerms { fine: Some(Fine::Fixed(199)), interest: AgreedInterest::PerDay(3), ..ChargeTerms::default() }
}

fn payers() -> Vec<Event> {
    let consents = |slugs: &[&str]| slugs.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    vec![
        Event::CustomerRegistered(CustomerRegistered {
            customer_id: customer(),
            attributes: attributes(),
            consents: consents(&["email", "sms"]),
        }),
        Event::CustomerAmended(CustomerAmended { customer_id: customer(), attributes: Attributes::default(), consents: consents(&[]) }),
        Event::CustomerAmended(CustomerAmended {
            customer_id: customer(),
            attributes: Attributes { state: Some("SP".into()), municipality: Some("3550308".into()), ..Attributes::default() },
            consents: consents(&[]),
        }),
        Event::CustomerErased(CustomerErased { customer_id: customer() }),
        Event::CustomerRated(CustomerRated {
            customer_id: customer(),
            rating: Rating { score: 70, source: "serasa".into(), rated_on: day("2026-11-20") },
        }),
        Event::InvoiceViewed(InvoiceViewed { invoice_id: invoice(), viewed_at: at(), through: "portal".into() }),
        Event::ReminderAuthorized(ReminderAuthorized {
            contact_id: ContactId::new("2026-11-23.BRL.all").unwrap(),
            items: vec![AuthorizedItem {
                invoice_id: invoice(),
                cycle: 2,
                step_id: StepId::new("d+7").unwrap(),
                occurrence: 1,
                net_minor: 12_345,
            }],
            at: at(),
        }),
    ]
}

fn issued(document: Option<&str>, charges: Option<ChargeTerms>) -> Event {
    Event::InvoiceIssued(InvoiceIssued {
        invoice_id: invoice(),
        amount_minor: 12_345,
        currency: Currency::BRL,
        issued_on: day("2026-11-01"),
        due_on: day("2026-11-23"),
        document: document.map(str::to_owned),
        automatic_debit_on: document.map(|_| day("2026-11-22")),
        charges,
        instalment: None,
    })
}

fn received(source: Source) -> Event {
    Event::PaymentReceived(PaymentReceived {
        payment_id: payment("P1"),
        invoice_id: invoice(),
        amount_minor: 100,
        currency: Currency::BRL,
        paid_on: day("2026-11-20"),
        method: "pix".into(),
        applied_minor: 80,
        charges_minor: -7,
        discount_minor: 5,
        unapplied_minor: 32,
        released: released(),
        outstanding_minor: 20,
        source,
        part_of: None,
    })
}

fn reversed(return_id: Option<&str>) -> Event {
    Event::PaymentReversed(PaymentReversed {
        payment_id: payment("P1"),
        invoice_id: invoice(),
        amount_minor: 100,
        currency: Currency::BRL,
        applied_minor: 80,
        charges_minor: 7,
        discount_minor: 5,
        unapplied_minor: 18,
        outstanding_minor: 100,
        reason: "chargeback".into(),
        reversed_on: day("2026-11-24"),
        return_id: return_id.map(str::to_owned),
        part_of: None,
    })
}

fn books() -> Vec<Event> {
    let mut events = vec![
        issued(None, None),
        issued(Some("NF 1"), Some(rated())),
        issued(None, Some(fixed())),
        issued(None, Some(ChargeTerms { interest: AgreedInterest::Legal(ProRata::Thirty), ..ChargeTerms::default() })),
        Event::InvoiceAmended(InvoiceAmended {
            invoice_id: invoice(),
            currency: Currency::BRL,
            previous_amount_minor: 12_345,
            amount_minor: 10_000,
            previous_due_on: day("2026-11-23"),
            due_on: day("2026-12-23"),
            outstanding_minor: 9_000,
            released: released(),
            automatic_debit_on: Some(day("2026-12-22")),
            charges_minor: -3,
            discount_minor: 4,
            amended_on: day("2026-11-10"),
        }),
        Event::InvoiceCancelled(InvoiceCancelled {
            invoice_id: invoice(),
            currency: Currency::BRL,
            amount_minor: 12_345,
            previous_outstanding_minor: 345,
            released: released(),
            charges_minor: 3,
            discount_minor: 4,
            credited_minor: 5,
            reason: "issued twice".into(),
            cancelled_on: day("2026-11-11"),
        }),
        reversed(None),
        reversed(Some("D1")),
        Event::PaymentConfirmed(PaymentConfirmed {
            payment_id: payment("P1"),
            invoice_id: invoice(),
            confirmed_by: payment("P9"),
            source: Source::BankFile,
        }),
    ];
    events.extend(Source::ALL.map(received));
    events
}

fn credit_notes() -> Vec<Event> {
    let issued = |invoice_id| {
        Event::CreditNoteIssued(CreditNoteIssued {
            credit_note_id: CreditNoteId::new("N1").unwrap(),
            invoice_id,
            amount_minor: 100,
            currency: Currency::BRL,
            reason: "returned goods".into(),
            applied_minor: 90,
            charges_minor: -3,
            discount_minor: 2,
            released: released(),
            outstanding_minor: 10,
            noted_on: day("2026-11-12"),
        })
    };
    let cancelled = |invoice_id, due_on| {
        Event::CreditNoteCancelled(CreditNoteCancelled {
            credit_note_id: CreditNoteId::new("N1").unwrap(),
            invoice_id,
            amount_minor: 100,
            currency: Currency::BRL,
            reason: "goods kept".into(),
            applied_minor: 90,
            charges_minor: 3,
            discount_minor: -2,
            released: vec![],
            outstanding_minor: 100,
            due_on,
            cancelled_on: day("2026-11-13"),
        })
    };
    vec![issued(Some(invoice())), issued(None), cancelled(Some(invoice()), Some(day("2026-11-23"))), cancelled(None, None)]
}

fn record(event_on: Option<&str>) -> BankRecord {
    BankRecord {
        invoice_id: invoice(),
        record_id: "033.02.1".into(),
        bank: "033".into(),
        movement: "02".into(),
        reasons: vec!["00".into(), "A4".into()],
        event_on: event_on.map(day),
    }
}

fn agreement() -> Agreement {
    Agreement {
        bank: 33,
        agency: "1".into(),
        agency_digit: "9".into(),
        account: "2".into(),
        account_digit: "7".into(),
        agreement: "1234567".into(),
        wallet: "101".into(),
        modality: String::new(),
        post: String::new(),
        first_number: 1,
    }
}

fn assigned(number: Option<(Agreement, u64)>, txid: Option<StaticTxid>) -> Event {
    let new = NewInstruments { account_id: account_id(), named: true, number, txid };
    let instruments = new.assign(day("2026-11-01"), day("2026-11-23"), 12_345).unwrap();
    Event::InstrumentsAssigned(InstrumentsAssigned { invoice_id: invoice(), instruments })
}

fn bank() -> Vec<Event> {
    vec![
        Event::BoletoRegistered(record(Some("2026-11-02"))),
        Event::BoletoRejected(record(None)),
        Event::BoletoWrittenOff(record(Some("2026-11-02"))),
        Event::BoletoNoticed(BoletoNoticed { record: record(None), notice: "protest_requested".into() }),
        Event::BankFeeCharged(BankFeeCharged {
            invoice_id: invoice(),
            record_id: "033.28.1".into(),
            amount_minor: 150,
            currency: Currency::BRL,
            charged_on: day("2026-11-24"),
        }),
        assigned(Some((agreement(), 1)), StaticTxid::new("F1").ok()),
        assigned(None, StaticTxid::new("F1").ok()),
    ]
}

/// Every event that the log may hold, as bytes.
fn encoded() -> Vec<(&'static str, Vec<u8>)> {
    let facts = payers()
        .into_iter()
        .chain(books())
        .chain(credit_notes())
        .chain(bank())
        .chain(agreements::events())
        .map(|event| Fact { customer_id: customer(), event });
    let mut all: Vec<_> = facts.map(|fact| encode(&fact)).collect();
    all.extend(aside::accounts().iter().map(encode_collection));
    all.extend(aside::unapplied().iter().map(encode_unapplied));
    all.extend(aside::remittances().iter().map(encode_remittance));
    all.extend(aside::findings().iter().map(encode_finding));
    all.extend(aside::feed().iter().map(encode_feed));
    all.push((LEGAL_RATE_RECORDED, encode_legal_rate(&aside::legal_rate())));
    all
}

/// Read and written again, by whichever of the aggregates knows the type; `None` where none does.
fn again(event_type: &str, payload: &[u8]) -> Result<Option<(&'static str, Vec<u8>)>, DecodeFault> {
    if let Some(fact) = decode(event_type, payload)? {
        return Ok(Some(encode(&fact)));
    }
    if let Some(event) = decode_collection(event_type, payload)? {
        return Ok(Some(encode_collection(&event)));
    }
    if let Some(fact) = decode_unapplied(event_type, payload)? {
        return Ok(Some(encode_unapplied(&fact)));
    }
    if let Some(written) = decode_remittance(event_type, payload)? {
        return Ok(Some(encode_remittance(&written)));
    }
    if let Some(fact) = decode_finding(event_type, payload)? {
        return Ok(Some(encode_finding(&fact)));
    }
    if let Some(event) = decode_feed(event_type, payload)? {
        return Ok(Some(encode_feed(&event)));
    }
    Ok(decode_legal_rate(event_type, payload)?.map(|recorded| (LEGAL_RATE_RECORDED, encode_legal_rate(&recorded))))
}

/// Written and read once, whatever runs side by side: a file that is being written is empty to others, and old lines would be lost.
static GOLDEN: LazyLock<String> = LazyLock::new(golden);

fn golden() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events.txt");
    let then = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("REGUA_BLESS").is_none() {
        return then;
    }
    let known: BTreeSet<&str> = then.lines().collect();
    let new = encoded().into_iter().map(|(event_type, bytes)| format!("{event_type} {}", hex::encode(bytes)));
    let added: String = new.filter(|line| !known.contains(line.as_str())).map(|line| format!("{line}\n")).collect();
    fs::write(&path, then + &added).unwrap();
    fs::read_to_string(&path).unwrap()
}

/// What is stored once must be readable for ever. Set `REGUA_BLESS` to add the bytes of new facts, never to change old ones.
#[test]
fn the_bytes_of_every_event_stay_what_they_were() {
    let golden = &*GOLDEN;
    for line in golden.lines() {
        let (event_type, payload) = line.split_once(' ').unwrap();
        let read = again(event_type, &hex::decode(payload).unwrap()).unwrap();
        let (name, bytes) = read.unwrap_or_else(|| panic!("{event_type} is not read any more"));
        assert_eq!(format!("{name} {}", hex::encode(bytes)), line);
    }
    for (event_type, payload) in encoded() {
        let line = format!("{event_type} {}", hex::encode(payload));
        assert!(golden.lines().any(|known| known == line), "{line} is not in the golden file");
    }
}

/// An event that is read is one that was once written: each has its bytes.
#[test]
fn every_event_of_the_contract_has_its_bytes() {
    let contract = include_str!("../../../../proto/regua/invoice/v1/events.proto");
    let messages = contract.lines().filter_map(|line| line.strip_prefix("message ")?.split([' ', '{']).next());
    let events: Vec<&str> = messages.filter(|name| !matches!(again(name, &[]), Ok(None))).collect();
    assert!(events.len() > 20, "{events:?}");
    let golden = &*GOLDEN;
    let has_line = |name: &str| golden.lines().any(|line| line.split(' ').next() == Some(name));
    let missing: Vec<&&str> = events.iter().filter(|name| !has_line(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
