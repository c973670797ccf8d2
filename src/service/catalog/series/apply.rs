//! Carries out what a plan says: sessions made, changed and called off in one go, with all that hangs on them.

use std::collections::{BTreeSet, HashMap};

use super::super::{
    Under, check_session, follow, locations, occupy, offer_changed, refuse_bookings, seats_of, services, uses_of,
};
use crate::{
    domain::{
        Rejection,
        booking::{BookedResource, Booking},
        catalog::{Schedule, SeriesPlace, Service as Offered, ServiceKind, Session, SessionStatus},
        conflict::{Ask, Holder, Target},
        ids::{BookingId, Kind, ResourceId, SessionId},
        recurrence::{Change, Details, ResourceUse},
        time::TimeSpan,
    },
    service::{
        Caller,
        bookings::{Ledger, Spot, cancel_all, rewrite, stands},
    },
    store::{Failure, Tx, catalog as store},
};

/// Where the sessions are, and who changes them. The service is locked.
#[derive(Clone, Copy)]
pub(in crate::service::catalog) struct Place<'a> {
    pub(in crate::service::catalog) service: &'a Offered,
    pub(in crate::service::catalog) schedule: &'a Schedule,
    pub(in crate::service::catalog) caller: &'a Caller,
}

/// What the business said about what its change touches.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service::catalog) struct Word {
    /// Resources may be busy.
    pub(in crate::service::catalog) allow_overlap: bool,
    /// Bookings move with their sessions.
    pub(in crate::service::catalog) move_bookings: bool,
    /// Bookings of sessions that don't take place are canceled.
    pub(in crate::service::catalog) cancel_bookings: bool,
    /// What sessions that don't take place leave in their series.
    pub(in crate::service::catalog) leaving: Leaving,
}

/// What a session that doesn't take place leaves in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::service::catalog) enum Leaving {
    /// A hole: somebody called it off.
    #[default]
    Hole,
    /// Nothing: the rule has no place for it any more, and one that has makes it anew.
    Nothing,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service::catalog) struct Applied {
    /// Sessions that are new.
    pub(in crate::service::catalog) made: usize,
    /// Bookings that were canceled.
    pub(in crate::service::catalog) canceled_bookings: i64,
}

/// What is to become of the sessions' rows.
#[derive(Default)]
struct Work {
    gone: Vec<Session>,
    /// As they were, and as they are to be.
    changed: Vec<(Session, Session)>,
    made: Vec<Session>,
}

/// Resources by their ids.
type Names = HashMap<ResourceId, BookedResource>;

/// What is known of the resources that sessions are to have.
struct Resources {
    /// Those that there are.
    live: Names,
    /// Those that sessions had before. Who has one that was deleted since keeps it; new sessions don't get it.
    before: Names,
}

/// Makes, changes and calls off sessions: all of them, or none. `existing` are the sessions that the changes name.
pub(in crate::service::catalog) async fn apply(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    changes: &[Change],
    existing: &[Session],
    word: Word,
) -> Result<Applied, Failure> {
    let resources = Resources::find(tx, changes, existing).await?;
    let mut plan = Work::of(place, changes, existing, &resources);
    if plan.is_empty() {
        return Ok(Applied::default());
    }
    let (under, spots) = plan.touched(place);
    let seen = under.find(tx).await?;
    let (mut ledger, bookings) = under.lock(tx, &spots, &seen).await?;
    if Resources::find(tx, changes, existing).await?.live.len() != resources.live.len() {
        // One was deleted before it was locked.
        return Err(Failure::Again);
    }
    plan.require_choice(place, &bookings, &ledger, word)?;
    plan.date(&ledger);
    for session in plan.changed.iter().map(|(_, after)| after).chain(&plan.made) {
        check_session(session)?;
    }
    let applied = Applied {
        made: plan.made.len(),
        canceled_bookings: plan.call_off(tx, place, &mut ledger, &bookings, word).await?,
    };
    plan.write(tx, place, &mut ledger, &bookings, word).await?;
    follow(tx, &ledger, place.service, place.schedule, &bookings, place.caller).await?;
    ledger.review(tx, None, &place.caller.actor).await?;
    Ok(applied)
}

impl Resources {
    async fn find(tx: &mut Tx<'_>, changes: &[Change], existing: &[Session]) -> Result<Self, Failure> {
        let wanted: BTreeSet<ResourceId> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Update { details, .. } | Change::Insert { details, .. } => Some(&details.resources),
                Change::Cancel { .. } | Change::Keep { .. } => None,
            })
            .flatten()
            .map(|one| one.id)
            .collect();
        let wanted: Vec<ResourceId> = wanted.into_iter().collect();
        let site = tx.site();
        let live = store::find_resources(tx.conn(), site, &wanted).await?;
        let live = live.into_iter().map(|resource| BookedResource {
            id: resource.id,
            name: resource.name,
            explicitly_requested: false,
            buffer_minutes: None,
            transparent: false,
        });
        let before = existing.iter().flat_map(|session| session.resources.iter().cloned());
        let by_id = |resource: BookedResource| (resource.id, resource);
        Ok(Self {
            live: live.map(by_id).collect(),
            before: before.map(by_id).collect(),
        })
    }
}

