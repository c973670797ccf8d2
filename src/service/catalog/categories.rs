//! Categories. Each act locks the site's row, and so does whoever puts a service into one: no service is ever left in a
//! category that isn't there.

use super::{Edit, check_revision, services::lock_site};
use crate::{
    domain::{
        Rejection,
        catalog::{Category, MAX_CATEGORIES, last_place, place_behind},
        event::Matter,
        ids::{CategoryId, Kind, SiteId},
        permission::Permission,
    },
    service::{Caller, Error, IdempotencyKey, Service, access},
    store::{
        Command, Failure, Tx,
        catalog::{self as store, NamedFilter, NamedOrder},
        page::Direction,
    },
};

/// A category that is to be made.
#[derive(Debug, Clone)]
pub struct CreateCategory {
    /// Its name.
    pub name: String,
    /// Where it stands; behind all others if not said.
    pub sort_order: Option<i32>,
}

/// Changes of a category.
#[derive(Debug, Clone)]
pub struct UpdateCategory {
    /// Which, and how.
    pub edit: Edit<CategoryId>,
    /// Its name.
    pub name: Option<String>,
    /// Where it stands.
    pub sort_order: Option<i32>,
}

/// A category that is to be deleted.
#[derive(Debug, Clone)]
pub struct DeleteCategory {
    /// Which, and how.
    pub edit: Edit<CategoryId>,
    /// Where its services go.
    pub move_to: Option<CategoryId>,
}

/// Another place for a category.
#[derive(Debug, Clone)]
pub struct MoveCategory {
    /// Which, and how.
    pub edit: Edit<CategoryId>,
    /// Behind which; the first of all if not said.
    pub after: Option<CategoryId>,
}

/// Where a category stands in the list of all.
fn find(all: &[Category], id: CategoryId, path: &str) -> Result<usize, Rejection> {
    let place = all.iter().position(|category| category.id == id);
    place.ok_or_else(|| Rejection::not_found(Kind::Category, &[path]))
}

/// One category of the list, for a change. The list has it: [`find`] said so.
fn take(mut all: Vec<Category>, edit: &Edit<CategoryId>) -> Result<Category, Rejection> {
    let category = all.swap_remove(find(&all, edit.id, "categoryId")?);
    check_revision(Kind::Category, category.revision, edit.expected_revision)?;
    Ok(category)
}

async fn lock_all(tx: &mut Tx<'_>) -> Result<Vec<Category>, Failure> {
    lock_site(tx).await?;
    let site = tx.site();
    Ok(store::categories(tx.conn(), site).await?)
}

/// The place behind all others. Where numbers have run out the others move closer together.
async fn make_room(tx: &mut Tx<'_>, all: &[Category]) -> Result<i32, Failure> {
    if let Some(place) = last_place(all) {
        return Ok(place);
    }
    let mut number = 0;
    for category in all {
        let mut moved = category.clone();
        moved.sort_order = number;
        number += 1000;
        write(tx, &mut moved).await?;
    }
    Ok(number)
}

async fn write(tx: &mut Tx<'_>, changed: &mut Category) -> Result<(), Failure> {
    let (site, now) = (tx.site(), tx.now());
    changed.revision += 1;
    changed.updated = now;
    Ok(store::save_category(tx.conn(), site, changed).await?)
}

struct Create {
    site: SiteId,
    id: CategoryId,
    input: CreateCategory,
}

impl Command for Create {
    type Output = Category;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Category, Failure> {
        let all = lock_all(tx).await?;
        if all.len() >= MAX_CATEGORIES {
            return Err(Rejection::CategoryLimit { limit: MAX_CATEGORIES }.into());
        }
        let now = tx.now();
        let mut category = Category {
            id: self.id,
            name: self.input.name.clone(),
            sort_order: 0,
            revision: 1,
            created: now,
            updated: now,
        };
        category.check()?;
        category.sort_order = match self.input.sort_order {
            Some(place) => place,
            None => make_room(tx, &all).await?,
        };
        store::insert_category(tx.conn(), self.site, &category).await?;
        Ok(category)
    }
}

