//! Contacts carried out: the owner looks, the gate decides, channels get the text, in this order and once.

use crate::{
    house::{House, item},
    webhook,
};
use brazil::Place;
use contracts::invoice::v1::CustomerAttributes;
use kernel::{Currency, Purpose};
use notice::Item;
use notification::{
    ChannelsConfig,
    channel::{ChannelConfig, Kind},
    holidays::Heard,
};
use std::{collections::BTreeSet, fs, path::Path};

const CONTACT: &str = "2026-11-23.BRL.all";

fn into(directory: &Path) -> ChannelsConfig {
    let path = directory.to_str().unwrap().to_owned();
    ChannelsConfig::all(ChannelConfig { kind: Kind::Directory, directory: path, ..ChannelConfig::default() })
}

fn file_count(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_goes_out_when_its_window_opens_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let house = House::open(&into(directory.path())).await;
    house.compose("c1", vec![item("i1", "email"), item("i2", "email")]).await;
    house.until("2026-11-23T11:59:59Z").await;
    assert_eq!((house.owner.lock().unwrap().asked.len(), file_count(directory.path())), (0, 0), "nobody is asked too early");
    house.until("2026-11-23T12:00:00Z").await;
    let expected = ["composed", "gated", "started email", "accepted email", "concluded i1=executed i2=executed"];
    let transcript = house.transcript("c1").await;
    assert!(transcript.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{transcript:#?}");
    assert_eq!(transcript.len(), expected.len(), "{transcript:#?}");
    assert_eq!(house.owner.lock().unwrap().asked, [format!("acme c1 {CONTACT}")]);
    assert_eq!(file_count(directory.path()), 1);
    house.until("2026-11-27T12:00:00Z").await;
    assert_eq!(house.transcript("c1").await, transcript, "and that is all");
    assert!(house.metrics.text().contains("sent_total{channel=\"email\",outcome=\"accepted\"} 1"), "{}", house.metrics.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_has_arrived_at_once() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.compose("c1", vec![item("i1", "whatsapp > sms")]).await;
    house.until("2026-11-25T12:00:00Z").await;
    let transcript = house.transcript("c1").await;
    let expected = ["started whatsapp", "accepted whatsapp", "concluded i1=executed", "receipt whatsapp delivered"];
    assert_eq!(transcript[2..], expected, "no second channel after a delivery");
    assert_eq!(house.channels.counts().of(notice::Channel::Whatsapp), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_refuses_is_not_sent() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.owner.lock().unwrap().refused = [("i1".to_owned(), "paid"), ("i3".to_owned(), "covered_by_credit")].into();
    house.compose("c1", vec![item("i1", "email")]).await;
    house.compose("c2", vec![item("i2", "email"), item("i3", "email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    assert_eq!(house.transcript("c1").await[1..], ["concluded i1=superseded:paid"]);
    let second = house.transcript("c2").await;
    assert_eq!(second[1], format!("gated {CONTACT} i3=suppressed:covered_by_credit"));
    assert_eq!(second[4], "concluded i2=executed");
    assert_eq!(house.channels.counts().of(notice::Channel::Email), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_contested_of_a_debt_is_not_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let house = House::open(&into(directory.path())).await;
    house.owner.lock().unwrap().refused = [("i2".to_owned(), "disputed")].into();
    let contested = |id: &str| Item { disputed_minor: 3_000, ..item(id, "whatsapp") };
    house.compose("c1", vec![contested("i1"), contested("i2")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    assert_eq!(house.transcript("c1").await[1], format!("gated {CONTACT} i2=deferred:disputed"));
    let files: Vec<String> =
        fs::read_dir(directory.path()).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(files.len() == 1 && files[0].contains("70,00") && !files[0].contains("100,00"), "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_reads_which_instalment_of_which_agreement_is_asked_for_in_their_language() {
    for (language, expected, other) in
        [("pt-BR", "parcela 2/6 do acordo AC-7", "instalment"), ("en", "instalment 2/6 of agreement AC-7", "parcela")]
    {
        for channel in ["email", "sms", "whatsapp", "voice", "letter"] {
            let directory = tempfile::tempdir().unwrap();
            let house = House::open(&into(directory.path())).await;
            {
                let mut owner = house.owner.lock().unwrap();
                owner.instalments = [("AC-7-2".to_owned(), (2, 6, "AC-7"))].into();
                owner.customer.attributes = Some(CustomerAttributes { language: language.into(), ..Default::default() });
            }
            house.compose("c1", vec![item("AC-7-2", channel)]).await;
            house.until("2026-11-23T12:00:00Z").await;
            let files: Vec<String> =
                fs::read_dir(directory.path()).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
            assert_eq!(files.len(), 1, "{language} {channel}");
            let read = files[0].replace("=\n", "").replace('\n', " ");
            // A text message names no single debt, whatever it is: amount and due day only.
            assert_eq!(read.contains(expected), channel != "sms", "{language} {channel}: {read}");
            assert!(read.contains("100") && read.contains("2026"), "{language} {channel}: {read}");
            assert!(!read.contains(other), "{language} {channel}: {read}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instalment_beside_a_debt_is_a_line_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let house = House::open(&into(directory.path())).await;
    house.owner.lock().unwrap().instalments = [("AC-7-2".to_owned(), (2, 6, "AC-7"))].into();
    house.compose("c1", vec![item("AC-7-2", "whatsapp"), item("i1", "whatsapp")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let file = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let read = fs::read_to_string(file).unwrap();
    for line in ["parcela 2/6 do acordo AC-7", "NF i1"] {
        assert_eq!(read.matches(line).count(), 1, "{read}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_while_the_owner_is_out_of_reach() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.owner.lock().unwrap().down = true;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:02:00Z").await;
    assert!(house.owner.lock().unwrap().asked.len() >= 3, "it is asked again and again");
    assert_eq!(house.channels.counts().of(notice::Channel::Email), 0);
    house.owner.lock().unwrap().down = false;
    house.until("2026-11-23T12:03:00Z").await;
    assert_eq!(house.transcript("c1").await[4], "concluded i1=executed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_whose_window_shut_meanwhile_waits_for_another_day() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.until("2026-11-23T20:59:00Z").await;
    house.owner.lock().unwrap().down = true;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T21:00:00Z").await;
    house.owner.lock().unwrap().down = false;
    house.until("2026-11-23T21:02:00Z").await;
    assert_eq!(house.transcript("c1").await[1..], ["concluded i1=deferred:window_shut"]);
    assert_eq!(house.channels.counts().of(notice::Channel::Email), 0);
}

fn noted(day: &str, place: &str) -> Heard {
    Heard::Noted { day: day.parse().unwrap(), place: Place::parse(place).unwrap(), name: "Aniversário".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holiday_that_is_recorded_after_the_offer_is_found_by_the_last_look() {
    for (place, outcome) in [("3550308", "deferred:window_shut"), ("SP", "deferred:window_shut"), ("3509502", "executed")] {
        let house = House::open(&ChannelsConfig::recording()).await;
        let attributes = CustomerAttributes { state: "SP".into(), municipality: "3550308".into(), ..Default::default() };
        house.owner.lock().unwrap().customer.attributes = Some(attributes);
        house.compose("c1", vec![item("i1", "email")]).await;
        house.hear(noted("2026-11-24", "tenant")).await;
        house.hear(noted("2026-11-23", place)).await;
        house.until("2026-11-23T12:02:00Z").await;
        let transcript = house.transcript("c1").await;
        assert!(transcript.contains(&format!("concluded i1={outcome}")), "{place}: {transcript:#?}");
        let sent = u64::from(outcome == "executed");
        assert_eq!(house.channels.counts().of(notice::Channel::Email), sent, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holiday_that_is_withdrawn_in_time_holds_nothing_back() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.compose("c1", vec![item("i1", "email")]).await;
    house.hear(noted("2026-11-23", "tenant")).await;
    house.hear(noted("2026-11-23", "tenant")).await;
    house.hear(Heard::Lifted { day: "2026-11-23".parse().unwrap(), place: Place::Tenant }).await;
    house.until("2026-11-23T12:02:00Z").await;
    assert!(house.transcript("c1").await.contains(&"concluded i1=executed".to_owned()));
    let kept = house.log.read_streams(&[(notification::holidays::stream("acme"), 0)]).await.unwrap();
    assert_eq!(kept.len(), 2, "told twice, it is kept once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_refuses_is_followed_by_the_next_after_another_look() {
    let (refusing, _) = webhook::provider(&[422; 9], "").await;
    let config = ChannelsConfig { whatsapp: refusing, ..ChannelsConfig::recording() };
    let house = House::open(&config).await;
    house.compose("c1", vec![item("i1", "whatsapp > sms > email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let expected = [
        "started whatsapp",
        "refused whatsapp http_422",
        "gated again",
        "started sms",
        "accepted sms",
        "concluded i1=executed",
        "receipt sms delivered",
    ];
    assert_eq!(house.transcript("c1").await[2..], expected);
    assert_eq!(house.owner.lock().unwrap().asked.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_followed_by_the_next_channel_unless_it_was_paid_meanwhile() {
    for (paid, expected) in [
        (false, vec!["gated again", "started sms", "accepted sms", "receipt sms delivered"]),
        (true, vec!["fallback stopped nothing_to_say"]),
    ] {
        let (silent, _) = webhook::provider(&[], "").await;
        let house = House::open(&ChannelsConfig { whatsapp: silent, ..ChannelsConfig::recording() }).await;
        house.compose("c1", vec![item("i1", "whatsapp > sms")]).await;
        house.until("2026-11-23T15:59:00Z").await;
        if paid {
            house.owner.lock().unwrap().refused.insert("i1".into(), "paid");
        }
        assert_eq!(house.transcript("c1").await[2..], ["started whatsapp", "accepted whatsapp", "concluded i1=executed"]);
        house.until("2026-11-23T16:00:00Z").await;
        assert_eq!(house.transcript("c1").await[5..], expected, "paid: {paid}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contact_whose_oldest_step_was_planned_first_gets_the_budget() {
    let house = House::open(&ChannelsConfig::recording()).await;
    let dollars = Item { currency: Currency::new("USD").unwrap(), planned_on: "2026-11-20".parse().unwrap(), ..item("i2", "email") };
    house.compose("c1", vec![item("i1", "email"), dollars]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let asked = house.owner.lock().unwrap().asked.clone();
    assert_eq!(asked, ["acme c1 2026-11-23.USD.all", "acme c1 2026-11-23.BRL.all"]);
    let transcript = house.transcript("c1").await;
    assert_eq!(transcript.last().unwrap(), "concluded i1=deferred:budget_spent", "{transcript:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_chains_go_out_together_and_the_first_acceptance_executes() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.compose("c1", vec![item("i1", "letter, email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let transcript = house.transcript("c1").await;
    assert_eq!(transcript[2..4], ["started letter", "started email"]);
    assert_eq!(transcript.iter().filter(|line| line.starts_with("concluded")).count(), 1);
    assert_eq!(transcript.iter().filter(|line| line.starts_with("accepted")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_nobody_has_is_for_a_person_to_look_at() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.compose("c1", vec![Item { template: "nonsense".into(), ..item("i1", "email") }]).await;
    house.until("2026-11-23T12:00:00Z").await;
    let transcript = house.transcript("c1").await;
    assert_eq!(transcript[3..], ["refused email unknown_template", "concluded i1=undeliverable:all_refused"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_without_an_address_costs_no_budget() {
    let house = House::open(&ChannelsConfig::recording()).await;
    house.owner.lock().unwrap().customer.email.clear();
    house.compose("c1", vec![item("i1", "email")]).await;
    house.until("2026-11-23T12:00:00Z").await;
    assert_eq!(house.transcript("c1").await[1..], ["concluded i1=undeliverable:no_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_says_what_is_owed_now_and_that_a_payment_was_returned() {
    let (config, provider) = webhook::provider(&[], "").await;
    let house = House::open(&ChannelsConfig::all(config)).await;
    house.owner.lock().unwrap().net_minor.insert("i1".into(), 123_456);
    let returned = item("i1", "whatsapp");
    let keys = BTreeSet::from([returned.key()]);
    house.submit_returned("c1", crate::house::compose(vec![returned]), keys).await;
    house.until("2026-11-23T12:00:00Z").await;
    let provider = provider.lock().unwrap();
    let message = &provider.taken["acme~c1~2026-11-23.BRL.all.0.0"];
    let text = message["text"].as_str().unwrap();
    for told in ["Ana", "NF i1", "R$ 1.234,56", "20/11/2026", "devolvido", "Loja da Praça"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(message["to"], "+5511999990000");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_payers_go_out_at_once_each_in_its_own_lane() {
    let house = House::open(&ChannelsConfig::recording()).await;
    for number in 0..300 {
        house.compose(&format!("c{number}"), vec![item(&format!("i{number}"), "email")]).await;
    }
    house.until("2026-11-23T12:00:00Z").await;
    assert_eq!(house.channels.counts().of(notice::Channel::Email), 300);
    for number in 0..300 {
        assert_eq!(house.transcript(&format!("c{number}")).await.len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thanks_and_corrections_say_that_it_is_over_and_name_no_way_to_pay() {
    let (config, provider) = webhook::provider(&[], "").await;
    let house = House::open(&ChannelsConfig::all(config)).await;
    house.owner.lock().unwrap().net_minor.insert("i1".into(), 123_456);
    for (customer, purpose, template) in [("c1", Purpose::ThankYou, "agradecimento"), ("c2", Purpose::Correction, "cancelamento")] {
        house.compose(customer, vec![Item { purpose, template: template.into(), overdue: false, tone: 1, ..item("i1", "whatsapp") }]).await;
    }
    house.until("2026-11-23T12:00:00Z").await;
    let provider = provider.lock().unwrap();
    for (key, told) in [
        ("acme~c1~2026-11-23.BRL.thank_you.0.0", "Recebemos o seu pagamento. Muito obrigado! A conta abaixo está quitada"),
        ("acme~c2~2026-11-23.BRL.correction.0.0", "A cobrança abaixo foi cancelada. Por favor, desconsidere"),
    ] {
        let text = provider.taken[key]["text"].as_str().unwrap();
        for told in [told, "- NF i1: R$ 1.234,56, vencimento 20/11/2026", "SAIR"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        for never in ["Em atraso", "A vencer", "Pix", "Boleto", "Total"] {
            assert!(!text.contains(never), "{never}: {text}");
        }
    }
}
