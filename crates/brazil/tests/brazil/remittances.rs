//! CNAB 240 remittances, written and read back.

use brazil::charges::Rate;
use brazil::cnab::remittance::{
    Amendment, Company, DiscountOrder, FineOrder, Instruction, InterestOrder, Order, OrderFault, Payer, ProtestOrder, RemittanceReader,
    RemittanceWriter, Species, Title,
};
use brazil::{Cep, NaiveDate, State, TaxId};
use kernel::personal::Personal;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn company() -> Company {
    Company {
        bank: 756,
        bank_name: "Sicoob".into(),
        tax_id: TaxId::parse("12ABC34501DE35").unwrap(),
        name: "Padaria São João".into(),
        agreement: "229385".into(),
        agency: "4327".into(),
        agency_digit: '3',
        account: "417270".into(),
        account_digit: '0',
        agency_account_digit: ' ',
    }
}

fn payer() -> Payer {
    Payer {
        tax_id: TaxId::parse("133.782.710-00").unwrap(),
        name: Personal::new("Maria Conceição"),
        street: Personal::new("Rua Ação, 10"),
        district: Personal::new("Centro"),
        cep: Cep::parse("01310-100").unwrap(),
        city: "São Paulo".into(),
        state: State::SP,
    }
}

fn order() -> Order {
    Order {
        instruction: Instruction::Entry,
        title: Title {
            nosso_numero: "0000000024 0101".into(),
            wallet: 1,
            document: "DOC-1".into(),
            company_use: "invoice/42".into(),
            due: day("2026-12-21"),
            issued_on: day("2026-11-21"),
            nominal_cents: 12_345,
            species: Species::DM,
            accepted: false,
            interest: InterestOrder::PercentPerMonth(day("2026-12-22"), Rate::percent(1)),
            discounts: vec![
                DiscountOrder { code: 1, until: day("2026-12-01"), hundredths: 1_000 },
                DiscountOrder { code: 2, until: day("2026-12-10"), hundredths: 500 },
            ],
            abatement_cents: 45,
            fine: Some(FineOrder::Percent(day("2026-12-22"), Rate::percent(2))),
            protest: ProtestOrder::BusinessDays(5),
            write_off_days: Some(60),
            payer: Some(payer()),
        },
    }
}

fn daily(from: &str, cents: i64) -> InterestOrder {
    InterestOrder::CentsPerDay(day(from), cents)
}

fn writer() -> RemittanceWriter {
    RemittanceWriter::new(company(), 7, day("2026-11-21"), "10:11:12".parse().unwrap()).unwrap()
}

/// What a bank keeps of an order: upper case, no accents.
fn plain(order: &Order) -> Order {
    let upper = |text: &str, size: usize| brazil::ascii::plain_cut(text, size).to_ascii_uppercase();
    let mut order = order.clone();
    if let Some(payer) = &mut order.title.payer {
        let hidden = |text: &Personal, size| Personal::new(upper(text.reveal(), size));
        (payer.name, payer.street) = (hidden(&payer.name, 40), hidden(&payer.street, 40));
        (payer.district, payer.city) = (hidden(&payer.district, 15), upper(&payer.city, 15));
    }
    order
}

fn read_back(lines: &[String]) -> Vec<Order> {
    let mut reader = RemittanceReader::default();
    let mut orders: Vec<Order> = lines.iter().filter_map(|line| reader.line(line).unwrap()).collect();
    orders.extend(reader.finish());
    orders
}

