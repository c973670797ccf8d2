//! What texts mean, kept.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

/// Bytes of all texts that are kept: what they mean takes some thirty times as much.
const KEPT: usize = 512 * 1024;
/// A longer text is read each time: it would drive out many others.
const LONGEST: usize = 16 * 1024;

/// Documents by their texts, those that were used last.
pub(super) struct Known<D> {
    kept: Mutex<Kept<D>>,
}

struct Kept<D> {
    documents: LruCache<Box<str>, Arc<D>>,
    bytes: usize,
}

impl<D> fmt::Debug for Known<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("Known")
            .field("documents", &kept.documents.len())
            .field("bytes", &kept.bytes)
            .finish()
    }
}

impl<D> Known<D> {
    pub(super) fn new() -> Self {
        Self {
            kept: Mutex::new(Kept {
                documents: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<D>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, text: &str) -> Option<Arc<D>> {
        self.kept().documents.get(text).cloned()
    }

    pub(super) fn keep(&self, text: &str, document: &Arc<D>) {
        if text.len() > LONGEST {
            return;
        }
        let mut kept = self.kept();
        if kept.documents.put(text.into(), Arc::clone(document)).is_none() {
            kept.bytes += text.len();
        }
        while kept.bytes > KEPT
            && let Some((oldest, _)) = kept.documents.pop_lru()
        {
            kept.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_long_goes_first_and_the_whole_stays_small() {
        let known = Known::new();
        let text = |n: usize| format!("{n:08}").repeat(128);
        for n in 0..2_000 {
            known.keep(&text(n), &Arc::new(n));
            known.get(&text(0));
        }
        assert_eq!(known.get(&text(0)).as_deref(), Some(&0), "used all the time");
        assert_eq!(known.get(&text(1_999)).as_deref(), Some(&1_999), "the newest");
        assert!(known.get(&text(1)).is_none(), "an old one");
        let kept = known.kept();
        assert_eq!(
            kept.bytes,
            kept.documents.iter().map(|(text, _)| text.len()).sum::<usize>()
        );
        assert!(kept.bytes <= KEPT);
    }

    #[test]
    fn long_texts_are_not_kept() {
        let known = Known::new();
        let long = "x".repeat(LONGEST + 1);
        known.keep(&long, &Arc::new(()));
        assert!(known.get(&long).is_none());
    }
}
