//! What every transport shares: the API it serves, the settings, and how an execution is run.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_graphql::Request;
use axum::http::{HeaderMap, StatusCode};
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    admission::{Admission, Operation, Pending, Place},
    api::{Api, Credentials, Frame, Refusal, RequestId},
    client::Open,
    lifeline::Lifeline,
    operation::Kind,
    settings::Settings,
    wire::{self, Fault},
};

/// The state of the routes.
#[derive(Clone)]
pub(super) struct Transport<A> {
    pub(super) api: A,
    pub(super) admission: Arc<Admission>,
    pub(super) settings: Arc<Settings>,
    pub(super) lifeline: Lifeline,
}

/// The other end of a connection, as an extension of its requests.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Whoever keeps the connection open keeps this.
    pub(super) open: Arc<Open>,
}

/// Why an execution has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It didn't begin.
    Refused(Refusal),
    /// It went down; what happened is in the log.
    Crashed,
    /// It was a query, and took too long.
    TimedOut,
}

impl From<Refusal> for Unfinished {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Unfinished {
    /// What the client hears.
    pub(super) fn fault<'a>(&'a self, id: &'a RequestId) -> Fault<'a> {
        match self {
            Self::Refused(refusal) => Fault::refused(refusal),
            Self::Crashed => Fault::internal(id),
            Self::TimedOut => Fault::plain(
                "QUERY_TIMEOUT",
                "the query took too long and was stopped: ask for less at once",
            ),
        }
    }
}

/// A result, as it goes out.
pub(super) struct Written {
    pub(super) frame: Frame,
    pub(super) headers: HeaderMap,
    pub(super) pending: Pending,
}

/// What an execution holds until it has ended.
pub(super) struct Admitted {
    _place: Place,
    operation: Operation,
}

impl Admitted {
    pub(super) fn new(place: Place, operation: Operation) -> Self {
        Self {
            _place: place,
            operation,
        }
    }
}

impl<A: Api> Transport<A> {
    /// Settles who the caller is, and lets its address pay for a wrong token.
    pub(super) async fn authenticate(&self, credentials: Credentials) -> Result<A::Caller, Refusal> {
        let client = credentials.peer;
        let outcome = self.api.authenticate(credentials).await;
        if let Err(refusal) = &outcome
            && refusal.status == StatusCode::UNAUTHORIZED
        {
            self.admission.wrong_token(client);
        }
        outcome
    }

    /// Counts an operation of a caller, unless there are too many.
    pub(super) fn begin(&self, caller: &A::Caller, client: Option<IpAddr>) -> Result<Operation, Refusal> {
        self.admission.begin(self.api.counted_as(caller), client)
    }

    /// Runs a query or mutation on a task of its own, so that a crash stays within it.
    ///
    /// Dropping the returned future stops a query, whose answer nobody would read, and so does
    /// taking longer than [`Settings::query_timeout`]. Anything else
    /// goes on to its end, and keeps the server from ending before that: a change must not stop
    /// half-way because the one who asked for it hung up.
    pub(super) fn run(
        &self,
        kind: Option<Kind>,
        caller: A::Caller,
        request: Request,
        request_id: RequestId,
        admitted: Admitted,
    ) -> impl Future<Output = Result<Written, Unfinished>> + Send + use<A> {
        let api = self.api.clone();
        let lifeline = self.lifeline.clone();
        let request = request.data(request_id);
        let patience = (kind == Some(Kind::Query)).then_some(self.settings.query_timeout);
        let admission = Arc::clone(&self.admission);
        let execution = async move {
            let (_lifeline, admitted) = (lifeline, admitted);
            let response = api.execute(caller, request).await;
            // Written here, it takes least room while nobody takes it.
            let frame = if wire::is_request_error(&response) {
                Frame::Errors(wire::errors(&response))
            } else {
                Frame::Next(wire::response(&response))
            };
            let (Frame::Next(bytes) | Frame::Errors(bytes)) = &frame;
            Written {
                pending: admission.lies(&admitted.operation, bytes.len()),
                headers: response.http_headers,
                frame,
            }
        };
        let task = Task {
            handle: tokio::spawn(execution.in_current_span()),
            stop_when_dropped: kind == Some(Kind::Query),
        };
        async move {
            let mut task = task;
            let ended = match patience {
                Some(patience) => timeout(patience, &mut task.handle)
                    .await
                    .map_err(|_| Unfinished::TimedOut)?,
                None => (&mut task.handle).await,
            };
            ended.map_err(|error| {
                tracing::error!(%error, "an execution crashed");
                Unfinished::Crashed
            })
        }
    }
}

impl<A: Api> Transport<A> {
    /// Runs any operation; a query or mutation is a stream of its one result, and waits for a place unless it has one.
    pub(super) fn stream(
        &self,
        kind: Option<Kind>,
        caller: A::Caller,
        request: Request,
        id: RequestId,
        operation: Operation,
        place: Option<Place>,
    ) -> BoxStream<'static, Frame> {
        if kind == Some(Kind::Subscription) {
            let frames = self.api.subscribe(caller, request.data(id));
            return Counting {
                frames,
                _operation: operation,
            }
            .boxed();
        }
        let fault_id = id.clone();
        let outcome = match place.or_else(|| self.admission.enter_now()) {
            Some(place) => {
                let admitted = Admitted::new(place, operation);
                self.run(kind, caller, request, id, admitted).left_future()
            }
            None => self.wait_and_run(kind, caller, request, id, operation).right_future(),
        };
        let result = outcome.map(move |outcome| match outcome {
            Ok(Written { frame, pending, .. }) => (frame, Some(pending)),
            Err(unfinished) => (Frame::Errors(wire::fault_list(&unfinished.fault(&fault_id))), None),
        });
        // It lies there until the next step is asked for.
        stream::unfold(Step::Runs(Box::pin(result)), |step| async {
            match step {
                Step::Runs(result) => {
                    let (frame, pending) = result.await;
                    Some((frame, Step::Told(pending)))
                }
                Step::Told(_) => None,
            }
        })
        .boxed()
    }
}

impl<A: Api> Transport<A> {
    /// Waits for a place on a task of its own: a socket that is held up by its client would leave the place that it got
    /// lying, with nobody in it.
    fn wait_and_run(
        &self,
        kind: Option<Kind>,
        caller: A::Caller,
        request: Request,
        id: RequestId,
        operation: Operation,
    ) -> impl Future<Output = Result<Written, Unfinished>> + Send + use<A> {
        let transport = self.clone();
        let outcome = async move {
            let place = transport.admission.enter_for(&operation).await?;
            let admitted = Admitted::new(place, operation);
            transport.run(kind, caller, request, id, admitted).await
        };
        let waiting = AbortOnDropHandle::new(tokio::spawn(outcome.in_current_span()));
        waiting.map(|outcome| outcome.unwrap_or(Err(Unfinished::Crashed)))
    }
}

/// The stream of one result.
enum Step<F> {
    Runs(Pin<Box<F>>),
    Told(#[expect(dead_code, reason = "it counts until it is dropped")] Option<Pending>),
}

/// A subscription that counts for its caller.
struct Counting {
    frames: BoxStream<'static, Frame>,
    _operation: Operation,
}

impl Stream for Counting {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.frames.poll_next_unpin(context)
    }
}

struct Task {
    handle: JoinHandle<Written>,
    stop_when_dropped: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.stop_when_dropped {
            self.handle.abort();
        }
    }
}
