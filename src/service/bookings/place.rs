//! Where a booking goes: finds out the service, the time, who and what it needs, and what is in the way.

use jiff::{Timestamp, ToSpan as _};

use super::{
    candidates::{Candidates, Chosen, Naming, Visit, still_there},
    ledger::{Ledger, Spot},
};
use crate::{
    domain::{
        Rejection,
        booking::{Booked, Booking},
        catalog::{LocationWish, Service, ServiceKind, SessionStatus},
        conflict::{self, Ask, Clash, Holder, Target},
        ids::{BookingId, Kind, ResourceId, ScheduleId, ServiceId, SessionId},
        rejection::SlotProblem,
        time::{TimeSpan, ZoneName},
    },
    service::catalog::{told, whereabouts},
    store::{Failure, Tx, catalog, claims, sites},
};

/// What the caller wants to book.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A session of a class. Everything else is the session's, whatever the client says.
    Session {
        /// Which.
        session: SessionId,
        /// The zone in which the customer saw it.
        time_zone: Option<ZoneName>,
    },
    /// A time of an appointment service.
    Appointment {
        /// The service.
        service: ServiceId,
        /// From when.
        start: Timestamp,
        /// Until when; the service's usual length if not said.
        end: Option<Timestamp>,
        /// The zone in which the customer saw it.
        time_zone: Option<ZoneName>,
        /// Who or what is wished for; at most as many of each as the service takes.
        resources: Vec<ResourceId>,
        /// Where; the service's only location if not said.
        location: Option<LocationWish>,
    },
    /// A course's run.
    Course {
        /// Which.
        schedule: ScheduleId,
        /// The zone in which the customer saw it.
        time_zone: Option<ZoneName>,
    },
}

/// Whether the place is only looked at, or taken before the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing will be held: the customer's wish is kept, nobody is assigned.
    Look,
    /// It will be held: locked, and resources assigned.
    Take,
}

/// A place for a booking.
pub(super) struct Place {
    pub(super) service: Service,
    pub(super) booked: Booked,
    pub(super) ledger: Ledger,
    pub(super) asks: Vec<Ask>,
    /// The first wish that doesn't fit, and why.
    pub(super) clash: Option<(Ask, Clash)>,
    /// What forbids it, if not something in the way: opening hours, the grid of the starts that are offered, that the
    /// business is closed, or a course that has no sessions.
    closed: Option<SlotProblem>,
    /// Whether the business or the location is closed, and it doesn't hold the time already.
    pub(super) shut: bool,
    candidates: Candidates,
}

/// How the place is looked for.
pub(super) struct Search<'a> {
    pub(super) holder: BookingId,
    pub(super) seats: i32,
    pub(super) purpose: Purpose,
    /// Whether any length of an appointment will do: the business's word.
    pub(super) any_length: bool,
    /// Whether an appointment may start beside the starts that are offered, and have anybody: the business's word.
    pub(super) off_grid: bool,
    /// The customer's address, for what takes place there.
    pub(super) address: Option<&'a str>,
    /// What the booking holds by now: locked with the rest, and its resources are preferred.
    pub(super) current: Option<&'a Booking>,
}

/// Finds the place, or says what of the wish, which stands at `path` of the input, is at fault.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    wanted: &Wanted,
    search: &Search<'_>,
    path: &[&str],
) -> Result<Place, Failure> {
    look_up(tx, wanted, search).await.map_err(|failure| match failure {
        Failure::Rejected(rejection) => {
            let place: &[&str] = match wanted {
                Wanted::Session { .. } => &["slot", "session"],
                Wanted::Appointment { .. } => &["slot", "appointment"],
                Wanted::Course { .. } => &["schedule"],
            };
            rejection.within(place).within(path).into()
        }
        other => other,
    })
}

