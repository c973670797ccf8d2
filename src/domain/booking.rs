//! The booking: what it is, its statuses and the state machine with its refusals (`spec/bookings.md` §1-3, §5.3).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Rejection,
    actor::Identity,
    event::EventType,
    ids::{BookingId, Kind, LocationId, MultiServiceBookingId, ResourceId, ScheduleId, ServiceId, SessionId},
    options::Choice,
    permission::Permission,
    rejection::{Field, Invalid, KindRule, PackageRule},
    terms::Terms,
    time::{TimeSpan, ZoneName},
};

pub use super::catalog::ServiceKind;

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookingStatus {
    /// Made, not yet on the business calendar; holds nothing unless a hold is running.
    Created,
    /// On the calendar, waiting for the business.
    Pending,
    /// On the calendar.
    Confirmed,
    /// Waiting for a spot.
    WaitingList,
    /// Declined by the business or by the double-booking rule; final.
    Declined,
    /// Canceled by the customer or the business; final.
    Canceled,
}

impl BookingStatus {
    /// Every status, in the order of a booking's life.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Pending,
        Self::Confirmed,
        Self::WaitingList,
        Self::Declined,
        Self::Canceled,
    ];

    /// Whether the booking is on the business calendar and so holds capacity.
    #[must_use]
    pub fn on_calendar(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }

    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::WaitingList => "WAITING_LIST",
            Self::Declined => "DECLINED",
            Self::Canceled => "CANCELED",
        }
    }
}

impl fmt::Display for BookingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known about the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Nothing was said yet.
    Undefined,
    /// Nothing was paid.
    NotPaid,
    /// Everything was paid.
    Paid,
    /// A part, such as a deposit, was paid.
    PartiallyPaid,
    /// What was paid was given back.
    Refunded,
    /// There is nothing to pay.
    Exempt,
    /// A charge failed.
    Failed,
}

impl PaymentStatus {
    /// Whether it counts as paid in the double-booking rule: a deposit is enough (§5.3).
    #[must_use]
    pub fn counts_as_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyPaid)
    }
}

/// How the customer means to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelectedPaymentOption {
    /// Not said.
    Undefined,
    /// At the business.
    Offline,
    /// Online.
    Online,
    /// By a pricing plan.
    Membership,
    /// By a pricing plan that staff redeem by hand.
    MembershipOffline,
}

/// Where the service takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LocationType {
    /// At the business.
    OwnerBusiness,
    /// At another place that the business chose.
    OwnerCustom,
    /// At the customer's place.
    Custom,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its id: a business location's own, or that of the service's entry. Places in free words have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<LocationId>,
    /// Whose place it is.
    pub location_type: LocationType,
    /// Its name.
    pub name: Option<String>,
    /// Its address in one text.
    pub formatted_address: Option<String>,
}

impl Location {
    /// Whether both are one place. What a service calls its own place or the customer's is told by its words: each
    /// service has an id of its own for it.
    #[must_use]
    pub fn is_place_of(&self, other: &Self) -> bool {
        let words = |one: &Self| (one.name.clone(), one.formatted_address.clone());
        self.location_type == other.location_type
            && match (self.location_type, self.id.zip(other.id)) {
                (LocationType::OwnerBusiness, Some((one, other))) => one == other,
                _ => words(self) == words(other),
            }
    }
}

/// A resource as a booking keeps it: a snapshot of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedResource {
    /// The resource.
    pub id: ResourceId,
    /// Its name at that time.
    pub name: String,
    /// Whether the customer asked for it; if not, the server chose it.
    pub explicitly_requested: bool,
    /// Minutes after the end in which it isn't free either, where they are fewer than the booking's: it goes on to a
    /// later part of the same visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_minutes: Option<i32>,
    /// Whether it is not kept busy. Of a session's resources only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transparent: bool,
}

