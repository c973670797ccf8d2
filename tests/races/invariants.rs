//! What holds over a whole database at any time, whatever happened before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use frontdesk::{
    domain::{
        booking::{Booking, BookingStatus, ServiceKind},
        conflict::{self, Ask, Claim, Holder, Target},
        event::EventType,
        ids::{BookingId, MultiServiceBookingId, SiteId},
        time::TimeSpan,
    },
    service::Service,
    store::{
        Conn, Db, StoreError, bookings, calendar_changes, catalog, claims,
        events::{self, Event, Order},
    },
};
use jiff::Timestamp;

/// Everything that the invariants are about.
struct Whole {
    now: Timestamp,
    bookings: BTreeMap<BookingId, Booking>,
    claims: Vec<Claim>,
    capacity: HashMap<Target, i32>,
    events: Vec<Event>,
    states: Vec<Booking>,
    /// Positions of acts that touched the calendar and no booking.
    touched: BTreeSet<i64>,
    /// Where the site's counter stands.
    position: i64,
    /// The booking that each kept `createBooking` answered with.
    kept: Vec<BookingId>,
    count: i64,
}

#[derive(diesel::QueryableByName)]
struct Kept {
    #[diesel(sql_type = diesel::sql_types::Text)]
    outcome: String,
}

async fn kept(conn: &mut Conn) -> Result<Vec<Kept>, StoreError> {
    use diesel_async::RunQueryDsl as _;
    let query = diesel::sql_query("SELECT outcome FROM idempotency_records WHERE mutation = 'createBooking'");
    let rows = match conn {
        Conn::Sqlite(c) => query.load(&mut **c).await,
        Conn::Pg(c) => query.load(&mut &***c).await,
    };
    rows.map_err(StoreError::from)
}

impl Whole {
    async fn read(db: &Db, site: SiteId) -> Self {
        let now = db.clock().now();
        db.read(move |conn| {
            Box::pin(async move {
                let events = events::range(conn, site, 0, None, Order::Forward, i64::MAX).await?;
                let ids: BTreeSet<BookingId> = events.iter().map(|event| event.booking).collect();
                let mut found = BTreeMap::new();
                let ids: Vec<BookingId> = ids.into_iter().collect();
                for chunk in ids.chunks(500) {
                    for booking in bookings::find_many(conn, site, chunk).await? {
                        found.insert(booking.id, booking);
                    }
                }
                let claims = claims::all(conn, site).await?;
                let mut capacity = HashMap::new();
                for target in claims
                    .iter()
                    .map(|claim| claim.target)
                    .collect::<std::collections::HashSet<_>>()
                {
                    let seats = match target {
                        Target::Resource(_) => 1,
                        Target::Session(id) => {
                            catalog::find_session(conn, site, id)
                                .await?
                                .expect("a session")
                                .capacity
                        }
                        Target::Schedule(id) => catalog::find_schedule(conn, site, id).await?.expect("a run").capacity,
                    };
                    capacity.insert(target, seats);
                }
                let kept = kept(conn).await?.into_iter().map(|row| {
                    let outcome: serde_json::Value = serde_json::from_str(&row.outcome).expect("an outcome");
                    serde_json::from_value(outcome["booking"]["id"].clone()).expect("a booking's id")
                });
                Ok(Self {
                    now,
                    bookings: found,
                    claims,
                    capacity,
                    events,
                    kept: kept.collect(),
                    states: events::states(conn, site).await?,
                    touched: calendar_changes::range(conn, site, 0, i64::MAX, i64::MAX)
                        .await?
                        .into_iter()
                        .map(|(position, _)| position)
                        .collect(),
                    position: events::last_position(conn, site).await?,
                    count: bookings::count(conn, site, bookings::BookingFilter::default()).await?,
                })
            })
        })
        .await
        .expect("the database is read")
    }

