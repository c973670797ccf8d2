//! Free times of appointments, seats of classes and courses, side by side.

use std::{num::NonZeroU32, sync::Arc};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{
    AvailabilityQuery,
    facts::{Facts, Needed, busy_times, positive},
    order::sort_staff,
    read::{Catalogue, Found, Wanted, read},
    work::{Stop, apart},
};
use crate::{
    domain::{
        Rejection,
        availability::{
            self, ClassSession, CourseRun, NonBookable, PerDay, Query, SeatQuery, Seats, Slots, Violations,
        },
        booking::Location,
        catalog::{Resource, ResourceType, Schedule, Service as Offered, ServiceKind, Session, StaffSorting},
        conflict::Target,
        hours::PlaceId,
        ids::{ResourceId, TypedId as _},
        permission::Permission,
        time::{TimeSpan, ZoneName},
    },
    service::{Caller, Error, Service, access},
};

/// How far appointments are worked out at once. A page is full long before the end of a year.
const SLICE_DAYS: i64 = 31;

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Availability {
    /// What can be had, by start.
    pub offers: Vec<Offer>,
    /// The first start that found no place in the answer, if there is one.
    pub next_from: Option<Timestamp>,
    /// The zone whose wall clock the local times show.
    pub zone: ZoneName,
}

/// Something that can be booked, or could be but for its flags.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The service.
    pub service: Arc<Offered>,
    /// From when to when.
    pub span: TimeSpan,
    /// Where, if that was said.
    pub location: Option<Location>,
    /// The rules for customers that it breaks.
    pub violations: Violations,
    /// Why this caller can't book it.
    pub reasons: NonBookable,
    /// Its seats.
    pub seats: Seats,
    /// What it is.
    pub of: OfferOf,
}

/// What an offer is.
#[derive(Debug, Clone)]
pub enum OfferOf {
    /// A free time of an appointment.
    Appointment(FreeTime),
    /// A session of a class.
    Class(Arc<Session>),
    /// A course's run.
    Course {
        /// Its schedule.
        schedule: Arc<Schedule>,
        /// The session that comes next.
        next: Option<TimeSpan>,
    },
}

/// Who is free at a time. Found out only when somebody asks.
#[derive(Debug, Clone)]
pub struct FreeTime {
    list: Arc<List>,
    position: usize,
}

/// A list of free times, with those who serve them.
#[derive(Debug)]
struct List {
    slots: Slots,
    facts: Arc<Facts>,
    needed: Vec<Needed>,
    sorting: StaffSorting,
}

impl FreeTime {
    /// For each requirement, who is free.
    pub fn available(&self) -> impl Iterator<Item = (&Needed, Vec<&Resource>)> {
        let slot = self.list.slots.get(self.position);
        self.list.needed.iter().enumerate().map(move |(requirement, needed)| {
            let free = slot.into_iter().flat_map(move |slot| slot.free(requirement));
            let mut free: Vec<&Resource> = free.filter_map(|id| self.list.facts.resource(id)).collect();
            if needed.kind == ResourceType::Staff {
                sort_staff(&mut free, self.list.sorting, None);
            }
            (needed, free)
        })
    }
}

impl Offer {
    /// Whether this caller could book it now.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons.any()
    }
}

impl Service {
    /// When some services can be booked within a window of time.
    pub async fn availability(&self, caller: &Caller, query: AvailabilityQuery) -> Result<Availability, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let now = self.clock().now();
        let question = Question::new(caller, query, now)?;
        let found = self.found(question.wanted(caller)).await?;
        Ok(apart(move |stop| question.answer(&found, stop)).await?)
    }
}

impl Service {
    /// What a question needs to know.
    pub(super) async fn found(&self, wanted: Wanted) -> Result<Found, Error> {
        let memory = self.memory.clone();
        let read = self
            .db()
            .read(move |conn| Box::pin(async move { read(conn, &memory, &wanted).await }));
        Ok(read.await?)
    }
}

/// Appointments that somebody asks about.
#[derive(Clone, Copy)]
struct Appointments<'q> {
    service: &'q Arc<Offered>,
    /// How long they are to be; the usual length if that wasn't said.
    minutes: Option<i32>,
    /// Its places, as they are called now.
    locations: &'q [Location],
    wishes: &'q [(usize, Vec<ResourceId>)],
}

