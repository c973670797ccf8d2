//! Who serves the parts of a package: chosen for all of them together, behind the locks of all.

use jiff::{Timestamp, tz::TimeZone};

use super::super::{
    candidates::{Candidates, Chosen, Crew, Naming, problem, serving, still_there, unfit},
    ledger::{Ledger, Spot},
    place::{Wanted, appointment_service, appointment_span, busy_span_of, site_zone, spots_of, targets_of},
};
use crate::{
    domain::{
        Rejection,
        availability::{self, Assignment, Business, ChainQuery, ChainRefusal, Choice, Part as Asked, Start},
        booking::{Booked, BookedResource, Booking, Location},
        catalog::{Service, ServiceKind},
        conflict::{self, Target},
        ids::{BookingId, Kind, ResourceId},
        rejection::SlotProblem,
        time::{TimeSpan, ZoneName},
    },
    service::{
        availability::{Facts, ask_chain, busy_times, positive},
        catalog::told,
    },
    store::{Failure, Tx, catalog},
};

/// One part, as it is to be, before it is known who could serve it.
pub(super) struct Draft<'b> {
    id: BookingId,
    /// The service, with the buffer that counts for this booking.
    service: Service,
    /// What is booked; nobody is assigned yet.
    pub(super) booked: Booked,
    pub(super) span: TimeSpan,
    wished: Vec<ResourceId>,
    naming: Naming,
    /// The booking that is to be this part.
    current: Option<&'b Booking>,
}

impl<'b> Draft<'b> {
    /// The part that somebody wishes for, by the rules by which one appointment is found. `current` is the booking that
    /// is to move there.
    pub(super) async fn find(
        tx: &mut Tx<'_>,
        id: BookingId,
        wanted: &Wanted,
        any_length: bool,
        naming: Naming,
        address: Option<&str>,
        current: Option<&'b Booking>,
    ) -> Result<Self, Failure> {
        let Wanted::Appointment {
            service,
            start,
            end,
            time_zone,
            resources,
            location,
        } = wanted
        else {
            return Err(Rejection::invalid(&[], "must be an appointment").into());
        };
        let site = tx.site();
        let service = appointment_service(catalog::find_live_service(tx.conn(), site, *service).await?)?;
        let span = appointment_span(&service, *start, *end, any_length)?;
        let location = match service.visit_at(location.as_ref(), address)? {
            Some(location) => Some(told(tx, location).await?),
            None => None,
        };
        let time_zone = match time_zone {
            Some(zone) => zone.clone(),
            None => site_zone(tx).await?,
        };
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
        Ok(Self {
            id,
            service,
            booked,
            span,
            wished: resources.clone(),
            naming,
            current,
        })
    }

    /// The part that a booking is, at the time that it has.
    pub(super) async fn of(tx: &mut Tx<'_>, booking: &'b Booking, now: Timestamp) -> Result<Self, Failure> {
        let site = tx.site();
        let missing = || Rejection::not_found(Kind::Service, &["multiServiceBookingId"]);
        let mut service = catalog::find_service(tx.conn(), site, booking.booked.service)
            .await?
            .ok_or_else(missing)?;
        service.buffer_minutes = booking.booked.buffer_minutes;
        // Whom the server chose for a hold that is over is not asked for any more.
        let keeps = booking.status.on_calendar() || booking.held(now);
        let had = booking.booked.resources.iter();
        let wished = had
            .filter(|resource| keeps || resource.explicitly_requested)
            .map(|resource| resource.id);
        let wished = still_there(tx, wished.collect()).await?;
        Ok(Self {
            id: booking.id,
            service,
            booked: Booked {
                resources: Vec::new(),
                ..booking.booked.clone()
            },
            span: booking.booked.span.ok_or_else(missing)?,
            wished,
            naming: Naming::Business,
            current: Some(booking),
        })
    }

    fn with(self, candidates: Candidates) -> Part {
        Part {
            id: self.id,
            service: self.service,
            booked: self.booked,
            span: self.span,
            serving: serving(self.current),
            candidates,
        }
    }
}