async fn look_up(tx: &mut Tx<'_>, wanted: &Wanted, search: &Search<'_>) -> Result<Place, Failure> {
    match wanted {
        Wanted::Session { session, time_zone } => find_session(tx, *session, time_zone.as_ref(), search).await,
        Wanted::Course { schedule, time_zone } => find_course(tx, *schedule, time_zone.as_ref(), search).await,
        Wanted::Appointment {
            service,
            start,
            end,
            time_zone,
            resources,
            location,
        } => {
            let (site, id) = (tx.site(), *service);
            let (service, time_zone) = if let Some(zone) = time_zone {
                (catalog::find_live_service(tx.conn(), site, id).await?, zone.clone())
            } else {
                let (service, site) = tx
                    .conn()
                    .both(
                        move |conn| Box::pin(catalog::find_live_service(conn, site, id)),
                        move |conn| Box::pin(sites::find(conn, site)),
                    )
                    .await?;
                (service, site.map_or_else(ZoneName::utc, |site| site.time_zone))
            };
            let service = appointment_service(service)?;
            let span = appointment_span(&service, *start, *end, search.any_length)?;
            let location = match service.visit_at(location.as_ref(), search.address)? {
                Some(location) => Some(told(tx, location).await?),
                None => None,
            };
            let naming = if search.off_grid {
                Naming::Business
            } else {
                Naming::Customer
            };
            let who = (naming, search.holder);
            let candidates = Candidates::load(tx, &service, resources, location.as_ref(), search.current, who).await?;
            let booked = Booked {
                service: service.id,
                kind: ServiceKind::Appointment,
                schedule: service.schedule,
                session: None,
                span: Some(span),
                buffer_minutes: service.buffer_minutes,
                time_zone,
                resources: Vec::new(),
                location,
                title: service.name.clone(),
            };
            let busy = span.with_buffer(service.buffer_minutes);
            let mut spots: Vec<Spot> = candidates.targets().map(|target| (target, busy)).collect();
            if let Some(current) = search.current {
                spots.extend(spots_of(current));
            }
            let ledger = open(tx, &spots, search).await?;
            // Whoever deletes the service locks its resources, too: by now it may be gone.
            if tx.is_concurrent() && catalog::find_live_service(tx.conn(), site, service.id).await?.is_none() {
                return Err(Rejection::not_found(Kind::Service, &["serviceId"]).into());
            }
            candidates.check_there(tx).await?;
            let visit = Visit {
                span,
                off_grid: search.off_grid,
            };
            let visit = (!search.any_length).then_some(&visit);
            let Chosen {
                resources,
                asks,
                clash,
                closed,
                shut,
            } = candidates
                .choose(&ledger, busy, search.holder, visit)
                .map_err(|rejection| rejection.unless_skipped(search.any_length))?;
            let resources = match search.purpose {
                Purpose::Take => resources,
                Purpose::Look => resources
                    .into_iter()
                    .filter(|resource| resource.explicitly_requested)
                    .collect(),
            };
            Ok(Place {
                service,
                booked: Booked { resources, ..booked },
                ledger,
                asks,
                clash,
                closed,
                shut,
                candidates,
            })
        }
    }
}

/// What a new booking may have to hold: for whoever makes several and locks all that they need before the first.
pub(super) async fn spots_wanted(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Vec<Spot>, Failure> {
    match wanted {
        Wanted::Session { session, .. } => Ok(vec![(Target::Session(*session), all_time())]),
        Wanted::Course { schedule, .. } => Ok(vec![(Target::Schedule(*schedule), all_time())]),
        Wanted::Appointment {
            service,
            start,
            end,
            resources,
            ..
        } => {
            let site = tx.site();
            let missing = || Rejection::not_found(Kind::Service, &["serviceId"]);
            let service = catalog::find_live_service(tx.conn(), site, *service)
                .await?
                .ok_or_else(missing)?;
            let busy = appointment_span(&service, *start, *end, true)?.with_buffer(service.buffer_minutes);
            let who = (Naming::Business, BookingId::default());
            let candidates = Candidates::load(tx, &service, resources, None, None, who).await?;
            Ok(candidates.targets().map(|target| (target, busy)).collect())
        }
    }
}

/// What a booking's own place is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reopen {
    /// To hold it.
    Take,
    /// To give it up: nobody has to be found for it, and who has left the service is not asked.
    Leave,
}

