//! Sites: the directory, the one table that isn't bound to a site.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;

use super::{
    Conn, Failure, StoreError, Tx,
    catalog::{TimeKey, insert_resource_type, page},
    error::is_unique_violation,
    on,
    page::{Page, PageRequest},
    schema::{site_counters, sites},
    types::At,
};
use crate::domain::{
    Rejection,
    catalog::{ResourceTypeEntry, Site},
    ids::{Kind, SiteId},
    money::Currency,
    time::ZoneName,
};

/// The site with this id.
pub async fn find(conn: &mut Conn, id: SiteId) -> Result<Option<Site>, StoreError> {
    let row: Option<Row> = on!(conn, c => {
        sites::table.find(id).select(Row::as_select()).first(c).await.optional()
    })?;
    row.map(Row::site).transpose()
}

/// The site with this slug.
pub async fn find_by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Site>, StoreError> {
    let row: Option<Row> = on!(conn, c => {
        let with_slug = sites::table.filter(sites::slug.eq(slug));
        with_slug.select(Row::as_select()).first(c).await.optional()
    })?;
    row.map(Row::site).transpose()
}

/// All sites, the oldest first, at most `limit`.
pub async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<Site>, StoreError> {
    let rows: Vec<Row> = on!(conn, c => {
        let oldest = sites::table.order((sites::created_at.asc(), sites::id.asc()));
        oldest.select(Row::as_select()).limit(limit).load(c).await
    })?;
    rows.into_iter().map(Row::site).collect()
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sites)]
struct Row {
    id: SiteId,
    slug: String,
    name: String,
    time_zone: String,
    currency: String,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl Row {
    fn site(self) -> Result<Site, StoreError> {
        Ok(Site {
            id: self.id,
            slug: self.slug,
            name: self.name,
            time_zone: ZoneName::parse(&self.time_zone)
                .ok_or_else(|| StoreError::Corrupt(format!("time zone `{}`", self.time_zone)))?,
            currency: Currency::parse(&self.currency)
                .ok_or_else(|| StoreError::Corrupt(format!("currency `{}`", self.currency)))?,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// A page of all sites, the oldest first.
pub async fn page(conn: &mut Conn, request: &PageRequest<TimeKey<SiteId>>) -> Result<Page<Site>, StoreError> {
    let key = |site: &Site| TimeKey {
        at: site.created,
        id: site.id,
    };
    Page::find(conn, request, key, move |conn, request| {
        Box::pin(async move {
            let rows = page!(
                conn,
                sites::id.is_not_null(),
                &request,
                sites,
                created_at,
                Row,
                |query| query
            )?;
            rows.into_iter().map(Row::site).collect()
        })
    })
    .await
}

/// How many sites there are.
pub async fn number(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, c => sites::table.count().get_result(c).await)?)
}

/// Adds a site with an empty log and the types of resources that all have.
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
    for built_in in ResourceTypeEntry::built_in(site.id, site.created) {
        insert_resource_type(conn, site.id, &built_in).await?;
    }
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
