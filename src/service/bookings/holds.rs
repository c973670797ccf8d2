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
        conflict::{Holder, Target},
        event::{EventSource, EventType, Matter},
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
    // Without a hold there is nothing to end: what it claims by now, it was confirmed to.
    if booking.hold_expires_at.is_none() || booking.held(now) {
        return Ok(());
    }
    booking.hold_expires_at = None;
    let holder = Holder::Booking(id);
    for claim in claims::of_holder(tx.conn(), site, holder).await? {
        match claim.target {
            Target::Resource(resource) => tx.touch(Matter::Resource(resource), Some(claim.span)),
            Target::Session(_) | Target::Schedule(_) => {
                tx.touch(Matter::Service(booking.booked.service), booking.booked.span);
            }
        }
    }
    claims::release(tx.conn(), site, holder).await?;
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
        let held = claims::of_holder(tx.conn(), self.site, Holder::Booking(self.booking)).await?;
        if held.iter().any(|claim| !spots.contains(&(claim.target, claim.span))) {
            // It moved before it was locked.
            return Err(Failure::Again);
        }
        expire(tx, self.booking, ledger.now()).await?;
        // Somebody may have been flagged because of this hold.
        ledger.review(tx, Some(self.booking), &Actor::System).await
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
pub struct HoldsByAddress(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    ends: HashMap<IpAddr, HashMap<BookingId, Timestamp>>,
    made_from: HashMap<BookingId, IpAddr>,
    /// Beyond so many, those that ran out are looked for.
    crowded: usize,
}

impl Counted {
    fn forget(&mut self, booking: BookingId) {
        let Some(address) = self.made_from.remove(&booking) else {
            return;
        };
        if let Some(ends) = self.ends.get_mut(&address) {
            ends.remove(&booking);
            if ends.is_empty() {
                self.ends.remove(&address);
            }
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        let made_from = &mut self.made_from;
        self.ends.retain(|_, ends| {
            ends.retain(|booking, end| now < *end || made_from.remove(booking).is_none());
            !ends.is_empty()
        });
    }
}

impl HoldsByAddress {
    /// Whether the address may have so many more running holds without going over `limit`.
    pub(super) fn has_room(&self, address: IpAddr, more: usize, limit: usize, now: Timestamp) -> bool {
        let Some(most) = limit.checked_sub(more) else {
            return false;
        };
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ends) = counted.ends.get(&address) else {
            return true;
        };
        // The running ones are counted only if all of them might be too many.
        ends.len() <= most || ends.values().filter(|end| now < **end).count() <= most
    }

    /// Counts a hold that was made; once, however often its making is replayed.
    pub(super) fn count(&self, address: IpAddr, booking: BookingId, end: Timestamp, now: Timestamp) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= end || counted.made_from.insert(booking, address).is_some() {
            return;
        }
        counted.ends.entry(address).or_default().insert(booking, end);
        if counted.made_from.len() > counted.crowded {
            counted.sweep(now);
            counted.crowded = counted.made_from.len().max(1000) * 2;
        }
    }

    /// A hold is over before its time: canceled, confirmed, declined.
    pub(super) fn forget(&self, booking: BookingId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).forget(booking);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn holds_count_until_they_end_or_are_given_up() {
        let (holds, address) = (HoldsByAddress::default(), IpAddr::from([192, 0, 2, 1]));
        let (first, second) = (BookingId::new(), BookingId::new());
        holds.count(address, first, at(100), at(0));
        holds.count(address, first, at(100), at(0));
        holds.count(address, second, at(50), at(0));
        assert!(!holds.has_room(address, 1, 2, at(49)));
        assert!(holds.has_room(address, 1, 3, at(49)));
        assert!(holds.has_room(address, 1, 2, at(50)), "one ran out");
        assert!(!holds.has_room(address, 2, 2, at(50)), "but there is no room for two");
        assert!(!holds.has_room(address, 1, 1, at(50)));
        holds.forget(first);
        assert!(holds.has_room(address, 1, 1, at(50)), "the other was given up");
        assert!(
            holds.has_room(IpAddr::from([192, 0, 2, 2]), 1, 1, at(0)),
            "another address"
        );
    }

    #[test]
    fn what_ran_out_is_not_kept_forever() {
        let holds = HoldsByAddress::default();
        for number in 0..20_000_u32 {
            let now = at(i64::from(number));
            holds.count(
                IpAddr::from(number.to_be_bytes()),
                BookingId::new(),
                at(i64::from(number) + 10),
                now,
            );
        }
        let counted = holds.0.lock().unwrap();
        assert!(counted.made_from.len() <= 2001, "{}", counted.made_from.len());
        assert!(counted.ends.len() <= 2001);
    }
}
