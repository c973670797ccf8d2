//! The hub: one tailer for each site that somebody follows, and the routes from it to the followers.
//!
//! It owns the live end of the log. How a single follower goes from the log to the live feed and back is in `follow`,
//! how nodes tell each other in `announce`. It must not know what followers make of the events.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    announce,
    commits::{Commits, lock},
    follow::{self, CalendarChanges, Events},
    metrics::HubMetrics,
};
use crate::{
    domain::{
        event::Touched,
        ids::{BookingId, SiteId},
    },
    store::{
        Conn, DatabaseUrl, Db, StoreError, calendar_changes,
        events::{self, Event, Order},
    },
};

/// Acts of which a follower of the calendar may be behind before it is told that everything was touched.
const CALENDAR_BUFFER: usize = 256;

/// How the hub is set up.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// How often followed sites are looked at, whatever was or wasn't heard. One query for all of them.
    pub poll: Duration,
    /// Events that a follower of a whole site may be behind before it reads the log again.
    pub site_buffer: usize,
    /// Events that a follower of one booking may be behind before it reads the log again.
    pub booking_buffer: usize,
    /// Events that one query reads.
    pub page: i64,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            site_buffer: 1024,
            booking_buffer: 8,
            page: 256,
        }
    }
}

/// The hub. Cheap to clone; its tasks end with the last clone and the last stream that it gave.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the store has nothing to show")]
pub struct Hub {
    pub(super) inner: Arc<Inner>,
    _tasks: Arc<DropGuard>,
}

pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) settings: HubSettings,
    metrics: HubMetrics,
    commits: Commits,
    feeds: Mutex<HashMap<SiteId, Followed>>,
    stopping: CancellationToken,
}

/// A site that somebody follows.
struct Followed {
    feed: Arc<Feed>,
    followers: usize,
}

/// What a follower wants of a site's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Route {
    /// Everything.
    Site,
    /// One booking's events.
    Booking(BookingId),
}

/// The live ends of a site's log.
#[derive(Default)]
struct Routes {
    events: HashMap<Route, broadcast::Sender<Arc<Event>>>,
    /// What of the calendar was touched; there while somebody listens.
    calendar: Option<broadcast::Sender<Arc<[Touched]>>>,
}

/// The live end of a site's log.
struct Feed {
    site: SiteId,
    /// Every event up to here was routed or is being routed.
    ///
    /// A tailer sets this first and looks for the route then; a follower takes its place on the route first and reads
    /// this then. So what a follower doesn't find in its receiver is at or before the position that it read here, and
    /// it can have that from the log. What it has from both it knows by its position.
    read: AtomicI64,
    /// None when the tailer has ended.
    routes: Mutex<Option<Routes>>,
    /// Cancelled when the last follower has left.
    unwanted: CancellationToken,
}

impl Hub {
    /// Starts following commits. `commits` is what the listener that `db` was opened with wakes. Everything ends
    /// when `shutdown` is cancelled: streams that still run answer [`StoreError::Stopped`].
    #[must_use]
    pub fn start(db: Db, commits: Commits, settings: HubSettings, shutdown: &CancellationToken) -> Self {
        let stopping = shutdown.child_token();
        if let DatabaseUrl::Postgres(url) = db.url() {
            commits.tell_others();
            let task = announce::run(url.clone(), commits.clone());
            tokio::spawn(stopping.clone().run_until_cancelled_owned(task));
        }
        let inner = Arc::new(Inner {
            db,
            settings,
            metrics: HubMetrics::default(),
            commits,
            feeds: Mutex::default(),
            stopping: stopping.clone(),
        });
        tokio::spawn(stopping.clone().run_until_cancelled_owned(poll(inner.clone())));
        Self {
            inner,
            _tasks: Arc::new(stopping.drop_guard()),
        }
    }

    /// Every event of a site behind the position `after`: each once, in order, without a gap; first from the log,
    /// then live, without an end. Without `after` it begins behind the log's end, which is read when the stream is
    /// polled for the first time; who needs to know that place asks for [`last_position`](Self::last_position) first.
    ///
    /// A stream that isn't polled for long holds up nobody and loses nothing: it goes on from the log. An error is
    /// its last item.
    #[must_use]
    pub fn follow_site(&self, site: SiteId, after: Option<i64>) -> Events {
        follow::stream(self.clone(), site, Route::Site, after)
    }

    /// The events of one booking behind its revision `after_revision`, like [`follow_site`](Self::follow_site).
    /// Without `after_revision` it begins behind the booking's last revision, read at the first poll.
    #[must_use]
    pub fn follow_booking(&self, site: SiteId, booking: BookingId, after_revision: Option<i64>) -> Events {
        follow::stream(self.clone(), site, Route::Booking(booking), after_revision)
    }

