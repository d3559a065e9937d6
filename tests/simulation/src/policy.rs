//! The ladders of the simulated creditors.

use chrono::{DateTime, Utc};
use dunning_engine::policies::{
    Assignment, BUNDLED_ID, Book, Policies, PolicyBooks, PolicyEvent, Scope, assignments_stream, meta, policy_stream,
};
use eventlog::{Aggregate, Append, Clock, Expected, Ids, Log};
use kernel::{PolicyId, StepId};
use ladder::{Policy, PolicyBook};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

const SIMPLES: &str = include_str!("../../../policies/simples.toml");
const MIXED: &str = include_str!("../policies/mixed.toml");
const MIXED_2: &str = include_str!("../policies/mixed-2.toml");

static BOOKS: LazyLock<Arc<PolicyBooks>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without IO can be had");
    runtime.block_on(async {
        let log = Log::memory(Arc::new(Still), Arc::new(Unnamed));
        for (tenant, texts) in [("simples", vec![SIMPLES]), ("mixed", vec![MIXED, MIXED_2])] {
            publish(&log, tenant, &texts).await;
        }
        PolicyBooks::load(log).await.expect("a log in memory can be read")
    })
});

/// The books of all creditors, the same for every history.
pub fn books() -> Arc<PolicyBooks> {
    Arc::clone(&BOOKS)
}

/// The place of a step in the order in which a creditor's ladder is climbed; the same in all versions.
pub fn place_of(tenant: &str, step_id: &StepId) -> usize {
    of(tenant, |policy| policy.steps().iter().position(|step| step.id == *step_id)).unwrap_or(usize::MAX)
}

/// The tone of a step; the same in all versions.
pub fn tone_of(tenant: &str, step_id: &StepId) -> u8 {
    of(tenant, |policy| policy.step(step_id).map_or(0, |step| step.tone))
}

fn of<T>(tenant: &str, look: impl FnOnce(&Policy) -> T) -> T {
    let book: Arc<Book> = BOOKS.of(tenant);
    let policy_id = if tenant == "padrao" { BUNDLED_ID } else { tenant };
    let policy_id = PolicyId::new(policy_id).expect("an id");
    look(book.policy(&policy_id, 1).expect("every creditor has a policy"))
}

/// The policy of a creditor whose tracks may be moved from its first version to its second.
pub fn migrated(tenant: &str) -> Option<PolicyId> {
    (tenant == "mixed").then(|| PolicyId::new("mixed").expect("an id"))
}

async fn publish(log: &Log, tenant: &str, texts: &[&str]) {
    let policy_id = PolicyId::new(tenant).expect("tenants are named after their policies");
    let published = |(number, toml): (usize, &&str)| {
        let version = u32::try_from(number + 1).unwrap_or(u32::MAX);
        PolicyEvent::Published { policy_id: policy_id.clone(), version, toml: (*toml).to_owned() }
    };
    let versions = texts.iter().enumerate().map(published).collect();
    // The first version: the second is where tracks are moved to.
    let assignment = Assignment { scope: Scope::Tenant, target: String::new(), policy_id: policy_id.clone(), version: 1 };
    let all = [(policy_stream(tenant, &policy_id), versions), (assignments_stream(tenant), vec![PolicyEvent::Assigned(assignment)])];
    for (stream, events) in all {
        let append = Append {
            stream,
            expected: Expected::Any,
            events: events.iter().map(|event| Policies.encode(event)).collect(),
            meta: meta(tenant),
            command: None,
            claims: Vec::new(),
            side: Vec::new(),
            answer: Vec::new(),
        };
        log.append(vec![append]).await.expect("a log in memory takes everything");
    }
}

/// Policies have no time.
struct Still;

#[async_trait::async_trait]
impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    async fn sleep_until(&self, _at: DateTime<Utc>) {
        std::future::pending().await
    }
}

/// Nobody looks at the ids of these events.
struct Unnamed;

impl Ids for Unnamed {
    fn event_id(&self) -> Uuid {
        Uuid::nil()
    }
}
