//! In which order free resources are taken (spec §4.9).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::Resource;
use crate::domain::ids::{ResourceId, TypedId as _};

/// Which end of the ranking comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Rank {
    /// The lowest number.
    #[default]
    LowestFirst,
    /// The highest number.
    HighestFirst,
}

/// How one of several free resources is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// By their ranking, then by id.
    Ranking(Rank),
    /// By lot. The same seed gives the same order for the same start, and another one for another start.
    Random {
        /// What the lots are drawn from.
        seed: u64,
    },
    /// In an order that somebody else found; who isn't in it comes last, by id.
    Given(&'a [ResourceId]),
}

impl Choice<'_> {
    /// Sorts resources into the order in which they are taken for a start.
    pub fn sort(&self, start: Timestamp, candidates: &mut [&Resource<'_>]) {
        self.sort_by(start, candidates, |one| (one.ranking, one.id));
    }

    /// Sorts whatever has a rank and the id of a resource.
    pub fn sort_by<T>(&self, start: Timestamp, candidates: &mut [T], of: impl Fn(&T) -> (i32, ResourceId)) {
        match self {
            Self::Ranking(Rank::LowestFirst) => candidates.sort_by_key(of),
            Self::Ranking(Rank::HighestFirst) => candidates.sort_by_key(|one| {
                let (ranking, id) = of(one);
                (std::cmp::Reverse(ranking), id)
            }),
            Self::Random { seed } => {
                let seed = mix(seed ^ start.as_microsecond().cast_unsigned());
                candidates.sort_by_cached_key(|one| (lot(seed, of(one).1), of(one).1));
            }
            Self::Given(order) => {
                let place = |id| order.iter().position(|one| *one == id).unwrap_or(order.len());
                candidates.sort_by_cached_key(|one| (place(of(one).1), of(one).1));
            }
        }
    }
}

fn lot(seed: u64, id: ResourceId) -> u64 {
    let (high, low) = id.uuid().as_u64_pair();
    mix(mix(seed ^ high) ^ low)
}

/// A step of `SplitMix64`: every bit of the result depends on every bit of the input.
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
