//! Types of resources. Each act locks the site's row, and so does whoever uses a type for the first time: nothing is ever
//! left of a type that isn't there.

use super::{Edit, check_revision, services::lock_site};
use crate::{
    domain::{
        Rejection,
        catalog::{MAX_RESOURCE_TYPES, ResourceType, ResourceTypeEntry},
        ids::{Kind, ResourceTypeId, SiteId},
        permission::Permission,
        rejection::{Field, Invalid},
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx, catalog as store},
};

/// Changes of a type.
#[derive(Debug, Clone)]
pub struct UpdateResourceType {
    /// Which, and how.
    pub edit: Edit<ResourceTypeId>,
    /// Its name.
    pub name: Option<String>,
}

impl Outcome for ResourceTypeEntry {}

async fn lock_all(tx: &mut Tx<'_>) -> Result<Vec<ResourceTypeEntry>, Failure> {
    lock_site(tx).await?;
    let site = tx.site();
    Ok(store::resource_types(tx.conn(), site).await?)
}

/// Refuses a type whose name another one has.
fn check(entry: &ResourceTypeEntry, all: &[ResourceTypeEntry]) -> Result<(), Rejection> {
    entry.check()?;
    let key = entry.name_key();
    let mut others = all.iter().filter(|other| other.id != entry.id);
    if others.any(|other| other.name_key() == key) {
        return Err(Rejection::AlreadyExists {
            kind: Kind::ResourceType,
            path: vec!["name".to_owned()],
        });
    }
    Ok(())
}

fn find(all: &[ResourceTypeEntry], edit: &Edit<ResourceTypeId>) -> Result<ResourceTypeEntry, Rejection> {
    let found = all.iter().find(|entry| entry.id == edit.id).cloned();
    let entry = found.ok_or_else(|| Rejection::not_found(Kind::ResourceType, &["resourceTypeId"]))?;
    check_revision(Kind::ResourceType, entry.revision, edit.expected_revision)?;
    Ok(entry)
}

/// The type that is meant, if the site has it. One of the business's own can't be deleted meanwhile: the site is locked.
pub(super) async fn lock_type(tx: &mut Tx<'_>, told: ResourceType, path: &[&str]) -> Result<ResourceType, Failure> {
    let site = tx.site();
    let kind = told.on(site);
    if let ResourceType::Custom(id) = kind
        && !lock_all(tx).await?.iter().any(|entry| entry.id == id)
    {
        return Err(Rejection::not_found(Kind::ResourceType, path).into());
    }
    Ok(kind)
}

struct Create {
    site: SiteId,
    id: ResourceTypeId,
    name: String,
}

impl Command for Create {
    type Output = ResourceTypeEntry;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ResourceTypeEntry, Failure> {
        let all = lock_all(tx).await?;
        if all.len() >= MAX_RESOURCE_TYPES {
            let limit = MAX_RESOURCE_TYPES;
            return Err(Rejection::ResourceTypeLimit { limit }.into());
        }
        let now = tx.now();
        let entry = ResourceTypeEntry {
            id: self.id,
            name: self.name.clone(),
            revision: 1,
            created: now,
            updated: now,
        };
        check(&entry, &all)?;
        store::insert_resource_type(tx.conn(), self.site, &entry).await?;
        Ok(entry)
    }
}

struct Update {
    site: SiteId,
    input: UpdateResourceType,
}

impl Command for Update {
    type Output = ResourceTypeEntry;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ResourceTypeEntry, Failure> {
        let all = lock_all(tx).await?;
        let mut entry = find(&all, &self.input.edit)?;
        if let Some(name) = &self.input.name {
            entry.name.clone_from(name);
        }
        check(&entry, &all)?;
        entry.revision += 1;
        entry.updated = tx.now();
        store::save_resource_type(tx.conn(), self.site, &entry).await?;
        Ok(entry)
    }
}

struct Delete {
    site: SiteId,
    edit: Edit<ResourceTypeId>,
}

impl Command for Delete {
    type Output = ResourceTypeEntry;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ResourceTypeEntry, Failure> {
        let all = lock_all(tx).await?;
        let mut entry = find(&all, &self.edit)?;
        if !matches!(ResourceType::of(entry.id, self.site), ResourceType::Custom(_)) {
            let message = "is one that every site has, and can't be deleted";
            return Err(Rejection::invalid(&["resourceTypeId"], message).into());
        }
        let (resources, services) = store::uses_of_type(tx.conn(), self.site, entry.id).await?;
        if resources + services > 0 {
            let message = format!("is used by {resources} resources and {services} services");
            return Err(Rejection::from(Invalid::new(Field::ResourceTypeInUse, message).at("resourceTypeId")).into());
        }
        let now = tx.now();
        entry.revision += 1;
        entry.updated = now;
        store::save_resource_type(tx.conn(), self.site, &entry).await?;
        store::delete_resource_type(tx.conn(), self.site, entry.id, now).await?;
        Ok(entry)
    }
}

impl Service {
    /// Makes a type of resource.
    pub async fn create_resource_type(
        &self,
        caller: &Caller,
        name: String,
        key: Option<IdempotencyKey>,
    ) -> Result<ResourceTypeEntry, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, id) = (caller.site, ResourceTypeId::new());
        self.once(caller, "createResourceType", key, Create { site, id, name })
            .await
    }

    /// Changes a type of resource; the built-in ones, too, can have another name.
    pub async fn update_resource_type(
        &self,
        caller: &Caller,
        mut input: UpdateResourceType,
    ) -> Result<ResourceTypeEntry, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        self.once(caller, "updateResourceType", key, Update { site, input })
            .await
    }

    /// Deletes a type of resource. Refused for built-in ones, and while anything uses it.
    pub async fn delete_resource_type(
        &self,
        caller: &Caller,
        mut edit: Edit<ResourceTypeId>,
    ) -> Result<ResourceTypeEntry, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        self.once(caller, "deleteResourceType", key, Delete { site, edit })
            .await
    }

    /// All types of resources: the built-in ones first.
    pub async fn resource_types(&self, caller: &Caller) -> Result<Vec<ResourceTypeEntry>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self.db().read(move |conn| Box::pin(store::resource_types(conn, site)));
        Ok(found.await?)
    }

    /// Those of the types that there are, deleted ones too.
    pub async fn resource_types_by_id(
        &self,
        caller: &Caller,
        ids: Vec<ResourceTypeId>,
    ) -> Result<Vec<ResourceTypeEntry>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_resource_types_ever(conn, site, &ids).await }));
        Ok(found.await?)
    }
}