    /// What of a site's calendar is touched from now on, act by act. Who falls far behind is told that it was everything.
    /// An error is the last item.
    #[must_use]
    pub fn follow_calendar(&self, site: SiteId) -> CalendarChanges {
        follow::calendar(self.clone(), site)
    }

    /// The events of a site behind `after` up to and with the position `until`; then the stream ends.
    #[must_use]
    pub fn replay_site(&self, site: SiteId, after: i64, until: i64) -> Events {
        follow::replay(self.clone(), site, Route::Site, after, until)
    }

    /// The events of a booking behind the revision `after` up to and with `until`; then the stream ends.
    #[must_use]
    pub fn replay_booking(&self, site: SiteId, booking: BookingId, after: i64, until: i64) -> Events {
        follow::replay(self.clone(), site, Route::Booking(booking), after, until)
    }

    /// Where a site's log stands now: what is committed later has a higher position.
    pub async fn last_position(&self, site: SiteId) -> Result<i64, StoreError> {
        self.inner.last_position(site).await
    }

    /// How many sites have a tailer here.
    #[must_use]
    pub fn followed_sites(&self) -> usize {
        lock(&self.inner.feeds).len()
    }

    /// The hub's numbers.
    #[must_use]
    pub fn metrics(&self) -> &HubMetrics {
        &self.inner.metrics
    }

    /// Brings those numbers up to date that aren't counted as they change.
    pub fn observe(&self) {
        let metrics = &self.inner.metrics;
        let feeds = lock(&self.inner.feeds);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        metrics.sites.set(count(feeds.len()));
        metrics
            .followers
            .set(count(feeds.values().map(|feed| feed.followers).sum()));
    }
}

impl Inner {
    async fn last_position(&self, site: SiteId) -> Result<i64, StoreError> {
        self.db
            .read(move |conn| Box::pin(events::last_position(conn, site)))
            .await
    }

    /// Takes a place at the live end of a site's log. Starts the tailer if this is the site's first follower.
    pub(super) async fn join(self: &Arc<Self>, site: SiteId, route: Route) -> Result<Place, StoreError> {
        if self.stopping.is_cancelled() {
            return Err(StoreError::Stopped);
        }
        let feed = self.feed(site).await?;
        // Made before the route is taken, so that leaving is counted whatever comes.
        let mut place = Place {
            hub: self.clone(),
            feed,
            route,
            receiver: None,
        };
        let capacity = match route {
            Route::Site => self.settings.site_buffer,
            Route::Booking(_) => self.settings.booking_buffer,
        };
        let receiver = match lock(&place.feed.routes).as_mut() {
            None => return Err(StoreError::Stopped),
            Some(routes) => match routes.events.entry(route) {
                Entry::Occupied(entry) => entry.get().subscribe(),
                Entry::Vacant(entry) => entry.insert(broadcast::Sender::new(capacity)).subscribe(),
            },
        };
        place.receiver = Some(receiver);
        Ok(place)
    }

    /// Takes a place where it is told what of a site's calendar is touched from now on.
    pub(super) async fn join_calendar(self: &Arc<Self>, site: SiteId) -> Result<CalendarPlace, StoreError> {
        if self.stopping.is_cancelled() {
            return Err(StoreError::Stopped);
        }
        let feed = self.feed(site).await?;
        let mut place = CalendarPlace {
            hub: self.clone(),
            feed,
            receiver: None,
        };
        place.receiver = Some(match lock(&place.feed.routes).as_mut() {
            None => return Err(StoreError::Stopped),
            Some(routes) => routes
                .calendar
                .get_or_insert_with(|| broadcast::Sender::new(CALENDAR_BUFFER))
                .subscribe(),
        });
        Ok(place)
    }

    /// Counts one more follower of a site, and starts its tailer if it is the first.
    async fn feed(self: &Arc<Self>, site: SiteId) -> Result<Arc<Feed>, StoreError> {
        if let Some(feed) = self.enter(site, None) {
            return Ok(feed);
        }
        let head = self.last_position(site).await?;
        self.enter(site, Some(head)).ok_or(StoreError::Stopped)
    }

    /// Counts one more follower of a site. A feed that isn't there is made only when the log's `head` is known.
    fn enter(self: &Arc<Self>, site: SiteId, head: Option<i64>) -> Option<Arc<Feed>> {
        let mut feeds = lock(&self.feeds);
        if let Some(followed) = feeds.get_mut(&site) {
            followed.followers += 1;
            return Some(followed.feed.clone());
        }
        let feed = Arc::new(Feed {
            site,
            read: AtomicI64::new(head?),
            routes: Mutex::new(Some(Routes::default())),
            unwanted: self.stopping.child_token(),
        });
        feeds.insert(
            site,
            Followed {
                feed: feed.clone(),
                followers: 1,
            },
        );
        drop(feeds);
        let tailer = Tailer {
            hub: self.clone(),
            feed: feed.clone(),
        };
        tokio::spawn(feed.unwanted.clone().run_until_cancelled_owned(tailer.run()));
        Some(feed)
    }

