//! The claims around an act, under locks: who holds what, what clashes, who is to be looked at again afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    domain::{
        actor::{Actor, Identity},
        booking::Booking,
        catalog::{Schedule, Session},
        conflict::{self, Ask, Claim, Clash, Holder, OverlapReason, Target},
        event::{EventSource, EventType, Matter},
        ids::{BookingId, ClaimId, ResourceId, ScheduleId, SessionId},
        time::TimeSpan,
    },
    store::{Failure, StoreError, Tx, bookings, catalog, claims, events::NewEvent},
};

/// A target and the time in which it matters.
pub(in crate::service) type Spot = (Target, TimeSpan);

/// What is known of some targets.
#[derive(Clone)]
pub(in crate::service) struct Ledger {
    claims: Vec<Claim>,
    sessions: HashMap<SessionId, Session>,
    schedules: HashMap<ScheduleId, Schedule>,
    /// Whose holds ran out and were settled by this act.
    settled: BTreeSet<BookingId>,
    now: Timestamp,
}

impl Ledger {
    /// Looks without locking: good for an answer that nobody relies on.
    pub(in crate::service) async fn look(tx: &mut Tx<'_>, spots: &[Spot]) -> Result<Self, Failure> {
        let mut ledger = Self::empty(tx.now());
        ledger.load(tx, spots).await?;
        Ok(ledger)
    }

    /// Locks the targets and then every booking that the act may touch (`own` and others on the targets), and settles
    /// holds that ran out. What it says is true until the commit.
    pub(in crate::service) async fn lock(
        tx: &mut Tx<'_>,
        spots: &[Spot],
        own: Option<BookingId>,
    ) -> Result<Self, Failure> {
        Self::lock_with(tx, spots, own.as_slice(), |claim| claim.overlap_reason.is_some()).await
    }

    /// The same for an act on several bookings at once.
    pub(in crate::service) async fn lock_several(
        tx: &mut Tx<'_>,
        spots: &[Spot],
        own: &[BookingId],
    ) -> Result<Self, Failure> {
        Self::lock_with(tx, spots, own, |claim| claim.overlap_reason.is_some()).await
    }

    /// The same but for what these bookings hold.
    pub(in crate::service) fn without(&self, aside: &[BookingId]) -> Self {
        let mut rest = self.clone();
        rest.claims
            .retain(|claim| claim.holder.booking().is_none_or(|holder| !aside.contains(&holder)));
        rest
    }

    /// The same for an act on what stands under the bookings: all that hold something on the targets are locked.
    pub(in crate::service) async fn lock_all(
        tx: &mut Tx<'_>,
        spots: &[Spot],
        own: &[BookingId],
    ) -> Result<Self, Failure> {
        Self::lock_with(tx, spots, own, |_| true).await
    }

    async fn lock_with(
        tx: &mut Tx<'_>,
        spots: &[Spot],
        own: &[BookingId],
        concerns: impl Fn(&Claim) -> bool,
    ) -> Result<Self, Failure> {
        let mut spots = spots.to_vec();
        if tx.tried_before() {
            let now = tx.now();
            let seen = Self::look(tx, &spots).await?.expired(now);
            spots.extend(held_by(tx, &seen).await?);
        }
        claims::lock_targets(tx, &targets_of(&spots)).await?;
        let mut ledger = Self::empty(tx.now());
        ledger.load(tx, &spots).await?;
        let now = ledger.now;
        let expired = ledger.expired(now);
        if !expired.is_empty() {
            // With a hold goes whatever was flagged because of it, on all that it held: that has to be locked, too. It
            // was found late; whoever has to run again because of that finds it before it locks.
            spots.extend(held_by(tx, &expired).await?);
            claims::lock_targets(tx, &targets_of(&spots)).await?;
            ledger.load(tx, &spots).await?;
        }
        let concerned = ledger.claims.iter().filter(|claim| concerns(claim));
        let all: Vec<BookingId> = concerned
            .filter_map(|claim| claim.holder.booking())
            .chain(expired.iter().copied())
            .chain(own.iter().copied())
            .collect();
        claims::lock_bookings(tx, &all).await?;
        for id in &expired {
            super::holds::expire(tx, *id, now).await?;
        }
        ledger.claims.retain(|claim| claim.live(now));
        ledger.settled = expired;
        Ok(ledger)
    }

