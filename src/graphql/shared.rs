//! Subscriptions that ask the same share one execution, and the bytes of each of its responses.
//!
//! It owns groups: their executions, one after the other, a bounded broadcast and whoever listens. It must not know the schema, what a
//! caller is or how bytes reach a socket. Permissions are the business of whoever names the class: all that decides
//! what a caller gets to see has to be in it.
//!
//! An execution runs only when there is something to tell: from where the last one ended to the newest change. While
//! nothing happens, what a group costs is a place at the live end of the log.
//!
//! # What a resolver does
//!
//! Every item that it yields comes from an event with a position: the log's, or for one booking its revision.
//! Positions grow. It stores each in [`Cursor`] just before it yields the item. The engine asks a subscription's
//! stream for its next item only when the response to the last one was taken, so the cursor read after a response is
//! the position of the event that it was made from. Its two other orders are [`Start`] and [`Until`].

pub mod shareable;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use async_graphql::{Request, Response, ServerError, Value};
use bytes::Bytes;
use futures_util::{
    FutureExt as _,
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt as _},
};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::AbortHandle,
};

pub use shareable::{Shareable, SharedField};

/// Where an execution is: in the data of every subscription's request. The resolver stores the position of the event
/// just before it yields what it made from it.
#[derive(Debug, Clone)]
pub struct Cursor(Arc<AtomicI64>);

impl Cursor {
    fn new(position: i64) -> Self {
        Self(Arc::new(AtomicI64::new(position)))
    }

    /// Says that the next item comes from the event at this position.
    pub fn store(&self, position: i64) {
        self.0.store(position, Ordering::SeqCst);
    }

    /// The position of the last item.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Where an execution begins, in the data of a request: behind this position, without an item that shows the present
/// state. Goes before the argument `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start(pub i64);

/// Where an execution ends, in the data of a request: the stream ends behind this position, which the log is known to
/// have reached. It must end there even when no item is made from the event at that position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until(pub i64);

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A serialized `ExecutionResult`.
    Next(Bytes),
    /// A serialized array of errors. The last frame.
    Errors(Bytes),
}

/// What runs a request: `Schema::execute_stream`.
pub type Execute = dyn Fn(Request) -> BoxStream<'static, Response> + Send + Sync;

/// Makes a subscriber's request, with all data that its resolvers need. It is called for each execution that is run
/// for this subscriber: its group's, if it is the first of it, and those that catch up.
pub type MakeRequest = Arc<dyn Fn() -> Request + Send + Sync>;

/// Tells the positions behind one of those events that may have an item for a subscriber, as they come.
pub type Changes = Arc<dyn Fn(i64) -> BoxStream<'static, Result<i64, ServerError>> + Send + Sync>;

/// Where a subscriber begins.
pub enum Begin {
    /// With the events of the log behind `after`, or without it behind the log's end.
    Log {
        /// The position.
        after: Option<i64>,
        /// Reads where the log ends.
        end: BoxFuture<'static, Result<i64, ServerError>>,
        /// Whether it is one customer's own part of the log: little, and hardly anybody to share with.
        own: bool,
    },
    /// With an item that shows the present state, which an execution without [`Start`] yields first.
    Present,
}

impl fmt::Debug for Begin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { after, .. } => f.debug_struct("Log").field("after", after).finish_non_exhaustive(),
            Self::Present => f.write_str("Present"),
        }
    }
}

/// All shared executions of a server. Cheap to clone.
#[derive(Clone)]
pub struct SharedExecutions {
    registry: Arc<Registry>,
}

impl fmt::Debug for SharedExecutions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedExecutions")
            .field("groups", &self.groups())
            .finish_non_exhaustive()
    }
}

struct Registry {
    execute: Box<Execute>,
    buffer: usize,
    groups: Mutex<HashMap<Arc<str>, Entry>>,
}

struct Entry {
    group: Arc<Group>,
    members: usize,
}

/// Frames with the positions of their events.
type Feed = broadcast::Sender<(i64, Bytes)>;

