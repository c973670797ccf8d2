//! Lists of bookings: filters, orders and pages by key.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, SelectableHelper as _,
    dsl::{exists, sql},
    sql_types::{Bool, Text},
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError,
        filtering::{from_key, joined, test, test_nullable, until_key},
        on,
        page::{Direction, Filter, Page, PageRequest, Test},
        schema::{booking_contacts, bookings},
        types::At,
    },
    Row, no_time,
};
use crate::domain::{
    actor::ActorKind,
    booking::{Booking, BookingStatus, PaymentStatus, SelectedPaymentOption, ServiceKind},
    ids::{BookingId, MultiServiceBookingId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId, TypedId as _},
};

/// What a filter can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the booking's own fields")]
pub enum BookingField {
    Id(Test<BookingId>),
    Service(Test<ServiceId>),
    Schedule(Test<ScheduleId>),
    Session(Test<SessionId>),
    /// The first of the booking's resources: the staff member, if there is one.
    Resource(Test<ResourceId>),
    Kind(Test<ServiceKind>),
    Status(Test<BookingStatus>),
    PaymentStatus(Test<PaymentStatus>),
    PaymentOption(Test<SelectedPaymentOption>),
    /// Compared in lower case.
    Email(Test<String>),
    ExternalUser(Test<String>),
    CreatedByKind(Test<ActorKind>),
    CreatedById(Test<String>),
    Created(Test<Timestamp>),
    Updated(Test<Timestamp>),
    Start(Test<Timestamp>),
    End(Test<Timestamp>),
    DoubleBooked(Test<bool>),
    Participants(Test<i32>),
    /// The package that it is a part of.
    Package(Test<MultiServiceBookingId>),
    /// Whether it needs a resource: any of the booking's, not just the first.
    OnCalendar(ResourceId),
}

/// A filter of bookings.
pub type BookingFilter = Filter<BookingField>;

/// By what bookings are sorted; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// When it was made.
    Created,
    /// When it changed last.
    Updated,
    /// When it starts; bookings without a time are as good as in the far future.
    Start,
    /// When it ends; bookings without a time are as good as in the far future.
    End,
}

/// Where a booking stands in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookingKey {
    /// The value that it is sorted by.
    pub at: Timestamp,
    /// Its id.
    pub id: BookingId,
}

impl BookingKey {
    /// Where `booking` stands.
    #[must_use]
    pub fn of(booking: &Booking, field: OrderField) -> Self {
        let at = match field {
            OrderField::Created => booking.created,
            OrderField::Updated => booking.updated,
            OrderField::Start => booking.start().unwrap_or_else(no_time),
            OrderField::End => booking.end().unwrap_or_else(no_time),
        };
        Self { at, id: booking.id }
    }
}

