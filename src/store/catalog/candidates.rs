//! Who and what could serve an appointment.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;

use super::{
    super::{Conn, StoreError, on, schema::resources},
    find_resources, hours_of,
};
use crate::domain::{
    catalog::{Resource, ResourceType, ServiceResource},
    hours::{HoursOwner, WorkingHours},
    ids::{LocationId, ResourceId, SiteId},
};

/// The resources of a type that weren't deleted, by id.
async fn of_type(conn: &mut Conn, site: SiteId, kind: ResourceType) -> Result<Vec<ResourceId>, StoreError> {
    let live = resources::table
        .filter(resources::site_id.eq(site).and(resources::resource_type.eq(kind)))
        .filter(resources::deleted_at.is_null());
    Ok(on!(conn, c => live.select(resources::id).order(resources::id.asc()).load(c).await)?)
}

/// The ids of all that could serve the requirements: those that are named, and all of a type of which any will do.
pub async fn candidate_ids<'r>(
    conn: &mut Conn,
    site: SiteId,
    requirements: impl IntoIterator<Item = &'r ServiceResource> + Send,
) -> Result<Vec<ResourceId>, StoreError> {
    let (mut ids, mut any): (Vec<ResourceId>, Vec<ResourceType>) = (Vec::new(), Vec::new());
    for entry in requirements {
        ids.extend(&entry.resources);
        if entry.resources.is_empty() && !any.contains(&entry.resource_type) {
            any.push(entry.resource_type);
        }
    }
    for kind in any {
        ids.extend(of_type(conn, site, kind).await?);
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// All that could serve the requirements and wasn't deleted, and the hours on record that bind it: its own, the
/// business's, and those of some locations.
pub async fn candidates(
    conn: &mut Conn,
    site: SiteId,
    ids: &[ResourceId],
    locations: &[LocationId],
) -> Result<(Vec<Resource>, Vec<WorkingHours>), StoreError> {
    let one = ids.to_vec();
    let mut owners = vec![HoursOwner::Business];
    owners.extend(ids.iter().copied().map(HoursOwner::Resource));
    owners.extend(locations.iter().copied().map(HoursOwner::Location));
    conn.both(
        move |conn| Box::pin(async move { find_resources(conn, site, &one).await }),
        move |conn| Box::pin(async move { hours_of(conn, site, &owners).await }),
    )
    .await
}
