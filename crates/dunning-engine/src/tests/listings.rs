//! Entries at a bureau, carried out by a directory and by a provider over HTTP that fails as it is told to.

mod directory;
mod provider;

use super::*;
use crate::{
    Ladders,
    listings::{Clerk, EntryKey, ProviderConfig, ProviderKind, Providers, clerk::FindDebtor, config::ProvidersConfig},
    policies::PolicyBooks,
    start::clerk_of,
};

const HARSH: &str = "policy = \"harsh\"\ncalendar = \"br-settlement\"\n\
    [[step]]\nid = \"d+1\"\noffset_days = 1\ntone = 2\nchannels = [\"email\"]\ntemplate = \"vencida\"\n\
    [[step]]\nid = \"d+4\"\nkind = \"bureau\"\noffset_days = 4\ntone = 3\n\
    requires = [{ step = \"d+1\", delivered_days_ago = 2 }]\nrequires_approval = true\n";

const KEY: &str = "default~C1~I1~1~d+4~1";

fn key() -> EntryKey {
    KEY.parse().unwrap()
}

/// Everybody has a name and a number.
fn debtors() -> FindDebtor {
    Arc::new(|_tenant, asked| {
        Box::pin(async move {
            let (name, tax_id) = ("Ana Fictícia".to_owned(), "529.982.247-25".to_owned());
            let customer = invoice::Customer { customer_id: asked.customer_id, name, tax_id, ..Default::default() };
            Ok(invoice::GetCustomerResponse { customer: Some(customer), erased: false, rating: None })
        })
    })
}

fn in_directory(directory: &std::path::Path) -> ProvidersConfig {
    let directory = directory.to_str().unwrap().to_owned();
    ProvidersConfig { bureau: ProviderConfig { provider: ProviderKind::Directory, directory, ..Default::default() }, ..Default::default() }
}

fn clerk(world: &World, providers: Providers) -> Clerk {
    clerk_of(&world.environment, &world.server, (owner_says(&world.owner), debtors()), providers)
}

/// A payer whose bureau step is executed on Friday 2026-11-27.
async fn world(clerk_providers: Providers) -> (World, Clerk) {
    let world = World::begin(brasilia("2026-11-16", 8), true).await;
    let clerk = clerk(&world, clerk_providers);
    clerk.begin_here().await.unwrap();
    (listed(world).await, clerk)
}

async fn listed(mut world: World) -> World {
    world.publish("p", HARSH).await.unwrap();
    world.assign("tenant", "", ("harsh", 0)).await.unwrap();
    world.registered("C1", "").await;
    world.issued("C1", "I1", ("2026-11-16", "2026-11-23")).await;
    world.live(brasilia("2026-11-27", 20), sent).await;
    assert!(world.ends("I1").await.contains("d+4 executed 2026-11-27"), "{}", world.ends("I1").await);
    world
}

/// Hears and goes round until nothing more comes of it.
async fn work(world: &World, clerk: &Clerk) {
    for _ in 0..3 {
        clerk.work_once().await.unwrap();
        world.settle().await;
    }
}

async fn phase(world: &World) -> String {
    let asked = proto::ListListingsRequest { status: "all".into(), ..Default::default() };
    let found = world.server.list_listings(world.ask(asked)).await.unwrap().into_inner().listings;
    found.iter().map(|one| one.phase.clone()).collect::<Vec<_>>().join(" ")
}

/// `reason status`, one a task, in the order of their reasons.
async fn tasks(world: &World) -> Vec<String> {
    let asked = proto::ListTasksRequest { status: "all".into(), ..Default::default() };
    let found = world.server.list_tasks(world.ask(asked)).await.unwrap().into_inner().tasks;
    let mut lines: Vec<String> = found.iter().map(|task| format!("{} {} {}", task.reason, task.status, task.by)).collect();
    lines.sort();
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn what_was_executed_before_there_was_a_provider_stays_with_people() {
    let directory = tempfile::tempdir().unwrap();
    let providers = Providers::open(&in_directory(directory.path())).unwrap();
    let (world, clerk) = world(Providers::default()).await;
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "");
    let later = self::clerk(&world, providers);
    later.begin_here().await.unwrap();
    world.paid("C1", "I1", 0).await;
    work(&world, &later).await;
    assert_eq!(phase(&world).await, "");
    assert!(tasks(&world).await.contains(&"remove_bureau_listing open".to_owned()), "{:?}", tasks(&world).await);
    world.check().await;
}

#[tokio::test]
async fn a_policy_that_another_process_has_published_is_read_before_its_entry_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::begin(brasilia("2026-11-16", 8), true).await;
    let mut clerk = clerk(&world, Providers::open(&in_directory(directory.path())).unwrap());
    // Its process has read no policy since the beginning.
    let behind = PolicyBooks::load(world.environment.log.clone()).await.unwrap();
    clerk.rules = Arc::new(Ladders::new(behind, true, crate::Limits::default().terms));
    clerk.begin_here().await.unwrap();
    let world = listed(world).await;
    work(&world, &clerk).await;
    assert_eq!(phase(&world).await, "taken");
}

#[tokio::test]
async fn wrong_questions_about_entries_are_refused_by_field() {
    let world = World::begin(brasilia("2026-11-16", 8), true).await;
    for (kind, status, customer, expected) in
        [("fax", "", "", "unknown_kind"), ("", "lost", "", "unknown_status"), ("", "", "a b", "id_malformed")]
    {
        let asked =
            proto::ListListingsRequest { kind: kind.into(), status: status.into(), customer_id: customer.into(), ..Default::default() };
        let status = world.server.list_listings(world.ask(asked)).await.unwrap_err();
        assert_eq!(host::refusal::reason_of(&status), expected);
    }
}
