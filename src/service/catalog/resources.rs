//! Staff members, rooms and the like.

use super::{Edit, check_revision, options, resource_types::lock_type, services::lock_site};
use crate::{
    domain::{
        Rejection,
        catalog::{MediaItem, Resource, ResourceDetails, ResourceType},
        conflict::Target,
        event::Matter,
        ids::{Kind, LocationId, ResourceId, SiteId},
        permission::Permission,
        text::EmailAddress,
    },
    service::{Caller, Error, IdempotencyKey, Service, access, catalog::Change},
    store::{Command, Failure, Tx, catalog as store, claims, sites},
};

/// A resource that is to be made.
#[derive(Debug, Clone)]
pub struct CreateResource {
    /// What it is.
    pub resource_type: ResourceType,
    /// Its name, 1 to 40 characters.
    pub name: String,
    /// What else is told of it.
    pub changes: ResourceChanges,
}

/// What changes of a resource beside its name.
#[derive(Debug, Clone, Default)]
pub struct ResourceChanges {
    /// Its e-mail address.
    pub email: Change<EmailAddress>,
    /// The only locations at which it serves.
    pub locations: Change<Vec<LocationId>>,
    /// Where it stands among others when one is chosen by rank.
    pub ranking: Option<i32>,
    /// Whether new bookings can have it.
    pub bookable: Option<bool>,
    /// What there is to know about it.
    pub description: Change<String>,
    /// Its telephone number.
    pub phone: Change<String>,
    /// A picture.
    pub image: Change<MediaItem>,
    /// Words of the business's own, all of them.
    pub tags: Change<Vec<String>>,
    /// Whether everybody may see its e-mail address and telephone number.
    pub publicly_accessible: Option<bool>,
}

impl ResourceChanges {
    fn apply(self, resource: &mut Resource) {
        self.email
            .map(|email| email.as_str().to_owned())
            .apply(&mut resource.email);
        self.locations.apply(&mut resource.locations);
        resource.ranking = self.ranking.unwrap_or(resource.ranking);
        resource.bookable = self.bookable.unwrap_or(resource.bookable);
        let details = &mut resource.details;
        self.description.apply(&mut details.description);
        self.phone.apply(&mut details.phone);
        self.image.apply(&mut details.image);
        if let Some(tags) = self.tags.given() {
            details.tags = tags.unwrap_or_default();
        }
        details.publicly_accessible = self.publicly_accessible.unwrap_or(details.publicly_accessible);
    }
}

/// Changes of a resource.
#[derive(Debug, Clone)]
pub struct UpdateResource {
    /// Which, and how.
    pub edit: Edit<ResourceId>,
    /// Its name.
    pub name: Option<String>,
    /// What else changes.
    pub changes: ResourceChanges,
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
        // Its locations stay meanwhile, and who closes the business knows of it.
        let of = lock_site(tx).await?;
        let now = tx.now();
        let mut resource = Resource {
            id: self.id,
            resource_type: lock_type(tx, self.input.resource_type, &["resourceTypeId"]).await?,
            name: self.input.name.clone(),
            email: None,
            ranking: 0,
            bookable: true,
            details: ResourceDetails::default(),
            locations: None,
            revision: 1,
            created: now,
            updated: now,
        };
        self.input.changes.clone().apply(&mut resource);
        resource.check()?;
        check_locations(tx, &resource).await?;
        store::insert_resource(tx.conn(), self.site, &resource).await?;
        if resource.resource_type == ResourceType::Staff {
            options::welcome(tx, &of).await?;
        }
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
        if input.changes.locations != Change::Keep {
            sites::lock(tx).await?;
        }
        let mut resource = lock(tx, input.edit.id).await?;
        check_revision(Kind::Resource, resource.revision, input.edit.expected_revision)?;
        if let Some(name) = &input.name {
            resource.name.clone_from(name);
        }
        let before = (resource.bookable, resource.ranking);
        input.changes.clone().apply(&mut resource);
        resource.check()?;
        if input.changes.locations != Change::Keep {
            check_locations(tx, &resource).await?;
        }
        resource.revision += 1;
        resource.updated = tx.now();
        store::save_resource(tx.conn(), self.site, &resource).await?;
        if before == (resource.bookable, resource.ranking) {
            // Free times are told with the names of who is free.
            tx.touch(Matter::Resource(resource.id), None);
        } else {
            // As when it was made: a service that takes any of its type doesn't name it.
            tx.touch(Matter::Everything, None);
        }
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
