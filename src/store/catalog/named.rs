//! Lists of things with a name of which a site has few: they are read all at once, and filtered and sorted here.

use jiff::Timestamp;

use super::super::page::{Direction, Filter, Test};
use crate::domain::{
    booking_policy::BookingPolicy,
    catalog::Category,
    ids::{BookingPolicyId, CategoryId},
};

/// Something with a name in a short list.
pub trait Named {
    /// Its id.
    type Id: Copy + Ord;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Its name.
    fn name(&self) -> &str;
    /// When it was made.
    fn created(&self) -> Timestamp;
    /// The place that the business gave it among the others, where it can.
    fn place(&self) -> i32 {
        0
    }
}

impl Named for Category {
    type Id = CategoryId;

    fn id(&self) -> CategoryId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn place(&self) -> i32 {
        self.sort_order
    }
}

impl Named for BookingPolicy {
    type Id = BookingPolicyId;

    fn id(&self) -> BookingPolicyId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn created(&self) -> Timestamp {
        self.created
    }
}

/// What a test of such a list is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedField<I> {
    /// Its id.
    Id(Test<I>),
    /// Its name.
    Name(Test<String>),
}

/// Which of such a list.
pub type NamedFilter<I> = Filter<NamedField<I>>;

/// What such a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedOrder {
    /// When they were made.
    Created,
    /// Their names, by code point.
    Name,
    /// The places that the business gave them.
    Place,
}

/// Where something stands in such a list; the id decides between equals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKey<I> {
    /// By the instant.
    Created(Timestamp, I),
    /// By name.
    Name(String, I),
    /// By place.
    Place(i32, I),
}

impl<I: Copy + Ord> NamedKey<I> {
    /// Of something in the list.
    #[must_use]
    pub fn of(one: &impl Named<Id = I>, order: NamedOrder) -> Self {
        match order {
            NamedOrder::Created => Self::Created(one.created(), one.id()),
            NamedOrder::Name => Self::Name(one.name().to_owned(), one.id()),
            NamedOrder::Place => Self::Place(one.place(), one.id()),
        }
    }
}

fn passes<T: Named>(filter: &NamedFilter<T::Id>, one: &T) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| passes(part, one)),
        Filter::Any(parts) => parts.iter().any(|part| passes(part, one)),
        Filter::Not(part) => !passes(part, one),
        Filter::Is(NamedField::Id(test)) => test.is_met(&one.id()),
        Filter::Is(NamedField::Name(test)) => match test {
            Test::Eq(name) => one.name() == name,
            test => test.is_met(&one.name().to_owned()),
        },
    }
}

/// Those that pass, in their order.
pub(super) fn arranged<T: Named>(
    all: impl IntoIterator<Item = T>,
    filter: &NamedFilter<T::Id>,
    order: (NamedOrder, Direction),
) -> Vec<T> {
    let mut found: Vec<T> = all.into_iter().filter(|one| passes(filter, one)).collect();
    found.sort_by_cached_key(|one| NamedKey::of(one, order.0));
    if order.1 == Direction::Desc {
        found.reverse();
    }
    found
}
