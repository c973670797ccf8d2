//! What becomes of bookings when the business changes what is under them: they are canceled with it, or follow it.

use super::{Ledger, place::busy_span, write_change};
use crate::{
    domain::{
        actor::Actor,
        booking::{Act, Booked, Booking, BookingStatus, ParticipantNotification},
        conflict::{Holder, Target},
        event::EventType,
        ids::BookingId,
    },
    store::{Failure, Tx, bookings, claims},
};

/// The statuses of bookings that something can still become of.
pub(in crate::service) const OPEN: [BookingStatus; 4] = [
    BookingStatus::Created,
    BookingStatus::Pending,
    BookingStatus::Confirmed,
    BookingStatus::WaitingList,
];

/// Whether somebody counts on the booking: it is on the calendar, or its hold is running. The business has to say what
/// is to become of such a one. A booking that was only begun goes along without a question.
pub(in crate::service) fn stands(booking: &Booking, ledger: &Ledger) -> bool {
    booking.status.on_calendar() || booking.held(ledger.now())
}

/// Cancels those of the bookings that can be. Their rows are locked. Says how many there were.
pub(in crate::service) async fn cancel_all(
    tx: &mut Tx<'_>,
    ledger: &mut Ledger,
    ids: &[BookingId],
    actor: &Actor,
) -> Result<i64, Failure> {
    cancel_all_telling(tx, ledger, ids, actor, None).await
}

/// The same, and tells the participants.
pub(in crate::service) async fn cancel_all_telling(
    tx: &mut Tx<'_>,
    ledger: &mut Ledger,
    ids: &[BookingId],
    actor: &Actor,
    notification: Option<&ParticipantNotification>,
) -> Result<i64, Failure> {
    let (site, now) = (tx.site(), ledger.now());
    let mut canceled = 0;
    for before in bookings::find_many(tx.conn(), site, ids).await? {
        if !Act::Cancel.allowed_from().contains(&before.status) {
            continue;
        }
        ledger.release(tx, Holder::Booking(before.id)).await?;
        let mut after = before.clone();
        after.status = BookingStatus::Canceled;
        after.double_booked = false;
        after.hold_expires_at = None;
        after.canceled = Some(now);
        write_change(tx, &before, &mut after, EventType::Canceled, actor, notification, now).await?;
        canceled += 1;
    }
    Ok(canceled)
}

/// Gives a booking, whose row is locked, what its session or run has become; its seats stay the same. Says whether
/// anything changed.
pub(in crate::service) async fn rewrite(
    tx: &mut Tx<'_>,
    ledger: &Ledger,
    before: &Booking,
    booked: Booked,
    actor: &Actor,
) -> Result<bool, Failure> {
    if before.booked == booked {
        return Ok(false);
    }
    let site = tx.site();
    let moved = before.booked.span != booked.span;
    if moved {
        let span = busy_span(&booked);
        for claim in claims::of_holder(tx.conn(), site, Holder::Booking(before.id)).await? {
            if !matches!(claim.target, Target::Resource(_)) {
                claims::set_span(tx.conn(), site, claim.id, span).await?;
            }
        }
    }
    // A run that gets another session is no other run: only what has one session moves with it.
    let event = if moved && booked.session.is_some() {
        EventType::Rescheduled
    } else {
        EventType::Updated
    };
    let mut after = Booking {
        booked,
        ..before.clone()
    };
    write_change(tx, before, &mut after, event, actor, None, ledger.now()).await?;
    Ok(true)
}

/// Gives a booking, whose row is locked, to another resource. What it holds was handed over before.
pub(in crate::service) async fn reassign(
    tx: &mut Tx<'_>,
    ledger: &Ledger,
    before: &Booking,
    booked: Booked,
    actor: &Actor,
) -> Result<(), Failure> {
    let mut after = Booking {
        booked,
        ..before.clone()
    };
    let event = EventType::Rescheduled;
    write_change(tx, before, &mut after, event, actor, None, ledger.now()).await
}
