//! Categories: how a business groups what it offers (`spec/catalog-availability.md` §1.11).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Rejection, ids::CategoryId, text};

/// A group of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// Where it stands among the others: the smallest first, the id decides between equals.
    pub sort_order: i32,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Categories of a site, at the most.
pub const MAX_CATEGORIES: usize = 100;

/// What is left free between two neighbours, so that one can be put there without touching others.
const GAP: i32 = 1000;

impl Category {
    /// Refuses a category that breaks a rule.
    pub fn check(&self) -> Result<(), Rejection> {
        text::required(&self.name, 100).map_err(|invalid| invalid.at("name"))?;
        Ok(())
    }
}

/// The place behind all others. `None` if numbers have run out there.
#[must_use]
pub fn last_place(others: &[Category]) -> Option<i32> {
    match others.iter().map(|other| other.sort_order).max() {
        Some(last) => last.checked_add(GAP),
        None => Some(0),
    }
}

/// Where the category at `from` of a sorted list has to stand to come directly behind the one at `after`, or first of
/// all: the new numbers of those that change, by their places in the list. One of them, unless there is no number left
/// between the neighbours: then all are numbered anew.
#[must_use]
pub fn place_behind(sorted: &[Category], from: usize, after: Option<usize>) -> Vec<(usize, i32)> {
    let mut order: Vec<usize> = (0..sorted.len()).filter(|place| *place != from).collect();
    let at = after
        .and_then(|after| order.iter().position(|place| *place == after))
        .map_or(0, |at| at + 1);
    let number = |place: Option<&usize>| {
        place
            .and_then(|place| sorted.get(*place))
            .map(|category| category.sort_order)
    };
    let (before, behind) = (
        number(at.checked_sub(1).and_then(|at| order.get(at))),
        number(order.get(at)),
    );
    let between = match (before, behind) {
        (None, None) => return Vec::new(),
        (Some(before), None) => before.checked_add(GAP),
        (None, Some(behind)) => behind.checked_sub(GAP),
        (Some(before), Some(behind)) => {
            let middle = (i64::from(before) + i64::from(behind)).div_euclid(2);
            i32::try_from(middle)
                .ok()
                .filter(|middle| *middle > before && *middle < behind)
        }
    };
    if let Some(between) = between {
        return vec![(from, between)];
    }
    order.insert(at, from);
    let numbered = order.into_iter().zip((0_i32..).step_by(1000));
    numbered
        .filter(|(place, number)| {
            sorted
                .get(*place)
                .is_some_and(|category| category.sort_order != *number)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(orders: &[i32]) -> Vec<Category> {
        let make = |order: &i32| Category {
            id: CategoryId::new(),
            name: "x".to_owned(),
            sort_order: *order,
            revision: 1,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        };
        let mut all: Vec<Category> = orders.iter().map(make).collect();
        all.sort_by_key(|category| (category.sort_order, category.id));
        all
    }

    proptest! {
        #[test]
        fn a_category_comes_to_stand_where_it_was_put(
            orders in prop::collection::vec(prop_oneof![-3..3_i32, any::<i32>()], 1..12),
            from in any::<prop::sample::Index>(),
            after in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mut all = list(&orders);
            let from = from.index(all.len());
            let after = after.map(|after| after.index(all.len())).filter(|after| *after != from);
            let mut expected: Vec<CategoryId> = all.iter().map(|category| category.id).collect();
            let moved = expected.remove(from);
            let anchor = after.and_then(|after| all.get(after)).map(|category| category.id);
            let at = expected.iter().position(|id| Some(*id) == anchor).map_or(0, |at| at + 1);
            expected.insert(at, moved);
            for (place, number) in place_behind(&all, from, after) {
                if let Some(category) = all.get_mut(place) {
                    category.sort_order = number;
                }
            }
            all.sort_by_key(|category| (category.sort_order, category.id));
            prop_assert_eq!(all.iter().map(|category| category.id).collect::<Vec<_>>(), expected);
        }
    }
}
