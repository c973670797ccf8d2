//! Packages: several appointments of one visit, back to back, that live and end together (`spec/bookings.md` §4.16).

mod act;
mod availability;
mod create;
mod members;
mod plan;
mod read;
mod reschedule;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{IdempotencyKey, OPEN, Outcome, check_revision};
use crate::{
    domain::{
        Rejection,
        booking::{Booking, ParticipantNotification, PaymentStatus},
        ids::{BookingId, Kind, MultiServiceBookingId},
        permission::Permission,
        rejection::PackageRule,
    },
    service::{Caller, access},
    store::{Failure, Tx, bookings},
};

pub use act::ActOnPackage;
pub use availability::{PackageAvailability, PartAvailability};
pub use create::{CreatePackage, CreatedPackage};
pub use members::{AddToPackage, RemainingPackage, RemoveFromPackage};
pub use reschedule::{Move, ReschedulePackage};

/// What every change of a package is told.
#[derive(Debug, Clone)]
pub struct PackageTarget {
    /// Which package.
    pub package: MultiServiceBookingId,
    /// The client's key for exact retries.
    pub idempotency: Option<IdempotencyKey>,
    /// What the participants are to be told: once, with the first booking.
    pub notification: Option<ParticipantNotification>,
}

/// What is said of one booking of a package.
#[derive(Debug, Clone)]
pub struct PartInfo {
    /// Which booking.
    pub booking: BookingId,
    /// The revision that the caller saw.
    pub expected_revision: Option<i64>,
    /// What is known about the money now.
    pub payment_status: Option<PaymentStatus>,
}

/// A package as a change left it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangedPackage {
    /// Its id.
    pub id: MultiServiceBookingId,
    /// The bookings that the change was about, one after the other.
    pub bookings: Vec<Booking>,
}

impl Outcome for ChangedPackage {}

/// Whether something can still become of a booking.
fn is_open(booking: &Booking) -> bool {
    OPEN.contains(&booking.status)
}

/// The bookings of a package of which the caller sees at least one; whatever became of them.
async fn load(tx: &mut Tx<'_>, caller: &Caller, id: MultiServiceBookingId) -> Result<Vec<Booking>, Failure> {
    let all = bookings::of_package(tx.conn(), caller.site, id).await?;
    if all.iter().any(|booking| access::sees(caller, booking)) {
        Ok(all)
    } else {
        Err(Rejection::not_found(Kind::MultiServiceBooking, &["multiServiceBookingId"]).into())
    }
}

/// Refuses who may not do this to all of the bookings: staff act on their own calendar.
fn require_over(permission: Permission, caller: &Caller, bookings: &[Booking]) -> Result<(), Rejection> {
    let path = ["multiServiceBookingId"];
    let covered = bookings
        .iter()
        .filter(|booking| permission.covers(&caller.actor, booking))
        .count();
    if covered > 0 && covered < bookings.len() && !caller.actor.is_customer() {
        return Err(Rejection::package(PackageRule::SeveralStaff, &path));
    }
    access::require_business(covered == bookings.len(), true, "this", &path)
}

/// Refuses what isn't said of each of the bookings, once.
fn check_named(named: &[BookingId], bookings: &[Booking]) -> Result<(), Rejection> {
    check_known(named, bookings)?;
    if named.len() < bookings.len() {
        return Err(Rejection::package(PackageRule::NotAllSent, &["bookings"]));
    }
    Ok(())
}

/// Refuses what is said of a booking twice, or of none of these.
fn check_known(named: &[BookingId], bookings: &[Booking]) -> Result<(), Rejection> {
    let mut seen = HashSet::new();
    for (index, id) in named.iter().enumerate() {
        let path = ["bookings", &index.to_string(), "bookingId"];
        if !seen.insert(*id) {
            return Err(Rejection::package(PackageRule::Duplicate, &path));
        }
        if !bookings.iter().any(|booking| booking.id == *id) {
            return Err(Rejection::not_found(Kind::Booking, &path));
        }
    }
    Ok(())
}

/// Refuses a change that was meant for another revision of the booking at a position of the input.
fn check_seen(before: &Booking, expected: Option<i64>, settled: bool, index: usize) -> Result<(), Rejection> {
    let path = ["bookings", &index.to_string(), "expectedRevision"];
    check_revision(before, expected, settled).map_err(|rejection| rejection.of_part(&path))
}

/// Whether each booking ends where the next one starts.
fn back_to_back(bookings: &[Booking]) -> bool {
    bookings
        .windows(2)
        .all(|pair| matches!(pair, [one, next] if one.end().is_some() && one.end() == next.start()))
}

/// Whether two lists of bookings tell of the same visit: nobody moved or changed one in between.
fn same(seen: &[Booking], now: &[Booking]) -> bool {
    let part = |one: &Booking| {
        (
            one.id,
            one.status.on_calendar(),
            one.booked.clone(),
            one.participants.clone(),
        )
    };
    seen.len() == now.len() && seen.iter().zip(now).all(|(one, other)| part(one) == part(other))
}