/// The place that a booking has, at the time that it has. An appointment may have nobody assigned yet.
pub(super) async fn reopen(
    tx: &mut Tx<'_>,
    booking: &Booking,
    service: Service,
    purpose: Reopen,
) -> Result<Place, Failure> {
    let search = Search {
        holder: booking.id,
        seats: booking.participants.total,
        purpose: Purpose::Take,
        any_length: true,
        off_grid: true,
        address: None,
        current: Some(booking),
    };
    // Whom the server chose for a hold that is over is not asked for any more.
    let keeps = booking.status.on_calendar() || booking.held(tx.now());
    let wished: Vec<ResourceId> = booking
        .booked
        .resources
        .iter()
        .filter(|resource| keeps || resource.explicitly_requested)
        .map(|resource| resource.id)
        .collect();
    let choose = booking.booked.kind == ServiceKind::Appointment && purpose == Reopen::Take;
    let candidates = if choose {
        let wished = still_there(tx, wished).await?;
        let at = service.place_of(booking.booked.location.as_ref());
        let who = (Naming::Business, booking.id);
        Candidates::load(tx, &service, &wished, at.as_ref(), Some(booking), who).await?
    } else {
        Candidates::default()
    };
    let mut spots = spots_of(booking);
    let busy = busy_span(&booking.booked);
    spots.extend(candidates.targets().map(|target| (target, busy)));
    let ledger = open(tx, &spots, &search).await?;
    let mut booked = booking.booked.clone();
    let (mut nobody_there, mut closed_down) = (None, false);
    let (asks, clash) = if choose {
        candidates.check_there(tx).await?;
        let Chosen {
            mut resources,
            asks,
            clash,
            closed,
            shut,
        } = candidates
            .choose_there(&ledger, busy, booking.id, booking.booked.span)
            .map_err(|rejection| rejection.unless_skipped(booking.flow.skip_availability_validation))?;
        (nobody_there, closed_down) = (closed, shut);
        for resource in &mut resources {
            if let Some(had) = booked.resources.iter().find(|had| had.id == resource.id) {
                resource.explicitly_requested = had.explicitly_requested;
            }
        }
        booked.resources = resources;
        (asks, clash)
    } else if purpose == Reopen::Leave {
        (Vec::new(), None)
    } else {
        seat_asks(&ledger, &booked, search.seats, booking.id)
    };
    Ok(Place {
        service,
        booked,
        ledger,
        asks,
        clash,
        closed: nobody_there.or_else(|| no_sessions(&booking.booked)),
        shut: closed_down,
        candidates,
    })
}

impl Place {
    /// The place of a part of a package, which was found and checked with the others.
    pub(super) fn of_part(service: Service, booked: Booked, ledger: Ledger, asks: Vec<Ask>) -> Self {
        Self {
            service,
            booked,
            ledger,
            asks,
            clash: None,
            closed: None,
            shut: false,
            candidates: Candidates::default(),
        }
    }

    /// Why the place can't be had, if it can't: something is in the way, or nobody is there at that time.
    pub(super) async fn refusal(&self, tx: &mut Tx<'_>) -> Result<Option<Rejection>, Failure> {
        if let Some((ask, clash)) = &self.clash {
            return Ok(Some(self.refuse(tx, ask, clash).await?));
        }
        let Some((closed, ask)) = self.closed.zip(self.asks.first()) else {
            return Ok(None);
        };
        if closed == SlotProblem::NoSessions {
            return Ok(Some(Rejection::no_slot(closed)));
        }
        let mut refusal = self.refuse(tx, ask, &Clash::default()).await?;
        if let Rejection::SlotNotAvailable { problem, .. } = &mut refusal {
            *problem = closed;
        }
        Ok(Some(refusal))
    }

    /// The refusal for what is in the way, with the next time at which it would fit.
    pub(super) async fn refuse(&self, tx: &mut Tx<'_>, ask: &Ask, clash: &Clash) -> Result<Rejection, Failure> {
        let next = match ask.target {
            Target::Resource(_) => self.candidates.next_offered(tx, ask, self.ledger.now()).await?,
            Target::Session(_) | Target::Schedule(_) => None,
        };
        Ok(conflict::refuse(ask, clash, next))
    }
}

