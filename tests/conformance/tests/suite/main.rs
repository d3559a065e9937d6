//! Every property on every adapter.

use std::path::Path;

use conformance::property::{cancellation, commands, delivery, disk, gate, kill, listings, models, order, outage, pages, parking};
use conformance::storage::{Memory, Postgres, Sqlite, Storage};
use conformance::wire::{PostgresInside, PostgresKafka, SqliteInside, SqliteKafka, Wire};

mod controls;

/// The process that gets killed.
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

fn victim() -> &'static Path {
    Path::new(VICTIM)
}

/// One test for each property: the adapter, made anew, and what else the property takes.
macro_rules! properties {
    ($adapter:ty: $($name:ident = $property:path $(, $more:expr)?;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() -> conformance::Outcome {
            match <$adapter>::fresh().await? {
                Some(adapter) => $property(&adapter $(, $more)?).await,
                None => Ok(()),
            }
        })*
    };
}

macro_rules! every_log {
    ($($module:ident: $adapter:ty;)*) => { $(mod $module {
        use super::*;
        properties! { $adapter:
            positions_are_gapless_and_in_the_order_of_commits = order::positions_are_gapless_and_in_the_order_of_commits;
            no_reader_sees_past_a_writer_that_stands_still = order::no_reader_sees_past_a_writer_that_stands_still;
            of_racing_appends_on_one_version_one_wins = order::of_racing_appends_on_one_version_one_wins;
            the_same_command_id_gets_the_same_answer = commands::the_same_command_id_gets_the_same_answer;
            unknown_event_types_are_kept_skipped_and_counted = commands::unknown_event_types_are_kept_skipped_and_counted;
            dropped_submissions_lose_and_double_nothing = cancellation::dropped_submissions_lose_and_double_nothing;
        }
    })* };
}

macro_rules! every_durable_log {
    ($($module:ident: $adapter:ty;)*) => { $(mod $module {
        use super::*;
        properties! { $adapter:
            acknowledged_commands_survive_the_process = kill::acknowledged_commands_survive_the_process, victim();
            dropped_transactions_leave_nothing_behind = cancellation::dropped_transactions_leave_nothing_behind;
            a_consumer_of_its_own_log_that_was_given_up_is_fenced =
                delivery::a_consumer_of_its_own_log_that_was_given_up_is_fenced;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn a_killed_clerk_hands_everything_over_once() -> conformance::Outcome {
            match <$adapter>::fresh().await? {
                Some(adapter) => listings::a_killed_clerk_hands_everything_over_once(&adapter, victim(), listings::Memory::Kept).await,
                None => Ok(()),
            }
        }
    })* };
}

/// The last look of the services themselves.
macro_rules! every_office {
    ($($module:ident: $adapter:ty;)*) => { $(mod $module {
        use super::*;
        properties! { $adapter:
            what_was_paid_before_is_never_handed_over = gate::what_was_paid_before_is_never_handed_over, gate::Gate::AtTheOwner;
        }
    })* };
}

macro_rules! every_bus {
    ($($module:ident: $adapter:ty;)*) => { $(mod $module {
        use super::*;
        properties! { $adapter:
            place_and_effects_move_together = pages::place_and_effects_move_together;
            a_killed_consumer_leaves_nothing_half_done = pages::a_killed_consumer_leaves_nothing_half_done, victim();
            duplicates_and_reordering_change_nothing = delivery::duplicates_and_reordering_change_nothing;
            a_gap_holds_its_partition = delivery::a_gap_holds_its_partition;
            a_consumer_that_was_given_up_is_fenced = delivery::a_consumer_that_was_given_up_is_fenced;
            rebuilt_is_live_while_traffic_goes_on = models::rebuilt_is_live_while_traffic_goes_on;
            a_parked_stream_blocks_only_itself = parking::a_parked_stream_blocks_only_itself;
            unknown_types_are_kept_skipped_and_counted = parking::unknown_types_are_kept_skipped_and_counted;
        }
    })* };
}

every_log! {
    log_in_memory: Memory;
    log_on_sqlite: Sqlite;
    log_on_postgres: Postgres;
}

every_durable_log! {
    durable_on_sqlite: Sqlite;
    durable_on_postgres: Postgres;
}

every_office! {
    gate_on_sqlite: Sqlite;
    gate_on_postgres: Postgres;
}

every_bus! {
    in_process_on_sqlite: SqliteInside;
    in_process_on_postgres: PostgresInside;
    kafka_on_sqlite: SqliteKafka;
    kafka_on_postgres: PostgresKafka;
}

mod disk_of_sqlite {
    use super::*;
    properties! { Sqlite:
        a_full_database_is_refused_and_passes = disk::a_full_database_is_refused_and_passes;
        a_process_that_may_not_write_refuses_and_goes_on = disk::a_process_that_may_not_write_refuses_and_goes_on, victim();
        a_disk_without_space_is_refused_and_passes = disk::a_disk_without_space_is_refused_and_passes, victim();
    }
}

/// Servers that are killed, or not there yet.
mod servers {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_killed_postgres_loses_nothing_acknowledged() -> conformance::Outcome {
        outage::a_killed_postgres_loses_nothing_acknowledged().await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_killed_broker_loses_and_doubles_nothing() -> conformance::Outcome {
        outage::a_killed_broker_loses_and_doubles_nothing().await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_database_that_comes_late_is_waited_for() -> conformance::Outcome {
        outage::a_database_that_comes_late_is_waited_for().await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_broker_that_comes_late_is_waited_for() -> conformance::Outcome {
        outage::a_broker_that_comes_late_is_waited_for().await
    }
}
