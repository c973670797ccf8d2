//! Staff members and rooms.

use super::{Edit, check_revision, options};
use crate::{
    domain::{
        Rejection,
        catalog::{Resource, ResourceType},
        conflict::{Holder, Target},
        event::Matter,
        ids::{Kind, LocationId, ResourceId, SiteId},
        permission::Permission,
        text::{self, EmailAddress},
        time::TimeSpan,
    },
    service::{
        Caller, Error, IdempotencyKey, Service, access,
        bookings::{Ledger, all_time},
        catalog::Change,
    },
    store::{Command, Failure, Tx, catalog as store, claims, sites},
};

/// A resource that is to be made.
#[derive(Debug, Clone)]
pub struct CreateResource {
    /// What it is.
    pub resource_type: ResourceType,
    /// Its name, 1 to 40 characters.
    pub name: String,
    /// The e-mail address of a staff member.
    pub email: Option<EmailAddress>,
    /// The only locations at which it serves.
    pub locations: Option<Vec<LocationId>>,
}

/// Changes of a resource.
#[derive(Debug, Clone)]
pub struct UpdateResource {
    /// Which, and how.
    pub edit: Edit<ResourceId>,
    /// Its name.
    pub name: Option<String>,
    /// The e-mail address of a staff member.
    pub email: Change<EmailAddress>,
    /// The only locations at which it serves.
    pub locations: Change<Vec<LocationId>>,
}

fn check(resource: &Resource) -> Result<(), Rejection> {
    text::required(&resource.name, 40).map_err(|invalid| invalid.at("name"))?;
    if resource.email.is_some() && resource.resource_type != ResourceType::Staff {
        return Err(Rejection::invalid(&["email"], "is for staff"));
    }
    Ok(())
}

/// A resource is bound only to locations that there are. With the site's row locked none is deleted meanwhile.
async fn check_locations(tx: &mut Tx<'_>, resource: &Resource) -> Result<(), Failure> {
    resource.check_locations()?;
    let (site, ids) = (tx.site(), resource.locations.as_deref().unwrap_or_default());
    let found = store::find_locations(tx.conn(), site, ids).await?;
    match ids.iter().position(|id| !found.iter().any(|one| one.id == *id)) {
        Some(index) => Err(Rejection::not_found(Kind::Location, &["locationIds", &index.to_string()]).into()),
        None => Ok(()),
    }
}

struct Create {
    site: SiteId,
    id: ResourceId,
    input: CreateResource,
}

impl Command for Create {
    type Output = Resource;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Resource, Failure> {
        if self.input.locations.is_some() {
            sites::lock(tx).await?;
        }
        let now = tx.now();
        let resource = Resource {
            id: self.id,
            resource_type: self.input.resource_type,
            name: self.input.name.clone(),
            email: self.input.email.as_ref().map(|email| email.as_str().to_owned()),
            locations: self.input.locations.clone(),
            revision: 1,
            created: now,
            updated: now,
        };
        check(&resource)?;
        check_locations(tx, &resource).await?;
        store::insert_resource(tx.conn(), self.site, &resource).await?;
        tx.touch(Matter::Everything, None);
        Ok(resource)
    }
}

/// The resource with its row locked, unless it was deleted.
async fn lock(tx: &mut Tx<'_>, id: ResourceId) -> Result<Resource, Failure> {
    let site = tx.site();
    claims::lock_targets(tx, &[Target::Resource(id)]).await?;
    let found = store::find_resources(tx.conn(), site, &[id]).await?.pop();
    found.ok_or_else(|| Rejection::not_found(Kind::Resource, &["resourceId"]).into())
}

struct Update {
    site: SiteId,
    input: UpdateResource,
}

impl Command for Update {
    type Output = Resource;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Resource, Failure> {
        let input = &self.input;
        if input.locations != Change::Keep {
            sites::lock(tx).await?;
        }
        let mut resource = lock(tx, input.edit.id).await?;
        check_revision(Kind::Resource, resource.revision, input.edit.expected_revision)?;
        if let Some(name) = &input.name {
            resource.name.clone_from(name);
        }
        match &input.email {
            Change::Keep => {}
            Change::Clear => resource.email = None,
            Change::Set(email) => resource.email = Some(email.as_str().to_owned()),
        }
        check(&resource)?;
        if input.locations != Change::Keep {
            input.locations.clone().apply(&mut resource.locations);
            check_locations(tx, &resource).await?;
            tx.touch(Matter::Resource(resource.id), None);
        }
        resource.revision += 1;
        resource.updated = tx.now();
        store::save_resource(tx.conn(), self.site, &resource).await?;
        // Free times are told with the names of who is free.
        tx.touch(Matter::Resource(resource.id), None);
        Ok(resource)
    }
}

struct Delete {
    site: SiteId,
    edit: Edit<ResourceId>,
}

impl Command for Delete {
    type Output = Resource;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Resource, Failure> {
        sites::lock(tx).await?;
        let target = Target::Resource(self.edit.id);
        let mut resource = lock(tx, self.edit.id).await?;
        check_revision(Kind::Resource, resource.revision, self.edit.expected_revision)?;
        let soon = TimeSpan::new(tx.now(), all_time().end()).unwrap_or_else(all_time);
        let ledger = Ledger::lock(tx, &[(target, soon)], None).await?;
        let now = ledger.now();
        // The business's own blocks go with it; bookings and sessions don't.
        let held = ledger
            .claims()
            .filter(|claim| !matches!(claim.holder, Holder::Block(_)));
        let count = held.filter(|claim| claim.span.end() > now).count();
        if count > 0 {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            return Err(Rejection::HasBookings {
                kind: Kind::Resource,
                count,
            }
            .into());
        }
        resource.revision += 1;
        resource.updated = now;
        store::save_resource(tx.conn(), self.site, &resource).await?;
        store::delete_resource(tx.conn(), self.site, resource.id, now).await?;
        tx.touch(Matter::Resource(resource.id), None);
        options::forget(tx, resource.id).await?;
        Ok(resource)
    }
}

impl Service {
    /// Makes a resource.
    pub async fn create_resource(
        &self,
        caller: &Caller,
        input: CreateResource,
        key: Option<IdempotencyKey>,
    ) -> Result<Resource, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            site: caller.site,
            id: ResourceId::new(),
            input,
        };
        self.once(caller, "createResource", key, command).await
    }

    /// Changes a resource. Bookings and sessions keep the name that it had.
    pub async fn update_resource(&self, caller: &Caller, mut input: UpdateResource) -> Result<Resource, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        self.once(
            caller,
            "updateResource",
            key,
            Update {
                site: caller.site,
                input,
            },
        )
        .await
    }

    /// Deletes a resource: nothing new can have it. Refused while bookings or sessions of the future do.
    pub async fn delete_resource(&self, caller: &Caller, mut edit: Edit<ResourceId>) -> Result<Resource, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = edit.idempotency.take();
        self.once(
            caller,
            "deleteResource",
            key,
            Delete {
                site: caller.site,
                edit,
            },
        )
        .await
    }
}