#[test]
fn entry_amendment_and_write_off_are_written_and_read_back() {
    let mut due = order();
    due.instruction = Instruction::Amend(Amendment::DueDate);
    due.title = Title { due: day("2027-01-21"), discounts: vec![], fine: None, payer: None, interest: daily("2027-01-22", 4), ..due.title };
    let off = Order {
        instruction: Instruction::WriteOff,
        title: Title { protest: ProtestOrder::None, write_off_days: None, ..due.title.clone() },
    };
    let orders = [order(), due, off];
    let mut writer = writer();
    let mut lines = writer.begin().unwrap().to_vec();
    for order in &orders {
        lines.extend(writer.order(order).unwrap());
    }
    lines.extend(writer.finish().unwrap());
    assert!(lines.iter().all(|line| line.len() == 240 && line.is_ascii()));
    let segments: String = lines.iter().map(|line| &line[13..14]).collect();
    assert_eq!((&segments[2..7], lines.len()), ("PQRPP", 9));
    assert_eq!(read_back(&lines), orders.each_ref().map(plain));
    let part = |line: usize, from: usize, to: usize| &lines[line][from - 1..to];
    assert_eq!((part(0, 1, 8), part(0, 18, 32), part(0, 143, 163)), ("75600000", "212ABC34501DE35", "121112026101112000007"));
    assert_eq!((part(1, 4, 11), part(1, 18, 33), part(1, 74, 89)), ("00011R01", "2012ABC34501DE35", "PADARIA SAO JOAO"));
    assert_eq!((part(2, 9, 17), part(2, 78, 100), part(2, 118, 141)), ("00001P 01", "21122026000000000012345", "222122026000000000000100"));
    assert_eq!((part(2, 142, 165), part(2, 221, 229)), ("101122026000000000001000", "205106009"));
    assert_eq!((part(3, 18, 33), part(3, 129, 153)), ("1000013378271000", "01310100SAO PAULO      SP"));
    assert_eq!((part(4, 18, 41), part(4, 66, 89)), ("210122026000000000000500", "222122026000000000000200"));
    assert_eq!((part(5, 16, 17), part(6, 16, 17), part(6, 221, 229)), ("06", "02", "300200009"));
    assert_eq!((part(7, 18, 46), part(8, 18, 29)), ("00000700000300000000000037035", "000001000009"));
}

/// All lines of a file with one order.
fn file(company: Company, order: &Order) -> Vec<String> {
    let mut writer = RemittanceWriter::new(company, 7, day("2026-11-21"), "10:11:12".parse().unwrap()).unwrap();
    let mut lines = writer.begin().unwrap().to_vec();
    lines.extend(writer.order(order).unwrap());
    lines.extend(writer.finish().unwrap());
    assert!(lines.iter().all(|line| line.len() == 240 && line.is_ascii()));
    assert_eq!(read_back(&lines), [plain(order)]);
    lines
}

#[test]
fn santander_has_its_own_headers_and_place_of_the_number() {
    let company =
        Company { bank: 33, bank_name: "Banco Santander".into(), agreement: "1234567".into(), agency: "0987".into(), ..company() };
    let company = Company { agency_digit: ' ', account: "13000456".into(), account_digit: '6', ..company };
    let mut order = order();
    order.title =
        Title { nosso_numero: "0000000000124".into(), wallet: 5, protest: ProtestOrder::None, write_off_days: None, ..order.title };
    let lines = file(company, &order);
    let part = |line: usize, from: usize, to: usize| &lines[line][from - 1..to];
    assert_eq!((part(0, 1, 47), part(0, 48, 73)), ("03300000        2012ABC34501DE35098700001234567", "                         P"));
    assert_eq!((part(0, 143, 166), part(0, 167, 240).trim()), ("121112026      000007040", ""));
    assert_eq!((part(1, 4, 33), part(1, 54, 73)), ("00011R01  030 2012ABC34501DE35", "098700001234567     "));
    assert_eq!((part(1, 184, 199), part(1, 200, 240).trim()), ("0000000721112026", ""));
    assert_eq!(part(2, 9, 62), "00001P 010987001300045660130004566  0000000000124512  ");
    assert_eq!((part(2, 101, 117), part(2, 118, 141)), ("00000 02N21112026", "222122026000000000000100"));
    assert_eq!((part(2, 196, 229), part(2, 230, 240).trim()), ("invoice/42               000200000", ""));
    assert_eq!((part(4, 66, 89), part(5, 18, 240).trim(), part(6, 18, 240).trim()), ("222122026000000000000200", "000005", "000001000007"));
    // A column of two digits, and a digit that the bank has no room for.
    order.title.write_off_days = Some(100);
    assert_eq!(santander().order(&order).unwrap_err(), [OrderFault::TooWide("WRITE_OFF_DAYS")]);
    order.title = Title { write_off_days: None, nosso_numero: "00000000000124".into(), ..order.title };
    assert_eq!(santander().order(&order).unwrap_err(), [OrderFault::TooWide("NOSSO_NUMERO")]);
}

