//! Bookings: the acts of their life cycle, and reading them (`spec/bookings.md` §4).

mod act;
mod candidates;
mod create;
mod follow;
mod holds;
mod ledger;
mod package;
mod place;
mod read;
mod reschedule;
mod terms;
mod verdict;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, Outcome};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{Booking, ParticipantNotification},
        event::{EventSource, EventType},
        ids::{BookingId, NotificationId, ResourceId, VisitorId},
    },
    store::{
        Failure, StoreError, Tx, bookings,
        events::NewEvent,
        notifications::{self, Notification},
        types::{NotificationKind, NotificationState},
    },
};

pub use act::{ActOn, Verdict};
pub use create::{BulkCreated, CreateBooking, Created};
pub(in crate::service) use follow::{OPEN, cancel_all, cancel_all_telling, reassign, rewrite, stands};
pub use holds::HoldsByAddress;
pub(in crate::service) use ledger::{Ledger, Spot};
pub use package::{
    ActOnPackage, AddToPackage, ChangedPackage, CreatePackage, CreatedPackage, Move, PackageAvailability,
    PackageTarget, PartAvailability, PartInfo, RemainingPackage, RemoveFromPackage, ReschedulePackage,
};
pub use place::Wanted;
pub(in crate::service) use place::{all_time, spots_of};
pub use read::EventFilter;
pub use reschedule::{RescheduleBooking, UpdateParticipants};

/// What every change of one booking is told.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which booking.
    pub booking: BookingId,
    /// The revision that the caller saw.
    pub expected_revision: Option<i64>,
    /// The client's key for exact retries.
    pub idempotency: Option<IdempotencyKey>,
    /// What the participants are to be told.
    pub notification: Option<ParticipantNotification>,
}

/// A booking as a change left it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changed(pub Booking);

impl Outcome for Changed {}

/// Writes what a change made of a booking: the row, the event, the messages.
async fn write_change(
    tx: &mut Tx<'_>,
    before: &Booking,
    after: &mut Booking,
    event_type: EventType,
    actor: &Actor,
    notification: Option<&ParticipantNotification>,
    now: Timestamp,
) -> Result<(), Failure> {
    after.revision = before.revision + 1;
    after.updated = now;
    if let Some(notification) = notification {
        after.participant_notification = Some(notification.clone());
    }
    let site = tx.site();
    bookings::save(tx.conn(), site, after).await?;
    notify(tx, after, event_type, notification, now).await?;
    let previous_resources: Vec<ResourceId> = before.booked.resources.iter().map(|resource| resource.id).collect();
    tx.record(NewEvent {
        state: after.clone(),
        event_type,
        previous_status: Some(before.status),
        previous_resources,
        left_package: before.package.filter(|_| after.package.is_none()),
        actor: actor.identity(),
        source: EventSource::Request,
        occurred: now,
    });
    Ok(())
}

/// Puts the messages that were asked for into the log, one for each channel.
async fn notify(
    tx: &mut Tx<'_>,
    booking: &Booking,
    event_type: EventType,
    notification: Option<&ParticipantNotification>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kind = match event_type {
        EventType::Created => NotificationKind::Created,
        EventType::Confirmed => NotificationKind::Confirmed,
        EventType::Declined => NotificationKind::Declined,
        EventType::Canceled => NotificationKind::Canceled,
        EventType::Rescheduled => NotificationKind::Rescheduled,
        EventType::MarkedAsPending => NotificationKind::MarkedAsPending,
        EventType::ParticipantsUpdated => NotificationKind::ParticipantsUpdated,
        EventType::HoldExpired | EventType::DoubleBooked | EventType::DoubleBookingResolved | EventType::Updated => {
            return Ok(());
        }
    };
    let Some(notification) = notification.filter(|notification| notification.notify_participants) else {
        return Ok(());
    };
    let site = tx.site();
    for channel in &notification.channels {
        let message = Notification {
            id: NotificationId::new(),
            booking: booking.id,
            kind,
            channel: *channel,
            message: notification.message.clone(),
            state: NotificationState::Queued,
            created: now,
        };
        notifications::insert(tx.conn(), site, &message).await?;
    }
    Ok(())
}

/// Refuses a change that was meant for another revision. The end of its hold that this act itself settled is no change
/// by somebody: the caller knew when it would come.
fn check_revision(before: &Booking, expected: Option<i64>, settled: bool) -> Result<(), Rejection> {
    if settled && expected == Some(before.revision - 1) {
        return Ok(());
    }
    before.check_revision(expected)
}

/// Who a new visitor's token is for, and since when: enough to make the same token again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVisitor {
    /// The visitor.
    pub id: VisitorId,
    /// When the token was made.
    pub since: Timestamp,
}
