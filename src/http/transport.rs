//! What every transport shares: the API it serves, the settings, and how an execution is run.

use std::{future::Future, net::SocketAddr, sync::Arc};

use async_graphql::{Request, Response};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{task::JoinHandle, time::timeout};
use tracing::Instrument;

use super::{
    api::{Api, Frame, RequestId},
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It went down; what happened is in the log.
    Crashed,
    /// It was a query, and took too long.
    TimedOut,
}

impl Unfinished {
    /// What the client hears.
    pub(super) fn fault(self, id: &RequestId) -> Fault<'_> {
        match self {
            Self::Crashed => Fault::internal(id),
            Self::TimedOut => Fault {
                code: "QUERY_TIMEOUT",
                message: "the query took too long and was stopped: ask for less at once",
                request_id: None,
            },
        }
    }
}

impl<A: Api> Transport<A> {
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
    ) -> impl Future<Output = Result<Response, Unfinished>> + Send + use<A> {
        let api = self.api.clone();
        let lifeline = self.lifeline.clone();
        let request = request.data(request_id);
        let patience = (kind == Some(Kind::Query)).then_some(self.settings.query_timeout);
        let execution = async move {
            let _lifeline = lifeline;
            api.execute(caller, request).await
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
    /// Runs any operation; a query or mutation is a stream of its one result.
    pub(super) fn stream(
        &self,
        kind: Option<Kind>,
        caller: A::Caller,
        request: Request,
        id: RequestId,
    ) -> BoxStream<'static, Frame> {
        if kind == Some(Kind::Subscription) {
            return self.api.subscribe(caller, request.data(id));
        }
        let outcome = self.run(kind, caller, request, id.clone());
        let frame = outcome.map(move |outcome| match outcome {
            Ok(response) if wire::is_request_error(&response) => Frame::Errors(wire::errors(&response)),
            Ok(response) => Frame::Next(wire::response(&response)),
            Err(unfinished) => Frame::Errors(wire::fault_list(&unfinished.fault(&id))),
        });
        stream::once(frame).boxed()
    }
}

struct Task {
    handle: JoinHandle<Response>,
    stop_when_dropped: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.stop_when_dropped {
            self.handle.abort();
        }
    }
}