fn santander() -> RemittanceWriter {
    RemittanceWriter::new(Company { bank: 33, ..company() }, 1, day("2026-11-21"), "10:11:12".parse().unwrap()).unwrap()
}

#[test]
fn caixa_has_its_own_headers_and_place_of_the_number() {
    let caixa = Company { bank: 104, bank_name: "Caixa Economica Federal".into(), agreement: "123456".into(), ..company() };
    let mut order = order();
    order.title = Title { nosso_numero: "14000000000000019".into(), protest: ProtestOrder::None, write_off_days: None, ..order.title };
    let lines = file(caixa.clone(), &order);
    let part = |line: usize, from: usize, to: usize| &lines[line][from - 1..to];
    assert_eq!((part(0, 18, 58), part(0, 59, 72)), ("212ABC34501DE3500000000000000000000043273", "12345600000000"));
    assert_eq!((part(0, 103, 132), part(0, 143, 171)), ("CAIXA ECONOMICA FEDERAL       ", "12111202610111200000705000000"));
    assert_eq!(part(0, 172, 240).trim(), "REMESSA-PRODUCAO");
    assert_eq!((part(1, 8, 33), part(1, 34, 73)), ("1R0100030 2012ABC34501DE35", "1234560000000000000004327312345600000000"));
    assert_eq!((part(2, 9, 57), part(2, 58, 77)), ("00001P 010432731234560000000000014000000000000019", "11220DOC-1          "));
    assert_eq!((part(2, 118, 141), part(2, 221, 240)), ("222122026000000000000100", "3002000090000000000 "));
    assert_eq!((part(4, 66, 89), part(5, 18, 46)), ("222122026000000000000200", "00000500000100000000000012345"));
    assert_eq!((part(5, 47, 92), part(5, 93, 240).trim()), ("0".repeat(46).as_str(), ""));
    order.title.document = "123456789012".into();
    let mut writer = RemittanceWriter::new(caixa, 1, day("2026-11-21"), "10:11:12".parse().unwrap()).unwrap();
    assert_eq!(writer.order(&order).unwrap_err(), [OrderFault::TooWide("DOCUMENT")]);
}

#[test]
fn orders_that_a_bank_would_reject_do_not_leave() {
    let faults = |change: fn(&mut Title)| {
        let mut order = order();
        change(&mut order.title);
        writer().order(&order).unwrap_err()
    };
    assert_eq!(faults(|title| title.payer = None), [OrderFault::PayerMissing]);
    assert_eq!(
        faults(|title| title.nominal_cents = 0),
        [OrderFault::Range("nominal_cents"), OrderFault::Range("abatement_cents"), OrderFault::Range("discounts")]
    );
    assert_eq!(faults(|title| title.write_off_days = Some(5)), [OrderFault::WriteOffBeforeProtest]);
    assert_eq!(
        faults(|title| title.species = Species::BDP),
        [OrderFault::Proposal("fine"), OrderFault::Proposal("interest"), OrderFault::Proposal("protest")]
    );
    assert_eq!(faults(|title| title.discounts[1].until = day("2026-12-22")), [OrderFault::Date("discounts")]);
    assert_eq!(
        faults(|title| title.fine = Some(FineOrder::Percent(day("2026-12-22"), Rate::from_micros(2_000_001)))),
        [OrderFault::Decimals("fine")]
    );
    assert_eq!(faults(|title| title.interest = daily("2026-12-21", 4)), [OrderFault::Date("interest")]);
    assert_eq!(faults(|title| title.nosso_numero = "9".repeat(21)), [OrderFault::TooWide("NOSSO_NUMERO")]);
    assert_eq!(faults(|title| title.document = "AÇÃO".into()), [OrderFault::Text("DOCUMENT")]);
    assert_eq!(faults(|title| title.payer.as_mut().unwrap().name = Personal::new("東京")), [OrderFault::Text("payer.name")]);
    for bank in [77, 0, 1000] {
        let made = RemittanceWriter::new(Company { bank, ..company() }, 1, day("2026-11-21"), "10:11:12".parse().unwrap());
        assert_eq!(made.unwrap_err(), OrderFault::UnsupportedBank(bank));
    }
    let wide =
        RemittanceWriter::new(Company { account: "1234567890123".into(), ..company() }, 1, day("2026-11-21"), "10:11:12".parse().unwrap());
    assert_eq!(wide.unwrap_err(), OrderFault::TooWide("ACCOUNT"));
}

