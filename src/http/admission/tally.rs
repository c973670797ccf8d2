//! How many there are of each.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts what is open for each key; keys without anything open aren't kept.
#[derive(Debug)]
pub(in crate::http) struct Tally<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Tally<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Eq + Hash> Tally<K> {
    /// Counts one more for a key, until the guard is dropped; none if there are `most` already.
    pub(in crate::http) fn open(&self, key: K, most: usize) -> Option<Counted<K>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.get(&key).copied().unwrap_or_default();
        if open >= most {
            return None;
        }
        all.insert(key, open + 1);
        Some(Counted { all: self.clone(), key })
    }

    /// Whether nothing is open.
    #[cfg(test)]
    pub(in crate::http) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// One that counts.
#[derive(Debug)]
pub(in crate::http) struct Counted<K: Copy + Eq + Hash> {
    all: Tally<K>,
    key: K,
}

impl<K: Copy + Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = all.get_mut(&self.key) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.key);
            }
        }
    }
}
