//! Inputs about booking policies.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    domain::{
        booking_policy::{BookingRules, ChangeRule, EARLIEST_MINUTES, LATEST_MINUTES, Limit},
        ids::BookingPolicyId,
    },
    graphql::input::{Problems, Rejections},
    service::{
        IdempotencyKey,
        catalog::{Edit, PolicyChanges},
    },
};

/// Whether classes and courses can be booked after they have started.
#[derive(InputObject, Clone, Debug)]
pub struct BookAfterStartPolicyInput {
    /// Whether they can. Not together with a late limit.
    enabled: bool,
}

/// Whether customers may cancel by themselves, and until when.
#[derive(InputObject, Clone, Debug)]
pub struct CancellationPolicyInput {
    /// Whether they may at all.
    enabled: bool,
    /// So many minutes before the start at the latest, 1 to 5256000; a day if not said.
    latest_cancellation_in_minutes: Option<i32>,
    /// Whether `latestCancellationInMinutes` holds; if not, until the start.
    #[graphql(default = false)]
    limit_latest_cancellation: bool,
}

/// How early something can be booked.
#[derive(InputObject, Clone, Debug)]
pub struct LimitEarlyBookingPolicyInput {
    /// So many minutes before the start at the earliest, 1 to 5256000; a week if not said. More than those of the late
    /// limit, if both hold.
    earliest_booking_in_minutes: Option<i32>,
    /// Whether it holds.
    enabled: bool,
}

/// How late something can be booked.
#[derive(InputObject, Clone, Debug)]
pub struct LimitLateBookingPolicyInput {
    /// Whether it holds.
    enabled: bool,
    /// So many minutes before the start at the latest, 1 to 5256000; a day if not said.
    latest_booking_in_minutes: Option<i32>,
}

/// For how many people one booking may be.
#[derive(InputObject, Clone, Debug)]
pub struct ParticipantsPolicyInput {
    /// So many at the most, at least 1; as many as there are spots if not said.
    max_participants_per_booking: Option<i32>,
}

/// Whether customers may move their bookings by themselves, and until when.
#[derive(InputObject, Clone, Debug)]
pub struct ReschedulePolicyInput {
    /// Whether they may at all.
    enabled: bool,
    /// So many minutes before the start at the latest, 1 to 5256000; a day if not said.
    latest_reschedule_in_minutes: Option<i32>,
    /// Whether `latestRescheduleInMinutes` holds; if not, until the start.
    #[graphql(default = false)]
    limit_latest_reschedule: bool,
}

fn limit(enabled: bool, minutes: Option<i32>, usual: i32) -> Limit {
    Limit {
        enabled,
        minutes: minutes.unwrap_or(usual),
    }
}

impl From<&LimitEarlyBookingPolicyInput> for Limit {
    fn from(input: &LimitEarlyBookingPolicyInput) -> Self {
        limit(input.enabled, input.earliest_booking_in_minutes, EARLIEST_MINUTES)
    }
}

impl From<&LimitLateBookingPolicyInput> for Limit {
    fn from(input: &LimitLateBookingPolicyInput) -> Self {
        limit(input.enabled, input.latest_booking_in_minutes, LATEST_MINUTES)
    }
}

impl From<&CancellationPolicyInput> for ChangeRule {
    fn from(input: &CancellationPolicyInput) -> Self {
        let minutes = input.latest_cancellation_in_minutes;
        Self {
            enabled: input.enabled,
            latest: limit(input.limit_latest_cancellation, minutes, LATEST_MINUTES),
        }
    }
}

impl From<&ReschedulePolicyInput> for ChangeRule {
    fn from(input: &ReschedulePolicyInput) -> Self {
        let minutes = input.latest_reschedule_in_minutes;
        Self {
            enabled: input.enabled,
            latest: limit(input.limit_latest_reschedule, minutes, LATEST_MINUTES),
        }
    }
}

/// A policy that is to be made. What isn't said is as it is without a policy: no limits, and customers may cancel and
/// move until the start.
#[derive(InputObject, Clone, Debug)]
pub struct CreateBookingPolicyInput {
    /// Whether classes and courses can be booked after they have started; not if not said.
    book_after_start_policy: Option<BookAfterStartPolicyInput>,
    /// Whether customers may cancel; until the start if not said.
    cancellation_policy: Option<CancellationPolicyInput>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// How early something can be booked; at any time if not said.
    limit_early_booking_policy: Option<LimitEarlyBookingPolicyInput>,
    /// How late something can be booked; until the start if not said.
    limit_late_booking_policy: Option<LimitLateBookingPolicyInput>,
    /// Its name, 1 to 400 characters.
    name: String,
    /// For how many people one booking may be; as many as there are spots if not said.
    participants_policy: Option<ParticipantsPolicyInput>,
    /// Whether customers may move their bookings; until the start if not said.
    reschedule_policy: Option<ReschedulePolicyInput>,
}

