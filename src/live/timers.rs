//! Timers: acts on due times that nobody touched.
//!
//! They own when to look, not what is due: every due time is decided by whoever touches the row, and an act here may
//! come late or twice without harm. They must not know what expiring a hold means; that is handed in.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{metrics::TimerMetrics, series::SeriesSweep};
use crate::{
    domain::ids::{BookingId, SeriesId, SiteId},
    store::{Command, Db, Failure, StoreError, Tx, claims, idempotency},
};

/// How the timers are set up.
#[derive(Debug, Clone)]
pub struct TimerSettings {
    /// The longest time without a look: other nodes' holds wake nobody here. Also the longest pause after failures.
    pub longest_sleep: Duration,
    /// Expired holds that one query reads.
    pub batch: i64,
    /// How often expired idempotency records are deleted.
    pub sweep_every: Duration,
}

impl Default for TimerSettings {
    fn default() -> Self {
        Self {
            longest_sleep: Duration::from_secs(30),
            batch: 100,
            sweep_every: Duration::from_mins(10),
        }
    }
}

/// The shortest pause after a failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// The running timers.
#[derive(Debug)]
pub struct Timers {
    tasks: Vec<JoinHandle<()>>,
    metrics: TimerMetrics,
}

impl Timers {
    /// Starts them; they stop when `shutdown` is cancelled, after the act that is being done.
    ///
    /// `nearer` is to be notified when a hold is made that may run out before all others. `expire` settles the hold of
    /// one booking; it must be idempotent, as the booking may have been settled in the meantime.
    #[must_use]
    pub fn start<E, F>(
        db: Db,
        settings: TimerSettings,
        nearer: Arc<Notify>,
        shutdown: CancellationToken,
        expire: E,
    ) -> Self
    where
        E: Fn(SiteId, BookingId) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let metrics = TimerMetrics::default();
        let holds = Holds {
            db: db.clone(),
            metrics: metrics.clone(),
            settings: settings.clone(),
            seen: HashSet::new(),
            pause: SHORTEST_PAUSE,
        };
        Self {
            tasks: vec![
                tokio::spawn(holds.run(nearer, shutdown.clone(), expire)),
                tokio::spawn(sweep_records(db, settings, shutdown, metrics.clone())),
            ],
            metrics,
        }
    }

    /// Also watches over series without an end: those whose sessions don't reach `ahead` from now are handed to `extend`,
    /// which makes more of them. It must be idempotent, as an edit may have done it in the meantime.
    #[must_use]
    pub fn with_series<E, F>(
        mut self,
        db: Db,
        settings: TimerSettings,
        shutdown: CancellationToken,
        ahead: SignedDuration,
        extend: E,
    ) -> Self
    where
        E: Fn(SiteId, SeriesId) -> F + Send + Sync + 'static,
        F: Future<Output = Result<usize, Failure>> + Send + 'static,
    {
        let sweep = SeriesSweep {
            db,
            settings,
            metrics: self.metrics.clone(),
            ahead,
        };
        self.tasks.push(tokio::spawn(sweep.run(shutdown, extend)));
        self
    }

    /// The timers' numbers.
    #[must_use]
    pub fn metrics(&self) -> &TimerMetrics {
        &self.metrics
    }

    /// Waits until they have stopped.
    pub async fn stopped(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a timer ended by itself");
            }
        }
    }
}

struct Holds {
    db: Db,
    metrics: TimerMetrics,
    settings: TimerSettings,
    /// Those of the last look that must not be due any more: whichever still is, failed.
    seen: HashSet<(SiteId, BookingId)>,
    pause: Duration,
}

