//! A follower of the log: where it is, and how it goes from the log to the live feed and back.
//!
//! It owns exactly-once delivery to one stream. It must not know how events get into the feed.

use std::{collections::VecDeque, sync::Arc};

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::broadcast::error::RecvError;

use super::hub::{Hub, Place, Route};
use crate::{
    domain::{event::Touched, ids::SiteId},
    store::{
        StoreError,
        events::{self, Event, Order},
    },
};

/// Events of the log, each once and in order. An error is the last item.
pub type Events = BoxStream<'static, Result<Arc<Event>, StoreError>>;

/// What of a calendar was touched, act by act. An error is the last item.
pub type CalendarChanges = BoxStream<'static, Result<Arc<[Touched]>, StoreError>>;

/// Follows a site's calendar without an end.
pub(super) fn calendar(hub: Hub, site: SiteId) -> CalendarChanges {
    let places = stream::once(async move { hub.inner.join_calendar(site).await });
    until_error(places.flat_map(|place| match place {
        Ok(place) => stream::unfold(place, |mut place| async move { Some((place.next().await, place)) }).boxed(),
        Err(error) => stream::once(std::future::ready(Err(error))).boxed(),
    }))
}

/// Follows without an end.
pub(super) fn stream(hub: Hub, site: SiteId, route: Route, after: Option<i64>) -> Events {
    let follower = Follower {
        reader: Reader::new(hub, site, route, after.unwrap_or_default()),
        phase: match after {
            Some(_) => Phase::Join,
            None => Phase::FindEnd,
        },
    };
    until_error(stream::unfold(follower, |mut follower| async move {
        let item = follower.next().await;
        Some((item, follower))
    }))
}

/// Reads what is in the log behind `after`, up to and with `until`, and ends.
pub(super) fn replay(hub: Hub, site: SiteId, route: Route, after: i64, until: i64) -> Events {
    let reader = Reader::new(hub, site, route, after);
    until_error(stream::unfold(reader, move |mut reader| async move {
        let item = reader.next_until(until).await.transpose()?;
        Some((item, reader))
    }))
}

fn until_error<T: Send + 'static>(
    items: impl stream::Stream<Item = Result<T, StoreError>> + Send + 'static,
) -> BoxStream<'static, Result<T, StoreError>> {
    let mut failed = false;
    items
        .take_while(move |item| {
            let go_on = !failed;
            failed = item.is_err();
            std::future::ready(go_on)
        })
        .boxed()
}

struct Follower {
    reader: Reader,
    phase: Phase,
}

enum Phase {
    /// `last` isn't known yet: it is where the log ends.
    FindEnd,
    /// Not at the live end yet.
    Join,
    /// A place at the live end is taken; what lies before it is being read from the log.
    CatchUp { place: Place, until: i64 },
    /// Everything before the live end was had.
    Live(Place),
    /// An error was answered.
    Ended,
}

impl Follower {
    // Whatever reads the database stands in a box while it runs: inline it would be some 2 KiB of every follower that
    // waits for the next live event.
    async fn next(&mut self) -> Result<Arc<Event>, StoreError> {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::FindEnd => {
                    self.reader.last = Box::pin(self.reader.end()).await?;
                    self.phase = Phase::Join;
                }
                Phase::Join => {
                    let joining = self.reader.hub.inner.join(self.reader.site, self.reader.route);
                    let place = Box::pin(joining).await?;
                    self.phase = self.reader.catch_up(place);
                }
                Phase::CatchUp { place, until } => match self.reader.next_until(until).await? {
                    Some(event) => {
                        self.phase = Phase::CatchUp { place, until };
                        return Ok(event);
                    }
                    None => self.phase = Phase::Live(place),
                },
                Phase::Live(mut place) => match place.next().await {
                    Ok(event) => {
                        self.phase = Phase::Live(place);
                        // The log may have answered with it already.
                        if self.reader.is_news(&event) {
                            return Ok(event);
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        place.rejoin();
                        self.phase = self.reader.catch_up(place);
                    }
                    Err(RecvError::Closed) => return Err(StoreError::Stopped),
                },
                Phase::Ended => return Err(StoreError::Stopped),
            }
        }
    }
}

/// Reads a route's events from the log, in pages.
struct Reader {
    hub: Hub,
    site: SiteId,
    route: Route,
    /// The position, or for one booking the revision, of the last event that was answered.
    last: i64,
    page: VecDeque<Event>,
    /// Whether that page was the last one.
    last_page: bool,
}

impl Reader {
    fn new(hub: Hub, site: SiteId, route: Route, last: i64) -> Self {
        Self {
            hub,
            site,
            route,
            last,
            page: VecDeque::new(),
            last_page: false,
        }
    }

    fn key(&self, event: &Event) -> i64 {
        match self.route {
            Route::Site => event.position,
            Route::Booking(_) => event.revision,
        }
    }

    /// Whether an event is behind the last one; if so it is the last one now.
    fn is_news(&mut self, event: &Event) -> bool {
        let key = self.key(event);
        let news = key > self.last;
        self.last = key.max(self.last);
        news
    }

    /// What to read from the log after a place was taken.
    fn catch_up(&self, place: Place) -> Phase {
        let until = match self.route {
            Route::Site => place.pinned(),
            // Which revision was the last one at the pinned position isn't known. Whatever the log has now contains it.
            Route::Booking(_) => i64::MAX,
        };
        Phase::CatchUp { place, until }
    }

    /// Where the route's log ends.
    async fn end(&self) -> Result<i64, StoreError> {
        let site = self.site;
        match self.route {
            Route::Site => self.hub.last_position(site).await,
            Route::Booking(booking) => {
                let db = &self.hub.inner.db;
                let newest = db
                    .read(move |conn| Box::pin(events::of_booking(conn, site, booking, 0, None, Order::Backward, 1)))
                    .await?;
                Ok(newest.first().map_or(0, |event| event.revision))
            }
        }
    }

    /// The next event up to `until`; nothing if the log has no more of them.
    async fn next_until(&mut self, until: i64) -> Result<Option<Arc<Event>>, StoreError> {
        if self.page.is_empty() && self.last < until && !self.last_page {
            let events = Box::pin(self.read_page(until)).await?;
            let limit = usize::try_from(self.hub.inner.settings.page).unwrap_or(usize::MAX);
            self.last_page = events.len() < limit;
            self.page = events.into();
        }
        let Some(event) = self.page.pop_front() else {
            // An idle follower keeps no room for a page.
            self.page = VecDeque::new();
            self.last_page = false;
            return Ok(None);
        };
        self.last = self.key(&event);
        Ok(Some(Arc::new(event)))
    }

    async fn read_page(&self, until: i64) -> Result<Vec<Event>, StoreError> {
        let (site, after, before) = (self.site, self.last, until.checked_add(1));
        let limit = self.hub.inner.settings.page;
        let db = &self.hub.inner.db;
        match self.route {
            Route::Site => {
                db.read(move |conn| Box::pin(events::range(conn, site, after, before, Order::Forward, limit)))
                    .await
            }
            Route::Booking(booking) => {
                db.read(move |conn| {
                    Box::pin(events::of_booking(
                        conn,
                        site,
                        booking,
                        after,
                        before,
                        Order::Forward,
                        limit,
                    ))
                })
                .await
            }
        }
    }
}