/// A group of participants with the same choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceChoices {
    /// How many.
    pub number_of_participants: i32,
    /// What they chose of the service's options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// How many people come. At least one, at most [`Participants::MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participants {
    /// All of them.
    pub total: i32,
    /// The groups, where the client named groups and not one number.
    pub choices: Option<Vec<ServiceChoices>>,
}

impl Participants {
    /// More than any service holds, and far from the edge of the numbers' type.
    pub const MAX: i32 = 1000;

    /// One number.
    pub fn total(total: i32) -> Result<Self, Invalid> {
        if (1..=Self::MAX).contains(&total) {
            Ok(Self { total, choices: None })
        } else {
            Err(Invalid::new(Field::Other, format!("must be between 1 and {}", Self::MAX)).at("totalParticipants"))
        }
    }

    /// Groups: 1 to 20 of them.
    pub fn groups(choices: Vec<ServiceChoices>) -> Result<Self, Invalid> {
        let invalid = |message: String| Invalid::new(Field::Other, message).at("participantsChoices");
        if !(1..=20).contains(&choices.len()) {
            return Err(invalid("must have 1 to 20 entries".into()));
        }
        let total: i64 = choices.iter().map(|c| i64::from(c.number_of_participants)).sum();
        if choices.iter().any(|c| c.number_of_participants < 1) || total > i64::from(Self::MAX) {
            return Err(invalid(format!(
                "must have at least 1 participant each and at most {} in all",
                Self::MAX
            )));
        }
        Ok(Self {
            total: i32::try_from(total).unwrap_or(Self::MAX),
            choices: Some(choices),
        })
    }
}

/// Overrides that were used when the booking was made; they change what happens to it later (`spec` §1.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowControl {
    /// Made without an availability check, and never declined or flagged by the machine.
    pub skip_availability_validation: bool,
    /// Confirmed even where the service needs approval.
    pub skip_business_confirmation: bool,
    /// The payment option need not be one that the service offers.
    pub skip_selected_payment_option_validation: bool,
}

/// By which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationChannel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
}

/// What the caller wants the participants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantNotification {
    /// Whether anything is sent.
    pub notify_participants: bool,
    /// Words of the caller's own, at most 5000 characters.
    pub message: Option<String>,
    /// The ways it goes; e-mail if none was named.
    pub channels: Vec<NotificationChannel>,
}

/// What was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// The service.
    pub service: ServiceId,
    /// Its kind.
    pub kind: ServiceKind,
    /// The schedule: of the service, or the course's run.
    pub schedule: ScheduleId,
    /// The class session. Appointments have none: their claim is the event.
    pub session: Option<SessionId>,
    /// From when to when; a course without sessions has no times.
    pub span: Option<TimeSpan>,
    /// Minutes after the end in which the resources are not free either, as they were when it was booked.
    pub buffer_minutes: i32,
    /// The zone in which the customer saw the time.
    pub time_zone: ZoneName,
    /// Staff first. Empty while an appointment without a wish waits for its confirmation.
    pub resources: Vec<BookedResource>,
    /// Where.
    pub location: Option<Location>,
    /// The service's or the session's name at that time.
    pub title: String,
}