impl Holds {
    async fn run<E, F>(mut self, nearer: Arc<Notify>, shutdown: CancellationToken, expire: E)
    where
        E: Fn(SiteId, BookingId) -> F,
        F: Future<Output = Result<(), Failure>>,
    {
        loop {
            let sleep = match self.look(&shutdown, &expire).await {
                Ok(Due::At(next)) => {
                    self.pause = SHORTEST_PAUSE;
                    self.until(next)
                }
                Ok(Due::Now) => {
                    self.pause = SHORTEST_PAUSE;
                    Duration::ZERO
                }
                Ok(Due::Failed) => self.longer_pause(),
                Err(error) => {
                    self.metrics.failures.inc();
                    tracing::warn!(%error, "expired holds could not be read; trying again");
                    self.longer_pause()
                }
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = nearer.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Settles one batch of what is due, and says when to look again.
    async fn look<E, F>(&mut self, shutdown: &CancellationToken, expire: &E) -> Result<Due, StoreError>
    where
        E: Fn(SiteId, BookingId) -> F,
        F: Future<Output = Result<(), Failure>>,
    {
        let now = self.db.clock().now();
        // Those that keep failing come back in every batch; they must not keep others out of it.
        let failing = i64::try_from(self.seen.len()).unwrap_or(i64::MAX);
        let limit = self.settings.batch.saturating_add(failing);
        let due = self
            .db
            .read(move |conn| Box::pin(claims::expired_holds(conn, now, limit)))
            .await?;
        let overdue = &self.metrics.overdue;
        overdue.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
        if due.is_empty() {
            self.seen.clear();
            let next = self.db.read(|conn| Box::pin(claims::next_expiry(conn))).await?;
            return Ok(Due::At(next));
        }
        let mut still_due = 0_usize;
        let mut seen = HashSet::with_capacity(due.len());
        for (site, booking) in due {
            if shutdown.is_cancelled() {
                break;
            }
            if self.seen.contains(&(site, booking)) {
                still_due += 1;
            }
            if let Err(error) = expire(site, booking).await {
                self.metrics.failures.inc();
                tracing::warn!(%site, %booking, %error, "a hold could not be settled; trying again");
            } else {
                overdue.dec();
                self.metrics.settled.inc();
            }
            seen.insert((site, booking));
        }
        self.seen = seen;
        // Others than those that failed before were in it, so there may be more of them.
        Ok(if still_due < self.seen.len() {
            Due::Now
        } else {
            Due::Failed
        })
    }

    fn until(&self, next: Option<Timestamp>) -> Duration {
        let now = self.db.clock().now();
        let until = next.map_or(self.settings.longest_sleep, |next| {
            Duration::try_from(next.duration_since(now)).unwrap_or_default()
        });
        until.min(self.settings.longest_sleep)
    }

    fn longer_pause(&mut self) -> Duration {
        let pause = self.pause.min(self.settings.longest_sleep);
        self.pause = pause * 2;
        pause
    }
}

/// When to look for due holds again.
enum Due {
    /// When the next one runs out, if there is one.
    At(Option<Timestamp>),
    /// At once.
    Now,
    /// After a pause: whatever is due was tried before.
    Failed,
}

/// Deletes the idempotency records of one site whose time is over.
#[derive(Debug, Clone, Copy)]
struct SweepRecords {
    site: SiteId,
}

impl Command for SweepRecords {
    type Output = usize;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, Failure> {
        let (site, now) = (tx.site(), tx.now());
        Ok(idempotency::sweep(tx.conn(), site, now).await?)
    }
}

async fn sweep_records(db: Db, settings: TimerSettings, shutdown: CancellationToken, metrics: TimerMetrics) {
    loop {
        if let Err(error) = sweep_all(&db, &settings, &shutdown).await {
            metrics.failures.inc();
            tracing::warn!(%error, "idempotency records could not be swept; trying again later");
        }
        let sleep = tokio::time::sleep(settings.sweep_every);
        if shutdown.run_until_cancelled(sleep).await.is_none() {
            return;
        }
    }
}

async fn sweep_all(db: &Db, settings: &TimerSettings, shutdown: &CancellationToken) -> Result<(), Failure> {
    let (now, limit) = (db.clock().now(), settings.batch);
    loop {
        let sites = db
            .read(move |conn| Box::pin(idempotency::sites_with_expired(conn, now, limit)))
            .await?;
        for site in &sites {
            if shutdown.is_cancelled() {
                return Ok(());
            }
            let swept = db.write(SweepRecords { site: *site }).await?;
            tracing::debug!(%site, swept, "idempotency records swept");
        }
        if i64::try_from(sites.len()).is_ok_and(|found| found < limit) {
            return Ok(());
        }
    }
}
