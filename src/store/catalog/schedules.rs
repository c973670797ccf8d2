//! Schedules.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        Conn, StoreError, on,
        page::{Page, PageRequest},
        schema::{schedules, sessions},
        types::At,
    },
    TimeKey, count, page,
};
use crate::domain::{
    catalog::{MAX_SESSION_HOURS, Schedule, SessionStatus},
    ids::{ScheduleId, ServiceId, SiteId},
    time::TimeSpan,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schedules, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ScheduleRow {
    site_id: SiteId,
    id: ScheduleId,
    service_id: ServiceId,
    name: String,
    capacity: i32,
    first_session_start: Option<At>,
    last_session_end: Option<At>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl ScheduleRow {
    fn new(site: SiteId, schedule: &Schedule) -> Self {
        let schedule = schedule.clone();
        Self {
            site_id: site,
            id: schedule.id,
            service_id: schedule.service,
            name: schedule.name,
            capacity: schedule.capacity,
            first_session_start: schedule.span.map(|span| At(span.start())),
            last_session_end: schedule.span.map(|span| At(span.end())),
            revision: schedule.revision,
            created_at: At(schedule.created),
            updated_at: At(schedule.updated),
        }
    }

    fn schedule(self) -> Schedule {
        Schedule {
            id: self.id,
            service: self.service_id,
            name: self.name,
            capacity: self.capacity,
            span: self
                .first_session_start
                .zip(self.last_session_end)
                .and_then(|(start, end)| TimeSpan::new(start.0, end.0)),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The schedule with this id, unless it was deleted.
pub async fn find_schedule(conn: &mut Conn, site: SiteId, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    let query = schedules::table
        .find((site, id))
        .filter(schedules::deleted_at.is_null());
    let row: Option<ScheduleRow> = on!(conn, c => query.select(ScheduleRow::as_select()).first(c).await.optional())?;
    Ok(row.map(ScheduleRow::schedule))
}

/// Adds a schedule.
pub async fn insert_schedule(conn: &mut Conn, site: SiteId, new: &Schedule) -> Result<(), StoreError> {
    let row = ScheduleRow::new(site, new);
    on!(conn, c => insert_into(schedules::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed schedule.
pub async fn save_schedule(conn: &mut Conn, site: SiteId, changed: &Schedule) -> Result<(), StoreError> {
    let row = ScheduleRow::new(site, changed);
    on!(conn, c => update(schedules::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Those schedules that there are, deleted ones too: bookings still refer to them.
pub async fn find_schedules_ever(
    conn: &mut Conn,
    site: SiteId,
    ids: &[ScheduleId],
) -> Result<Vec<Schedule>, StoreError> {
    let query = schedules::table.filter(schedules::site_id.eq(site).and(schedules::id.eq_any(ids.to_vec())));
    let rows: Vec<ScheduleRow> = on!(conn, c => query.select(ScheduleRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(ScheduleRow::schedule).collect())
}

/// The schedules of a service that weren't deleted, by id.
pub async fn schedules_of(conn: &mut Conn, site: SiteId, service: ServiceId) -> Result<Vec<Schedule>, StoreError> {
    let query = schedules::table
        .filter(schedules::site_id.eq(site).and(schedules::service_id.eq(service)))
        .filter(schedules::deleted_at.is_null());
    let rows: Vec<ScheduleRow> =
        on!(conn, c => query.select(ScheduleRow::as_select()).order(schedules::id.asc()).load(c).await)?;
    Ok(rows.into_iter().map(ScheduleRow::schedule).collect())
}

/// Which schedules of a list; deleted ones are in none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// Of these services.
    pub services: Option<Vec<ServiceId>>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.filter(schedules::deleted_at.is_null());
        if let Some(ids) = &$filter.services {
            query = query.filter(schedules::service_id.eq_any(ids.clone()));
        }
        query
    }};
}

/// A page of schedules, the oldest first.
pub async fn page_schedules(
    conn: &mut Conn,
    site: SiteId,
    filter: &ScheduleFilter,
    request: &PageRequest<TimeKey<ScheduleId>>,
) -> Result<Page<Schedule>, StoreError> {
    let key = |schedule: &Schedule| TimeKey {
        at: schedule.created,
        id: schedule.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                schedules::site_id.eq(site),
                &request,
                schedules,
                created_at,
                ScheduleRow,
                |query| filtered!(query, &filter)
            )?;
            Ok(rows.into_iter().map(ScheduleRow::schedule).collect())
        })
    })
    .await
}

/// How many schedules pass the filter.
pub async fn count_schedules(conn: &mut Conn, site: SiteId, filter: &ScheduleFilter) -> Result<i64, StoreError> {
    Ok(count!(
        conn,
        schedules::site_id.eq(site),
        schedules,
        |query| filtered!(query, filter)
    )?)
}

/// From the first start to the last end of the sessions that take place.
pub async fn session_span(conn: &mut Conn, site: SiteId, id: ScheduleId) -> Result<Option<TimeSpan>, StoreError> {
    let all = sessions::table
        .filter(sessions::site_id.eq(site).and(sessions::schedule_id.eq(id)))
        .filter(sessions::status.eq(SessionStatus::Confirmed));
    let first = all.order(sessions::starts_at.asc()).select(sessions::starts_at);
    let first: Option<At> = on!(conn, c => first.first(c).await.optional())?;
    let latest = all.order(sessions::starts_at.desc()).select(sessions::starts_at);
    let latest: Option<At> = on!(conn, c => latest.first(c).await.optional())?;
    let Some(latest) = latest else { return Ok(None) };
    // No session is so long that one of before could be over later than the latest to start.
    let longest = SignedDuration::from_hours(MAX_SESSION_HOURS);
    let late = latest.0.checked_sub(longest).unwrap_or(latest.0);
    let last = all.filter(sessions::starts_at.ge(At(late)));
    let last = last.order(sessions::ends_at.desc()).select(sessions::ends_at);
    let last: Option<At> = on!(conn, c => last.first(c).await.optional())?;
    Ok(first.zip(last).and_then(|(first, last)| TimeSpan::new(first.0, last.0)))
}

/// Marks a schedule as deleted.
pub async fn delete_schedule(conn: &mut Conn, site: SiteId, id: ScheduleId, now: Timestamp) -> Result<(), StoreError> {
    let deleted = schedules::deleted_at.eq(At(now));
    on!(conn, c => update(schedules::table.find((site, id))).set(deleted).execute(c).await)?;
    Ok(())
}