    fn of(&self, holder: BookingId) -> impl Iterator<Item = &Claim> {
        self.claims
            .iter()
            .filter(move |claim| claim.holder == Holder::Booking(holder))
    }

    /// No overlap on a resource and no seat too many without a reason on record.
    fn nothing_is_overbooked_in_silence(&self) {
        let mut by_target: HashMap<Target, Vec<&Claim>> = HashMap::new();
        for claim in self
            .claims
            .iter()
            .filter(|claim| claim.live(self.now) && claim.overlap_reason.is_none())
        {
            by_target.entry(claim.target).or_default().push(claim);
        }
        for (target, mut claims) in by_target {
            if matches!(target, Target::Resource(_)) {
                claims.sort_by_key(|claim| claim.span.start());
                for pair in claims.windows(2) {
                    assert!(
                        pair[0].span.end() <= pair[1].span.start(),
                        "a silent overlap: {pair:#?}"
                    );
                }
            } else {
                let taken: i32 = claims.iter().map(|claim| claim.seats).sum();
                assert!(
                    taken <= self.capacity[&target],
                    "{taken} seats of {} taken: {claims:#?}",
                    self.capacity[&target]
                );
            }
        }
    }

    /// Every overlap has a blocking claim that came first or a reason; a later one has the reason.
    fn later_ones_have_the_reason(&self) {
        let mut by_target: HashMap<Target, Vec<&Claim>> = HashMap::new();
        for claim in self
            .claims
            .iter()
            .filter(|claim| claim.live(self.now) && claim.blocks())
        {
            by_target.entry(claim.target).or_default().push(claim);
        }
        for claims in by_target
            .values()
            .filter(|claims| matches!(claims[0].target, Target::Resource(_)))
        {
            let mut sorted = claims.clone();
            sorted.sort_by_key(|claim| claim.span.start());
            for (index, first) in sorted.iter().enumerate() {
                for second in sorted[index + 1..]
                    .iter()
                    .take_while(|other| other.span.start() < first.span.end())
                {
                    let later = if first.id < second.id { second } else { first };
                    assert!(
                        later.overlap_reason.is_some(),
                        "no reason on the later one of {first:#?} {second:#?}"
                    );
                }
            }
        }
    }

    /// On the calendar: exactly the claims that the kind needs. A live hold: the same, ending together. Else: none.
    fn claims_are_those_of_the_bookings(&self) {
        let mut by_booking: BTreeMap<BookingId, Vec<&Claim>> = BTreeMap::new();
        for claim in &self.claims {
            if let Some(id) = claim.holder.booking() {
                assert!(self.bookings.contains_key(&id), "a claim of no booking: {claim:#?}");
                by_booking.entry(id).or_default().push(claim);
            }
        }
        for booking in self.bookings.values() {
            let own = by_booking.remove(&booking.id).unwrap_or_default();
            if booking.status.on_calendar() {
                assert_eq!(booking.hold_expires_at, None, "{booking:#?}");
            } else if booking.hold_expires_at.is_some() {
                assert_eq!(booking.status, BookingStatus::Created, "{booking:#?}");
                assert!(booking.held(self.now), "holds were settled before: {booking:#?}");
            } else {
                assert!(own.is_empty(), "{booking:#?} holds {own:#?}");
                continue;
            }
            let mut needed: Vec<Target> = match booking.booked.kind {
                ServiceKind::Class => vec![Target::Session(booking.booked.session.expect("a session"))],
                ServiceKind::Course => vec![Target::Schedule(booking.booked.schedule)],
                ServiceKind::Appointment => booking
                    .booked
                    .resources
                    .iter()
                    .map(|r| Target::Resource(r.id))
                    .collect(),
            };
            assert!(!needed.is_empty(), "{booking:#?}");
            needed.sort();
            let mut targets: Vec<Target> = own.iter().map(|claim| claim.target).collect();
            targets.sort();
            assert_eq!(targets, needed, "{booking:#?} holds {own:#?}");
            for claim in own {
                if let Some(span) = booking.booked.span {
                    let mut resources = booking.booked.resources.iter();
                    let own = resources.find(|resource| claim.target == Target::Resource(resource.id));
                    let buffer = own.and_then(|resource| resource.buffer_minutes);
                    assert_eq!(
                        claim.span,
                        span.with_buffer(buffer.unwrap_or(booking.booked.buffer_minutes)),
                        "{booking:#?} {claim:#?}"
                    );
                }
                let appointment = booking.booked.kind == ServiceKind::Appointment;
                let seats = if appointment { 1 } else { booking.participants.total };
                assert_eq!(claim.seats, seats, "{booking:#?} {claim:#?}");
                assert_eq!(
                    claim.hold_expires_at, booking.hold_expires_at,
                    "{booking:#?} {claim:#?}"
                );
            }
        }
    }