/// A question that makes sense.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) query: AvailabilityQuery,
    pub(super) from: Timestamp,
    pub(super) now: Timestamp,
    pub(super) party: NonZeroU32,
    /// Whether the caller is not bound by the rules for customers.
    pub(super) ignore_policy: bool,
}

impl Question {
    pub(super) fn new(caller: &Caller, query: AvailabilityQuery, now: Timestamp) -> Result<Self, Rejection> {
        let from = query.check(now)?;
        let party = positive(query.total_participants.unwrap_or(1));
        let ignore_policy = !caller.actor.is_customer();
        Ok(Self {
            query,
            from,
            now,
            party,
            ignore_policy,
        })
    }

    pub(super) fn wanted(&self, caller: &Caller) -> Wanted {
        Wanted {
            site: caller.site,
            services: self.query.services.clone(),
            resources: self.query.resources.clone(),
            locations: self.query.locations.clone().unwrap_or_default(),
            from: self.from,
            to: self.query.to,
            now: self.now,
            choices: !self.query.choices.is_empty(),
        }
    }

    /// The places that are of interest; none: all.
    pub(super) fn places(&self) -> Option<Vec<PlaceId>> {
        let asked = self.query.locations.as_ref()?;
        Some(asked.iter().map(|id| PlaceId::from_uuid(id.uuid())).collect())
    }

    fn answer(&self, found: &Found, stop: &Stop) -> Result<Availability, Rejection> {
        self.query.check_found(found)?;
        let lengths = self.query.lengths(found)?;
        let Catalogue {
            services,
            zone,
            facts,
            locations,
            ..
        } = &*found.catalogue;
        let zone = self.query.time_zone.as_ref().unwrap_or(zone).clone();
        let clock = zone.zone();
        let busy = busy_times(found.claims(), None, self.now);
        let mut offers = Vec::new();
        for service in services {
            match service.kind {
                ServiceKind::Appointment => {
                    let wishes = wishes(facts, service, &found.resources);
                    let told: Vec<Location> = service.locations.iter().map(|one| one.told_by(locations)).collect();
                    let asked = Appointments {
                        service,
                        minutes: lengths.get(&service.id).copied(),
                        locations: &told,
                        wishes: &wishes,
                    };
                    offers.extend(self.appointments(facts, &busy, &asked, (&clock, stop)));
                }
                ServiceKind::Class => offers.extend(self.classes(found, service, &clock)),
                ServiceKind::Course => offers.extend(self.courses(found, service)),
            }
        }
        // Stable: of one start, in the order in which the services were named.
        offers.sort_by_key(|offer| offer.span.start());
        let next_from = self.cut(&mut offers, &clock);
        Ok(Availability {
            offers,
            next_from,
            zone,
        })
    }

    /// Cuts the list to what was asked for at the most. What starts at one time stays together, so that whoever asks
    /// for the rest gets all of it and nothing twice; and so does a day of which only so much is told, as nobody knows
    /// with the rest what it had.
    fn cut(&self, offers: &mut Vec<Offer>, clock: &TimeZone) -> Option<Timestamp> {
        // Courses that have begun before the window count as its beginning, or the rest would lie before it.
        let start = |offer: &Offer| offer.span.start().max(self.from);
        let last = start(offers.get(self.query.limit().checked_sub(1)?)?);
        let rest = if self.query.slots_per_day.is_some() {
            let date = |at: Timestamp| clock.to_datetime(at).date();
            let of_the_day = |offer: &Offer| date(start(offer)) <= date(last);
            offers.iter().rposition(of_the_day)? + 1
        } else {
            offers.partition_point(|offer| start(offer) <= last)
        };
        let next = offers.get(rest).map(start);
        offers.truncate(rest);
        next
    }

    fn keeps(&self, bookable: bool) -> bool {
        self.query.bookable.is_none_or(|wanted| wanted == bookable)
    }

