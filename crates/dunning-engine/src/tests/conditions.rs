//! Steps that ask for facts of the owner of the invoices, through the service.

use super::*;

const TOML: &str = "policy = \"minha\"\ntime_zone = \"America/Sao_Paulo\"\ncalendar = \"none\"\n[contact]\nmax_per_7_days = 9\n\
    window = { weekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"] }\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\nonly_if = { not_viewed = true }\n\
    [[step]]\nid = \"d+3\"\noffset_days = 3\ntone = 2\nchannels = [\"email\"]\ntemplate = \"t\"\nonly_if = { risk_at_least = 70 }\n";

/// C1 opened its invoice and is no risk, C2 the other way round.
async fn two_payers(world: World) -> World {
    world.publish("p1", TOML).await.unwrap();
    world.assign("tenant", "", ("minha", 1)).await.unwrap();
    for (customer, invoice_id, score) in [("C1", "I1", 69), ("C2", "I2", 70)] {
        world.registered(customer, "").await;
        world.issued(customer, invoice_id, ("2026-11-20", "2026-11-23")).await;
        let rated = invoice::CustomerRated { customer_id: customer.into(), score, source: "birô".into(), rated_on: "2026-11-20".into() };
        world.invoice_says(customer, "CustomerRated", rated).await;
    }
    let viewed_at_us = brasilia("2026-11-20", 8).timestamp_micros();
    let viewed = invoice::InvoiceViewed { customer_id: "C1".into(), invoice_id: "I1".into(), viewed_at_us, through: "portal".into() };
    world.invoice_says("C1", "InvoiceViewed", viewed).await;
    world
}

async fn risk(world: &World, customer: &str) -> Option<u32> {
    let asked = proto::GetPayerRequest { customer_id: customer.into() };
    world.server.get_payer(world.ask(asked)).await.unwrap().into_inner().risk_score
}

#[tokio::test]
async fn what_the_owner_says_of_views_and_ratings_decides_the_steps_that_ask_for_it() {
    for world in World::begin_on_each(brasilia("2026-11-20", 8), true).await {
        let mut world = two_payers(world).await;
        world.live(brasilia("2026-11-27", 8), sent).await;
        let (left_out, sent) = ("suppressed condition_not_met", "executed");
        assert_eq!(world.ends("I1").await, format!("d+1 {left_out} 2026-11-24\nd+3 {left_out} 2026-11-26"));
        assert_eq!(world.ends("I2").await, format!("d+1 {sent} 2026-11-24\nd+3 {sent} 2026-11-26"));
        assert_eq!((risk(&world, "C1").await, risk(&world, "C2").await), (Some(69), Some(70)));
        assert_eq!((world.events("ViewNoted").await, world.events("RatingNoted").await), (1, 2));
        world.invoice_says("C2", "CustomerErased", invoice::CustomerErased { customer_id: "C2".into() }).await;
        world.settle().await;
        assert_eq!(risk(&world, "C2").await, None);
        world.check().await;
        let world = world.restart().await;
        world.check().await;
        assert_eq!(risk(&world, "C1").await, Some(69));
    }
}
