//! Who serves the parts of a package: chosen for all of them together, behind the locks of all.

use jiff::Timestamp;

use super::super::{
    candidates::{Candidates, Chosen, Naming, problem},
    ledger::{Ledger, Spot},
    place::{Wanted, appointment_service, appointment_span, busy_span_of, spots_of, targets_of},
};
use crate::{
    domain::{
        Rejection,
        availability::{self, Assignment, Business, ChainQuery, ChainRefusal, Choice, Part as Asked, Start},
        booking::{Booked, BookedResource, Booking, Location},
        catalog::{Resource, Service, ServiceKind, ServiceResource},
        conflict::{self, Target},
        hours::WorkingHours,
        ids::{BookingId, Kind, LocationId, ResourceId},
        rejection::SlotProblem,
        time::{TimeSpan, ZoneName},
    },
    service::{
        availability::{Facts, ask_chain, busy_times, positive},
        catalog::told,
    },
    store::{Failure, Tx, catalog, sites},
};

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
    /// The part that somebody wishes for, by the rules by which one appointment is found. `current` is the booking that
    /// is to move there.
    pub(super) async fn find(
        tx: &mut Tx<'_>,
        id: BookingId,
        wanted: &Wanted,
        any_length: bool,
        naming: Naming,
        address: Option<&str>,
        current: Option<&Booking>,
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
        let candidates = Candidates::load(tx, &service, resources, location.as_ref(), current, (naming, id)).await?;
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
            serving: current.map(serving).unwrap_or_default(),
            candidates,
        })
    }

    /// The part that a booking is, at the time that it has.
    pub(super) async fn of(tx: &mut Tx<'_>, booking: &Booking, now: Timestamp) -> Result<Self, Failure> {
        let site = tx.site();
        let missing = || Rejection::not_found(Kind::Service, &["multiServiceBookingId"]);
        let mut service = catalog::find_service(tx.conn(), site, booking.booked.service)
            .await?
            .ok_or_else(missing)?;
        service.buffer_minutes = booking.booked.buffer_minutes;
        // Whom the server chose for a hold that is over is not asked for any more.
        let keeps = booking.status.on_calendar() || booking.held(now);
        let had = booking.booked.resources.iter();
        let wished: Vec<ResourceId> = had
            .filter(|resource| keeps || resource.explicitly_requested)
            .map(|resource| resource.id)
            .collect();
        let at = service.place_of(booking.booked.location.as_ref());
        let candidates = Candidates::load(
            tx,
            &service,
            &wished,
            at.as_ref(),
            Some(booking),
            (Naming::Business, booking.id),
        )
        .await
        .map_err(|failure| match failure {
            Failure::Rejected(Rejection::NotFound { kind, .. } | Rejection::Unfit { kind, .. }) => {
                Rejection::not_found(kind, &["multiServiceBookingId"]).into()
            }
            other => other,
        })?;
        let span = booking.booked.span.ok_or_else(missing)?;
        Ok(Self {
            id: booking.id,
            service,
            booked: Booked {
                resources: Vec::new(),
                ..booking.booked.clone()
            },
            span,
            serving: serving(booking),
            candidates,
        })
    }

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

fn serving(booking: &Booking) -> Vec<ResourceId> {
    booking.booked.resources.iter().map(|resource| resource.id).collect()
}

async fn site_zone(tx: &mut Tx<'_>) -> Result<ZoneName, Failure> {
    let site = tx.site();
    let site = sites::find(tx.conn(), site).await?;
    Ok(site.map_or_else(ZoneName::utc, |site| site.time_zone))
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

/// Who there is, and when they are open.
pub(super) struct People {
    zone: ZoneName,
    hours: Vec<WorkingHours>,
    resources: Vec<Resource>,
    serving: Vec<ResourceId>,
}

impl People {
    pub(super) async fn load(tx: &mut Tx<'_>, parts: &[Part]) -> Result<Self, Failure> {
        let site = tx.site();
        let needed: Vec<ServiceResource> = parts
            .iter()
            .flat_map(|part| part.service.requirements.iter().cloned())
            .collect();
        let ids = catalog::candidate_ids(tx.conn(), site, &needed).await?;
        let places: Vec<LocationId> = parts.iter().filter_map(|part| part.location()?.business()).collect();
        let (resources, hours) = catalog::candidates(tx.conn(), site, &ids, &places).await?;
        Ok(Self {
            zone: site_zone(tx).await?,
            hours,
            resources,
            serving: parts.iter().flat_map(|part| part.serving.iter().copied()).collect(),
        })
    }

    /// What the engine is told; without opening hours everybody is there around the clock.
    fn facts(&self, hours: bool) -> Facts {
        let on_record = if hours { self.hours.clone() } else { Vec::new() };
        Facts::new(self.zone.zone(), on_record, self.resources.clone()).keeping(self.serving.clone())
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
    /// At the times that they have, whoever is open then.
    Times,
}

/// Who serves each part.
pub(super) struct Arranged {
    pub(super) chosen: Vec<Chosen>,
    /// The part that can't be had by opening hours or by the grid, if there is one.
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
    let found = chain(parts, people, &ledger.without(&own), rule);
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
    Ok(Arranged {
        chosen,
        closed: found.err(),
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
    let bound = matches!(rule, Rule::Hours { .. });
    let facts = people.facts(bound);
    let at = first.span.start();
    let busy = busy_times(ledger.claims(), None, ledger.now());
    let order: Vec<ResourceId> = parts.iter().flat_map(|part| part.candidates.order()).collect();
    let requested: Vec<_> = parts.iter().map(|part| part.candidates.requested()).collect();
    // All of them are at one place.
    let place: Vec<Location> = first.location().into_iter().collect();
    let services = parts.iter().map(|part| Service {
        locations: place.clone(),
        ..part.service.clone()
    });
    let services: Vec<Service> = services.collect();
    let services: Vec<&Service> = services.iter().collect();
    // Whether it may be in the past, or is open to customers, is told by other refusals.
    let found = ask_chain(&facts, &services, &busy, at, &mut |business: &Business<'_>, asked| {
        let asked: Vec<Asked<'_>> = asked
            .iter()
            .zip(parts)
            .zip(&requested)
            .map(|((service, part), requested)| Asked {
                service,
                duration: Some(positive(i32::try_from(part.span.minutes()).unwrap_or(i32::MAX))),
                requested,
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
        availability::check_chain(business, &asked, &query, start, &Choice::Given(&order))
    });
    found.and_then(|found| found).map_err(|refusal| match refusal {
        ChainRefusal::Part { part, refusal } => (part, problem(&refusal)),
        ChainRefusal::NoParts | ChainRefusal::NoSharedPlace => (0, SlotProblem::NotFree),
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