/// One part, as it is to be.
pub(super) struct Part {
    pub(super) id: BookingId,
    /// The service, with the buffer that counts for this booking.
    pub(super) service: Service,
    /// What is booked; nobody is assigned yet.
    pub(super) booked: Booked,
    pub(super) span: TimeSpan,
    /// Who serves it by now.
    serving: Vec<ResourceId>,
    candidates: Candidates,
}

impl Part {
    /// Where it takes place, as its service knows it.
    fn location(&self) -> Option<Location> {
        self.service.place_of(self.booked.location.as_ref())
    }

    /// All that it may come to hold.
    pub(super) fn spots(&self) -> Vec<Spot> {
        let busy = self.span.with_buffer(self.booked.buffer_minutes);
        self.candidates.targets().map(|target| (target, busy)).collect()
    }
}

/// All that a package has or is to have.
pub(super) fn spots(parts: &[Part], current: &[Booking]) -> Vec<Spot> {
    let had = current.iter().flat_map(spots_of);
    parts.iter().flat_map(Part::spots).chain(had).collect()
}

/// Refuses parts that don't follow each other, or are not at one place. `place` says where the input has a part's wish.
pub(super) fn check_sequence(parts: &[Part], place: impl Fn(usize) -> Vec<String>) -> Result<(), Rejection> {
    let refuse = |index: usize, field: &str, message: &str| {
        let place = place(index);
        let outer: Vec<&str> = place.iter().map(String::as_str).collect();
        Err(Rejection::invalid(&[field], message).within(&outer))
    };
    for (index, pair) in parts.windows(2).enumerate() {
        let [one, next] = pair else { continue };
        if one.span.end() != next.span.start() {
            let message = format!("must be {}: the end of the booking before it", one.span.end());
            return refuse(index + 1, "startDate", &message);
        }
        if !one.booked.is_where(&next.booked) {
            return refuse(index + 1, "location", "must be that of the booking before it");
        }
    }
    Ok(())
}

/// Who there is for all parts, and when they are open.
pub(super) struct People {
    zone: ZoneName,
    crew: Crew,
}

impl People {
    /// Finds who could serve each part, with one look for all of them. `place` tells where the input has what is wrong with
    /// one of them.
    pub(super) async fn cast(
        tx: &mut Tx<'_>,
        drafts: Vec<Draft<'_>>,
        place: impl Fn(Failure, usize) -> Failure + Send,
    ) -> Result<(Vec<Part>, Self), Failure> {
        let (mut requirements, mut serves, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for draft in &drafts {
            let at = draft.service.place_of(draft.booked.location.as_ref());
            requirements.extend(draft.service.requirements.iter().cloned());
            serves.extend(serving(draft.current));
            places.extend(at.and_then(|at| at.business()));
        }
        let crew = Crew::load(tx, &requirements, &serves, &places).await?;
        let (site, asked) = (tx.site(), tx.now());
        let closings = catalog::closings(tx.conn(), site, asked).await?;
        let mut parts = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.into_iter().enumerate() {
            let facts = crew.facts(TimeZone::UTC).serving(serving(draft.current));
            let who = (draft.naming, draft.id);
            let found = Candidates::of(&facts, &draft.service, &draft.wished, draft.current, who);
            let candidates = match found {
                Err(Rejection::NotFound { path, .. }) => {
                    let refusal = unfit(tx, &facts, &draft.wished, &path).await?;
                    return Err(place(refusal.into(), index));
                }
                found => found.map_err(|rejection| place(rejection.into(), index))?,
            };
            let at = draft.service.place_of(draft.booked.location.as_ref());
            let candidates = candidates.closed_by(closings.clone(), asked, at.as_ref());
            parts.push(draft.with(candidates));
        }
        let zone = site_zone(tx).await?;
        Ok((parts, Self { zone, crew }))
    }

    /// What the engine is told; without opening hours everybody is there around the clock.
    fn facts(&self, hours: bool) -> Facts {
        if hours {
            return self.crew.facts(self.zone.zone());
        }
        Facts::new(self.zone.zone(), Vec::new(), self.crew.resources.clone())
    }
}

/// How the parts are to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Within opening hours; the first part on the grid of starts, unless that is the business's own word.
    Hours {
        /// Whether it may start beside the grid.
        off_grid: bool,
    },
    /// At the times that they have, by those who are there then; by others if that can't be.
    There,
    /// At the times that they have, whoever is open then.
    Times,
}

