//! The test of a resource at a time, for many times at once (spec §4.4 steps 3 to 7).

use std::{borrow::Cow, ops::Range};

use jiff::Timestamp;

use super::{
    appointments::asked_places,
    facts::{Business, Query, Resource, Service},
    grid::Grid,
    matching::{Demand, Matcher},
    open::{Doors, Open},
};
use crate::domain::{
    hours::{Calendar, MINUTE, from_micros},
    time::TimeSpan,
};

/// A resource that the service can use.
#[derive(Debug)]
pub(super) struct Hand<'a> {
    pub(super) resource: &'a Resource<'a>,
    /// The demands that it would do for.
    demands: Vec<usize>,
    /// Where its times stand in [`Bench::busy`].
    busy: Range<usize>,
}

/// A service's resources, readied for a window of time.
///
/// Instants are microseconds in here: half the size of a [`Timestamp`], and compared in one step.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) business: &'a Business<'a>,
    pub(super) service: &'a Service<'a>,
    pub(super) query: &'a Query<'a>,
    pub(super) hands: Vec<Hand<'a>>,
    pub(super) demands: Vec<Demand>,
    /// The hands of each requirement, whoever is asked for.
    pub(super) members: Vec<Vec<usize>>,
    /// Length of the visit.
    pub(super) duration: i64,
    /// What stays free after it.
    pub(super) buffer: i64,
    /// Whether no hand is in two demands: counting is enough then.
    disjoint: bool,
    busy: Vec<(i64, i64)>,
    sets: Vec<Open>,
    /// For each place of the service that is asked for the set of each hand.
    open: Vec<Vec<usize>>,
    midnights: Vec<i64>,
}

/// Which hands are free at which starts, at one place.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The position of the place in the service.
    pub(super) place: usize,
    /// The starts, ascending.
    pub(super) starts: Vec<i64>,
    words: usize,
    /// One row of bits for each hand, one bit for each start.
    bits: Vec<u64>,
    /// For each demand how many of its hands are free at each start.
    counts: Vec<Vec<usize>>,
}

impl Sheet {
    /// Whether a hand is free at a start.
    pub(super) fn free(&self, hand: usize, index: usize) -> bool {
        let word = self.bits.get(hand * self.words + index / 64).copied().unwrap_or(0);
        word >> (index % 64) & 1 == 1
    }

    fn mark(&mut self, hand: usize, range: Range<usize>) {
        let row = hand * self.words;
        let words = row + range.start / 64..=row + (range.end - 1) / 64;
        let (first, last) = (u64::MAX << (range.start % 64), u64::MAX >> (63 - (range.end - 1) % 64));
        let (begin, end) = (*words.start(), *words.end());
        for (position, word) in self.bits.get_mut(words).unwrap_or_default().iter_mut().enumerate() {
            let mut mask = u64::MAX;
            if position == 0 {
                mask &= first;
            }
            if begin + position == end {
                mask &= last;
            }
            *word |= mask;
        }
    }
}

impl<'a> Bench<'a> {
    /// Readies what is needed for starts from `from` to before `to`.
    pub(super) fn new(
        business: &'a Business<'a>,
        service: &'a Service<'a>,
        query: &'a Query<'a>,
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        let duration = i64::from(query.duration.unwrap_or(service.duration).get()) * MINUTE;
        let buffer = i64::from(service.buffer) * MINUTE;
        let end = from_micros(to.as_microsecond().saturating_add(duration));
        let calendar = Calendar::new(business.zone, from, end);
        let (hands, members) = hands(business, service);
        let mut bench = Self {
            business,
            service,
            query,
            hands,
            demands: Vec::new(),
            members,
            duration,
            buffer,
            disjoint: true,
            busy: Vec::new(),
            sets: Vec::new(),
            open: Vec::new(),
            midnights: calendar.midnights().collect(),
        };
        bench.set_demands();
        bench.set_busy();
        let mut doors = Doors::new(business, service, &calendar);
        // A place that isn't asked for costs nothing.
        let mut open = vec![Vec::new(); service.places.len()];
        for index in asked_places(service, query) {
            if let (Some(place), Some(open)) = (service.places.get(index), open.get_mut(index)) {
                *open = bench
                    .hands
                    .iter()
                    .map(|hand| doors.of(hand.resource, index, place))
                    .collect();
            }
        }
        bench.open = open;
        bench.sets = doors.into_sets();
        bench
    }

