//! A small GraphQL service and a server around it, to prove the transports' rules on.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: each test binary uses its own part of it, and fails by panicking"
)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, Object, Request, Response, Schema, SimpleObject, Subscription, ValidationMode};
use frontdesk::http::{Api, Credentials, Frame, Refusal, RequestId, Settings, serve};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, broadcast, oneshot, watch},
    task::JoinHandle,
};

/// What tests watch and steer inside the service.
pub struct Probe {
    /// One permit for each gated field that has begun.
    pub begun: Semaphore,
    /// A gated field goes on when it gets a permit.
    pub gate: Semaphore,
    /// How often a mutation took effect.
    pub effects: watch::Sender<usize>,
    /// How many gated fields were dropped, finished or not.
    pub gated_dropped: watch::Sender<usize>,
    /// How many items floods have yielded.
    pub flooded: AtomicUsize,
    /// How many floods were dropped.
    pub floods_dropped: watch::Sender<usize>,
    /// How many live event streams there are.
    pub listeners: watch::Sender<usize>,
    pub events: broadcast::Sender<String>,
    pub ready: watch::Sender<Result<(), String>>,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            begun: Semaphore::new(0),
            gate: Semaphore::new(0),
            effects: watch::Sender::new(0),
            gated_dropped: watch::Sender::new(0),
            flooded: AtomicUsize::new(0),
            floods_dropped: watch::Sender::new(0),
            listeners: watch::Sender::new(0),
            events: broadcast::Sender::new(1024),
            ready: watch::Sender::new(Ok(())),
        }
    }
}

impl Probe {
    pub async fn has_begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }

    pub fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    async fn pass_gate(&self) {
        let _dropped = OnDrop(|| self.gated_dropped.send_modify(|n| *n += 1));
        self.begun.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
    }
}

/// Waits until a watched value satisfies a condition.
pub async fn until<T>(watched: &watch::Sender<T>, condition: impl FnMut(&T) -> bool) {
    watched.subscribe().wait_for(condition).await.unwrap();
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn probe<'a>(context: &Context<'a>) -> &'a Arc<Probe> {
    context.data_unchecked()
}

fn crash() -> bool {
    panic!("on purpose")
}

#[derive(SimpleObject)]
struct Event {
    text: String,
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        name.unwrap_or_else(|| "world".into())
    }

    async fn who(&self, context: &Context<'_>) -> String {
        context.data_unchecked::<Caller>().0.clone()
    }

    async fn request_id(&self, context: &Context<'_>) -> String {
        context.data_unchecked::<RequestId>().to_string()
    }

    async fn gated(&self, context: &Context<'_>) -> bool {
        probe(context).pass_gate().await;
        true
    }

    async fn slow(&self, ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }

    /// An error inside the option nulls the field; around it, it would null the parent.
    async fn fails(&self) -> Option<async_graphql::Result<bool>> {
        Some(Err("it fails".into()))
    }

    async fn fails_required(&self) -> async_graphql::Result<bool> {
        Err("it fails".into())
    }

    async fn crashes(&self) -> bool {
        crash()
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn act(&self, context: &Context<'_>) -> usize {
        probe(context).effects.send_modify(|n| *n += 1);
        *probe(context).effects.borrow()
    }

    async fn act_gated(&self, context: &Context<'_>) -> usize {
        probe(context).pass_gate().await;
        probe(context).effects.send_modify(|n| *n += 1);
        *probe(context).effects.borrow()
    }

    async fn publish(&self, context: &Context<'_>, text: String) -> usize {
        probe(context).events.send(text).unwrap_or(0)
    }
}