fn apply_details(session: &mut Session, details: &Details, name: impl Fn(&ResourceId) -> Option<BookedResource>) {
    session.title.clone_from(&details.title);
    session.local_start = details.time.local_start;
    session.local_end = details.time.local_end;
    session.time_zone = details.time.time_zone.clone();
    session.span = details.time.span;
    session.capacity = details.capacity;
    session.location.clone_from(&details.location);
    let named = |one: &ResourceUse| {
        Some(BookedResource {
            transparent: one.transparent,
            ..name(&one.id)?
        })
    };
    session.resources = details.resources.iter().filter_map(named).collect();
    session.transparent = details.transparent;
}

impl Work {
    fn of(place: Place<'_>, changes: &[Change], existing: &[Session], resources: &Resources) -> Self {
        let live = |id: &ResourceId| resources.live.get(id).cloned();
        let any = |id: &ResourceId| live(id).or_else(|| resources.before.get(id).cloned());
        let by_id: HashMap<SessionId, &Session> = existing.iter().map(|session| (session.id, session)).collect();
        let mut work = Self::default();
        for change in changes {
            match change {
                Change::Keep { .. } => {}
                Change::Cancel { session } => work.gone.extend(by_id.get(session).map(|session| (*session).clone())),
                Change::Update {
                    session,
                    key,
                    own,
                    details,
                } => {
                    let Some(before) = by_id.get(session) else { continue };
                    let mut after = (*before).clone();
                    if before.details() != *details {
                        apply_details(&mut after, details, any);
                    }
                    after.series = Some(SeriesPlace {
                        id: key.series,
                        original_start: key.original_start,
                        own: own.clone(),
                    });
                    after.revision += 1;
                    work.changed.push(((*before).clone(), after));
                }
                Change::Insert { key, details } => {
                    let mut session = new_session(place, details);
                    apply_details(&mut session, details, live);
                    session.series = Some(SeriesPlace {
                        id: key.series,
                        original_start: key.original_start,
                        own: crate::domain::recurrence::Overrides::default(),
                    });
                    work.made.push(session);
                }
            }
        }
        work
    }

    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.changed.is_empty() && self.made.is_empty()
    }

    /// Whether it is about more than one session.
    fn several(&self) -> bool {
        self.changed.len() + self.made.len() > 1
    }

    /// Those changes of which anybody but the series can tell.
    fn visible(&self) -> impl Iterator<Item = &(Session, Session)> {
        self.changed
            .iter()
            .filter(|(before, after)| before.details() != after.details())
    }

    /// Whose bookings it concerns, and what has to be locked.
    fn touched(&self, place: Place<'_>) -> (Under, Vec<Spot>) {
        let on = |session: &Session, span: TimeSpan| -> Vec<Spot> {
            let resources = session.resources.iter();
            resources
                .map(|resource| (Target::Resource(resource.id), span))
                .collect()
        };
        let mut spots: Vec<Spot> = self.gone.iter().flat_map(services::held_by).collect();
        for (before, after) in self.visible() {
            spots.extend(services::held_by(before));
            spots.extend(on(after, after.span));
        }
        spots.extend(self.made.iter().flat_map(|session| on(session, session.span)));
        let under = if place.service.kind == ServiceKind::Course {
            spots.push(seats_of(Target::Schedule(place.schedule.id)));
            Under::Run(place.schedule.id)
        } else {
            let gone = self.gone.iter().map(|session| session.id);
            Under::Sessions(gone.chain(self.visible().map(|(before, _)| before.id)).collect())
        };
        (under, spots)
    }

    /// Refuses to touch bookings that somebody counts on without a word about what is to become of them.
    fn require_choice(
        &self,
        place: Place<'_>,
        bookings: &[Booking],
        ledger: &Ledger,
        word: Word,
    ) -> Result<(), Rejection> {
        if place.service.kind == ServiceKind::Course {
            return Ok(());
        }
        let moved = self.changed.iter().filter(|(before, after)| before.span != after.span);
        let moved: BTreeSet<SessionId> = moved
            .filter(|_| !word.move_bookings)
            .map(|(before, _)| before.id)
            .collect();
        let gone = self.gone.iter().filter(|_| !word.cancel_bookings);
        let gone: BTreeSet<SessionId> = gone.map(|session| session.id).collect();
        let asks = |session: SessionId| moved.contains(&session) || gone.contains(&session);
        let standing = bookings.iter().filter(|booking| stands(booking, ledger));
        refuse_bookings(
            Kind::Session,
            standing.filter(|booking| booking.booked.session.is_some_and(asks)),
        )
    }

    /// What is told of a session whose time isn't free: which one it is, and whether it is another of these that is there.
    fn refused(&self, ledger: &Ledger, session: &Session, rejection: Rejection) -> Rejection {
        let ours = |holder: &Holder| {
            let mut all = self.changed.iter().map(|(_, after)| after).chain(&self.made);
            all.any(|other| *holder == Holder::Session(other.id))
        };
        let rivals = asks(session).filter_map(|ask| ledger.check(&ask));
        let by_itself =
            rejection.bookings().is_empty() && rivals.flat_map(|clash| clash.rivals).any(|rival| ours(&rival));
        Rejection::OfSession {
            at: session.local_start,
            by_itself,
            rejection: Box::new(rejection),
        }
    }

    fn date(&mut self, ledger: &Ledger) {
        let now = ledger.now();
        for (_, after) in &mut self.changed {
            after.updated = now;
        }
        for session in &mut self.made {
            (session.created, session.updated) = (now, now);
        }
    }

    /// Says how many bookings were canceled.
    async fn call_off(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        ledger: &mut Ledger,
        bookings: &[Booking],
        word: Word,
    ) -> Result<i64, Failure> {
        let mut canceled = 0;
        if place.service.kind != ServiceKind::Course {
            let gone: BTreeSet<SessionId> = self.gone.iter().map(|session| session.id).collect();
            let of_gone = |booking: &&Booking| booking.booked.session.is_some_and(|session| gone.contains(&session));
            let ids: Vec<BookingId> = bookings.iter().filter(of_gone).map(|booking| booking.id).collect();
            canceled = cancel_all(tx, ledger, &ids, &place.caller.actor).await?;
        }
        for session in &self.gone {
            let mut session = session.clone();
            session.series = session.series.filter(|_| word.leaving == Leaving::Hole);
            services::call_off(tx, ledger, session).await?;
        }
        Ok(canceled)
    }

    async fn write(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        ledger: &mut Ledger,
        bookings: &[Booking],
        word: Word,
    ) -> Result<(), Failure> {
        let site = tx.site();
        // One may take what another leaves: first all of them leave.
        for (_, after) in self.visible() {
            let asks: Vec<Ask> = asks(after).collect();
            ledger.give_up(tx, Holder::Session(after.id), &asks).await?;
        }
        for (_, after) in &self.changed {
            store::save_session(tx.conn(), site, after).await?;
        }
        for (before, after) in self.visible() {
            // Who looks at where it was has to learn that it is gone from there.
            offer_changed(tx, before);
            offer_changed(tx, after);
        }
        for session in &self.made {
            store::insert_session(tx.conn(), site, session).await?;
            offer_changed(tx, session);
        }
        let changed = self.visible().map(|(_, after)| after);
        for session in changed.chain(&self.made) {
            let (holder, uses) = (Holder::Session(session.id), uses_of(session));
            let taken = occupy(tx, ledger, holder, uses, session.span, word.allow_overlap).await;
            taken.map_err(|failure| match failure {
                Failure::Rejected(rejection @ Rejection::SlotNotAvailable { .. }) if self.several() => {
                    self.refused(ledger, session, rejection).into()
                }
                other => other,
            })?;
        }
        if place.service.kind == ServiceKind::Course {
            return Ok(());
        }
        let mut of_session: HashMap<SessionId, Vec<&Booking>> = HashMap::new();
        for booking in bookings {
            if let Some(session) = booking.booked.session {
                of_session.entry(session).or_default().push(booking);
            }
        }
        for (before, after) in self.visible() {
            if after.capacity != before.capacity {
                let seats = Target::Session(after.id);
                ledger.set_capacity(tx, seats, after.capacity).await?;
            }
            let of = of_session.get(&after.id);
            let location = match of {
                Some(_) => locations::whereabouts(tx, place.service, after.location.as_ref()).await?,
                None => None,
            };
            for booking in of.into_iter().flatten() {
                let mut booked = booking.booked.clone();
                booked.span = Some(after.span);
                booked.title.clone_from(&after.title);
                booked.resources = after.told();
                booked.location.clone_from(&location);
                rewrite(tx, ledger, booking, booked, &place.caller.actor).await?;
            }
        }
        Ok(())
    }
}

/// What it keeps busy.
fn asks(session: &Session) -> impl Iterator<Item = Ask> + '_ {
    let busy = uses_of(session).into_iter().filter(|one| !one.transparent);
    busy.map(|resource| Ask {
        target: Target::Resource(resource.id),
        span: session.span,
        seats: 1,
        holder: Holder::Session(session.id),
        before: None,
    })
}

/// A session that is to be made, with nothing but its time.
fn new_session(place: Place<'_>, details: &Details) -> Session {
    let time = &details.time;
    Session {
        id: SessionId::new(),
        schedule: place.schedule.id,
        service: place.service.id,
        title: String::new(),
        local_start: time.local_start,
        local_end: time.local_end,
        time_zone: time.time_zone.clone(),
        span: time.span,
        capacity: 0,
        status: SessionStatus::Confirmed,
        resources: Vec::new(),
        transparent: false,
        location: None,
        series: None,
        revision: 1,
        created: jiff::Timestamp::UNIX_EPOCH,
        updated: jiff::Timestamp::UNIX_EPOCH,
    }
}
