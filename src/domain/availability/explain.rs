//! Why something is not offered, and what would help (spec §4.11). Unlike the reference, rules for customers and the
//! grid are told of as well.

use jiff::Timestamp;

use super::{
    appointments::{asked_places, bounds},
    busy::Obstacle,
    facts::{Business, Query, Requirement, Service},
    fit::{Bench, Sheet},
    matching::{Demand, Matcher},
    open::can_be_at,
};
use crate::domain::{
    hours::{PlaceId, from_micros},
    ids::ResourceId,
    time::TimeSpan,
};

/// What is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The service needs nothing, or the requirement names nobody.
    NoAssignedResources,
    /// The service is given at none of the places that are asked for.
    LocationNotOffered,
    /// The business has fewer resources for the requirement than it counts.
    TooFewResources,
    /// None of the requirement's resources is open at the place within the window.
    NoAvailabilityWindows,
    /// The visit is longer than the open time.
    DurationTooLong,
    /// The visit alone would fit; what is to stay free after it runs into the next thing.
    BufferTooLong,
    /// The resource is not open for the whole visit.
    NotInWorkingHours,
    /// The resource is busy.
    Blocked,
    /// The resource has no hours at the place within the window.
    NoWorkingHours,
    /// Somebody is asked for who doesn't serve the requirement, or whom the business doesn't have.
    NotAssignedToService,
    /// The business has taken the resource out of what can be booked.
    NotBookable,
    /// The resource can't be at the place.
    NotAtLocation,
    /// Each requirement has enough free resources, but some would have to serve two at once.
    NeededTwice,
    /// The visit leaves the range in which the service can be booked.
    OutsideServiceRange,
    /// The start lies beside the grid.
    OffGrid,
    /// The start lies before `now`.
    InThePast,
    /// The booking window is not open yet.
    TooEarlyToBook,
    /// The booking window is closed.
    TooLateToBook,
    /// The service can't be booked online.
    OnlineBookingDisabled,
    /// More people than one booking may bring.
    PartyTooLarge,
}

/// What would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Give the service staff or other resources.
    AssignResources,
    /// Give the service this resource.
    AssignResourceToService,
    /// Look at the hours of the resource.
    CheckWorkingHours,
    /// Look at where the resource works.
    CheckWorkLocations,
    /// Look at where the service is given.
    CheckServiceLocations,
    /// Make the visit or its buffer shorter.
    ReduceDurationOrBuffer,
    /// Look at what blocks the time.
    CheckBlockedTime,
    /// Look at the range in which the service can be booked.
    CheckServiceRange,
    /// Look at the booking policy.
    CheckBookingPolicy,
    /// Choose another start.
    ChooseAnotherStart,
}

impl Reason {
    /// What would help against it.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::NoAssignedResources | Self::TooFewResources | Self::NotBookable | Self::NeededTwice => {
                Action::AssignResources
            }
            Self::LocationNotOffered => Action::CheckServiceLocations,
            Self::NoAvailabilityWindows | Self::NotInWorkingHours | Self::NoWorkingHours => Action::CheckWorkingHours,
            Self::DurationTooLong | Self::BufferTooLong => Action::ReduceDurationOrBuffer,
            Self::Blocked => Action::CheckBlockedTime,
            Self::NotAssignedToService => Action::AssignResourceToService,
            Self::NotAtLocation => Action::CheckWorkLocations,
            Self::OutsideServiceRange => Action::CheckServiceRange,
            Self::OffGrid | Self::InThePast => Action::ChooseAnotherStart,
            Self::TooEarlyToBook | Self::TooLateToBook | Self::OnlineBookingDisabled | Self::PartyTooLarge => {
                Action::CheckBookingPolicy
            }
        }
    }
}

/// One thing that is in the way, with its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is in the way; see [`Reason::action`] for what would help.
    pub reason: Reason,
    /// The position of the requirement that it is about.
    pub requirement: Option<usize>,
    /// The resource that it is about.
    pub resource: Option<ResourceId>,
    /// The place that it is about.
    pub place: Option<PlaceId>,
    /// What is in the way: the busy time with its buffer; or the open time that is too short or comes next.
    pub span: Option<TimeSpan>,
    /// What the busy time is.
    pub obstacle: Option<Obstacle>,
}

