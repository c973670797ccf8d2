//! What the transports count about themselves. No label holds anything that a client chose.

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedWith {
    code: u16,
}

/// The transports' numbers. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
    in_flight: Gauge,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) connections_stalled: Counter,
    pub(super) websockets: Gauge,
    websockets_closed: Family<ClosedWith, Counter>,
    pub(super) streams: Gauge,
}

impl Metrics {
    /// Makes them part of what is shown.
    pub fn register(&self, registry: &mut Registry) {
        let it = self.clone();
        registry.register("http_requests", "Requests that were answered", it.requests);
        registry.register(
            "http_requests_in_flight",
            "Requests without an answer yet",
            it.in_flight,
        );
        registry.register(
            "connections",
            "Connections that are open, WebSockets included",
            it.connections,
        );
        registry.register(
            "connections_refused",
            "Connections refused because their address had too many",
            it.connections_refused,
        );
        registry.register(
            "connections_stalled",
            "Connections cut off because their client took nothing for too long",
            it.connections_stalled,
        );
        registry.register("websockets", "WebSockets that are open", it.websockets);
        registry.register(
            "websockets_closed",
            "WebSockets that the server closed, by code",
            it.websockets_closed,
        );
        registry.register(
            "http_streams",
            "Event streams and multipart answers that are going on",
            it.streams,
        );
    }

    /// The server closes a WebSocket.
    pub(super) fn closing(&self, code: u16) {
        self.websockets_closed.get_or_create(&ClosedWith { code }).inc();
    }
}

/// Counts one in a gauge until it is dropped.
#[derive(Debug)]
pub(super) struct Held(Gauge);

impl Held {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The address that a request is for: one that there is, or `other`.
pub(super) fn route(path: &str) -> &'static str {
    match path {
        "/graphql" => "/graphql",
        "/health/live" => "/health/live",
        "/health/ready" => "/health/ready",
        "/" => "/",
        path if path.starts_with("/graphiql/") => "/graphiql",
        _ => "other",
    }
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Middleware for all routes.
pub(super) async fn count(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let (route, method) = (route(request.uri().path()), method(request.method()));
    let _in_flight = Held::new(&metrics.in_flight);
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let answered = Answered { route, method, status };
    metrics.requests.get_or_create(&answered).inc();
    response
}
