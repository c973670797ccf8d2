//! The store: two engines behind one set of Diesel queries.
//!
//! It owns tables, transactions, the event log's order and the retry of what the engine refused. It knows the
//! domain's types and nobody above it: whoever wants to be woken after a commit is handed in at construction.

pub mod api_keys;
pub mod bookings;
pub mod calendar_changes;
pub mod catalog;
pub mod claims;
mod command;
mod error;
pub mod events;
mod filtering;
pub mod idempotency;
pub mod imports;
mod in_place;
mod line;
mod metrics;
mod migrate;
pub mod notifications;
pub mod page;
mod postgres;
pub mod schema;
pub mod sites;
mod sqlite;
pub mod types;
mod with;

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Instant};

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool};
use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use crate::domain::{clock::Clock, ids::SiteId};

pub use command::{Command, Tx};
pub use error::{Failure, StoreError};
pub use in_place::InPlace;
pub use metrics::Metrics;

/// A connection to either engine. Query bodies are written once inside `on!`.
#[expect(missing_debug_implementations, reason = "connections have nothing to show")]
pub enum Conn {
    /// Of the embedded engine; every statement runs where it stands.
    Sqlite(Box<InPlace>),
    /// Of the server engine.
    Pg(Arc<deadpool::Object<AsyncPgConnection>>),
}

/// Runs one query body against whichever engine the connection is of: `on!(conn, c => query.load(c).await)`.
///
/// Where the engines differ, the two-armed form says so: `on!(conn, sqlite c => .., pg c => ..)`.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                let $c = &mut **connection;
                $body
            }
            $crate::store::Conn::Pg(connection) => {
                let $c = &mut &***connection;
                $body
            }
        }
    };
    ($conn:expr, sqlite $s:ident => $sqlite:expr, pg $p:ident => $pg:expr) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                let $s = &mut **connection;
                $sqlite
            }
            $crate::store::Conn::Pg(connection) => {
                let $p = &mut &***connection;
                $pg
            }
        }
    };
}
pub(crate) use on;

impl Conn {
    /// Runs two queries, neither of which changes anything or needs the other's result. The server engine gets the
    /// second one without waiting for the first one's answer; the embedded one runs one after the other.
    pub(crate) async fn both<A: Send, B: Send>(
        &mut self,
        first: impl for<'c> FnOnce(&'c mut Self) -> BoxFuture<'c, Result<A, StoreError>> + Send,
        second: impl for<'c> FnOnce(&'c mut Self) -> BoxFuture<'c, Result<B, StoreError>> + Send,
    ) -> Result<(A, B), StoreError> {
        match self {
            Self::Sqlite(_) => Ok((first(self).await?, second(self).await?)),
            Self::Pg(connection) => {
                let (mut one, mut other) = (Self::Pg(connection.clone()), Self::Pg(connection.clone()));
                // Both to the end: a transaction goes on only when all that was asked in it is answered.
                let (a, b) = futures_util::future::join(first(&mut one), second(&mut other)).await;
                Ok((a?, b?))
            }
        }
    }
}

/// Which database to use. The scheme picks the engine; an unknown one is refused, so that a typo can't make an
/// empty database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:FILE`.
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected `sqlite:FILE`, such as `sqlite:frontdesk.db`, or `postgres://user@host/database`";
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let file = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match file {
            Some("") | None => Err(expected.to_owned()),
            Some(":memory:") => Err("a database in memory would be lost at exit; name a file".to_owned()),
            Some(file) => Ok(Self::Sqlite(PathBuf::from(file))),
        }
    }
}

/// How the store is set up.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Which database.
    pub url: DatabaseUrl,
    /// Connections to `PostgreSQL`; reader threads of the embedded engine are a quarter of it, at least 2.
    pub connections: usize,
    /// Whether pending migrations are applied when the store opens.
    pub migrate: bool,
    /// The embedded engine: the most that the database file may grow to, in bytes; without it, the disk is the limit.
    /// What would need more is refused with [`StoreError::Full`], and reads go on. The write-ahead log beside the file
    /// comes on top of it.
    pub max_bytes: Option<u64>,
}