    /// The first free times of a service, as many as the answer could hold, and those of the last one's start.
    fn appointments(
        &self,
        facts: &Arc<Facts>,
        busy: &super::facts::BusyTimes,
        asked: &Appointments<'_>,
        (clock, stop): (&TimeZone, &Stop),
    ) -> Vec<Offer> {
        let Appointments {
            service,
            minutes,
            locations,
            wishes,
        } = *asked;
        let mut offers = Vec::new();
        let places = self.places();
        let mut from = self.from.max(self.now);
        while from < self.query.to && offers.len() <= self.query.limit() && !stop.asked() {
            let to = slice_end(from, clock).min(self.query.to);
            let slots = facts.ask(service, busy, self.now, |business, asked| {
                let query = Query {
                    requested: &requested(wishes),
                    places: places.as_deref(),
                    duration: minutes.map(positive),
                    party: self.party,
                    ignore_policy: self.ignore_policy,
                    ..Query::between(from, to)
                };
                availability::list(business, asked, &query)
            });
            let rows = slots.iter().enumerate().filter_map(|(position, slot)| {
                let bookable = slot.bookable();
                self.keeps(bookable).then_some((position, slot.start(), bookable))
            });
            let rows: Vec<_> = rows.collect();
            let kept = self.per_day(clock, rows.iter().map(|(_, start, bookable)| (*start, *bookable)));
            let positions: Vec<usize> = kept
                .into_iter()
                .filter_map(|at| rows.get(at))
                .map(|row| row.0)
                .collect();
            let list = Arc::new(List {
                slots,
                facts: facts.clone(),
                needed: facts.requirements(service),
                sorting: service.staff_sorting,
            });
            offers.extend(
                positions
                    .into_iter()
                    .filter_map(|position| offer(service, locations, &list, position)),
            );
            from = to;
        }
        offers
    }

    fn per_day(&self, clock: &TimeZone, rows: impl Iterator<Item = (Timestamp, bool)>) -> Vec<usize> {
        let Some(most) = self.query.slots_per_day else {
            return (0..rows.count()).collect();
        };
        let cap = PerDay {
            most: positive(most),
            zone: clock,
        };
        availability::per_day(&cap, rows.map(|(start, bookable)| (start.as_microsecond(), bookable)))
    }

    fn seat_query<'q>(&'q self, places: Option<&'q [PlaceId]>) -> SeatQuery<'q> {
        SeatQuery {
            party: self.party,
            places,
            resources: (!self.query.resources.is_empty()).then_some(self.query.resources.as_slice()),
            ignore_policy: self.ignore_policy,
            ..SeatQuery::between(self.from, self.query.to, self.now)
        }
    }

    fn classes(&self, found: &Found, service: &Arc<Offered>, clock: &TimeZone) -> Vec<Offer> {
        let sessions: Vec<&Session> = found.sessions.iter().filter(|one| one.service == service.id).collect();
        let needed: Vec<Vec<ResourceId>> = sessions.iter().map(|session| resources_of(session)).collect();
        let at = |session: &Session| {
            let location = session.location.as_ref().or_else(|| service.only_location());
            location.map(|location| location.told_by(&found.catalogue.locations))
        };
        let asked = sessions.iter().zip(&needed).map(|(session, resources)| ClassSession {
            id: session.id,
            span: session.span,
            seats: seats(session.capacity, found.taken(Target::Session(session.id))),
            cancelled: false,
            resources,
            place: at(session).as_ref().and_then(Location::place),
            waitlist: None,
        });
        let asked: Vec<ClassSession<'_>> = asked.collect();
        let policy = found.catalogue.facts.policy(service.id);
        let places = self.places();
        let query = self.seat_query(places.as_deref());
        let slots = availability::classes(&asked, &policy, service.open_to_customers(), &query);
        let slots: Vec<_> = slots.into_iter().filter(|slot| self.keeps(slot.bookable())).collect();
        let kept = self.per_day(clock, slots.iter().map(|slot| (slot.span.start(), slot.bookable())));
        let offer = |slot: &availability::ClassSlot| {
            let session = sessions.iter().find(|session| session.id == slot.session)?;
            Some(Offer {
                service: service.clone(),
                span: slot.span,
                location: at(session),
                violations: slot.violations,
                reasons: slot.reasons,
                seats: slot.seats,
                of: OfferOf::Class(Arc::new((*session).clone())),
            })
        };
        kept.into_iter()
            .filter_map(|at| slots.get(at))
            .filter_map(offer)
            .collect()
    }

