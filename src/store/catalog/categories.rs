//! Categories. A site has few of them: they are read all at once.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, delete, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, StoreError, on,
        page::Direction,
        schema::{categories, services},
        types::At,
    },
    NamedFilter, NamedOrder,
    named::arranged,
};
use crate::domain::{
    catalog::Category,
    ids::{CategoryId, SiteId},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = categories, primary_key(site_id, id))]
struct CategoryRow {
    site_id: SiteId,
    id: CategoryId,
    name: String,
    sort_order: i32,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl CategoryRow {
    fn new(site: SiteId, category: &Category) -> Self {
        Self {
            site_id: site,
            id: category.id,
            name: category.name.clone(),
            sort_order: category.sort_order,
            revision: category.revision,
            created_at: At(category.created),
            updated_at: At(category.updated),
        }
    }

    fn category(self) -> Category {
        Category {
            id: self.id,
            name: self.name,
            sort_order: self.sort_order,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// All categories of a site, in their order.
pub async fn categories(conn: &mut Conn, site: SiteId) -> Result<Vec<Category>, StoreError> {
    let query = categories::table.filter(categories::site_id.eq(site));
    let rows: Vec<CategoryRow> = on!(conn, c => query.select(CategoryRow::as_select()).load(c).await)?;
    let mut all: Vec<Category> = rows.into_iter().map(CategoryRow::category).collect();
    all.sort_by_key(|category| (category.sort_order, category.id));
    Ok(all)
}

/// The categories of a site that pass the filter, in an order.
pub async fn list_categories(
    conn: &mut Conn,
    site: SiteId,
    filter: &NamedFilter<CategoryId>,
    order: (NamedOrder, Direction),
) -> Result<Vec<Category>, StoreError> {
    Ok(arranged(categories(conn, site).await?, filter, order))
}

/// Those categories that there are, in their order.
pub async fn find_categories(conn: &mut Conn, site: SiteId, ids: &[CategoryId]) -> Result<Vec<Category>, StoreError> {
    let query = categories::table.filter(categories::site_id.eq(site).and(categories::id.eq_any(ids.to_vec())));
    let rows: Vec<CategoryRow> = on!(conn, c => query.select(CategoryRow::as_select()).load(c).await)?;
    let mut found: Vec<Category> = rows.into_iter().map(CategoryRow::category).collect();
    found.sort_by_key(|category| (category.sort_order, category.id));
    Ok(found)
}

/// Adds a category.
pub async fn insert_category(conn: &mut Conn, site: SiteId, new: &Category) -> Result<(), StoreError> {
    let row = CategoryRow::new(site, new);
    on!(conn, c => insert_into(categories::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed category.
pub async fn save_category(conn: &mut Conn, site: SiteId, changed: &Category) -> Result<(), StoreError> {
    let row = CategoryRow::new(site, changed);
    on!(conn, c => update(categories::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

/// Takes a category away that no service is in.
pub async fn delete_category(conn: &mut Conn, site: SiteId, id: CategoryId) -> Result<(), StoreError> {
    on!(conn, c => delete(categories::table.find((site, id))).execute(c).await)?;
    Ok(())
}

/// How many services are in a category, hidden ones too.
pub async fn count_in_category(conn: &mut Conn, site: SiteId, id: CategoryId) -> Result<i64, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::category_id.eq(id)))
        .filter(services::deleted_at.is_null());
    Ok(on!(conn, c => query.count().get_result(c).await)?)
}

/// Puts all services of one category into another, each with its new revision.
pub async fn move_services(
    conn: &mut Conn,
    site: SiteId,
    from: CategoryId,
    to: CategoryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let all = services::table
        .filter(services::site_id.eq(site).and(services::category_id.eq(from)))
        .filter(services::deleted_at.is_null());
    let changes = (
        services::category_id.eq(Some(to)),
        services::revision.eq(services::revision + 1),
        services::updated_at.eq(At(now)),
    );
    on!(conn, c => update(all).set(changes).execute(c).await)?;
    Ok(())
}