/// One start and what is in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFindings {
    /// The start.
    pub start: Timestamp,
    /// The place; none for a service that names none.
    pub place: Option<PlaceId>,
    /// What is in the way; nothing: this caller can book it.
    pub findings: Vec<Finding>,
}

/// Why there is nothing in a window, or less than there might be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// How many starts of the grid this caller can book.
    pub bookable: usize,
    /// How many starts the grid has.
    pub starts: usize,
    /// What holds for the window as a whole.
    pub findings: Vec<Finding>,
    /// Starts of the grid that can't be booked, by place and then by start; no more of them than was asked for.
    pub times: Vec<TimeFindings>,
}

impl Explanation {
    /// That a window is over.
    #[must_use]
    pub fn over() -> Self {
        Self {
            findings: vec![Finding::of(Reason::InThePast)],
            ..Self::default()
        }
    }
}

/// Why starts from `query.from` to before `query.to` are not offered. Tells of each start by itself for at most
/// `times` of them.
#[must_use]
pub fn explain(business: &Business<'_>, service: &Service<'_>, query: &Query<'_>, times: usize) -> Explanation {
    let bench = Bench::new(business, service, query, query.from, query.to.max(query.from));
    let (from, to) = (query.from.as_microsecond(), query.to.as_microsecond());
    let mut told = Explanation::default();
    told.findings.extend(unserved(&bench));
    let (opens, closes) = bounds(&bench, query.from, query.to);
    if closes <= opens && from < to {
        told.findings.push(Finding::of(Reason::OutsideServiceRange));
    }
    if asked_places(service, query).next().is_none() {
        told.findings.push(Finding::of(Reason::LocationNotOffered));
    }
    if !service.online && !query.ignore_policy {
        told.findings.push(Finding::of(Reason::OnlineBookingDisabled));
    }
    let mut matcher = Matcher::new(&bench.demands);
    for place in asked_places(service, query) {
        told.findings.extend(windows(&bench, place, from, to));
        let sheet = bench.sheet(place, bench.starts(place, from, to), bench.buffer);
        told.starts += sheet.starts.len();
        for (index, start) in sheet.starts.iter().copied().enumerate() {
            let mut findings = rules(&bench, start);
            let free = bench.satisfied(&sheet, index, &mut matcher);
            if free && findings.is_empty() {
                told.bookable += 1;
            } else if told.times.len() < times {
                if !free {
                    findings.extend(self::findings(&bench, &sheet, index));
                }
                told.times.push(TimeFindings {
                    start: from_micros(start),
                    place: id_of(&bench, place),
                    findings,
                });
            }
        }
    }
    told
}

/// Why one start is not offered, on the grid or not: for each place that is asked for.
#[must_use]
pub fn explain_start(
    business: &Business<'_>,
    service: &Service<'_>,
    query: &Query<'_>,
    start: Timestamp,
) -> Vec<TimeFindings> {
    let bench = Bench::new(business, service, query, start, start);
    let at = start.as_microsecond();
    let told = asked_places(service, query).map(|place| {
        let sheet = bench.sheet(place, vec![at], bench.buffer);
        let mut told = rules(&bench, at);
        if !bench.satisfied(&sheet, 0, &mut Matcher::new(&bench.demands)) {
            told.extend(findings(&bench, &sheet, 0));
        } else if !bench.on_grid(place, at) {
            told.push(Finding::of(Reason::OffGrid));
        }
        TimeFindings {
            start,
            place: id_of(&bench, place),
            findings: told,
        }
    });
    told.collect()
}

impl Finding {
    /// A reason that is about nobody in particular.
    fn of(reason: Reason) -> Self {
        Self {
            reason,
            requirement: None,
            resource: None,
            place: None,
            span: None,
            obstacle: None,
        }
    }
}

fn id_of(bench: &Bench<'_>, place: usize) -> Option<PlaceId> {
    bench.service.places.get(place).and_then(|place| place.id)
}

