//! Schedules: where a service's sessions stand, and a course's runs.

use async_graphql::{Context, ID, Object};

use super::{
    service::Service,
    session::{SessionConnection, SessionWindow},
};
use crate::{
    domain::{
        catalog::{self, ServiceKind},
        conflict::Target,
        ids::ScheduleId,
    },
    graphql::{
        caller,
        catalog::lists,
        connection::{Paging, connection},
        error::failure,
        look::Look,
        scalars::DateTime,
        service,
    },
    store::catalog::SessionFilter,
};

/// The schedule of a service. A course's run is one; a course may have several.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The schedule.
    pub schedule: catalog::Schedule,
    /// Its service, where a list has loaded it.
    service: Option<Service>,
    /// Seats that are taken, where a list has counted them.
    taken: Option<i64>,
}

impl From<catalog::Schedule> for Schedule {
    fn from(schedule: catalog::Schedule) -> Self {
        Self {
            schedule,
            service: None,
            taken: None,
        }
    }
}

/// The schedule of a service. A course's run is one; a course may have several.
#[Object]
impl Schedule {
    /// Seats in the whole run; for a class the number that new sessions get.
    async fn capacity(&self) -> i32 {
        self.schedule.capacity
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.schedule.created.into()
    }

    /// When its first session starts; null without sessions.
    async fn first_session_start(&self) -> Option<DateTime> {
        self.schedule.span.map(|span| span.start().into())
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.schedule.id.to_string().into()
    }

    /// When its last session is over; null without sessions.
    async fn last_session_end(&self) -> Option<DateTime> {
        self.schedule.span.map(|span| span.end().into())
    }

    /// Its name, such as "Spring run".
    async fn name(&self) -> &str {
        &self.schedule.name
    }

    /// Seats of a course's run that are left, never less than 0. Null for other types of service.
    async fn remaining_capacity(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i32>> {
        let service = self.service(ctx).await?;
        if service.is_none_or(|service| service.offered.kind != ServiceKind::Course) {
            return Ok(None);
        }
        let taken = if let Some(taken) = self.taken {
            taken
        } else {
            let own = Target::Schedule(self.schedule.id);
            lists::taken(ctx, vec![own]).await?.of(own)
        };
        Ok(Some(lists::remaining(self.schedule.capacity, taken)))
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.schedule.revision
    }

    /// Whose schedule it is.
    #[graphql(name = "service")]
    async fn service_field(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Service>> {
        self.service(ctx).await
    }

    /// Its sessions, by start.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them.")] filter: Option<SessionWindow>,
        #[graphql(desc = "How many from the start, 0 to 100; 50 unless said.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<SessionConnection> {
        let window = SessionWindow::read(filter.as_ref(), &["filter"])?;
        let filter = SessionFilter {
            schedules: Some(vec![self.schedule.id]),
            ..window
        };
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

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.schedule.updated.into()
    }
}

connection!("A list of schedules.", ScheduleConnection, ScheduleEdge, Schedule);

impl Schedule {
    async fn service(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Service>> {
        match &self.service {
            Some(service) => Ok(Some(service.clone())),
            None => Ok(Service::load(ctx, vec![self.schedule.service], &Look::here(ctx))
                .await?
                .pop()),
        }
    }

    /// A schedule, one that was deleted too.
    pub(crate) async fn find(ctx: &Context<'_>, id: ScheduleId) -> async_graphql::Result<Option<Self>> {
        Ok(Self::load(ctx, vec![id], &Look::here(ctx)).await?.pop())
    }

    /// The schedules with these ids, deleted ones too, in no special order.
    pub(crate) async fn load(
        ctx: &Context<'_>,
        mut ids: Vec<ScheduleId>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx)
            .schedules_by_id(caller(ctx), ids)
            .await
            .map_err(|error| failure(ctx, error))?;
        Self::rows(ctx, found, look).await
    }

    /// Makes the rows of a list; what the client asked for below them is loaded at once for all.
    pub(crate) async fn rows(
        ctx: &Context<'_>,
        found: Vec<catalog::Schedule>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        let mut rows: Vec<Self> = found.into_iter().map(Self::from).collect();
        let counts = look.selects("remainingCapacity");
        if counts || look.selects("service") {
            let ids = rows.iter().map(|row| row.schedule.service).collect();
            let services = Box::pin(Service::load(ctx, ids, &look.field("service"))).await?;
            for row in &mut rows {
                row.service = services
                    .iter()
                    .find(|service| service.offered.id == row.schedule.service)
                    .cloned();
            }
        }
        if counts {
            let targets = rows.iter().map(|row| Target::Schedule(row.schedule.id)).collect();
            let taken = lists::taken(ctx, targets).await?;
            for row in &mut rows {
                row.taken = Some(taken.of(Target::Schedule(row.schedule.id)));
            }
        }
        Ok(rows)
    }
}
