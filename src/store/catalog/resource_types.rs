//! Types of resources. A site has few of them: they are read all at once.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _,
    dsl::sql,
    insert_into,
    sql_types::{Bool, Text},
    update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::super::{
    Conn, StoreError, on,
    schema::{resource_types, resources, services},
    types::At,
};
use crate::domain::{
    catalog::{ResourceType, ResourceTypeEntry},
    ids::{ResourceTypeId, SiteId, TypedId as _},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = resource_types, primary_key(site_id, id))]
struct ResourceTypeRow {
    site_id: SiteId,
    id: ResourceTypeId,
    name: String,
    name_key: String,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl ResourceTypeRow {
    fn new(site: SiteId, entry: &ResourceTypeEntry) -> Self {
        Self {
            site_id: site,
            id: entry.id,
            name: entry.name.clone(),
            name_key: entry.name_key(),
            revision: entry.revision,
            created_at: At(entry.created),
            updated_at: At(entry.updated),
        }
    }

    fn entry(self) -> ResourceTypeEntry {
        ResourceTypeEntry {
            id: self.id,
            name: self.name,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The types of a site that weren't deleted: the built-in ones, then the oldest first.
pub async fn resource_types(conn: &mut Conn, site: SiteId) -> Result<Vec<ResourceTypeEntry>, StoreError> {
    let live = resource_types::table
        .filter(resource_types::site_id.eq(site))
        .filter(resource_types::deleted_at.is_null());
    let rows: Vec<ResourceTypeRow> = on!(conn, c => live.select(ResourceTypeRow::as_select()).load(c).await)?;
    let mut all: Vec<ResourceTypeEntry> = rows.into_iter().map(ResourceTypeRow::entry).collect();
    all.sort_by_key(|entry| (ResourceType::of(entry.id, site), entry.created, entry.id));
    Ok(all)
}

/// Those types that there are, deleted ones too, in no special order.
pub async fn find_resource_types_ever(
    conn: &mut Conn,
    site: SiteId,
    ids: &[ResourceTypeId],
) -> Result<Vec<ResourceTypeEntry>, StoreError> {
    let of_site = resource_types::table.filter(resource_types::site_id.eq(site));
    let query = of_site.filter(resource_types::id.eq_any(ids.to_vec()));
    let rows: Vec<ResourceTypeRow> = on!(conn, c => query.select(ResourceTypeRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(ResourceTypeRow::entry).collect())
}

/// Adds a type.
pub async fn insert_resource_type(conn: &mut Conn, site: SiteId, new: &ResourceTypeEntry) -> Result<(), StoreError> {
    let row = ResourceTypeRow::new(site, new);
    on!(conn, c => insert_into(resource_types::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed type.
pub async fn save_resource_type(conn: &mut Conn, site: SiteId, changed: &ResourceTypeEntry) -> Result<(), StoreError> {
    let row = ResourceTypeRow::new(site, changed);
    on!(conn, c => update(resource_types::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Marks a type as deleted.
pub async fn delete_resource_type(
    conn: &mut Conn,
    site: SiteId,
    id: ResourceTypeId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let deleted = resource_types::deleted_at.eq(Some(At(now)));
    on!(conn, c => update(resource_types::table.find((site, id))).set(deleted).execute(c).await)?;
    Ok(())
}

/// How many resources are of a type of the business's own, and how many services need it; deleted ones don't count.
pub async fn uses_of_type(conn: &mut Conn, site: SiteId, id: ResourceTypeId) -> Result<(i64, i64), StoreError> {
    let of_type = resources::table
        .filter(
            resources::site_id
                .eq(site)
                .and(resources::resource_type.eq(ResourceType::Custom(id))),
        )
        .filter(resources::deleted_at.is_null());
    let live = services::table
        .filter(services::site_id.eq(site))
        .filter(services::deleted_at.is_null());
    let number: i64 = on!(conn, c => of_type.count().get_result(c).await)?;
    // The requirements are JSON; within it, only a custom type can look like one with its name and quotes.
    let services: i64 = on!(conn,
        sqlite c => {
            let named = sql::<Bool>("instr(services.requirements, ")
                .bind::<Text, _>(format!(r#""CUSTOM":"{}""#, id.uuid()))
                .sql(") > 0");
            live.filter(named).count().get_result(c).await?
        },
        pg c => {
            let named = sql::<Bool>("services.requirements @> ")
                .bind::<Text, _>(format!(r#"[{{"resource_type":{{"CUSTOM":"{}"}}}}]"#, id.uuid()))
                .sql("::jsonb");
            live.filter(named).count().get_result(c).await?
        }
    );
    Ok((number, services))
}
