//! When the business and its resources are open.

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
    hours::{OpeningHours, WorkingHours},
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

/// The business's hours stand under the site's own id.
fn owner(site: SiteId, resource: Option<ResourceId>) -> ResourceId {
    resource.unwrap_or_else(|| ResourceId::from_uuid(site.uuid()))
}

impl HoursRow {
    fn new(site: SiteId, hours: &WorkingHours) -> Self {
        let hours = hours.clone();
        Self {
            site_id: site,
            owner_id: owner(site, hours.resource),
            hours: hours.hours.map(Json),
            revision: hours.revision,
            created_at: At(hours.created),
            updated_at: At(hours.updated),
        }
    }

    fn working_hours(self) -> WorkingHours {
        WorkingHours {
            resource: (self.owner_id.uuid() != self.site_id.uuid()).then_some(self.owner_id),
            hours: self.hours.map(|hours| hours.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The hours on record of the business, or of one of its resources.
pub async fn find_hours(
    conn: &mut Conn,
    site: SiteId,
    resource: Option<ResourceId>,
) -> Result<Option<WorkingHours>, StoreError> {
    let query = opening_hours::table.find((site, owner(site, resource)));
    let row: Option<HoursRow> = on!(conn, c => query.select(HoursRow::as_select()).first(c).await.optional())?;
    Ok(row.map(HoursRow::working_hours))
}

/// The hours on record of the business and of some of its resources. Those that were taken back are left out.
pub async fn hours_of(
    conn: &mut Conn,
    site: SiteId,
    resources: &[ResourceId],
) -> Result<Vec<WorkingHours>, StoreError> {
    let mut owners = resources.to_vec();
    owners.push(owner(site, None));
    let of_site = opening_hours::table.filter(opening_hours::site_id.eq(site));
    let on_record = opening_hours::hours.is_not_null();
    let rows: Vec<HoursRow> = on!(conn,
        sqlite c => {
            // Most sites that have none are done with one look.
            let any = of_site.select(opening_hours::owner_id).first::<ResourceId>(c).await.optional()?;
            let mut rows = Vec::new();
            for owner in owners.into_iter().filter(|_| any.is_some()) {
                let row = opening_hours::table.find((site, owner)).filter(on_record);
                rows.extend(row.select(HoursRow::as_select()).first(c).await.optional()?);
            }
            rows
        },
        pg c => {
            let query = of_site.filter(opening_hours::owner_id.eq_any(owners)).filter(on_record);
            query.select(HoursRow::as_select()).load(c).await?
        }
    );
    Ok(rows.into_iter().map(HoursRow::working_hours).collect())
}

/// Adds the first hours of the business or of a resource.
pub async fn insert_hours(conn: &mut Conn, site: SiteId, new: &WorkingHours) -> Result<(), StoreError> {
    let row = HoursRow::new(site, new);
    on!(conn, c => insert_into(opening_hours::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes changed hours.
pub async fn save_hours(conn: &mut Conn, site: SiteId, changed: &WorkingHours) -> Result<(), StoreError> {
    let row = HoursRow::new(site, changed);
    let of = opening_hours::table.find((site, owner(site, changed.resource)));
    on!(conn, c => update(of).set(row).execute(c).await)?;
    Ok(())
}
