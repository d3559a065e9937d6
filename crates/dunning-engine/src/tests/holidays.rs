//! Local holidays: recorded, withdrawn, listed, and what they do to payers of the place.

use super::*;
use host::refusal::{FIELD_KEY, reason_of};

/// São Paulo, and Campinas beside it.
const CITY: &str = "3550308";
const NEIGHBOUR: &str = "3509502";

impl World {
    async fn lives_in(&self, customer: &str, municipality: &str) {
        let attributes = invoice::CustomerAttributes { state: "SP".into(), municipality: municipality.into(), ..Default::default() };
        let fact = invoice::CustomerRegistered { customer_id: customer.into(), attributes: Some(attributes), consents: vec![] };
        self.invoice_says(customer, "CustomerRegistered", fact).await;
    }

    async fn record(&self, command_id: &str, days: &[(&str, &str, &str)]) -> Result<u32, Status> {
        let one = |(place, day, name): &(&str, &str, &str)| proto::NewLocalHoliday {
            place: (*place).into(),
            day: (*day).into(),
            name: (*name).into(),
        };
        let holidays = days.iter().map(one).collect();
        let asked = proto::RecordLocalHolidaysRequest { command_id: command_id.into(), holidays, by: "ana".into(), reason: "lei".into() };
        self.server.record_local_holidays(self.ask(asked)).await.map(|answer| answer.into_inner().recorded)
    }

    async fn withdraw(&self, command_id: &str, days: &[(&str, &str)]) -> Result<u32, Status> {
        let one = |(place, day): &(&str, &str)| proto::LocalDay { place: (*place).into(), day: (*day).into() };
        let holidays = days.iter().map(one).collect();
        let asked = proto::WithdrawLocalHolidaysRequest { command_id: command_id.into(), holidays, by: "ana".into(), reason: "lei".into() };
        self.server.withdraw_local_holidays(self.ask(asked)).await.map(|answer| answer.into_inner().withdrawn)
    }

    async fn holidays(&self, asked: proto::ListLocalHolidaysRequest) -> Result<(Vec<String>, String), Status> {
        let answer = self.server.list_local_holidays(self.ask(asked)).await?.into_inner();
        let line = |one: &proto::LocalHoliday| format!("{} {} {} by {}", one.day, one.place, one.name, one.by);
        Ok((answer.holidays.iter().map(line).collect(), answer.next_page_token))
    }

    async fn explained(&self, customer: &str, day: &str) -> proto::ExplainDayResponse {
        let asked = proto::ExplainDayRequest { customer_id: customer.into(), day: day.into() };
        self.server.explain_day(self.ask(asked)).await.unwrap().into_inner()
    }
}

