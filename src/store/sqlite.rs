//! The embedded engine: one writer thread with group commit, a few reader threads.
//!
//! The writer takes whatever commands are waiting, runs them in one transaction, commits once and then answers them all:
//! a durable commit costs a wait for the disk, and this way many commands share it.

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use diesel::{
    Connection as _,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::SqliteConnection,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::oneshot;

use super::{
    Command, Conn, Failure, InPlace, Metrics, Shared, StoreError, Tx,
    command::batch,
    line::{self, Turn},
    metrics::Held,
    on,
};
use crate::domain::{clock::Clock, ids::SiteId};

/// Commands that one commit covers at the most. Beyond this the wait for the disk no longer shows.
const MAX_BATCH: usize = 256;

type ReadJob = Box<dyn FnOnce(&mut Conn) + Send>;

#[derive(Clone)]
pub(super) struct Sqlite {
    writer: mpsc::SyncSender<Box<dyn Job>>,
    readers: mpsc::SyncSender<ReadJob>,
    path: PathBuf,
    metrics: Metrics,
}

impl Sqlite {
    pub(super) fn open(
        path: &Path,
        readers: usize,
        max_bytes: Option<u64>,
        shared: &Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let (writer, commands) = mpsc::sync_channel(line::LENGTH);
        let conn = connect(path, Access::Write { max_bytes })?;
        let (shared, metrics) = (shared.clone(), shared.metrics.clone());
        spawn("frontdesk-writer", move || write_loop(conn, &commands, &shared))?;

        let (read, queries) = mpsc::sync_channel::<ReadJob>(line::LENGTH);
        let queries = Arc::new(Mutex::new(queries));
        metrics.connections.set(i64::try_from(readers).unwrap_or(i64::MAX));
        for number in 0..readers {
            let (queries, mut conn) = (queries.clone(), connect(path, Access::Read)?);
            spawn(&format!("frontdesk-reader-{number}"), move || {
                loop {
                    let job = match queries.lock() {
                        Ok(queries) => queries.recv(),
                        Err(_) => return,
                    };
                    match job {
                        // A panicking query must not take the thread with it; its caller sees the reply dropped.
                        Ok(job) => drop(std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut conn)))),
                        Err(_) => return,
                    }
                }
            })?;
        }
        Ok(Self {
            writer,
            readers: read,
            path: path.to_owned(),
            metrics,
        })
    }

    pub(super) async fn write<C: Command>(&self, command: C) -> Result<C::Output, Failure> {
        let (reply, answer) = oneshot::channel();
        let turn = Turn::default();
        let job = Queued {
            command,
            turn: turn.clone(),
            done: None,
            reply,
        };
        // Counted before it is there to be taken.
        self.metrics.queue.inc();
        line::stand(&self.writer, Box::new(job) as Box<dyn Job>).inspect_err(|_| {
            self.metrics.queue.dec();
        })?;
        let answer = line::wait(answer, &turn, line::PATIENCE).await?;
        answer.ok_or(StoreError::Stopped)?
    }

    pub(super) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let turn = Turn::default();
        let (waiting, busy) = (Held::new(&self.metrics.waiting), self.metrics.busy.clone());
        let job: ReadJob = Box::new({
            let turn = turn.clone();
            move |conn| {
                drop(waiting);
                // Nobody may be waiting any more.
                if turn.take() && !reply.is_closed() {
                    let _busy = Held::new(&busy);
                    let _ = reply.send(wait(query(conn)));
                }
            }
        });
        line::stand(&self.readers, job)?;
        let answer = line::wait(answer, &turn, line::PATIENCE).await?;
        answer.ok_or(StoreError::Panicked)?
    }

    /// Reads how much room the database takes.
    pub(super) fn observe_size(&self) {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = size(&self.path) + size(Path::new(&log));
        self.metrics.size.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub(super) async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path.clone(), file.to_owned());
        if to.exists() {
            return Err(StoreError::Unsupported(format!("{} is there already", to.display())));
        }
        let copy = move || -> Result<(), StoreError> {
            use diesel::{RunQueryDsl as _, sql_types::Text};
            let mut conn = establish(&from)?;
            // `VACUUM INTO` reads one consistent state while others write, and syncs what it wrote.
            diesel::sql_query("VACUUM INTO ?")
                .bind::<Text, _>(to.to_string_lossy())
                .execute(&mut conn)?;
            Ok(())
        };
        tokio::task::spawn_blocking(copy)
            .await
            .map_err(|_| StoreError::Panicked)?
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Drives a future that never waits for anything but the thread itself.
fn wait<F: Future>(future: F) -> F::Output {
    futures_util::FutureExt::now_or_never(future).unwrap_or_else(|| unreachable!("statements run in place"))
}