/// What a booking holds, or would hold with the resources that it has.
pub(in crate::service) fn spots_of(booking: &Booking) -> Vec<Spot> {
    let targets = targets_of(&booking.booked).into_iter();
    targets
        .map(|target| (target, busy_span_of(&booking.booked, target)))
        .collect()
}

/// The time that one of its targets is held: who goes on to a later part of a package keeps no longer buffer than there
/// is time.
pub(super) fn busy_span_of(booked: &Booked, target: Target) -> TimeSpan {
    let own = booked
        .resources
        .iter()
        .find(|resource| target == Target::Resource(resource.id))
        .and_then(|resource| resource.buffer_minutes);
    match (booked.span, own) {
        (Some(span), Some(minutes)) => span.with_buffer(minutes),
        _ => busy_span(booked),
    }
}

/// What a booking with these resources holds.
pub(super) fn targets_of(booked: &Booked) -> Vec<Target> {
    match (booked.kind, booked.session) {
        (ServiceKind::Class, Some(session)) => vec![Target::Session(session)],
        (ServiceKind::Course, _) => vec![Target::Schedule(booked.schedule)],
        _ => booked
            .resources
            .iter()
            .map(|resource| Target::Resource(resource.id))
            .collect(),
    }
}

/// The time that is held: with the buffer, and all time for a course that has no sessions yet.
pub(super) fn busy_span(booked: &Booked) -> TimeSpan {
    match booked.span {
        Some(span) => span.with_buffer(booked.buffer_minutes),
        None => all_time(),
    }
}

/// All the time that there is: for claims whose time doesn't matter.
pub(in crate::service) fn all_time() -> TimeSpan {
    let end = Timestamp::from_second(4_102_444_800).unwrap_or(Timestamp::MAX);
    TimeSpan::new(Timestamp::UNIX_EPOCH, end).unwrap_or_else(|| unreachable!("1970 is before 2100"))
}

async fn open(tx: &mut Tx<'_>, spots: &[Spot], search: &Search<'_>) -> Result<Ledger, Failure> {
    let own = search.current.map(|booking| booking.id);
    match search.purpose {
        Purpose::Look => {
            let ledger = Ledger::look(tx, spots).await?;
            // It is going to be changed, though nothing is held.
            claims::lock_bookings(tx, &Vec::from_iter(own)).await?;
            Ok(ledger)
        }
        Purpose::Take => Ledger::lock(tx, spots, own).await,
    }
}

/// The site's own zone.
pub(super) async fn site_zone(tx: &mut Tx<'_>) -> Result<ZoneName, Failure> {
    let id = tx.site();
    Ok(sites::find(tx.conn(), id)
        .await?
        .map_or_else(ZoneName::utc, |site| site.time_zone))
}

async fn find_session(
    tx: &mut Tx<'_>,
    id: SessionId,
    time_zone: Option<&ZoneName>,
    search: &Search<'_>,
) -> Result<Place, Failure> {
    let missing = || Rejection::not_found(Kind::Session, &["sessionId"]);
    let mut spots = vec![(Target::Session(id), all_time())];
    if let Some(current) = search.current {
        spots.extend(spots_of(current));
    }
    let ledger = open(tx, &spots, search).await?;
    let site = tx.site();
    let session = ledger
        .session(id)
        .filter(|session| session.status == SessionStatus::Confirmed)
        .ok_or_else(missing)?;
    let service = catalog::find_live_service(tx.conn(), site, session.service)
        .await?
        .filter(|service| service.kind == ServiceKind::Class)
        .ok_or_else(missing)?;
    let booked = Booked {
        service: service.id,
        kind: ServiceKind::Class,
        schedule: session.schedule,
        session: Some(id),
        span: Some(session.span),
        buffer_minutes: 0,
        time_zone: time_zone.unwrap_or(&session.time_zone).clone(),
        resources: session.told(),
        location: whereabouts(tx, &service, session.location.as_ref()).await?,
        title: session.title.clone(),
    };
    let (asks, clash) = seat_asks(&ledger, &booked, search.seats, search.holder);
    Ok(Place {
        service,
        booked,
        ledger,
        asks,
        clash,
        closed: None,
        shut: false,
        candidates: Candidates::default(),
    })
}

