//! The limits and clocks of the transports, each with a default that suits a public server.

use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;

use super::metrics::Metrics;

/// The origins whose pages may use the API from a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// All. No cookie or other credential goes along unasked, so a page can do no more than anybody.
    Any,
    /// These; without one, only the server's own pages.
    These(Vec<HeaderValue>),
}

/// What an operator may set about the transports.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Most bytes in the body of a request; more is answered 413. Default 1 MiB.
    pub body_limit: usize,
    /// Longest time a request's body may take to arrive; then 408. Default 30 s.
    pub body_timeout: Duration,
    /// Longest time to wait for a request's head, which also ends idle keep-alive connections.
    /// Default 75 s: longer than the 60 s that common proxies keep theirs, so that it's the
    /// proxy that closes and no request meets a closing connection.
    pub header_timeout: Duration,
    /// Longest time from a WebSocket's opening to its `connection_ack`; then 4408. Default 10 s.
    pub init_timeout: Duration,
    /// How often a WebSocket is pinged. One that shows no sign of life from one ping to the next
    /// is cut off. Default 25 s, below the 30 to 60 s after which proxies drop a quiet connection.
    pub keep_alive: Duration,
    /// How often a quiet event stream or multipart answer shows that it is alive. Default 5 s, which Apollo's clients
    /// are used to.
    pub heartbeat: Duration,
    /// Longest time that a client may take none of what it is sent; then it is cut off. On a WebSocket, also the
    /// longest time that one message may wait. Default 30 s.
    pub write_timeout: Duration,
    /// Most operations at once on one WebSocket; further ones are answered with an error.
    /// Default 512.
    pub max_operations: usize,
    /// Most operations of one caller at once, subscriptions among them; further ones are refused. A caller without a
    /// name is whoever comes from one address. Default 1000.
    pub operations_per_caller: usize,
    /// Most queries and mutations that run at once. Eight times as many wait for their turn, for a short time; further
    /// ones are refused. Default 64.
    pub operations_at_once: usize,
    /// Requests that one address (of IPv6: one /64) may send in a second, and ten times as many at once after it was
    /// quiet. A wrong token costs as much as a tenth of a second's requests. 0 is any number. Default 2000.
    pub rate_per_address: u32,
    /// Operations that one caller may begin in a second, and ten times as many at once after it was quiet. 0 is any
    /// number. Default 2000.
    pub rate_per_caller: u32,
    /// Most bytes in one message of a WebSocket's client; more closes it. Default 256 KiB.
    pub message_limit: usize,
    /// Longest time that a query may run; then it is stopped and answered with an error. A mutation is never stopped in
    /// the middle. Default 30 s.
    pub query_timeout: Duration,
    /// Most connections at once from one address (of IPv6: from one /64); further ones are refused. Proxies that are
    /// trusted may have any number. Default 1000.
    pub connections_per_address: usize,
    /// Most connections at once; further ones are answered 429, too. Default 10,000.
    pub connections: usize,
    /// Proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may use the API. Default none but the server's own.
    pub allowed_origins: Origins,
    /// Most bytes of requests that haven't come to their end and of answers that aren't read, of one address, and a
    /// sixteenth of what all together may have; then nothing more of it is taken. Default 16 MiB.
    pub pending_per_address: usize,
    /// Whether the page is served where requests can be written and sent. Default true.
    pub graphiql: bool,
    /// Longest time that requests in flight may take to finish at shutdown. Default 20 s.
    pub grace: Duration,
    /// Where the transports count.
    pub metrics: Metrics,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_limit: 1 << 20,
            body_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(75),
            init_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(25),
            heartbeat: Duration::from_secs(5),
            write_timeout: Duration::from_secs(30),
            max_operations: 512,
            operations_per_caller: 1000,
            operations_at_once: 64,
            rate_per_address: 2000,
            rate_per_caller: 2000,
            message_limit: 256 * 1024,
            query_timeout: Duration::from_secs(30),
            connections_per_address: 1000,
            connections: 10_000,
            trusted_proxies: Vec::new(),
            allowed_origins: Origins::These(Vec::new()),
            pending_per_address: 16 * 1024 * 1024,
            graphiql: true,
            grace: Duration::from_secs(20),
            metrics: Metrics::default(),
        }
    }
}
