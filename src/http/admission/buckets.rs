//! Rates, as buckets that fill up with time: one for each key, as far as it isn't full.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use tokio::time::Instant;

/// How much of its rate a key may use at once after it was quiet.
const BURST: Duration = Duration::from_secs(10);

/// The longest time for which a key can have used up its rate in advance.
const DEBT: Duration = Duration::from_secs(2);

/// Most keys that are remembered. Whatever comes beyond makes the one forgotten that was quiet for longest, which is
/// nothing lost where its bucket is full again.
const KEYS: usize = 65_536;

/// A bucket for each key. What is kept of one is the moment at which it will be full.
pub(super) struct Buckets {
    start: Instant,
    /// The time in which a bucket gains one operation.
    operation: Duration,
    full_at: Mutex<LruCache<u64, Duration>>,
}

impl Buckets {
    /// Buckets that gain so many operations a second.
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self {
            start: Instant::now(),
            operation: Duration::from_secs(1) / rate.get(),
            full_at: Mutex::new(LruCache::unbounded()),
        }
    }

    /// Takes one operation out of a bucket, or says how long it takes until there is one. Being refused costs nothing.
    pub(super) fn take(&self, key: u64) -> Result<(), Duration> {
        let now = self.start.elapsed();
        let mut all = self.lock();
        let full_at = all.get(&key).copied().unwrap_or_default().max(now) + self.operation;
        // A rate of less than one in the time of a burst would never let anybody pass.
        let room = now + BURST.max(self.operation);
        if full_at > room {
            return Err(full_at.saturating_sub(room));
        }
        Self::keep(&mut all, key, full_at);
        Ok(())
    }

    /// Takes what a bucket gains in `time`, whether it's there or not.
    pub(super) fn charge(&self, key: u64, time: Duration) {
        let now = self.start.elapsed();
        let mut all = self.lock();
        let full_at = all.get(&key).copied().unwrap_or_default().max(now) + time;
        Self::keep(&mut all, key, full_at.min(now + BURST + DEBT));
    }

    fn keep(all: &mut LruCache<u64, Duration>, key: u64, full_at: Duration) {
        all.put(key, full_at);
        if all.len() > KEYS {
            all.pop_lru();
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, Duration>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn buckets(rate: u32) -> Buckets {
        Buckets::new(NonZeroU32::new(rate).unwrap())
    }

    /// How many pass at once.
    fn pass(buckets: &Buckets, key: u64) -> usize {
        (0..100_000).take_while(|_| buckets.take(key).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_has_its_burst_and_then_its_rate() {
        let buckets = buckets(100);
        assert_eq!(pass(&buckets, 1), 1_000);
        assert_eq!(buckets.take(1), Err(Duration::from_millis(10)));
        assert_eq!(pass(&buckets, 2), 1_000, "another has its own");
        for _ in 0..5 {
            advance(Duration::from_millis(500)).await;
            assert_eq!(pass(&buckets, 1), 50);
        }
        advance(Duration::from_hours(1)).await;
        assert_eq!(pass(&buckets, 1), 1_000, "no more than a burst is saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_charge_is_paid_off_first_and_ends() {
        let buckets = buckets(100);
        assert_eq!(pass(&buckets, 1), 1_000);
        buckets.charge(1, Duration::from_millis(100));
        advance(Duration::from_millis(90)).await;
        assert_eq!(buckets.take(1), Err(Duration::from_millis(20)));
        advance(Duration::from_millis(20)).await;
        assert_eq!(pass(&buckets, 1), 1);
        for _ in 0..1_000 {
            buckets.charge(1, Duration::from_millis(100));
        }
        assert_eq!(buckets.take(1), Err(DEBT + Duration::from_millis(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_keys_are_remembered_and_no_more() {
        let buckets = buckets(1);
        assert_eq!(pass(&buckets, 0), 10);
        for key in 1..200_000 {
            assert!(buckets.take(key).is_ok());
            assert!(
                key % 1_000 != 0 || buckets.take(0).is_err(),
                "whoever keeps coming isn't forgotten"
            );
        }
        assert_eq!(buckets.lock().len(), KEYS);
    }
}
