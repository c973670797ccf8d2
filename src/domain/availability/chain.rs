//! Several appointments one after the other, at one place (spec §5.2).
//!
//! The grid is that of the first service; each next part begins when the one before it ends, on whatever minute that
//! is. A resource that goes on to the next part needs no time free in between: only who leaves keeps the buffer.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
};

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
    relay::{Free, Leg, Relayed, relay},
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
    /// In which order those who are free are taken.
    pub choice: Choice<'a>,
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
    /// There are too many ways in which resources could go on from part to part to try them all.
    TooManyWays,
}

/// The times at which a chain fits, by start and then by the first service's order of places. Times before `now` are
/// left out.
#[must_use]
pub fn list_chains(business: &Business<'_>, parts: &[Part<'_>], query: &ChainQuery<'_>) -> Vec<ChainSlot> {
    let from = query.from.max(business.now);
    let queries: Vec<Query<'_>> = parts.iter().map(|part| query_of(part, query)).collect();
    Chain::new(business, parts, &queries, from, query.to.max(from)).list(query)
}

/// The same times, and who would serve each part of those that are picked from them.
pub fn list_served_chains(
    business: &Business<'_>,
    parts: &[Part<'_>],
    query: &ChainQuery<'_>,
    pick: impl FnOnce(Vec<ChainSlot>) -> Vec<ChainSlot>,
) -> Vec<(ChainSlot, Vec<Assignment>)> {
    let from = query.from.max(business.now);
    let queries: Vec<Query<'_>> = parts.iter().map(|part| query_of(part, query)).collect();
    let chain = Chain::new(business, parts, &queries, from, query.to.max(from));
    let picked = pick(chain.list(query));
    let served = chain.serve(&picked);
    picked.into_iter().zip(served).collect()
}

/// Whether a chain can be booked at a start, by the rules by which chains are listed; if so, who serves each part.
/// Somebody who can serve several parts is preferred. The query's range and cap play no part.
pub fn check_chain(
    business: &Business<'_>,
    parts: &[Part<'_>],
    query: &ChainQuery<'_>,
    start: Start,
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
    let (mut missing, mut gave_up) = (None, false);
    for place in chain.shared_places() {
        let sheets = chain.sheets(place, &[at]);
        match chain.arrange(&sheets, 0) {
            Ok(picks) => free.push((place, picks)),
            Err(Unserved::Never) => missing = missing.or_else(|| chain.missing(&sheets)),
            Err(Unserved::GaveUp) => gave_up = true,
        }
    }
    if free.is_empty() && gave_up {
        return Err(ChainRefusal::TooManyWays);
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
    Ok(chain.assignments(*place, at, picks))
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
    parts: &'a [Part<'a>],
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

impl PartSheets {
    /// Who is free, buffers left aside where that can make a difference.
    fn bare(&self) -> &Sheet {
        self.going_on.as_ref().unwrap_or(&self.leaving)
    }
}

/// Why nobody was found.
enum Unserved {
    /// There is no way.
    Never,
    /// There may be one, but there were too many to try.
    GaveUp,
}

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
            parts,
            benches,
            offsets,
            length,
        }
    }

    /// The times at which it fits.
    fn list(&self, query: &ChainQuery<'_>) -> Vec<ChainSlot> {
        let Some(first) = self.benches.first() else {
            return Vec::new();
        };
        let from = query.from.max(first.business.now);
        let (begin, end) = self.bounds(from, from_micros(query.to.as_microsecond() - self.length + 1));
        let (mut slots, mut matchers, legs) = (Vec::new(), self.matchers(), self.legs());
        let too_many = self.parts.iter().any(|part| query.party > part.service.max_party);
        for place in self.shared_places() {
            let starts = first.starts(place, begin, end);
            let sheets = self.sheets(place, &starts);
            let fits = |index: &usize| self.fits(&sheets, *index, &mut matchers, &legs);
            let fitting = (0..starts.len()).filter(fits).filter_map(|index| starts.get(index));
            slots.extend(fitting.map(|start| {
                let violations = self.violations(*start);
                ChainSlot {
                    start: from_micros(*start),
                    end: from_micros(*start + self.length),
                    place: first.service.places.get(place).and_then(|one| one.id),
                    violations,
                    reasons: NonBookable {
                        no_remaining_capacity: too_many,
                        violates_booking_policy: !query.ignore_policy && violations.any(),
                        ..NonBookable::default()
                    },
                }
            }));
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

    /// Who serves the parts at times at which it fits.
    fn serve(&self, slots: &[ChainSlot]) -> Vec<Vec<Assignment>> {
        let mut served = vec![Vec::new(); slots.len()];
        let Some(first) = self.benches.first() else {
            return served;
        };
        for place in self.shared_places() {
            let id = first.service.places.get(place).and_then(|one| one.id);
            let here: Vec<(usize, i64)> = slots
                .iter()
                .enumerate()
                .filter(|(_, slot)| slot.place == id)
                .map(|(row, slot)| (row, slot.start.as_microsecond()))
                .collect();
            let starts: Vec<i64> = here.iter().map(|(_, start)| *start).collect();
            let sheets = self.sheets(place, &starts);
            for (index, (row, start)) in here.into_iter().enumerate() {
                if let (Some(served), Ok(picks)) = (served.get_mut(row), self.arrange(&sheets, index)) {
                    *served = self.assignments(place, start, &picks);
                }
            }
        }
        served
    }

    fn assignments(&self, place: usize, start: i64, picks: &[Vec<Pick>]) -> Vec<Assignment> {
        let first = self.benches.first();
        let place = first.and_then(|first| first.service.places.get(place)?.id);
        let ends = self.benches.iter().zip(&self.offsets).zip(picks);
        let assigned = ends.map(|((bench, offset), picks)| Assignment {
            start: from_micros(start + offset),
            end: from_micros(start + offset + bench.duration),
            place,
            picks: picks.clone(),
            violations: judge(bench, start + offset),
        });
        assigned.collect()
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
    fn fits<'s>(&'s self, sheets: &[PartSheets], index: usize, matchers: &mut [Matcher<'s>], legs: &[Leg<'s>]) -> bool {
        let mut parts = self.benches.iter().zip(sheets).zip(matchers.iter_mut());
        if parts.all(|((bench, part), matcher)| bench.satisfied(&part.leaving, index, matcher)) {
            return true;
        }
        if sheets.iter().all(|part| part.going_on.is_none()) || !self.served_apart(sheets, index, matchers) {
            return false;
        }
        let order = |part: usize| self.all_hands(part).collect();
        let (found, _) = relay(legs, &|part, hand| free(sheets, part, hand, index), &order);
        matches!(found, Relayed::Way(_))
    }

    /// Whether each part could be served if no buffer were kept before the next one.
    fn served_apart<'s>(&'s self, sheets: &[PartSheets], index: usize, matchers: &mut [Matcher<'s>]) -> bool {
        let mut parts = self.benches.iter().zip(sheets).zip(matchers);
        parts.all(|((bench, part), matcher)| bench.satisfied(part.bare(), index, matcher))
    }

    fn all_hands(&self, part: usize) -> std::ops::Range<usize> {
        0..self.benches.get(part).map_or(0, |bench| bench.hands.len())
    }

    /// The parts as the search for who goes on is told of them.
    fn legs(&self) -> Vec<Leg<'_>> {
        let leg = |(part, bench): (usize, &'_ Bench<'_>)| {
            let next: HashMap<ResourceId, usize> = self
                .benches
                .get(part + 1)
                .into_iter()
                .flat_map(|next| next.hands.iter().enumerate())
                .map(|(hand, one)| (one.resource.id, hand))
                .collect();
            bench
                .hands
                .iter()
                .map(|hand| next.get(&hand.resource.id).copied())
                .collect()
        };
        let next: Vec<Vec<Option<usize>>> = self.benches.iter().enumerate().map(leg).collect();
        let benches = self.benches.iter().zip(next);
        let legs = benches.map(|(bench, next)| Leg {
            demands: &bench.demands,
            of: (0..bench.hands.len()).map(|hand| bench.demands_of(hand)).collect(),
            next,
        });
        legs.collect()
    }

    /// Who serves each part at a start of the sheets, if there is a way.
    fn arrange(&self, sheets: &[PartSheets], index: usize) -> Result<Vec<Vec<Pick>>, Unserved> {
        if !self.served_apart(sheets, index, &mut self.matchers()) {
            return Err(Unserved::Never);
        }
        let legs = self.legs();
        let free = |part: usize, hand: usize| free(sheets, part, hand, index);
        let preferred = |part: usize, hands: &mut dyn Iterator<Item = usize>| {
            let (Some(bench), Some(sheet)) = (self.benches.get(part), sheets.get(part)) else {
                return Vec::new();
            };
            let start = from_micros(sheet.leaving.starts.get(index).copied().unwrap_or_default());
            let choice = self.parts.get(part).map_or(Choice::Given(&[]), |part| part.choice);
            preferred(bench, hands, start, &choice)
        };
        let order = |part: usize| preferred(part, &mut self.all_hands(part));
        let bound = match relay(&legs, &free, &order).0 {
            Relayed::Way(bound) => bound,
            Relayed::Never => return Err(Unserved::Never),
            Relayed::GaveUp => return Err(Unserved::GaveUp),
        };
        let mut done: Vec<Vec<Pick>> = Vec::with_capacity(legs.len());
        let mut staying: Vec<usize> = Vec::new();
        let parts = self.benches.iter().zip(sheets).zip(legs.iter().zip(&bound)).enumerate();
        for (part, ((bench, sheet), (leg, going_on))) in parts {
            let mut leaving = self.all_hands(part).filter(|hand| free(part, *hand) == Free::Yes);
            let mut order = preferred(part, &mut leaving);
            // Who served before goes first, then who can go on for longest, then as chosen.
            let before: HashSet<ResourceId> = done.iter().flatten().map(|pick| pick.resource).collect();
            order.sort_by_cached_key(|hand| {
                let id = bench.hands.get(*hand).map(|hand| hand.resource.id);
                let served = id.is_some_and(|id| before.contains(&id));
                (!served, std::cmp::Reverse(run(&legs, &free, part, *hand)))
            });
            let mut matcher = Matcher::new(&bench.demands);
            let bound = going_on.iter().filter(|hand| !staying.contains(hand));
            let forced: Vec<usize> = staying.iter().chain(bound).copied().collect();
            for hand in forced.iter().chain(&order) {
                if matcher.full() {
                    break;
                }
                let again = matcher.has(*hand);
                if !again {
                    matcher.add(*hand, &|hand| bench.demands_of(hand));
                }
            }
            let all: Vec<usize> = going_on.iter().chain(&order).copied().collect();
            let start = sheet.leaving.starts.get(index).copied().unwrap_or_default();
            done.push(picks(
                bench,
                &matcher,
                &all,
                from_micros(start + bench.duration + bench.buffer),
            ));
            staying = going_on
                .iter()
                .filter_map(|hand| leg.next.get(*hand).copied().flatten())
                .collect();
        }
        shorten(&mut done);
        Ok(done)
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
        let parts = parts.map(|(bench, offset)| judge(bench, start + offset));
        parts.fold(Violations::default(), Violations::or)
    }
}

/// The rules for customers that a start of a part breaks.
fn judge(bench: &Bench<'_>, start: i64) -> Violations {
    let service = bench.service;
    service
        .policy
        .judge(from_micros(start), None, service.online, bench.business.now)
}

/// Whether a hand can serve a part at a start of its sheets.
fn free(sheets: &[PartSheets], part: usize, hand: usize, index: usize) -> Free {
    match sheets.get(part) {
        Some(sheet) if sheet.leaving.free(hand, index) => Free::Yes,
        Some(sheet) if sheet.bare().free(hand, index) => Free::GoingOn,
        _ => Free::No,
    }
}

/// For how many parts after this one a hand can go on, buffers left aside.
fn run(legs: &[Leg<'_>], free: &dyn Fn(usize, usize) -> Free, part: usize, hand: usize) -> usize {
    let next = |leg: &Leg<'_>, hand: usize| leg.next.get(hand).copied().flatten();
    let (mut run, mut now) = (0, legs.get(part).and_then(|leg| next(leg, hand)));
    for (at, leg) in legs.iter().enumerate().skip(part + 1) {
        let can = |hand: &usize| leg.of.get(*hand).is_some_and(|of| !of.is_empty()) && free(at, *hand) != Free::No;
        let Some(hand) = now.filter(can) else { break };
        run += 1;
        now = next(leg, hand);
    }
    run
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
