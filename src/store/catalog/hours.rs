//! When the business, its locations and its resources are open.

use std::collections::HashMap;

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;

use super::super::{
    Conn, StoreError, on,
    schema::opening_hours,
    types::{At, Json},
};
use crate::domain::{
    hours::{HoursOwner, OpeningHours, WorkingHours},
    ids::{ResourceId, SiteId, TypedId as _},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = opening_hours, primary_key(site_id, owner_id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct HoursRow {
    site_id: SiteId,
    owner_id: ResourceId,
    hours: Option<Json<OpeningHours>>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

/// All of them stand in one table, the business's under the site's own id. Whose a row is, is known from what was asked.
fn key(site: SiteId, owner: HoursOwner) -> ResourceId {
    match owner {
        HoursOwner::Business => ResourceId::from_uuid(site.uuid()),
        HoursOwner::Location(location) => ResourceId::from_uuid(location.uuid()),
        HoursOwner::Resource(resource) => resource,
    }
}

impl HoursRow {
    fn new(site: SiteId, hours: &WorkingHours) -> Self {
        let hours = hours.clone();
        Self {
            site_id: site,
            owner_id: key(site, hours.owner),
            hours: hours.hours.map(Json),
            revision: hours.revision,
            created_at: At(hours.created),
            updated_at: At(hours.updated),
        }
    }

    fn working_hours(self, owner: HoursOwner) -> WorkingHours {
        WorkingHours {
            owner,
            hours: self.hours.map(|hours| hours.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The hours on record of one owner.
pub async fn find_hours(conn: &mut Conn, site: SiteId, owner: HoursOwner) -> Result<Option<WorkingHours>, StoreError> {
    let query = opening_hours::table.find((site, key(site, owner)));
    let row: Option<HoursRow> = on!(conn, c => query.select(HoursRow::as_select()).first(c).await.optional())?;
    Ok(row.map(|row| row.working_hours(owner)))
}

/// The hours on record of some owners. Those that were taken back are left out.
pub async fn hours_of(conn: &mut Conn, site: SiteId, owners: &[HoursOwner]) -> Result<Vec<WorkingHours>, StoreError> {
    let of_site = opening_hours::table.filter(opening_hours::site_id.eq(site));
    let on_record = opening_hours::hours.is_not_null();
    let keys: Vec<ResourceId> = owners.iter().map(|owner| key(site, *owner)).collect();
    let rows: Vec<HoursRow> = on!(conn,
        sqlite c => {
            // Most sites that have none are done with one look.
            let any = of_site.select(opening_hours::owner_id).first::<ResourceId>(c).await.optional()?;
            let mut rows = Vec::new();
            for key in keys.into_iter().filter(|_| any.is_some()) {
                let row = opening_hours::table.find((site, key)).filter(on_record);
                rows.extend(row.select(HoursRow::as_select()).first(c).await.optional()?);
            }
            rows
        },
        pg c => {
            let query = of_site.filter(opening_hours::owner_id.eq_any(keys)).filter(on_record);
            query.select(HoursRow::as_select()).load(c).await?
        }
    );
    let asked: HashMap<ResourceId, HoursOwner> = owners.iter().map(|owner| (key(site, *owner), *owner)).collect();
    let told = |row: HoursRow| asked.get(&row.owner_id).map(|owner| row.working_hours(*owner));
    Ok(rows.into_iter().filter_map(told).collect())
}

/// Adds the first hours of an owner.
pub async fn insert_hours(conn: &mut Conn, site: SiteId, new: &WorkingHours) -> Result<(), StoreError> {
    let row = HoursRow::new(site, new);
    on!(conn, c => insert_into(opening_hours::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes changed hours.
pub async fn save_hours(conn: &mut Conn, site: SiteId, changed: &WorkingHours) -> Result<(), StoreError> {
    let row = HoursRow::new(site, changed);
    let of = opening_hours::table.find((site, key(site, changed.owner)));
    on!(conn, c => update(of).set(row).execute(c).await)?;
    Ok(())
}
