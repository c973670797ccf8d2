//! Reading the catalog.

use async_graphql::{Context, ID, InputObject, Object};

use super::lists;
use crate::{
    domain::{ids::TypedId, rejection::Invalid},
    graphql::{
        caller,
        connection::Paging,
        error::{bad_input, coded, failure},
        input::id as read_id,
        scalars::DateTime,
        service,
        types::{
            blocked_time::BlockedTimeConnection,
            resource::{Resource, ResourceConnection},
            resource_filter::{ResourceFilter, ResourceOrder},
            schedule::Schedule,
            service::{Service, ServiceConnection},
            service_filter::{ServiceFilter, ServiceOrder},
            session::{Session, SessionConnection, SessionStatus},
            session_series::SessionSeries,
            site::Site,
        },
    },
    store::catalog as tests,
};

/// Which sessions. What is left out doesn't matter.
#[derive(InputObject, Clone, Debug, Default)]
pub struct SessionFilter {
    /// Those that start at this instant or later.
    from: Option<DateTime>,
    /// Those that have one of these resources, busy or not; cancelled ones have none. At most 100.
    resource_ids: Option<Vec<ID>>,
    /// Those on these schedules. At most 100.
    schedule_ids: Option<Vec<ID>>,
    /// Those of these series. At most 100.
    series_ids: Option<Vec<ID>>,
    /// Those of these services. At most 100.
    service_ids: Option<Vec<ID>>,
    /// Those with this status.
    status: Option<SessionStatus>,
    /// Those that start before this instant.
    to: Option<DateTime>,
}

/// Which blocked times. What is left out doesn't matter.
#[derive(InputObject, Clone, Debug, Default)]
pub struct BlockedTimeFilter {
    /// Those that are over after this instant.
    from: Option<DateTime>,
    /// Those of these resources, and not those that close the business or a location. At most 100.
    resource_ids: Option<Vec<ID>>,
    /// Those that start before this instant.
    to: Option<DateTime>,
}

/// Ids in one filter.
const MAX_IDS: usize = 100;

/// Reads the parts of a filter; the first that can't be understood is the query's error.
pub(super) struct Reader;

impl Reader {
    pub(super) fn ids<I: TypedId>(name: &str, ids: Option<&Vec<ID>>) -> async_graphql::Result<Option<Vec<I>>> {
        let Some(ids) = ids else { return Ok(None) };
        if ids.len() > MAX_IDS {
            let message = format!("`filter.{name}` must have at most {MAX_IDS} entries");
            return Err(coded(message, "BAD_USER_INPUT"));
        }
        let read = ids.iter().enumerate().map(|(index, id)| {
            read_id(id).map_err(|invalid: Invalid| bad_input(&invalid.at(index.to_string()).at(name).at("filter")))
        });
        read.collect::<Result<_, _>>().map(Some)
    }

    fn instant(name: &str, date: Option<&DateTime>) -> async_graphql::Result<Option<jiff::Timestamp>> {
        let read = date.map(|date| date.instant(None)).transpose();
        read.map_err(|invalid| bad_input(&invalid.at(name).at("filter")))
    }
}

impl SessionFilter {
    fn read(self) -> async_graphql::Result<tests::SessionFilter> {
        Ok(tests::SessionFilter {
            from: Reader::instant("from", self.from.as_ref())?,
            to: Reader::instant("to", self.to.as_ref())?,
            services: Reader::ids("serviceIds", self.service_ids.as_ref())?,
            schedules: Reader::ids("scheduleIds", self.schedule_ids.as_ref())?,
            series: Reader::ids("seriesIds", self.series_ids.as_ref())?,
            resources: Reader::ids("resourceIds", self.resource_ids.as_ref())?,
            status: self.status.map(Into::into),
            listed: false,
        })
    }
}

impl BlockedTimeFilter {
    fn read(self) -> async_graphql::Result<tests::BlockedTimeFilter> {
        Ok(tests::BlockedTimeFilter {
            from: Reader::instant("from", self.from.as_ref())?,
            to: Reader::instant("to", self.to.as_ref())?,
            resources: Reader::ids("resourceIds", self.resource_ids.as_ref())?,
            and_closings: false,
        })
    }
}

/// Reading the catalog.
#[derive(Default, Clone)]
pub struct CatalogQuery;