pub struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn events(&self, context: &Context<'_>) -> impl Stream<Item = Event> + use<> {
        let probe = Arc::clone(probe(context));
        let receiver = probe.events.subscribe();
        probe.listeners.send_modify(|n| *n += 1);
        let guard = OnDrop(move || probe.listeners.send_modify(|n| *n -= 1));
        stream::unfold((receiver, guard), |(mut receiver, guard)| async {
            let text = receiver.recv().await.ok()?;
            Some((Event { text }, (receiver, guard)))
        })
    }

    async fn countdown(&self, from: u32) -> impl Stream<Item = u32> + use<> {
        stream::iter((0..from).rev())
    }

    /// Never ends and is always ready.
    async fn flood(&self, context: &Context<'_>, size: usize) -> impl Stream<Item = String> + use<> {
        let probe = Arc::clone(probe(context));
        let counter = Arc::clone(&probe);
        let guard = OnDrop(move || probe.floods_dropped.send_modify(|n| *n += 1));
        stream::iter(0_u64..).map(move |n| {
            let _alive = &guard;
            counter.flooded.fetch_add(1, Ordering::SeqCst);
            format!("{n} {}", "x".repeat(size))
        })
    }

    async fn refuses(&self) -> async_graphql::Result<stream::Empty<bool>> {
        Err("not for you".into())
    }

    async fn crashes(&self) -> impl Stream<Item = bool> + use<> {
        stream::iter([true, false]).map(|fine| if fine { fine } else { crash() })
    }
}

#[derive(Clone)]
pub struct Caller(pub String);

#[derive(Clone)]
pub struct Toy {
    schema: Schema<Query, Mutation, Subscriptions>,
    pub probe: Arc<Probe>,
}

impl Default for Toy {
    fn default() -> Self {
        Self::new(ValidationMode::Strict)
    }
}

impl Toy {
    fn new(validation: ValidationMode) -> Self {
        let probe = Arc::<Probe>::default();
        let schema = Schema::build(Query, Mutation, Subscriptions)
            .validation_mode(validation)
            .data(Arc::clone(&probe))
            .finish();
        Self { schema, probe }
    }

    /// One that leaves it to a gate to look at documents.
    pub fn behind_a_gate() -> Self {
        Self::new(ValidationMode::Fast)
    }

    /// Its schema as text.
    pub fn sdl(&self) -> String {
        self.schema.sdl()
    }
}

impl Api for Toy {
    type Caller = Caller;

    async fn authenticate(&self, credentials: Credentials) -> Result<Caller, Refusal> {
        match credentials.site.as_deref() {
            None | Some("studio") => {}
            Some(_) => return Err(Refusal::site_not_found("there is no such site")),
        }
        let name = match credentials.bearer.as_deref() {
            None => credentials.visitor_token.unwrap_or("a visitor".into()),
            Some("secret") => "the owner".into(),
            Some("slow") => {
                self.probe.pass_gate().await;
                "the slow one".into()
            }
            Some("crash") => return Ok(Caller(crash().to_string())),
            Some("down") => return Err(Refusal::unavailable("no way to tell")),
            Some(_) => return Err(Refusal::unauthenticated("the token is unknown")),
        };
        assert!(credentials.peer.is_some(), "the transport knows the peer");
        Ok(Caller(name))
    }

    async fn execute(&self, caller: Caller, request: Request) -> Response {
        self.schema.execute(request.data(caller)).await
    }

    fn subscribe(&self, caller: Caller, request: Request) -> BoxStream<'static, Frame> {
        let responses = self.schema.execute_stream(request.data(caller));
        let frames = responses.map(|response| {
            if response.data == async_graphql::Value::Null && response.is_err() {
                return Frame::Errors(serde_json::to_vec(&response.errors).unwrap().into());
            }
            Frame::Next(serde_json::to_vec(&response).unwrap().into())
        });
        frames.boxed()
    }

    async fn readiness(&self) -> Result<(), String> {
        self.probe.ready.borrow().clone()
    }
}

/// A server on a port of its own.
pub struct Server {
    pub address: SocketAddr,
    pub probe: Arc<Probe>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let toy = Toy::default();
        let probe = Arc::clone(&toy.probe);
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let running = tokio::spawn(serve(listener, toy, settings, shutdown));
        Self {
            address,
            probe,
            stop,
            running,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins the shutdown; the handle ends with the server.
    pub fn stop(self) -> JoinHandle<std::io::Result<()>> {
        self.stop.send(()).unwrap();
        self.running
    }
}