struct Update {
    site: SiteId,
    input: UpdateCategory,
}

impl Command for Update {
    type Output = Category;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Category, Failure> {
        let mut category = take(lock_all(tx).await?, &self.input.edit)?;
        if let Some(name) = &self.input.name {
            category.name.clone_from(name);
        }
        category.sort_order = self.input.sort_order.unwrap_or(category.sort_order);
        category.check()?;
        write(tx, &mut category).await?;
        Ok(category)
    }
}

struct Move {
    site: SiteId,
    input: MoveCategory,
}

impl Command for Move {
    type Output = Category;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Category, Failure> {
        let all = lock_all(tx).await?;
        let from = find(&all, self.input.edit.id, "categoryId")?;
        let after = self.input.after.map(|after| find(&all, after, "after")).transpose()?;
        if after == Some(from) {
            return Err(Rejection::invalid(&["after"], "must be another category").into());
        }
        let mut moved = take(all.clone(), &self.input.edit)?;
        for (place, number) in place_behind(&all, from, after) {
            let Some(mut category) = all.get(place).cloned() else {
                continue;
            };
            category.sort_order = number;
            write(tx, &mut category).await?;
            if category.id == moved.id {
                moved = category;
            }
        }
        Ok(moved)
    }
}

struct Delete {
    site: SiteId,
    input: DeleteCategory,
}

impl Command for Delete {
    type Output = Category;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Category, Failure> {
        let all = lock_all(tx).await?;
        let id = self.input.edit.id;
        if let Some(to) = self.input.move_to {
            find(&all, to, "moveTo")?;
            if to == id {
                return Err(Rejection::invalid(&["moveTo"], "must be another category").into());
            }
        }
        let category = take(all, &self.input.edit)?;
        let count = store::count_in_category(tx.conn(), self.site, id).await?;
        match self.input.move_to {
            _ if count == 0 => {}
            Some(to) => {
                let now = tx.now();
                store::move_services(tx.conn(), self.site, id, to, now).await?;
                tx.touch(Matter::Everything, None);
            }
            None => return Err(Rejection::CategoryHasServices { count }.into()),
        }
        store::delete_category(tx.conn(), self.site, id).await?;
        Ok(category)
    }
}

impl Service {
    /// Makes a category.
    pub async fn create_category(
        &self,
        caller: &Caller,
        input: CreateCategory,
        key: Option<IdempotencyKey>,
    ) -> Result<Category, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, id) = (caller.site, CategoryId::new());
        self.once(caller, "createCategory", key, Create { site, id, input })
            .await
    }

    /// Changes a category.
    pub async fn update_category(&self, caller: &Caller, mut input: UpdateCategory) -> Result<Category, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        self.once(caller, "updateCategory", key, Update { site, input }).await
    }

    /// Puts a category behind another, or before all.
    pub async fn move_category(&self, caller: &Caller, mut input: MoveCategory) -> Result<Category, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        self.once(caller, "moveCategory", key, Move { site, input }).await
    }

    /// Deletes a category. Refused while services are in it, unless it was said where they go.
    pub async fn delete_category(&self, caller: &Caller, mut input: DeleteCategory) -> Result<Category, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        self.once(caller, "deleteCategory", key, Delete { site, input }).await
    }

    /// All categories that pass the filter, in an order.
    pub async fn categories(
        &self,
        caller: &Caller,
        filter: NamedFilter<CategoryId>,
        order: (NamedOrder, Direction),
    ) -> Result<Vec<Category>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::list_categories(conn, site, &filter, order).await }));
        Ok(found.await?)
    }

    /// Those of the categories that there are.
    pub async fn categories_by_id(&self, caller: &Caller, ids: Vec<CategoryId>) -> Result<Vec<Category>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_categories(conn, site, &ids).await }));
        Ok(found.await?)
    }
}