/// One execution.
struct Group {
    key: Arc<str>,
    /// The sender is the execution's alone: when that ends, however it does, members see the channel closed.
    feed: broadcast::WeakSender<(i64, Bytes)>,
    /// The position of the last frame that was sent or is being sent.
    ///
    /// The execution sets this first and sends then; a member takes its receiver first and reads this then. So
    /// what a member won't find in its receiver is at or before the position that it read here, and an execution
    /// of its own up to there gives it that. What it has from both it knows by its position.
    position: AtomicI64,
    /// The errors that ended it.
    failed: OnceLock<Bytes>,
    task: OnceLock<AbortHandle>,
}

impl SharedExecutions {
    /// `buffer` is how many frames of a log a subscriber may be behind before it catches up by an execution of its own.
    #[must_use]
    pub fn new(
        execute: impl Fn(Request) -> BoxStream<'static, Response> + Send + Sync + 'static,
        buffer: usize,
    ) -> Self {
        Self {
            registry: Arc::new(Registry {
                execute: Box::new(execute),
                buffer: buffer.max(1),
                groups: Mutex::default(),
            }),
        }
    }

    /// Every frame of a subscription behind where it begins, each once and in order, from an execution that all
    /// subscribers with this key share; it runs as long as there is one.
    ///
    /// The key is [`Shareable::key`] with the class in front of it: the site, and whatever else decides what the
    /// caller may see. A subscriber that falls behind holds up nobody and loses nothing.
    ///
    /// A subscriber that begins with [`Begin::Present`] gets its first item from an execution of its own, which also
    /// tells the revision that the item shows; from there it goes on like one that begins behind that revision. So a
    /// change between the first item and its joining is caught up, and one that the item shows already is skipped.
    #[must_use]
    pub fn subscribe(
        &self,
        class: &str,
        key: &str,
        begin: Begin,
        changes: Changes,
        request: MakeRequest,
    ) -> BoxStream<'static, Frame> {
        let member = Member {
            buffer: match begin {
                Begin::Log { own: false, .. } => self.registry.buffer,
                // Here a busy log's buffer would be most of what a subscriber costs.
                Begin::Log { own: true, .. } => self.registry.buffer.min(32),
                Begin::Present => self.registry.buffer.min(8),
            },
            registry: self.registry.clone(),
            key: format!("{}:{class}{key}", class.len()).into(),
            request,
            changes,
            last: 0,
            phase: Phase::Begin(begin),
        };
        stream::unfold(member, |mut member| async move {
            let frame = member.next().await?;
            Some((frame, member))
        })
        .boxed()
    }

    /// The frames of a subscription that shares with nobody.
    #[must_use]
    pub fn private(&self, request: Request) -> BoxStream<'static, Frame> {
        let run = Run::new(&self.registry, request, i64::MIN);
        stream::unfold(Some(run), |run| async move {
            let mut run = run?;
            match run.next().await? {
                Step::Next(_, bytes) => Some((Frame::Next(bytes), Some(run))),
                Step::Failed(bytes) => Some((Frame::Errors(bytes), None)),
            }
        })
        .boxed()
    }

    /// How many executions are shared now.
    #[must_use]
    pub fn groups(&self) -> usize {
        lock(&self.registry.groups).len()
    }
}

impl Registry {
    fn has(&self, key: &str) -> bool {
        lock(&self.groups).contains_key(key)
    }

    /// Joins the group of a member's key, or makes it: it begins behind `start`.
    fn join(self: &Arc<Self>, member: &Member, start: i64) -> Seat {
        let key = &member.key;
        let mut groups = lock(&self.groups);
        if let Some(entry) = groups.get_mut(key)
            && let Some(feed) = entry.group.feed.upgrade()
        {
            entry.members += 1;
            return Seat {
                registry: self.clone(),
                group: entry.group.clone(),
                receiver: feed.subscribe(),
            };
        }
        let (feed, receiver) = broadcast::channel(member.buffer);
        let group = Arc::new(Group {
            key: key.clone(),
            feed: feed.downgrade(),
            position: AtomicI64::new(start),
            failed: OnceLock::new(),
            task: OnceLock::new(),
        });
        let entry = Entry {
            group: group.clone(),
            members: 1,
        };
        groups.insert(key.clone(), entry);
        drop(groups);
        let source = Source {
            registry: self.clone(),
            request: member.request.clone(),
            changes: (member.changes)(start),
            last: start,
            failure: None,
        };
        let task = tokio::spawn(group.clone().drive(source, feed));
        // Nobody can have left before: this seat is the first member's.
        let _ = group.task.set(task.abort_handle());
        Seat {
            registry: self.clone(),
            group,
            receiver,
        }
    }
}

