//! What happens by itself: the hub that turns the event log into live feeds, and the timers.
//!
//! It owns the way from a commit to whoever follows the log, on this node and on others, and the sweeps of due times.
//! It knows the store (and may know service's acts); it must not know of GraphQL or HTTP.

mod announce;
mod bursts;
mod commits;
mod follow;
pub mod hub;
mod metrics;
mod series;
pub mod timers;

pub use bursts::gather;
pub use commits::{Commits, commit_listener};
pub use follow::{CalendarChanges, Events};
pub use hub::{Hub, HubSettings};
pub use metrics::{HubMetrics, TimerMetrics};