/// Reading the catalog.
#[Object]
impl CatalogQuery {
    /// Times in which resources can't be booked, or the business or a location is closed, by start. For the business; staff
    /// see those of their own calendar, and when it is closed.
    async fn blocked_times(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<BlockedTimeFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<BlockedTimeConnection>> {
        Some(match filter.unwrap_or_default().read() {
            Ok(filter) => {
                lists::blocked_times(
                    ctx,
                    filter,
                    &Paging {
                        first,
                        after,
                        last,
                        before,
                    },
                )
                .await
            }
            Err(error) => Err(error),
        })
    }

    /// A staff member, a room or the like, unless it was deleted.
    async fn resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The resource's id.")] id: ID,
    ) -> Option<async_graphql::Result<Resource>> {
        let id = match read_id(&id) {
            Ok(id) => id,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
        };
        let found = service(ctx).live_resources(caller(ctx), vec![id]).await;
        found
            .map(|mut found| found.pop().map(Resource::from))
            .map_err(|error| failure(ctx, error))
            .transpose()
    }

    /// Staff members, rooms and the like, the oldest first if nothing else is said.
    #[expect(clippy::too_many_arguments, reason = "they are the list's, in the schema")]
    async fn resources(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<ResourceFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted: the oldest first if not said.")] order_by: Option<ResourceOrder>,
    ) -> Option<async_graphql::Result<ResourceConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(match filter.unwrap_or_default().parse() {
            Ok(filter) => ResourceOrder::page(ctx, filter, order_by, &paging).await,
            Err(invalid) => Err(bad_input(&invalid.at("filter"))),
        })
    }

    /// A schedule, such as a course's run, unless it was deleted.
    async fn schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The schedule's id.")] id: ID,
    ) -> Option<async_graphql::Result<Schedule>> {
        let id = match read_id(&id) {
            Ok(id) => id,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
        };
        let found = service(ctx).schedule(caller(ctx), id).await;
        found
            .map(|found| found.map(Schedule::from))
            .map_err(|error| failure(ctx, error))
            .transpose()
    }

    /// A service, by its id or by its slug, unless it was deleted. Give exactly one of them.
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service's id.")] id: Option<ID>,
        #[graphql(desc = "The service's slug, or one that it had before.")] slug: Option<String>,
    ) -> Option<async_graphql::Result<Service>> {
        let found = match (id, slug) {
            (Some(id), None) => match read_id(&id) {
                Ok(id) => service(ctx).service(caller(ctx), id).await,
                Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
            },
            (None, Some(slug)) => service(ctx).service_by_slug(caller(ctx), slug).await,
            _ => return Some(Err(coded("give exactly one of `id` and `slug`", "BAD_USER_INPUT"))),
        };
        found
            .map(|found| found.map(Service::from))
            .map_err(|error| failure(ctx, error))
            .transpose()
    }

    /// What the business offers, the oldest first if nothing else is said. Customers don't find hidden services.
    #[expect(clippy::too_many_arguments, reason = "they are the list's, in the schema")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<ServiceFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted: the oldest first if not said.")] order_by: Option<ServiceOrder>,
    ) -> Option<async_graphql::Result<ServiceConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(match filter.unwrap_or_default().parse() {
            Ok(filter) => lists::services(ctx, filter, ServiceOrder::parse(order_by), &paging).await,
            Err(invalid) => Err(bad_input(&invalid.at("filter"))),
        })
    }

    /// A session of a class or a course, a cancelled one too.
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id.")] id: ID,
    ) -> Option<async_graphql::Result<Session>> {
        match read_id(&id) {
            Ok(id) => Session::find(ctx, id).await.transpose(),
            Err(invalid) => Some(Err(bad_input(&invalid.at("id")))),
        }
    }

    /// A series of sessions, one that has ended too.
    async fn session_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The series' id.")] id: ID,
    ) -> Option<async_graphql::Result<SessionSeries>> {
        match read_id(&id) {
            Ok(id) => SessionSeries::find(ctx, id).await.transpose(),
            Err(invalid) => Some(Err(bad_input(&invalid.at("id")))),
        }
    }

    /// Sessions of classes and courses, by start. Customers don't find those of hidden services unless they name the
    /// service, the schedule or the series.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<SessionFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<SessionConnection>> {
        Some(match filter.unwrap_or_default().read() {
            Ok(filter) => {
                lists::sessions(
                    ctx,
                    filter,
                    &Paging {
                        first,
                        after,
                        last,
                        before,
                    },
                )
                .await
            }
            Err(error) => Err(error),
        })
    }

    /// The business whose catalog and bookings these are.
    async fn site(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Site>> {
        let found = service(ctx)
            .site(caller(ctx))
            .await
            .map_err(|error| failure(ctx, error));
        found.map(|site| site.map(Site::from)).transpose()
    }
}
