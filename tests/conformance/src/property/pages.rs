//! A page of a consumer: its place and its effects move together.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::Outcome;
use crate::account::Command;
use crate::chance::Chance;
use crate::faults::Spot;
use crate::process::Victim;
use crate::storage::Durable;
use crate::together::Together;
use crate::wire::Wire;
use crate::world::World;

/// The consumer stands still at each spot of its page, and somebody looks into its database: place, archive, log and read model are all
/// before the page or all behind it. Then it fails at each spot, and nothing is lost or doubled.
///
/// # Errors
/// What is wrong.
pub async fn place_and_effects_move_together<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    let reader = world.listen().await?;
    for spot in Spot::PAGE {
        world.bank.pay(&[("a", 1), ("b", 2), ("c", 3)]).await?;
        world.bank.submit("a", Command::Remark).await?;
        world.settled().await?;
        let before = Together::of(wire.mirror()).await?;
        let stall = world.mirror.faults.stall(spot, 0);
        world.bank.pay(&[("a", 4), ("b", 5), ("c", 6)]).await?;
        stall.reached().await;
        let during = Together::of(wire.mirror()).await?;
        during.agree().with_context(|| format!("while the page stands at {spot}"))?;
        ensure!((during != before) == spot.is_committed(), "at {spot}: before {before:?}, during {during:?}");
        stall.release();
        world.mirrored_exactly(&reader).await.with_context(|| format!("after a page stood at {spot}"))?;
        world.mirror.faults.fail(spot);
        world.bank.pay(&[("a", 7), ("b", 8), ("c", 9)]).await?;
        world.mirrored_exactly(&reader).await.with_context(|| format!("after a page failed at {spot}"))?;
        Together::of(wire.mirror()).await?.agree()?;
    }
    world.end(vec![reader]).await;
    Ok(())
}

/// A process that listens is killed at each spot of its page, then at each spot of a later one. Its successor goes on: place and effects
/// are at one point after each kill, and at the end each fact has had its effect once.
///
/// # Errors
/// What is wrong.
pub async fn a_killed_consumer_leaves_nothing_half_done<W: Wire>(wire: &W, victim: &Path) -> Outcome {
    let mut chance = Chance::new("killed consumers");
    let world = World::new(wire).await?;
    for spot in Spot::PAGE {
        let after = chance.below(3);
        for _ in 0..10 {
            world.bank.pay(&[("a", 1), ("b", 2), ("c", 3)]).await?;
        }
        let places = [wire.bank().place().to_string(), wire.mirror().place().to_string()];
        let rest = [wire.route().to_string(), spot.to_string(), after.to_string()];
        let arguments: Vec<String> = ["listen".to_string()].into_iter().chain(places).chain(rest).collect();
        let mut process = Victim::spawn(victim, &arguments)?;
        process.until_says("at").await?;
        process.kill().await?;
        let left = Together::of(wire.mirror()).await?;
        println!("{}: killed at {spot} of page {after}: {left:?}", W::NAME);
        left.agree().with_context(|| format!("after a kill at {spot}"))?;
    }
    let reader = world.listen().await?;
    world.mirrored_exactly(&reader).await?;
    Together::of(wire.mirror()).await?.agree()?;
    world.end(vec![reader]).await;
    Ok(())
}