    /// When a hand is open at a place.
    pub(super) fn open(&self, place: usize, hand: usize) -> &[(i64, i64)] {
        let set = self.open.get(place).and_then(|sets| sets.get(hand));
        set.and_then(|set| self.sets.get(*set)).map_or(&[], Vec::as_slice)
    }

    /// When a hand is busy, or the place closed: sorted and disjoint.
    pub(super) fn busy(&self, place: usize, hand: usize) -> Cow<'_, [(i64, i64)]> {
        let times = self.hands.get(hand).map(|hand| hand.busy.clone());
        let own = times.and_then(|times| self.busy.get(times)).unwrap_or_default();
        let closed = self.service.places.get(place).map_or(&[] as &[_], |place| place.closed);
        if closed.is_empty() {
            return Cow::Borrowed(own);
        }
        let mut all: Vec<(i64, i64)> = own.iter().copied().chain(closed.iter().map(micros)).collect();
        let kept = merge(&mut all);
        all.truncate(kept);
        Cow::Owned(all)
    }

    /// Whether a hand is free at one start.
    pub(super) fn fits(&self, hand: usize, place: usize, start: i64, buffer: i64) -> bool {
        let mut fits = false;
        fitting(
            self.open(place, hand),
            &self.busy(place, hand),
            self.duration,
            buffer,
            &[start],
            |_| fits = true,
        );
        fits
    }

    /// The grid of starts at a place from `from` to before `to`: that of every hand of the first requirement. Who is
    /// asked for doesn't change it, so that what is offered for anybody is offered for each who is free.
    pub(super) fn starts(&self, place: usize, from: i64, to: i64) -> Vec<i64> {
        let mut starts = Vec::new();
        let mut grids = 0;
        self.each_grid(place, |grid| {
            grids += 1;
            grid.starts(from, to, &mut starts);
        });
        if grids > 1 {
            starts.sort_unstable();
            starts.dedup();
        }
        starts
    }

    /// Whether a start lies on the grid of a place.
    pub(super) fn on_grid(&self, place: usize, start: i64) -> bool {
        let mut found = false;
        self.each_grid(place, |grid| found = found || grid.has(start));
        found
    }

    fn each_grid(&self, place: usize, mut each: impl FnMut(Grid<'_>)) {
        let (Some(sets), Some(first)) = (self.open.get(place), self.members.first()) else {
            return;
        };
        let mut sets: Vec<usize> = first.iter().filter_map(|hand| sets.get(*hand).copied()).collect();
        sets.sort_unstable();
        sets.dedup();
        for open in sets.iter().filter_map(|set| self.sets.get(*set)) {
            let step = i64::from(self.service.step_minutes()) * MINUTE;
            each(Grid {
                open,
                midnights: &self.midnights,
                step,
                duration: self.duration,
            });
        }
    }

    /// Who is free at which of the starts, which are ascending, with `buffer` kept free after the visit.
    pub(super) fn sheet(&self, place: usize, starts: Vec<i64>, buffer: i64) -> Sheet {
        let words = starts.len().div_ceil(64);
        let bits = vec![0; words * self.hands.len()];
        let mut sheet = Sheet {
            place,
            starts,
            words,
            bits,
            counts: Vec::new(),
        };
        let starts = std::mem::take(&mut sheet.starts);
        // Each range of starts adds one where it begins and takes it off where it ends; the sums are the counts.
        let mut changes = vec![vec![0_isize; starts.len() + 1]; self.demands.len()];
        for (index, hand) in self.hands.iter().enumerate() {
            fitting(
                self.open(place, index),
                &self.busy(place, index),
                self.duration,
                buffer,
                &starts,
                |range| {
                    for demand in &hand.demands {
                        if let Some(changes) = changes.get_mut(*demand) {
                            changes.get_mut(range.start).into_iter().for_each(|change| *change += 1);
                            changes.get_mut(range.end).into_iter().for_each(|change| *change -= 1);
                        }
                    }
                    sheet.mark(index, range);
                },
            );
        }
        let sums = |changes: &Vec<isize>| {
            let sums = changes.iter().scan(0_isize, |sum, change| {
                *sum += change;
                Some(sum.unsigned_abs())
            });
            sums.take(starts.len()).collect()
        };
        sheet.counts = changes.iter().map(sums).collect();
        sheet.starts = starts;
        sheet
    }

    /// Whether every demand can be met at a start of the sheet. The matcher is scratch space.
    pub(super) fn satisfied<'s>(&'s self, sheet: &Sheet, index: usize, matcher: &mut Matcher<'s>) -> bool {
        let enough = self.demands.iter().zip(&sheet.counts);
        let enough = enough.map(|(demand, counts)| counts.get(index).is_some_and(|count| *count >= demand.need));
        if self.demands.is_empty() || !enough.into_iter().all(|enough| enough) {
            return false;
        }
        if self.disjoint {
            return true;
        }
        matcher.clear();
        for hand in (0..self.hands.len()).filter(|hand| sheet.free(*hand, index)) {
            matcher.add(hand, &|hand| self.demands_of(hand));
            if matcher.full() {
                return true;
            }
        }
        false
    }

    /// The demands that a hand would do for.
    pub(super) fn demands_of(&self, hand: usize) -> &[usize] {
        self.hands.get(hand).map_or(&[], |hand| hand.demands.as_slice())
    }

    /// Splits each requirement for which somebody is asked for: those who are asked for, and the others if more are
    /// needed. The two share nobody, so that most services stay with counting.
    fn set_demands(&mut self) {
        for (requirement, needed) in self.service.requirements.iter().enumerate() {
            let members = self.members.get(requirement).cloned().unwrap_or_default();
            let Some(asked) = self.query.requested_for(requirement) else {
                self.demands.push(Demand {
                    requirement,
                    need: needed.count,
                    members,
                });
                continue;
            };
            let asks = |hand: &usize| {
                self.hands
                    .get(*hand)
                    .is_some_and(|hand| asked.contains(&hand.resource.id))
            };
            let (chosen, others): (Vec<_>, Vec<_>) = members.into_iter().partition(asks);
            let distinct = asked
                .iter()
                .enumerate()
                .filter(|(at, id)| !asked.iter().take(*at).any(|one| one == *id));
            let need = distinct.count().min(needed.count);
            self.demands.push(Demand {
                requirement,
                need,
                members: chosen,
            });
            if needed.count > need {
                self.demands.push(Demand {
                    requirement,
                    need: needed.count - need,
                    members: others,
                });
            }
        }
        let known = self.service.requirements.len();
        for asked in self.query.requested.iter().filter(|asked| asked.requirement >= known) {
            // Nobody can serve what the service doesn't need.
            self.demands.push(Demand {
                requirement: asked.requirement,
                need: 1,
                members: Vec::new(),
            });
        }
        for (index, demand) in self.demands.iter().enumerate() {
            for member in &demand.members {
                if let Some(hand) = self.hands.get_mut(*member) {
                    self.disjoint &= hand.demands.is_empty();
                    hand.demands.push(index);
                }
            }
        }
    }

    fn set_busy(&mut self) {
        let closed: Vec<_> = self.business.closed.iter().map(micros).collect();
        for hand in &mut self.hands {
            let begin = self.busy.len();
            self.busy
                .extend(hand.resource.busy.iter().map(|busy| micros(&busy.span)));
            self.busy.extend(&closed);
            let end = begin + merge(self.busy.get_mut(begin..).unwrap_or_default());
            self.busy.truncate(end);
            hand.busy = begin..end;
        }
    }
}

