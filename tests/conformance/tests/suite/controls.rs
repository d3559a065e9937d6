//! Negative controls: a protection is taken out, and the property that watches it fails, for the right reason.

use conformance::Outcome;
use conformance::property::gate::{self, Gate};
use conformance::property::listings::{self, Memory as Remembered};
use conformance::property::{commands, delivery, kill, models, order};
use conformance::storage::{Durable, Memory, Postgres, Sqlite, Storage};
use conformance::wire::{PostgresInside, PostgresKafka, SqliteInside, Wire};
use eventlog::log::Protection;

/// Whether a property has noticed what it should notice.
fn noticed(outcome: Outcome, what: &str) -> Outcome {
    match outcome {
        Ok(()) => anyhow::bail!("nobody noticed that a protection was taken out"),
        Err(error) => {
            let text = format!("{error:#}");
            println!("noticed: {text}");
            anyhow::ensure!(text.contains(what), "failed for another reason: {text}");
            Ok(())
        }
    }
}

async fn without_the_version_check<S: Storage>() -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    storage.faults().take_out(Protection::VersionCheck);
    noticed(order::of_racing_appends_on_one_version_one_wins(&storage).await, "winners on one version")
}

async fn without_command_ids<S: Storage>(what: &str) -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    storage.faults().take_out(Protection::CommandIds);
    noticed(commands::the_same_command_id_gets_the_same_answer(&storage).await, what)
}

/// A process that acknowledges before it has stored.
async fn with_early_acknowledgements<S: Durable>() -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    noticed(kill::acknowledged_commands_survive(&storage, crate::victim(), "boast").await, "after kill")
}

/// A read model that was changed by hand.
async fn with_a_forged_model<W: Wire>() -> Outcome {
    let Some(wire) = W::fresh().await? else { return Ok(()) };
    models::rebuilt_is_live_while_traffic_goes_on(&wire).await?;
    noticed(models::a_forged_model_is_not_a_rebuilt_one(&wire).await, "rebuilt is not live")
}

async fn without_the_compare_and_set<S: Durable>() -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    storage.faults().take_out(Protection::OffsetCompareAndSet);
    noticed(delivery::a_consumer_of_its_own_log_that_was_given_up_is_fenced(&storage).await, "after it woke up the read model holds")
}

async fn without_the_compare_and_set_on<W: Wire>() -> Outcome {
    let Some(wire) = W::fresh().await? else { return Ok(()) };
    wire.mirror().faults().take_out(Protection::OffsetCompareAndSet);
    noticed(delivery::a_consumer_that_was_given_up_is_fenced(&wire).await, "it was not fenced")
}

async fn without_stream_versions<W: Wire>() -> Outcome {
    let Some(wire) = W::fresh().await? else { return Ok(()) };
    wire.mirror().faults().take_out(Protection::StreamVersions);
    noticed(delivery::duplicates_and_reordering_change_nothing(&wire).await, "the read model holds")?;
    let Some(wire) = W::fresh().await? else { return Ok(()) };
    wire.mirror().faults().take_out(Protection::StreamVersions);
    noticed(delivery::a_gap_holds_its_partition(&wire).await, "behind a gap the read model holds")
}

/// Notification asks somebody who always says yes, in place of the owner of the balance.
async fn without_the_gate<S: Durable>() -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    noticed(gate::what_was_paid_before_is_never_handed_over(&storage, Gate::TakenOut).await, "was handed over though it was paid before")
}

/// A bureau that says of every command that it never had it.
async fn with_a_bureau_that_forgets<S: Durable>() -> Outcome {
    let Some(storage) = S::fresh().await? else { return Ok(()) };
    let outcome = listings::a_killed_clerk_hands_everything_over_once(&storage, crate::victim(), Remembered::Lost).await;
    noticed(outcome, "handed over again though the bureau had it")
}

macro_rules! controls {
    ($($name:ident = $control:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() -> Outcome {
            $control.await
        })*
    };
}

controls! {
    racing_appends_without_the_version_check_all_win_in_memory = without_the_version_check::<Memory>();
    racing_appends_without_the_version_check_all_win_on_sqlite = without_the_version_check::<Sqlite>();
    racing_appends_without_the_version_check_all_win_on_postgres = without_the_version_check::<Postgres>();
    repeated_commands_without_their_ids_are_carried_out_twice_in_memory = without_command_ids::<Memory>("was told");
    repeated_commands_without_their_ids_meet_the_constraint_on_sqlite = without_command_ids::<Sqlite>("unique constraint");
    repeated_commands_without_their_ids_meet_the_constraint_on_postgres = without_command_ids::<Postgres>("unique constraint");
    early_acknowledgements_do_not_survive_on_sqlite = with_early_acknowledgements::<Sqlite>();
    early_acknowledgements_do_not_survive_on_postgres = with_early_acknowledgements::<Postgres>();
    a_forged_model_is_not_a_rebuilt_one_on_sqlite = with_a_forged_model::<SqliteInside>();
    a_forged_model_is_not_a_rebuilt_one_on_postgres = with_a_forged_model::<PostgresInside>();
    a_consumer_without_compare_and_set_applies_twice_on_sqlite = without_the_compare_and_set::<Sqlite>();
    a_consumer_without_compare_and_set_applies_twice_on_postgres = without_the_compare_and_set::<Postgres>();
    a_consumer_without_compare_and_set_is_not_fenced_in_process = without_the_compare_and_set_on::<SqliteInside>();
    a_consumer_without_compare_and_set_is_not_fenced_on_kafka = without_the_compare_and_set_on::<PostgresKafka>();
    what_was_paid_is_handed_over_without_the_gate_on_sqlite = without_the_gate::<Sqlite>();
    what_was_paid_is_handed_over_without_the_gate_on_postgres = without_the_gate::<Postgres>();
    a_bureau_that_forgets_is_handed_commands_twice_on_sqlite = with_a_bureau_that_forgets::<Sqlite>();
    duplicates_and_gaps_show_without_stream_versions_on_sqlite = without_stream_versions::<SqliteInside>();
    duplicates_and_gaps_show_without_stream_versions_on_postgres = without_stream_versions::<PostgresInside>();
    duplicates_and_gaps_show_without_stream_versions_on_kafka = without_stream_versions::<PostgresKafka>();
}