    fn courses(&self, found: &Found, service: &Arc<Offered>) -> Vec<Offer> {
        let places = self.places();
        let (policy, query) = (
            found.catalogue.facts.policy(service.id),
            self.seat_query(places.as_deref()),
        );
        let location = service
            .only_location()
            .map(|only| only.told_by(&found.catalogue.locations));
        let place = location.as_ref().and_then(Location::place);
        if places
            .as_ref()
            .is_some_and(|places| place.is_none_or(|place| !places.contains(&place)))
        {
            return Vec::new();
        }
        let wished = |sessions: &[Session]| {
            query.resources.is_none_or(|wished| {
                let mut needed = sessions.iter().flat_map(resources_of);
                needed.any(|id| wished.contains(&id))
            })
        };
        let runs = found.runs_of(service.id).filter(|run| wished(&run.sessions));
        let offers = runs.filter_map(|run| {
            let spans: Vec<TimeSpan> = run.sessions.iter().map(|session| session.span).collect();
            let id = run.schedule.id;
            let asked = CourseRun {
                schedule: id,
                sessions: &spans,
                seats: seats(run.schedule.capacity, found.taken(Target::Schedule(id))),
                cancelled: false,
                waitlist: None,
            };
            let offer = availability::course(&asked, &policy, service.open_to_customers(), &query);
            Some(Offer {
                service: service.clone(),
                span: offer.span?,
                location: location.clone(),
                violations: offer.violations,
                reasons: offer.reasons,
                seats: offer.seats,
                of: OfferOf::Course {
                    schedule: Arc::new(run.schedule.clone()),
                    next: offer.next,
                },
            })
        });
        offers.filter(|offer| self.keeps(offer.bookable())).collect()
    }
}

/// The midnight at which a slice of the window ends: a day is never parted.
pub(super) fn slice_end(from: Timestamp, clock: &TimeZone) -> Timestamp {
    let date = clock.to_datetime(from).date().saturating_add(SLICE_DAYS.days());
    let midnight = clock.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible();
    midnight.unwrap_or(Timestamp::MAX).max(from + 1.hour())
}

fn offer(service: &Arc<Offered>, locations: &[Location], list: &Arc<List>, position: usize) -> Option<Offer> {
    let slot = list.slots.get(position)?;
    let here = |location: &&Location| location.place() == slot.place();
    Some(Offer {
        service: service.clone(),
        span: TimeSpan::new(slot.start(), slot.end())?,
        location: locations.iter().find(here).cloned(),
        violations: slot.violations(),
        reasons: slot.reasons(),
        seats: seats(1, 0),
        of: OfferOf::Appointment(FreeTime {
            list: list.clone(),
            position,
        }),
    })
}

fn seats(capacity: i32, taken: u32) -> Seats {
    Seats {
        capacity: u32::try_from(capacity).unwrap_or(0),
        taken,
        ..Seats::default()
    }
}

fn resources_of(session: &Session) -> Vec<ResourceId> {
    session.resources.iter().map(|resource| resource.id).collect()
}

/// Whom a question names, by the service's requirement that they could serve. Of several of one type any one will do.
pub(super) fn wishes(facts: &Facts, service: &Offered, named: &[Resource]) -> Vec<(usize, Vec<ResourceId>)> {
    let needed = facts.requirements(service);
    let mut wishes: Vec<(usize, Vec<ResourceId>)> = Vec::new();
    for resource in named {
        // What the service doesn't need, nobody can serve: there is nothing to be had.
        let serves = needed.iter().position(|one| one.ids.contains(&resource.id));
        let of_type = || needed.iter().position(|one| one.kind == resource.resource_type);
        let requirement = serves.or_else(of_type).unwrap_or(needed.len());
        match wishes.iter_mut().find(|(known, _)| *known == requirement) {
            Some((_, ids)) => ids.push(resource.id),
            None => wishes.push((requirement, vec![resource.id])),
        }
    }
    wishes
}

/// The same, as the engine is told.
pub(in crate::service) fn requested(wishes: &[(usize, Vec<ResourceId>)]) -> Vec<availability::Requested<'_>> {
    wishes
        .iter()
        .map(|(requirement, resources)| availability::Requested {
            requirement: *requirement,
            resources,
        })
        .collect()
}
