//! The server engine: a pool, row locks, retries, and the truth about a commit whose answer was lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::managed::TimeoutType;
use diesel::sql_types::Text;
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool, PoolError},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use rand::RngExt as _;

use super::{Command, Conn, Failure, Metrics, Shared, StoreError, Tx, events::Appended, line, on};

/// How often a command is run before its transient failure is believed.
const MAX_TRIES: u32 = 8;
/// For how long a command is run again because others got ahead. Each time one of them is done, so it ends; counting
/// the tries would refuse somebody in a crowd.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub(super) struct Postgres {
    pool: Pool<AsyncPgConnection>,
}

impl Postgres {
    pub(super) fn open(url: &str, connections: usize) -> Result<Self, StoreError> {
        let mut config = ManagerConfig::default();
        // A dead connection shows at its first statement, before anything was done: the command is run again.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(|url| connect(url).boxed());
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(line::PATIENCE))
            .create_timeout(Some(Duration::from_secs(10)))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Reads how the pool is used.
    pub(super) fn observe_pool(&self, metrics: &Metrics) {
        let status = self.pool.status();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        metrics.connections.set(count(status.size));
        metrics.busy.set(count(status.size.saturating_sub(status.available)));
        metrics.waiting.set(count(status.waiting));
    }

    async fn conn(&self) -> Result<Conn, StoreError> {
        if self.pool.status().waiting >= line::LENGTH {
            return Err(StoreError::Busy);
        }
        let conn = self.pool.get().await.map_err(|error| match error {
            // Every connection stayed busy; another try would only wait in the same line.
            PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
            error => StoreError::Unavailable(error.to_string()),
        })?;
        Ok(Conn::Pg(Arc::new(conn)))
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let mut conn = self.conn().await?;
        query(&mut conn).await
    }

    pub(super) async fn write<C: Command>(&self, command: C, shared: Arc<Shared>) -> Result<C::Output, Failure> {
        let engine = self.clone();
        // A task of its own: whoever asked may hang up, and the connection must not be left in a transaction.
        tokio::spawn(async move { engine.run(&command, &shared).await })
            .await
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    async fn run<C: Command>(&self, command: &C, shared: &Shared) -> Result<C::Output, Failure> {
        let started = Instant::now();
        let (mut tries, mut failures) = (0_u32, 0);
        loop {
            tries += 1;
            match self.once(command, shared, tries).await {
                Err(failure) if failure.is_transient() => {
                    let hopeless = if matches!(failure, Failure::Again) {
                        started.elapsed() > PATIENCE
                    } else {
                        failures += 1;
                        failures >= MAX_TRIES
                    };
                    if hopeless {
                        tracing::warn!(tries, %failure, "a command was run in vain");
                        return Err(failure);
                    }
                    let ceiling = 4_u64 << tries.min(6);
                    let pause = rand::rng().random_range(0..=ceiling);
                    tracing::debug!(tries, pause, %failure, "running a command again");
                    shared.metrics.retries.inc();
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once<C: Command>(&self, command: &C, shared: &Shared, tries: u32) -> Result<C::Output, Failure> {
        let mut open = Open(Some(self.conn().await?));
        let conn = open.conn()?;
        batch(conn, "BEGIN").await?;
        let mut tx = Tx::new(conn, command.site(), shared.clock.clone(), tries);
        let outcome = match command.run(&mut tx).await {
            Ok(output) => tx.finish().await.map(|appended| (output, appended)),
            Err(failure) => Err(failure),
        };
        let (output, appended) = match outcome {
            Ok(done) => done,
            Err(failure) => {
                if batch(open.conn()?, "ROLLBACK").await.is_ok() {
                    open.over();
                }
                return Err(failure);
            }
        };
        self.commit(open, appended.as_ref()).await?;
        if let Some(appended) = appended {
            (shared.committed)(command.site(), appended.position);
        }
        Ok(output)
    }

    /// Commits. When the connection is lost on the way, asks the server what became of it.
    async fn commit(&self, mut open: Open, appended: Option<&Appended>) -> Result<(), Failure> {
        match batch(open.conn()?, "COMMIT").await {
            Ok(()) => {
                open.over();
                Ok(())
            }
            Err(StoreError::Unavailable(_)) => {
                drop(open);
                match appended.and_then(|appended| appended.transaction.as_deref()) {
                    Some(transaction) => self.fate(transaction).await,
                    // It wrote no event, so its id is not known.
                    None => Err(StoreError::OutcomeUnknown.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What became of a transaction whose connection was lost during its commit.
    async fn fate(&self, transaction: &str) -> Result<(), Failure> {
        for pause in [50, 200, 1000, 3000] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let Ok(mut conn) = self.conn().await else { continue };
            let query = diesel::sql_query("SELECT pg_xact_status($1::text::xid8) AS status")
                .bind::<Text, _>(transaction.to_owned());
            let status = on!(&mut conn,
                sqlite _c => None,
                pg c => query.get_result::<XactStatus>(c).await.ok().and_then(|row| row.status)
            );
            match status.as_deref() {
                Some("committed") => return Ok(()),
                Some("aborted") => return Err(Failure::Again),
                // Still in progress, or the connection died as well.
                _ => discard(conn),
            }
        }
        Err(StoreError::OutcomeUnknown.into())
    }
}

#[derive(diesel::QueryableByName)]
struct XactStatus {
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    status: Option<String>,
}

async fn batch(conn: &mut Conn, sql: &str) -> Result<(), StoreError> {
    super::command::batch(conn, sql).await
}

/// The connection of a transaction. However its command ends, by a panic, too: it doesn't go back into the pool before
/// the transaction is over. The next command would go on in it and commit the half that was done.
struct Open(Option<Conn>);

impl Open {
    fn conn(&mut self) -> Result<&mut Conn, StoreError> {
        self.0.as_mut().ok_or(StoreError::Stopped)
    }

    /// The transaction is over; the connection may serve others.
    fn over(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            discard(conn);
        }
    }
}

/// Takes a connection out of the pool for good.
fn discard(conn: Conn) {
    if let Conn::Pg(object) = conn
        && let Some(object) = Arc::into_inner(object)
    {
        drop(Object::take(object));
    }
}

async fn connect(url: &str) -> diesel::ConnectionResult<AsyncPgConnection> {
    let mut conn = AsyncPgConnection::establish(url).await?;
    conn.batch_execute(
        "SET application_name = 'frontdesk'; SET timezone = 'UTC'; SET statement_timeout = '30s';
         SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s';
         SET default_transaction_isolation = 'read committed'",
    )
    .await
    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}
