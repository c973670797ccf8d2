//! Staff members and rooms.

use async_graphql::{Context, Enum, ID, Object};

use super::working_hours::WorkingHours;

use crate::{
    domain::{catalog, hours::HoursOwner, ids::ResourceId, permission::Permission},
    graphql::{
        caller,
        connection::connection,
        error::failure,
        scalars::{DateTime, EmailAddress},
        service,
    },
};

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::catalog::ResourceType")]
pub enum ResourceType {
    /// A thing that is used.
    Equipment,
    /// A room.
    Room,
    /// Somebody who does the work.
    Staff,
}

/// A staff member or a room: can do one thing at a time.
#[derive(Clone, Debug)]
pub struct Resource(pub catalog::Resource);

impl From<catalog::Resource> for Resource {
    fn from(resource: catalog::Resource) -> Self {
        Self(resource)
    }
}

/// A staff member or a room: can do one thing at a time.
#[Object]
impl Resource {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// The e-mail address of a staff member. Null for customers.
    async fn email(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<EmailAddress>> {
        let business = Permission::ReadResourceDetails.is_granted(&caller(ctx).actor);
        Ok(self.0.email.clone().filter(|_| business).map(EmailAddress))
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The only locations of the business at which it serves; null: everywhere. Hours that are bound to another location
    /// hold there all the same.
    async fn location_ids(&self) -> Option<Vec<ID>> {
        let locations = self.0.locations.as_ref()?;
        Some(locations.iter().map(|id| id.to_string().into()).collect())
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// What it is.
    #[graphql(name = "type")]
    async fn resource_type(&self) -> ResourceType {
        self.0.resource_type.into()
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }

    /// Its own hours; null if it keeps those of the location or the business. Null for customers.
    async fn working_hours(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<WorkingHours>> {
        WorkingHours::find(ctx, HoursOwner::Resource(self.0.id)).await
    }
}

connection!("A list of resources.", ResourceConnection, ResourceEdge, Resource);

impl Resource {
    /// The resources with these ids, in their order, those too that were deleted; unknown ones are left out.
    pub(crate) async fn load(ctx: &Context<'_>, ids: Vec<ResourceId>) -> async_graphql::Result<Vec<Self>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx)
            .resources_by_id(caller(ctx), ids.clone())
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(pick(&ids, &found))
    }
}

/// Those of the resources that have these ids, in the order of the ids.
pub(super) fn pick(ids: &[ResourceId], found: &[catalog::Resource]) -> Vec<Resource> {
    ids.iter()
        .filter_map(|id| found.iter().find(|resource| resource.id == *id))
        .cloned()
        .map(Resource)
        .collect()
}
