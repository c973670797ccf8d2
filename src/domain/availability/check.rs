//! Whether one given time can be booked, and by whom it would be served (spec §4.9, §4.10).

use jiff::Timestamp;

use super::{
    appointments::{asked_places, bounds},
    choice::Choice,
    explain::{Finding, findings},
    facts::{Business, Query, Resource, Service},
    fit::{Bench, Sheet},
    matching::Matcher,
    policy::Violations,
};
use crate::domain::{
    hours::{PlaceId, from_micros},
    ids::ResourceId,
};

/// A start that somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// When.
    pub at: Timestamp,
    /// Whether it may lie beside the grid: the business's own word, or the later parts of a chain.
    pub off_grid: bool,
}

/// A resource that serves a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// Which requirement it serves, by its position.
    pub requirement: usize,
    /// The resource.
    pub resource: ResourceId,
    /// Whether it was asked for; if not, it was chosen.
    pub requested: bool,
    /// From when it is busy: the start of the visit.
    pub start: Timestamp,
    /// Until when it is busy: with the buffer, unless it goes on to a later part of a chain before that is over.
    pub busy_until: Timestamp,
}

/// Who serves a booking, when and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// When it starts.
    pub start: Timestamp,
    /// When it ends, its buffer not counted.
    pub end: Timestamp,
    /// The place; none for a service that names none.
    pub place: Option<PlaceId>,
    /// Who serves it, by requirement and in the order of choice.
    pub picks: Vec<Pick>,
    /// The rules for customers that it breaks; none are, unless the caller is not bound by them.
    pub violations: Violations,
}

/// Why a start can't be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The service is given at none of the places that were asked for.
    PlaceNotOffered,
    /// It lies before `now`.
    InThePast,
    /// The visit leaves the range in which the service can be booked.
    OutsideRange,
    /// Something that is needed is not free: what, and why, for each place.
    NotFree(Vec<Finding>),
    /// It lies beside the grid.
    OffGrid {
        /// The start on the grid before it, within a day.
        before: Option<Timestamp>,
        /// The start on the grid after it, within a day.
        after: Option<Timestamp>,
    },
    /// More people than one booking may bring.
    PartyTooLarge {
        /// How many may come.
        most: u32,
    },
    /// A rule for customers forbids it.
    Policy(Violations),
}

/// Microseconds of a day: how far the neighbours of a start beside the grid are looked for.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Whether a start can be booked, by the rules by which starts are listed; if it can, who serves it. The first place
/// in the service's order that has everything is taken. The query's range and cap play no part.
pub fn check(
    business: &Business<'_>,
    service: &Service<'_>,
    query: &Query<'_>,
    start: Start,
    choice: &Choice<'_>,
) -> Result<Assignment, Refusal> {
    if asked_places(service, query).next().is_none() {
        return Err(Refusal::PlaceNotOffered);
    }
    if start.at < business.now {
        return Err(Refusal::InThePast);
    }
    let bench = Bench::new(business, service, query, start.at, start.at);
    let at = start.at.as_microsecond();
    let (from, to) = bounds(&bench, start.at, Timestamp::MAX);
    if from > at || to <= at {
        return Err(Refusal::OutsideRange);
    }
    let mut free = Vec::new();
    let mut missing = Vec::new();
    for place in asked_places(service, query) {
        let sheet = bench.sheet(place, vec![at], bench.buffer);
        if bench.satisfied(&sheet, 0, &mut Matcher::new(&bench.demands)) {
            free.push(sheet);
        } else {
            missing.extend(findings(&bench, &sheet, 0));
        }
    }
    if free.is_empty() {
        return Err(Refusal::NotFree(missing));
    }
    let Some(sheet) = free
        .iter()
        .find(|sheet| start.off_grid || bench.on_grid(sheet.place, at))
    else {
        let places: Vec<usize> = free.iter().map(|sheet| sheet.place).collect();
        return Err(neighbours(&bench, &places, at));
    };
    if query.party > service.max_party {
        return Err(Refusal::PartyTooLarge {
            most: service.max_party.get(),
        });
    }
    let violations = service.policy.judge(start.at, None, service.online, business.now);
    if violations.any() && !query.ignore_policy {
        return Err(Refusal::Policy(violations));
    }
    Ok(Assignment {
        start: start.at,
        end: from_micros(at + bench.duration),
        place: service.places.get(sheet.place).and_then(|place| place.id),
        picks: assign(&bench, sheet, 0, choice),
        violations,
    })
}

/// The refusal of a start at which everything is free at some places, but which is on the grid of none of them.
pub(super) fn neighbours(bench: &Bench<'_>, places: &[usize], at: i64) -> Refusal {
    let day = Bench::new(
        bench.business,
        bench.service,
        bench.query,
        from_micros(at - DAY),
        from_micros(at + DAY),
    );
    let starts: Vec<i64> = places
        .iter()
        .flat_map(|place| day.starts(*place, at - DAY, at + DAY))
        .collect();
    Refusal::OffGrid {
        before: starts
            .iter()
            .copied()
            .filter(|start| *start < at)
            .max()
            .map(from_micros),
        after: starts
            .iter()
            .copied()
            .filter(|start| *start > at)
            .min()
            .map(from_micros),
    }
}

/// Picks the resources for a start at which everything is free, in the order of `choice`.
fn assign(bench: &Bench<'_>, sheet: &Sheet, index: usize, choice: &Choice<'_>) -> Vec<Pick> {
    let start = sheet.starts.get(index).copied().unwrap_or_default();
    let free = (0..bench.hands.len()).filter(|hand| sheet.free(*hand, index));
    let order = preferred(bench, free, from_micros(start), choice);
    let mut matcher = Matcher::new(&bench.demands);
    for hand in &order {
        if matcher.full() {
            break;
        }
        matcher.add(*hand, &|hand| bench.demands_of(hand));
    }
    picks(
        bench,
        &matcher,
        &order,
        from_micros(start + bench.duration + bench.buffer),
    )
}

/// Hands in the order in which they are taken.
pub(super) fn preferred(
    bench: &Bench<'_>,
    hands: impl Iterator<Item = usize>,
    start: Timestamp,
    choice: &Choice<'_>,
) -> Vec<usize> {
    let of = |hand: usize| bench.hands.get(hand).map(|one| (hand, one.resource));
    let hands: Vec<(usize, &Resource<'_>)> = hands.filter_map(of).collect();
    let mut resources: Vec<&Resource<'_>> = hands.iter().map(|(_, resource)| *resource).collect();
    choice.sort(start, &mut resources);
    let hand_of = |resource: &Resource<'_>| {
        hands
            .iter()
            .find(|(_, one)| one.id == resource.id)
            .map(|(hand, _)| *hand)
    };
    resources.into_iter().filter_map(hand_of).collect()
}

/// Who serves what, by requirement and within one in the given order.
pub(super) fn picks(bench: &Bench<'_>, matcher: &Matcher<'_>, order: &[usize], busy_until: Timestamp) -> Vec<Pick> {
    let mut picks = Vec::new();
    let start = from_micros(busy_until.as_microsecond() - bench.duration - bench.buffer);
    for (index, demand) in bench.demands.iter().enumerate() {
        let asked = bench.query.requested_for(demand.requirement).unwrap_or_default();
        let serving = order.iter().filter(|hand| matcher.serving(index).contains(hand));
        picks.extend(serving.filter_map(|hand| bench.hands.get(*hand)).map(|hand| Pick {
            requirement: demand.requirement,
            resource: hand.resource.id,
            requested: asked.contains(&hand.resource.id),
            start,
            busy_until,
        }));
    }
    picks
}
