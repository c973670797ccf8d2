//! Sessions of classes and courses.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    blocked_time::Transparency,
    booked::Location,
    resource::{self, Resource},
    schedule::Schedule,
    service::Service,
    session_series::SessionSeries,
};
use crate::{
    domain::{
        catalog::{self, ServiceKind},
        conflict::Target,
        ids::{ResourceId, SessionId},
        recurrence::ResourceUse,
    },
    graphql::{
        caller,
        catalog::lists,
        connection::connection,
        error::{bad_input, failure},
        look::Look,
        scalars::{DateTime, LocalDateTime, TimeZone},
        service,
    },
    store::catalog::SessionFilter,
};

/// Whether a session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::catalog::SessionStatus")]
pub enum SessionStatus {
    /// It doesn't.
    Cancelled,
    /// It does.
    Confirmed,
}

/// What a session takes from its series, unless it has it of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::recurrence::Inherited")]
pub enum SessionField {
    /// Its seats.
    Capacity,
    /// Where.
    Location,
    /// Who and what it needs.
    Resources,
    /// Its start and end.
    Time,
    /// The zone of its wall clock.
    TimeZone,
    /// Its title.
    Title,
    /// Whether it keeps its resources busy.
    Transparency,
}

impl SessionField {
    /// All there are.
    pub(crate) const ALL: [Self; 7] = [
        Self::Capacity,
        Self::Location,
        Self::Resources,
        Self::Time,
        Self::TimeZone,
        Self::Title,
        Self::Transparency,
    ];
}

/// Who or what a session needs.
#[derive(SimpleObject, Clone, Debug)]
pub struct NeededResource {
    /// The staff member or room.
    resource_id: ID,
    /// Whether it is kept busy, as far as that was said of it alone: a transparent session keeps none busy.
    transparency: Transparency,
}

impl From<ResourceUse> for NeededResource {
    fn from(needed: ResourceUse) -> Self {
        Self {
            resource_id: needed.id.to_string().into(),
            transparency: Transparency::of(needed.transparent),
        }
    }
}

/// Which sessions of a service or schedule.
#[derive(InputObject, Clone, Debug)]
pub struct SessionWindow {
    /// Those that start at this instant or later.
    from: Option<DateTime>,
    /// Those with this status.
    status: Option<SessionStatus>,
    /// Those that start before this instant.
    to: Option<DateTime>,
}

impl SessionWindow {
    /// The filter of the store; a malformed date is an error at `path`.
    pub(crate) fn read(window: Option<&Self>, path: &[&str]) -> async_graphql::Result<SessionFilter> {
        let Some(window) = window else {
            return Ok(SessionFilter::default());
        };
        let instant = |date: &Option<DateTime>, name: &str| {
            let read = date.as_ref().map(|date| date.instant(None)).transpose();
            read.map_err(|invalid| {
                let invalid = path
                    .iter()
                    .rev()
                    .fold(invalid.at(name), |invalid, segment| invalid.at(*segment));
                bad_input(&invalid)
            })
        };
        Ok(SessionFilter {
            from: instant(&window.from, "from")?,
            to: instant(&window.to, "to")?,
            status: window.status.map(Into::into),
            ..SessionFilter::default()
        })
    }
}

/// One block of time on the schedule of a class or a course.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session.
    pub session: catalog::Session,
    /// Its service, where a list has loaded it.
    service: Option<Service>,
    /// Its schedule, where a list has loaded it.
    schedule: Option<Schedule>,
    /// Its resources, where a list has loaded them.
    resources: Option<Vec<Resource>>,
    /// Its series, where a list has loaded it.
    series: Option<SessionSeries>,
    /// Seats that are left, where a list has counted them.
    remaining: Option<i32>,
}

impl From<catalog::Session> for Session {
    fn from(session: catalog::Session) -> Self {
        Self {
            session,
            service: None,
            schedule: None,
            resources: None,
            series: None,
            remaining: None,
        }
    }
}

/// One block of time on the schedule of a class or a course.
#[Object]
impl Session {
    /// Seats. For a session of a course the run's seats count, not these.
    async fn capacity(&self) -> i32 {
        self.session.capacity
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.session.created.into()
    }