fn step(ends: &str, id: &str) -> String {
    ends.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_payer_of_the_place_is_contacted_on_the_next_open_day_and_its_neighbour_on_the_day_itself() {
    for world in World::begin_on_each(brasilia("2026-11-03", 8), false).await {
        around_a_holiday(world).await;
    }
}

async fn around_a_holiday(mut world: World) {
    for (customer, invoice_id, place) in [("C1", "I1", CITY), ("C2", "I2", NEIGHBOUR)] {
        world.lives_in(customer, place).await;
        world.issued(customer, invoice_id, ("2026-11-03", "2026-11-23")).await;
    }
    world.live(brasilia("2026-11-23", 20), sent).await;
    // The day after is planned for both, and nobody knew of it.
    assert_eq!(world.record("h1", &[(CITY, "2026-11-24", "Aniversário")]).await.unwrap(), 1);
    world.live(brasilia("2026-11-24", 20), sent).await;
    assert_eq!(step(&world.ends("I1").await, "d+1"), "d+1 planned");
    assert_eq!(step(&world.ends("I2").await, "d+1"), "d+1 executed 2026-11-24");
    let told = world.explained("C1", "2026-11-24").await;
    let why = told.considerations.iter().find(|one| one.step_id == "d+1").unwrap();
    assert_eq!((why.decision.as_str(), why.reason.as_str(), told.contacted), ("not_offered", "local_holiday", false));
    assert!(told.lines.iter().any(|line| line.contains("d+1 not_offered (local_holiday) on Aniversário;")), "{:?}", told.lines);
    assert!(told.lines.contains(&"2026-11-24 is a local holiday of this payer: Aniversário".to_owned()), "{:?}", told.lines);
    assert!(world.explained("C2", "2026-11-24").await.lines.iter().all(|line| !line.contains("holiday")));

    let mut world = world.restart().await;
    world.live(brasilia("2026-11-30", 8), sent).await;
    for (invoice_id, first) in [("I1", "2026-11-25"), ("I2", "2026-11-24")] {
        let ends = world.ends(invoice_id).await;
        assert_eq!(step(&ends, "d+1"), format!("d+1 executed {first}"));
        assert_eq!(step(&ends, "d+3"), "d+3 executed 2026-11-26", "no later step moves");
        assert_eq!(world.track(invoice_id).await.effective_due, "2026-11-23");
    }
    // What was said of the day stays true when the holiday is withdrawn afterwards.
    assert_eq!(world.withdraw("w1", &[(CITY, "2026-11-24")]).await.unwrap(), 1);
    let later = world.explained("C1", "2026-11-24").await;
    assert!(later.lines.iter().any(|line| line.contains("Aniversário")), "{:?}", later.lines);
    assert_eq!((world.events("LocalHolidayRecorded").await, world.events("LocalHolidayWithdrawn").await), (1, 1));
    world.check().await;
}

#[tokio::test]
async fn a_holiday_that_is_withdrawn_before_its_day_holds_nobody_back() {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.lives_in("C1", CITY).await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.record("h1", &[("SP", "2026-11-24", "a"), ("tenant", "2026-11-24", "b"), (CITY, "2026-11-24", "c")]).await.unwrap();
    world.live(brasilia("2026-11-23", 20), sent).await;
    assert_eq!(world.withdraw("w1", &[("SP", "2026-11-24"), ("tenant", "2026-11-24")]).await.unwrap(), 2);
    assert_eq!(world.withdraw("w2", &[(CITY, "2026-11-24")]).await.unwrap(), 1);
    world.live(brasilia("2026-11-24", 20), sent).await;
    assert_eq!(step(&world.ends("I1").await, "d+1"), "d+1 executed 2026-11-24");
    world.check().await;
}

#[tokio::test]
async fn who_moves_has_the_holidays_of_the_new_place() {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.lives_in("C1", NEIGHBOUR).await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.record("h1", &[(CITY, "2026-11-24", "Aniversário")]).await.unwrap();
    world.live(brasilia("2026-11-23", 20), sent).await;
    world.lives_in("C1", CITY).await;
    world.live(brasilia("2026-11-25", 20), sent).await;
    assert_eq!(step(&world.ends("I1").await, "d+1"), "d+1 executed 2026-11-25");
}

#[tokio::test]
async fn a_day_of_a_place_is_kept_once_and_listed_by_day_and_place() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let days = [(CITY, "2027-01-25", "Aniversário"), ("SP", "2026-07-09", "Revolução"), ("tenant", "2027-01-25", "recesso")];
    assert_eq!(world.record("a", &days).await.unwrap(), 3);
    assert_eq!(world.record("a", &days).await.unwrap(), 3, "the same command has the same answer");
    assert_eq!(world.record("b", &days).await.unwrap(), 0, "another one changes nothing");
    assert_eq!(world.record("c", &[("sp", "2026-07-09", "Revolução Constitucionalista")]).await.unwrap(), 1, "another name");
    assert_eq!(world.events("LocalHolidayRecorded").await, 4);
    let all = proto::ListLocalHolidaysRequest::default();
    let lines =
        ["2026-07-09 SP Revolução Constitucionalista by ana", "2027-01-25 3550308 Aniversário by ana", "2027-01-25 tenant recesso by ana"];
    assert_eq!(world.holidays(all.clone()).await.unwrap(), (lines.map(String::from).to_vec(), String::new()));
    let mut found = Vec::new();
    let mut page = proto::ListLocalHolidaysRequest { page_size: 1, ..all.clone() };
    loop {
        let (rows, next) = world.holidays(page.clone()).await.unwrap();
        found.extend(rows);
        if next.is_empty() {
            break;
        }
        page.page_token = next;
    }
    assert_eq!(found, lines);
    for (place, day_from, day_until, expected) in [
        ("SP", "", "", &lines[..1]),
        ("tenant", "", "", &lines[2..]),
        ("", "2026-07-10", "", &lines[1..]),
        ("", "", "2027-01-24", &lines[..1]),
        ("RJ", "", "", &[]),
    ] {
        let asked =
            proto::ListLocalHolidaysRequest { place: place.into(), day_from: day_from.into(), day_until: day_until.into(), ..all.clone() };
        assert_eq!(world.holidays(asked).await.unwrap().0, expected, "{place} {day_from} {day_until}");
    }
    assert_eq!(world.withdraw("d", &[("SP", "2026-07-09"), ("RJ", "2026-07-09")]).await.unwrap(), 1);
    assert_eq!(world.withdraw("e", &[("SP", "2026-07-09")]).await.unwrap(), 0);
    let world = world.restart().await;
    assert_eq!(world.holidays(all).await.unwrap().0, &lines[1..]);
}