    /// Flagged if, and only if, somebody who was there before is in the way, and the business didn't let it in unseen.
    fn flags_are_right(&self) {
        let mut by_target: HashMap<Target, Vec<Claim>> = HashMap::new();
        for claim in &self.claims {
            by_target.entry(claim.target).or_default().push(claim.clone());
        }
        let mut by_booking: HashMap<BookingId, Vec<&Claim>> = HashMap::new();
        for claim in &self.claims {
            if let Some(id) = claim.holder.booking() {
                by_booking.entry(id).or_default().push(claim);
            }
        }
        for booking in self.bookings.values() {
            let own = by_booking.get(&booking.id).map_or(&[][..], Vec::as_slice);
            let clash = own.iter().find_map(|claim| {
                let ask = Ask {
                    target: claim.target,
                    span: claim.span,
                    seats: claim.seats,
                    holder: claim.holder,
                    before: claim.blocks().then_some(claim.id),
                };
                conflict::evaluate(&ask, &by_target[&claim.target], self.capacity[&claim.target], self.now)
            });
            let flagged = booking.status.on_calendar() && clash.is_some() && !booking.flow.skip_availability_validation;
            assert_eq!(
                booking.double_booked,
                flagged,
                "{booking:#?} holds {own:#?}, in its way {clash:#?}; history {:#?}",
                self.events
                    .iter()
                    .filter(|e| e.booking == booking.id)
                    .map(|e| (e.event_type, e.occurred))
                    .collect::<Vec<_>>()
            );
        }
    }

    /// Positions and revisions without a gap, legal changes only, and the log tells what the tables say.
    fn the_log_is_the_truth(&self) {
        let entries = self.events.len() + self.touched.len();
        assert_eq!(self.position, entries as i64, "the counter and the log");
        assert_eq!(self.count, self.bookings.len() as i64, "bookings without an event");
        assert_eq!(self.states.len(), self.events.len());
        let mut last: BTreeMap<BookingId, &Booking> = BTreeMap::new();
        let positions = (1..).filter(|position| !self.touched.contains(position));
        for ((event, state), position) in self.events.iter().zip(&self.states).zip(positions) {
            assert_eq!(event.position, position, "a gap in the log");
            assert_eq!(
                (event.booking, event.revision, event.status),
                (state.id, state.revision, state.status),
                "the event and the state that it keeps"
            );
            let before = last.insert(state.id, state);
            assert_eq!(
                event.revision,
                before.map_or(1, |before| before.revision + 1),
                "a gap in {}",
                state.id
            );
            assert_eq!(event.previous_status, before.map(|before| before.status), "{event:#?}");
            assert!(legal(event), "{event:#?}");
        }
        for (id, state) in last {
            assert_eq!(self.bookings.get(&id), Some(state), "the log and the table");
        }
    }

