//! Read models: what is live is what a rebuild gives.

use anyhow::{Context, Result};

use crate::Outcome;
use crate::storage::Durable;
use crate::wire::Wire;
use crate::world::World;

/// Both read models of the mirror are built again from zero, put in place and compared, three times, while the bank goes on paying.
///
/// # Errors
/// What is wrong.
pub async fn rebuilt_is_live_while_traffic_goes_on<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    let (reader, own) = (world.listen().await?, world.listen_to_itself().await?);
    for _ in 0..20 {
        world.bank.pay(&[("a", 1), ("b", 2)]).await?;
    }
    let traffic = async {
        for n in 0..40 {
            world.bank.pay(&[("c", n * 2), ("a", 3)]).await?;
        }
        Ok(())
    };
    let rebuilds = async {
        for _ in 0..3 {
            reader.models.rebuild("balances").await?;
            reader.verify().await?;
            own.models.rebuild("own_balances").await?;
            own.verify().await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let (sent, built): (Result<()>, Result<()>) = tokio::join!(traffic, rebuilds);
    sent?;
    built?;
    world.mirrored_exactly(&reader).await?;
    own.verify().await?;
    world.end(vec![reader, own]).await;
    Ok(())
}

/// What a comparison says of a live model that somebody has changed by hand.
///
/// # Errors
/// That it is not the rebuilt one, as it should say.
pub async fn a_forged_model_is_not_a_rebuilt_one<W: Wire>(wire: &W) -> Outcome {
    let world = World::new(wire).await?;
    let reader = world.listen().await?;
    world.bank.pay(&[("forged", 1)]).await?;
    world.settled().await?;
    let model = reader.models.status().await?.pop().context("no model")?;
    let mut tx = wire.mirror().database().await?.begin().await?;
    tx.execute(&format!("UPDATE balances_{} SET balance = balance + 1 WHERE account = 'forged'", model.suffix), &[]).await?;
    tx.commit().await?;
    let verified = reader.verify().await;
    world.end(vec![reader]).await;
    verified
}
