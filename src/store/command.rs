//! Commands: what writes. And the transaction that one runs in.

use std::{future::Future, sync::Arc};

use jiff::Timestamp;

use super::{Conn, Failure, StoreError, events};
use crate::domain::{clock::Clock, ids::SiteId};

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
    savepoints: u32,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut Conn, site: SiteId, clock: Arc<dyn Clock>) -> Self {
        Self {
            conn,
            site,
            clock,
            events: Vec::new(),
            savepoints: 0,
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

    /// Appends an event to the site's log; written just before the commit.
    pub fn record(&mut self, event: events::NewEvent) {
        self.events.push(event);
    }

    /// Begins a part that may be undone on its own. One level only.
    pub async fn savepoint(&mut self) -> Result<Savepoint, StoreError> {
        self.savepoints += 1;
        batch(self.conn, "SAVEPOINT part").await?;
        Ok(Savepoint {
            events: self.events.len(),
        })
    }

    /// Keeps the part.
    pub async fn release(&mut self, _savepoint: Savepoint) -> Result<(), StoreError> {
        batch(self.conn, "RELEASE SAVEPOINT part").await
    }

    /// Undoes the part, its events too.
    pub async fn undo(&mut self, savepoint: Savepoint) -> Result<(), StoreError> {
        self.events.truncate(savepoint.events);
        batch(self.conn, "ROLLBACK TO SAVEPOINT part").await?;
        batch(self.conn, "RELEASE SAVEPOINT part").await
    }

    /// Writes the events behind everything else, if there were any.
    pub(super) async fn finish(self) -> Result<Option<events::Appended>, Failure> {
        if self.events.is_empty() {
            return Ok(None);
        }
        Ok(Some(events::append(self.conn, self.site, self.events).await?))
    }
}

/// A place to go back to.
#[derive(Debug)]
pub struct Savepoint {
    events: usize,
}

/// Runs SQL that has no parameters and no result.
pub(super) async fn batch(conn: &mut Conn, sql: &str) -> Result<(), StoreError> {
    use diesel_async::SimpleAsyncConnection as _;
    Ok(super::on!(conn, c => c.batch_execute(sql).await)?)
}
