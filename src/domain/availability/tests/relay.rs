//! Who has to go on from part to part: against a model that tries every way, and how many steps it takes.

use proptest::prelude::*;

use super::{
    super::{
        matching::Demand,
        relay::{Free, Leg, MOST_STEPS, Relayed, relay},
    },
    against_model::cases,
};

/// Parts, each with what it needs and how free each hand is. A hand is the same one in every part.
#[derive(Debug, Clone)]
struct Board {
    demands: Vec<Vec<Demand>>,
    of: Vec<Vec<Vec<usize>>>,
    free: Vec<Vec<Free>>,
}

/// How many of whom.
type Need = (usize, Vec<usize>);

impl Board {
    fn new(parts: Vec<(Vec<Need>, Vec<Free>)>) -> Self {
        let (mut demands, mut free): (Vec<Vec<Demand>>, Vec<Vec<Free>>) = (Vec::new(), Vec::new());
        for (needs, hands) in parts {
            let demand = |(requirement, (need, members))| Demand {
                requirement,
                need,
                members,
            };
            demands.push(needs.into_iter().enumerate().map(demand).collect());
            free.push(hands);
        }
        // Nobody can go on from the last part.
        if let Some(last) = free.last_mut() {
            for hand in last.iter_mut().filter(|hand| **hand == Free::GoingOn) {
                *hand = Free::No;
            }
        }
        let of = demands.iter().zip(&free).map(|(demands, free)| {
            let serves = |hand: usize| {
                let would = demands
                    .iter()
                    .enumerate()
                    .filter(|(_, one)| one.members.contains(&hand));
                would.map(|(index, _)| index).collect()
            };
            (0..free.len()).map(serves).collect()
        });
        let of = of.collect();
        Self { demands, of, free }
    }

    fn ask(&self) -> (Relayed, usize) {
        let legs = self.demands.iter().zip(&self.of).map(|(demands, of)| Leg {
            demands,
            of: of.iter().map(Vec::as_slice).collect(),
            next: (0..of.len()).map(Some).collect(),
        });
        let legs: Vec<Leg<'_>> = legs.collect();
        relay(&legs, &|part, hand| self.free[part][hand], &|part| {
            (0..self.free[part].len()).collect()
        })
    }

    /// Every set of hands that serves a part.
    fn ways(&self, part: usize) -> Vec<u32> {
        let (demands, free) = (&self.demands[part], &self.free[part]);
        let need: usize = demands.iter().map(|demand| demand.need).sum();
        let usable = |set: u32| (0..free.len()).all(|hand| set >> hand & 1 == 0 || free[hand] != Free::No);
        let sets = (0_u32..1 << free.len()).filter(|set| set.count_ones() as usize == need);
        sets.filter(|set| usable(*set) && serves(demands, 0, *set)).collect()
    }

    fn bound(&self, part: usize, set: u32) -> u32 {
        let bound = (0..self.free[part].len()).filter(|hand| self.free[part][*hand] == Free::GoingOn);
        bound.fold(0, |bits, hand| bits | 1 << hand) & set
    }

    fn servable(&self, part: usize, staying: u32) -> bool {
        if part == self.demands.len() {
            return staying == 0;
        }
        let mut ways = self.ways(part).into_iter().filter(|set| set & staying == staying);
        ways.any(|set| self.servable(part + 1, self.bound(part, set)))
    }
}

/// Whether a set of hands can be given to the demands from one on, with nobody over.
fn serves(demands: &[Demand], from: usize, set: u32) -> bool {
    let Some((demand, rest)) = demands.get(from).map(|demand| (demand, from + 1)) else {
        return set == 0;
    };
    let able = demand.members.iter().fold(0_u32, |bits, hand| bits | 1 << hand) & set;
    let mut part = able;
    loop {
        if part.count_ones() as usize == demand.need && serves(demands, rest, set & !part) {
            return true;
        }
        if part == 0 {
            return false;
        }
        part = (part - 1) & able;
    }
}

