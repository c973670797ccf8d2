//! Commands: what writes. And the transaction that one runs in.

use std::{collections::BTreeSet, future::Future, sync::Arc};

use jiff::Timestamp;

use super::{Conn, Failure, StoreError, calendar_changes, events};
use crate::domain::{
    clock::Clock,
    conflict::Target,
    event::{Matter, Touched},
    ids::{BookingId, SiteId},
    time::TimeSpan,
};

/// A change of one site: all of it or nothing.
///
/// A command owns its input and makes its ids before it is handed over. It has no side effect but SQL, and it may run
/// more than once: what counts is the run that committed.
pub trait Command: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// The site that it changes; every query is bound to it.
    fn site(&self) -> SiteId;

    /// Does it.
    fn run(&self, tx: &mut Tx<'_>) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// The transaction of a command.
#[expect(missing_debug_implementations, reason = "a connection has nothing to show")]
pub struct Tx<'c> {
    pub(super) conn: &'c mut Conn,
    site: SiteId,
    clock: Arc<dyn Clock>,
    events: Vec<events::NewEvent>,
    touched: Vec<Touched>,
    savepoints: u32,
    tries: u32,
    pub(super) locked: Locked,
}

/// What a transaction has locked so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Locked {
    pub(super) targets: BTreeSet<Target>,
    pub(super) bookings: BTreeSet<BookingId>,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut Conn, site: SiteId, clock: Arc<dyn Clock>, tries: u32) -> Self {
        Self {
            conn,
            site,
            clock,
            events: Vec::new(),
            touched: Vec::new(),
            savepoints: 0,
            tries,
            locked: Locked::default(),
        }
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// The connection, for reading what the transaction sees.
    pub fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// The present instant. Read it after the locks: what was true before may have ended while waiting.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether others may write at the same time, so that what was read before the locks must be read again.
    #[must_use]
    pub fn is_concurrent(&self) -> bool {
        matches!(self.conn, Conn::Pg(_))
    }

    /// Whether the command was run before and somebody else got ahead: it may look further before it locks.
    #[must_use]
    pub fn tried_before(&self) -> bool {
        self.tries > 1
    }

    /// Whether all of these are locked; where one command writes at a time, they always are.
    #[must_use]
    pub fn has_locked(&self, targets: &[Target]) -> bool {
        !self.is_concurrent() || targets.iter().all(|target| self.locked.targets.contains(target))
    }

    /// Appends an event to the site's log; written just before the commit.
    pub fn record(&mut self, event: events::NewEvent) {
        self.events.push(event);
    }

    /// Says that free times may be others from here on; told to whoever watches them, behind the commit.
    pub fn touch(&mut self, matter: Matter, span: Option<TimeSpan>) {
        self.touched.push(Touched { matter, span });
    }

    /// Begins a part that may be undone on its own. One level only.
    pub async fn savepoint(&mut self) -> Result<Savepoint, StoreError> {
        self.savepoints += 1;
        batch(self.conn, "SAVEPOINT part").await?;
        Ok(Savepoint {
            events: self.events.len(),
            touched: self.touched.len(),
            locked: self.locked.clone(),
        })
    }

    /// Keeps the part.
    pub async fn release(&mut self, _savepoint: Savepoint) -> Result<(), StoreError> {
        batch(self.conn, "RELEASE SAVEPOINT part").await
    }

    /// Undoes the part, its events too.
    pub async fn undo(&mut self, savepoint: Savepoint) -> Result<(), StoreError> {
        self.events.truncate(savepoint.events);
        self.touched.truncate(savepoint.touched);
        // Locks that were taken since are gone with the rest.
        self.locked = savepoint.locked;
        batch(self.conn, "ROLLBACK TO SAVEPOINT part").await?;
        batch(self.conn, "RELEASE SAVEPOINT part").await
    }

    /// Writes what happened behind everything else, if anything did.
    pub(super) async fn finish(mut self) -> Result<Option<events::Appended>, Failure> {
        let touched = Touched::summed_up(std::mem::take(&mut self.touched));
        if !self.events.is_empty() {
            return Ok(Some(events::append(self.conn, self.site, self.events, touched).await?));
        }
        if !touched.is_empty() {
            return Ok(Some(calendar_changes::append(self.conn, self.site, touched).await?));
        }
        Ok(None)
    }
}

/// A place to go back to.
#[derive(Debug)]
pub struct Savepoint {
    events: usize,
    touched: usize,
    locked: Locked,
}

/// Runs SQL that has no parameters and no result.
pub(super) async fn batch(conn: &mut Conn, sql: &str) -> Result<(), StoreError> {
    use diesel_async::SimpleAsyncConnection as _;
    Ok(super::on!(conn, c => c.batch_execute(sql).await)?)
}