#[test]
fn a_line_out_of_place_is_refused() {
    let lines = writer().order(&order()).unwrap();
    let mut reader = RemittanceReader::default();
    assert_eq!(reader.line(&lines[1]).unwrap_err().slug(), "remittance_out_of_place");
    let broken = lines[0].replacen("21122026", "31022026", 1);
    assert_eq!(reader.line(&broken).unwrap_err().to_string(), "line 2: DUE cannot be read");
}

proptest! {
    #[test]
    fn any_order_that_is_taken_reads_back(
        name in "[A-Za-zÀ-ü ]{1,60}",
        code in 0usize..13,
        cents in 200i64..1_000_000_000,
        interest in 0usize..3,
        discounts in prop::collection::vec((1u8..=7, 1i64..199), 0..4),
        fine in prop::option::of(1u64..2_000),
        (protest, write_off, with_payer) in (prop::option::of(1u8..30), prop::option::of(30u16..999), any::<bool>()),
    ) {
        let code = ["01", "02", "04", "05", "06", "07", "08", "12", "13", "14", "15", "31", "47"][code];
        let instruction = Instruction::of(code).unwrap();
        prop_assert_eq!(instruction.code(), code);
        let mut order = order();
        order.instruction = instruction;
        order.title.nominal_cents = cents;
        order.title.interest = [InterestOrder::Exempt, daily("2026-12-22", cents / 100), InterestOrder::PercentPerMonth(day("2026-12-23"), Rate::from_hundredths(33))][interest];
        order.title.discounts = discounts.into_iter().map(|(code, hundredths)| DiscountOrder { code, until: day("2026-12-01"), hundredths }).collect();
        order.title.fine = fine.map(|hundredths| FineOrder::Percent(day("2026-12-22"), Rate::from_hundredths(hundredths)));
        order.title.protest = protest.map_or(ProtestOrder::None, ProtestOrder::CalendarDays);
        order.title.write_off_days = write_off;
        order.title.payer = (with_payer || matches!(code, "01" | "31")).then(|| Payer { name: Personal::new(format!("X{name}")), ..payer() });
        let lines = writer().order(&order).unwrap();
        prop_assert_eq!(read_back(&lines), [plain(&order)]);
    }

    #[test]
    fn no_line_makes_the_reader_panic(text in any::<String>(), segment in "[PQR]", body in "[ 0-9A-Z]{0,240}") {
        let mut reader = RemittanceReader::default();
        let mut line = format!("7560001300001{segment}{body}");
        line.truncate(240);
        let _ = (reader.line(&text), reader.line(&line));
    }
}

#[test]
fn the_layouts_of_santander_and_caixa_leave_no_column_out() {
    use brazil::cnab::{caixa_out as caixa, santander_out as santander};
    for layout in [
        santander::file_header::ALL,
        santander::lot_header::ALL,
        santander::segment_p::ALL,
        santander::lot_trailer::ALL,
        santander::file_trailer::ALL,
        caixa::file_header::ALL,
        caixa::lot_header::ALL,
        caixa::segment_p::ALL,
        caixa::lot_trailer::ALL,
    ] {
        let end = layout.iter().fold(0, |end, column| {
            assert_eq!(column.from, end + 1, "{}", column.name);
            column.to
        });
        assert_eq!(end, 240);
    }
}