impl CreateBookingPolicyInput {
    pub(crate) fn parse(&self) -> Result<(PolicyChanges, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let policy = PolicyChanges {
            name: Some(self.name.clone()),
            early: self.limit_early_booking_policy.as_ref().map(Into::into),
            late: self.limit_late_booking_policy.as_ref().map(Into::into),
            after_start: self.book_after_start_policy.as_ref().map(|part| part.enabled),
            max_participants: self
                .participants_policy
                .as_ref()
                .map(|part| part.max_participants_per_booking),
            cancellation: self.cancellation_policy.as_ref().map(Into::into),
            reschedule: self.reschedule_policy.as_ref().map(Into::into),
        };
        problems.finish(Some((policy, key)))
    }
}

/// What changes of a policy. What is left out stays; each part is replaced as a whole, and null makes it as without a
/// policy. What is booked keeps the rules by which it was booked.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateBookingPolicyInput {
    /// Whether classes and courses can be booked after they have started.
    book_after_start_policy: MaybeUndefined<BookAfterStartPolicyInput>,
    /// The policy.
    booking_policy_id: ID,
    /// Whether customers may cancel.
    cancellation_policy: MaybeUndefined<CancellationPolicyInput>,
    /// Refuse with `REVISION_MISMATCH` unless the policy has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// How early something can be booked.
    limit_early_booking_policy: MaybeUndefined<LimitEarlyBookingPolicyInput>,
    /// How late something can be booked.
    limit_late_booking_policy: MaybeUndefined<LimitLateBookingPolicyInput>,
    /// Its name, 1 to 400 characters.
    name: MaybeUndefined<String>,
    /// For how many people one booking may be.
    participants_policy: MaybeUndefined<ParticipantsPolicyInput>,
    /// Whether customers may move their bookings.
    reschedule_policy: MaybeUndefined<ReschedulePolicyInput>,
}

/// A part of a policy; null makes it what it is without one.
fn part<'i, I, T>(value: &'i MaybeUndefined<I>, none: T, read: impl FnOnce(&'i I) -> T) -> Option<T> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(none),
        MaybeUndefined::Value(value) => Some(read(value)),
    }
}

impl UpdateBookingPolicyInput {
    pub(crate) fn parse(&self) -> Result<(Edit<BookingPolicyId>, PolicyChanges), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.booking_policy_id, self.expected_revision);
        let edit = edit(&mut problems, "bookingPolicyId", id, revision, key);
        let none = BookingRules::default();
        let changes = PolicyChanges {
            name: given(&mut problems, "name", &self.name),
            early: part(&self.limit_early_booking_policy, none.early, Limit::from),
            late: part(&self.limit_late_booking_policy, none.late, Limit::from),
            after_start: part(&self.book_after_start_policy, none.after_start, |part| part.enabled),
            max_participants: part(&self.participants_policy, none.max_participants, |part| {
                part.max_participants_per_booking
            }),
            cancellation: part(&self.cancellation_policy, none.cancellation, ChangeRule::from),
            reschedule: part(&self.reschedule_policy, none.reschedule, ChangeRule::from),
        };
        problems.finish(edit.map(|edit| (edit, changes)))
    }
}

macro_rules! only_which {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(InputObject, Clone, Debug)]
        pub struct $name {
            /// The policy.
            booking_policy_id: ID,
            /// Refuse with `REVISION_MISMATCH` unless the policy has this revision.
            expected_revision: Option<i32>,
            /// A key for safe retries, at most 255 characters: the same key and input replays the first committed
            /// answer.
            idempotency_key: Option<String>,
        }

        impl $name {
            pub(crate) fn parse(&self) -> Result<Edit<BookingPolicyId>, Rejections> {
                let mut problems = Problems::default();
                let key = key(&mut problems, self, self.idempotency_key.as_ref());
                let (id, revision) = (&self.booking_policy_id, self.expected_revision);
                let edit = edit(&mut problems, "bookingPolicyId", id, revision, key);
                problems.finish(edit)
            }
        }
    };
}

only_which!(
    /// A policy that is to be deleted.
    DeleteBookingPolicyInput
);
only_which!(
    /// The policy that services without one of their own are to have.
    SetDefaultBookingPolicyInput
);
