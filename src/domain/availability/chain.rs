//! Several appointments one after the other, at one place (spec §5.2).
//!
//! The grid is that of the first service; each next part begins when the one before it ends, on whatever minute that
//! is. A resource that goes on to the next part needs no time free in between: only who leaves keeps the buffer.

use std::num::NonZeroU32;

use jiff::Timestamp;

use super::{
    appointments::bounds,
    check::{Assignment, Pick, Refusal, Start, neighbours, picks, preferred},
    choice::Choice,
    explain::findings,
    facts::{Business, PerDay, Query, Requested, Service},
    fit::{Bench, Sheet},
    matching::Matcher,
    paging,
    policy::{NonBookable, Violations},
};
use crate::domain::{
    hours::{PlaceId, from_micros},
    ids::ResourceId,
};

/// One service of a chain.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The service.
    pub service: &'a Service<'a>,
    /// The minutes of this part with everything that was chosen; none: the service's usual duration.
    pub duration: Option<NonZeroU32>,
    /// Who is asked for.
    pub requested: &'a [Requested<'a>],
}

/// What is asked about a chain.
#[derive(Debug, Clone, Copy)]
pub struct ChainQuery<'a> {
    /// The first start that is of interest.
    pub from: Timestamp,
    /// The instant by which the last part must be over.
    pub to: Timestamp,
    /// The places that are of interest; none: all that the services share.
    pub places: Option<&'a [PlaceId]>,
    /// How many people come.
    pub party: NonZeroU32,
    /// A cap on each day.
    pub per_day: Option<PerDay<'a>>,
    /// Whether the caller is not bound by the rules for customers; the flags are told all the same.
    pub ignore_policy: bool,
}

/// A time at which the whole chain fits. Its parts follow each other from its start, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainSlot {
    /// When the first part starts.
    pub start: Timestamp,
    /// When the last part ends, its buffer not counted.
    pub end: Timestamp,
    /// The place of all parts; none for services that name none.
    pub place: Option<PlaceId>,
    /// The rules for customers that any part breaks, each measured to its own start.
    pub violations: Violations,
    /// Why this caller can't book it.
    pub reasons: NonBookable,
}

impl ChainSlot {
    /// Whether this caller could book it now, as a whole.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons.any()
    }
}

/// Why a chain can't be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainRefusal {
    /// It has no parts.
    NoParts,
    /// The services share none of the places that were asked for.
    NoSharedPlace,
    /// One part can't be booked at its time.
    Part {
        /// Its position.
        part: usize,
        /// Why.
        refusal: Refusal,
    },
}

/// The times at which a chain fits, by start and then by the first service's order of places. Times before `now` are
/// left out.
#[must_use]
pub fn list_chains(business: &Business<'_>, parts: &[Part<'_>], query: &ChainQuery<'_>) -> Vec<ChainSlot> {
    let from = query.from.max(business.now);
    let queries: Vec<Query<'_>> = parts.iter().map(|part| query_of(part, query)).collect();
    let chain = Chain::new(business, parts, &queries, from, query.to.max(from));
    let Some(first) = chain.benches.first() else {
        return Vec::new();
    };
    let (begin, end) = chain.bounds(from, from_micros(query.to.as_microsecond() - chain.length + 1));
    let mut slots = Vec::new();
    let mut matchers = chain.matchers();
    for place in chain.shared_places() {
        let starts = first.starts(place, begin, end);
        let sheets = chain.sheets(place, &starts);
        let fits = |index: &usize| chain.fits(&sheets, *index, &mut matchers);
        slots.extend(
            (0..starts.len())
                .filter(fits)
                .filter_map(|index| starts.get(index))
                .map(|start| {
                    let violations = chain.violations(*start);
                    let reasons = NonBookable {
                        no_remaining_capacity: parts.iter().any(|part| query.party > part.service.max_party),
                        violates_booking_policy: !query.ignore_policy && violations.any(),
                        ..NonBookable::default()
                    };
                    let (start, end) = (from_micros(*start), from_micros(*start + chain.length));
                    ChainSlot {
                        start,
                        end,
                        place: first.service.places.get(place).and_then(|one| one.id),
                        violations,
                        reasons,
                    }
                }),
        );
    }
    slots.sort_by_key(|slot| slot.start);
    if let Some(cap) = &query.per_day {
        let kept = paging::per_day(
            cap,
            slots.iter().map(|slot| (slot.start.as_microsecond(), slot.bookable())),
        );
        slots = kept.into_iter().filter_map(|index| slots.get(index).copied()).collect();
    }
    slots
}

