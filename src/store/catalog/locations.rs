//! Locations of the business, and what refers to them.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _,
    dsl::sql,
    insert_into,
    sql_types::{Bool, Text},
    update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Conn, StoreError, on,
        page::{Filter, Page, PageRequest},
        schema::{business_locations, opening_hours, resources},
        types::{At, Json},
    },
    ServiceField, TimeKey, count, count_services, find_resources, page,
};
use crate::domain::{
    catalog::BusinessLocation,
    ids::{LocationId, ResourceId, SiteId, TypedId as _},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = business_locations, primary_key(site_id, id))]
struct LocationRow {
    site_id: SiteId,
    id: LocationId,
    name: String,
    is_default: bool,
    details: Json<Details>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

/// What no list looks at.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    formatted_address: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

impl LocationRow {
    fn new(site: SiteId, location: &BusinessLocation) -> Self {
        let location = location.clone();
        Self {
            site_id: site,
            id: location.id,
            name: location.name,
            is_default: location.default,
            details: Json(Details {
                formatted_address: location.formatted_address,
                email: location.email,
                phone: location.phone,
            }),
            revision: location.revision,
            created_at: At(location.created),
            updated_at: At(location.updated),
        }
    }

    fn location(self) -> BusinessLocation {
        let details = self.details.0;
        BusinessLocation {
            id: self.id,
            name: self.name,
            formatted_address: details.formatted_address,
            email: details.email,
            phone: details.phone,
            default: self.is_default,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// Those locations that there are and that weren't deleted, by id.
pub async fn find_locations(
    conn: &mut Conn,
    site: SiteId,
    ids: &[LocationId],
) -> Result<Vec<BusinessLocation>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let of = business_locations::site_id
        .eq(site)
        .and(business_locations::id.eq_any(ids.to_vec()));
    let query = business_locations::table
        .filter(of)
        .filter(business_locations::deleted_at.is_null())
        .order(business_locations::id.asc());
    let rows: Vec<LocationRow> = on!(conn, c => query.select(LocationRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(LocationRow::location).collect())
}

/// Those locations that there are, deleted ones too: bookings and sessions still refer to them.
pub async fn find_locations_ever(
    conn: &mut Conn,
    site: SiteId,
    ids: &[LocationId],
) -> Result<Vec<BusinessLocation>, StoreError> {
    let of = business_locations::site_id
        .eq(site)
        .and(business_locations::id.eq_any(ids.to_vec()));
    let query = business_locations::table.filter(of).order(business_locations::id.asc());
    let rows: Vec<LocationRow> = on!(conn, c => query.select(LocationRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(LocationRow::location).collect())
}

/// The location that the business names first, if there is one.
pub async fn default_location(conn: &mut Conn, site: SiteId) -> Result<Option<BusinessLocation>, StoreError> {
    let of_site = business_locations::site_id.eq(site).and(business_locations::is_default);
    let query = business_locations::table.filter(of_site);
    let row: Option<LocationRow> = on!(conn, c => query.select(LocationRow::as_select()).first(c).await.optional())?;
    Ok(row.map(LocationRow::location))
}

/// Adds a location.
pub async fn insert_location(conn: &mut Conn, site: SiteId, new: &BusinessLocation) -> Result<(), StoreError> {
    let row = LocationRow::new(site, new);
    on!(conn, c => insert_into(business_locations::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed location.
pub async fn save_location(conn: &mut Conn, site: SiteId, changed: &BusinessLocation) -> Result<(), StoreError> {
    let row = LocationRow::new(site, changed);
    let of = business_locations::table.find((site, changed.id));
    on!(conn, c => update(of).set(row).execute(c).await)?;
    Ok(())
}

/// Marks a location as deleted.
pub async fn delete_location(conn: &mut Conn, site: SiteId, id: LocationId, now: Timestamp) -> Result<(), StoreError> {
    let of = business_locations::table.find((site, id));
    on!(conn, c => update(of).set(business_locations::deleted_at.eq(At(now))).execute(c).await)?;
    Ok(())
}

/// What refers to a location and wasn't deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LocationUse {
    /// Services that are given there.
    pub services: i64,
    /// Resources that are bound to it, by their limits or their hours.
    pub resources: usize,
}

/// Who and what refers to a location.
pub async fn location_use(conn: &mut Conn, site: SiteId, id: LocationId) -> Result<LocationUse, StoreError> {
    let services = count_services(conn, site, &Filter::Is(ServiceField::Location(id))).await?;
    // Within these documents, only an id can look like one with its quotes.
    let quoted = format!(r#""{}""#, id.uuid());
    let limited = resources::table
        .filter(resources::site_id.eq(site).and(resources::deleted_at.is_null()))
        .filter(resources::location_ids.is_not_null())
        .select(resources::id);
    let bound = opening_hours::table
        .filter(opening_hours::site_id.eq(site).and(opening_hours::hours.is_not_null()))
        .select(opening_hours::owner_id);
    let (mut named, by_hours): (Vec<ResourceId>, Vec<ResourceId>) = on!(conn,
        sqlite c => {
            let limits = sql::<Bool>("instr(resources.location_ids, ").bind::<Text, _>(&quoted).sql(") > 0");
            let hours = sql::<Bool>("instr(opening_hours.hours, ").bind::<Text, _>(&quoted).sql(") > 0");
            (limited.filter(limits).load(c).await?, bound.filter(hours).load(c).await?)
        },
        pg c => {
            let limits = sql::<Bool>("strpos(resources.location_ids::text, ").bind::<Text, _>(&quoted).sql(") > 0");
            let hours = sql::<Bool>("strpos(opening_hours.hours::text, ").bind::<Text, _>(&quoted).sql(") > 0");
            (limited.filter(limits).load(c).await?, bound.filter(hours).load(c).await?)
        }
    );
    // Hours outlive who kept them.
    named.extend(
        find_resources(conn, site, &by_hours)
            .await?
            .into_iter()
            .map(|one| one.id),
    );
    named.sort();
    named.dedup();
    Ok(LocationUse {
        services,
        resources: named.len(),
    })
}

/// Which locations of a list; deleted ones are in none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocationFilter {
    /// With these ids.
    pub ids: Option<Vec<LocationId>>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.filter(business_locations::deleted_at.is_null());
        if let Some(ids) = &$filter.ids {
            query = query.filter(business_locations::id.eq_any(ids.clone()));
        }
        query
    }};
}

/// A page of locations, the oldest first.
pub async fn page_locations(
    conn: &mut Conn,
    site: SiteId,
    filter: &LocationFilter,
    request: &PageRequest<TimeKey<LocationId>>,
) -> Result<Page<BusinessLocation>, StoreError> {
    let key = |location: &BusinessLocation| TimeKey {
        at: location.created,
        id: location.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                business_locations::site_id.eq(site),
                &request,
                business_locations,
                created_at,
                LocationRow,
                |query| filtered!(query, &filter)
            )?;
            Ok(rows.into_iter().map(LocationRow::location).collect())
        })
    })
    .await
}

/// How many locations pass the filter.
pub async fn count_locations(conn: &mut Conn, site: SiteId, filter: &LocationFilter) -> Result<i64, StoreError> {
    let of_site = business_locations::site_id.eq(site);
    Ok(count!(conn, of_site, business_locations, |query| filtered!(
        query, filter
    ))?)
}
