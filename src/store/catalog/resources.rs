//! Staff members and rooms.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        page::{Page, PageRequest},
        schema::resources,
        types::{At, Json},
    },
    TimeKey, count, page,
};
use crate::domain::{
    catalog::{Resource, ResourceType},
    ids::{LocationId, ResourceId, SiteId},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = resources, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ResourceRow {
    site_id: SiteId,
    id: ResourceId,
    resource_type: ResourceType,
    name: String,
    email: Option<String>,
    revision: i64,
    created_at: At,
    updated_at: At,
    location_ids: Option<Json<Vec<LocationId>>>,
}

impl ResourceRow {
    fn new(site: SiteId, resource: &Resource) -> Self {
        let resource = resource.clone();
        Self {
            site_id: site,
            id: resource.id,
            resource_type: resource.resource_type,
            name: resource.name,
            email: resource.email,
            revision: resource.revision,
            created_at: At(resource.created),
            updated_at: At(resource.updated),
            location_ids: resource.locations.map(Json),
        }
    }

    fn resource(self) -> Resource {
        Resource {
            id: self.id,
            resource_type: self.resource_type,
            name: self.name,
            email: self.email,
            locations: self.location_ids.map(|ids| ids.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// Those resources that there are and that weren't deleted, by id.
pub async fn find_resources(conn: &mut Conn, site: SiteId, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    let rows: Vec<ResourceRow> = on!(conn,
        sqlite c => {
            // A list of another length is another text to SQLite, which has to be understood anew; this one is not.
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let live = resources::table.find((site, id)).filter(resources::deleted_at.is_null());
                rows.extend(live.select(ResourceRow::as_select()).first(c).await.optional()?);
            }
            rows
        },
        pg c => {
            let live = resources::table.filter(resources::deleted_at.is_null());
            let query = live.filter(resources::site_id.eq(site).and(resources::id.eq_any(ids)));
            query.select(ResourceRow::as_select()).order(resources::id.asc()).load(c).await?
        }
    );
    Ok(rows.into_iter().map(ResourceRow::resource).collect())
}

/// Adds a resource.
pub async fn insert_resource(conn: &mut Conn, site: SiteId, new: &Resource) -> Result<(), StoreError> {
    let row = ResourceRow::new(site, new);
    on!(conn, c => insert_into(resources::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed resource.
pub async fn save_resource(conn: &mut Conn, site: SiteId, changed: &Resource) -> Result<(), StoreError> {
    let row = ResourceRow::new(site, changed);
    on!(conn, c => update(resources::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Those resources that there are, deleted ones too, by id: sessions and bookings still refer to them.
pub async fn find_resources_ever(
    conn: &mut Conn,
    site: SiteId,
    ids: &[ResourceId],
) -> Result<Vec<Resource>, StoreError> {
    let query = resources::table.filter(resources::site_id.eq(site).and(resources::id.eq_any(ids.to_vec())));
    let rows: Vec<ResourceRow> =
        on!(conn, c => query.select(ResourceRow::as_select()).order(resources::id.asc()).load(c).await)?;
    Ok(rows.into_iter().map(ResourceRow::resource).collect())
}

/// All resources that a site has ever had, by name, and whether each is there still.
pub async fn resources_of_site(conn: &mut Conn, site: SiteId) -> Result<Vec<(Resource, bool)>, StoreError> {
    let query = resources::table.filter(resources::site_id.eq(site));
    let rows: Vec<(ResourceRow, Option<At>)> =
        on!(conn, c => query.select((ResourceRow::as_select(), resources::deleted_at)).load(c).await)?;
    let found = rows
        .into_iter()
        .map(|(row, deleted)| (row.resource(), deleted.is_none()));
    let mut found: Vec<(Resource, bool)> = found.collect();
    found.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
    Ok(found)
}

/// Which resources of a list; deleted ones are in none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceFilter {
    /// With these ids.
    pub ids: Option<Vec<ResourceId>>,
    /// Of these types.
    pub types: Option<Vec<ResourceType>>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.filter(resources::deleted_at.is_null());
        if let Some(ids) = &$filter.ids {
            query = query.filter(resources::id.eq_any(ids.clone()));
        }
        if let Some(types) = &$filter.types {
            query = query.filter(resources::resource_type.eq_any(types.clone()));
        }
        query
    }};
}

/// A page of resources, the oldest first.
pub async fn page_resources(
    conn: &mut Conn,
    site: SiteId,
    filter: &ResourceFilter,
    request: &PageRequest<TimeKey<ResourceId>>,
) -> Result<Page<Resource>, StoreError> {
    let key = |resource: &Resource| TimeKey {
        at: resource.created,
        id: resource.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                resources::site_id.eq(site),
                &request,
                resources,
                created_at,
                ResourceRow,
                |query| filtered!(query, &filter)
            )?;
            Ok(rows.into_iter().map(ResourceRow::resource).collect())
        })
    })
    .await
}

/// How many resources pass the filter.
pub async fn count_resources(conn: &mut Conn, site: SiteId, filter: &ResourceFilter) -> Result<i64, StoreError> {
    Ok(count!(
        conn,
        resources::site_id.eq(site),
        resources,
        |query| filtered!(query, filter)
    )?)
}

/// Marks a resource as deleted.
pub async fn delete_resource(conn: &mut Conn, site: SiteId, id: ResourceId, now: Timestamp) -> Result<(), StoreError> {
    let deleted = resources::deleted_at.eq(At(now));
    on!(conn, c => update(resources::table.find((site, id))).set(deleted).execute(c).await)?;
    Ok(())
}