/// Who serves each part.
pub(super) struct Arranged {
    pub(super) chosen: Vec<Chosen>,
    /// The part that can't be had by opening hours, by the grid, or because the business is closed, if there is one.
    closed: Option<(usize, SlotProblem)>,
}

/// Makes sure, behind the locks, that services and resources are there still.
pub(super) async fn check_there(tx: &mut Tx<'_>, parts: &[Part], live: bool) -> Result<(), Failure> {
    let site = tx.site();
    for part in parts {
        let gone = live
            && tx.is_concurrent()
            && catalog::find_live_service(tx.conn(), site, part.service.id)
                .await?
                .is_none();
        if gone {
            return Err(Failure::Again);
        }
        part.candidates.check_there(tx).await?;
    }
    Ok(())
}

/// Chooses who serves the parts. Where not all can be free, takes those whom the customer or the order of choice puts
/// first, and says what is in their way.
pub(super) fn arrange(parts: &[Part], people: &People, ledger: &Ledger, rule: Rule) -> Result<Arranged, Failure> {
    let own: Vec<BookingId> = parts.iter().map(|part| part.id).collect();
    let rest = ledger.without(&own);
    let mut found = chain(parts, people, &rest, rule);
    let closed = found.as_ref().err().copied();
    if closed.is_some() && rule == Rule::There {
        found = chain(parts, people, &rest, Rule::Times);
    }
    let views: Vec<Ledger> = own.iter().map(|id| without_others(ledger, &own, *id)).collect();
    let (mut chosen, mut before): (Vec<Chosen>, Vec<ResourceId>) = (Vec::new(), Vec::new());
    for (index, (part, view)) in parts.iter().zip(&views).enumerate() {
        // Who goes on to the next part needs no buffer: the engine saw to it.
        let (span, serving) = match &found {
            Ok(assigned) => {
                let picks = assigned.get(index).into_iter().flat_map(|one| &one.picks);
                (part.span, picks.map(|pick| pick.resource).collect())
            }
            Err(_) => (part.span.with_buffer(part.booked.buffer_minutes), before.clone()),
        };
        let one = part
            .candidates
            .choose_free(view, span, part.id, &serving)
            .map_err(|rejection| rejection.unless_skipped(rule == Rule::Times))
            .map_err(|rejection| rejection.of_part(&["bookings", &index.to_string()]))?;
        before = one.resources.iter().map(|resource| resource.id).collect();
        chosen.push(one);
    }
    set_buffers(parts, &mut chosen);
    for (one, view) in chosen.iter_mut().zip(&views) {
        let clash = |ask: &conflict::Ask| view.check(ask).map(|clash| (*ask, clash));
        one.clash = one.asks.iter().find_map(clash);
    }
    for ((one, part), view) in chosen.iter_mut().zip(parts).zip(&views) {
        let busy = part.span.with_buffer(part.booked.buffer_minutes);
        part.candidates.close(one, view, busy);
    }
    let shut = chosen.iter().position(|one| one.shut);
    let shut = shut.map(|index| (index, SlotProblem::NotFree));
    Ok(Arranged {
        closed: closed.or(shut),
        chosen,
    })
}

fn without_others(ledger: &Ledger, own: &[BookingId], but: BookingId) -> Ledger {
    let others: Vec<BookingId> = own.iter().copied().filter(|id| *id != but).collect();
    ledger.without(&others)
}