fn establish(path: &Path) -> Result<SqliteConnection, StoreError> {
    SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

/// Opens the file as every connection does: write-ahead log, each commit on the disk before it is answered.
pub(super) fn connect_plain(path: &Path) -> Result<SqliteConnection, StoreError> {
    use diesel::connection::SimpleConnection as _;
    let mut conn = establish(path)?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA trusted_schema = OFF;",
    )?;
    Ok(conn)
}

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
enum Access {
    Read,
    Write { max_bytes: Option<u64> },
}

#[derive(diesel::QueryableByName)]
struct PageSize {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    page_size: i64,
}

fn connect(path: &Path, access: Access) -> Result<Conn, StoreError> {
    use diesel::{RunQueryDsl as _, connection::SimpleConnection as _};
    let mut conn = connect_plain(path)?;
    match access {
        Access::Read => conn.batch_execute("PRAGMA query_only = ON")?,
        Access::Write { max_bytes: None } => {}
        Access::Write { max_bytes: Some(bytes) } => {
            let page: PageSize = diesel::sql_query("PRAGMA page_size").get_result(&mut conn)?;
            let pages = bytes / u64::try_from(page.page_size.max(1)).unwrap_or(1);
            conn.batch_execute(&format!("PRAGMA max_page_count = {}", pages.max(1)))?;
        }
    }
    Ok(Conn::Sqlite(Box::new(InPlace::new(conn))))
}

/// A command with somebody who waits for it, of whatever output.
trait Job: Send {
    /// Whether it is still to be done: who asked may have given it up while it waited.
    fn begin(&self) -> bool;
    /// Runs it inside the open transaction and keeps its output.
    fn attempt<'a>(&'a mut self, conn: &'a mut Conn, clock: &'a Arc<dyn Clock>) -> BoxFuture<'a, Result<(), Failure>>;
    /// Answers: with the output if `fate` is good. Gives back what was appended to which log.
    fn answer(self: Box<Self>, fate: Result<(), Failure>) -> Option<(SiteId, i64)>;
}

struct Queued<C: Command> {
    command: C,
    turn: Turn,
    done: Option<(C::Output, Option<i64>)>,
    reply: oneshot::Sender<Result<C::Output, Failure>>,
}

impl<C: Command> Job for Queued<C> {
    fn begin(&self) -> bool {
        self.turn.take()
    }

    fn attempt<'a>(&'a mut self, conn: &'a mut Conn, clock: &'a Arc<dyn Clock>) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let mut tx = Tx::new(conn, self.command.site(), clock.clone(), 1);
            let output = self.command.run(&mut tx).await?;
            let appended = tx.finish().await?;
            self.done = Some((output, appended.map(|appended| appended.position)));
            Ok(())
        })
    }

    fn answer(self: Box<Self>, fate: Result<(), Failure>) -> Option<(SiteId, i64)> {
        let (answer, appended) = match (fate, self.done) {
            (Ok(()), Some((output, position))) => (Ok(output), position.map(|p| (self.command.site(), p))),
            (Ok(()), None) => (Err(StoreError::Panicked.into()), None),
            (Err(failure), _) => (Err(failure), None),
        };
        // Whoever asked may have gone; the change stands all the same.
        let _ = self.reply.send(answer);
        appended
    }
}

