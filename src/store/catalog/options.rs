//! Options and variants of services.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, delete, insert_into, update,
};
use diesel_async::RunQueryDsl as _;

use super::super::{
    Conn, StoreError, on,
    schema::service_options,
    types::{At, Json},
};
use crate::domain::{
    ids::{OptionsId, ServiceId, SiteId},
    options::{OptionsAndVariants, ServiceOption, Variant},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service_options, primary_key(site_id, id))]
struct OptionsRow {
    site_id: SiteId,
    id: OptionsId,
    service_id: ServiceId,
    options: Json<Vec<ServiceOption>>,
    variants: Json<Vec<Variant>>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl OptionsRow {
    fn new(site: SiteId, options: &OptionsAndVariants) -> Self {
        let options = options.clone();
        Self {
            site_id: site,
            id: options.id,
            service_id: options.service,
            options: Json(options.options),
            variants: Json(options.variants),
            revision: options.revision,
            created_at: At(options.created),
            updated_at: At(options.updated),
        }
    }

    fn options(self) -> OptionsAndVariants {
        OptionsAndVariants {
            id: self.id,
            service: self.service_id,
            options: self.options.0,
            variants: self.variants.0,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The options with this id.
pub async fn find_options(
    conn: &mut Conn,
    site: SiteId,
    id: OptionsId,
) -> Result<Option<OptionsAndVariants>, StoreError> {
    let query = service_options::table.find((site, id));
    let row: Option<OptionsRow> = on!(conn, c => query.select(OptionsRow::as_select()).first(c).await.optional())?;
    Ok(row.map(OptionsRow::options))
}

/// The options of a service, if it has any.
pub async fn options_of(
    conn: &mut Conn,
    site: SiteId,
    service: ServiceId,
) -> Result<Option<OptionsAndVariants>, StoreError> {
    Ok(options_of_all(conn, site, &[service]).await?.pop())
}

/// The options of those of the services that have any.
pub async fn options_of_all(
    conn: &mut Conn,
    site: SiteId,
    services: &[ServiceId],
) -> Result<Vec<OptionsAndVariants>, StoreError> {
    let of = service_options::site_id
        .eq(site)
        .and(service_options::service_id.eq_any(services.to_vec()));
    let query = service_options::table.filter(of);
    let rows: Vec<OptionsRow> = on!(conn, c => query.select(OptionsRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(OptionsRow::options).collect())
}

/// The options of all services of the site.
pub async fn options_of_site(conn: &mut Conn, site: SiteId) -> Result<Vec<OptionsAndVariants>, StoreError> {
    let query = service_options::table.filter(service_options::site_id.eq(site));
    let rows: Vec<OptionsRow> = on!(conn, c => query.select(OptionsRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(OptionsRow::options).collect())
}

/// Whether any service of the site has options.
pub async fn has_options(conn: &mut Conn, site: SiteId) -> Result<bool, StoreError> {
    let query = service_options::table.filter(service_options::site_id.eq(site));
    let found: Option<OptionsId> = on!(conn, c => query.select(service_options::id).first(c).await.optional())?;
    Ok(found.is_some())
}

/// Adds the options of a service that has none.
pub async fn insert_options(conn: &mut Conn, site: SiteId, new: &OptionsAndVariants) -> Result<(), StoreError> {
    let row = OptionsRow::new(site, new);
    on!(conn, c => insert_into(service_options::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes changed options.
pub async fn save_options(conn: &mut Conn, site: SiteId, changed: &OptionsAndVariants) -> Result<(), StoreError> {
    let row = OptionsRow::new(site, changed);
    let of = service_options::table.find((site, changed.id));
    on!(conn, c => update(of).set(row).execute(c).await)?;
    Ok(())
}

/// Takes the options of a service away.
pub async fn delete_options(conn: &mut Conn, site: SiteId, id: OptionsId) -> Result<(), StoreError> {
    on!(conn, c => delete(service_options::table.find((site, id))).execute(c).await)?;
    Ok(())
}