/// Asks the engine; if it refuses, at which part, and why.
fn chain(
    parts: &[Part],
    people: &People,
    ledger: &Ledger,
    rule: Rule,
) -> Result<Vec<Assignment>, (usize, SlotProblem)> {
    let Some(first) = parts.first() else {
        return Ok(Vec::new());
    };
    let bound = rule != Rule::Times;
    let facts = people.facts(bound);
    let at = first.span.start();
    let busy = busy_times(ledger.claims(), None, ledger.now());
    let orders: Vec<Vec<ResourceId>> = parts.iter().map(|part| part.candidates.order()).collect();
    let requested: Vec<_> = parts.iter().map(|part| part.candidates.requested()).collect();
    // All of them are at one place.
    let place: Vec<Location> = first.location().into_iter().collect();
    let services = parts.iter().map(|part| Service {
        locations: place.clone(),
        ..part.service.clone()
    });
    let services: Vec<Service> = services.collect();
    let serving = parts.iter().map(|part| part.serving.as_slice());
    let services: Vec<(&Service, &[ResourceId])> = services.iter().zip(serving).collect();
    // Whether it may be in the past, or is open to customers, is told by other refusals.
    let found = ask_chain(&facts, &services, &busy, at, &mut |business: &Business<'_>, asked| {
        let asked: Vec<Asked<'_>> = asked
            .iter()
            .zip(parts)
            .zip(requested.iter().zip(&orders))
            .map(|((service, part), (requested, order))| Asked {
                service,
                duration: Some(positive(i32::try_from(part.span.minutes()).unwrap_or(i32::MAX))),
                requested,
                choice: Choice::Given(order),
            })
            .collect();
        let query = ChainQuery {
            from: at,
            to: at,
            places: None,
            party: std::num::NonZeroU32::MIN,
            per_day: None,
            ignore_policy: true,
        };
        let start = Start {
            at,
            off_grid: rule != Rule::Hours { off_grid: false },
        };
        availability::check_chain(business, &asked, &query, start)
    });
    found.and_then(|found| found).map_err(|refusal| match refusal {
        ChainRefusal::Part { part, refusal } => (part, problem(&refusal)),
        // Who could do it is told no more than that it isn't free: the search for a way has its end.
        ChainRefusal::NoParts | ChainRefusal::NoSharedPlace | ChainRefusal::TooManyWays => (0, SlotProblem::NotFree),
    })
}

/// Gives each resource the buffer that it keeps: none that goes into its next part of the visit.
fn set_buffers(parts: &[Part], chosen: &mut [Chosen]) {
    let serving: Vec<(ResourceId, Timestamp)> = parts
        .iter()
        .zip(chosen.iter())
        .flat_map(|(part, one)| {
            let start = part.span.start();
            one.resources.iter().map(move |resource| (resource.id, start))
        })
        .collect();
    for (part, one) in parts.iter().zip(chosen) {
        let (end, full) = (part.span.end(), part.booked.buffer_minutes);
        for resource in &mut one.resources {
            let next = serving.iter().filter(|(id, start)| *id == resource.id && *start >= end);
            let gap = next.map(|(_, start)| start.duration_since(end).as_mins()).min();
            let gap = gap.map(|minutes| i32::try_from(minutes).unwrap_or(i32::MAX));
            resource.buffer_minutes = gap.filter(|minutes| *minutes < full);
        }
        let booked = Booked {
            resources: one.resources.clone(),
            ..part.booked.clone()
        };
        for ask in &mut one.asks {
            ask.span = busy_span_of(&booked, ask.target);
        }
    }
}

/// Those who stay on record while nothing is held: whom the customer asked for.
pub(super) fn asked_for(resources: &mut Vec<BookedResource>) {
    resources.retain(|resource| resource.explicitly_requested);
    for resource in resources {
        resource.buffer_minutes = None;
    }
}

impl Arranged {
    /// Why the package can't be had, if it can't: something is in the way of a part, or nobody is there at that time.
    pub(super) fn refusal(&self, place: impl Fn(usize) -> Vec<String>) -> Option<Rejection> {
        let refuse = |index: usize, rejection: Rejection| {
            let place = place(index);
            let path: Vec<&str> = place.iter().map(String::as_str).collect();
            rejection.of_part(&path)
        };
        let clash = self.chosen.iter().enumerate().find_map(|(index, one)| {
            let (ask, clash) = one.clash.as_ref()?;
            Some(refuse(index, conflict::refuse(ask, clash, None)))
        });
        let closed = || {
            self.closed
                .map(|(index, problem)| refuse(index, Rejection::no_slot(problem)))
        };
        clash.or_else(closed)
    }
}

/// What the bookings hold, all of it locked or not.
pub(super) fn targets(bookings: &[Booking]) -> Vec<Target> {
    bookings
        .iter()
        .flat_map(|booking| targets_of(&booking.booked))
        .collect()
}
