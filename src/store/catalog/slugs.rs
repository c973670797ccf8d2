//! The names of services in addresses: the present one of each stands with it, those that it had before stand here.

use std::collections::HashSet;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _, delete, insert_into,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        schema::{service_slugs, services},
        types::At,
    },
    find_live_service,
    services::ServiceRow,
};
use crate::domain::{
    catalog::Service,
    ids::{ServiceId, SiteId},
};

/// A slug that a service had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSlug {
    /// The slug.
    pub slug: String,
    /// Whose it was.
    pub service: ServiceId,
    /// Whether somebody chose it.
    pub custom: bool,
    /// Since when the service had it.
    pub since: Timestamp,
}

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = service_slugs)]
struct SlugRow {
    site_id: SiteId,
    slug: String,
    service_id: ServiceId,
    custom: bool,
    created_at: At,
}

/// The service with this slug, now or before, unless it was deleted.
pub async fn find_service_by_slug(conn: &mut Conn, site: SiteId, slug: &str) -> Result<Option<Service>, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::slug.eq(slug)))
        .filter(services::deleted_at.is_null());
    let row: Option<ServiceRow> = on!(conn, c => query.select(ServiceRow::as_select()).first(c).await.optional())?;
    if let Some(row) = row {
        return row.service().map(Some);
    }
    let query = service_slugs::table
        .find((site, slug))
        .select(service_slugs::service_id);
    let before: Option<ServiceId> = on!(conn, c => query.first(c).await.optional())?;
    match before {
        Some(id) => find_live_service(conn, site, id).await,
        None => Ok(None),
    }
}

/// The slugs that lead to a service of the site, present and old ones.
pub async fn service_slugs(conn: &mut Conn, site: SiteId) -> Result<HashSet<String>, StoreError> {
    let present = services::table
        .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
        .select(services::slug);
    let mut slugs: Vec<String> = on!(conn, c => present.load(c).await)?;
    let old = service_slugs::table
        .filter(service_slugs::site_id.eq(site))
        .select(service_slugs::slug);
    let old: Vec<String> = on!(conn, c => old.load(c).await)?;
    slugs.extend(old);
    Ok(slugs.into_iter().collect())
}

/// The slugs that some services had before, the latest first.
pub async fn old_slugs(conn: &mut Conn, site: SiteId, of: &[ServiceId]) -> Result<Vec<OldSlug>, StoreError> {
    let query = service_slugs::table.filter(
        service_slugs::site_id
            .eq(site)
            .and(service_slugs::service_id.eq_any(of.to_vec())),
    );
    let rows: Vec<SlugRow> = on!(conn, c => query.select(SlugRow::as_select()).load(c).await)?;
    let mut slugs: Vec<OldSlug> = rows
        .into_iter()
        .map(|row| OldSlug {
            slug: row.slug,
            service: row.service_id,
            custom: row.custom,
            since: row.created_at.0,
        })
        .collect();
    slugs.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.slug.cmp(&b.slug)));
    Ok(slugs)
}

/// Keeps a slug that a service doesn't have any more.
pub async fn keep_slug(conn: &mut Conn, site: SiteId, old: &OldSlug) -> Result<(), StoreError> {
    let row = SlugRow {
        site_id: site,
        slug: old.slug.clone(),
        service_id: old.service,
        custom: old.custom,
        created_at: At(old.since),
    };
    on!(conn, c => insert_into(service_slugs::table).values(row).execute(c).await)?;
    Ok(())
}

/// Lets an old slug go: nobody has it, or it is a service's present one again.
pub async fn drop_slug(conn: &mut Conn, site: SiteId, slug: &str) -> Result<(), StoreError> {
    on!(conn, c => delete(service_slugs::table.find((site, slug))).execute(c).await)?;
    Ok(())
}

/// Lets all slugs go that a service had before.
pub async fn forget_slugs(conn: &mut Conn, site: SiteId, of: ServiceId) -> Result<(), StoreError> {
    let all = service_slugs::table.filter(service_slugs::site_id.eq(site).and(service_slugs::service_id.eq(of)));
    on!(conn, c => delete(all).execute(c).await)?;
    Ok(())
}