impl Booked {
    /// Whether it is at the place of another: both at none that is known, or at the same.
    #[must_use]
    pub fn is_where(&self, other: &Self) -> bool {
        match (&self.location, &other.location) {
            (Some(one), Some(other)) => one.is_place_of(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

/// A booking. Who it is for stands apart, in a row that can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Where it is in its life.
    pub status: BookingStatus,
    /// What is known about the money.
    pub payment_status: PaymentStatus,
    /// How the customer means to pay.
    pub selected_payment_option: Option<SelectedPaymentOption>,
    /// What was booked.
    pub booked: Booked,
    /// How many come.
    pub participants: Participants,
    /// Whether it clashes with one that was there before.
    pub double_booked: bool,
    /// Until when a hold runs, if one was asked for and it didn't run out.
    pub hold_expires_at: Option<Timestamp>,
    /// Overrides from its creation.
    pub flow: FlowControl,
    /// A key of the caller's own.
    pub external_user_id: Option<String>,
    /// Who made it.
    pub created_by: Identity,
    /// What the participants were told last.
    pub participant_notification: Option<ParticipantNotification>,
    /// Grows by one with every event.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
    /// When it was canceled.
    pub canceled: Option<Timestamp>,
    /// What was agreed when it was made.
    #[serde(default)]
    pub terms: Terms,
    /// The package that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<MultiServiceBookingId>,
}

/// What can be done to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// The business says yes.
    Confirm,
    /// The business says no.
    Decline,
    /// The double-booking rule decides.
    ConfirmOrDecline,
    /// It is put before the business.
    MarkAsPending,
    /// It is given up.
    Cancel,
    /// It moves.
    Reschedule,
    /// More or fewer people come.
    UpdateParticipants,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 7] = [
        Self::Confirm,
        Self::Decline,
        Self::ConfirmOrDecline,
        Self::MarkAsPending,
        Self::Cancel,
        Self::Reschedule,
        Self::UpdateParticipants,
    ];

    /// What somebody needs to do it.
    #[must_use]
    pub fn permission(self) -> Permission {
        match self {
            Self::Cancel | Self::Reschedule => Permission::ChangeBookings,
            _ => Permission::ManageBookings,
        }
    }

    /// The statuses from which it can be done (`spec/bookings.md` §3.3).
    #[must_use]
    pub fn allowed_from(self) -> &'static [BookingStatus] {
        use BookingStatus::{Confirmed, Created, Pending, WaitingList};
        match self {
            Self::Confirm | Self::Decline => &[Created, Pending, WaitingList],
            Self::ConfirmOrDecline | Self::MarkAsPending => &[Created],
            Self::Cancel | Self::UpdateParticipants => &[Created, Pending, Confirmed, WaitingList],
            Self::Reschedule => &[Created, Pending, Confirmed],
        }
    }
}

impl Booking {
    /// Refuses an act that the booking's status or kind doesn't know. The kind comes first: a course can never be
    /// moved, whatever its status.
    pub fn check(&self, act: Act) -> Result<(), Rejection> {
        match (act, self.booked.kind) {
            (Act::Reschedule, ServiceKind::Course) => {
                return Err(Rejection::NotForKind(ServiceKind::Course, KindRule::Reschedule));
            }
            (Act::UpdateParticipants, ServiceKind::Appointment) => {
                return Err(Rejection::NotForKind(
                    ServiceKind::Appointment,
                    KindRule::UpdateParticipants,
                ));
            }
            _ => {}
        }
        let allowed = act.allowed_from();
        if allowed.contains(&self.status) {
            Ok(())
        } else {
            Err(Rejection::InvalidStatus {
                status: self.status,
                allowed: allowed.to_vec(),
            })
        }
    }

    /// Refuses an act on a part of a package by itself: a package is confirmed, moved and given up as a whole.
    pub fn check_alone(&self) -> Result<(), Rejection> {
        match self.package {
            Some(_) => Err(Rejection::package(PackageRule::Part, &["bookingId"])),
            None => Ok(()),
        }
    }