    fn empty(now: Timestamp) -> Self {
        Self {
            claims: Vec::new(),
            sessions: HashMap::new(),
            schedules: HashMap::new(),
            settled: BTreeSet::new(),
            now,
        }
    }

    fn expired(&self, now: Timestamp) -> BTreeSet<BookingId> {
        self.claims
            .iter()
            .filter(|claim| !claim.live(now))
            .filter_map(|claim| claim.holder.booking())
            .collect()
    }

    async fn load(&mut self, tx: &mut Tx<'_>, spots: &[Spot]) -> Result<(), Failure> {
        let site = tx.site();
        let mut found: BTreeMap<ClaimId, Claim> = BTreeMap::new();
        let mut resources: BTreeMap<(Timestamp, Timestamp), BTreeSet<ResourceId>> = BTreeMap::new();
        for (target, span) in spots {
            let (target, from, until) = (*target, span.start(), span.end());
            let claims = match target {
                Target::Session(id) => {
                    let (session, claims) = tx
                        .conn()
                        .both(
                            move |conn| Box::pin(catalog::find_session(conn, site, id)),
                            move |conn| Box::pin(claims::on_target(conn, site, target, from, until)),
                        )
                        .await?;
                    self.sessions.extend(session.map(|session| (id, session)));
                    claims
                }
                Target::Schedule(id) => {
                    let (schedule, claims) = tx
                        .conn()
                        .both(
                            move |conn| Box::pin(catalog::find_schedule(conn, site, id)),
                            move |conn| Box::pin(claims::on_target(conn, site, target, from, until)),
                        )
                        .await?;
                    self.schedules.extend(schedule.map(|schedule| (id, schedule)));
                    claims
                }
                Target::Resource(id) => {
                    resources.entry((from, until)).or_default().insert(id);
                    continue;
                }
            };
            found.extend(claims.into_iter().map(|claim| (claim.id, claim)));
        }
        // What matters in the same time is asked for at once.
        for ((from, until), ids) in resources {
            let ids: Vec<ResourceId> = ids.into_iter().collect();
            let claims = claims::on_resources(tx.conn(), site, &ids, from, until).await?;
            found.extend(claims.into_iter().map(|claim| (claim.id, claim)));
        }
        self.claims = found.into_values().collect();
        Ok(())
    }

    /// The instant at which the ledger was opened, after its locks.
    pub(in crate::service) fn now(&self) -> Timestamp {
        self.now
    }

