//! What every transport shares: the API it serves, the settings, and how an execution is run.

use std::{future::Future, net::SocketAddr, sync::Arc};

use async_graphql::{Request, Response};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::{
    api::{Api, RequestId},
    lifeline::Lifeline,
    operation::Kind,
    settings::Settings,
};

/// The state of the routes.
#[derive(Clone)]
pub(super) struct Transport<A> {
    pub(super) api: A,
    pub(super) settings: Arc<Settings>,
    pub(super) lifeline: Lifeline,
}

/// The address at the other end, as a request's extension.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// An execution went down; what happened is in the log.
pub(super) struct Crashed;

impl<A: Api> Transport<A> {
    /// Runs a query or mutation on a task of its own, so that a crash stays within it.
    ///
    /// Dropping the returned future stops a query, whose answer nobody would read. Anything else
    /// goes on to its end, and keeps the server from ending before that: a change must not stop
    /// half-way because the one who asked for it hung up.
    pub(super) fn run(
        &self,
        kind: Option<Kind>,
        caller: A::Caller,
        request: Request,
        request_id: RequestId,
    ) -> impl Future<Output = Result<Response, Crashed>> + Send + use<A> {
        let api = self.api.clone();
        let lifeline = self.lifeline.clone();
        let request = request.data(request_id);
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
            (&mut task.handle).await.map_err(|error| {
                tracing::error!(%error, "an execution crashed");
                Crashed
            })
        }
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
