//! GraphQL over WebSocket: the `graphql-transport-ws` protocol.
//!
//! One task per socket does everything but run queries and mutations. It owns the protocol's
//! order and close codes, keep-alive and back-pressure, and must not know what operations are
//! about: it moves bytes that were serialized elsewhere.
//!
//! Back-pressure is the loop's shape: while a message waits for the client to make room, nothing
//! else is read or polled, so one message at most waits here, and the rest where it comes from.

mod message;
mod operations;

use std::{convert::Infallible, future::Future, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    response::Response,
};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, future::BoxFuture};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use self::{
    message::{ClientMessage, Close},
    operations::{Operations, Step},
};
use super::{
    admission::{Operation, RELIEF},
    api::{Api, Credentials, Refusal, RequestId},
    client::Open,
    credentials,
    lease::Lease,
    lifeline::Phase,
    metrics::Held,
    operation, params,
    trace_parent::TraceParent,
    transport::{Peer, Transport},
    wire::{self, Fault},
};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Most sockets are idle most of the time, so what each keeps allocated counts for more than
/// fewer system calls on the busy ones.
const BUFFER: usize = 1024;

/// Most messages of operations that go out before the client is listened to again.
const BATCH: usize = 64;

/// How long a client may take to answer a close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Answers an upgrade request, and talks to the client once the connection is a WebSocket.
///
/// `credentials` are those of the upgrade request.
pub(super) fn accept<A: Api>(
    transport: Transport<A>,
    upgrade: WebSocketUpgrade,
    credentials: Credentials,
    peer: Option<Peer>,
    parent: Option<TraceParent>,
    id: RequestId,
) -> Response {
    let span = tracing::info_span!(parent: None, "socket", %id);
    let limit = transport.settings.message_limit;
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |socket| {
            let connection = Connection {
                client: credentials.peer,
                socket,
                _open: peer.map(|peer| peer.open),
                _counted: Held::new(&transport.settings.metrics.websockets),
                parent,
                transport,
                id,
                stage: Stage::Opened(credentials),
                lease: Lease::NONE,
                operations: Operations::default(),
                started: 0,
            };
            connection.serve().instrument(span)
        })
}

struct Connection<A: Api> {
    client: Option<IpAddr>,
    socket: WebSocket,
    _open: Option<Arc<Open>>,
    _counted: Held,
    /// The trace that its operations belong to.
    parent: Option<TraceParent>,
    transport: Transport<A>,
    id: RequestId,
    stage: Stage<A::Caller>,
    lease: Lease,
    operations: Operations,
    /// How many operations there were, for their request ids.
    started: u64,
}

/// How far the client has come with introducing itself.
enum Stage<C> {
    /// Nothing said yet; the credentials are those of the upgrade request.
    Opened(Credentials),
    Authenticating(BoxFuture<'static, Result<C, Refusal>>),
    Acknowledged(C),
}

impl<C> Stage<C> {
    /// The outcome of authentication; waits for ever where none is going on.
    async fn authenticated(&mut self) -> Result<C, Refusal> {
        match self {
            Self::Authenticating(outcome) => outcome.await,
            Self::Opened(_) | Self::Acknowledged(_) => std::future::pending().await,
        }
    }
}

/// Why a conversation is over.
enum End {
    /// The client has begun to close.
    ByClient,
    /// The connection is lost, or the client takes nothing any more.
    Lost,
    ByServer(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::ByServer(close)
    }
}

impl<A: Api> Connection<A> {
    async fn serve(mut self) {
        let mut lifeline = self.transport.lifeline.clone();
        let end = tokio::select! {
            biased;
            () = lifeline.reached(Phase::Draining) => End::ByServer(Close::GOING_AWAY),
            Err(end) = self.talk() => end,
        };
        let Self {
            mut socket,
            operations,
            transport,
            ..
        } = self;
        // Nobody listens any more, however long the farewell takes.
        drop(operations);
        let farewell = async {
            match end {
                End::Lost => return,
                End::ByClient => {}
                End::ByServer(close) => {
                    // Its reason may quote the client.
                    tracing::debug!(code = close.code, "closing");
                    transport.settings.metrics.closing(close.code);
                    let frame = Message::Close(Some(close.into_frame()));
                    if socket.send(frame).await.is_err() {
                        return;
                    }
                }
            }
            // Reading on sends the answer to the client's close frame, or waits for the answer to
            // ours: closing with something unread would reset the connection, and the client
            // would never see why.
            while let Some(Ok(_)) = socket.recv().await {}
        };
        let _ = timeout(CLOSE_PATIENCE, farewell).await;
    }