/// Whether a chain can be booked at a start, by the rules by which chains are listed; if so, who serves each part.
/// Somebody who can serve several parts is preferred. The query's range and cap play no part.
pub fn check_chain(
    business: &Business<'_>,
    parts: &[Part<'_>],
    query: &ChainQuery<'_>,
    start: Start,
    choice: &Choice<'_>,
) -> Result<Vec<Assignment>, ChainRefusal> {
    let at = start.at.as_microsecond();
    let queries: Vec<Query<'_>> = parts.iter().map(|part| query_of(part, query)).collect();
    let chain = Chain::new(business, parts, &queries, start.at, start.at);
    let Some(first) = chain.benches.first() else {
        return Err(ChainRefusal::NoParts);
    };
    if chain.shared_places().next().is_none() {
        return Err(ChainRefusal::NoSharedPlace);
    }
    let refuse = |part, refusal| Err(ChainRefusal::Part { part, refusal });
    if start.at < business.now {
        return refuse(0, Refusal::InThePast);
    }
    for (part, (bench, offset)) in chain.benches.iter().zip(&chain.offsets).enumerate() {
        let (begin, end) = bounds(bench, from_micros(at + offset), Timestamp::MAX);
        if begin > at + offset || end <= at + offset {
            return refuse(part, Refusal::OutsideRange);
        }
    }
    let mut free = Vec::new();
    let mut missing = None;
    for place in chain.shared_places() {
        let sheets = chain.sheets(place, &[at]);
        match chain.arrange(&sheets, 0, choice) {
            Some(picks) => free.push((place, picks)),
            None => missing = missing.or_else(|| chain.missing(&sheets)),
        }
    }
    if free.is_empty() {
        let (part, found) = missing.unwrap_or_default();
        return refuse(part, Refusal::NotFree(found));
    }
    let found = free
        .iter()
        .find(|(place, _)| start.off_grid || first.on_grid(*place, at));
    let Some((place, picks)) = found else {
        let places: Vec<usize> = free.iter().map(|(place, _)| *place).collect();
        return refuse(0, neighbours(first, &places, at));
    };
    for (part, (wanted, offset)) in parts.iter().zip(&chain.offsets).enumerate() {
        let service = wanted.service;
        if query.party > service.max_party {
            return refuse(
                part,
                Refusal::PartyTooLarge {
                    most: service.max_party.get(),
                },
            );
        }
        let violations = service
            .policy
            .judge(from_micros(at + offset), None, service.online, business.now);
        if violations.any() && !query.ignore_policy {
            return refuse(part, Refusal::Policy(violations));
        }
    }
    let place = first.service.places.get(*place).and_then(|place| place.id);
    let ends = chain.benches.iter().zip(&chain.offsets).zip(picks);
    let assigned = ends.map(|((bench, offset), picks)| Assignment {
        start: from_micros(at + offset),
        end: from_micros(at + offset + bench.duration),
        place,
        picks: picks.clone(),
        violations: bench
            .service
            .policy
            .judge(from_micros(at + offset), None, bench.service.online, business.now),
    });
    Ok(assigned.collect())
}

fn query_of<'a>(part: &Part<'a>, query: &ChainQuery<'a>) -> Query<'a> {
    Query {
        requested: part.requested,
        places: query.places,
        duration: part.duration,
        party: query.party,
        ignore_policy: query.ignore_policy,
        ..Query::between(query.from, query.to)
    }
}

/// The parts, readied for a window.
struct Chain<'a> {
    benches: Vec<Bench<'a>>,
    /// When each part starts, from the start of the chain.
    offsets: Vec<i64>,
    length: i64,
}

/// One part's free hands at its own starts.
struct PartSheets {
    /// With the buffer.
    leaving: Sheet,
    /// Without, for who goes on to the next part; only where that can make a difference.
    going_on: Option<Sheet>,
}

/// At most so many hands that are free only if they go on are tried in all combinations.
const MOST_GOING_ON: usize = 10;