    /// The instant at which it is over.
    async fn end_date(&self) -> DateTime {
        self.session.span.end().into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.session.id.to_string().into()
    }

    /// The wall clock at its end.
    async fn local_end(&self) -> LocalDateTime {
        self.session.local_end.into()
    }

    /// The wall clock at its start.
    async fn local_start(&self) -> LocalDateTime {
        self.session.local_start.into()
    }

    /// Where; null: at the service's only location. A location of the business has the name and address here that it had
    /// when this was said.
    async fn location(&self) -> Option<Location> {
        self.session.location.as_ref().map(Location::from)
    }

    /// Who and what it needs, each with whether it is kept busy.
    async fn needed_resources(&self) -> Vec<NeededResource> {
        self.session.uses().map(NeededResource::from).collect()
    }

    /// Where its series' rule had put it, on the series' clock, whatever became of its own time; null if it is of none. The
    /// stable key of a session in its series.
    async fn original_start(&self) -> Option<LocalDateTime> {
        self.session.series.as_ref().map(|place| place.original_start.into())
    }

    /// What it has of its own and doesn't take from its series any more; empty if it is of none. `restoreSession` takes it
    /// back.
    async fn overridden_fields(&self) -> Vec<SessionField> {
        let own = self.session.series.as_ref().map(|place| &place.own);
        let overridden = own
            .into_iter()
            .flat_map(|own| SessionField::ALL.into_iter().filter(|field| own.has((*field).into())));
        overridden.collect()
    }

    /// Seats that are left, never less than 0. For a session of a course those of the run.
    async fn remaining_capacity(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        match self.remaining {
            Some(remaining) => Ok(remaining),
            None => remaining(ctx, std::slice::from_ref(&self.session))
                .await?
                .pop()
                .ok_or_else(gone),
        }
    }