    /// Serves the client until there's a reason not to.
    async fn talk(&mut self) -> Result<Infallible, End> {
        if self.socket.protocol().is_none() {
            return Err(Close::WRONG_PROTOCOL.into());
        }
        let keep_alive = self.transport.settings.keep_alive;
        // One clock does for both: first the introduction's deadline, then the pings.
        let mut clock = pin!(sleep(self.transport.settings.init_timeout));
        let mut heard = true;
        loop {
            tokio::select! {
                received = self.socket.recv() => {
                    heard = true;
                    self.on_received(received).await?;
                }
                (id, step) = self.operations.next() => self.deliver(&id, step).await?,
                outcome = self.stage.authenticated() => {
                    let caller = outcome.map_err(|refusal| Close::refused(&refusal))?;
                    self.lease = Lease::of(&self.transport.api, &caller);
                    self.stage = Stage::Acknowledged(caller);
                    self.send_text(message::ACK).await?;
                    clock.as_mut().reset(Instant::now() + keep_alive);
                }
                refusal = self.lease.over() => return Err(Close::refused(&refusal).into()),
                () = &mut clock => {
                    if !matches!(self.stage, Stage::Acknowledged(_)) {
                        return Err(Close::INIT_TIMEOUT.into());
                    }
                    // Where the whole process was held up, the clock strikes together with the
                    // arrival of what the client said in time.
                    if !heard && let Some(received) = self.socket.recv().now_or_never() {
                        heard = true;
                        self.on_received(received).await?;
                    }
                    if !std::mem::take(&mut heard) {
                        return Err(Close::SILENT.into());
                    }
                    // A frame and not the protocol's own message: every client's library answers
                    // it, browsers' included, without the app's doing.
                    self.send(Message::Ping(Bytes::new())).await?;
                    clock.as_mut().reset(Instant::now() + keep_alive);
                }
            }
        }
    }

    async fn on_received(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match received {
            Some(Ok(Message::Text(text))) => self.on_text(&text).await,
            // Frames of that kind are answered below us, and a pong has done its work by coming.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => Err(Close::bad_message("messages must be text"))?,
            Some(Ok(Message::Close(_))) => Err(End::ByClient),
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket could not be read");
                // The type that would tell is not within reach through axum.
                if error.to_string().starts_with("Space limit exceeded") {
                    return Err(Close::TOO_BIG.into());
                }
                Err(Close::BROKEN.into())
            }
            None => Err(End::Lost),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), End> {
        match ClientMessage::parse(text)? {
            ClientMessage::Init { payload } => self.initialize(payload)?,
            ClientMessage::Ping { payload } => self.send_text(message::pong(payload)).await?,
            ClientMessage::Pong => {}
            ClientMessage::Subscribe { id, payload } => {
                if let Some(refused) = self.subscribe(&id, payload)? {
                    self.send_text(refused).await?;
                }
            }
            ClientMessage::Complete { id } => self.operations.stop(&id),
        }
        Ok(())
    }

