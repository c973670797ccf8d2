//! What was agreed when something was booked, kept with the booking whatever becomes of the catalog.

use serde::{Deserialize, Serialize};

use super::{
    booking_policy::{BookingPolicy, BookingRules},
    options::BookedPrice,
};

/// The terms of a booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The policy as it was; none if there was none.
    #[serde(default)]
    pub policy: Option<BookingPolicy>,
    /// What it costs; none if the price is told in words, or if it was booked before prices were kept.
    #[serde(default)]
    pub price: Option<BookedPrice>,
}

impl Terms {
    /// The rules by which its customer may change it.
    #[must_use]
    pub fn rules(&self) -> BookingRules {
        self.policy
            .as_ref()
            .map_or_else(BookingRules::default, |policy| policy.rules)
    }
}
