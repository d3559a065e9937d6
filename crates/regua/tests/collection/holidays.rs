//! A local holiday that is recorded after planning: who lives there is contacted on the next open day, the neighbour on the day itself.

use crate::world::World;
use contracts::{
    dunning::v1::{self as dunning, dunning_service_client::DunningServiceClient},
    invoice::v1 as proto,
};
use tonic::transport::Channel;

/// São Paulo and Campinas.
const PAYERS: [(&str, &str); 2] = [("A", "3550308"), ("B", "3509502")];

async fn prepare(world: &mut World) {
    for (customer_id, municipality) in PAYERS {
        let attributes = proto::CustomerAttributes { state: "SP".into(), municipality: municipality.into(), ..Default::default() };
        let customer = proto::Customer {
            customer_id: customer_id.into(),
            name: "Ana Souza".into(),
            email: "ana@payer.example".into(),
            attributes: Some(attributes),
            ..Default::default()
        };
        let command_id = format!("c{customer_id}");
        world.invoices.register_customer(proto::RegisterCustomerRequest { command_id, customer: Some(customer) }).await.unwrap();
        let invoice = proto::NewInvoice {
            invoice_id: format!("I{customer_id}"),
            customer_id: customer_id.into(),
            amount_minor: 10_000,
            issued_on: "2026-03-01".into(),
            due_on: "2026-03-09".into(),
            ..Default::default()
        };
        let command_id = format!("i{customer_id}");
        world.invoices.issue_invoice(proto::IssueInvoiceRequest { command_id, invoice: Some(invoice) }).await.unwrap();
    }
}

fn engine(world: &World) -> DunningServiceClient<Channel> {
    let url = world.system.url(dunning_engine::NAME).unwrap();
    DunningServiceClient::new(host::client::channel(&url, world.system.access()).unwrap())
}

async fn sent(world: &World) -> [usize; 2] {
    [world.count(notification::NAME, "AttemptEnded", "A").await, world.count(notification::NAME, "AttemptEnded", "B").await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_holiday_moves_the_contacts_of_its_place_by_a_day_and_nothing_else() {
    let mut world = World::start().await;
    prepare(&mut world).await;
    world.until("2026-03-09").await;
    let before = sent(&world).await;
    assert!(before[0] > 0 && before[0] == before[1], "{before:?}");
    let holidays = vec![dunning::NewLocalHoliday { place: "3550308".into(), day: "2026-03-10".into(), name: "Aniversário".into() }];
    let record = dunning::RecordLocalHolidaysRequest { command_id: "h".into(), holidays, by: "ana".into(), reason: "lei".into() };
    assert_eq!(engine(&world).record_local_holidays(record).await.unwrap().into_inner().recorded, 1);
    world.until("2026-03-10").await;
    assert_eq!(sent(&world).await, [before[0], before[1] + 1]);
    world.until("2026-03-11").await;
    assert_eq!(sent(&world).await, [before[0] + 1, before[1] + 1]);
    world.until("2026-03-12").await;
    assert_eq!(world.count(notification::NAME, "LocalHolidayNoted", "default").await, 1, "notification knows of it too");

    let asked = dunning::ExplainDayRequest { customer_id: "A".into(), day: "2026-03-10".into() };
    let told = engine(&world).explain_day(asked).await.unwrap().into_inner();
    assert!(!told.contacted && told.lines.iter().any(|line| line.contains("local holiday of this payer: Aniversário")), "{:?}", told.lines);
    for (customer_id, _) in PAYERS {
        let track = engine(&world).get_track(dunning::GetTrackRequest { invoice_id: format!("I{customer_id}") }).await.unwrap();
        let track = track.into_inner().track.unwrap();
        let planned = track.steps.iter().find(|step| step.step_id == "d+1").map(|step| step.planned_on.clone());
        assert_eq!((track.effective_due.as_str(), planned.as_deref()), ("2026-03-09", Some("2026-03-10")), "no date moves");
    }
    for view in world.system.verify_projections().await.unwrap() {
        assert_eq!(view.live_hash, view.rebuilt_hash, "{}", view.name);
    }
    world.system.stop().await;
}
