//! Keys of apps.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;

use super::{
    Conn, StoreError,
    catalog::{TimeKey, count, page},
    on,
    page::{Page, PageRequest},
    schema::api_keys,
    types::{At, Json},
};
use crate::domain::{
    actor::{ActorKind, Identity},
    api_key::ApiKey,
    ids::{ApiKeyId, SiteId},
    permission::Scope,
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct Row {
    site_id: SiteId,
    id: ApiKeyId,
    name: String,
    scopes: Json<Vec<Scope>>,
    secret_hash: Vec<u8>,
    created_by_kind: ActorKind,
    created_by_id: String,
    expires_at: Option<At>,
    revoked_at: Option<At>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl Row {
    fn new(site: SiteId, key: &ApiKey) -> Self {
        let key = key.clone();
        Self {
            site_id: site,
            id: key.id,
            name: key.name,
            scopes: Json(key.scopes),
            secret_hash: key.secret_hash,
            created_by_kind: key.created_by.kind,
            created_by_id: key.created_by.id,
            expires_at: key.expires.map(At),
            revoked_at: key.revoked.map(At),
            revision: key.revision,
            created_at: At(key.created),
            updated_at: At(key.updated),
        }
    }

    fn key(self) -> ApiKey {
        ApiKey {
            id: self.id,
            name: self.name,
            scopes: self.scopes.0,
            secret_hash: self.secret_hash,
            created_by: Identity {
                kind: self.created_by_kind,
                id: self.created_by_id,
            },
            expires: self.expires_at.map(|at| at.0),
            revoked: self.revoked_at.map(|at| at.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The key with this id, a revoked one too.
pub async fn find(conn: &mut Conn, site: SiteId, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
    let row: Option<Row> = on!(conn, c => {
        api_keys::table.find((site, id)).select(Row::as_select()).first(c).await.optional()
    })?;
    Ok(row.map(Row::key))
}

/// Adds a key.
pub async fn insert(conn: &mut Conn, site: SiteId, new: &ApiKey) -> Result<(), StoreError> {
    let row = Row::new(site, new);
    on!(conn, c => insert_into(api_keys::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed key.
pub async fn save(conn: &mut Conn, site: SiteId, changed: &ApiKey) -> Result<(), StoreError> {
    let row = Row::new(site, changed);
    on!(conn, c => update(api_keys::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// A page of the site's keys, the oldest first, revoked ones too.
pub async fn list(
    conn: &mut Conn,
    site: SiteId,
    request: &PageRequest<TimeKey<ApiKeyId>>,
) -> Result<Page<ApiKey>, StoreError> {
    let key = |key: &ApiKey| TimeKey {
        at: key.created,
        id: key.id,
    };
    Page::find(conn, request, key, move |conn, request| {
        Box::pin(async move {
            let of_site = api_keys::site_id.eq(site);
            let rows = page!(conn, of_site, &request, api_keys, created_at, Row, |query| query)?;
            Ok(rows.into_iter().map(Row::key).collect())
        })
    })
    .await
}

/// How many keys the site has.
pub async fn number(conn: &mut Conn, site: SiteId) -> Result<i64, StoreError> {
    Ok(count!(conn, api_keys::site_id.eq(site), api_keys, |query| query)?)
}
