//! The rules of bookings, pure: no I/O, no async, no clock and no randomness of its own.
//!
//! Types here can't hold nonsense: raw input becomes one of them at the edge (`parse`), and inside
//! there is nothing left to check. Functions take the state and `now` and return either what the new
//! state is or a [`Rejection`]. Nothing here knows of tables, GraphQL or HTTP.

pub mod actor;
pub mod api_key;
pub mod availability;
pub mod booking;
pub mod booking_policy;
pub mod catalog;
pub mod clock;
pub mod conflict;
pub mod event;
#[cfg(test)]
pub(crate) mod fuzzing;
pub mod hours;
pub mod icalendar;
pub mod ids;
pub mod money;
pub mod options;
pub mod permission;
pub mod recurrence;
pub mod rejection;
pub mod spans;
pub mod terms;
pub mod text;
pub mod time;

pub use rejection::Rejection;
