//! Which resources, and in which order.

use async_graphql::{Context, Enum, ID, InputObject};
use jiff::Timestamp;

use super::{
    filter::{BooleanFilter, IntFilter, OrderDirection, StringFilter, ids},
    resource::{Resource, ResourceConnection, ResourceKind},
};
use crate::{
    domain::{
        catalog::ResourceType,
        ids::{ResourceId, ResourceTypeId, TypedId as _},
        rejection::Invalid,
    },
    graphql::{
        caller,
        connection::{Paging, cursor, open_cursor, selects},
        error::failure,
        service,
    },
    store::{
        catalog::{self, ResourceField, ResourceKey},
        page::{Direction, Filter, Page, Test},
    },
};

/// Which resources. All that is said must be met.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ResourceFilter {
    /// By whether new bookings can have them.
    bookable: Option<BooleanFilter>,
    /// Those with these ids. At most 100.
    ids: Option<Vec<ID>>,
    /// By their names.
    name: Option<StringFilter>,
    /// By their ranks.
    ranking: Option<IntFilter>,
    /// Those of the types with these ids. At most 100.
    type_ids: Option<Vec<ID>>,
    /// Those of these types; `CUSTOM`: of any that the business has made up.
    types: Option<Vec<ResourceKind>>,
}

/// What resources can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::store::catalog::ResourceOrder")]
pub enum ResourceOrderField {
    /// When they were made.
    #[graphql(name = "CREATED_DATE")]
    Created,
    /// Their names, by code point.
    Name,
    /// Their `ranking`.
    Ranking,
}

/// How resources are sorted. Their ids decide between equals.
#[derive(InputObject, Clone, Copy, Debug)]
pub struct ResourceOrder {
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
    /// By what.
    field: ResourceOrderField,
}

impl ResourceFilter {
    pub(crate) fn parse(self) -> Result<catalog::ResourceFilter, Invalid> {
        let mut all = Vec::new();
        if let Some(wanted) = &self.ids {
            all.push(Filter::Is(ResourceField::Id(Test::In(ids::<ResourceId>(
                "ids", wanted,
            )?))));
        }
        if let Some(wanted) = &self.type_ids {
            let wanted = ids::<ResourceTypeId>("typeIds", wanted)?.into_iter();
            let types = wanted.map(ResourceType::Custom).collect();
            all.push(Filter::Is(ResourceField::Type(Test::In(types))));
        }
        if let Some(kinds) = &self.types {
            let built_in = kinds.iter().filter_map(|kind| kind.built_in()).collect();
            let mut any = vec![Filter::Is(ResourceField::Type(Test::In(built_in)))];
            if kinds.contains(&ResourceKind::Custom) {
                let others = Test::NotIn(ResourceType::BUILT_IN.to_vec());
                any.push(Filter::Is(ResourceField::Type(others)));
            }
            all.push(Filter::Any(any));
        }
        if let Some(name) = self.name {
            all.push(
                name.tests(Ok, ResourceField::Name)
                    .map_err(|invalid| invalid.at("name"))?,
            );
        }
        if let Some(ranking) = self.ranking {
            let tests = ranking.tests(Ok, ResourceField::Ranking);
            all.push(tests.map_err(|invalid| invalid.at("ranking"))?);
        }
        if let Some(bookable) = self.bookable {
            all.extend(bookable.tests(ResourceField::Bookable));
        }
        Ok(Filter::All(all))
    }
}

fn read_key(text: &str, order: catalog::ResourceOrder) -> Option<ResourceKey> {
    let content = open_cursor(text)?;
    let (name, rest) = content.split_once(':')?;
    let (value, id) = rest.rsplit_once(':')?;
    if name != format!("{order:?}") {
        return None;
    }
    let id = ResourceId::parse(id).ok()?;
    Some(match order {
        catalog::ResourceOrder::Created => {
            ResourceKey::Created(Timestamp::from_microsecond(value.parse().ok()?).ok()?, id)
        }
        catalog::ResourceOrder::Name => ResourceKey::Name(value.to_owned(), id),
        catalog::ResourceOrder::Ranking => ResourceKey::Ranking(value.parse().ok()?, id),
    })
}

fn write_key(key: &ResourceKey, order: catalog::ResourceOrder) -> String {
    cursor(&match key {
        ResourceKey::Created(at, id) => format!("{order:?}:{}:{id}", at.as_microsecond()),
        ResourceKey::Name(name, id) => format!("{order:?}:{name}:{id}"),
        ResourceKey::Ranking(ranking, id) => format!("{order:?}:{ranking}:{id}"),
    })
}

impl ResourceOrder {
    fn parse(order: Option<Self>) -> (catalog::ResourceOrder, Direction) {
        order.map_or((catalog::ResourceOrder::default(), Direction::Asc), |order| {
            (order.field.into(), order.direction.into())
        })
    }

    /// A page of resources: few enough to be read at once.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: catalog::ResourceFilter,
        order: Option<Self>,
        paging: &Paging,
    ) -> async_graphql::Result<ResourceConnection> {
        let order = Self::parse(order);
        let request = paging.request(|text| read_key(text, order.0))?;
        let all = service(ctx).resources(caller(ctx), filter, order).await;
        let all = all.map_err(|error| failure(ctx, error))?;
        let total = selects(ctx, "totalCount").then(|| i64::try_from(all.len()).unwrap_or(i64::MAX));
        let key = |resource: &crate::domain::catalog::Resource| ResourceKey::of(resource, order.0);
        let page = Page::of_sorted(all, &request, order.1, key).map(Resource);
        let write = |resource: &Resource| write_key(&key(&resource.0), order.0);
        Ok(ResourceConnection::new(page, write, total))
    }
}