    /// Who and what it needs; busy for its time, unless `neededResources` or `transparency` says otherwise.
    async fn resources(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Resource>> {
        match &self.resources {
            Some(resources) => Ok(resources.clone()),
            None => Resource::load(ctx, resource_ids(&self.session)).await,
        }
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.session.revision
    }

    /// On which schedule.
    async fn schedule(&self, ctx: &Context<'_>) -> async_graphql::Result<Schedule> {
        match &self.schedule {
            Some(schedule) => Ok(schedule.clone()),
            None => Schedule::find(ctx, self.session.schedule).await?.ok_or_else(gone),
        }
    }

    /// The series that it is of, if it repeats.
    async fn series(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<SessionSeries>> {
        match (&self.series, &self.session.series) {
            (Some(series), _) => Ok(Some(series.clone())),
            (None, Some(place)) => SessionSeries::find(ctx, place.id).await,
            (None, None) => Ok(None),
        }
    }

    /// Of which service.
    async fn service(&self, ctx: &Context<'_>) -> async_graphql::Result<Service> {
        match &self.service {
            Some(service) => Ok(service.clone()),
            None => Service::load(ctx, vec![self.session.service], &Look::here(ctx))
                .await?
                .pop()
                .ok_or_else(gone),
        }
    }

    /// The first instant.
    async fn start_date(&self) -> DateTime {
        self.session.span.start().into()
    }

    /// Whether it takes place.
    async fn status(&self) -> SessionStatus {
        self.session.status.into()
    }

    /// The zone of its wall clock.
    async fn time_zone(&self) -> TimeZone {
        (&self.session.time_zone).into()
    }

    /// Its title; the service's name unless it has its own.
    async fn title(&self) -> &str {
        &self.session.title
    }

    /// Whether it keeps its resources busy. A transparent one keeps none; it is offered and booked all the same.
    async fn transparency(&self) -> Transparency {
        Transparency::of(self.session.transparent)
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.session.updated.into()
    }
}

connection!("A list of sessions.", SessionConnection, SessionEdge, Session);

impl Session {
    /// A session, a cancelled one too.
    pub(crate) async fn find(ctx: &Context<'_>, id: SessionId) -> async_graphql::Result<Option<Self>> {
        Ok(Self::load(ctx, vec![id], &Look::here(ctx)).await?.pop())
    }

    /// The sessions with these ids, cancelled ones too, in no special order.
    pub(crate) async fn load(
        ctx: &Context<'_>,
        mut ids: Vec<SessionId>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx)
            .sessions_by_id(caller(ctx), ids)
            .await
            .map_err(|error| failure(ctx, error))?;
        Self::rows(ctx, found, look).await
    }

    /// Makes the rows of a list; what the client asked for below them is loaded at once for all.
    pub(crate) async fn rows(
        ctx: &Context<'_>,
        found: Vec<catalog::Session>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        let seats = if look.selects("remainingCapacity") {
            Some(remaining(ctx, &found).await?)
        } else {
            None
        };
        let mut rows: Vec<Self> = found.into_iter().map(Self::from).collect();
        for (row, left) in rows.iter_mut().zip(seats.into_iter().flatten()) {
            row.remaining = Some(left);
        }
        if look.selects("service") {
            let ids = rows.iter().map(|row| row.session.service).collect();
            let services = Service::load(ctx, ids, &look.field("service")).await?;
            for row in &mut rows {
                row.service = services
                    .iter()
                    .find(|service| service.offered.id == row.session.service)
                    .cloned();
            }
        }
        if look.selects("schedule") {
            let ids = rows.iter().map(|row| row.session.schedule).collect();
            let schedules = Schedule::load(ctx, ids, &look.field("schedule")).await?;
            for row in &mut rows {
                row.schedule = schedules
                    .iter()
                    .find(|found| found.schedule.id == row.session.schedule)
                    .cloned();
            }
        }
        if look.selects("series") {
            let ids = rows.iter().filter_map(|row| Some(row.session.series.as_ref()?.id));
            let found = SessionSeries::load(ctx, ids.collect()).await?;
            for row in &mut rows {
                let id = row.session.series.as_ref().map(|place| place.id);
                row.series = found.iter().find(|series| Some(series.0.series.id) == id).cloned();
            }
        }
        if look.selects("resources") {
            let mut ids: Vec<_> = rows.iter().flat_map(|row| resource_ids(&row.session)).collect();
            ids.sort();
            ids.dedup();
            let found: Vec<_> = Resource::load(ctx, ids)
                .await?
                .into_iter()
                .map(|resource| resource.0)
                .collect();
            for row in &mut rows {
                row.resources = Some(resource::pick(&resource_ids(&row.session), &found));
            }
        }
        Ok(rows)
    }
}

fn resource_ids(session: &catalog::Session) -> Vec<ResourceId> {
    session.resources.iter().map(|resource| resource.id).collect()
}

/// What foreign keys rule out: a row without its parent.
fn gone() -> async_graphql::Error {
    crate::graphql::error::coded("internal error", "INTERNAL_ERROR")
}

/// The seats left in each of the sessions: its own, or those of its course's run.
async fn remaining(ctx: &Context<'_>, sessions: &[catalog::Session]) -> async_graphql::Result<Vec<i32>> {
    let (acts, caller) = (service(ctx), caller(ctx));
    let mut services: Vec<_> = sessions.iter().map(|session| session.service).collect();
    services.sort();
    services.dedup();
    let services = acts
        .services_by_id(caller, services)
        .await
        .map_err(|error| failure(ctx, error))?;
    let of_course = |session: &catalog::Session| {
        services
            .iter()
            .any(|service| service.id == session.service && service.kind == ServiceKind::Course)
    };
    let mut runs: Vec<_> = sessions
        .iter()
        .filter(|session| of_course(session))
        .map(|session| session.schedule)
        .collect();
    runs.sort();
    runs.dedup();
    let runs = if runs.is_empty() {
        Vec::new()
    } else {
        acts.schedules_by_id(caller, runs)
            .await
            .map_err(|error| failure(ctx, error))?
    };
    let place = |session: &catalog::Session| match runs.iter().find(|run| run.id == session.schedule) {
        Some(run) => (Target::Schedule(run.id), run.capacity),
        None => (Target::Session(session.id), session.capacity),
    };
    let taken = lists::taken(ctx, sessions.iter().map(|session| place(session).0).collect()).await?;
    Ok(sessions
        .iter()
        .map(|session| {
            let (target, capacity) = place(session);
            lists::remaining(capacity, taken.of(target))
        })
        .collect())
}
