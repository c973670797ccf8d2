//! Who goes on from part to part of a chain, when some are free for a part only if they serve the next one as well.
//!
//! Who is free with the buffer may leave, so it binds nobody. Who is free only without it is *bound*: it has to serve the
//! next part, too. The fewer are bound the better, and how many have to be at a part is settled by who else is free
//! there; what is left to find is which ones. Those who are alike from here on are tried once, and those who are bound
//! for longer only after those who are bound for less. So services that need one kind of people are settled without
//! going back. With several kinds in every part the question is that of matching in three dimensions, for which nobody
//! knows a quick way: after [`MOST_STEPS`] the search gives up, and what it was about counts as not free.

use std::collections::HashSet;

use super::matching::{Demand, Matcher};

/// After so many steps at one start the search gives up. Only services that need several kinds of resources, most of
/// which are free only if they go on, come near it.
pub(super) const MOST_STEPS: usize = 4096;

/// Whether a hand can serve a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Free {
    /// It can't.
    No,
    /// It can if it serves the next part as well.
    GoingOn,
    /// It can.
    Yes,
}

/// What one part needs, and who could do it.
#[derive(Debug)]
pub(super) struct Leg<'a> {
    pub(super) demands: &'a [Demand],
    /// For each hand the demands that it would do for.
    pub(super) of: Vec<&'a [usize]>,
    /// For each hand which one it is in the next part, if it is known there.
    pub(super) next: Vec<Option<usize>>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relayed {
    /// For each part, who is bound to go on. The others can be any who are free.
    Way(Vec<Vec<usize>>),
    /// There is no way.
    Never,
    /// None was found within the steps that are allowed.
    GaveUp,
}

/// Who has to go on from each part so that all can be served; nobody if that can be had. `order` tells in which order
/// the hands of a part are preferred.
pub(super) fn relay(
    legs: &[Leg<'_>],
    free: &dyn Fn(usize, usize) -> Free,
    order: &dyn Fn(usize) -> Vec<usize>,
) -> (Relayed, usize) {
    let mut search = Search {
        legs,
        free,
        order,
        bound: vec![Vec::new(); legs.len()],
        failed: HashSet::new(),
        steps: 0,
    };
    let found = search.serve(0, &[]);
    let answer = match found {
        true => Relayed::Way(search.bound),
        false if search.steps >= MOST_STEPS => Relayed::GaveUp,
        false => Relayed::Never,
    };
    (answer, search.steps)
}

/// What a bound hand would do for, part by part, to the one after which it may leave. Hands of which that is equal can
/// stand in for each other.
type Course<'a> = Vec<&'a [usize]>;

struct Search<'s, 'a> {
    legs: &'s [Leg<'a>],
    free: &'s dyn Fn(usize, usize) -> Free,
    order: &'s dyn Fn(usize) -> Vec<usize>,
    bound: Vec<Vec<usize>>,
    /// The parts that can't be served with those who have to stay, whoever of their like they are.
    failed: HashSet<(usize, Vec<Course<'a>>)>,
    steps: usize,
}

impl<'a> Search<'_, 'a> {
    /// Counts a step; whether there was one left.
    fn step(&mut self) -> bool {
        let left = self.steps < MOST_STEPS;
        self.steps += usize::from(left);
        left
    }

    /// Whether the parts from `part` on can be served, with those of `staying` among those who serve it.
    fn serve(&mut self, part: usize, staying: &[usize]) -> bool {
        let legs = self.legs;
        let Some(leg) = legs.get(part) else {
            return staying.is_empty();
        };
        let courses: Option<Vec<Course<'a>>> = staying.iter().map(|hand| self.course(part, *hand)).collect();
        let Some(mut courses) = courses else {
            return false;
        };
        courses.sort_unstable();
        let state = (part, courses);
        if self.failed.contains(&state) || !self.step() {
            return false;
        }
        let of = |hand: usize| leg.of.get(hand).copied().unwrap_or_default();
        let mut matcher = Matcher::new(leg.demands);
        let mut found = staying.iter().all(|hand| matcher.add(*hand, &of));
        if found {
            let is = |hand: &usize, wanted: Free| (self.free)(part, *hand) == wanted;
            for hand in (0..leg.of.len()).filter(|hand| is(hand, Free::Yes) && !staying.contains(hand)) {
                if matcher.full() {
                    break;
                }
                matcher.add(hand, &of);
            }
            let mut bound: Vec<usize> = staying.iter().copied().filter(|hand| is(hand, Free::GoingOn)).collect();
            let candidates = if matcher.full() {
                Vec::new()
            } else {
                self.candidates(part, staying)
            };
            found = self.choose(part, &candidates, 0, &matcher, &mut bound);
        }
        if !found && self.steps < MOST_STEPS {
            self.failed.insert(state);
        }
        found
    }

    /// Who could be bound besides those who stay: first those who may leave soonest, then as preferred.
    fn candidates(&self, part: usize, staying: &[usize]) -> Vec<(usize, Course<'a>)> {
        let bound = |hand: &usize| (self.free)(part, *hand) == Free::GoingOn && !staying.contains(hand);
        let hands = (self.order)(part).into_iter().filter(bound);
        let mut candidates: Vec<(usize, Course<'a>)> = hands
            .filter_map(|hand| Some((hand, self.course(part, hand)?)))
            .collect();
        candidates.sort_by_key(|(_, course)| course.len());
        candidates
    }

    /// Binds candidates from a position on until the part is served, so that the rest can be, too.
    fn choose(
        &mut self,
        part: usize,
        candidates: &[(usize, Course<'a>)],
        from: usize,
        matcher: &Matcher<'a>,
        bound: &mut Vec<usize>,
    ) -> bool {
        let legs = self.legs;
        let Some(leg) = legs.get(part) else { return false };
        if matcher.full() && !leg.demands.is_empty() {
            let next = |hand: &usize| leg.next.get(*hand).copied().flatten();
            let Some(staying) = bound.iter().map(next).collect::<Option<Vec<usize>>>() else {
                return false;
            };
            let found = self.serve(part + 1, &staying);
            if let Some(kept) = self.bound.get_mut(part).filter(|_| found) {
                kept.clone_from(bound);
            }
            return found;
        }
        let of = |hand: usize| leg.of.get(hand).copied().unwrap_or_default();
        for (at, (hand, course)) in candidates.iter().enumerate().skip(from) {
            // Wherever somebody will do, whoever may leave sooner and is like it until then will do as well.
            let mut passed = candidates.iter().take(at).filter(|(one, _)| !bound.contains(one));
            if passed.any(|(_, sooner)| course.starts_with(sooner)) {
                continue;
            }
            if !self.step() {
                return false;
            }
            let mut with = matcher.clone();
            if !with.add(*hand, &of) {
                continue;
            }
            bound.push(*hand);
            if self.choose(part, candidates, at + 1, &with, bound) {
                return true;
            }
            bound.pop();
        }
        false
    }

    /// What a hand would do for from a part on until it may leave; nothing if it never may.
    fn course(&self, part: usize, hand: usize) -> Option<Course<'a>> {
        let (mut course, mut hand) = (Course::new(), hand);
        for (at, leg) in self.legs.iter().enumerate().skip(part) {
            let of = leg.of.get(hand).copied().filter(|of| !of.is_empty())?;
            course.push(of);
            match (self.free)(at, hand) {
                Free::Yes => return Some(course),
                Free::No => return None,
                Free::GoingOn => hand = leg.next.get(hand).copied().flatten()?,
            }
        }
        None
    }
}