/// What speaks against a start whoever is free.
fn rules(bench: &Bench<'_>, start: i64) -> Vec<Finding> {
    let (service, query, now) = (bench.service, bench.query, bench.business.now);
    let at = from_micros(start);
    let (opens, closes) = bounds(bench, at, Timestamp::MAX);
    let broken = service.policy.judge(at, None, service.online, now);
    let bound = !query.ignore_policy;
    let reasons = [
        (at < now, Reason::InThePast),
        (start < opens || closes <= start, Reason::OutsideServiceRange),
        (query.party > service.max_party, Reason::PartyTooLarge),
        (bound && broken.too_early, Reason::TooEarlyToBook),
        (bound && broken.too_late && at >= now, Reason::TooLateToBook),
        (bound && broken.online_disabled, Reason::OnlineBookingDisabled),
    ];
    reasons
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, reason)| Finding::of(reason))
        .collect()
}

/// Requirements that nobody could meet at any time, and who is asked for in vain.
fn unserved(bench: &Bench<'_>) -> Vec<Finding> {
    let mut told = Vec::new();
    if bench.service.requirements.is_empty() {
        told.push(Finding::of(Reason::NoAssignedResources));
    }
    for (position, requirement) in bench.service.requirements.iter().enumerate() {
        let members = bench.members.get(position).map_or(0, Vec::len);
        let about = |reason| Finding {
            requirement: Some(position),
            ..Finding::of(reason)
        };
        if requirement.count > 0 && requirement.allowed.is_empty() {
            told.push(about(Reason::NoAssignedResources));
        } else if members < requirement.count {
            told.push(about(Reason::TooFewResources));
        }
    }
    for asked in bench.query.requested {
        let requirement = bench.service.requirements.get(asked.requirement);
        let serves = |id: &ResourceId| requirement.is_some_and(|one: &Requirement<'_>| one.allowed.contains(id));
        let here = |id: &ResourceId| bench.hands.iter().any(|hand| hand.resource.id == *id);
        for id in asked.resources.iter().filter(|id| !serves(id) || !here(id)) {
            told.push(Finding {
                requirement: Some(asked.requirement),
                resource: Some(*id),
                ..Finding::of(Reason::NotAssignedToService)
            });
        }
    }
    told
}

/// What keeps each demand from being met at a start of the sheet at which not all are; never nothing.
pub(super) fn findings(bench: &Bench<'_>, sheet: &Sheet, index: usize) -> Vec<Finding> {
    let Some(start) = sheet.starts.get(index).copied() else {
        return Vec::new();
    };
    let short = |demand: &&Demand| demand.members.iter().filter(|hand| sheet.free(**hand, index)).count() < demand.need;
    let mut told = unserved(bench);
    for demand in bench.demands.iter().filter(short) {
        for hand in demand.members.iter().copied().filter(|hand| !sheet.free(*hand, index)) {
            told.push(obstacle(bench, demand.requirement, hand, sheet.place, start));
        }
    }
    if told.is_empty() {
        told.push(Finding {
            place: id_of(bench, sheet.place),
            ..Finding::of(Reason::NeededTwice)
        });
    }
    told
}

/// Why a hand is not free at a start.
fn obstacle(bench: &Bench<'_>, requirement: usize, hand: usize, place: usize, start: i64) -> Finding {
    let resource = bench.hands.get(hand).map(|hand| hand.resource);
    let told = Finding {
        requirement: Some(requirement),
        resource: resource.map(|resource| resource.id),
        place: id_of(bench, place),
        ..Finding::of(Reason::NotInWorkingHours)
    };
    let Some(resource) = resource else { return told };
    if !can_be_at(resource, told.place) {
        return Finding {
            reason: Reason::NotAtLocation,
            ..told
        };
    }
    let end = start + bench.duration;
    let open = bench.open(place, hand);
    if open.is_empty() {
        return Finding {
            reason: Reason::NoWorkingHours,
            ..told
        };
    }
    let around = open.iter().find(|(_, shuts)| *shuts > start).copied();
    match around {
        Some((opens, shuts)) if opens <= start && shuts < end => {
            let short = shuts - opens < bench.duration;
            let reason = if short {
                Reason::DurationTooLong
            } else {
                Reason::NotInWorkingHours
            };
            Finding {
                reason,
                span: TimeSpan::new(from_micros(opens), from_micros(shuts)),
                ..told
            }
        }
        Some((opens, _)) if opens <= start => {
            let (visit, kept_free) = (start, end + bench.buffer);
            let busy = bench.hands.get(hand).into_iter().flat_map(|hand| hand.resource.busy);
            let busy = busy.map(|busy| (busy.span, busy.obstacle));
            let here = bench
                .service
                .places
                .get(place)
                .map_or(&[] as &[_], |place| place.closed);
            let closed = bench.business.closed.iter().chain(here);
            let closed = closed.map(|span| (*span, Obstacle::Closure));
            let clashes = busy
                .chain(closed)
                .filter(|(span, _)| span.start().as_microsecond() < kept_free && visit < span.end().as_microsecond());
            let Some((span, obstacle)) = clashes.min_by_key(|(span, _)| span.start()) else {
                return told;
            };
            let reason = if span.start().as_microsecond() >= end {
                Reason::BufferTooLong
            } else {
                Reason::Blocked
            };
            Finding {
                reason,
                span: Some(span),
                obstacle: Some(obstacle),
                ..told
            }
        }
        next => {
            let span = next.and_then(|(opens, shuts)| TimeSpan::new(from_micros(opens), from_micros(shuts)));
            Finding { span, ..told }
        }
    }
}

/// What holds at a place for the whole window: about each resource that is never free in it, and each requirement
/// that nobody is open for.
fn windows(bench: &Bench<'_>, place: usize, from: i64, to: i64) -> Vec<Finding> {
    let mut told = Vec::new();
    for (requirement, members) in bench.members.iter().enumerate() {
        let mut open = 0;
        for hand in members {
            match never(bench, *hand, place, from, to) {
                Some((reason, span, obstacle)) => {
                    open += usize::from(!matches!(reason, Reason::NotAtLocation | Reason::NoWorkingHours));
                    told.push(Finding {
                        reason,
                        requirement: Some(requirement),
                        resource: bench.hands.get(*hand).map(|hand| hand.resource.id),
                        place: id_of(bench, place),
                        span,
                        obstacle,
                    });
                }
                None => open += 1,
            }
        }
        if open == 0 && !members.is_empty() {
            let reason = Reason::NoAvailabilityWindows;
            let place = id_of(bench, place);
            told.push(Finding {
                requirement: Some(requirement),
                place,
                ..Finding::of(reason)
            });
        }
    }
    told
}

/// Why a hand is free at no instant of the window, on the grid or beside it; `None` if it is at some.
fn never(
    bench: &Bench<'_>,
    hand: usize,
    place: usize,
    from: i64,
    to: i64,
) -> Option<(Reason, Option<TimeSpan>, Option<Obstacle>)> {
    let resource = bench.hands.get(hand)?.resource;
    if !can_be_at(resource, id_of(bench, place)) {
        return Some((Reason::NotAtLocation, None, None));
    }
    let open: Vec<_> = bench
        .open(place, hand)
        .iter()
        .copied()
        .filter(|(opens, shuts)| *opens < to && from < *shuts)
        .collect();
    let longest = open.iter().copied().max_by_key(|(opens, shuts)| shuts - opens);
    let Some((opens, shuts)) = longest else {
        return Some((Reason::NoWorkingHours, None, None));
    };
    if shuts - opens < bench.duration {
        let span = TimeSpan::new(from_micros(opens), from_micros(shuts));
        return Some((Reason::DurationTooLong, span, None));
    }
    // A time that is free for the visit begins where an open time does, where something busy ends, or with the window.
    let busy = bench.busy(place, hand);
    let ends = busy.iter().map(|(_, over)| *over);
    let begins: Vec<i64> = open.iter().map(|(opens, _)| *opens).chain(ends).chain([from]).collect();
    let mut begins: Vec<i64> = begins.into_iter().filter(|at| (from..to).contains(at)).collect();
    begins.sort_unstable();
    begins.dedup();
    let free = |buffer| begins.iter().any(|at| bench.fits(hand, place, *at, buffer));
    if free(bench.buffer) {
        return None;
    }
    if free(0) {
        return Some((Reason::BufferTooLong, None, None));
    }
    let first = begins
        .iter()
        .copied()
        .find(|at| open.iter().any(|(opens, shuts)| opens <= at && at < shuts));
    let told = first.map(|at| obstacle(bench, 0, hand, place, at));
    let blocked = told.filter(|told| told.reason == Reason::Blocked);
    Some((
        Reason::Blocked,
        blocked.as_ref().and_then(|told| told.span),
        blocked.and_then(|told| told.obstacle),
    ))
}
