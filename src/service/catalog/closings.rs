//! Times in which the business, or one of its locations, is closed: nothing can be had there by appointment. Sessions stay
//! where the owner put them (`spec/catalog-availability.md` §3.6, §4.5).
//!
//! A closing has no claim: it is no resource's time alone, and binds those that are made later, too. Whoever makes a booking
//! hold a time locks resources and then looks for what closes it; who closes locks all of them, and then looks for bookings.
//! So one of the two sees the other.

use super::check_revision;
use crate::{
    domain::{
        Rejection,
        catalog::BlockedTime,
        conflict::{OverlapReason, Target},
        event::Matter,
        ids::{BlockedTimeId, BookingId, Kind, LocationId, ResourceId},
        rejection::SlotProblem,
    },
    store::{Failure, Tx, bookings, catalog as store, claims, sites},
};

/// Closes the business or a location. Bookings in it refuse that, unless the business wants it so: then that goes on
/// record, and they stay.
pub(super) async fn close(tx: &mut Tx<'_>, blocked: &mut BlockedTime, allow_overlap: bool) -> Result<(), Failure> {
    let site = tx.site();
    // No resource is made meanwhile, and no location deleted.
    sites::lock(tx).await?;
    let location = blocked.owner.location();
    if let Some(location) = location
        && store::find_locations(tx.conn(), site, &[location]).await?.is_empty()
    {
        return Err(Rejection::not_found(Kind::Location, &["locationId"]).into());
    }
    if !blocked.transparent {
        let rivals = booked(tx, blocked, location).await?;
        if !rivals.is_empty() {
            if !allow_overlap {
                return Err(Rejection::SlotNotAvailable {
                    conflicts: rivals,
                    next_available: None,
                    problem: SlotProblem::NotFree,
                }
                .into());
            }
            blocked.overlap = Some(OverlapReason::OwnerEdit);
        }
        tx.touch(Matter::Everything, Some(blocked.span));
    }
    let now = tx.now();
    (blocked.created, blocked.updated) = (now, now);
    Ok(store::insert_blocked_time(tx.conn(), site, blocked).await?)
}

/// Opens what was closed.
pub(super) async fn open(
    tx: &mut Tx<'_>,
    id: BlockedTimeId,
    expected_revision: Option<i64>,
) -> Result<BlockedTime, Failure> {
    let site = tx.site();
    sites::lock(tx).await?;
    let found = store::find_blocked_time(tx.conn(), site, id).await?;
    let blocked = found.ok_or_else(|| Rejection::not_found(Kind::BlockedTime, &["blockedTimeId"]))?;
    check_revision(Kind::BlockedTime, blocked.revision, expected_revision)?;
    store::delete_blocked_time(tx.conn(), site, id).await?;
    if !blocked.transparent {
        tx.touch(Matter::Everything, Some(blocked.span));
    }
    Ok(blocked)
}

/// The bookings that hold something in the time, at the location if one is said, with all resources locked.
async fn booked(
    tx: &mut Tx<'_>,
    blocked: &BlockedTime,
    location: Option<LocationId>,
) -> Result<Vec<BookingId>, Failure> {
    let site = tx.site();
    let resources = store::resources_of_site(tx.conn(), site).await?;
    let mut ids: Vec<ResourceId> = resources.iter().map(|(resource, _)| resource.id).collect();
    ids.sort();
    let targets: Vec<Target> = ids.iter().copied().map(Target::Resource).collect();
    claims::lock_targets(tx, &targets).await?;
    let (now, span) = (tx.now(), blocked.span);
    let found = claims::on_resources(tx.conn(), site, &ids, span.start(), span.end()).await?;
    let holding = found.iter().filter(|claim| claim.live(now) && claim.blocks());
    let mut rivals: Vec<BookingId> = holding.filter_map(|claim| claim.holder.booking()).collect();
    let mut seen = std::collections::HashSet::new();
    rivals.retain(|id| seen.insert(*id));
    let Some(location) = location else {
        return Ok(rivals);
    };
    let mut there = Vec::new();
    for ids in rivals.chunks(500) {
        for booking in bookings::find_many(tx.conn(), site, ids).await? {
            let service = store::find_service(tx.conn(), site, booking.booked.service).await?;
            let at = service.and_then(|service| service.place_of(booking.booked.location.as_ref()));
            if at.and_then(|at| at.business()) == Some(location) {
                there.push(booking.id);
            }
        }
    }
    Ok(there)
}