fn free() -> impl Strategy<Value = Free> {
    prop_oneof![1 => Just(Free::No), 4 => Just(Free::GoingOn), 1 => Just(Free::Yes)]
}

fn need(hands: usize) -> impl Strategy<Value = (usize, Vec<usize>)> {
    (1_usize..=2, proptest::collection::vec(any::<bool>(), hands)).prop_map(|(need, able)| {
        let members = able.iter().enumerate().filter(|(_, able)| **able);
        (need, members.map(|(hand, _)| hand).collect())
    })
}

fn board(hands: usize, parts: usize, kinds: usize) -> impl Strategy<Value = Board> {
    let needs = proptest::collection::vec(need(hands), 1..=kinds);
    let part = (needs, proptest::collection::vec(free(), hands));
    proptest::collection::vec(part, 1..=parts).prop_map(Board::new)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn somebody_goes_on_wherever_some_choice_does(board in (1_usize..=6).prop_flat_map(|hands| board(hands, 5, 3))) {
        let (found, steps) = board.ask();
        prop_assert!(steps < MOST_STEPS);
        prop_assert_eq!(matches!(found, Relayed::Way(_)), board.servable(0, 0), "{:?}", found);
        if let Relayed::Way(way) = found {
            let mut staying = 0;
            for (part, bound) in way.iter().enumerate() {
                let bound = bound.iter().fold(0_u32, |bits, hand| bits | 1 << hand);
                let mut ways = board.ways(part).into_iter();
                prop_assert!(ways.any(|set| set & staying == staying && board.bound(part, set) == bound));
                staying = bound;
            }
        }
    }

    /// What one kind of people serves is settled without going back: a step for each part and each who is bound.
    #[test]
    fn one_kind_of_people_takes_a_step_for_each(board in (1_usize..=16).prop_flat_map(|hands| board(hands, 8, 1))) {
        let needed: usize = board.demands.iter().flatten().map(|demand| 1 + demand.need).sum();
        let (_, steps) = board.ask();
        prop_assert!(steps <= needed, "{} steps for {}", steps, needed);
    }
}

/// Parts that go by turns to two teams that both know both, each free only by going on, and a last one that few can do.
#[test]
fn the_worst_that_a_visitor_can_ask_takes_few_steps() {
    for (hands, last) in [(12, Free::Yes), (40, Free::Yes), (40, Free::No)] {
        let all: Vec<usize> = (0..hands).collect();
        let part = |parts: usize| (vec![(1, all.clone())], vec![Free::GoingOn; parts]);
        let mut parts: Vec<_> = (0..7).map(|_| part(hands)).collect();
        let mut free = vec![Free::No; hands];
        free[hands - 1] = last;
        parts.push((vec![(1, all.clone())], free));
        let (found, steps) = Board::new(parts).ask();
        assert!(steps <= 16, "{steps}");
        assert_eq!(matches!(found, Relayed::Way(_)), last == Free::Yes);
    }
}

/// Several kinds of people in every part, each of whom knows other things from part to part: a puzzle.
#[test]
fn a_search_that_is_too_long_ends() {
    let kinds = 16;
    // Everybody does one thing in each part. One thing of the last part nobody does: found out only at the end.
    let hands: Vec<[usize; 3]> = (0..kinds * 4)
        .map(|hand| {
            [
                hand % kinds,
                (hand * 7 + hand / kinds) % kinds,
                (hand * 5 + hand / 3) % (kinds - 1),
            ]
        })
        .collect();
    let part = |part: usize| {
        let needs = (0..kinds).map(|kind| {
            let members = hands.iter().enumerate().filter(|(_, does)| does[part] == kind);
            (1, members.map(|(hand, _)| hand).collect())
        });
        let free = if part == 2 { Free::Yes } else { Free::GoingOn };
        (needs.collect(), vec![free; hands.len()])
    };
    let (found, steps) = Board::new((0..3).map(part).collect()).ask();
    assert_eq!((found, steps), (Relayed::GaveUp, MOST_STEPS));
}
