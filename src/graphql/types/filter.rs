//! What filters and orders of lists have in common.

use async_graphql::{Enum, ID, InputObject};

use super::service::ServiceType;
use crate::{
    domain::{
        ids::TypedId,
        rejection::{Field, Invalid},
    },
    graphql::{input::id, scalars::DateTime},
    store::page::{Direction, Filter, Test},
};

/// How deeply `and`, `or` and `not` may be nested.
const MAX_DEPTH: usize = 8;
/// How many values a list of a filter may have.
pub(crate) const MAX_VALUES: usize = 100;

macro_rules! filter_input {
    ($(#[doc = $doc:literal])* $name:ident, $ty:ty $(, $extra:ident: $test:ident = $extra_doc:literal)*) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, async_graphql::InputObject)]
        pub struct $name {
            /// Equal to this.
            pub eq: Option<$ty>,
            $(#[doc = $extra_doc] pub $extra: Option<$ty>,)*
            /// One of these. At most 100.
            #[graphql(name = "in")]
            pub one_of: Option<Vec<$ty>>,
            /// Not equal to this; an absent value isn't, either.
            pub ne: Option<$ty>,
            /// None of these. At most 100.
            #[graphql(name = "nin")]
            pub none_of: Option<Vec<$ty>>,
        }

        impl $name {
            /// The tests, all of which must be met, with the values read by `read`.
            pub(crate) fn tests<T, F>(
                self,
                read: impl Fn($ty) -> Result<T, $crate::domain::rejection::Invalid>,
                field: impl Fn($crate::store::page::Test<T>) -> F,
            ) -> Result<$crate::store::page::Filter<F>, $crate::domain::rejection::Invalid> {
                use $crate::{
                    domain::rejection::{Field, Invalid},
                    graphql::types::filter::MAX_VALUES,
                    store::page::{Filter, Test},
                };

                let mut tests = Vec::new();
                let mut one = |name: &str, value: Option<$ty>, test: fn(T) -> Test<T>| -> Result<(), Invalid> {
                    if let Some(value) = value {
                        tests.push(Filter::Is(field(test(read(value).map_err(|invalid| invalid.at(name))?))));
                    }
                    Ok(())
                };
                one("eq", self.eq, Test::Eq)?;
                one("ne", self.ne, Test::Ne)?;
                $(one(stringify!($extra), self.$extra, Test::$test)?;)*
                for (name, list, test) in [
                    ("in", self.one_of, Test::In as fn(Vec<T>) -> Test<T>),
                    ("nin", self.none_of, Test::NotIn),
                ] {
                    let Some(list) = list else { continue };
                    if list.len() > MAX_VALUES {
                        return Err(Invalid::new(Field::Other, "must have at most 100 entries").at(name));
                    }
                    let values = list.into_iter().map(&read).collect::<Result<Vec<T>, _>>();
                    tests.push(Filter::Is(field(test(values.map_err(|invalid| invalid.at(name))?))));
                }
                Ok(Filter::All(tests))
            }
        }
    };
}

pub(crate) use filter_input;

filter_input!(
    /// Tests of an id. All given ones must be met.
    IdFilter, ID
);
filter_input!(
    /// Tests of an instant. All given ones must be met.
    DateTimeFilter, DateTime,
    gt: Gt = "Later than this.", gte: Gte = "At this or later.",
    lt: Lt = "Earlier than this.", lte: Lte = "At this or earlier."
);
filter_input!(
    /// Tests of a number. All given ones must be met.
    IntFilter, i32,
    gt: Gt = "Larger than this.", gte: Gte = "This or larger.", lt: Lt = "Smaller than this.", lte: Lte = "This or smaller."
);
filter_input!(
    /// Tests of a text. All given ones must be met.
    StringFilter, String
);
filter_input!(
    /// Tests of a service's type. All given ones must be met.
    ServiceTypeFilter, ServiceType
);
/// Tests of a yes or no. All given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct BooleanFilter {
    /// Equal to this.
    pub eq: Option<bool>,
    /// Not equal to this.
    pub ne: Option<bool>,
}

impl BooleanFilter {
    /// The tests, all of which must be met.
    pub(crate) fn tests<F>(self, field: impl Fn(Test<bool>) -> F) -> Vec<Filter<F>> {
        let tests = [self.eq.map(Test::Eq), self.ne.map(Test::Ne)];
        tests
            .into_iter()
            .flatten()
            .map(|test| Filter::Is(field(test)))
            .collect()
    }
}

/// Refuses filters in filters in filters.
pub(crate) fn check_depth(depth: usize) -> Result<(), Invalid> {
    if depth > MAX_DEPTH {
        return Err(Invalid::new(Field::Other, "is nested too deeply"));
    }
    Ok(())
}

/// Adds what `and`, `or` and `not` of a filter say.
pub(crate) fn join<I, F>(
    all: &mut Vec<Filter<F>>,
    and: Option<Vec<I>>,
    or: Option<Vec<I>>,
    not: Option<Box<I>>,
    parse: impl Fn(I) -> Result<Filter<F>, Invalid>,
) -> Result<(), Invalid> {
    for (name, list) in [("and", and), ("or", or)] {
        let Some(list) = list else { continue };
        if list.len() > MAX_VALUES {
            return Err(Invalid::new(Field::Other, "must have at most 100 entries").at(name));
        }
        let parts = list.into_iter().map(&parse).collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|invalid| invalid.at(name))?;
        all.push(if name == "and" {
            Filter::All(parts)
        } else {
            Filter::Any(parts)
        });
    }
    if let Some(not) = not {
        all.push(Filter::Not(Box::new(parse(*not).map_err(|invalid| invalid.at("not"))?)));
    }
    Ok(())
}

pub(crate) fn read_id<T: TypedId>(value: &ID) -> Result<T, Invalid> {
    id(value)
}

pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let (head, tail) = word.split_at(1);
        all.push_str(&head.to_uppercase());
        all.push_str(tail);
        all
    })
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest or earliest first.
    Asc,
    /// Largest or latest first.
    Desc,
}

impl From<OrderDirection> for Direction {
    fn from(direction: OrderDirection) -> Self {
        match direction {
            OrderDirection::Asc => Self::Asc,
            OrderDirection::Desc => Self::Desc,
        }
    }
}

/// Ids of a list that is short for a test.
pub fn ids<I: TypedId>(name: &str, ids: &[ID]) -> Result<Vec<I>, Invalid> {
    if ids.len() > MAX_VALUES {
        return Err(Invalid::new(Field::Other, format!("must have at most {MAX_VALUES} entries")).at(name));
    }
    let read = ids.iter().enumerate();
    read.map(|(index, one)| id(one).map_err(|invalid| invalid.at(index.to_string()).at(name)))
        .collect()
}
