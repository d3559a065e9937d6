//! A debt through its days.

use super::*;

#[tokio::test]
async fn a_debt_climbs_its_ladder_until_it_is_paid() {
    for world in World::begin_on_each(brasilia("2026-11-03", 8), false).await {
        climb(world).await;
    }
}

async fn climb(mut world: World) {
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.live(brasilia("2026-12-01", 8), sent).await;
    world.paid("C1", "I1", 0).await;
    world.live(brasilia("2027-03-01", 8), sent).await;
    assert_eq!(
        world.ends("I1").await,
        "d-7 executed 2026-11-16
d-1 executed 2026-11-19
d0 executed 2026-11-23
d+1 executed 2026-11-24
d+3 executed 2026-11-26
d+7 executed 2026-11-30
d+15 superseded paid 2026-12-01
d+30 superseded paid 2026-12-01
d+45 superseded paid 2026-12-01
d+60 superseded paid 2026-12-01"
    );
    assert_eq!((world.track("I1").await.phase.as_str(), world.track("I1").await.outstanding_minor), ("settled", 0));
    assert_eq!((world.events("ReminderDue").await, world.events("StepDelivered").await), (6, 6));
    assert_eq!(world.clock.next_deadline(), None, "nothing is left to wake for");
    world.check().await;
}

#[tokio::test]
async fn what_is_late_is_superseded_and_what_is_over_is_expired() {
    let mut world = World::begin(brasilia("2026-11-20", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-20", "2026-11-23")).await;
    world.issued("C1", "I2", ("2026-11-20", "2026-11-23")).await;
    // On the due date only the first one's step is let out.
    world.live(brasilia("2026-11-23", 8), sent).await;
    assert_eq!(world.events("ReminderDue").await, 0, "Friday is a holiday, then comes a weekend");
    world.live(brasilia("2026-11-23", 20), |_, _| ("deferred", "budget_spent")).await;
    world.paid("C1", "I2", 0).await;
    world.live(brasilia("2026-11-24", 20), sent).await;
    assert_eq!(
        world.ends("I1").await.lines().take(5).collect::<Vec<_>>(),
        [
            "d-7 expired due_passed 2026-11-24",
            "d-1 expired due_passed 2026-11-24",
            "d0 expired due_passed 2026-11-24",
            "d+1 executed 2026-11-24",
            "d+3 planned"
        ]
    );
    let paid_on_the_day = world.ends("I2").await;
    assert!(paid_on_the_day.lines().all(|line| line.ends_with("superseded paid 2026-11-23")), "{paid_on_the_day}");
    assert_eq!(world.events("StepDeferred").await, 2);
    world.check().await;
}

#[tokio::test]
async fn a_step_whose_last_day_is_over_reads_as_expired_before_anybody_looked() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.parts.timers.iter().for_each(eventlog::TimerHandle::pause);
    world.clock.advance_to(brasilia("2026-11-23", 23));
    assert!(world.ends("I1").await.starts_with("d-7 planned\nd-1 planned\nd0 planned\n"));
    world.clock.advance_to(brasilia("2026-11-24", 0));
    assert!(world.ends("I1").await.starts_with(
        "d-7 expired due_passed 2026-11-24\nd-1 expired due_passed 2026-11-24\nd0 expired due_passed 2026-11-24\nd+1 planned\n"
    ));
    // A payment after an outage supersedes only what had not expired.
    world.paid("C1", "I1", 0).await;
    let ends = world.ends("I1").await;
    assert_eq!((ends.matches("expired due_passed").count(), ends.matches("superseded paid").count()), (3, 7));
    world.check().await;
}

#[tokio::test]
async fn a_returned_payment_starts_a_cycle_and_a_moved_due_date_another() {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.live(brasilia("2026-11-24", 20), sent).await;
    world.paid("C1", "I1", 0).await;
    let returned =
        invoice::PaymentReversed { customer_id: "C1".into(), invoice_id: "I1".into(), outstanding_minor: 10_000, ..Default::default() };
    world.clock.advance_to(brasilia("2026-11-25", 8));
    world.invoice_says("C1", "PaymentReversed", returned).await;
    assert_eq!((world.track("I1").await.cycle, world.track("I1").await.phase.as_str()), (2, "active"));
    let moved = invoice::InvoiceAmended {
        customer_id: "C1".into(),
        invoice_id: "I1".into(),
        due_on: "2026-12-15".into(),
        outstanding_minor: 10_000,
        ..Default::default()
    };
    world.invoice_says("C1", "InvoiceAmended", moved).await;
    let track = world.track("I1").await;
    assert_eq!((track.cycle, track.due_on.as_str(), track.steps.len()), (3, "2026-12-15", 30));
    world
        .invoice_says(
            "C1",
            "InvoiceCancelled",
            invoice::InvoiceCancelled { customer_id: "C1".into(), invoice_id: "I1".into(), ..Default::default() },
        )
        .await;
    assert_eq!(world.track("I1").await.phase, "cancelled");
    assert!(world.track("I1").await.steps.iter().all(|step| !step.ended_on.is_empty()), "every occurrence has one end");
    world.check().await;
}

#[tokio::test]
async fn a_fact_that_a_slow_clock_recorded_is_not_taken_for_a_stale_one() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    // Another process of the owner, an hour behind, recorded the payment: later in the log, earlier by its clock.
    let slow = VirtualClock::new(brasilia("2026-11-03", 7), Activity::new());
    let behind = Log::memory(slow as Arc<dyn Clock>, Arc::new(TimeOrdered));
    let message = |event: eventlog::Recorded| eventlog::bus::Message { topic: INVOICE_TOPIC.into(), partition: 0, offset: 0, event };
    let fact = invoice::PaymentReceived { customer_id: "C1".into(), invoice_id: "I1".into(), outstanding_minor: 0, ..Default::default() };
    world.tell(&behind, "account/default/C1".into(), "C1", ("PaymentReceived", fact.encode_to_vec())).await;
    let recorded = behind.read(0, 1).await.unwrap().remove(0);
    use eventlog::consumer::Inbound;
    for inbound in crate::inbound::Facts.commands(&message(recorded)).unwrap() {
        world.server.writer.submit(eventlog::Submission::new(inbound.stream, inbound.meta, inbound.command)).await.unwrap();
    }
    world.settle().await;
    assert_eq!(world.track("I1").await.phase, "settled");
}

#[tokio::test]
async fn a_payment_of_an_invoice_that_was_never_seen_parks_its_payer_and_nobody_else() {
    let world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.paid("C1", "I1", 0).await;
    world.registered("C2", "").await;
    world.issued("C2", "I2", ("2026-11-03", "2026-11-23")).await;
    assert_eq!(world.track("I2").await.phase, "active");
    let parked: u64 = world.parts.consumers.iter().map(|consumer| consumer.status().parked).sum();
    assert_eq!(parked, 1);
}

#[tokio::test]
async fn an_erased_payer_is_left_alone() {
    let mut world = World::begin(brasilia("2026-11-03", 8), false).await;
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-03", "2026-11-23")).await;
    world.invoice_says("C1", "CustomerErased", invoice::CustomerErased { customer_id: "C1".into() }).await;
    world.live(brasilia("2027-03-01", 8), sent).await;
    assert_eq!(world.events("ReminderDue").await, 0);
    assert!(world.ends("I1").await.lines().all(|line| line.ends_with("superseded payer_forgotten 2026-11-03")));
    world.check().await;
}
