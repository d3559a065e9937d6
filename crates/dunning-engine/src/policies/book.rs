//! What is published, assigned and kept as local holidays for one tenant, at one moment.

use super::{Assignment, PolicyEvent, Scope};
use crate::holidays::HolidayEvent;
use crate::policy_toml;
use brazil::LocalHolidays;
use kernel::{CustomerId, NaiveDate, PolicyId};
use ladder::{Policy, PolicyBook};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

/// The ladder of who was assigned none; its version 1 is bundled and never changes.
pub const BUNDLED_ID: &str = "regua-padrao";
/// The text of that version.
pub const DEFAULT_POLICY: &str = include_str!("../../../../policies/regua-padrao.toml");

static BUNDLED: LazyLock<Version> = LazyLock::new(|| {
    let policy = policy_toml::load(DEFAULT_POLICY).expect("the bundled policy is valid: a test loads it");
    Version { number: 1, text: DEFAULT_POLICY.into(), policy: Arc::new(policy) }
});

/// A version of a policy.
#[derive(Debug, Clone)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// As published.
    pub text: Arc<str>,
    /// What it means.
    pub policy: Arc<Policy>,
}

impl Version {
    /// The bundled ladder.
    pub fn bundled() -> &'static Version {
        &BUNDLED
    }
}

/// The policies, assignments and local holidays of one tenant.
#[derive(Debug, Clone)]
pub struct Book {
    policies: BTreeMap<PolicyId, Vec<Version>>,
    assignments: BTreeMap<(Scope, String), Assignment>,
    holidays: LocalHolidays,
}

impl Default for Book {
    /// What every tenant has: the bundled ladder, assigned to nobody by name.
    fn default() -> Self {
        let bundled = Version::bundled().clone();
        let policies = BTreeMap::from([(bundled.policy.id().clone(), vec![bundled])]);
        Self { policies, assignments: BTreeMap::new(), holidays: LocalHolidays::default() }
    }
}

impl Book {
    /// A version; 0 = the newest.
    pub fn version(&self, id: &PolicyId, number: u32) -> Option<&Version> {
        let versions = self.policies.get(id)?;
        if number == 0 { versions.last() } else { versions.iter().find(|version| version.number == number) }
    }

    /// All versions, by policy and number.
    pub fn versions(&self) -> impl Iterator<Item = (&PolicyId, &Version)> {
        self.policies.iter().flat_map(|(id, versions)| versions.iter().map(move |version| (id, version)))
    }

    /// The assignments in force: the tenant's, segments', payers'.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.values()
    }

    /// The ladder that a new track of a payer enters with: that of the payer, else of the segment, else of the tenant, else the
    /// bundled one in its version 1. An assigned version that nobody published is answered as it was assigned.
    pub fn entry(&self, customer_id: &CustomerId, segment: Option<&str>) -> (PolicyId, u32) {
        let of = |scope, target: &str| self.assignments.get(&(scope, target.to_owned()));
        let assigned = of(Scope::Customer, customer_id.as_str())
            .or_else(|| segment.and_then(|segment| of(Scope::Segment, segment)))
            .or_else(|| of(Scope::Tenant, ""));
        let Some(assigned) = assigned else {
            let bundled = Version::bundled();
            return (bundled.policy.id().clone(), bundled.number);
        };
        let newest = || self.version(&assigned.policy_id, 0).map_or(1, |version| version.number);
        (assigned.policy_id.clone(), if assigned.version == 0 { newest() } else { assigned.version })
    }

    /// Takes in an event. One whose text this program does not take is left out and said.
    pub(super) fn absorb(&mut self, event: PolicyEvent) {
        match event {
            PolicyEvent::Published { policy_id, version, toml } => match policy_toml::load(&toml) {
                Ok(policy) => self.publish(policy_id, Version { number: version, text: toml.into(), policy: Arc::new(policy) }),
                Err(faults) => {
                    let first = faults.first().map(|fault| format!("{} {}", fault.path, fault.slug)).unwrap_or_default();
                    tracing::error!(%policy_id, version, faults = faults.len(), first, "a published policy cannot be read");
                }
            },
            PolicyEvent::Assigned(assignment) => {
                self.assignments.insert((assignment.scope, assignment.target.clone()), assignment);
            }
            PolicyEvent::Migrated(_) => {}
        }
    }

    /// Takes in what was recorded or withdrawn.
    pub(crate) fn absorb_holiday(&mut self, event: HolidayEvent) {
        match event {
            HolidayEvent::Recorded { key: (day, place), name, .. } => self.holidays.set(day, place, name),
            HolidayEvent::Withdrawn { key: (day, place), .. } => self.holidays.remove(day, place),
        }
    }

    fn publish(&mut self, id: PolicyId, version: Version) {
        let versions = self.policies.entry(id).or_default();
        versions.retain(|known| known.number != version.number);
        versions.push(version);
        versions.sort_by_key(|version| version.number);
    }
}

impl PolicyBook for Book {
    fn policy(&self, id: &PolicyId, version: u32) -> Option<&Policy> {
        // Versions start at 1: 0 is no version, and never means the newest to a track.
        self.version(id, version).filter(|_| version > 0).map(|version| version.policy.as_ref())
    }

    fn local_holiday(&self, state: Option<&str>, municipality: Option<&str>, day: NaiveDate) -> Option<&str> {
        self.holidays.of_written(day, state.unwrap_or_default(), municipality.unwrap_or_default())
    }
}
