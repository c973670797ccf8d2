//! Who serves which requirement, when one resource would do for several (spec §4.4 step 6).

use crate::domain::ids::ResourceId;

/// So many of some resources.
#[derive(Debug, Clone)]
pub struct Share {
    /// How many.
    pub count: usize,
    /// Who would do.
    pub allowed: Vec<ResourceId>,
}

/// Gives resources to shares, none of them twice, in an order of preference: first those that are `free`, then the
/// others. Who serves each share, in that order; fewer than it counts if there are no more.
pub fn share_out(
    shares: &[Share],
    order: &[ResourceId],
    mut free: impl FnMut(ResourceId) -> bool,
) -> Vec<Vec<ResourceId>> {
    let at = |id: &ResourceId| order.iter().position(|one| one == id);
    let demands: Vec<Demand> = shares
        .iter()
        .enumerate()
        .map(|(requirement, share)| Demand {
            requirement,
            need: share.count,
            members: share.allowed.iter().filter_map(at).collect(),
        })
        .collect();
    let serves = |hand: usize| {
        demands
            .iter()
            .enumerate()
            .filter(move |(_, demand)| demand.members.contains(&hand))
    };
    let of: Vec<Vec<usize>> = (0..order.len())
        .map(|hand| serves(hand).map(|(index, _)| index).collect())
        .collect();
    let of = |hand: usize| of.get(hand).map_or(&[] as &[usize], Vec::as_slice);
    let mut matcher = Matcher::new(&demands);
    let mut rest = Vec::new();
    for (hand, id) in order.iter().enumerate() {
        if matcher.full() {
            break;
        }
        if of(hand).is_empty() {
            continue;
        }
        if free(*id) {
            matcher.add(hand, &of);
        } else {
            rest.push(hand);
        }
    }
    for hand in rest {
        if !matcher.full() {
            matcher.add(hand, &of);
        }
    }
    let serving = |demand: usize| {
        let mut hands = matcher.serving(demand).to_vec();
        hands.sort_unstable();
        hands.into_iter().filter_map(|hand| order.get(hand).copied()).collect()
    };
    (0..demands.len()).map(serving).collect()
}

/// How many resources of which are needed: one requirement, or the part of it for which somebody is asked for.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// The position of the requirement.
    pub(super) requirement: usize,
    /// How many.
    pub(super) need: usize,
    /// Who would do, as positions among the hands.
    pub(super) members: Vec<usize>,
}

/// Gives resources to demands, one at a time, moving earlier ones about where that makes room.
///
/// Whoever was added stays in, so resources added in an order of preference give the best set there is by that order:
/// nobody is left out for somebody later.
#[derive(Debug, Clone)]
pub(super) struct Matcher<'a> {
    demands: &'a [Demand],
    filled: Vec<Vec<usize>>,
    seen: Vec<bool>,
    missing: usize,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(demands: &'a [Demand]) -> Self {
        let filled = demands
            .iter()
            .map(|demand| Vec::with_capacity(demand.need.min(demand.members.len())))
            .collect();
        let mut matcher = Self {
            demands,
            filled,
            seen: vec![false; demands.len()],
            missing: 0,
        };
        matcher.clear();
        matcher
    }

    /// Takes everybody out again.
    pub(super) fn clear(&mut self) {
        self.filled.iter_mut().for_each(Vec::clear);
        self.missing = self.demands.iter().map(|demand| demand.need).sum();
    }

    /// Whether every demand has what it needs.
    pub(super) fn full(&self) -> bool {
        self.missing == 0
    }

    /// Puts `hand` to use, if there is a way; `of` names the demands that each hand would do for.
    pub(super) fn add(&mut self, hand: usize, of: &impl Fn(usize) -> &'a [usize]) -> bool {
        self.seen.fill(false);
        let added = self.place(hand, of);
        self.missing -= usize::from(added);
        added
    }

    /// Whether a hand was put to use.
    pub(super) fn has(&self, hand: usize) -> bool {
        self.filled.iter().any(|serving| serving.contains(&hand))
    }

    /// Who serves a demand.
    pub(super) fn serving(&self, demand: usize) -> &[usize] {
        self.filled.get(demand).map_or(&[], Vec::as_slice)
    }

    fn place(&mut self, hand: usize, of: &impl Fn(usize) -> &'a [usize]) -> bool {
        for demand in of(hand).iter().copied() {
            let (Some(seen), Some(wanted)) = (self.seen.get_mut(demand), self.demands.get(demand)) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            let Some(serving) = self.filled.get_mut(demand) else {
                continue;
            };
            if serving.len() < wanted.need {
                serving.push(hand);
                return true;
            }
            for position in 0..serving.len() {
                let Some(other) = self.serving(demand).get(position).copied() else {
                    break;
                };
                if self.place(other, of) {
                    if let Some(seat) = self
                        .filled
                        .get_mut(demand)
                        .and_then(|serving| serving.get_mut(position))
                    {
                        *seat = hand;
                    }
                    return true;
                }
            }
        }
        false
    }
}