    /// The live claims on the targets.
    pub(in crate::service) fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter()
    }

    /// Says that what one can have of a target may be other than it was.
    fn changed(&self, tx: &mut Tx<'_>, target: Target, span: TimeSpan) {
        match target {
            Target::Resource(id) => tx.touch(Matter::Resource(id), Some(span)),
            Target::Session(id) => {
                if let Some(session) = self.sessions.get(&id) {
                    tx.touch(Matter::Service(session.service), Some(session.span));
                }
            }
            Target::Schedule(id) => {
                if let Some(schedule) = self.schedules.get(&id) {
                    tx.touch(Matter::Service(schedule.service), schedule.span);
                }
            }
        }
    }

    /// Whether it was this act that settled the booking's hold.
    pub(in crate::service) fn settled(&self, booking: BookingId) -> bool {
        self.settled.contains(&booking)
    }

    /// A session that is one of the targets.
    pub(in crate::service) fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// A schedule that is one of the targets.
    pub(in crate::service) fn schedule(&self, id: ScheduleId) -> Option<&Schedule> {
        self.schedules.get(&id)
    }

    /// Whether the holder has just this already.
    pub(in crate::service) fn holds(&self, ask: &Ask) -> bool {
        self.own_claim(ask).is_some()
    }

    /// What is in the way of one wish.
    pub(in crate::service) fn check(&self, ask: &Ask) -> Option<Clash> {
        conflict::evaluate(&self.after_own(ask), &self.claims, self.capacity(ask.target), self.now)
    }

    /// Takes what is asked for and gives up what the holder had before; keeps a claim that is just as asked for, or of
    /// more seats, and with it the place in the order of who was first. `reason` goes on record where something is in the way.
    pub(in crate::service) async fn occupy(
        &mut self,
        tx: &mut Tx<'_>,
        asks: &[Ask],
        holder: Holder,
        reason: OverlapReason,
        hold_expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let asks: Vec<(Ask, OverlapReason)> = asks.iter().map(|ask| (*ask, reason)).collect();
        self.occupy_each(tx, &asks, holder, hold_expires_at).await
    }

    /// The same with a reason for each.
    pub(in crate::service) async fn occupy_each(
        &mut self,
        tx: &mut Tx<'_>,
        asks: &[(Ask, OverlapReason)],
        holder: Holder,
        hold_expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let site = tx.site();
        let mut kept = BTreeSet::new();
        let mut new = Vec::new();
        for (ask, reason) in asks {
            let reason = *reason;
            let transparent = reason == OverlapReason::Transparent;
            if !transparent {
                self.resize(tx, ask).await?;
            }
            let own = if transparent {
                self.transparent_claim(ask)
            } else {
                self.own_claim(ask)
            };
            match own {
                // A lasting claim stays; a held one becomes lasting unless it is to be held on.
                Some(claim) if reason != OverlapReason::MultipleRequests => {
                    let (id, span) = (claim.id, claim.span);
                    if claim.hold_expires_at.is_some() && hold_expires_at.is_none() {
                        claims::make_lasting(tx.conn(), site, id).await?;
                        // Taken as before, but no longer for a time: whoever remembers the hold is to know.
                        self.changed(tx, ask.target, span);
                    }
                    kept.insert(id);
                    if let Some(claim) = self.claims.iter_mut().find(|claim| claim.id == id) {
                        claim.hold_expires_at = hold_expires_at;
                    }
                }
                _ => {
                    let silent = matches!(reason, OverlapReason::MultipleRequests | OverlapReason::Transparent);
                    let on_record = silent || self.check(ask).is_some();
                    new.push(Claim {
                        // The order of the ids is that of who was first, and it is decided by the locks.
                        id: ClaimId::after(self.claims.iter().map(|claim| claim.id).max()),
                        target: ask.target,
                        span: ask.span,
                        seats: ask.seats,
                        holder,
                        hold_expires_at,
                        overlap_reason: on_record.then_some(reason),
                    });
                }
            }
        }
        let gone: Vec<Claim> = self
            .claims
            .iter()
            .filter(|c| c.holder == holder && !kept.contains(&c.id))
            .cloned()
            .collect();
        for claim in &gone {
            claims::delete_one(tx.conn(), site, claim.id).await?;
            self.changed(tx, claim.target, claim.span);
        }
        self.claims
            .retain(|claim| claim.holder != holder || kept.contains(&claim.id));
        for claim in new {
            claims::insert(tx.conn(), site, &claim).await?;
            self.changed(tx, claim.target, claim.span);
            self.claims.push(claim);
        }
        Ok(())
    }

    /// Gives up what somebody holds, but for what is just as it asks for: so that others may take it in the same act.
    pub(in crate::service) async fn give_up(
        &mut self,
        tx: &mut Tx<'_>,
        holder: Holder,
        asks: &[Ask],
    ) -> Result<(), StoreError> {
        let site = tx.site();
        let kept: BTreeSet<ClaimId> = asks.iter().filter_map(|ask| Some(self.own_claim(ask)?.id)).collect();
        let goes = |claim: &Claim| claim.holder == holder && !kept.contains(&claim.id);
        for claim in self.claims.iter().filter(|claim| goes(claim)) {
            claims::delete_one(tx.conn(), site, claim.id).await?;
            self.changed(tx, claim.target, claim.span);
        }
        self.claims.retain(|claim| !goes(claim));
        Ok(())
    }

    /// Gives the holder as many seats as it asks for at the place in the order that it has, if they are fewer or free.
    /// What goes over takes its place behind all others.
    async fn resize(&mut self, tx: &mut Tx<'_>, ask: &Ask) -> Result<(), StoreError> {
        let (site, free) = (tx.site(), self.check(ask).is_none());
        let own = self.claims.iter_mut().find(|claim| {
            claim.holder == ask.holder
                && claim.target == ask.target
                && claim.span == ask.span
                && claim.blocks()
                && claim.seats != ask.seats
        });
        if let Some(claim) = own.filter(|claim| ask.seats < claim.seats || free) {
            claim.seats = ask.seats;
            claims::set_seats(tx.conn(), site, claim.id, ask.seats).await?;
            self.changed(tx, ask.target, ask.span);
        }
        Ok(())
    }

    /// Gives a session or a run another number of seats. Who has no seat any more, in the order in which the seats
    /// were taken, keeps it by the business's word: that goes on record.
    pub(in crate::service) async fn set_capacity(
        &mut self,
        tx: &mut Tx<'_>,
        target: Target,
        capacity: i32,
    ) -> Result<(), StoreError> {
        match target {
            Target::Session(id) => self
                .sessions
                .get_mut(&id)
                .into_iter()
                .for_each(|session| session.capacity = capacity),
            Target::Schedule(id) => {
                self.schedules
                    .get_mut(&id)
                    .into_iter()
                    .for_each(|schedule| schedule.capacity = capacity);
            }
            Target::Resource(_) => {}
        }
        self.changed(tx, target, super::place::all_time());
        let site = tx.site();
        let mut taken = 0_i64;
        for claim in self
            .claims
            .iter_mut()
            .filter(|claim| claim.target == target && claim.blocks())
        {
            taken += i64::from(claim.seats);
            if taken > i64::from(capacity) && claim.overlap_reason.is_none() {
                claim.overlap_reason = Some(OverlapReason::OwnerEdit);
                claims::set_reason(tx.conn(), site, claim.id, claim.overlap_reason).await?;
            }
        }
        Ok(())
    }

    /// What bookings and sessions hold of a resource from now on. The business's own blocks are its alone.
    pub(in crate::service) fn passing(&self, resource: ResourceId) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(move |claim| self.passes(claim, resource))
    }

    fn passes(&self, claim: &Claim, from: ResourceId) -> bool {
        let block = matches!(claim.holder, Holder::Block(_));
        claim.target == Target::Resource(from) && !block && claim.span.end() > self.now
    }

    /// Gives what bookings and sessions hold of one resource to another, which is free for it. Each claim keeps its place
    /// in the order of who was first, and why it may overlap those that pass with it.
    pub(in crate::service) async fn hand_over(
        &mut self,
        tx: &mut Tx<'_>,
        from: ResourceId,
        to: ResourceId,
    ) -> Result<(), StoreError> {
        let site = tx.site();
        let passing: Vec<Claim> = self.passing(from).cloned().collect();
        for claim in passing {
            claims::set_resource(tx.conn(), site, claim.id, to).await?;
            self.changed(tx, Target::Resource(from), claim.span);
            self.changed(tx, Target::Resource(to), claim.span);
            if let Some(own) = self.claims.iter_mut().find(|own| own.id == claim.id) {
                own.target = Target::Resource(to);
            }
        }
        Ok(())
    }

    /// Gives up all that somebody holds.
    pub(in crate::service) async fn release(&mut self, tx: &mut Tx<'_>, holder: Holder) -> Result<(), StoreError> {
        let site = tx.site();
        claims::release(tx.conn(), site, holder).await?;
        for claim in self.claims.iter().filter(|claim| claim.holder == holder) {
            self.changed(tx, claim.target, claim.span);
        }
        self.claims.retain(|claim| claim.holder != holder);
        Ok(())
    }

    /// Looks again at the bookings around that are flagged, or may have to be: sets and clears `doubleBooked`.
    pub(in crate::service) async fn review(
        &self,
        tx: &mut Tx<'_>,
        own: Option<BookingId>,
        actor: &Actor,
    ) -> Result<(), Failure> {
        self.review_beside(tx, own.as_slice(), actor).await
    }

    /// The same for an act on several bookings at once.
    pub(in crate::service) async fn review_beside(
        &self,
        tx: &mut Tx<'_>,
        own: &[BookingId],
        actor: &Actor,
    ) -> Result<(), Failure> {
        let around: BTreeSet<BookingId> = self
            .claims
            .iter()
            .filter(|claim| claim.overlap_reason.is_some())
            .filter_map(|claim| claim.holder.booking())
            .filter(|id| !own.contains(id))
            .collect();
        for id in around {
            self.review_one(tx, id, actor.identity()).await?;
        }
        Ok(())
    }

    async fn review_one(&self, tx: &mut Tx<'_>, id: BookingId, actor: Identity) -> Result<(), Failure> {
        let site = tx.site();
        let Some(mut booking) = bookings::find(tx.conn(), site, id).await? else {
            return Ok(());
        };
        // What the business let in without a check is never flagged by the machine.
        if booking.flow.skip_availability_validation {
            return Ok(());
        }
        let own = claims::of_holder(tx.conn(), site, Holder::Booking(id)).await?;
        let (mut clashes, mut silent) = (false, Vec::new());
        for claim in &own {
            let ask = Ask {
                target: claim.target,
                span: claim.span,
                seats: claim.seats,
                holder: claim.holder,
                before: claim.blocks().then_some(claim.id),
            };
            // In the whole of its own time: there may be more in its way than this act has to do with. On a target that
            // isn't locked here, whoever changes what is in its way waits for the booking's row, which is, and then
            // looks again.
            let around = Self::look(tx, &[(claim.target, claim.span)]).await?;
            // The act may be about to change how many seats there are.
            let known = if self.knows(claim.target) { self } else { &around };
            let capacity = known.capacity(claim.target);
            clashes |= conflict::evaluate(&ask, &around.claims, capacity, self.now).is_some();
            // What nobody has settled yet blocks nobody, but until then only the reason lets both stand.
            let beside = |other: &Claim| other.holder != claim.holder && other.overlap_reason.is_none();
            if claim.overlap_reason.is_some() && claim.blocks() && !around.claims.iter().any(beside) {
                silent.push(claim.id);
            }
        }
        if clashes == booking.double_booked {
            return Ok(());
        }
        booking.double_booked = clashes;
        if !clashes {
            for id in silent {
                claims::set_reason(tx.conn(), site, id, None).await?;
            }
        }
        let event = if clashes {
            EventType::DoubleBooked
        } else {
            EventType::DoubleBookingResolved
        };
        touch(tx, &mut booking, event, actor, EventSource::Request, self.now).await
    }

    /// The holder's own claim on a resource that it has without keeping it busy.
    fn transparent_claim(&self, ask: &Ask) -> Option<&Claim> {
        self.claims.iter().find(|claim| {
            claim.holder == ask.holder
                && claim.target == ask.target
                && claim.span == ask.span
                && claim.overlap_reason == Some(OverlapReason::Transparent)
        })
    }

    /// The holder's own claim on what it asks for, of as many seats or more.
    fn own_claim(&self, ask: &Ask) -> Option<&Claim> {
        self.claims.iter().find(|claim| {
            claim.holder == ask.holder
                && claim.target == ask.target
                && claim.span == ask.span
                && claim.seats >= ask.seats
                && claim.blocks()
        })
    }

    /// Who holds just this already is only behind those who came before.
    fn after_own(&self, ask: &Ask) -> Ask {
        Ask {
            before: ask.before.or_else(|| self.own_claim(ask).map(|claim| claim.id)),
            ..*ask
        }
    }

    fn knows(&self, target: Target) -> bool {
        match target {
            Target::Resource(_) => true,
            Target::Session(id) => self.sessions.contains_key(&id),
            Target::Schedule(id) => self.schedules.contains_key(&id),
        }
    }

    fn capacity(&self, target: Target) -> i32 {
        match target {
            Target::Resource(_) => 1,
            Target::Session(id) => self.sessions.get(&id).map_or(0, |session| session.capacity),
            Target::Schedule(id) => self.schedules.get(&id).map_or(0, |schedule| schedule.capacity),
        }
    }
}