impl<'a> Chain<'a> {
    fn new(
        business: &'a Business<'a>,
        parts: &'a [Part<'a>],
        queries: &'a [Query<'a>],
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        let (mut benches, mut offsets, mut length) = (Vec::new(), Vec::new(), 0);
        for (part, query) in parts.iter().zip(queries) {
            let later = |at: Timestamp| from_micros(at.as_microsecond().saturating_add(length));
            let bench = Bench::new(business, part.service, query, later(from), later(to));
            offsets.push(length);
            length += bench.duration;
            benches.push(bench);
        }
        Self {
            benches,
            offsets,
            length,
        }
    }

    /// The first start and the first one beyond the last, with the ranges of all services taken into account.
    fn bounds(&self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        let mut bounds = (from.as_microsecond(), to.as_microsecond());
        for (bench, offset) in self.benches.iter().zip(&self.offsets) {
            let (begin, end) = super::appointments::bounds(bench, Timestamp::MIN, Timestamp::MAX);
            bounds = (bounds.0.max(begin - offset), bounds.1.min(end - offset));
        }
        bounds
    }

    /// The places that all parts share, as positions in the first service.
    fn shared_places(&self) -> impl Iterator<Item = usize> + '_ {
        let first = self.benches.first();
        let asked = first
            .into_iter()
            .flat_map(|bench| super::appointments::asked_places(bench.service, bench.query));
        asked.filter(|place| self.benches.iter().all(|bench| self.place_of(bench, *place).is_some()))
    }

    /// The position in a part's service of a place of the first.
    fn place_of(&self, bench: &Bench<'_>, place: usize) -> Option<usize> {
        let id = self.benches.first()?.service.places.get(place)?.id;
        bench.service.places.iter().position(|place| place.id == id)
    }

    fn sheets(&self, place: usize, starts: &[i64]) -> Vec<PartSheets> {
        let next = self.benches.iter().skip(1).map(Some).chain([None]);
        let parts = self.benches.iter().zip(&self.offsets).zip(next);
        let sheets = parts.map(|((bench, offset), next)| {
            let place = self.place_of(bench, place).unwrap_or(usize::MAX);
            let starts: Vec<i64> = starts.iter().map(|start| start + offset).collect();
            // With a buffer no longer than the next part, who is free for that one has the buffer free as well.
            let matters = next.is_some_and(|next| bench.buffer > next.duration);
            let going_on = matters.then(|| bench.sheet(place, starts.clone(), 0));
            PartSheets {
                leaving: bench.sheet(place, starts, bench.buffer),
                going_on,
            }
        });
        sheets.collect()
    }

    /// Scratch space for each part.
    fn matchers(&self) -> Vec<Matcher<'_>> {
        self.benches.iter().map(|bench| Matcher::new(&bench.demands)).collect()
    }

    /// Whether the chain fits at a start of the sheets.
    fn fits<'s>(&'s self, sheets: &[PartSheets], index: usize, matchers: &mut [Matcher<'s>]) -> bool {
        let mut parts = self.benches.iter().zip(sheets).zip(matchers);
        let apart = parts.all(|((bench, part), matcher)| bench.satisfied(&part.leaving, index, matcher));
        let together = sheets.iter().any(|part| part.going_on.is_some());
        apart || together && self.arrange(sheets, index, &Choice::Given(&[])).is_some()
    }

    /// Who serves each part at a start of the sheets, if there is a way.
    fn arrange(&self, sheets: &[PartSheets], index: usize, choice: &Choice<'_>) -> Option<Vec<Vec<Pick>>> {
        let mut picks = Vec::with_capacity(self.benches.len());
        self.arrange_from(0, &[], sheets, index, choice, &mut picks)
            .then_some(())?;
        shorten(&mut picks);
        Some(picks)
    }

    /// Who serves the parts from `part` on, with those of `staying` among them: they left no buffer in the part before.
    fn arrange_from(
        &self,
        part: usize,
        staying: &[ResourceId],
        sheets: &[PartSheets],
        index: usize,
        choice: &Choice<'_>,
        done: &mut Vec<Vec<Pick>>,
    ) -> bool {
        let (Some(bench), Some(sheet)) = (self.benches.get(part), sheets.get(part)) else {
            return true;
        };
        let id = |hand: usize| bench.hands.get(hand).map(|hand| hand.resource.id);
        let leaving = (0..bench.hands.len()).filter(|hand| sheet.leaving.free(*hand, index));
        let start = from_micros(sheet.leaving.starts.get(index).copied().unwrap_or_default());
        let mut order = preferred(bench, leaving, start, choice);
        // Who served before goes first, then who can go on for longest, then as chosen.
        order.sort_by_cached_key(|hand| {
            let before = id(*hand).is_some_and(|id| done.iter().flatten().any(|pick| pick.resource == id));
            (!before, std::cmp::Reverse(self.run(id(*hand), part + 1, sheets, index)))
        });
        let mut going_on: Vec<usize> = Vec::new();
        if let Some(bare) = &sheet.going_on {
            let bound = (0..bench.hands.len()).filter(|hand| bare.free(*hand, index) && !order.contains(hand));
            going_on.extend(
                bound
                    .filter(|hand| self.run(id(*hand), part + 1, sheets, index) > 0)
                    .take(MOST_GOING_ON),
            );
        }
        let mut sets: Vec<u32> = (0..1 << going_on.len()).collect();
        sets.sort_by_key(|set| set.count_ones());
        let mut matcher = Matcher::new(&bench.demands);
        for set in sets {
            let chosen = going_on
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(_, hand)| *hand);
            let chosen: Vec<usize> = chosen.collect();
            let hand_of = |id: &ResourceId| {
                let mut usable = order.iter().chain(&chosen).copied();
                usable.find(|hand| bench.hands.get(*hand).is_some_and(|hand| hand.resource.id == *id))
            };
            let Some(mut forced) = staying.iter().map(hand_of).collect::<Option<Vec<usize>>>() else {
                continue;
            };
            forced.extend(
                chosen
                    .iter()
                    .filter(|hand| !forced.contains(hand))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            matcher.clear();
            if !forced
                .iter()
                .all(|hand| matcher.add(*hand, &|hand| bench.demands_of(hand)))
            {
                continue;
            }
            for hand in order.iter().filter(|hand| !forced.contains(hand)) {
                if matcher.full() {
                    break;
                }
                matcher.add(*hand, &|hand| bench.demands_of(hand));
            }
            if !matcher.full() || bench.demands.is_empty() {
                continue;
            }
            let all: Vec<usize> = chosen.iter().chain(&order).copied().collect();
            let end = from_micros(start.as_microsecond() + bench.duration + bench.buffer);
            done.push(picks(bench, &matcher, &all, end));
            let staying: Vec<ResourceId> = chosen.iter().filter_map(|hand| id(*hand)).collect();
            if self.arrange_from(part + 1, &staying, sheets, index, choice, done) {
                return true;
            }
            done.pop();
        }
        false
    }

    /// For how many parts from `part` on a resource can go on, buffers left aside.
    fn run(&self, id: Option<ResourceId>, part: usize, sheets: &[PartSheets], index: usize) -> usize {
        let parts = self.benches.iter().zip(sheets).skip(part);
        let can = |(bench, sheet): &(&Bench<'_>, &PartSheets)| {
            let hand = bench.hands.iter().position(|hand| Some(hand.resource.id) == id);
            let sheet = sheet.going_on.as_ref().unwrap_or(&sheet.leaving);
            hand.is_some_and(|hand| !bench.demands_of(hand).is_empty() && sheet.free(hand, index))
        };
        parts.take_while(can).count()
    }

    /// The first part that can't be served by itself at the first start of the sheets, and why.
    fn missing(&self, sheets: &[PartSheets]) -> Option<(usize, Vec<super::explain::Finding>)> {
        let parts = self.benches.iter().zip(sheets).enumerate();
        let mut short =
            parts.filter(|(_, (bench, part))| !bench.satisfied(&part.leaving, 0, &mut Matcher::new(&bench.demands)));
        short
            .next()
            .map(|(part, (bench, sheets))| (part, findings(bench, &sheets.leaving, 0)))
    }

    fn violations(&self, start: i64) -> Violations {
        let parts = self.benches.iter().zip(&self.offsets);
        let parts = parts.map(|(bench, offset)| {
            let service = bench.service;
            service
                .policy
                .judge(from_micros(start + offset), None, service.online, bench.business.now)
        });
        parts.fold(Violations::default(), Violations::or)
    }
}

/// Lets a resource's time end where its next part begins.
fn shorten(picks: &mut [Vec<Pick>]) {
    let mut rest = picks;
    while let Some((part, later)) = rest.split_first_mut() {
        for pick in part.iter_mut() {
            let next = later
                .iter()
                .flatten()
                .filter(|other| other.resource == pick.resource)
                .map(|one| one.start);
            pick.busy_until = next.min().map_or(pick.busy_until, |next| pick.busy_until.min(next));
        }
        rest = later;
    }
}
