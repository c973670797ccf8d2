//! The wake-up structure between the store and the hub: which position each site's log is known to have reached.
//!
//! It owns no task and reads nothing. It exists before the store, which is handed its listener, and before the hub,
//! which is handed the store; it must not know either of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Notify, watch};

use crate::{domain::ids::SiteId, store::CommitListener};

/// Sites with commits that other nodes weren't told of yet, at the most. Beyond it they are told to look at all.
const MAX_UNTOLD: usize = 10_000;

/// What commits wake. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Commits {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    heads: Mutex<HashMap<SiteId, watch::Sender<i64>>>,
    tells_others: AtomicBool,
    untold: Mutex<Untold>,
    something_to_tell: Notify,
    look_now: Notify,
}

/// What other nodes are to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Untold {
    /// Each site's last position.
    pub(super) positions: HashMap<SiteId, i64>,
    /// There were too many to remember: whoever follows any site has to look.
    pub(super) everything: bool,
}

impl Untold {
    pub(super) fn is_empty(&self) -> bool {
        self.positions.is_empty() && !self.everything
    }

    fn add(&mut self, site: SiteId, position: i64) {
        if self.everything {
            return;
        }
        let known = self.positions.entry(site).or_default();
        *known = position.max(*known);
        if self.positions.len() > MAX_UNTOLD {
            *self = Self {
                positions: HashMap::new(),
                everything: true,
            };
        }
    }
}

/// The listener for [`Db::open`](crate::store::Db::open), and what it wakes, for [`Hub::start`](super::Hub::start).
#[must_use]
pub fn commit_listener() -> (CommitListener, Commits) {
    let commits = Commits::default();
    let listener = commits.clone();
    (
        Arc::new(move |site, position| listener.committed(site, position)),
        commits,
    )
}

impl Commits {
    /// A commit of this node. Called from the writer's own thread: it takes short locks and never waits.
    fn committed(&self, site: SiteId, position: i64) {
        self.heard(site, position);
        if self.shared.tells_others.load(Ordering::Relaxed) {
            lock(&self.shared.untold).add(site, position);
            self.shared.something_to_tell.notify_one();
        }
    }

    /// A site's log is known to have reached a position. Wakes its tailer, if it has one that didn't know.
    pub(super) fn heard(&self, site: SiteId, position: i64) {
        if let Some(head) = lock(&self.shared.heads).get(&site) {
            head.send_if_modified(|known| {
                let news = position > *known;
                *known = position.max(*known);
                news
            });
        }
    }

    /// Follows what is heard of one site, until it is dropped.
    pub(super) fn watch(&self, site: SiteId) -> Watching {
        let receiver = match lock(&self.shared.heads).entry(site) {
            Entry::Occupied(entry) => entry.get().subscribe(),
            Entry::Vacant(entry) => entry.insert(watch::Sender::new(0)).subscribe(),
        };
        Watching {
            site,
            commits: self.clone(),
            receiver: Some(receiver),
        }
    }

    /// From now on, commits of this node are kept until [`take_untold`](Self::take_untold) takes them.
    pub(super) fn tell_others(&self) {
        self.shared.tells_others.store(true, Ordering::Relaxed);
    }

    /// Waits until there is something to tell.
    pub(super) async fn something_to_tell(&self) {
        self.shared.something_to_tell.notified().await;
    }

    pub(super) fn take_untold(&self) -> Untold {
        std::mem::take(&mut *lock(&self.shared.untold))
    }

    /// Puts back what could not be told.
    pub(super) fn put_back(&self, untold: Untold) {
        let mut now = lock(&self.shared.untold);
        now.everything |= untold.everything;
        for (site, position) in untold.positions {
            now.add(site, position);
        }
        if now.everything {
            now.positions.clear();
        }
        self.shared.something_to_tell.notify_one();
    }

    /// News may have been missed: every followed site is to be looked at without waiting for the next poll.
    pub(super) fn look_now(&self) {
        self.shared.look_now.notify_one();
    }

    /// Waits until somebody says [`look_now`](Self::look_now).
    pub(super) async fn told_to_look(&self) {
        self.shared.look_now.notified().await;
    }
}

/// What is heard of one site.
#[derive(Debug)]
pub(super) struct Watching {
    site: SiteId,
    commits: Commits,
    receiver: Option<watch::Receiver<i64>>,
}

impl Watching {
    /// Waits until a position beyond `read` was heard of.
    pub(super) async fn beyond(&mut self, read: i64) {
        if let Some(receiver) = &mut self.receiver {
            // The sender stays in the map as long as somebody watches, so this can't fail.
            let _ = receiver.wait_for(|head| *head > read).await;
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.receiver = None;
        if let Entry::Occupied(entry) = lock(&self.commits.shared.heads).entry(self.site)
            && entry.get().receiver_count() == 0
        {
            entry.remove();
        }
    }
}

/// Locks; what a panicking holder left behind is whole, as every change here is a single step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_that_nobody_follows_leave_nothing_behind() {
        let (listener, commits) = commit_listener();
        listener(SiteId::new(), 1);
        assert!(lock(&commits.shared.heads).is_empty());
        assert!(commits.take_untold().is_empty());
    }

    #[test]
    fn what_is_to_be_told_is_one_entry_a_site_and_bounded() {
        let (listener, commits) = commit_listener();
        commits.tell_others();
        let site = SiteId::new();
        for position in [1, 3, 2] {
            listener(site, position);
        }
        let untold = commits.take_untold();
        assert_eq!(untold.positions, HashMap::from([(site, 3)]));
        commits.put_back(untold);
        for _ in 0..MAX_UNTOLD + 5 {
            listener(SiteId::new(), 1);
        }
        let untold = commits.take_untold();
        assert!(untold.everything && untold.positions.is_empty());
    }

    #[test]
    fn a_site_is_forgotten_with_its_last_watcher() {
        let commits = Commits::default();
        let site = SiteId::new();
        let (one, other) = (commits.watch(site), commits.watch(site));
        drop(one);
        assert_eq!(lock(&commits.shared.heads).len(), 1);
        drop(other);
        assert!(lock(&commits.shared.heads).is_empty());
    }
}