fn targets_of(spots: &[Spot]) -> Vec<Target> {
    spots.iter().map(|(target, _)| *target).collect()
}

/// All that some bookings hold.
async fn held_by(tx: &mut Tx<'_>, bookings: &BTreeSet<BookingId>) -> Result<Vec<Spot>, StoreError> {
    let (site, mut spots) = (tx.site(), Vec::new());
    for id in bookings {
        let held = claims::of_holder(tx.conn(), site, Holder::Booking(*id)).await?;
        spots.extend(held.into_iter().map(|claim| (claim.target, claim.span)));
    }
    Ok(spots)
}

/// Writes a change of a booking that nobody asked for directly, with its event.
pub(in crate::service) async fn touch(
    tx: &mut Tx<'_>,
    booking: &mut Booking,
    event_type: EventType,
    actor: Identity,
    source: EventSource,
    now: Timestamp,
) -> Result<(), Failure> {
    booking.revision += 1;
    booking.updated = now;
    let site = tx.site();
    bookings::save(tx.conn(), site, booking).await?;
    tx.record(NewEvent {
        state: booking.clone(),
        event_type,
        previous_status: Some(booking.status),
        previous_resources: Vec::new(),
        left_package: None,
        actor,
        source,
        occurred: now,
    });
    Ok(())
}