type Fates = Vec<(Box<dyn Job>, Result<(), Failure>)>;

/// Statements that the writer runs all the time, prepared once.
macro_rules! fixed {
    ($($name:ident = $sql:literal;)*) => {$(
        #[derive(Debug, Clone, Copy, QueryId)]
        struct $name;

        impl QueryFragment<diesel::sqlite::Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> diesel::QueryResult<()> {
                pass.push_sql($sql);
                Ok(())
            }
        }
    )*};
}

fixed! {
    Begin = "BEGIN IMMEDIATE";
    Commit = "COMMIT";
    Savepoint = "SAVEPOINT command";
    Release = "RELEASE SAVEPOINT command";
    Undo = "ROLLBACK TO SAVEPOINT command";
}

diesel::define_sql_function! {
    /// Rows that the connection ever inserted, changed or deleted, also those that were rolled back.
    fn total_changes() -> diesel::sql_types::BigInt;
}

fn execute<Q>(conn: &mut Conn, statement: Q) -> Result<(), StoreError>
where
    Q: QueryFragment<diesel::sqlite::Sqlite> + QueryId + Send,
{
    use diesel_async::AsyncConnectionCore as _;
    on!(conn,
        sqlite c => wait(c.execute_returning_count(statement)).map(drop).map_err(StoreError::from),
        pg _c => unreachable!("the writer's connection is the embedded engine's")
    )
}

fn changes(conn: &mut Conn) -> Result<i64, StoreError> {
    use diesel_async::RunQueryDsl as _;
    Ok(on!(conn,
        sqlite c => wait(diesel::select(total_changes()).get_result(c))?,
        pg _c => unreachable!("the writer's connection is the embedded engine's")
    ))
}

fn write_loop(mut conn: Conn, commands: &mpsc::Receiver<Box<dyn Job>>, shared: &Shared) {
    while let Ok(first) = commands.recv() {
        let mut jobs = vec![first];
        while jobs.len() < MAX_BATCH
            && let Ok(job) = commands.try_recv()
        {
            jobs.push(job);
        }
        let metrics = &shared.metrics;
        let again = |jobs: usize| metrics.retries.inc_by(u64::try_from(jobs).unwrap_or(u64::MAX));
        metrics.queue.dec_by(i64::try_from(jobs.len()).unwrap_or(i64::MAX));
        jobs.retain(|job| job.begin());
        if jobs.is_empty() {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "a group is small")]
        metrics.groups.observe(jobs.len() as f64);
        let outcome = match together(&mut conn, jobs, &shared.clock, false) {
            Err(Ended { jobs, undo: true }) => {
                again(jobs.len());
                together(&mut conn, jobs, &shared.clock, true)
            }
            outcome => outcome,
        };
        let fates: Fates = match outcome {
            // Whoever has to try again does so behind the others.
            Ok(fates) => fates
                .into_iter()
                .map(|(job, fate)| match fate {
                    Err(failure) if failure.is_transient() => {
                        again(1);
                        alone(&mut conn, job, shared)
                    }
                    fate => (job, fate),
                })
                .collect(),
            // The whole transaction is gone: each has to find out about itself.
            Err(Ended { jobs, .. }) => {
                again(jobs.len());
                jobs.into_iter().map(|job| alone(&mut conn, job, shared)).collect()
            }
        };
        let mut last = std::collections::BTreeMap::new();
        for (job, fate) in fates {
            if let Some((site, position)) = job.answer(fate) {
                last.insert(site, position);
            }
        }
        for (site, position) in last {
            (shared.committed)(site, position);
        }
    }
}

/// A batch that came to nothing.
struct Ended {
    jobs: Vec<Box<dyn Job>>,
    /// Whether it only needs savepoints: a command that was refused had written something.
    undo: bool,
}

