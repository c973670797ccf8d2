//! What happened to a booking, as the log keeps it.

use serde::{Deserialize, Serialize};

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The booking was made.
    Created,
    /// It was confirmed.
    Confirmed,
    /// It was declined.
    Declined,
    /// It was canceled.
    Canceled,
    /// It was moved to another time, session or resource.
    Rescheduled,
    /// It waits for the business to confirm or decline it.
    MarkedAsPending,
    /// Its number of participants changed.
    ParticipantsUpdated,
    /// The hold on its time ran out.
    HoldExpired,
    /// It became double booked by what happened to another booking.
    DoubleBooked,
    /// The clash that made it double booked is gone.
    DoubleBookingResolved,
    /// Something else about it changed: its session was moved, renamed or taken by other staff.
    Updated,
}

/// What brought an event about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventSource {
    /// A call of the API.
    Request,
    /// A due time that passed.
    Timer,
}