    /// What is left of a package is back to back and in one status, and never a booking alone.
    fn packages_are_whole(&self) {
        let mut packages: BTreeMap<MultiServiceBookingId, Vec<&Booking>> = BTreeMap::new();
        for booking in self.bookings.values() {
            if let Some(package) = booking.package {
                packages.entry(package).or_default().push(booking);
            }
        }
        for (id, mut all) in packages {
            all.sort_by_key(|booking| booking.start());
            assert!((2..=8).contains(&all.len()), "{id}: {all:#?}");
            for pair in all.windows(2) {
                assert_eq!(pair[0].status, pair[1].status, "{id}: {pair:#?}");
                assert_eq!(pair[0].end(), pair[1].start(), "{id}: {pair:#?}");
                assert_eq!(
                    pair[0].hold_expires_at.is_some(),
                    pair[1].hold_expires_at.is_some(),
                    "{id}: {pair:#?}"
                );
            }
        }
    }

    fn one_booking_for_each_key(&self) {
        let distinct: BTreeSet<&BookingId> = self.kept.iter().collect();
        assert_eq!(distinct.len(), self.kept.len(), "two keys, one booking");
        for id in distinct {
            assert!(self.bookings.contains_key(id), "a kept answer of no booking: {id}");
        }
    }
}

/// The transitions of `spec/bookings.md` §3.2, by the event that tells of them.
fn legal(event: &Event) -> bool {
    use BookingStatus::{Canceled, Confirmed, Created, Declined, Pending, WaitingList};
    match (event.event_type, event.previous_status, event.status) {
        (EventType::Created, None, Created | Confirmed)
        | (EventType::Confirmed, Some(Created | Pending | WaitingList), Confirmed)
        | (EventType::Declined, Some(Created | Pending | WaitingList), Declined)
        | (EventType::MarkedAsPending, Some(Created), Pending)
        | (EventType::Canceled, Some(Created | Pending | Confirmed | WaitingList), Canceled)
        | (EventType::Rescheduled, Some(Created), Created)
        | (EventType::Rescheduled, Some(Pending | Confirmed), Pending | Confirmed)
        | (EventType::HoldExpired, Some(Created), Created) => true,
        (
            EventType::ParticipantsUpdated
            | EventType::DoubleBooked
            | EventType::DoubleBookingResolved
            | EventType::Updated,
            Some(before),
            after,
        ) => before == after && !matches!(after, Declined | Canceled),
        _ => false,
    }
}

/// Settles holds that ran out, as the sweep does.
pub async fn settle(service: &Service) {
    loop {
        let now = service.clock().now();
        let due = service
            .db()
            .read(move |conn| Box::pin(claims::expired_holds(conn, now, 1000)))
            .await
            .expect("a look");
        if due.is_empty() {
            return;
        }
        for (site, booking) in due {
            service.expire_hold(site, booking).await.expect("a hold is settled");
        }
    }
}

/// Panics at the first thing that doesn't hold. Nothing may be going on.
pub async fn check(service: &Service, site: SiteId) {
    settle(service).await;
    let whole = Whole::read(service.db(), site).await;
    whole.the_log_is_the_truth();
    whole.one_booking_for_each_key();
    whole.claims_are_those_of_the_bookings();
    whole.nothing_is_overbooked_in_silence();
    whole.later_ones_have_the_reason();
    whole.flags_are_right();
    whole.packages_are_whole();
}

/// The live claims on a target within a time, reasons or not.
pub async fn taken(service: &Service, site: SiteId, target: Target, span: TimeSpan) -> Vec<Claim> {
    let now = service.clock().now();
    let found = service
        .db()
        .read(move |conn| Box::pin(claims::on_target(conn, site, target, span.start(), span.end())))
        .await
        .expect("claims are read");
    found.into_iter().filter(|claim| claim.live(now)).collect()
}

/// All bookings whose claims there are, for what a test wants to know beyond.
pub async fn holders(service: &Service, site: SiteId) -> BTreeSet<BookingId> {
    let whole = Whole::read(service.db(), site).await;
    whole
        .bookings
        .keys()
        .filter(|id| whole.of(**id).next().is_some())
        .copied()
        .collect()
}
