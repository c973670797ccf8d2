//! Holds: exclusive claims of bookings in status `CREATED` that end by themselves.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use super::ledger::{self, Spot};
use crate::{
    domain::{
        actor::Actor,
        conflict::Holder,
        event::{EventSource, EventType},
        ids::{BookingId, SiteId},
    },
    service::{Error, Service},
    store::{Command, Failure, Tx, bookings, claims},
};

/// Ends a hold that ran out by `now`, with the booking's row locked. Whoever finds it first does it; again is nothing.
pub(in crate::service) async fn expire(tx: &mut Tx<'_>, id: BookingId, now: Timestamp) -> Result<(), Failure> {
    let site = tx.site();
    let Some(mut booking) = bookings::find(tx.conn(), site, id).await? else {
        return Ok(());
    };
    if booking.held(now) {
        return Ok(());
    }
    claims::release(tx.conn(), site, Holder::Booking(id)).await?;
    if booking.hold_expires_at.take().is_none() {
        return Ok(());
    }
    let system = Actor::System.identity();
    ledger::touch(
        tx,
        &mut booking,
        EventType::HoldExpired,
        system,
        EventSource::Timer,
        now,
    )
    .await
}

/// The sweep's command: ends one booking's hold if it ran out.
struct ExpireHold {
    site: SiteId,
    booking: BookingId,
}

impl Command for ExpireHold {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        // The targets before the booking, as everybody locks.
        let held = claims::of_holder(tx.conn(), self.site, Holder::Booking(self.booking)).await?;
        let spots: Vec<Spot> = held.iter().map(|claim| (claim.target, claim.span)).collect();
        let ledger = ledger::Ledger::lock(tx, &spots, Some(self.booking)).await?;
        expire(tx, self.booking, ledger.now()).await?;
        // Somebody may have been flagged because of this hold.
        let after = ledger::Ledger::look(tx, &spots).await?;
        after.review(tx, Some(self.booking), &Actor::System).await
    }
}

impl Service {
    /// Ends a booking's hold if it ran out.
    pub async fn expire_hold(&self, site: SiteId, booking: BookingId) -> Result<(), Error> {
        Ok(self.db().write(ExpireHold { site, booking }).await?)
    }
}

/// How many running holds each address made on this server. A visitor can come without a token as often as it likes;
/// its address is harder to change.
#[derive(Debug, Default)]
pub struct HoldsByAddress(Mutex<HashMap<IpAddr, HashMap<BookingId, Timestamp>>>);

impl HoldsByAddress {
    /// Whether the address has fewer than `limit` running holds.
    pub(super) fn has_room(&self, address: IpAddr, limit: usize, now: Timestamp) -> bool {
        let mut holds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ends) = holds.get_mut(&address) else {
            return true;
        };
        // Those that ran out are counted out when it matters, not at each call.
        if ends.len() < limit {
            return true;
        }
        ends.retain(|_, end| now < *end);
        let running = ends.len();
        if running == 0 {
            holds.remove(&address);
        }
        running < limit
    }

    /// Counts a hold that was made; once, however often its making is replayed.
    pub(super) fn count(&self, address: IpAddr, booking: BookingId, end: Timestamp) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(address)
            .or_default()
            .insert(booking, end);
    }
}
