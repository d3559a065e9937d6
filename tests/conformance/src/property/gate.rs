//! The last look: what is known to be paid is not asked for.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use futures::future::{join_all, try_join};

use crate::Outcome;
use crate::chance::Chance;
use crate::moment::until;
use crate::office::{Office, Told};
use crate::storage::Durable;

/// Payers, each with one overdue debt and a reminder that waits for the window.
const PAYERS: u64 = 150;

/// Whether the protection is in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The owner of the balance is asked, at every hand-over.
    AtTheOwner,
    /// Somebody is asked who always says yes.
    TakenOut,
}

/// Payers pay before the window opens, while it opens, and not at all. Of those whose payment was acknowledged before nobody gets a
/// message. Where payment and hand-over race, the owner's log has them in one order: every message was authorised there, for what was open
/// at that place, and before the payment.
///
/// # Errors
/// What is wrong.
pub async fn what_was_paid_before_is_never_handed_over<D: Durable>(storage: &D, gate: Gate) -> Outcome {
    let mut chance = Chance::new("the gate");
    let office = Office::open(&storage.place(), gate).await?;
    office.bill(PAYERS).await?;
    office.remind(PAYERS).await?;
    let (early, rest): (Vec<u64>, Vec<u64>) = (0..PAYERS).partition(|payer| payer % 3 == 0);
    let racing: Vec<(u64, u64)> = rest.into_iter().filter(|payer| payer % 3 == 1).map(|payer| (payer, chance.below(PAYERS / 3))).collect();
    for payment in join_all(early.iter().map(|payer| office.pay(*payer))).await {
        payment?;
    }
    // As many messages leave as there are payers who never pay, so every payment has its turn among the hand-overs.
    let pay = async |(payer, messages): &(u64, u64)| {
        until("messages leave", async || Ok(office.messages().len() as u64 >= *messages)).await?;
        office.pay(*payer).await
    };
    let paying = async { join_all(racing.iter().map(pay)).await.into_iter().collect::<anyhow::Result<()>>() };
    try_join(office.open_the_window(), paying).await?;

    let messages = office.messages();
    for payer in &early {
        ensure!(!messages.contains_key(&payer.to_string()), "payer {payer}: a debt was handed over though it was paid before");
    }
    let mut withheld = BTreeSet::new();
    for payer in 0..PAYERS {
        let told = office.told(payer).await?;
        match messages.get(&payer.to_string()) {
            Some(contact) => follows_the_log(&told, contact).with_context(|| format!("payer {payer}: {told:?}"))?,
            None => drop(withheld.insert(payer)),
        }
    }
    let raced = racing.iter().filter(|(payer, _)| withheld.contains(payer)).count();
    println!("{} messages, {} withheld, of {} races {raced} were won by the payment", messages.len(), withheld.len(), racing.len());
    ensure!(messages.len() as u64 >= PAYERS / 3, "only {} messages: nothing was proven", messages.len());
    office.close().await;
    Ok(())
}

/// A message that went out: authorised for its contact, for what was open there, before the debt was paid.
fn follows_the_log(told: &[Told], contact: &str) -> Outcome {
    let mut open_minor = 0;
    for fact in told {
        match fact {
            Told::Issued { amount_minor } => open_minor += amount_minor,
            Told::Paid { amount_minor } => open_minor -= amount_minor,
            Told::Authorized { contact_id, net_minor } if contact_id == contact => {
                ensure!(*net_minor == open_minor, "asked for {net_minor} where {open_minor} was open");
                ensure!(open_minor > 0, "a debt was handed over though it was paid before");
                return Ok(());
            }
            Told::Authorized { .. } => {}
        }
    }
    anyhow::bail!("a message that the owner did not authorise")
}