/// The resources that the service allows and the business has, and for each requirement which of them serve it.
fn hands<'a>(business: &'a Business<'a>, service: &'a Service<'a>) -> (Vec<Hand<'a>>, Vec<Vec<usize>>) {
    let mut by_id: Vec<(&Resource<'_>, Option<usize>)> = business.resources.iter().map(|one| (one, None)).collect();
    by_id.sort_unstable_by_key(|(resource, _)| resource.id);
    let mut hands = Vec::new();
    let mut members = Vec::with_capacity(service.requirements.len());
    for requirement in service.requirements {
        let mut serving: Vec<usize> = Vec::with_capacity(requirement.allowed.len());
        for id in requirement.allowed {
            let found = by_id.binary_search_by_key(id, |(resource, _)| resource.id).ok();
            let Some((resource, hand)) = found.and_then(|at| by_id.get_mut(at)) else {
                continue;
            };
            let hand = *hand.get_or_insert_with(|| {
                hands.push(Hand {
                    resource,
                    demands: Vec::new(),
                    busy: 0..0,
                });
                hands.len() - 1
            });
            serving.push(hand);
        }
        serving.sort_unstable();
        serving.dedup();
        members.push(serving);
    }
    (hands, members)
}

fn micros(span: &TimeSpan) -> (i64, i64) {
    (span.start().as_microsecond(), span.end().as_microsecond())
}

/// Sorts spans and merges those that overlap or touch, in place. Returns how many are left.
fn merge(spans: &mut [(i64, i64)]) -> usize {
    if !spans.is_sorted() {
        spans.sort_unstable();
    }
    let mut kept = 0_usize;
    for index in 0..spans.len() {
        let Some((start, end)) = spans.get(index).copied() else {
            break;
        };
        let last = kept.checked_sub(1).and_then(|last| spans.get_mut(last));
        if let Some(last) = last
            && start <= last.1
        {
            last.1 = last.1.max(end);
        } else if let Some(free) = spans.get_mut(kept) {
            *free = (start, end);
            kept += 1;
        }
    }
    kept
}

/// Tells of the ranges of starts at which a visit lies within an open time and, with its buffer, clear of all that is
/// busy. All lists ascend.
fn fitting(
    open: &[(i64, i64)],
    busy: &[(i64, i64)],
    duration: i64,
    buffer: i64,
    starts: &[i64],
    mut each: impl FnMut(Range<usize>),
) {
    let mut next = 0;
    let mut behind = 0;
    for (begin, end) in open.iter().copied() {
        let last = end - duration;
        behind += busy
            .get(behind..)
            .unwrap_or_default()
            .partition_point(|(_, over)| *over <= begin);
        let mut from = begin;
        let mut tell = |from: i64, until: i64| {
            if from <= until {
                let first = seek(starts, next, from);
                next = seek(starts, first, until + 1);
                if first < next {
                    each(first..next);
                }
            }
        };
        for (taken, over) in busy.get(behind..).unwrap_or_default().iter().copied() {
            if from > last || taken - duration - buffer >= last {
                break;
            }
            tell(from, taken - duration - buffer);
            from = over;
        }
        tell(from, last);
    }
}

/// The position of the first start at or after `limit`, not before `from`. It is near most of the time: the distance
/// is doubled until it is passed.
fn seek(starts: &[i64], from: usize, limit: i64) -> usize {
    let rest = starts.get(from..).unwrap_or_default();
    let mut reach = 1;
    while rest.get(reach - 1).is_some_and(|start| *start < limit) {
        reach *= 2;
    }
    let (low, high) = (reach / 2, reach.min(rest.len()));
    from + low
        + rest
            .get(low..high)
            .unwrap_or_default()
            .partition_point(|start| *start < limit)
}