/// Where a group's frames come from.
struct Source {
    registry: Arc<Registry>,
    request: MakeRequest,
    changes: BoxStream<'static, Result<i64, ServerError>>,
    /// Everything up to here was executed.
    last: i64,
    /// What ended the changes.
    failure: Option<ServerError>,
}

impl Source {
    /// The execution from the last change to the newest one; none when there are no more.
    async fn next(&mut self) -> Option<Result<(Run, i64), ServerError>> {
        loop {
            if let Some(error) = self.failure.take() {
                return Some(Err(error));
            }
            let mut newest = self.last;
            let mut change = Some(self.changes.next().await?);
            // What came in the meantime is told in the same execution.
            while let Some(told) = change {
                match told {
                    Ok(position) => newest = newest.max(position),
                    Err(error) => self.failure = Some(error),
                }
                change = self.changes.next().now_or_never().flatten();
            }
            if newest > self.last {
                let start = std::mem::replace(&mut self.last, newest);
                let request = (self.request)().data(Start(start)).data(Until(newest));
                return Some(Ok((Run::new(&self.registry, request, start), newest)));
            }
        }
    }
}

impl Group {
    async fn drive(self: Arc<Self>, mut source: Source, feed: Feed) {
        /// Frames sent before members on this thread get their turn, so that their buffers don't overflow.
        const BURST: u32 = 16;
        let mut sent = 0_u32;
        while let Some(execution) = source.next().await {
            let (mut run, until) = match execution {
                Ok(execution) => execution,
                Err(error) => {
                    let _ = self.failed.set(errors(&[error]));
                    return;
                }
            };
            while let Some(step) = Box::pin(run.next()).await {
                match step {
                    Step::Next(position, bytes) => {
                        // This order is what members rely on; see [`Group::position`].
                        self.position.store(position, Ordering::SeqCst);
                        // Whoever listened may just have left.
                        let _ = feed.send((position, bytes));
                        sent = sent.wrapping_add(1);
                        if sent.is_multiple_of(BURST) {
                            tokio::task::yield_now().await;
                        }
                    }
                    Step::Failed(bytes) => {
                        let _ = self.failed.set(bytes);
                        return;
                    }
                }
            }
            self.position.store(until, Ordering::SeqCst);
        }
    }
}

/// A member's seat in a group. Dropping it leaves; with the last one the execution ends.
struct Seat {
    registry: Arc<Registry>,
    group: Arc<Group>,
    receiver: broadcast::Receiver<(i64, Bytes)>,
}

impl Seat {
    /// Every frame that isn't in the receiver and never will be is at this position or before it.
    fn pinned(&self) -> i64 {
        self.group.position.load(Ordering::SeqCst)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut groups = lock(&self.registry.groups);
        // Under the same key there may be a later group already, if this one's execution ended by itself.
        if let Some(entry) = groups.get_mut(&self.group.key)
            && Arc::ptr_eq(&entry.group, &self.group)
        {
            entry.members -= 1;
            if entry.members == 0 {
                groups.remove(&self.group.key);
                if let Some(task) = self.group.task.get() {
                    task.abort();
                }
            }
        }
    }
}

struct Member {
    registry: Arc<Registry>,
    /// Frames that its group keeps for those who are behind, if it is this member that makes the group.
    buffer: usize,
    key: Arc<str>,
    request: MakeRequest,
    changes: Changes,
    /// The position of the last frame.
    last: i64,
    phase: Phase,
}

enum Phase {
    Begin(Begin),
    /// Everything up to `last` was had; a group that isn't there begins behind `start`.
    Join {
        start: i64,
    },
    /// A seat is taken; what lies before it comes from an execution of the member's own.
    CatchUp {
        seat: Seat,
        run: Run,
        until: i64,
    },
    Live(Seat),
    Ended,
}