    fn leave(&self, feed: &Arc<Feed>) {
        let mut feeds = lock(&self.feeds);
        if let Entry::Occupied(mut entry) = feeds.entry(feed.site)
            && Arc::ptr_eq(&entry.get().feed, feed)
        {
            entry.get_mut().followers -= 1;
            if entry.get().followers == 0 {
                entry.remove();
                feed.unwanted.cancel();
            }
        }
    }
}

/// A follower's place at the live end of a log. Dropping it leaves.
pub(super) struct Place {
    hub: Arc<Inner>,
    feed: Arc<Feed>,
    route: Route,
    receiver: Option<broadcast::Receiver<Arc<Event>>>,
}

impl Place {
    /// Every event of the route that isn't in the receiver and never will be is at this position or before it.
    pub(super) fn pinned(&self) -> i64 {
        self.feed.read.load(Ordering::SeqCst)
    }

    /// The next live event.
    pub(super) async fn next(&mut self) -> Result<Arc<Event>, broadcast::error::RecvError> {
        match &mut self.receiver {
            Some(receiver) => receiver.recv().await,
            None => Err(broadcast::error::RecvError::Closed),
        }
    }

    /// Takes a new place behind everything that the receiver holds and dropped. Read [`pinned`](Self::pinned) after.
    pub(super) fn rejoin(&mut self) {
        self.receiver = self.receiver.as_ref().map(broadcast::Receiver::resubscribe);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.receiver = None;
        if let Some(routes) = lock(&self.feed.routes).as_mut()
            && let Entry::Occupied(entry) = routes.events.entry(self.route)
            && entry.get().receiver_count() == 0
        {
            entry.remove();
        }
        self.hub.leave(&self.feed);
    }
}

/// A place where it is told what of a site's calendar is touched. Dropping it leaves.
pub(super) struct CalendarPlace {
    hub: Arc<Inner>,
    feed: Arc<Feed>,
    receiver: Option<broadcast::Receiver<Arc<[Touched]>>>,
}

impl CalendarPlace {
    /// What was touched next; everything, if more was than is kept.
    pub(super) async fn next(&mut self) -> Result<Arc<[Touched]>, StoreError> {
        let Some(receiver) = &mut self.receiver else {
            return Err(StoreError::Stopped);
        };
        match receiver.recv().await {
            Ok(touched) => Ok(touched),
            Err(broadcast::error::RecvError::Lagged(_)) => Ok(Arc::new([Touched::everything()])),
            Err(broadcast::error::RecvError::Closed) => Err(StoreError::Stopped),
        }
    }
}

impl Drop for CalendarPlace {
    fn drop(&mut self) {
        self.receiver = None;
        if let Some(routes) = lock(&self.feed.routes).as_mut() {
            routes.calendar.take_if(|sender| sender.receiver_count() == 0);
        }
        self.hub.leave(&self.feed);
    }
}

/// Reads a site's log as it grows.
struct Tailer {
    hub: Arc<Inner>,
    feed: Arc<Feed>,
}

impl Tailer {
    async fn run(self) {
        let page = self.hub.settings.page;
        let site = self.feed.site;
        // Before the first reading: what is committed after that reading must be heard.
        let mut watching = self.hub.commits.watch(site);
        let mut pause = Backoff::default();
        loop {
            let after = self.feed.read.load(Ordering::SeqCst);
            let read = self
                .hub
                .db
                .read(move |conn| Box::pin(entries(conn, site, after, page)))
                .await;
            match read {
                Ok((entries, through)) => {
                    pause = Backoff::default();
                    self.route(entries);
                    self.feed.read.fetch_max(through, Ordering::SeqCst);
                    // Followers on this thread get their turn before their buffers overflow.
                    tokio::task::yield_now().await;
                    watching.beyond(through).await;
                }
                Err(error) => {
                    tracing::warn!(%site, %error, "the event log could not be read; trying again");
                    pause.wait().await;
                }
            }
        }
    }

    fn route(&self, entries: Vec<LogEntry>) {
        for entry in entries {
            match entry {
                LogEntry::Event(event) => self.route_event(event),
                LogEntry::Calendar(position, touched) => {
                    self.feed.read.store(position, Ordering::SeqCst);
                    self.tell_touched(touched);
                }
            }
        }
    }

