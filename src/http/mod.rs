//! The transports: GraphQL over HTTP and over WebSocket, health checks, and the server that
//! listens for both and ends without cutting anyone off.
//!
//! It owns connections, media types, status and close codes, limits on size and time, and request
//! ids. It must not know the schema, callers' rights or anything of bookings: all of that is
//! behind [`Api`].

mod admission;
mod api;
mod client;
mod credentials;
mod exchange;
#[cfg(test)]
mod fuzz;
mod health;
mod lease;
mod lifeline;
mod metrics;
mod negotiate;
mod operation;
pub mod pages;
mod params;
mod patient;
mod request_id;
mod router;
mod serve;
mod settings;
mod stream;
mod trace_parent;
mod transport;
mod websocket;
mod wire;

pub use api::{Api, Credentials, DocumentId, Frame, Refusal, RequestId};
pub use metrics::Metrics;
pub use serve::serve;
pub use settings::{Origins, Settings};
pub use trace_parent::TraceParent;
