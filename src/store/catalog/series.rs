//! Series of sessions.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        schema::session_series,
        types::{At, Json},
    },
    corrupt,
};
use crate::domain::{
    catalog::SessionSeries,
    ids::{ScheduleId, SeriesId, ServiceId, SiteId},
    recurrence::{Recurrence, Series, Template},
    time::ZoneName,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = session_series, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct SeriesRow {
    site_id: SiteId,
    id: SeriesId,
    schedule_id: ScheduleId,
    service_id: ServiceId,
    recurrence: String,
    template: Json<Template>,
    materialized_until: Option<At>,
    revision: i64,
    created_at: At,
    updated_at: At,
    cancelled_at: Option<At>,
}

impl SeriesRow {
    fn new(site: SiteId, kept: &SessionSeries) -> Self {
        Self {
            site_id: site,
            id: kept.series.id,
            schedule_id: kept.schedule,
            service_id: kept.service,
            recurrence: kept.series.recurrence.to_string(),
            template: Json(kept.series.template.clone()),
            materialized_until: kept.materialized_until.map(At),
            revision: kept.revision,
            created_at: At(kept.created),
            updated_at: At(kept.updated),
            cancelled_at: kept.cancelled.map(At),
        }
    }

    fn series(self) -> Result<SessionSeries, StoreError> {
        // The canonical form has no times that need a zone.
        let recurrence =
            Recurrence::parse(&self.recurrence, &ZoneName::utc(), None).map_err(|_| corrupt("the rule of a series"))?;
        Ok(SessionSeries {
            series: Series {
                id: self.id,
                recurrence,
                template: self.template.0,
            },
            schedule: self.schedule_id,
            service: self.service_id,
            materialized_until: self.materialized_until.map(|at| at.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
            cancelled: self.cancelled_at.map(|at| at.0),
        })
    }
}

/// The series with this id.
pub async fn find_series(conn: &mut Conn, site: SiteId, id: SeriesId) -> Result<Option<SessionSeries>, StoreError> {
    let query = session_series::table.find((site, id));
    let row: Option<SeriesRow> = on!(conn, c => query.select(SeriesRow::as_select()).first(c).await.optional())?;
    row.map(SeriesRow::series).transpose()
}

/// Those series that there are, in no special order.
pub async fn find_many_series(
    conn: &mut Conn,
    site: SiteId,
    ids: &[SeriesId],
) -> Result<Vec<SessionSeries>, StoreError> {
    let query = session_series::table.filter(
        session_series::site_id
            .eq(site)
            .and(session_series::id.eq_any(ids.to_vec())),
    );
    let rows: Vec<SeriesRow> = on!(conn, c => query.select(SeriesRow::as_select()).load(c).await)?;
    rows.into_iter().map(SeriesRow::series).collect()
}

/// Adds a series.
pub async fn insert_series(conn: &mut Conn, site: SiteId, new: &SessionSeries) -> Result<(), StoreError> {
    let row = SeriesRow::new(site, new);
    on!(conn, c => insert_into(session_series::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed series.
pub async fn save_series(conn: &mut Conn, site: SiteId, changed: &SessionSeries) -> Result<(), StoreError> {
    let row = SeriesRow::new(site, changed);
    on!(conn, c => update(session_series::table.find((site, changed.series.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Series without an end whose sessions are made to no later than `until`, of any site; the sweep acts on them site by
/// site.
pub async fn series_made_until(
    conn: &mut Conn,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<(SiteId, SeriesId)>, StoreError> {
    let query = session_series::table
        .filter(session_series::materialized_until.le(At(until)))
        .order(session_series::materialized_until.asc())
        .select((session_series::site_id, session_series::id))
        .limit(limit);
    Ok(on!(conn, c => query.load(c).await)?)
}