#[tokio::test]
async fn wrong_holidays_are_refused_whole_and_by_field() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    let told = |status: Status| {
        let field = status.metadata().get(FIELD_KEY).and_then(|field| field.to_str().ok()).unwrap_or("").to_owned();
        format!("{} {field}", reason_of(&status))
    };
    let good = (CITY, "2027-01-25", "Aniversário");
    let long = "x".repeat(121);
    let many = vec![good; 2_001];
    for (days, expected) in [
        (&[][..], "holidays_count holidays"),
        (&many[..], "holidays_count holidays"),
        (&[good, ("XX", "2027-01-25", "x")], "place_malformed holidays.place"),
        (&[good, ("3550307", "2027-01-25", "x")], "place_malformed holidays.place"),
        (&[good, ("", "2027-01-25", "x")], "place_malformed holidays.place"),
        (&[good, ("SP", "2027-02-30", "x")], "date_malformed holidays.day"),
        (&[good, ("SP", "2027-02-28", "")], "text_refused holidays.name"),
        (&[good, ("SP", "2027-02-28", &long)], "text_refused holidays.name"),
    ] {
        assert_eq!(told(world.record("x", days).await.unwrap_err()), expected);
    }
    let second = world.record("x", &[good, ("XX", "2027-01-25", "x")]).await.unwrap_err();
    assert!(second.message().contains("number 2"), "{second}");
    assert_eq!(told(world.withdraw("x", &[]).await.unwrap_err()), "holidays_count holidays");
    assert_eq!(told(world.withdraw("x", &[("SP", "x")]).await.unwrap_err()), "date_malformed holidays.day");
    let one = || vec![proto::LocalDay { place: "SP".into(), day: "2027-02-28".into() }];
    for (by, reason, field) in [("", "lei", "by"), ("ana", "", "reason")] {
        let asked = proto::WithdrawLocalHolidaysRequest { command_id: "x".into(), holidays: one(), by: by.into(), reason: reason.into() };
        assert_eq!(told(world.server.withdraw_local_holidays(world.ask(asked)).await.unwrap_err()), format!("text_refused {field}"));
    }
    let list = proto::ListLocalHolidaysRequest::default();
    for (asked, expected) in [
        (proto::ListLocalHolidaysRequest { place: "XX".into(), ..list.clone() }, "place_malformed place"),
        (proto::ListLocalHolidaysRequest { day_until: "x".into(), ..list.clone() }, "date_malformed day_until"),
        (proto::ListLocalHolidaysRequest { page_token: "6162".into(), ..list.clone() }, "page_token_malformed page_token"),
    ] {
        assert_eq!(told(world.holidays(asked).await.unwrap_err()), expected);
    }
    assert_eq!(world.holidays(list).await.unwrap().0, Vec::<String>::new(), "nothing of a refused command is kept");
}