    fn initialize(&mut self, payload: Option<&str>) -> Result<(), Close> {
        let Stage::Opened(upgrade) = &mut self.stage else {
            return Err(Close::TOO_MANY_INITS);
        };
        let credentials = credentials::from_init_payload(payload, std::mem::take(upgrade))
            .map_err(|refusal| Close::refused(&refusal))?;
        let (transport, client) = (self.transport.clone(), self.client);
        let knocked = transport.admission.knock(client);
        knocked.map_err(|refusal| Close::refused(&refusal))?;
        let outcome = async move {
            let _place = transport.admission.enter(client).await?;
            transport.authenticate(credentials).await
        };
        // On a task of its own, so that no place is kept by a socket whose client holds it up.
        let outcome = AbortOnDropHandle::new(tokio::spawn(outcome.in_current_span())).map(|outcome| {
            let crashed = |_| Err(Refusal::unavailable("callers can't be told apart at the moment"));
            outcome.unwrap_or_else(crashed)
        });
        self.stage = Stage::Authenticating(outcome.boxed());
        Ok(())
    }

    /// Starts an operation, or gives the message that says why not.
    fn subscribe(&mut self, id: &str, payload: &str) -> Result<Option<Utf8Bytes>, Close> {
        let Stage::Acknowledged(caller) = &self.stage else {
            return Err(Close::UNAUTHORIZED);
        };
        let caller = caller.clone();
        if self.operations.contains(id) {
            return Err(Close::duplicate(id));
        }
        let operation = match self.begin(&caller) {
            Ok(operation) => operation,
            Err(refusal) => return Ok(message::error(id, &wire::fault_list(&Fault::refused(&refusal)))),
        };
        let mut request =
            params::from_json(payload.as_bytes()).map_err(|malformed| Close::bad_message(malformed.to_string()))?;
        if let Err(refusal) = self.transport.api.resolve(&mut request) {
            return Ok(message::error(id, &wire::fault_list(&Fault::refused(&refusal))));
        }
        self.started += 1;
        let request_id = self.id.nth(self.started);
        let kind = operation::kind(&request.query, request.operation_name.as_deref());
        let request = match &self.parent {
            Some(parent) => request.data(parent.clone()),
            None => request,
        };
        let frames = self
            .transport
            .stream(kind, caller, request, request_id, operation, None);
        self.operations.start(id, frames);
        Ok(None)
    }

    /// Counts an operation, unless there are too many of this socket or of its caller.
    fn begin(&self, caller: &A::Caller) -> Result<Operation, Refusal> {
        let most = self.transport.settings.max_operations;
        if self.operations.len() >= most {
            let message = format!("at most {most} operations can run at once on one connection");
            return Err(Refusal::too_many_operations(message, RELIEF));
        }
        self.transport.begin(caller, self.client)
    }

    /// Sends a step of an operation and whatever else is ready by then, in one go.
    async fn deliver(&mut self, id: &str, step: Step) -> Result<(), End> {
        self.feed_step(id, step).await?;
        for _ in 1..BATCH {
            let Some((id, step)) = self.operations.next().now_or_never() else {
                break;
            };
            self.feed_step(&id, step).await?;
        }
        let flushed = self.socket.flush();
        in_time(self.transport.settings.write_timeout, flushed).await
    }

    /// Hands a step to the socket's buffer, which waits where the client doesn't make room.
    async fn feed_step(&mut self, id: &str, step: Step) -> Result<(), End> {
        let message = match step {
            Step::Next(payload) => message::next(id, &payload),
            Step::Errors(payload) => message::error(id, &payload),
            Step::Complete => Some(message::complete(id)),
            Step::Crashed => {
                tracing::error!("a subscription crashed");
                message::error(id, &wire::fault_list(&Fault::internal(&self.id)))
            }
        };
        let Some(message) = message else {
            tracing::error!("a result is not text and can't be sent");
            return Err(End::Lost);
        };
        let fed = self.socket.feed(Message::Text(message));
        in_time(self.transport.settings.write_timeout, fed).await
    }

    async fn send_text(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.send(Message::Text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let sent = self.socket.send(message);
        in_time(self.transport.settings.write_timeout, sent).await
    }
}

/// Gives a client up that doesn't make room for what is being written.
async fn in_time(limit: Duration, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(limit, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Lost),
    }
}
