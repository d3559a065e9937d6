//! Variants: the ladder of some segments inside a policy. Each is a whole ladder with the zone, calendar, windows and budgets of its policy.

use crate::policy::{Policy, PolicyBook};
use crate::track::Track;
use alloc::string::String;
use alloc::vec::Vec;
use kernel::VariantId;

/// The ladder of the payers of some segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub(crate) id: VariantId,
    pub(crate) segments: Vec<String>,
    pub(crate) ladder: Policy,
}

impl Variant {
    /// Its name, unique within the version.
    pub fn id(&self) -> &VariantId {
        &self.id
    }

    /// Whose it is; never empty, and no segment is of two variants.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// All its steps, those that it shares with the base too; it has no variants of its own.
    pub fn ladder(&self) -> &Policy {
        &self.ladder
    }
}

impl Policy {
    /// The variants, as written.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The variant of a segment; `None` where the base is for it, as for payers without one.
    pub fn variant_for(&self, segment: Option<&str>) -> Option<&Variant> {
        let segment = segment?;
        self.variants.iter().find(|variant| variant.segments.iter().any(|own| own == segment))
    }

    /// The ladder of a variant, of the base where none is named; `None` where the policy has no such variant.
    pub fn ladder_of(&self, variant: Option<&VariantId>) -> Option<&Policy> {
        let Some(id) = variant else { return Some(self) };
        self.variants.iter().find(|variant| variant.id == *id).map(Variant::ladder)
    }
}

impl Track {
    /// The ladder that it is pinned to: that of its variant, in its version. `None` where the book does not have it.
    pub fn policy<'a>(&self, book: &'a dyn PolicyBook) -> Option<&'a Policy> {
        book.policy(&self.policy_id, self.policy_version)?.ladder_of(self.variant.as_ref())
    }
}