/// Runs all of them in one transaction. An error that isn't one command's own gives the jobs back, nothing done.
///
/// Nearly every command that is refused has written nothing by then, so that there is nothing to undo: `savepoints`,
/// which make SQLite copy every page that a command touches, are for the rest.
fn together(
    conn: &mut Conn,
    mut jobs: Vec<Box<dyn Job>>,
    clock: &Arc<dyn Clock>,
    savepoints: bool,
) -> Result<Fates, Ended> {
    if execute(conn, Begin).is_err() {
        return Err(Ended { jobs, undo: false });
    }
    let mut fates = Vec::with_capacity(jobs.len());
    for job in &mut jobs {
        match attempt(conn, job, clock, savepoints) {
            Ok(fate) => fates.push(fate),
            Err(Broken { undo }) => {
                rollback(conn);
                return Err(Ended { jobs, undo });
            }
        }
    }
    if execute(conn, Commit).is_err() {
        rollback(conn);
        return Err(Ended { jobs, undo: false });
    }
    Ok(jobs.into_iter().zip(fates).collect())
}

/// The transaction is no longer to be trusted, or holds what a refused command wrote (`undo`).
struct Broken {
    undo: bool,
}

impl From<StoreError> for Broken {
    fn from(_: StoreError) -> Self {
        Self { undo: false }
    }
}

/// Runs one command inside the open transaction.
fn attempt(
    conn: &mut Conn,
    job: &mut Box<dyn Job>,
    clock: &Arc<dyn Clock>,
    savepoints: bool,
) -> Result<Result<(), Failure>, Broken> {
    // Never a savepoint without a transaction around it: SQLite would open one silently. `BEGIN` came first, and every
    // error that may have ended it leaves through `Err`.
    let before = changes(conn)?;
    if savepoints {
        execute(conn, Savepoint)?;
    }
    match run(job, conn, clock) {
        Some(Ok(())) => {
            if savepoints {
                execute(conn, Release)?;
            }
            Ok(Ok(()))
        }
        Some(Err(failure)) if failure.spares_the_batch() => {
            if savepoints {
                execute(conn, Undo)?;
                execute(conn, Release)?;
            } else if changes(conn)? != before {
                return Err(Broken { undo: true });
            }
            Ok(Err(failure))
        }
        Some(Err(_)) | None => Err(Broken { undo: false }),
    }
}

/// Runs a command. Nothing comes of one that panics, or that waits for anything but the database: nobody would wake it.
fn run(job: &mut Box<dyn Job>, conn: &mut Conn, clock: &Arc<dyn Clock>) -> Option<Result<(), Failure>> {
    AssertUnwindSafe(job.attempt(conn, clock))
        .catch_unwind()
        .now_or_never()?
        .ok()
}

/// Runs one command in a transaction of its own.
fn alone(conn: &mut Conn, mut job: Box<dyn Job>, shared: &Shared) -> (Box<dyn Job>, Result<(), Failure>) {
    let mut fate = Err(Failure::Again);
    for tries in 0..3 {
        if tries > 0 {
            shared.metrics.retries.inc();
        }
        fate = once(conn, &mut job, &shared.clock);
        if !fate.as_ref().is_err_and(Failure::is_transient) {
            break;
        }
    }
    (job, fate)
}

fn once(conn: &mut Conn, job: &mut Box<dyn Job>, clock: &Arc<dyn Clock>) -> Result<(), Failure> {
    execute(conn, Begin)?;
    let fate = match run(job, conn, clock) {
        Some(Ok(())) => execute(conn, Commit).map_err(Failure::from),
        Some(Err(failure)) => Err(failure),
        None => Err(StoreError::Panicked.into()),
    };
    if fate.is_err() {
        rollback(conn);
    }
    fate
}

/// Ends whatever transaction is still open. There may be none left: some errors end it by themselves.
fn rollback(conn: &mut Conn) {
    let _ = wait(batch(conn, "ROLLBACK"));
}
