//! Booking windows: how early and how late something can be booked (spec §4.7).

use jiff::{SignedDuration, Timestamp};

/// The parts of a booking policy that availability reads (spec §1.6). Limits are elapsed minutes; exactly on one is
/// allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// At most so many minutes before the start.
    pub earliest: Option<u32>,
    /// At least so many minutes before the start.
    pub latest: Option<u32>,
    /// Whether a class or course can be booked after it has started.
    pub after_start: bool,
    /// The largest party of one booking; none: as many as there are seats.
    pub max_party: Option<u32>,
}

/// Which rules for customers a time breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Violations {
    /// The booking window is not open yet.
    pub too_early: bool,
    /// When it will open, if it is too early.
    pub earliest_booking: Option<Timestamp>,
    /// The booking window is closed.
    pub too_late: bool,
    /// The service can't be booked online.
    pub online_disabled: bool,
}

impl Violations {
    /// Whether any is broken.
    #[must_use]
    pub fn any(&self) -> bool {
        self.too_early || self.too_late || self.online_disabled
    }

    /// What either breaks; the window is open when both are.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            too_early: self.too_early || other.too_early,
            earliest_booking: self.earliest_booking.max(other.earliest_booking),
            too_late: self.too_late || other.too_late,
            online_disabled: self.online_disabled || other.online_disabled,
        }
    }
}

/// Why a slot can't be booked. One that can has none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each one is a reason of its own, and several may hold"
)]
pub struct NonBookable {
    /// Not enough spots for the party, whoever asks.
    pub no_remaining_capacity: bool,
    /// A rule for customers forbids it.
    pub violates_booking_policy: bool,
    /// The spots that are left are offered to people on the waiting list.
    pub reserved_for_waitlist: bool,
    /// It doesn't take place.
    pub cancelled: bool,
}

impl NonBookable {
    /// Whether there is a reason.
    #[must_use]
    pub fn any(&self) -> bool {
        self.no_remaining_capacity || self.violates_booking_policy || self.reserved_for_waitlist || self.cancelled
    }

    /// The reasons of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            no_remaining_capacity: self.no_remaining_capacity || other.no_remaining_capacity,
            violates_booking_policy: self.violates_booking_policy || other.violates_booking_policy,
            reserved_for_waitlist: self.reserved_for_waitlist || other.reserved_for_waitlist,
            cancelled: self.cancelled || other.cancelled,
        }
    }
}

impl Policy {
    /// What booking at `now` something that starts at `start` breaks. `open_until` is the instant until which it can
    /// be booked after its start, for what has [`Policy::after_start`]; appointments have none.
    #[must_use]
    pub fn judge(&self, start: Timestamp, open_until: Option<Timestamp>, online: bool, now: Timestamp) -> Violations {
        let ahead = start.duration_since(now);
        let minutes = |minutes: u32| SignedDuration::from_mins(i64::from(minutes));
        let too_early = self.earliest.is_some_and(|earliest| ahead > minutes(earliest));
        let earliest_booking = self.earliest.filter(|_| too_early);
        let begun = start <= now && !(self.after_start && open_until.is_some_and(|until| now < until));
        Violations {
            too_early,
            earliest_booking: earliest_booking.map(|limit| start.saturating_sub(minutes(limit)).unwrap_or(now)),
            too_late: begun || self.latest.is_some_and(|latest| ahead < minutes(latest)),
            online_disabled: !online,
        }
    }
}