/// Told of each commit that wrote events: the site and its log's new last position.
pub type CommitListener = Arc<dyn Fn(SiteId, i64) + Send + Sync>;

/// The store. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "channels and pools have nothing to show")]
pub struct Db {
    engine: Engine,
    shared: Arc<Shared>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

struct Shared {
    clock: Arc<dyn Clock>,
    committed: CommitListener,
    url: DatabaseUrl,
    metrics: Metrics,
}

impl Db {
    /// Opens the database, makes it if it is an embedded one that isn't there, and applies pending migrations.
    pub async fn open(
        settings: &StoreSettings,
        clock: Arc<dyn Clock>,
        committed: CommitListener,
    ) -> Result<Self, StoreError> {
        if settings.migrate {
            migrate::run(&settings.url).await?;
        }
        let shared = Arc::new(Shared {
            clock,
            committed,
            url: settings.url.clone(),
            metrics: Metrics::default(),
        });
        let engine = match &settings.url {
            DatabaseUrl::Sqlite(path) => {
                let readers = (settings.connections / 4).max(2);
                Engine::Sqlite(sqlite::Sqlite::open(path, readers, settings.max_bytes, &shared)?)
            }
            DatabaseUrl::Postgres(url) => Engine::Postgres(postgres::Postgres::open(url, settings.connections.max(2))?),
        };
        Ok(Self { engine, shared })
    }

    /// Runs a command: all of it or nothing, durable when this returns. Who stops waiting can't stop it half-way.
    pub async fn write<C: Command>(&self, command: C) -> Result<C::Output, Failure> {
        let (began, name) = (Instant::now(), metrics::name::<C>());
        let span = tracing::debug_span!(
            target: "frontdesk::spans",
            "command",
            otel.name = name,
            command = name,
            outcome = tracing::field::Empty,
        );
        let fate = async {
            match &self.engine {
                Engine::Sqlite(engine) => engine.write(command).await,
                Engine::Postgres(engine) => engine.write(command, self.shared.clone()).await,
            }
        };
        let fate = fate.instrument(span.clone()).await;
        span.record("outcome", metrics::outcome(&fate));
        self.shared.metrics.command_ended(name, began, &fate);
        fate
    }

    /// Runs queries off the async threads, on one connection.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let began = Instant::now();
        let read = match &self.engine {
            Engine::Sqlite(engine) => engine.read(query).await,
            Engine::Postgres(engine) => engine.read(query).await,
        };
        self.shared.metrics.read_ended(began, &read);
        read
    }

    /// The store's numbers.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Brings those numbers up to date that aren't counted as they change.
    pub fn observe(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.observe_size(),
            Engine::Postgres(engine) => engine.observe_pool(&self.shared.metrics),
        }
    }

    /// Whether the database answers and has every migration.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.read(|conn| Box::pin(migrate::check(conn))).await
    }

    /// The clock that commands read.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Which database this is.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.shared.url
    }

    /// Copies the embedded database into `file` while it is in use.
    pub async fn backup(&self, file: &std::path::Path) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.backup(file).await,
            Engine::Postgres(_) => Err(StoreError::Unsupported(
                "a PostgreSQL database is backed up with `pg_dump`; `backup` is for the embedded engine".to_owned(),
            )),
        }
    }
}

/// Applies pending migrations; says how many there were.
pub async fn migrate(url: &DatabaseUrl) -> Result<usize, StoreError> {
    migrate::run(url).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unknown_scheme_is_refused() {
        for bad in [
            "",
            "mysql://x",
            "frontdesk.db",
            "postgre://x",
            "sqlite:",
            "sqlite::memory:",
        ] {
            assert!(bad.parse::<DatabaseUrl>().is_err(), "{bad}");
        }
        assert_eq!("sqlite:a/b.db".parse(), Ok(DatabaseUrl::Sqlite("a/b.db".into())));
        assert_eq!("sqlite:///a.db".parse(), Ok(DatabaseUrl::Sqlite("/a.db".into())));
        assert!(matches!("postgresql://h/d".parse(), Ok(DatabaseUrl::Postgres(_))));
    }
}
