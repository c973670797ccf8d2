//! Staff members and rooms.

use super::{Edit, check_revision};
use crate::{
    domain::{
        Rejection,
        catalog::{Resource, ResourceType},
        conflict::Target,
        event::Matter,
        ids::{Kind, ResourceId, SiteId},
        permission::Permission,
        text::{self, EmailAddress},
    },
    service::{Caller, Error, IdempotencyKey, Service, access, catalog::Change},
    store::{Command, Failure, Tx, catalog as store, claims},
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
}

fn check(resource: &Resource) -> Result<(), Rejection> {
    text::required(&resource.name, 40).map_err(|invalid| invalid.at("name"))?;
    if resource.email.is_some() && resource.resource_type != ResourceType::Staff {
        return Err(Rejection::invalid(&["email"], "is for staff"));
    }
    Ok(())
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
        let now = tx.now();
        let resource = Resource {
            id: self.id,
            resource_type: self.input.resource_type,
            name: self.input.name.clone(),
            email: self.input.email.as_ref().map(|email| email.as_str().to_owned()),
            revision: 1,
            created: now,
            updated: now,
        };
        check(&resource)?;
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
        resource.revision += 1;
        resource.updated = tx.now();
        store::save_resource(tx.conn(), self.site, &resource).await?;
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
}