/// The queries, once for each engine: a boxed query names its engine in its type.
macro_rules! queries {
    ($module:ident, $db:ty, $conn:ty, $on_calendar:expr) => {
        mod $module {
            use super::*;

            type Predicate<DB> =
                Box<dyn diesel::BoxableExpression<bookings::table, DB, SqlType = diesel::sql_types::Bool>>;

            fn predicate(filter: BookingFilter) -> Predicate<$db> {
                joined!(filter, predicate, field_predicate)
            }

            fn field_predicate(field: BookingField) -> Predicate<$db> {
                match field {
                    BookingField::Id(t) => test!($db, bookings::id, t),
                    BookingField::Service(t) => test!($db, bookings::service_id, t),
                    BookingField::Schedule(t) => test!($db, bookings::schedule_id, t),
                    BookingField::Session(t) => test_nullable!($db, bookings::session_id, t),
                    BookingField::Resource(t) => test_nullable!($db, bookings::resource_id, t),
                    BookingField::Kind(t) => test!($db, bookings::kind, t),
                    BookingField::Status(t) => test!($db, bookings::status, t),
                    BookingField::PaymentStatus(t) => test!($db, bookings::payment_status, t),
                    BookingField::PaymentOption(t) => test_nullable!($db, bookings::selected_payment_option, t),
                    BookingField::Email(t) => email(t),
                    BookingField::ExternalUser(t) => test_nullable!($db, bookings::external_user_id, t),
                    BookingField::CreatedByKind(t) => test!($db, bookings::created_by_kind, t),
                    BookingField::CreatedById(t) => test!($db, bookings::created_by_id, t),
                    BookingField::Created(t) => test!($db, bookings::created_at, t.map(At)),
                    BookingField::Updated(t) => test!($db, bookings::updated_at, t.map(At)),
                    BookingField::Start(t) => timed(test!($db, bookings::starts_at, t.map(At))),
                    BookingField::End(t) => timed(test!($db, bookings::ends_at, t.map(At))),
                    BookingField::DoubleBooked(t) => test!($db, bookings::double_booked, t),
                    BookingField::Participants(t) => test!($db, bookings::total_participants, t),
                    BookingField::Package(t) => test_nullable!($db, bookings::multi_service_booking_id, t),
                    BookingField::OnCalendar(resource) => Box::new($on_calendar(resource)),
                }
            }

            /// Bookings without a time pass no test of it.
            fn timed(test: Predicate<$db>) -> Predicate<$db> {
                Box::new(test.and(bookings::starts_at.ne(At(no_time()))))
            }

            /// The address stands in another table, so a negative test is one that no row there passes.
            fn email(test: Test<String>) -> Predicate<$db> {
                let of_it = booking_contacts::table
                    .filter(booking_contacts::site_id.eq(bookings::site_id))
                    .filter(booking_contacts::booking_id.eq(bookings::id));
                match test {
                    Test::Eq(email) => Box::new(exists(of_it.filter(booking_contacts::email_key.eq(email)))),
                    Test::Ne(email) => Box::new(diesel::dsl::not(exists(
                        of_it.filter(booking_contacts::email_key.eq(email)),
                    ))),
                    Test::In(emails) => Box::new(exists(of_it.filter(booking_contacts::email_key.eq_any(emails)))),
                    Test::NotIn(emails) => Box::new(diesel::dsl::not(exists(
                        of_it.filter(booking_contacts::email_key.eq_any(emails)),
                    ))),
                    Test::Lt(_) | Test::Lte(_) | Test::Gt(_) | Test::Gte(_) => {
                        Box::new(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 0"))
                    }
                }
            }

            pub(super) async fn count(
                conn: &mut $conn,
                site: SiteId,
                filter: BookingFilter,
            ) -> Result<i64, diesel::result::Error> {
                let query = bookings::table
                    .filter(bookings::site_id.eq(site))
                    .filter(predicate(filter))
                    .count();
                query.get_result(conn).await
            }

            pub(super) async fn naming(
                conn: &mut $conn,
                site: SiteId,
                resource: ResourceId,
                now: Timestamp,
            ) -> Result<Vec<Row>, diesel::result::Error> {
                let query = bookings::table
                    .filter(bookings::site_id.eq(site).and(bookings::starts_at.gt(At(now))))
                    .filter(bookings::status.eq_any([BookingStatus::Created, BookingStatus::WaitingList]))
                    .filter($on_calendar(resource));
                query.select(Row::as_select()).load(conn).await
            }

            pub(super) async fn find(
                conn: &mut $conn,
                site: SiteId,
                id: BookingId,
                filter: BookingFilter,
            ) -> Result<Option<Row>, diesel::result::Error> {
                let query = bookings::table
                    .find((site, id))
                    .filter(predicate(filter))
                    .select(Row::as_select());
                query.first(conn).await.optional()
            }

            pub(super) async fn page(
                conn: &mut $conn,
                site: SiteId,
                filter: BookingFilter,
                field: OrderField,
                order: Direction,
                request: &PageRequest<BookingKey>,
            ) -> Result<Vec<Row>, diesel::result::Error> {
                let scan = order.flipped(request.from_end);
                let (start, stop) = match request.from_end {
                    false => (&request.after, &request.before),
                    true => (&request.before, &request.after),
                };
                let mut query = bookings::table
                    .filter(bookings::site_id.eq(site))
                    .filter(predicate(filter))
                    .select(Row::as_select())
                    .into_boxed::<$db>();
                macro_rules! load {
                    ($column:expr) => {{
                        if let Some(key) = start {
                            query = from_key!(query, $column, bookings::id, (At(key.at), key.id), scan);
                        }
                        if let Some(key) = stop {
                            query = until_key!(query, $column, bookings::id, (At(key.at), key.id), scan);
                        }
                        let query = match scan {
                            Direction::Asc => query.order(($column.asc(), bookings::id.asc())),
                            Direction::Desc => query.order(($column.desc(), bookings::id.desc())),
                        };
                        // One more than the page at either end: that there is more is a fact and not a guess.
                        query.limit(request.limit + 2).load::<Row>(conn).await
                    }};
                }
                match field {
                    OrderField::Created => load!(bookings::created_at),
                    OrderField::Updated => load!(bookings::updated_at),
                    OrderField::Start => load!(bookings::starts_at),
                    OrderField::End => load!(bookings::ends_at),
                }
            }
        }
    };
}

// The list of resources is JSON; within it, only an id can look like one with its name and quotes.
queries!(
    sqlite,
    diesel::sqlite::Sqlite,
    super::super::super::InPlace,
    |id: ResourceId| {
        sql::<Bool>("instr(bookings.resources, ")
            .bind::<Text, _>(format!(r#""id":"{}""#, id.uuid()))
            .sql(") > 0")
    }
);
queries!(
    pg,
    diesel::pg::Pg,
    &diesel_async::AsyncPgConnection,
    |id: ResourceId| {
        sql::<Bool>("bookings.resources @> ")
            .bind::<Text, _>(format!(r#"[{{"id":"{}"}}]"#, id.uuid()))
            .sql("::jsonb")
    }
);

/// How many bookings pass the filter.
pub async fn count(conn: &mut Conn, site: SiteId, filter: BookingFilter) -> Result<i64, StoreError> {
    Ok(on!(conn, sqlite c => sqlite::count(c, site, filter).await, pg c => pg::count(c, site, filter).await)?)
}

/// The bookings that were only begun, name a resource, and haven't started at `now`, by id.
pub async fn naming(
    conn: &mut Conn,
    site: SiteId,
    resource: ResourceId,
    now: Timestamp,
) -> Result<Vec<Booking>, StoreError> {
    let rows = on!(conn,
        sqlite c => sqlite::naming(c, site, resource, now).await,
        pg c => pg::naming(c, site, resource, now).await
    )?;
    super::bookings(rows)
}

/// The booking with this id, if it passes the filter. The database decides: from the time that it takes nobody learns
/// whether there is a booking that didn't.
pub async fn find_within(
    conn: &mut Conn,
    site: SiteId,
    id: BookingId,
    filter: BookingFilter,
) -> Result<Option<Booking>, StoreError> {
    if filter == BookingFilter::default() {
        return super::find(conn, site, id).await;
    }
    let row = on!(conn,
        sqlite c => sqlite::find(c, site, id, filter).await,
        pg c => pg::find(c, site, id, filter).await
    )?;
    row.map(Row::booking).transpose()
}

/// A page of the bookings that pass the filter.
pub async fn page(
    conn: &mut Conn,
    site: SiteId,
    filter: BookingFilter,
    field: OrderField,
    order: Direction,
    request: &PageRequest<BookingKey>,
) -> Result<Page<Booking>, StoreError> {
    let key = |booking: &Booking| BookingKey::of(booking, field);
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = rows(conn, site, filter, field, order, &request).await?;
            rows.into_iter().map(Row::booking).collect()
        })
    })
    .await
}

async fn rows(
    conn: &mut Conn,
    site: SiteId,
    filter: BookingFilter,
    field: OrderField,
    order: Direction,
    request: &PageRequest<BookingKey>,
) -> Result<Vec<Row>, StoreError> {
    Ok(on!(conn,
        sqlite c => sqlite::page(c, site, filter, field, order, request).await,
        pg c => pg::page(c, site, filter, field, order, request).await
    )?)
}
