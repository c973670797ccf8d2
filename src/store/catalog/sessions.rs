//! Sessions of classes and courses.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        page::{Page, PageRequest},
        schema::{claims, services, sessions},
        types::{At, Json},
    },
    TimeKey, corrupt, count, page,
};
use crate::domain::{
    booking::{BookedResource, Location},
    catalog::{SeriesPlace, Session, SessionStatus},
    ids::{ResourceId, ScheduleId, SeriesId, ServiceId, SessionId, SiteId},
    recurrence::Overrides,
    time::{TimeSpan, ZoneName},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct SessionRow {
    site_id: SiteId,
    id: SessionId,
    schedule_id: ScheduleId,
    service_id: ServiceId,
    title: String,
    local_start: String,
    local_end: String,
    time_zone: String,
    starts_at: At,
    ends_at: At,
    capacity: i32,
    status: SessionStatus,
    resources: Json<Vec<BookedResource>>,
    location: Option<Json<Location>>,
    series_id: Option<SeriesId>,
    original_start_local: Option<String>,
    overrides: Option<Json<Overrides>>,
    revision: i64,
    created_at: At,
    updated_at: At,
    transparent: bool,
}

impl SessionRow {
    fn new(site: SiteId, session: &Session) -> Self {
        let session = session.clone();
        let (series_id, original_start_local, overrides) = match session.series {
            Some(place) => {
                let own = (!place.own.is_plain()).then_some(Json(place.own));
                (Some(place.id), Some(place.original_start.to_string()), own)
            }
            None => (None, None, None),
        };
        Self {
            site_id: site,
            id: session.id,
            schedule_id: session.schedule,
            service_id: session.service,
            title: session.title,
            local_start: session.local_start.to_string(),
            local_end: session.local_end.to_string(),
            time_zone: session.time_zone.as_str().to_owned(),
            starts_at: At(session.span.start()),
            ends_at: At(session.span.end()),
            capacity: session.capacity,
            status: session.status,
            resources: Json(session.resources),
            location: session.location.map(Json),
            series_id,
            original_start_local,
            overrides,
            revision: session.revision,
            created_at: At(session.created),
            updated_at: At(session.updated),
            transparent: session.transparent,
        }
    }

    fn session(self) -> Result<Session, StoreError> {
        let local = |text: &str| text.parse().map_err(|_| corrupt("a session's wall clock"));
        let series = match (self.series_id, &self.original_start_local) {
            (Some(id), Some(original_start)) => Some(SeriesPlace {
                id,
                original_start: local(original_start)?,
                own: self.overrides.map(|own| own.0).unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Session {
            id: self.id,
            schedule: self.schedule_id,
            service: self.service_id,
            title: self.title,
            local_start: local(&self.local_start)?,
            local_end: local(&self.local_end)?,
            time_zone: ZoneName::parse(&self.time_zone).ok_or_else(|| corrupt("a session's time zone"))?,
            span: TimeSpan::new(self.starts_at.0, self.ends_at.0).ok_or_else(|| corrupt("a session's time"))?,
            capacity: self.capacity,
            status: self.status,
            resources: self.resources.0,
            transparent: self.transparent,
            location: self.location.map(|location| location.0),
            series,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The session with this id, a cancelled one too.
pub async fn find_session(conn: &mut Conn, site: SiteId, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> =
        on!(conn, c => sessions::table.find((site, id)).select(SessionRow::as_select()).first(c).await.optional())?;
    row.map(SessionRow::session).transpose()
}

/// Adds a session.
pub async fn insert_session(conn: &mut Conn, site: SiteId, new: &Session) -> Result<(), StoreError> {
    let row = SessionRow::new(site, new);
    on!(conn, c => insert_into(sessions::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed session.
pub async fn save_session(conn: &mut Conn, site: SiteId, changed: &Session) -> Result<(), StoreError> {
    let row = SessionRow::new(site, changed);
    on!(conn, c => update(sessions::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Those sessions that there are, cancelled ones too.
pub async fn find_sessions(conn: &mut Conn, site: SiteId, ids: &[SessionId]) -> Result<Vec<Session>, StoreError> {
    let query = sessions::table.filter(sessions::site_id.eq(site).and(sessions::id.eq_any(ids.to_vec())));
    let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
    rows.into_iter().map(SessionRow::session).collect()
}

/// The sessions of some schedules that take place and aren't over at `now`, by id.
pub async fn upcoming_sessions(
    conn: &mut Conn,
    site: SiteId,
    schedules: &[ScheduleId],
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let query = sessions::table
        .filter(
            sessions::site_id
                .eq(site)
                .and(sessions::schedule_id.eq_any(schedules.to_vec())),
        )
        .filter(
            sessions::status
                .eq(SessionStatus::Confirmed)
                .and(sessions::ends_at.gt(At(now))),
        );
    let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
    let mut found = rows
        .into_iter()
        .map(SessionRow::session)
        .collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|session| session.id);
    Ok(found)
}

/// All sessions of a series, cancelled ones too, by where the rule had put them.
pub async fn sessions_of_series(conn: &mut Conn, site: SiteId, series: SeriesId) -> Result<Vec<Session>, StoreError> {
    let query = sessions::table
        .filter(sessions::site_id.eq(site).and(sessions::series_id.eq(series)))
        .order(sessions::original_start_local.asc());
    let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
    rows.into_iter().map(SessionRow::session).collect()
}

/// All sessions of a site that take place and start from `from` on and before `to`.
pub async fn sessions_of_site(
    conn: &mut Conn,
    site: SiteId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let query = sessions::table
        .filter(sessions::site_id.eq(site))
        .filter(sessions::starts_at.ge(At(from)).and(sessions::starts_at.lt(At(to))))
        .filter(sessions::status.eq(SessionStatus::Confirmed));
    let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
    rows.into_iter().map(SessionRow::session).collect()
}

/// The sessions of some classes that take place, start from `from` on and before `to`, and aren't over at `now`.
pub async fn sessions_between(
    conn: &mut Conn,
    site: SiteId,
    services: &[ServiceId],
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let mut found = Vec::new();
    for service in services {
        let query = sessions::table
            .filter(sessions::site_id.eq(site).and(sessions::service_id.eq(*service)))
            .filter(sessions::starts_at.ge(At(from)).and(sessions::starts_at.lt(At(to))))
            .filter(sessions::ends_at.gt(At(now)))
            .filter(sessions::status.eq(SessionStatus::Confirmed));
        let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
        for row in rows {
            found.push(row.session()?);
        }
    }
    Ok(found)
}

/// The sessions of a course's run that take place, past ones too.
pub async fn sessions_of_run(conn: &mut Conn, site: SiteId, run: ScheduleId) -> Result<Vec<Session>, StoreError> {
    let query = sessions::table
        .filter(sessions::site_id.eq(site).and(sessions::schedule_id.eq(run)))
        .filter(sessions::status.eq(SessionStatus::Confirmed));
    let rows: Vec<SessionRow> = on!(conn, c => query.select(SessionRow::as_select()).load(c).await)?;
    rows.into_iter().map(SessionRow::session).collect()
}

/// Which sessions of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// That start at this instant or later.
    pub from: Option<Timestamp>,
    /// That start before this instant.
    pub to: Option<Timestamp>,
    /// Of these services.
    pub services: Option<Vec<ServiceId>>,
    /// On these schedules.
    pub schedules: Option<Vec<ScheduleId>>,
    /// Of these series.
    pub series: Option<Vec<SeriesId>>,
    /// That have one of these resources; cancelled ones have none.
    pub resources: Option<Vec<ResourceId>>,
    /// With this status.
    pub status: Option<SessionStatus>,
    /// Only of services that aren't hidden.
    pub listed: bool,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(from) = $filter.from {
            query = query.filter(sessions::starts_at.ge(At(from)));
        }
        if let Some(to) = $filter.to {
            query = query.filter(sessions::starts_at.lt(At(to)));
        }
        if let Some(ids) = &$filter.services {
            query = query.filter(sessions::service_id.eq_any(ids.clone()));
        }
        if let Some(ids) = &$filter.schedules {
            query = query.filter(sessions::schedule_id.eq_any(ids.clone()));
        }
        if let Some(ids) = &$filter.series {
            query = query.filter(sessions::series_id.eq_any(ids.clone()));
        }
        if let Some(ids) = &$filter.resources {
            let held = claims::table
                .filter(claims::site_id.eq(sessions::site_id))
                .filter(claims::holder_session_id.eq(sessions::id.nullable()))
                .filter(claims::resource_id.eq_any(ids.clone()));
            query = query.filter(diesel::dsl::exists(held));
        }
        if let Some(status) = $filter.status {
            query = query.filter(sessions::status.eq(status));
        }
        if $filter.listed {
            let hidden = services::table
                .filter(services::site_id.eq(sessions::site_id))
                .filter(services::id.eq(sessions::service_id))
                .filter(services::hidden.eq(true));
            query = query.filter(diesel::dsl::not(diesel::dsl::exists(hidden)));
        }
        query
    }};
}

/// A page of sessions, by start.
pub async fn page_sessions(
    conn: &mut Conn,
    site: SiteId,
    filter: &SessionFilter,
    request: &PageRequest<TimeKey<SessionId>>,
) -> Result<Page<Session>, StoreError> {
    let key = |session: &Session| TimeKey {
        at: session.span.start(),
        id: session.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                sessions::site_id.eq(site),
                &request,
                sessions,
                starts_at,
                SessionRow,
                |query| filtered!(query, &filter)
            )?;
            rows.into_iter().map(SessionRow::session).collect()
        })
    })
    .await
}

/// How many sessions pass the filter.
pub async fn count_sessions(conn: &mut Conn, site: SiteId, filter: &SessionFilter) -> Result<i64, StoreError> {
    Ok(count!(conn, sessions::site_id.eq(site), sessions, |query| filtered!(
        query, filter
    ))?)
}