    fn tell_touched(&self, touched: Vec<Touched>) {
        let sender = lock(&self.feed.routes)
            .as_ref()
            .and_then(|routes| routes.calendar.clone());
        if let Some(sender) = sender.filter(|_| !touched.is_empty()) {
            // Whoever was there may just have left.
            let _ = sender.send(touched.into());
        }
    }

    fn route_event(&self, mut event: Box<Event>) {
        let (metrics, now) = (&self.hub.metrics, self.hub.db.clock().now());
        metrics.events.inc();
        // The clock of another node may be ahead.
        metrics
            .lag
            .observe(now.duration_since(event.occurred).as_secs_f64().max(0.0));
        let touched = std::mem::take(&mut event.touched);
        let event: Arc<Event> = event.into();
        // This order is what followers rely on; see [`Feed::read`].
        self.feed.read.store(event.position, Ordering::SeqCst);
        let (site, booking) = match lock(&self.feed.routes).as_ref() {
            None => return,
            Some(routes) => (
                routes.events.get(&Route::Site).cloned(),
                routes.events.get(&Route::Booking(event.booking)).cloned(),
            ),
        };
        for sender in [site, booking].into_iter().flatten() {
            // Whoever was there may just have left.
            let _ = sender.send(event.clone());
        }
        self.tell_touched(touched);
    }
}

/// An entry of a site's log.
enum LogEntry {
    Event(Box<Event>),
    /// An act that touched the calendar and no booking, with its position.
    Calendar(i64, Vec<Touched>),
}

impl LogEntry {
    fn position(&self) -> i64 {
        match self {
            Self::Event(event) => event.position,
            Self::Calendar(position, _) => *position,
        }
    }
}

/// What the log has behind `after`, in its order, and up to which position that is all.
///
/// The log's end is read first. Whatever is at or before it was committed with it, so that two later statements, each
/// with a view of its own, both find all of that.
async fn entries(conn: &mut Conn, site: SiteId, after: i64, page: i64) -> Result<(Vec<LogEntry>, i64), StoreError> {
    let end = events::last_position(conn, site).await?;
    if end <= after {
        return Ok((Vec::new(), after));
    }
    let (events, changes) = conn
        .both(
            move |conn| Box::pin(events::range(conn, site, after, Some(end + 1), Order::Forward, page)),
            move |conn| Box::pin(calendar_changes::range(conn, site, after, end + 1, page)),
        )
        .await?;
    let mut through = end;
    let is_full = |read: usize| i64::try_from(read).is_ok_and(|read| read >= page);
    if let Some(last) = events.last().filter(|_| is_full(events.len())) {
        through = through.min(last.position);
    }
    if let Some((last, _)) = changes.last().filter(|_| is_full(changes.len())) {
        through = through.min(*last);
    }
    let events = events.into_iter().map(|event| LogEntry::Event(Box::new(event)));
    let changes = changes
        .into_iter()
        .map(|(position, touched)| LogEntry::Calendar(position, touched));
    let mut entries: Vec<LogEntry> = events.chain(changes).collect();
    entries.retain(|entry| entry.position() <= through);
    entries.sort_by_key(LogEntry::position);
    Ok((entries, through))
}

impl Drop for Tailer {
    /// However it ended: followers that are still there must not wait for ever, and the next one starts anew.
    fn drop(&mut self) {
        drop(lock(&self.feed.routes).take());
        let mut feeds = lock(&self.hub.feeds);
        if let Entry::Occupied(entry) = feeds.entry(self.feed.site)
            && Arc::ptr_eq(&entry.get().feed, &self.feed)
        {
            entry.remove();
        }
    }
}

/// Looks at all followed sites every now and then, for what wasn't heard.
async fn poll(hub: Arc<Inner>) {
    /// Sites that one query asks for; both engines limit the number of parameters.
    const CHUNK: usize = 500;
    loop {
        let _ = tokio::time::timeout(hub.settings.poll, hub.commits.told_to_look()).await;
        let sites: Vec<SiteId> = lock(&hub.feeds).keys().copied().collect();
        for chunk in sites.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            match hub
                .db
                .read(move |conn| Box::pin(events::last_positions(conn, chunk)))
                .await
            {
                Ok(positions) => {
                    for (site, position) in positions {
                        hub.commits.heard(site, position);
                    }
                }
                Err(error) => tracing::warn!(%error, "the logs' ends could not be read; trying again"),
            }
        }
    }
}

/// Growing pauses between tries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: Duration::from_millis(50),
        }
    }
}

impl Backoff {
    const LONGEST: Duration = Duration::from_secs(5);

    pub(super) async fn wait(&mut self) {
        let pause = self.next;
        self.next = (pause * 2).min(Self::LONGEST);
        tokio::time::sleep(pause).await;
    }
}
