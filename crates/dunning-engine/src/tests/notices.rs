//! Thanks and corrections, through the service.

use super::*;

const TOML: &str = "policy = \"minha\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n[contact]\nmax_per_7_days = 9\n\
    window = { weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"] }\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\n\
    [notices.thank_you]\ntemplate = \"agradecimento\"\nchannels = [\"email\"]\n\
    [notices.correction]\ntemplate = \"cancelamento\"\nchannels = [\"sms\", \"email\"]\n";

/// The notifier sends every notice that was due and not answered yet, from a position on.
async fn told(world: &World, after: u64) -> Vec<String> {
    let mut shown = Vec::new();
    for event in world.environment.log.read(after, 10_000).await.unwrap().iter().filter(|event| event.event_type == "NoticeDue") {
        let due = proto::NoticeDue::decode(event.payload.as_slice()).unwrap();
        let reminder = due.reminder.unwrap();
        let item = |item: &proto::DueItem| notification::ItemOutcome {
            invoice_id: item.invoice_id.clone(),
            cycle: item.cycle,
            step_id: item.step_id.clone(),
            occurrence: item.occurrence,
            outcome: "executed".into(),
            reason: String::new(),
            net_minor: 10_000,
        };
        let items: Vec<_> = reminder.items.iter().map(item).collect();
        let invoices: Vec<&str> = reminder.items.iter().map(|item| item.invoice_id.as_str()).collect();
        shown.push(format!("{} {} {} {}", reminder.day, due.kind, reminder.items[0].template, invoices.join(",")));
        let fact = notification::ReminderConcluded {
            customer_id: reminder.customer_id.clone(),
            contact_id: format!("{}.BRL.{}", reminder.day, due.kind),
            day: reminder.day,
            sent: true,
            channels: vec!["email".into()],
            items,
            ..Default::default()
        };
        let stream = format!("contacts/{TENANT}/{}", reminder.customer_id);
        world.tell(&world.facts[1], stream, &reminder.customer_id, ("ReminderConcluded", fact.encode_to_vec())).await;
    }
    world.settle().await;
    shown
}

#[tokio::test]
async fn a_payment_is_thanked_for_and_a_cancellation_corrected_and_the_day_says_so() {
    for world in World::begin_on_each(brasilia("2026-11-20", 8), true).await {
        let mut world = world;
        world.publish("p1", TOML).await.unwrap();
        world.assign("tenant", "", ("minha", 1)).await.unwrap();
        world.registered("C1", "").await;
        for invoice_id in ["I1", "I2", "I3"] {
            world.issued("C1", invoice_id, ("2026-11-20", "2026-11-23")).await;
        }
        world.live(brasilia("2026-11-24", 12), sent).await;
        world.paid("C1", "I1", 0).await;
        world.paid("C1", "I2", 2_500).await;
        let cancelled = invoice::InvoiceCancelled { customer_id: "C1".into(), invoice_id: "I3".into(), ..Default::default() };
        world.invoice_says("C1", "InvoiceCancelled", cancelled).await;
        world.live(brasilia("2026-11-25", 12), sent).await;
        assert_eq!(told(&world, 0).await, ["2026-11-25 correction cancelamento I3"]);
        let so_far = world.environment.log.read(0, 10_000).await.unwrap().last().unwrap().position;
        world.live(brasilia("2026-11-30", 12), sent).await;
        assert_eq!(told(&world, so_far).await, ["2026-11-26 thank_you agradecimento I1"], "one a day, and none for a part");
        let asked = proto::ExplainDayRequest { customer_id: "C1".into(), day: "2026-11-26".into() };
        let day = world.server.explain_day(world.ask(asked)).await.unwrap().into_inner();
        assert!(day.contacted);
        let thanked = day.considerations.iter().find(|one| one.step_id == "notice:thank_you").unwrap();
        assert_eq!((thanked.invoice_id.as_str(), thanked.decision.as_str(), thanked.planned_on.as_str()), ("I1", "executed", "2026-11-25"));
        world.check().await;
        let world = world.restart().await;
        world.check().await;
    }
}
