//! Lists of the catalog: one page each, with the children of its rows loaded at once.

use std::collections::HashMap;

use async_graphql::Context;
use jiff::Timestamp;

use crate::{
    domain::{conflict::Target, ids::TypedId},
    graphql::{
        caller,
        connection::{Paging, cursor, open_cursor, selects},
        error::failure,
        look::Look,
        service,
        types::{
            blocked_time::{BlockedTime, BlockedTimeConnection},
            location::{BusinessLocation, BusinessLocationConnection},
            schedule::{Schedule, ScheduleConnection},
            service::{Service, ServiceConnection},
            service_filter::{service_cursor, service_key},
            session::{Session, SessionConnection},
        },
    },
    store::{
        catalog::{
            BlockedTimeFilter, LocationFilter, ScheduleFilter, ServiceFilter, ServiceKey, ServiceOrder, SessionFilter,
            TimeKey,
        },
        page::{Direction, Page},
    },
};

pub(crate) fn write_key<I: TypedId + std::fmt::Display>(at: Timestamp, id: I) -> String {
    cursor(&format!("{}:{id}", at.as_microsecond()))
}

pub(crate) fn read_key<I: TypedId>(text: &str) -> Option<TimeKey<I>> {
    let content = open_cursor(text)?;
    let (micros, id) = content.split_once(':')?;
    let at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some(TimeKey {
        at,
        id: I::parse(id).ok()?,
    })
}

/// A page's rows made into the API's, beside what is known of the rows around them.
pub(crate) fn around<A, B>(page: &Page<A>, items: Vec<B>) -> Page<B> {
    Page {
        items,
        has_next: page.has_next,
        has_previous: page.has_previous,
    }
}

/// The body of a list: the page, the count if it was selected, the rows.
macro_rules! list {
    ($ctx:ident, $filter:ident, $paging:ident, $load:ident, $count:ident,
        |$rows:ident| $make:expr, $connection:ident, |$node:ident| $key:expr) => {{
        let request = $paging.request(read_key)?;
        let (acts, caller) = (service($ctx), caller($ctx));
        let page = acts
            .$load(caller, $filter.clone(), request)
            .await
            .map_err(|error| failure($ctx, error))?;
        let total = if selects($ctx, "totalCount") {
            Some(
                acts.$count(caller, $filter)
                    .await
                    .map_err(|error| failure($ctx, error))?,
            )
        } else {
            None
        };
        let $rows = page.items.clone();
        let items = $make;
        Ok($connection::new(around(&page, items), |$node| $key, total))
    }};
}

/// A page of services.
pub(crate) async fn services(
    ctx: &Context<'_>,
    filter: ServiceFilter,
    order: (ServiceOrder, Direction),
    paging: &Paging,
) -> async_graphql::Result<ServiceConnection> {
    let request = paging.request(|text| service_key(text, order.0))?;
    let (acts, caller) = (service(ctx), caller(ctx));
    let page = acts.services(caller, filter.clone(), order, request).await;
    let page = page.map_err(|error| failure(ctx, error))?;
    let total = if selects(ctx, "totalCount") {
        let count = acts.count_services(caller, filter).await;
        Some(count.map_err(|error| failure(ctx, error))?)
    } else {
        None
    };
    let items = Service::rows(ctx, page.items.clone(), &Look::rows(ctx)).await?;
    let write = |node: &Service| service_cursor(&ServiceKey::of(&node.offered, order.0), order.0);
    Ok(ServiceConnection::new(around(&page, items), write, total))
}

/// A page of locations.
pub(crate) async fn locations(
    ctx: &Context<'_>,
    filter: LocationFilter,
    paging: &Paging,
) -> async_graphql::Result<BusinessLocationConnection> {
    list!(
        ctx,
        filter,
        paging,
        locations,
        count_locations,
        |rows| rows.into_iter().map(BusinessLocation).collect(),
        BusinessLocationConnection,
        |node| write_key(node.0.created, node.0.id)
    )
}

/// A page of schedules.
pub(crate) async fn schedules(
    ctx: &Context<'_>,
    filter: ScheduleFilter,
    paging: &Paging,
) -> async_graphql::Result<ScheduleConnection> {
    list!(
        ctx,
        filter,
        paging,
        schedules,
        count_schedules,
        |rows| Schedule::rows(ctx, rows, &Look::rows(ctx)).await?,
        ScheduleConnection,
        |node| write_key(node.schedule.created, node.schedule.id)
    )
}

/// A page of sessions.
pub(crate) async fn sessions(
    ctx: &Context<'_>,
    filter: SessionFilter,
    paging: &Paging,
) -> async_graphql::Result<SessionConnection> {
    list!(
        ctx,
        filter,
        paging,
        sessions,
        count_sessions,
        |rows| Session::rows(ctx, rows, &Look::rows(ctx)).await?,
        SessionConnection,
        |node| write_key(node.session.span.start(), node.session.id)
    )
}

/// A page of blocked times.
pub(crate) async fn blocked_times(
    ctx: &Context<'_>,
    filter: BlockedTimeFilter,
    paging: &Paging,
) -> async_graphql::Result<BlockedTimeConnection> {
    list!(
        ctx,
        filter,
        paging,
        blocked_times,
        count_blocked_times,
        |rows| BlockedTime::rows(ctx, rows, Look::rows(ctx).selects("resource")).await?,
        BlockedTimeConnection,
        |node| write_key(node.blocked.span.start(), node.blocked.id)
    )
}

/// Seats that are taken.
pub(crate) struct Taken(HashMap<Target, i64>);

impl Taken {
    /// Of one of those that were asked for.
    pub(crate) fn of(&self, target: Target) -> i64 {
        self.0.get(&target).copied().unwrap_or(0)
    }
}

/// Counts the seats that are taken of sessions and runs, in one query for each of the two.
pub(crate) async fn taken(ctx: &Context<'_>, targets: Vec<Target>) -> async_graphql::Result<Taken> {
    let taken = service(ctx)
        .taken_seats(caller(ctx), targets)
        .await
        .map_err(|error| failure(ctx, error))?;
    Ok(Taken(taken))
}

/// Seats that are left: none where more are taken than there are.
pub(crate) fn remaining(capacity: i32, taken: i64) -> i32 {
    i32::try_from((i64::from(capacity) - taken).max(0)).unwrap_or(i32::MAX)
}
