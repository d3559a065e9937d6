//! Rows of a table while facts are folded into them: those that are stored as they are need not be written.

use std::{collections::BTreeMap, ops::Deref};

/// Rows by key.
pub(super) struct Rows<K, R>(BTreeMap<K, Kept<R>>);

/// A row, and whether it is another one than is stored.
pub(super) struct Kept<R> {
    row: R,
    is_changed: bool,
}

/// Stored rows.
impl<K: Ord, R> FromIterator<(K, R)> for Rows<K, R> {
    fn from_iter<I: IntoIterator<Item = (K, R)>>(stored: I) -> Self {
        Self(stored.into_iter().map(|(key, row)| (key, Kept { row, is_changed: false })).collect())
    }
}

impl<K: Ord, R> Rows<K, R> {
    pub(super) fn none() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn get(&self, key: &K) -> Option<&R> {
        self.0.get(key).map(|kept| &kept.row)
    }

    /// Puts a row in, in place of the one with that key.
    pub(super) fn insert(&mut self, key: K, row: R) {
        self.0.insert(key, Kept { row, is_changed: true });
    }

    /// A row that is going to be another one.
    pub(super) fn change(&mut self, key: &K) -> Option<&mut R> {
        self.0.get_mut(key).map(Kept::change)
    }

    /// The rows from a key on, in order.
    pub(super) fn from(&mut self, key: K) -> impl Iterator<Item = (&K, &mut Kept<R>)> {
        self.0.range_mut(key..)
    }

    /// The rows that have to be written.
    pub(super) fn changed(self) -> impl Iterator<Item = R> {
        self.0.into_values().filter(|kept| kept.is_changed).map(|kept| kept.row)
    }
}

impl<R> Kept<R> {
    /// The row, which is going to be another one.
    pub(super) fn change(&mut self) -> &mut R {
        self.is_changed = true;
        &mut self.row
    }
}

impl<R> Deref for Kept<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_put_in_or_changed_is_written() {
        let mut rows: Rows<u8, &str> = [(1, "as it was"), (2, "old"), (3, "old too"), (4, "looked at")].into_iter().collect();
        *rows.change(&2).unwrap() = "new";
        *rows.from(3).next().unwrap().1.change() = "new too";
        assert!(rows.from(4).all(|(_, row)| **row == "looked at") && rows.get(&1) == Some(&"as it was") && rows.change(&9).is_none());
        rows.insert(5, "put in");
        assert_eq!(rows.changed().collect::<Vec<_>>(), ["new", "new too", "put in"]);
    }
}
