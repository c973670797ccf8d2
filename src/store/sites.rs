//! Sites: the directory, the one table that isn't bound to a site.

use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, insert_into, update};
use diesel_async::RunQueryDsl as _;

use super::{
    Conn, Failure, StoreError, Tx,
    error::is_unique_violation,
    on,
    schema::{site_counters, sites},
    types::At,
};
use crate::domain::{
    Rejection,
    catalog::Site,
    ids::{Kind, SiteId},
    money::Currency,
    time::ZoneName,
};

type Columns = (SiteId, String, String, String, String, i64, At, At);

fn site(row: Columns) -> Result<Site, StoreError> {
    let (id, slug, name, zone, currency, revision, created, updated) = row;
    Ok(Site {
        id,
        slug,
        name,
        time_zone: ZoneName::parse(&zone).ok_or_else(|| StoreError::Corrupt(format!("time zone `{zone}`")))?,
        currency: Currency::parse(&currency).ok_or_else(|| StoreError::Corrupt(format!("currency `{currency}`")))?,
        revision,
        created: created.0,
        updated: updated.0,
    })
}

/// The site with this id.
pub async fn find(conn: &mut Conn, id: SiteId) -> Result<Option<Site>, StoreError> {
    let row: Option<Columns> = on!(conn, c => sites::table.find(id).first(c).await.optional())?;
    row.map(site).transpose()
}

/// The site with this slug.
pub async fn find_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Site>, StoreError> {
    let row: Option<Columns> = on!(conn, c => sites::table.filter(sites::slug.eq(slug)).first(c).await.optional())?;
    row.map(site).transpose()
}

/// All sites, the oldest first, at most `limit`.
pub async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<Site>, StoreError> {
    let rows: Vec<Columns> =
        on!(conn, c => sites::table.order((sites::created_at.asc(), sites::id.asc())).limit(limit).load(c).await)?;
    rows.into_iter().map(site).collect()
}

/// Adds a site with an empty log.
pub async fn insert(conn: &mut Conn, site: &Site) -> Result<(), Failure> {
    let row = (
        sites::id.eq(site.id),
        sites::slug.eq(&site.slug),
        sites::name.eq(&site.name),
        sites::time_zone.eq(site.time_zone.as_str()),
        sites::currency.eq(site.currency.as_str()),
        sites::revision.eq(site.revision),
        sites::created_at.eq(At(site.created)),
        sites::updated_at.eq(At(site.updated)),
    );
    match on!(conn, c => insert_into(sites::table).values(row).execute(c).await) {
        Ok(_) => {}
        Err(error) if is_unique_violation(&error) => {
            return Err(Rejection::AlreadyExists {
                kind: Kind::Site,
                path: vec!["slug".into()],
            }
            .into());
        }
        Err(error) => return Err(error.into()),
    }
    let counter = (site_counters::site_id.eq(site.id), site_counters::position.eq(0_i64));
    on!(conn, c => insert_into(site_counters::table).values(counter).execute(c).await)?;
    Ok(())
}

/// Writes a changed site.
pub async fn save(conn: &mut Conn, site: &Site) -> Result<(), StoreError> {
    let changes = (
        sites::name.eq(&site.name),
        sites::time_zone.eq(site.time_zone.as_str()),
        sites::currency.eq(site.currency.as_str()),
        sites::revision.eq(site.revision),
        sites::updated_at.eq(At(site.updated)),
    );
    on!(conn, c => update(sites::table.find(site.id)).set(changes).execute(c).await)?;
    Ok(())
}

/// Locks the command's site against other changes of its settings; the first lock of all.
pub async fn lock(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let id = tx.site();
    on!(tx.conn,
        sqlite _c => Ok(()),
        pg c => {
            sites::table.find(id).select(sites::id).for_no_key_update().load::<SiteId>(c).await?;
            Ok(())
        }
    )
}
