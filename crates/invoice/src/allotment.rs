//! Running numbers of boletos: each is given to at most one invoice, whatever process dies when.
//!
//! A process sets a block of numbers aside by an event, then takes from the block without asking anybody. What is left of a block when
//! the process ends is never used. A number whose command is known to have stored nothing goes back into the block of its process.

use crate::collection::{self, Collections};
use eventlog::{LogError, Submission, WriteError, Writer};
use kernel::CollectionAccountId;
use moka::sync::Cache;
use receivable::collection::{Block, Collection, CollectionCommand, CollectionRejection, MAX_BLOCK};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Tenants whose accounts are remembered.
const REMEMBERED_TENANTS: u64 = 10_000;
/// How long another process's change of an account may stay unseen here. Numbers do not hang on it.
const REMEMBERED_FOR: Duration = Duration::from_secs(2);
/// Numbers of the first block of a process; each further one is twice as large.
const FIRST_BLOCK: u32 = 16;

/// Gives out numbers; clones share them.
#[derive(Clone)]
pub struct Allotment {
    writer: Writer<Collections>,
    accounts: Cache<String, Arc<Collection>>,
    pools: Arc<Mutex<Pools>>,
}

/// By tenant and account.
type Pools = HashMap<(String, CollectionAccountId), Arc<Pool>>;

/// The numbers that this process has set aside for an account.
struct Pool {
    free: Mutex<BTreeSet<u64>>,
    /// Size of the next block; locked while one is being set aside.
    next: tokio::sync::Mutex<u32>,
}

/// A number that belongs to one command.
pub struct Allotted {
    /// The number.
    pub number: u64,
    pool: Arc<Pool>,
}

impl Allotted {
    /// Gives the number back: the command stored nothing, and that is certain.
    pub fn give_back(self) {
        self.pool.free().insert(self.number);
    }
}

impl Pool {
    fn free(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why no number was given.
pub type NoNumber = WriteError<CollectionRejection>;

impl Allotment {
    /// Nothing set aside yet.
    pub fn new(writer: Writer<Collections>) -> Self {
        let accounts = Cache::builder().max_capacity(REMEMBERED_TENANTS).time_to_live(REMEMBERED_FOR).build();
        Self { writer, accounts, pools: Arc::default() }
    }

    /// The writer of collection accounts.
    pub fn writer(&self) -> &Writer<Collections> {
        &self.writer
    }

    /// The tenant's accounts as they were at most two seconds ago; as they are, where this process changed them.
    pub async fn accounts(&self, tenant: &str) -> Result<Arc<Collection>, LogError> {
        match self.accounts.get(tenant) {
            Some(known) => Ok(known),
            None => self.fresh(tenant).await,
        }
    }

    /// The tenant's accounts as they are now.
    pub async fn fresh(&self, tenant: &str) -> Result<Arc<Collection>, LogError> {
        let (accounts, _) = self.writer.state(&collection::stream(tenant)).await?;
        self.accounts.insert(tenant.to_owned(), Arc::clone(&accounts));
        Ok(accounts)
    }

    /// Forgets what was remembered of a tenant's accounts.
    pub fn changed(&self, tenant: &str) {
        self.accounts.invalidate(tenant);
    }

    /// The next number of an account. Errors: the account has none, or the log does not answer.
    pub async fn take(&self, tenant: &str, account_id: &CollectionAccountId) -> Result<Allotted, NoNumber> {
        let pool = self.pool(tenant, account_id);
        let free = pool.free().pop_first();
        if let Some(number) = free {
            return Ok(Allotted { number, pool });
        }
        // A task of its own: whoever holds the lock of the pool makes progress, also when its caller is not polled or gone.
        let (writer, tenant, account_id) = (self.writer.clone(), tenant.to_owned(), account_id.clone());
        let refill = tokio::spawn(async move { refill(&writer, &tenant, account_id, pool).await });
        refill.await.unwrap_or_else(|_| Err(WriteError::Unavailable("numbers were not set aside".to_owned())))
    }

    fn pool(&self, tenant: &str, account_id: &CollectionAccountId) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = || Arc::new(Pool { free: Mutex::default(), next: tokio::sync::Mutex::new(FIRST_BLOCK) });
        Arc::clone(pools.entry((tenant.to_owned(), account_id.clone())).or_insert_with(empty))
    }
}

async fn refill(
    writer: &Writer<Collections>,
    tenant: &str,
    account_id: CollectionAccountId,
    pool: Arc<Pool>,
) -> Result<Allotted, NoNumber> {
    let mut next = pool.next.lock().await;
    let free = pool.free().pop_first();
    let number = match free {
        // Somebody else has filled it meanwhile.
        Some(number) => number,
        None => {
            let Block { first, count } = reserve(writer, tenant, account_id, *next).await?;
            *next = (*next * 2).min(MAX_BLOCK);
            pool.free().extend(first + 1..first + u64::from(count));
            first
        }
    };
    drop(next);
    Ok(Allotted { number, pool })
}

async fn reserve(writer: &Writer<Collections>, tenant: &str, account_id: CollectionAccountId, count: u32) -> Result<Block, NoNumber> {
    let command = CollectionCommand::ReserveNumbers { account_id: account_id.clone(), count };
    let written = writer.submit(Submission::new(collection::stream(tenant), collection::meta(tenant), command)).await?;
    let block = written.state.accounts.get(&account_id).and_then(|account| account.block);
    block.ok_or(WriteError::Rejected(CollectionRejection::Unknown))
}
