//! What was made of the events of calendar files.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, NullableExpressionMethods as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, delete, insert_into,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, StoreError, on,
    schema::{blocked_times, imported_events, sessions},
    types::At,
};
use crate::domain::{
    catalog::SessionStatus,
    ids::{BlockedTimeId, ResourceId, ScheduleId, SeriesId, SessionId, SiteId},
};

/// What an event of a file, or an occurrence of it, became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Made {
    /// A series of sessions.
    Series(SeriesId),
    /// A session.
    Session(SessionId),
    /// A blocked time.
    Block(BlockedTimeId),
}

/// An event of a file that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// A hash of whose calendar it is and of its UID.
    pub key: Vec<u8>,
    /// Its local start in an event that repeats; empty for the event itself.
    pub occurrence: String,
    /// A hash of what it said.
    pub fingerprint: Vec<u8>,
    /// What it became.
    pub made: Made,
}

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_events, primary_key(site_id, event_key, occurrence))]
#[diesel(treat_none_as_default_value = false)]
struct Row {
    site_id: SiteId,
    event_key: Vec<u8>,
    occurrence: String,
    fingerprint: Vec<u8>,
    series_id: Option<SeriesId>,
    session_id: Option<SessionId>,
    block_id: Option<BlockedTimeId>,
}

impl Row {
    fn event(self) -> Result<ImportedEvent, StoreError> {
        let made = match (self.series_id, self.session_id, self.block_id) {
            (Some(id), None, None) => Made::Series(id),
            (None, Some(id), None) => Made::Session(id),
            (None, None, Some(id)) => Made::Block(id),
            _ => return Err(StoreError::Corrupt("an imported event without an object".to_owned())),
        };
        Ok(ImportedEvent {
            key: self.event_key,
            occurrence: self.occurrence,
            fingerprint: self.fingerprint,
            made,
        })
    }
}

/// Keys that one query asks for.
const KEYS: usize = 1000;

/// All that is known of events with these keys.
pub async fn find(conn: &mut Conn, site: SiteId, keys: &[Vec<u8>]) -> Result<Vec<ImportedEvent>, StoreError> {
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS) {
        let query = imported_events::table.filter(
            imported_events::site_id
                .eq(site)
                .and(imported_events::event_key.eq_any(keys.to_vec())),
        );
        let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
        for row in rows {
            found.push(row.event()?);
        }
    }
    Ok(found)
}

/// All that is known of events of which a session of the schedule takes place and is still to begin.
pub async fn of_schedule(
    conn: &mut Conn,
    site: SiteId,
    schedule: ScheduleId,
    now: Timestamp,
) -> Result<Vec<ImportedEvent>, StoreError> {
    let coming = sessions::table
        .filter(sessions::site_id.eq(site).and(sessions::schedule_id.eq(schedule)))
        .filter(sessions::starts_at.gt(At(now)))
        .filter(sessions::status.eq(SessionStatus::Confirmed));
    let of_site = imported_events::table.filter(imported_events::site_id.eq(site));
    let single = coming.select(sessions::id.nullable());
    let single = of_site.filter(imported_events::session_id.eq_any(single));
    let series = coming
        .filter(sessions::series_id.is_not_null())
        .select(sessions::series_id);
    let series = of_site.filter(imported_events::series_id.eq_any(series));
    let mut rows: Vec<Row> = on!(conn, c => single.select(Row::as_select()).load(c).await)?;
    rows.extend::<Vec<Row>>(on!(conn, c => series.select(Row::as_select()).load(c).await)?);
    rows.into_iter().map(Row::event).collect()
}

/// All that is known of events that are blocked time of the resource which isn't over.
pub async fn of_resource(
    conn: &mut Conn,
    site: SiteId,
    resource: ResourceId,
    now: Timestamp,
) -> Result<Vec<ImportedEvent>, StoreError> {
    let coming = blocked_times::table
        .filter(
            blocked_times::site_id
                .eq(site)
                .and(blocked_times::resource_id.eq(resource)),
        )
        .filter(blocked_times::ends_at.gt(At(now)))
        .select(blocked_times::id.nullable());
    let query = imported_events::table
        .filter(imported_events::site_id.eq(site))
        .filter(imported_events::block_id.eq_any(coming));
    let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
    rows.into_iter().map(Row::event).collect()
}

/// Writes down what became of an event; it is known by its key and occurrence.
pub async fn save(conn: &mut Conn, site: SiteId, event: &ImportedEvent) -> Result<(), StoreError> {
    forget(conn, site, event).await?;
    add(conn, site, event).await
}

/// The same of an event of which nothing is known yet.
pub async fn add(conn: &mut Conn, site: SiteId, event: &ImportedEvent) -> Result<(), StoreError> {
    let mut row = Row {
        site_id: site,
        event_key: event.key.clone(),
        occurrence: event.occurrence.clone(),
        fingerprint: event.fingerprint.clone(),
        series_id: None,
        session_id: None,
        block_id: None,
    };
    match event.made {
        Made::Series(id) => row.series_id = Some(id),
        Made::Session(id) => row.session_id = Some(id),
        Made::Block(id) => row.block_id = Some(id),
    }
    on!(conn, c => insert_into(imported_events::table).values(row).execute(c).await)?;
    Ok(())
}

/// Forgets what became of an event.
pub async fn forget(conn: &mut Conn, site: SiteId, event: &ImportedEvent) -> Result<(), StoreError> {
    let row = imported_events::table
        .filter(imported_events::site_id.eq(site))
        .filter(imported_events::event_key.eq(event.key.clone()))
        .filter(imported_events::occurrence.eq(event.occurrence.clone()));
    on!(conn, c => delete(row).execute(c).await)?;
    Ok(())
}