impl Member {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::Begin(Begin::Log { after, end, .. }) => match end.await {
                    Ok(end) => {
                        self.last = after.unwrap_or(end);
                        // The group begins at the log's end, wherever its first member begins: a long way to catch
                        // up must not become everybody's.
                        self.phase = Phase::Join { start: end };
                    }
                    Err(error) => return Some(Frame::Errors(errors(&[error]))),
                },
                Phase::Begin(Begin::Present) => {
                    let mut run = Run::new(&self.registry, (self.request)(), i64::MIN);
                    match run.next().await? {
                        Step::Next(revision, bytes) => {
                            self.last = revision;
                            self.phase = Phase::Join { start: revision };
                            return Some(Frame::Next(bytes));
                        }
                        Step::Failed(bytes) => return Some(Frame::Errors(bytes)),
                    }
                }
                Phase::Join { start } => {
                    // A group runs nothing before there is a change. What is wrong with the request is said at once.
                    if !self.registry.has(&self.key) {
                        let request = (self.request)().data(Start(start)).data(Until(start));
                        let mut run = Run::new(&self.registry, request, start);
                        if let Some(Step::Failed(bytes)) = Box::pin(run.next()).await {
                            return Some(Frame::Errors(bytes));
                        }
                    }
                    let seat = self.registry.join(self, start);
                    self.phase = self.catch_up(seat);
                }
                Phase::CatchUp { seat, mut run, until } => match run.next().await {
                    Some(Step::Next(position, bytes)) => {
                        self.last = position.max(self.last);
                        self.phase = Phase::CatchUp { seat, run, until };
                        return Some(Frame::Next(bytes));
                    }
                    Some(Step::Failed(bytes)) => return Some(Frame::Errors(bytes)),
                    None => {
                        self.last = until.max(self.last);
                        self.phase = Phase::Live(seat);
                    }
                },
                Phase::Live(mut seat) => match seat.receiver.recv().await {
                    Ok((position, bytes)) => {
                        self.phase = Phase::Live(seat);
                        if position > self.last {
                            self.last = position;
                            return Some(Frame::Next(bytes));
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        seat.receiver = seat.receiver.resubscribe();
                        self.phase = self.catch_up(seat);
                    }
                    Err(RecvError::Closed) => return seat.group.failed.get().cloned().map(Frame::Errors),
                },
                Phase::Ended => return None,
            }
        }
    }

    /// What to do after a seat was taken.
    fn catch_up(&self, seat: Seat) -> Phase {
        let until = seat.pinned();
        if until <= self.last {
            return Phase::Live(seat);
        }
        let request = (self.request)().data(Start(self.last)).data(Until(until));
        let run = Run::new(&self.registry, request, self.last);
        Phase::CatchUp { seat, run, until }
    }
}

/// One execution and where it is.
struct Run {
    responses: BoxStream<'static, Response>,
    cursor: Cursor,
    last: i64,
}

enum Step {
    /// A response and the position of the event that it was made from.
    Next(i64, Bytes),
    /// The execution is over.
    Failed(Bytes),
}

impl Run {
    fn new(registry: &Registry, request: Request, start: i64) -> Self {
        let cursor = Cursor::new(start);
        Self {
            responses: (registry.execute)(request.data(cursor.clone())),
            cursor,
            last: start,
        }
    }

    async fn next(&mut self) -> Option<Step> {
        let response = self.responses.next().await?;
        let position = self.cursor.get();
        // Errors in the place of data are an event's own result when the resolver had reached that event. If it
        // hadn't, the request or the stream itself failed.
        if response.data == Value::Null && !response.errors.is_empty() && position == self.last {
            return Some(Step::Failed(errors(&response.errors)));
        }
        self.last = position;
        Some(match serde_json::to_vec(&response) {
            Ok(bytes) => Step::Next(position, bytes.into()),
            Err(error) => {
                tracing::error!(%error, "a response could not be serialized");
                Step::Failed(errors(&[ServerError::new("internal error", None)]))
            }
        })
    }
}

fn errors(errors: &[ServerError]) -> Bytes {
    // Errors are texts, numbers and maps with texts as keys: that can't fail.
    serde_json::to_vec(errors).unwrap_or_else(|_| b"[]".to_vec()).into()
}

/// Locks; what a panicking holder left behind is whole, as every change here is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
