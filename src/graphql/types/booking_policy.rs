//! Booking policies, and what of them a booking keeps.

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::{
    domain::{
        booking::Booking,
        booking_policy::{self as domain, BookingRules},
        ids::BookingPolicyId,
    },
    graphql::{caller, connection::connection, error::failure, scalars::DateTime, service},
};

/// Whether classes and courses can be booked after they have started: a class until its end, a course until its last
/// session starts.
#[derive(SimpleObject, Clone, Debug)]
pub struct BookAfterStartPolicy {
    /// Whether they can. Not together with a late limit.
    enabled: bool,
}

/// Whether customers may cancel by themselves, and until when.
#[derive(SimpleObject, Clone, Debug)]
pub struct CancellationPolicy {
    /// Whether they may at all.
    enabled: bool,
    /// So many minutes before the start at the latest, of a course before its first session; at least 1.
    latest_cancellation_in_minutes: i32,
    /// Whether `latestCancellationInMinutes` holds. If not, until the start.
    limit_latest_cancellation: bool,
}

/// How early something can be booked.
#[derive(SimpleObject, Clone, Debug)]
pub struct LimitEarlyBookingPolicy {
    /// So many minutes before the start at the earliest, of a course before its first session; at least 1.
    earliest_booking_in_minutes: i32,
    /// Whether it holds.
    enabled: bool,
}

/// How late something can be booked.
#[derive(SimpleObject, Clone, Debug)]
pub struct LimitLateBookingPolicy {
    /// Whether it holds.
    enabled: bool,
    /// So many minutes before the start at the latest, of a course before its first session; at least 1.
    latest_booking_in_minutes: i32,
}

/// For how many people one booking may be.
#[derive(SimpleObject, Clone, Debug)]
pub struct ParticipantsPolicy {
    /// So many at the most. Null: as many as there are spots.
    max_participants_per_booking: Option<i32>,
}

/// Whether customers may move their bookings by themselves, and until when.
#[derive(SimpleObject, Clone, Debug)]
pub struct ReschedulePolicy {
    /// Whether they may at all.
    enabled: bool,
    /// So many minutes before the start at the latest; at least 1.
    latest_reschedule_in_minutes: i32,
    /// Whether `latestRescheduleInMinutes` holds. If not, until the start.
    limit_latest_reschedule: bool,
}

fn after_start(rules: &BookingRules) -> BookAfterStartPolicy {
    BookAfterStartPolicy {
        enabled: rules.after_start,
    }
}

fn cancellation(rules: &BookingRules) -> CancellationPolicy {
    let rule = rules.cancellation;
    CancellationPolicy {
        enabled: rule.enabled,
        latest_cancellation_in_minutes: rule.latest.minutes,
        limit_latest_cancellation: rule.latest.enabled,
    }
}

fn early(rules: &BookingRules) -> LimitEarlyBookingPolicy {
    LimitEarlyBookingPolicy {
        earliest_booking_in_minutes: rules.early.minutes,
        enabled: rules.early.enabled,
    }
}

fn late(rules: &BookingRules) -> LimitLateBookingPolicy {
    LimitLateBookingPolicy {
        enabled: rules.late.enabled,
        latest_booking_in_minutes: rules.late.minutes,
    }
}

fn participants(rules: &BookingRules) -> ParticipantsPolicy {
    ParticipantsPolicy {
        max_participants_per_booking: rules.max_participants,
    }
}

fn reschedule(rules: &BookingRules) -> ReschedulePolicy {
    let rule = rules.reschedule;
    ReschedulePolicy {
        enabled: rule.enabled,
        latest_reschedule_in_minutes: rule.latest.minutes,
        limit_latest_reschedule: rule.latest.enabled,
    }
}

/// The rules by which customers book, cancel and move. The business isn't bound by them.
#[derive(Clone, Debug)]
pub struct BookingPolicy(pub domain::BookingPolicy);

impl From<domain::BookingPolicy> for BookingPolicy {
    fn from(policy: domain::BookingPolicy) -> Self {
        Self(policy)
    }
}

impl BookingPolicy {
    /// The policy with this id, one that was deleted too.
    pub(crate) async fn find(ctx: &Context<'_>, id: BookingPolicyId) -> async_graphql::Result<Option<Self>> {
        let found = service(ctx).policies_by_id(caller(ctx), vec![id]).await;
        let mut found = found.map_err(|error| failure(ctx, error))?;
        Ok(found.pop().map(Self))
    }
}

/// The rules by which customers book, cancel and move; services share them. The business isn't bound by them. All
/// limits are elapsed minutes, and exactly on a limit is in time.
#[Object]
impl BookingPolicy {
    /// Whether classes and courses can be booked after they have started.
    async fn book_after_start_policy(&self) -> BookAfterStartPolicy {
        after_start(&self.0.rules)
    }

    /// Whether customers may cancel, and until when.
    async fn cancellation_policy(&self) -> CancellationPolicy {
        cancellation(&self.0.rules)
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Whether it is that of services that name none.
    async fn default(&self) -> bool {
        self.0.default
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// How early something can be booked.
    async fn limit_early_booking_policy(&self) -> LimitEarlyBookingPolicy {
        early(&self.0.rules)
    }

    /// How late something can be booked.
    async fn limit_late_booking_policy(&self) -> LimitLateBookingPolicy {
        late(&self.0.rules)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// For how many people one booking may be.
    async fn participants_policy(&self) -> ParticipantsPolicy {
        participants(&self.0.rules)
    }

    /// Whether customers may move their bookings, and until when.
    async fn reschedule_policy(&self) -> ReschedulePolicy {
        reschedule(&self.0.rules)
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }
}

connection!(
    "A list of booking policies.",
    BookingPolicyConnection,
    BookingPolicyEdge,
    BookingPolicy
);

/// The policy as it was when something was booked: what its customer may do with the booking is judged by this, whatever
/// the policy says now.
#[derive(SimpleObject, Clone, Debug)]
pub struct BookingPolicySnapshot {
    /// Whether it could be booked after the start.
    book_after_start_policy: BookAfterStartPolicy,
    /// Whether its customer may cancel it, and until when.
    cancellation_policy: CancellationPolicy,
    /// When the snapshot was taken: when the booking was made.
    created_date: DateTime,
    /// How early it could be booked; a new time has to keep it, too.
    limit_early_booking_policy: LimitEarlyBookingPolicy,
    /// How late it could be booked; a new time has to keep it, too.
    limit_late_booking_policy: LimitLateBookingPolicy,
    /// The policy's name.
    name: String,
    /// For how many people it could be.
    participants_policy: ParticipantsPolicy,
    /// The policy.
    policy_id: ID,
    /// The policy's revision.
    policy_revision: i64,
    /// Whether its customer may move it, and until when.
    reschedule_policy: ReschedulePolicy,
}

impl BookingPolicySnapshot {
    /// What a booking has kept; none where there was no policy.
    pub(crate) fn of(booking: &Booking) -> Option<Self> {
        let policy = booking.terms.policy.as_ref()?;
        let rules = &policy.rules;
        Some(Self {
            book_after_start_policy: after_start(rules),
            cancellation_policy: cancellation(rules),
            created_date: booking.created.into(),
            limit_early_booking_policy: early(rules),
            limit_late_booking_policy: late(rules),
            name: policy.name.clone(),
            participants_policy: participants(rules),
            policy_id: policy.id.to_string().into(),
            policy_revision: policy.revision,
            reschedule_policy: reschedule(rules),
        })
    }
}
