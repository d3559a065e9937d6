//! The same pieces of work over and over, for a counter of instructions: a clock is too noisy to notice on any machine that a piece
//! costs more than it did.

use super::{
    Plan,
    append::Ground,
    codecs::{LINE, PIX, TITLES, return_file, settlements},
    facts::Facts,
    kept::Kept,
    timers,
};
use anyhow::{Context, bail, ensure};
use brazil::{boleto::Boleto, pix::BrCode};
use eventlog::Aggregate;
use invoice::Accounts;
use receivable::Account;
use std::{hint::black_box, path::Path};

/// What can be done.
pub const NAMES: [&str; 7] = ["boleto_line", "pix_code", "cnab_record", "account_command", "append", "projected_invoice", "woken_payer"];
/// Payers of the commands.
const PAYERS: u64 = 100;
/// Commands that wait for their answer at a time.
const IN_FLIGHT: usize = 256;

/// Does a piece of work so often, and nothing else. Errors: an unknown name, a store that fails.
pub async fn work(name: &str, times: u64, place: &Path) -> anyhow::Result<()> {
    match name {
        "boleto_line" => {
            for _ in 0..times {
                let boleto = Boleto::from_line(black_box(LINE)).ok().context("a good line is refused")?;
                black_box(boleto.line());
            }
        }
        "pix_code" => {
            for _ in 0..times {
                let code = BrCode::parse(black_box(PIX)).ok().context("a good code is refused")?;
                black_box(code.text());
            }
        }
        "cnab_record" => {
            let file = return_file();
            let records = 2 * TITLES as u64;
            for _ in 0..times.div_ceil(records) {
                ensure!(settlements(black_box(&file)) > 0, "a good file is refused");
            }
        }
        "account_command" => commands(times)?,
        "append" => {
            let ground = Ground::on_sqlite(&Plan { payers: PAYERS, ..Plan::quick() }, place).await?;
            ground.put(times, IN_FLIGHT).await?;
        }
        // With its share of a payer and of payments, from the service's own log into reporting's views.
        "projected_invoice" => Kept::filled(times, place).await?.stop().await,
        // With what taking it and its two invoices in costs.
        "woken_payer" => _ = timers::fire(times, &timers::embedded(place)?).await?,
        other => bail!("there is no work {other}"),
    }
    Ok(())
}

/// Invoices of one payer after the other: decided, applied, encoded.
fn commands(times: u64) -> anyhow::Result<()> {
    let (facts, accounts) = (Facts::new(PAYERS), Accounts::default());
    let mut all: Vec<Account> = Vec::new();
    for payer in 0..PAYERS {
        all.push(apply(&accounts, Account::default(), &facts.register(payer)?.command)?);
    }
    let payers = usize::try_from(PAYERS)?;
    for number in 0..usize::try_from(times)? {
        let account = all.get_mut(number % payers).context("no such payer")?;
        *account = apply(&accounts, std::mem::take(account), &facts.issue()?.command)?;
    }
    black_box(all);
    Ok(())
}

fn apply(accounts: &Accounts, account: Account, command: &<Accounts as Aggregate>::Command) -> anyhow::Result<Account> {
    let decided = accounts.decide(&account, command).map_err(|rejection| anyhow::anyhow!("{rejection:?}"))?;
    Ok(decided.iter().fold(account, |account, fact| {
        black_box(accounts.encode(fact));
        accounts.evolve(account, fact)
    }))
}
