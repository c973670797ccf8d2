//! Series of sessions.

use async_graphql::{Context, ID, Object};

use super::{
    blocked_time::Transparency,
    booked::Location,
    resource::Resource,
    schedule::Schedule,
    session::{NeededResource, SessionConnection, SessionWindow},
};
use crate::{
    domain::{catalog, ids::SeriesId},
    graphql::{
        caller,
        catalog::lists,
        connection::Paging,
        error::failure,
        scalars::{DateTime, LocalDateTime, TimeZone},
        service,
    },
    store::catalog::SessionFilter,
};

/// Sessions that repeat by a rule. What it says of them holds for all that don't have it of their own.
#[derive(Clone, Debug)]
pub struct SessionSeries(pub catalog::SessionSeries);

impl From<catalog::SessionSeries> for SessionSeries {
    fn from(series: catalog::SessionSeries) -> Self {
        Self(series)
    }
}

impl SessionSeries {
    fn template(&self) -> &crate::domain::recurrence::Template {
        &self.0.series.template
    }
}

/// Sessions that repeat by a rule. What it says of them holds for all that don't have it of their own.
#[Object]
impl SessionSeries {
    /// When it was cancelled, if it was before it had taken place even once. One that was cancelled later has ended, and its
    /// rule says when.
    async fn canceled_date(&self) -> Option<DateTime> {
        self.0.cancelled.map(Into::into)
    }

    /// Seats of its sessions. In a course the run's seats count, not these.
    async fn capacity(&self) -> i32 {
        self.template().capacity
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.series.id.to_string().into()
    }

    /// The wall clock at the end of its first session.
    async fn local_end(&self) -> LocalDateTime {
        self.template().local_end.into()
    }

    /// The wall clock at the start of its first session.
    async fn local_start(&self) -> LocalDateTime {
        self.template().local_start.into()
    }

    /// Where; null: at the service's only location. A location of the business has the name and address here that it had
    /// when this was said.
    async fn location(&self) -> Option<Location> {
        self.template().location.as_ref().map(Location::from)
    }

    /// Up to when its sessions are there, if it has no end: at least a year ahead. Null if all of them are there.
    async fn materialized_until(&self) -> Option<DateTime> {
        self.0.materialized_until.map(Into::into)
    }

    /// Who and what its sessions need, each with whether it is kept busy.
    async fn needed_resources(&self) -> Vec<NeededResource> {
        let needed = self.template().resources.iter().copied();
        needed.map(NeededResource::from).collect()
    }

    /// When it repeats, on its wall clock, as RFC 5545 writes it: a line `RRULE:` and, where there are any, `RDATE:` and
    /// `EXDATE:`.
    async fn recurrence(&self) -> String {
        self.0.series.recurrence.to_string()
    }

    /// Who and what its sessions need; busy for their time, unless `neededResources` or `transparency` says otherwise.
    async fn resources(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Resource>> {
        let ids = self.template().resources.iter().map(|one| one.id);
        Resource::load(ctx, ids.collect()).await
    }

    /// Grows by one with every change of the series. A session that is changed alone has its own.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// On which schedule.
    async fn schedule(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Schedule>> {
        Schedule::find(ctx, self.0.schedule).await
    }

    /// Its sessions, by start, cancelled ones too.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them.")] filter: Option<SessionWindow>,
        #[graphql(desc = "How many from the start, 0 to 100; 50 unless said.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<SessionConnection> {
        let filter = SessionFilter {
            series: Some(vec![self.0.series.id]),
            ..SessionWindow::read(filter.as_ref(), &["filter"])?
        };
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        lists::sessions(ctx, filter, &paging).await
    }

    /// The zone of its wall clock.
    async fn time_zone(&self) -> TimeZone {
        (&self.template().time_zone).into()
    }

    /// The title of its sessions.
    async fn title(&self) -> &str {
        &self.template().title
    }

    /// Whether its sessions keep their resources busy.
    async fn transparency(&self) -> Transparency {
        Transparency::of(self.template().transparent)
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }
}

impl SessionSeries {
    /// The series with this id.
    pub(crate) async fn find(ctx: &Context<'_>, id: SeriesId) -> async_graphql::Result<Option<Self>> {
        Ok(Self::load(ctx, vec![id]).await?.pop())
    }

    /// The series with these ids, in no special order.
    pub(crate) async fn load(ctx: &Context<'_>, mut ids: Vec<SeriesId>) -> async_graphql::Result<Vec<Self>> {
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx).series_by_id(caller(ctx), ids).await;
        let found = found.map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self).collect())
    }
}
