//! What watchers of free times are told.

use async_graphql::SimpleObject;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use super::service::Service;
use crate::{
    domain::{event::Touched, time::TimeSpan},
    graphql::{error::coded, scalars::DateTime},
    live::{CalendarChanges, gather},
    service::{self, Caller, availability::Watched},
};

/// Free times of a service may be others than they were.
#[derive(SimpleObject, Debug, Clone)]
pub struct AvailabilityChange {
    /// When it was noticed.
    changed_date: DateTime,
    /// Where the part of the window begins that is to be asked for again.
    from: DateTime,
    /// The service.
    service: Service,
    /// Where that part ends.
    to: DateTime,
}

/// Somebody who watches the free times of a service.
pub(crate) struct AvailabilityWatch {
    pub(crate) changes: CalendarChanges,
    pub(crate) service: service::Service,
    pub(crate) caller: Caller,
    pub(crate) watched: Watched,
}

impl AvailabilityWatch {
    /// What they are told.
    pub(crate) fn told(self) -> BoxStream<'static, async_graphql::Result<AvailabilityChange>> {
        let parts = stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            let part = watch.next_part().await?;
            // Without an end of its own: who asks again learns what is the matter.
            let goes_on = part.is_ok().then_some(watch);
            Some((part, goes_on))
        });
        let merged = gather(parts.boxed(), |(one, _): Part, (other, last)| (one.hull(&other), last));
        let told = merged.map(|part| {
            part.map(|(part, (service, now))| AvailabilityChange {
                changed_date: now.into(),
                from: part.start().into(),
                service,
                to: part.end().into(),
            })
        });
        told.boxed()
    }

    /// The next part of the window that something was done to.
    async fn next_part(&mut self) -> Option<async_graphql::Result<Part>> {
        loop {
            let touched: std::sync::Arc<[Touched]> = match self.changes.next().await? {
                Ok(touched) => touched,
                Err(error) => return Some(Err(coded(error.to_string(), "SERVICE_UNAVAILABLE"))),
            };
            let now = self.service.clock().now();
            let before = touched.iter().filter_map(|touched| self.watched.part(touched, now));
            let mut part: Option<TimeSpan> = before.reduce(|one, other| one.hull(&other));
            if touched.iter().any(|touched| self.watched.is_outdated_by(touched)) {
                // A service that is gone is watched as it was.
                if let Ok(watched) = self.service.watch_again(&self.caller, &self.watched).await {
                    self.watched = watched;
                }
                let after = touched.iter().filter_map(|touched| self.watched.part(touched, now));
                part = part.into_iter().chain(after).reduce(|one, other| one.hull(&other));
            }
            if let Some(part) = part {
                return Some(Ok((part, (self.watched.service.clone().into(), now))));
            }
        }
    }
}

/// A part of the window, with the service and the time at which it was noticed.
type Part = (TimeSpan, (Service, jiff::Timestamp));
