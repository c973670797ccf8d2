//! Times in which a resource can't be booked, or the business is closed.

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
    catalog::{BlockedTime, Closing},
    conflict::OverlapReason,
    hours::HoursOwner,
    ids::{BlockedTimeId, LocationId, ResourceId, SiteId},
    time::TimeSpan,
};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = blocked_times, primary_key(site_id, id))]
#[diesel(treat_none_as_default_value = false)]
struct BlockedTimeRow {
    site_id: SiteId,
    id: BlockedTimeId,
    resource_id: Option<ResourceId>,
    starts_at: At,
    ends_at: At,
    reason: Option<String>,
    revision: i64,
    created_at: At,
    updated_at: At,
    transparent: bool,
    location_id: Option<LocationId>,
    overlap_reason: Option<OverlapReason>,
}

impl BlockedTimeRow {
    fn new(site: SiteId, blocked: &BlockedTime) -> Self {
        let blocked = blocked.clone();
        Self {
            site_id: site,
            id: blocked.id,
            resource_id: blocked.owner.resource(),
            starts_at: At(blocked.span.start()),
            ends_at: At(blocked.span.end()),
            reason: blocked.reason,
            revision: blocked.revision,
            created_at: At(blocked.created),
            updated_at: At(blocked.updated),
            transparent: blocked.transparent,
            location_id: blocked.owner.location(),
            overlap_reason: blocked.overlap,
        }
    }

    fn blocked_time(self) -> Result<BlockedTime, StoreError> {
        let owner = HoursOwner::of(self.location_id, self.resource_id);
        Ok(BlockedTime {
            id: self.id,
            owner: owner.ok_or_else(|| corrupt("a blocked time's owner"))?,
            span: TimeSpan::new(self.starts_at.0, self.ends_at.0).ok_or_else(|| corrupt("a blocked time's span"))?,
            reason: self.reason,
            transparent: self.transparent,
            overlap: self.overlap_reason,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The rows of those without a resource.
macro_rules! closing_rows {
    ($site:expr) => {
        blocked_times::table
            .filter(blocked_times::site_id.eq($site))
            .filter(blocked_times::resource_id.is_null())
    };
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
    /// And those that close the business or a location, whatever resources are said.
    pub and_closings: bool,
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
            let of_them = blocked_times::resource_id.eq_any(ids.clone());
            query = if $filter.and_closings {
                query.filter(of_them.or(blocked_times::resource_id.is_null()))
            } else {
                query.filter(of_them)
            };
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

/// What closes the business or its locations and is over after `after`, by start.
pub async fn closings(conn: &mut Conn, site: SiteId, after: Timestamp) -> Result<Vec<Closing>, StoreError> {
    let query = closing_rows!(site).filter(blocked_times::ends_at.gt(At(after)));
    let query = query.filter(blocked_times::transparent.eq(false));
    let rows: Vec<BlockedTimeRow> = on!(conn, c => query.select(BlockedTimeRow::as_select()).load(c).await)?;
    let closing = |blocked: BlockedTime| Closing {
        block: blocked.id,
        location: blocked.owner.location(),
        span: blocked.span,
    };
    let mut found = rows
        .into_iter()
        .map(|row| Ok(closing(row.blocked_time()?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    found.sort_by_key(|closing| (closing.span.start(), closing.block));
    Ok(found)
}

/// The blocked times that close the business or its locations between two instants, transparent ones too.
pub async fn closing_times(
    conn: &mut Conn,
    site: SiteId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<BlockedTime>, StoreError> {
    let query = closing_rows!(site)
        .filter(blocked_times::ends_at.gt(At(from)))
        .filter(blocked_times::starts_at.lt(At(to)));
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