    /// Refuses a change that was meant for another revision.
    pub fn check_revision(&self, expected: Option<i64>) -> Result<(), Rejection> {
        match expected {
            Some(expected) if expected != self.revision => Err(Rejection::RevisionMismatch {
                kind: Kind::Booking,
                current: self.revision,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the hold is running at `now`.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> bool {
        self.hold_expires_at.is_some_and(|until| now < until)
    }

    /// The first instant of what was booked.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.booked.span.map(|span| span.start())
    }

    /// The instant at which it is over.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.booked.span.map(|span| span.end())
    }

    /// The status in which a booking of a service comes onto the calendar.
    #[must_use]
    pub fn approved_status(&self, service_needs_approval: bool) -> BookingStatus {
        if service_needs_approval && !self.flow.skip_business_confirmation {
            BookingStatus::Pending
        } else {
            BookingStatus::Confirmed
        }
    }
}

/// What becomes of a booking whose order was approved, or that is to be confirmed or declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The new status.
    pub status: BookingStatus,
    /// Whether it is flagged.
    pub double_booked: bool,
}

impl Decision {
    /// The double-booking table, `spec/bookings.md` §5.3, rows 1 to 7: `approved` is the status in which a booking
    /// of this service comes onto the calendar.
    #[must_use]
    pub fn make(skip_availability: bool, conflict: bool, payment: PaymentStatus, approved: BookingStatus) -> Self {
        if skip_availability || !conflict {
            Self {
                status: approved,
                double_booked: false,
            }
        } else if payment.counts_as_paid() {
            Self {
                status: approved,
                double_booked: true,
            }
        } else {
            Self {
                status: BookingStatus::Declined,
                double_booked: false,
            }
        }
    }

    /// The event that tells of it.
    #[must_use]
    pub fn event(self) -> EventType {
        match self.status {
            BookingStatus::Declined => EventType::Declined,
            BookingStatus::Pending => EventType::MarkedAsPending,
            _ => EventType::Confirmed,
        }
    }
}

/// Bookings of a package, at the least and at the most.
pub const PACKAGE_SIZE: std::ops::RangeInclusive<usize> = 2..=8;

/// How long a hold may run: half an hour.
pub const MAX_HOLD_SECONDS: i32 = 30 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_statuses_allow_nothing() {
        for act in Act::ALL {
            assert!(!act.allowed_from().contains(&BookingStatus::Declined), "{act:?}");
            assert!(!act.allowed_from().contains(&BookingStatus::Canceled), "{act:?}");
        }
    }

    /// §5.3, rows 1 to 7, with every payment status.
    #[test]
    fn the_double_booking_table_is_followed() {
        use BookingStatus::{Confirmed, Declined, Pending};
        use PaymentStatus::{Exempt, Failed, NotPaid, Paid, PartiallyPaid, Refunded, Undefined};
        for approved in [Confirmed, Pending] {
            for payment in [Undefined, NotPaid, Refunded, Exempt, Failed, Paid, PartiallyPaid] {
                for conflict in [false, true] {
                    let skipped = Decision::make(true, conflict, payment, approved);
                    assert_eq!(
                        skipped,
                        Decision {
                            status: approved,
                            double_booked: false
                        },
                        "rows 1 and 2"
                    );
                }
                let free = Decision::make(false, false, payment, approved);
                assert_eq!(
                    free,
                    Decision {
                        status: approved,
                        double_booked: false
                    },
                    "rows 3 and 4"
                );
            }
            for payment in [Undefined, NotPaid, Refunded, Exempt, Failed] {
                let lost = Decision::make(false, true, payment, approved);
                assert_eq!(
                    lost,
                    Decision {
                        status: Declined,
                        double_booked: false
                    },
                    "row 5"
                );
            }
            for payment in [Paid, PartiallyPaid] {
                let kept = Decision::make(false, true, payment, approved);
                assert_eq!(
                    kept,
                    Decision {
                        status: approved,
                        double_booked: true
                    },
                    "rows 6 and 7"
                );
            }
        }
    }

    #[test]
    fn participants_are_counted_over_the_groups() {
        let group = |n| ServiceChoices {
            number_of_participants: n,
            choices: Vec::new(),
        };
        assert_eq!(Participants::groups(vec![group(2), group(3)]).map(|p| p.total), Ok(5));
        for bad in [
            vec![],
            vec![group(0)],
            vec![group(999), group(2)],
            vec![group(i32::MAX), group(i32::MAX)],
        ] {
            assert!(Participants::groups(bad).is_err());
        }
        for bad in [0, -1, 1_000_000_000] {
            assert!(Participants::total(bad).is_err());
        }
    }
}
