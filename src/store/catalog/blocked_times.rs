//! Times in which a resource can't be booked.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _, delete, insert_into,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        page::{Page, PageRequest},
        schema::blocked_times,
        types::At,
    },
    TimeKey, corrupt, count, page,
};
use crate::domain::{
    catalog::BlockedTime,
    ids::{BlockedTimeId, ResourceId, SiteId},
    time::TimeSpan,
};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = blocked_times, primary_key(site_id, id))]
#[diesel(treat_none_as_default_value = false)]
struct BlockedTimeRow {
    site_id: SiteId,
    id: BlockedTimeId,
    resource_id: ResourceId,
    starts_at: At,
    ends_at: At,
    reason: Option<String>,
    revision: i64,
    created_at: At,
    updated_at: At,
    transparent: bool,
}

impl BlockedTimeRow {
    fn new(site: SiteId, blocked: &BlockedTime) -> Self {
        let blocked = blocked.clone();
        Self {
            site_id: site,
            id: blocked.id,
            resource_id: blocked.resource,
            starts_at: At(blocked.span.start()),
            ends_at: At(blocked.span.end()),
            reason: blocked.reason,
            revision: blocked.revision,
            created_at: At(blocked.created),
            updated_at: At(blocked.updated),
            transparent: blocked.transparent,
        }
    }

    fn blocked_time(self) -> Result<BlockedTime, StoreError> {
        Ok(BlockedTime {
            id: self.id,
            resource: self.resource_id,
            span: TimeSpan::new(self.starts_at.0, self.ends_at.0).ok_or_else(|| corrupt("a blocked time's span"))?,
            reason: self.reason,
            transparent: self.transparent,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The blocked time with this id.
pub async fn find_blocked_time(
    conn: &mut Conn,
    site: SiteId,
    id: BlockedTimeId,
) -> Result<Option<BlockedTime>, StoreError> {
    let query = blocked_times::table.find((site, id));
    let row: Option<BlockedTimeRow> =
        on!(conn, c => query.select(BlockedTimeRow::as_select()).first(c).await.optional())?;
    row.map(BlockedTimeRow::blocked_time).transpose()
}

/// Adds a blocked time.
pub async fn insert_blocked_time(conn: &mut Conn, site: SiteId, new: &BlockedTime) -> Result<(), StoreError> {
    let row = BlockedTimeRow::new(site, new);
    on!(conn, c => insert_into(blocked_times::table).values(row).execute(c).await)?;
    Ok(())
}

/// Takes a blocked time away.
pub async fn delete_blocked_time(conn: &mut Conn, site: SiteId, id: BlockedTimeId) -> Result<(), StoreError> {
    on!(conn, c => delete(blocked_times::table.find((site, id))).execute(c).await)?;
    Ok(())
}

/// Which blocked times of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedTimeFilter {
    /// That are over after this instant.
    pub from: Option<Timestamp>,
    /// That start before this instant.
    pub to: Option<Timestamp>,
    /// Of these resources.
    pub resources: Option<Vec<ResourceId>>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(from) = $filter.from {
            query = query.filter(blocked_times::ends_at.gt(At(from)));
        }
        if let Some(to) = $filter.to {
            query = query.filter(blocked_times::starts_at.lt(At(to)));
        }
        if let Some(ids) = &$filter.resources {
            query = query.filter(blocked_times::resource_id.eq_any(ids.clone()));
        }
        query
    }};
}

/// A page of blocked times, by start.
pub async fn page_blocked_times(
    conn: &mut Conn,
    site: SiteId,
    filter: &BlockedTimeFilter,
    request: &PageRequest<TimeKey<BlockedTimeId>>,
) -> Result<Page<BlockedTime>, StoreError> {
    let key = |blocked: &BlockedTime| TimeKey {
        at: blocked.span.start(),
        id: blocked.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                blocked_times::site_id.eq(site),
                &request,
                blocked_times,
                starts_at,
                BlockedTimeRow,
                |query| filtered!(query, &filter)
            )?;
            rows.into_iter().map(BlockedTimeRow::blocked_time).collect()
        })
    })
    .await
}

/// The blocked times with these ids.
pub async fn find_blocked_times(
    conn: &mut Conn,
    site: SiteId,
    ids: &[BlockedTimeId],
) -> Result<Vec<BlockedTime>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = blocked_times::table.filter(
        blocked_times::site_id
            .eq(site)
            .and(blocked_times::id.eq_any(ids.to_vec())),
    );
    let rows: Vec<BlockedTimeRow> = on!(conn, c => query.select(BlockedTimeRow::as_select()).load(c).await)?;
    rows.into_iter().map(BlockedTimeRow::blocked_time).collect()
}

/// The transparent blocked times that start from `from` on and before `to`.
pub async fn transparent_times(
    conn: &mut Conn,
    site: SiteId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<BlockedTime>, StoreError> {
    let query = blocked_times::table
        .filter(blocked_times::site_id.eq(site))
        .filter(
            blocked_times::starts_at
                .ge(At(from))
                .and(blocked_times::starts_at.lt(At(to))),
        )
        .filter(blocked_times::transparent.eq(true));
    let rows: Vec<BlockedTimeRow> = on!(conn, c => query.select(BlockedTimeRow::as_select()).load(c).await)?;
    rows.into_iter().map(BlockedTimeRow::blocked_time).collect()
}

/// How many blocked times pass the filter.
pub async fn count_blocked_times(conn: &mut Conn, site: SiteId, filter: &BlockedTimeFilter) -> Result<i64, StoreError> {
    Ok(count!(
        conn,
        blocked_times::site_id.eq(site),
        blocked_times,
        |query| filtered!(query, filter)
    )?)
}
