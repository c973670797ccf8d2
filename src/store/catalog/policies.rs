//! Booking policies.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        page::Direction,
        schema::{booking_policies, services},
        types::{At, Json},
    },
    NamedFilter, NamedOrder,
    named::arranged,
};
use crate::domain::{
    booking_policy::{BookingPolicy, BookingRules},
    ids::{BookingPolicyId, ServiceId, SiteId},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = booking_policies, primary_key(site_id, id))]
struct PolicyRow {
    site_id: SiteId,
    id: BookingPolicyId,
    name: String,
    is_default: bool,
    rules: Json<BookingRules>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl PolicyRow {
    fn new(site: SiteId, policy: &BookingPolicy) -> Self {
        Self {
            site_id: site,
            id: policy.id,
            name: policy.name.clone(),
            is_default: policy.default,
            rules: Json(policy.rules),
            revision: policy.revision,
            created_at: At(policy.created),
            updated_at: At(policy.updated),
        }
    }

    fn policy(self) -> BookingPolicy {
        BookingPolicy {
            id: self.id,
            name: self.name,
            default: self.is_default,
            rules: self.rules.0,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The policy with this id, unless it was deleted.
pub async fn find_live_policy(
    conn: &mut Conn,
    site: SiteId,
    id: BookingPolicyId,
) -> Result<Option<BookingPolicy>, StoreError> {
    let query = booking_policies::table
        .find((site, id))
        .filter(booking_policies::deleted_at.is_null());
    let row: Option<PolicyRow> = on!(conn, c => query.select(PolicyRow::as_select()).first(c).await.optional())?;
    Ok(row.map(PolicyRow::policy))
}

/// Those policies that there are, deleted ones too.
pub async fn find_policies(
    conn: &mut Conn,
    site: SiteId,
    ids: &[BookingPolicyId],
) -> Result<Vec<BookingPolicy>, StoreError> {
    let of = booking_policies::site_id
        .eq(site)
        .and(booking_policies::id.eq_any(ids.to_vec()));
    let query = booking_policies::table.filter(of);
    let rows: Vec<PolicyRow> = on!(conn, c => query.select(PolicyRow::as_select()).load(c).await)?;
    Ok(rows.into_iter().map(PolicyRow::policy).collect())
}

/// The policy of services that name none.
pub async fn default_policy(conn: &mut Conn, site: SiteId) -> Result<Option<BookingPolicy>, StoreError> {
    let of_site = booking_policies::site_id.eq(site).and(booking_policies::is_default);
    let query = booking_policies::table.filter(of_site);
    let row: Option<PolicyRow> = on!(conn, c => query.select(PolicyRow::as_select()).first(c).await.optional())?;
    Ok(row.map(PolicyRow::policy))
}

/// The policies by which services are booked, by what each names: that one, or else the default.
pub async fn policies_of(
    conn: &mut Conn,
    site: SiteId,
    named: &[Option<BookingPolicyId>],
) -> Result<Vec<Option<BookingPolicy>>, StoreError> {
    let ids: Vec<BookingPolicyId> = named.iter().copied().flatten().collect();
    let own = if ids.is_empty() {
        Vec::new()
    } else {
        find_policies(conn, site, &ids).await?
    };
    let default = if named.contains(&None) {
        default_policy(conn, site).await?
    } else {
        None
    };
    // A policy isn't deleted while a service names it.
    let of = |named: &Option<BookingPolicyId>| match named {
        Some(id) => own.iter().find(|policy| policy.id == *id).cloned(),
        None => default.clone(),
    };
    Ok(named.iter().map(of).collect())
}

/// Whether a service that wasn't deleted names the policy.
pub async fn policy_is_used(conn: &mut Conn, site: SiteId, id: BookingPolicyId) -> Result<bool, StoreError> {
    let named = services::site_id.eq(site).and(services::booking_policy_id.eq(id));
    let query = services::table.filter(named).filter(services::deleted_at.is_null());
    let found: Option<ServiceId> = on!(conn, c => query.select(services::id).first(c).await.optional())?;
    Ok(found.is_some())
}

/// Adds a policy.
pub async fn insert_policy(conn: &mut Conn, site: SiteId, new: &BookingPolicy) -> Result<(), StoreError> {
    let row = PolicyRow::new(site, new);
    on!(conn, c => insert_into(booking_policies::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed policy.
pub async fn save_policy(conn: &mut Conn, site: SiteId, changed: &BookingPolicy) -> Result<(), StoreError> {
    let row = PolicyRow::new(site, changed);
    let of = booking_policies::table.find((site, changed.id));
    on!(conn, c => update(of).set(row).execute(c).await)?;
    Ok(())
}

/// Marks a policy as deleted.
pub async fn delete_policy(
    conn: &mut Conn,
    site: SiteId,
    id: BookingPolicyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let of = booking_policies::table.find((site, id));
    on!(conn, c => update(of).set(booking_policies::deleted_at.eq(At(now))).execute(c).await)?;
    Ok(())
}

/// The policies of a site that pass the filter, in an order. A site has not many of them: they are read all at once.
/// Deleted ones are in no list.
pub async fn list_policies(
    conn: &mut Conn,
    site: SiteId,
    filter: &NamedFilter<BookingPolicyId>,
    order: (NamedOrder, Direction),
) -> Result<Vec<BookingPolicy>, StoreError> {
    let query = booking_policies::table
        .filter(booking_policies::site_id.eq(site))
        .filter(booking_policies::deleted_at.is_null());
    let rows: Vec<PolicyRow> = on!(conn, c => query.select(PolicyRow::as_select()).load(c).await)?;
    Ok(arranged(rows.into_iter().map(PolicyRow::policy), filter, order))
}

/// How many policies a site has.
pub async fn count_policies(conn: &mut Conn, site: SiteId) -> Result<i64, StoreError> {
    let query = booking_policies::table
        .filter(booking_policies::site_id.eq(site))
        .filter(booking_policies::deleted_at.is_null());
    Ok(on!(conn, c => query.count().get_result(c).await)?)
}
