//! Staff members and rooms.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::super::{
    Conn, StoreError, on,
    page::{Direction, Filter, Test},
    schema::resources,
    types::{At, Json},
};
use crate::domain::{
    catalog::{Resource, ResourceDetails, ResourceType},
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
    ranking: i32,
    bookable: bool,
    details: Json<ResourceDetails>,
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
            ranking: resource.ranking,
            bookable: resource.bookable,
            details: Json(resource.details),
            location_ids: resource.locations.map(Json),
        }
    }

    fn resource(self) -> Resource {
        Resource {
            id: self.id,
            resource_type: self.resource_type,
            name: self.name,
            email: self.email,
            ranking: self.ranking,
            bookable: self.bookable,
            details: self.details.0,
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

/// What a test of a list of resources is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceField {
    /// Its id.
    Id(Test<ResourceId>),
    /// Its type.
    Type(Test<ResourceType>),
    /// Its name.
    Name(Test<String>),
    /// Its rank.
    Ranking(Test<i32>),
    /// Whether new bookings can have it.
    Bookable(Test<bool>),
}

/// Which resources of a list; deleted ones are in none.
pub type ResourceFilter = Filter<ResourceField>;

/// What a list of resources is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResourceOrder {
    /// When they were made.
    #[default]
    Created,
    /// Their names, by code point.
    Name,
    /// Their ranks.
    Ranking,
}

/// Where a resource stands in a list; the id decides between equals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKey {
    /// By the instant.
    Created(Timestamp, ResourceId),
    /// By name.
    Name(String, ResourceId),
    /// By rank.
    Ranking(i32, ResourceId),
}

impl ResourceKey {
    /// Of a resource.
    #[must_use]
    pub fn of(resource: &Resource, order: ResourceOrder) -> Self {
        match order {
            ResourceOrder::Created => Self::Created(resource.created, resource.id),
            ResourceOrder::Name => Self::Name(resource.name.clone(), resource.id),
            ResourceOrder::Ranking => Self::Ranking(resource.ranking, resource.id),
        }
    }
}

fn passes(filter: &ResourceFilter, resource: &Resource, site: SiteId) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| passes(part, resource, site)),
        Filter::Any(parts) => parts.iter().any(|part| passes(part, resource, site)),
        Filter::Not(part) => !passes(part, resource, site),
        Filter::Is(ResourceField::Id(test)) => test.is_met(&resource.id),
        // Ids of built-in types are told apart here: the site is known.
        Filter::Is(ResourceField::Type(test)) => test.clone().map(|kind| kind.on(site)).is_met(&resource.resource_type),
        Filter::Is(ResourceField::Name(test)) => test.is_met(&resource.name),
        Filter::Is(ResourceField::Ranking(test)) => test.is_met(&resource.ranking),
        Filter::Is(ResourceField::Bookable(test)) => test.is_met(&resource.bookable),
    }
}

/// The resources of a site that pass the filter, in their order. A site has no more of them than people and rooms: they
/// are read all at once.
pub async fn list_resources(
    conn: &mut Conn,
    site: SiteId,
    filter: &ResourceFilter,
    order: (ResourceOrder, Direction),
) -> Result<Vec<Resource>, StoreError> {
    let live = resources::table
        .filter(resources::site_id.eq(site))
        .filter(resources::deleted_at.is_null());
    let rows: Vec<ResourceRow> = on!(conn, c => live.select(ResourceRow::as_select()).load(c).await)?;
    let all = rows.into_iter().map(ResourceRow::resource);
    let mut found: Vec<Resource> = all.filter(|resource| passes(filter, resource, site)).collect();
    found.sort_by_cached_key(|resource| ResourceKey::of(resource, order.0));
    if order.1 == Direction::Desc {
        found.reverse();
    }
    Ok(found)
}

/// Marks a resource as deleted.
pub async fn delete_resource(conn: &mut Conn, site: SiteId, id: ResourceId, now: Timestamp) -> Result<(), StoreError> {
    let deleted = resources::deleted_at.eq(At(now));
    on!(conn, c => update(resources::table.find((site, id))).set(deleted).execute(c).await)?;
    Ok(())
}
