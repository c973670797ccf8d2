//! Lists of services: filters, orders and pages by key.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _,
    SelectableHelper as _,
    dsl::sql,
    sql_types::{Bool, Integer, Text},
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError,
        filtering::{from_key, joined, test, test_nullable, until_key},
        on,
        page::{Direction, Filter, Page, PageRequest, Test},
        schema::services,
        types::At,
    },
    services::ServiceRow,
};
use crate::domain::{
    catalog::{Service, ServiceKind},
    ids::{CategoryId, LocationId, ResourceId, ServiceId, SiteId, TypedId as _},
};

/// What a filter can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the service's own fields")]
pub enum ServiceField {
    Id(Test<ServiceId>),
    Kind(Test<ServiceKind>),
    Name(Test<String>),
    /// Letter for letter.
    NameStartsWith(String),
    Slug(Test<String>),
    Hidden(Test<bool>),
    Category(Test<CategoryId>),
    /// Whether it is in any category.
    HasCategory(bool),
    OnlineBookingEnabled(Test<bool>),
    PayOnline(Test<bool>),
    PayInPerson(Test<bool>),
    PayDeposit(Test<bool>),
    PayPricingPlan(Test<bool>),
    SortOrder(Test<i32>),
    Created(Test<Timestamp>),
    Updated(Test<Timestamp>),
    /// Whether a resource is among those that an appointment can have.
    Resource(ResourceId),
    /// Whether it is given at a location of the business.
    Location(LocationId),
}

/// A filter of services; deleted ones pass none.
pub type ServiceFilter = Filter<ServiceField>;

/// By what services are sorted; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceOrder {
    /// When it was made.
    Created,
    /// Its place in its category.
    SortOrder,
    /// When it changed last.
    Updated,
}

/// Where a service stands in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceKey {
    /// The value that it is sorted by: an instant's microseconds, or a number.
    pub value: i64,
    /// Its id.
    pub id: ServiceId,
}

impl ServiceKey {
    /// Where `service` stands.
    #[must_use]
    pub fn of(service: &Service, order: ServiceOrder) -> Self {
        let value = match order {
            ServiceOrder::Created => service.created.as_microsecond(),
            ServiceOrder::SortOrder => i64::from(service.presentation.sort_order),
            ServiceOrder::Updated => service.updated.as_microsecond(),
        };
        Self { value, id: service.id }
    }

    fn at(&self) -> At {
        At(Timestamp::from_microsecond(self.value).unwrap_or_default())
    }

    fn number(&self) -> i32 {
        i32::try_from(self.value).unwrap_or(if self.value < 0 { i32::MIN } else { i32::MAX })
    }
}

