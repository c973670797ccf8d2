//! In which order free staff are taken.

use async_graphql::{Enum, InputObject, SimpleObject};

use crate::{
    domain::{availability::Rank, catalog::StaffSorting},
    graphql::input::{Problems, Rejections},
};

/// How one of several free staff members is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SortingMethodType {
    /// By lot, anew for each booking.
    Random,
    /// By the staff members' `ranking`.
    Ranking,
}

/// Which end of the ranking comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::availability::Rank")]
pub enum RankingOrder {
    /// The highest number.
    #[graphql(name = "HIGHEST_TO_LOWEST")]
    HighestFirst,
    /// The lowest number.
    #[graphql(name = "LOWEST_TO_HIGHEST")]
    LowestFirst,
}

/// How staff are taken by rank.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct RankingOptions {
    /// Which end of the ranking comes first.
    order: RankingOrder,
}

/// In which order free staff are taken for an appointment: the first who is free gets it.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct StaffSortingPolicy {
    /// How they are taken by rank; null for other methods.
    ranking_options: Option<RankingOptions>,
    /// How one of several is chosen.
    sorting_method_type: SortingMethodType,
}

impl StaffSortingPolicy {
    /// Nothing: as the service names them.
    pub(super) fn of(sorting: StaffSorting) -> Option<Self> {
        let (sorting_method_type, rank) = match sorting {
            StaffSorting::Named => return None,
            StaffSorting::Ranking(rank) => (SortingMethodType::Ranking, Some(rank)),
            StaffSorting::Random => (SortingMethodType::Random, None),
        };
        Some(Self {
            ranking_options: rank.map(|rank| RankingOptions { order: rank.into() }),
            sorting_method_type,
        })
    }
}

/// How staff are taken by rank.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct RankingOptionsInput {
    /// Which end of the ranking comes first.
    order: RankingOrder,
}

/// In which order free staff are taken for an appointment: the first who is free gets it.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct StaffSortingPolicyInput {
    /// How they are taken by rank: the lowest number first if not said. Only with `RANKING`.
    ranking_options: Option<RankingOptionsInput>,
    /// How one of several is chosen.
    sorting_method_type: SortingMethodType,
}

impl StaffSortingPolicyInput {
    pub(crate) fn parse(self) -> Result<StaffSorting, Rejections> {
        let mut problems = Problems::default();
        let sorting = match (self.sorting_method_type, self.ranking_options) {
            (SortingMethodType::Random, None) => StaffSorting::Random,
            (SortingMethodType::Random, Some(_)) => {
                problems.complain(&["rankingOptions"], "is for `RANKING`");
                StaffSorting::Random
            }
            (SortingMethodType::Ranking, options) => {
                let order = options.map(|options| Rank::from(options.order));
                StaffSorting::Ranking(order.unwrap_or_default())
            }
        };
        problems.finish(Some(sorting))
    }
}
