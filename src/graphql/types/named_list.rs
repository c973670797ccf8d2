//! Which categories and booking policies, and in which order: lists of things with a name of which there are few.

use async_graphql::{Context, Enum, ID, InputObject};
use jiff::Timestamp;

use super::{
    booking_policy::{BookingPolicy, BookingPolicyConnection},
    category::{Category, CategoryConnection},
    filter::{MAX_VALUES, OrderDirection, StringFilter},
};
use crate::{
    domain::{
        ids::{BookingPolicyId, CategoryId, TypedId},
        rejection::{Field, Invalid},
    },
    graphql::{
        caller,
        connection::{Paging, cursor, open_cursor, selects},
        error::{bad_input, failure},
        input::id,
        service,
    },
    store::{
        catalog::{Named, NamedField, NamedFilter, NamedKey, NamedOrder},
        page::{Direction, Filter, Page, Test},
    },
};

/// Which categories. All that is said must be met.
#[derive(InputObject, Clone, Debug, Default)]
pub struct CategoryFilter {
    /// Those with these ids. At most 100.
    ids: Option<Vec<ID>>,
    /// By their names.
    name: Option<StringFilter>,
}

/// What categories can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CategoryOrderField {
    /// When they were made.
    CreatedDate,
    /// Their names, by code point.
    Name,
    /// Their `sortOrder`.
    SortOrder,
}

/// How categories are sorted. Their ids decide between equals.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct CategoryOrder {
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
    /// By what.
    field: CategoryOrderField,
}

/// Which booking policies. All that is said must be met.
#[derive(InputObject, Clone, Debug, Default)]
pub struct BookingPolicyFilter {
    /// Those with these ids. At most 100.
    ids: Option<Vec<ID>>,
    /// By their names.
    name: Option<StringFilter>,
}

/// What booking policies can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BookingPolicyOrderField {
    /// When they were made.
    CreatedDate,
    /// Their names, by code point.
    Name,
}

/// How booking policies are sorted. Their ids decide between equals.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct BookingPolicyOrder {
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
    /// By what.
    field: BookingPolicyOrderField,
}

/// The filter, or a complaint about it.
fn filter<I: TypedId>(
    ids: Option<Vec<ID>>,
    name: Option<StringFilter>,
) -> Result<NamedFilter<I>, async_graphql::Error> {
    let read = || {
        let mut all = Vec::new();
        if let Some(ids) = &ids {
            if ids.len() > MAX_VALUES {
                return Err(Invalid::new(Field::Other, format!("must have at most {MAX_VALUES} entries")).at("ids"));
            }
            let ids = ids.iter().enumerate();
            let ids = ids.map(|(index, one)| id(one).map_err(|invalid| invalid.at(index.to_string()).at("ids")));
            all.push(Filter::Is(NamedField::Id(Test::In(ids.collect::<Result<_, _>>()?))));
        }
        if let Some(name) = name {
            let tests = name.tests(Ok, NamedField::Name);
            all.push(tests.map_err(|invalid| invalid.at("name"))?);
        }
        Ok(Filter::All(all))
    };
    read().map_err(|invalid: Invalid| bad_input(&invalid.at("filter")))
}

fn read_key<I: TypedId>(text: &str, order: NamedOrder) -> Option<NamedKey<I>> {
    let content = open_cursor(text)?;
    let (name, rest) = content.split_once(':')?;
    let (value, id) = rest.rsplit_once(':')?;
    if name != format!("{order:?}") {
        return None;
    }
    let id = I::parse(id).ok()?;
    Some(match order {
        NamedOrder::Created => NamedKey::Created(Timestamp::from_microsecond(value.parse().ok()?).ok()?, id),
        NamedOrder::Name => NamedKey::Name(value.to_owned(), id),
        NamedOrder::Place => NamedKey::Place(value.parse().ok()?, id),
    })
}

fn write_key<I: TypedId + std::fmt::Display>(key: &NamedKey<I>, order: NamedOrder) -> String {
    cursor(&match key {
        NamedKey::Created(at, id) => format!("{order:?}:{}:{id}", at.as_microsecond()),
        NamedKey::Name(name, id) => format!("{order:?}:{name}:{id}"),
        NamedKey::Place(place, id) => format!("{order:?}:{place}:{id}"),
    })
}

fn key_of<T: Named>(order: NamedOrder) -> impl Fn(&T) -> NamedKey<T::Id> {
    move |one| NamedKey::of(one, order)
}

fn total<T>(ctx: &Context<'_>, all: &[T]) -> Option<i64> {
    selects(ctx, "totalCount").then(|| i64::try_from(all.len()).unwrap_or(i64::MAX))
}

/// A page of categories, by their place if nothing else is said.
pub(crate) async fn categories(
    ctx: &Context<'_>,
    asked: Option<CategoryFilter>,
    order: Option<CategoryOrder>,
    paging: &Paging,
) -> async_graphql::Result<CategoryConnection> {
    let asked = asked.unwrap_or_default();
    let asked: NamedFilter<CategoryId> = filter(asked.ids, asked.name)?;
    let (by, direction) = order.map_or((NamedOrder::Place, Direction::Asc), |order| {
        let by = match order.field {
            CategoryOrderField::CreatedDate => NamedOrder::Created,
            CategoryOrderField::Name => NamedOrder::Name,
            CategoryOrderField::SortOrder => NamedOrder::Place,
        };
        (by, order.direction.into())
    });
    let request = paging.request(|text| read_key(text, by))?;
    let all = service(ctx).categories(caller(ctx), asked, (by, direction)).await;
    let all = all.map_err(|error| failure(ctx, error))?;
    let total = total(ctx, &all);
    let page = Page::of_sorted(all, &request, direction, key_of(by)).map(Category);
    let write = |category: &Category| write_key(&NamedKey::of(&category.0, by), by);
    Ok(CategoryConnection::new(page, write, total))
}

/// A page of booking policies, the oldest first if nothing else is said.
pub(crate) async fn booking_policies(
    ctx: &Context<'_>,
    asked: Option<BookingPolicyFilter>,
    order: Option<BookingPolicyOrder>,
    paging: &Paging,
) -> async_graphql::Result<BookingPolicyConnection> {
    let asked = asked.unwrap_or_default();
    let asked: NamedFilter<BookingPolicyId> = filter(asked.ids, asked.name)?;
    let (by, direction) = order.map_or((NamedOrder::Created, Direction::Asc), |order| {
        let by = match order.field {
            BookingPolicyOrderField::CreatedDate => NamedOrder::Created,
            BookingPolicyOrderField::Name => NamedOrder::Name,
        };
        (by, order.direction.into())
    });
    let request = paging.request(|text| read_key(text, by))?;
    let all = service(ctx).booking_policies(caller(ctx), asked, (by, direction)).await;
    let all = all.map_err(|error| failure(ctx, error))?;
    let total = total(ctx, &all);
    let page = Page::of_sorted(all, &request, direction, key_of(by)).map(BookingPolicy);
    let write = |policy: &BookingPolicy| write_key(&NamedKey::of(&policy.0, by), by);
    Ok(BookingPolicyConnection::new(page, write, total))
}