async fn find_course(
    tx: &mut Tx<'_>,
    id: ScheduleId,
    time_zone: Option<&ZoneName>,
    search: &Search<'_>,
) -> Result<Place, Failure> {
    let missing = || Rejection::not_found(Kind::Schedule, &["scheduleId"]);
    let spots = [(Target::Schedule(id), all_time())];
    let ledger = open(tx, &spots, search).await?;
    let site = tx.site();
    let schedule = ledger.schedule(id).ok_or_else(missing)?.clone();
    let service = catalog::find_live_service(tx.conn(), site, schedule.service)
        .await?
        .filter(|service| service.kind == ServiceKind::Course)
        .ok_or_else(missing)?;
    let time_zone = match time_zone {
        Some(zone) => zone.clone(),
        None => site_zone(tx).await?,
    };
    let booked = Booked {
        service: service.id,
        kind: ServiceKind::Course,
        schedule: id,
        session: None,
        span: schedule.span,
        buffer_minutes: 0,
        time_zone,
        resources: Vec::new(),
        location: whereabouts(tx, &service, None).await?,
        title: service.name.clone(),
    };
    let (asks, clash) = seat_asks(&ledger, &booked, search.seats, search.holder);
    let closed = no_sessions(&booked);
    Ok(Place {
        service,
        booked,
        ledger,
        asks,
        clash,
        closed,
        shut: false,
        candidates: Candidates::default(),
    })
}

/// A course that has no sessions, or none any more, can't be booked.
fn no_sessions(booked: &Booked) -> Option<SlotProblem> {
    (booked.kind == ServiceKind::Course && booked.span.is_none()).then_some(SlotProblem::NoSessions)
}

fn seat_asks(ledger: &Ledger, booked: &Booked, seats: i32, holder: BookingId) -> (Vec<Ask>, Option<(Ask, Clash)>) {
    let span = busy_span(booked);
    let asks: Vec<Ask> = targets_of(booked)
        .into_iter()
        .map(|target| Ask {
            target,
            span,
            seats,
            holder: Holder::Booking(holder),
            before: None,
        })
        .collect();
    let clash = asks.iter().find_map(|ask| ledger.check(ask).map(|clash| (*ask, clash)));
    (asks, clash)
}

/// A service whose times are booked. Sessions of classes are, and courses as a whole.
pub(super) fn appointment_service(found: Option<Service>) -> Result<Service, Rejection> {
    let at = ["serviceId"];
    let service = found.ok_or_else(|| Rejection::not_found(Kind::Service, &at))?;
    match service.kind {
        ServiceKind::Appointment => Ok(service),
        ServiceKind::Class => Err(Rejection::unfit(
            Kind::Service,
            &at,
            "is a class, whose sessions are booked",
        )),
        ServiceKind::Course => Err(Rejection::unfit(
            Kind::Service,
            &at,
            "is a course, whose schedule is booked",
        )),
    }
}

pub(super) fn appointment_span(
    service: &Service,
    start: Timestamp,
    end: Option<Timestamp>,
    any_length: bool,
) -> Result<TimeSpan, Rejection> {
    let usual = service.durations.as_slice().first().copied().unwrap_or(60);
    let end = match end {
        Some(end) => end,
        None => start
            .checked_add(i64::from(usual).minutes())
            .map_err(|_| Rejection::invalid(&["startDate"], "is too late"))?,
    };
    let span =
        TimeSpan::new(start, end).ok_or_else(|| Rejection::invalid(&["endDate"], "must be after `startDate`"))?;
    let fits = span.end().duration_since(span.start()).as_secs() % 60 == 0
        && service
            .durations
            .iter()
            .any(|minutes| i64::from(*minutes) == span.minutes());
    if fits || any_length {
        return Ok(span);
    }
    let lengths: Vec<String> = service.durations.iter().map(ToString::to_string).collect();
    let message = format!(
        "must be one of the service's lengths after `startDate`: {} minutes",
        lengths.join(", ")
    );
    Err(Rejection::invalid(&["endDate"], message))
}
