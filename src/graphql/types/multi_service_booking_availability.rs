//! Whether a package can still be honoured.

use async_graphql::{Object, SimpleObject};

use super::{
    booking::Booking,
    time_slot::{BookingPolicyViolations, NonBookableReasons},
};
use crate::service::bookings::{PackageAvailability, PartAvailability};

/// What the policy says beside the times.
#[derive(SimpleObject, Debug, Clone)]
pub struct BookingPolicySettings {
    /// So many at the most in one booking, by the policies that were agreed when they were booked. Null: as many as there
    /// are spots.
    max_participants_per_booking: Option<i32>,
}

/// Whether one booking of a package can still be had as it was booked.
#[derive(SimpleObject, Debug, Clone)]
pub struct MultiServiceBookingPartAvailability {
    /// Whether it can.
    bookable: bool,
    /// The booking.
    booking: Booking,
    /// Which rules for customers it breaks by now.
    booking_policy_violations: BookingPolicyViolations,
    /// Why not.
    non_bookable_reasons: NonBookableReasons,
}

impl From<PartAvailability> for MultiServiceBookingPartAvailability {
    fn from(part: PartAvailability) -> Self {
        Self {
            bookable: !part.reasons.any(),
            booking: part.booking.into(),
            booking_policy_violations: part.violations.into(),
            non_bookable_reasons: part.reasons.into(),
        }
    }
}

/// Whether a package can still be had as it was booked: at its times and by those who are to serve it.
#[derive(Debug, Clone)]
pub struct MultiServiceBookingAvailability(PackageAvailability);

/// Whether a package can still be had as it was booked: at its times and by those who are to serve it. What it holds
/// itself is not in its way. Time limits are those of the policies that were agreed when it was booked.
#[Object]
impl MultiServiceBookingAvailability {
    /// Whether this caller could have all of it now. The business isn't bound by the rules for customers.
    async fn bookable(&self) -> bool {
        !self.0.reasons.any()
    }

    /// Spots that this caller could have: 1 or 0.
    async fn bookable_capacity(&self) -> i32 {
        i32::from(!self.0.reasons.any())
    }

    /// Which rules for customers any of its bookings breaks by now, each measured to its own start.
    async fn booking_policy_violations(&self) -> BookingPolicyViolations {
        self.0.violations.into()
    }

    /// Why this caller couldn't have it. `noRemainingCapacity`: somebody who is to serve it isn't free or not there, or it
    /// has begun. `eventCancelled`: all of its bookings are declined or canceled.
    async fn non_bookable_reasons(&self) -> NonBookableReasons {
        self.0.reasons.into()
    }

    /// Its bookings that the caller may see, one after the other. What is declined or canceled has the reason
    /// `eventCancelled`, and doesn't count for the package as long as others are there.
    async fn parts(&self) -> Vec<MultiServiceBookingPartAvailability> {
        self.0.parts.iter().cloned().map(Into::into).collect()
    }

    /// What the policies say beside the times.
    async fn policy_settings(&self) -> BookingPolicySettings {
        BookingPolicySettings {
            max_participants_per_booking: self.0.max_participants,
        }
    }

    /// Spots that nobody else has taken: 1 or 0.
    async fn remaining_capacity(&self) -> i32 {
        i32::from(!self.0.reasons.no_remaining_capacity && !self.0.reasons.cancelled)
    }

    /// Spots in all: 1.
    async fn total_capacity(&self) -> i32 {
        1
    }
}

impl From<PackageAvailability> for MultiServiceBookingAvailability {
    fn from(found: PackageAvailability) -> Self {
        Self(found)
    }
}
