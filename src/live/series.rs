//! The sweep of series without an end: their sessions are made a while ahead, and more of them as time goes by.
//!
//! It owns when to look. What making more sessions means is handed in; it must be idempotent, as an edit may have done
//! it in the meantime.

use std::{collections::HashSet, future::Future};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{metrics::TimerMetrics, timers::TimerSettings};
use crate::{
    domain::ids::{SeriesId, SiteId},
    store::{Db, Failure, StoreError, catalog},
};

pub(super) struct SeriesSweep {
    pub(super) db: Db,
    pub(super) settings: TimerSettings,
    pub(super) metrics: TimerMetrics,
    /// How far ahead sessions have to be there.
    pub(super) ahead: SignedDuration,
}

impl SeriesSweep {
    pub(super) async fn run<E, F>(self, shutdown: CancellationToken, extend: E)
    where
        E: Fn(SiteId, SeriesId) -> F,
        F: Future<Output = Result<usize, Failure>>,
    {
        loop {
            if let Err(error) = self.sweep(&shutdown, &extend).await {
                self.metrics.failures.inc();
                tracing::warn!(%error, "series could not be read; trying again later");
            }
            let sleep = tokio::time::sleep(self.settings.sweep_every);
            if shutdown.run_until_cancelled(sleep).await.is_none() {
                return;
            }
        }
    }

    /// One batch after another, until nothing is due but what failed.
    async fn sweep<E, F>(&self, shutdown: &CancellationToken, extend: &E) -> Result<(), StoreError>
    where
        E: Fn(SiteId, SeriesId) -> F,
        F: Future<Output = Result<usize, Failure>>,
    {
        // Those that failed, or that there was nothing to make of, are left for the next time.
        let mut passed = HashSet::new();
        loop {
            let now = self.db.clock().now();
            let until = now.checked_add(self.ahead).unwrap_or(now);
            // They may come back in every batch; they must not keep others out of it.
            let limit = self
                .settings
                .batch
                .saturating_add(i64::try_from(passed.len()).unwrap_or(i64::MAX));
            let due = self
                .db
                .read(move |conn| Box::pin(catalog::series_made_until(conn, until, limit)))
                .await?;
            let due: Vec<_> = due.into_iter().filter(|each| !passed.contains(each)).collect();
            if due.is_empty() {
                return Ok(());
            }
            for (site, series) in due {
                if shutdown.is_cancelled() {
                    return Ok(());
                }
                match extend(site, series).await {
                    Ok(0) => {
                        passed.insert((site, series));
                    }
                    Ok(made) => tracing::debug!(%site, %series, made, "a series goes on"),
                    Err(error) => {
                        self.metrics.failures.inc();
                        tracing::warn!(%site, %series, %error, "a series could not go on; trying again later");
                        passed.insert((site, series));
                    }
                }
            }
        }
    }
}