/// The queries, once for each engine: a boxed query names its engine in its type.
macro_rules! queries {
    ($module:ident, $db:ty, $conn:ty, $has_resource:expr, $is_at:expr) => {
        mod $module {
            use super::*;

            type Predicate<DB> = Box<dyn diesel::BoxableExpression<services::table, DB, SqlType = Bool>>;

            fn predicate(filter: ServiceFilter) -> Predicate<$db> {
                joined!(filter, predicate, field_predicate)
            }

            fn field_predicate(field: ServiceField) -> Predicate<$db> {
                match field {
                    ServiceField::Id(t) => test!($db, services::id, t),
                    ServiceField::Kind(t) => test!($db, services::kind, t),
                    ServiceField::Name(t) => test!($db, services::name, t),
                    ServiceField::NameStartsWith(start) => starts_with(start),
                    ServiceField::Slug(t) => test!($db, services::slug, t),
                    ServiceField::Hidden(t) => test!($db, services::hidden, t),
                    ServiceField::Category(t) => test_nullable!($db, services::category_id, t),
                    ServiceField::HasCategory(true) => Box::new(services::category_id.is_not_null()),
                    ServiceField::HasCategory(false) => Box::new(services::category_id.is_null()),
                    ServiceField::OnlineBookingEnabled(t) => test!($db, services::online_booking_enabled, t),
                    ServiceField::PayOnline(t) => test!($db, services::pay_online, t),
                    ServiceField::PayInPerson(t) => test!($db, services::pay_in_person, t),
                    ServiceField::PayDeposit(t) => test!($db, services::pay_deposit, t),
                    ServiceField::PayPricingPlan(t) => test!($db, services::pay_pricing_plan, t),
                    ServiceField::SortOrder(t) => test!($db, services::sort_order, t),
                    ServiceField::Created(t) => test!($db, services::created_at, t.map(At)),
                    ServiceField::Updated(t) => test!($db, services::updated_at, t.map(At)),
                    ServiceField::Resource(id) => Box::new($has_resource(id)),
                    ServiceField::Location(id) => Box::new($is_at(id)),
                }
            }

            /// `LIKE` would mean something else on each engine.
            fn starts_with(start: String) -> Predicate<$db> {
                let length = i32::try_from(start.chars().count()).unwrap_or(i32::MAX);
                Box::new(
                    sql::<Bool>("substr(services.name, 1, ")
                        .bind::<Integer, _>(length)
                        .sql(") = ")
                        .bind::<Text, _>(start),
                )
            }

            pub(super) async fn count(
                conn: &mut $conn,
                site: SiteId,
                filter: ServiceFilter,
            ) -> Result<i64, diesel::result::Error> {
                let query = services::table
                    .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
                    .filter(predicate(filter))
                    .count();
                query.get_result(conn).await
            }

            pub(super) async fn page(
                conn: &mut $conn,
                site: SiteId,
                filter: ServiceFilter,
                (by, direction): (ServiceOrder, Direction),
                request: &PageRequest<ServiceKey>,
            ) -> Result<Vec<ServiceRow>, diesel::result::Error> {
                let scan = direction.flipped(request.from_end);
                let (start, stop) = match request.from_end {
                    false => (&request.after, &request.before),
                    true => (&request.before, &request.after),
                };
                let mut query = services::table
                    .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
                    .filter(predicate(filter))
                    .select(ServiceRow::as_select())
                    .into_boxed::<$db>();
                macro_rules! load {
                    ($column:expr, $value:ident) => {{
                        if let Some(key) = start {
                            query = from_key!(query, $column, services::id, (key.$value(), key.id), scan);
                        }
                        if let Some(key) = stop {
                            query = until_key!(query, $column, services::id, (key.$value(), key.id), scan);
                        }
                        let query = match scan {
                            Direction::Asc => query.order(($column.asc(), services::id.asc())),
                            Direction::Desc => query.order(($column.desc(), services::id.desc())),
                        };
                        query
                            .limit(request.limit + 2)
                            .load::<ServiceRow>(conn)
                            .await
                    }};
                }
                match by {
                    ServiceOrder::Created => load!(services::created_at, at),
                    ServiceOrder::SortOrder => load!(services::sort_order, number),
                    ServiceOrder::Updated => load!(services::updated_at, at),
                }
            }
        }
    };
}

// The lists of resources and locations are JSON; within them, only an id can look like one with its quotes.
queries!(
    sqlite,
    diesel::sqlite::Sqlite,
    super::super::super::InPlace,
    |id: ResourceId| {
        sql::<Bool>("instr(services.requirements, ")
            .bind::<Text, _>(format!(r#""{}""#, id.uuid()))
            .sql(") > 0")
    },
    |id: LocationId| {
        sql::<Bool>("instr(services.locations, ")
            .bind::<Text, _>(format!(r#""{}""#, id.uuid()))
            .sql(") > 0")
    }
);
queries!(
    pg,
    diesel::pg::Pg,
    &diesel_async::AsyncPgConnection,
    |id: ResourceId| {
        sql::<Bool>("services.requirements @> ")
            .bind::<Text, _>(format!(r#"[{{"resources":["{}"]}}]"#, id.uuid()))
            .sql("::jsonb")
    },
    |id: LocationId| {
        sql::<Bool>("services.locations @> ")
            .bind::<Text, _>(format!(r#"[{{"id":"{}"}}]"#, id.uuid()))
            .sql("::jsonb")
    }
);

/// How many services pass the filter.
pub async fn count_services(conn: &mut Conn, site: SiteId, filter: &ServiceFilter) -> Result<i64, StoreError> {
    let filter = filter.clone();
    Ok(on!(conn, sqlite c => sqlite::count(c, site, filter).await, pg c => pg::count(c, site, filter).await)?)
}

/// A page of the services that pass the filter.
pub async fn page_services(
    conn: &mut Conn,
    site: SiteId,
    filter: &ServiceFilter,
    order: (ServiceOrder, Direction),
    request: &PageRequest<ServiceKey>,
) -> Result<Page<Service>, StoreError> {
    let key = |service: &Service| ServiceKey::of(service, order.0);
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = on!(conn,
                sqlite c => sqlite::page(c, site, filter, order, &request).await,
                pg c => pg::page(c, site, filter, order, &request).await
            )?;
            rows.into_iter().map(ServiceRow::service).collect()
        })
    })
    .await
}
