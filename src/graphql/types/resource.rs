//! Staff members and rooms.

use async_graphql::{Context, Enum, ID, Object};

use super::{media::MediaItem, working_hours::WorkingHours};

use crate::{
    domain::{catalog, hours::HoursOwner, ids::ResourceId, permission::Permission},
    graphql::{
        caller,
        connection::connection,
        error::failure,
        scalars::{DateTime, EmailAddress},
        service,
    },
    service::Caller,
};

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ResourceType")]
pub enum ResourceKind {
    /// Of a type that the business has made up: see `ResourceTypeDefinition`.
    Custom,
    /// A thing that is used.
    Equipment,
    /// A room.
    Room,
    /// Somebody who does the work.
    Staff,
}

impl From<catalog::ResourceType> for ResourceKind {
    fn from(kind: catalog::ResourceType) -> Self {
        match kind {
            catalog::ResourceType::Staff => Self::Staff,
            catalog::ResourceType::Room => Self::Room,
            catalog::ResourceType::Equipment => Self::Equipment,
            catalog::ResourceType::Custom(_) => Self::Custom,
        }
    }
}

impl ResourceKind {
    /// The type, if every site has it.
    pub(crate) fn built_in(self) -> Option<catalog::ResourceType> {
        match self {
            Self::Staff => Some(catalog::ResourceType::Staff),
            Self::Room => Some(catalog::ResourceType::Room),
            Self::Equipment => Some(catalog::ResourceType::Equipment),
            Self::Custom => None,
        }
    }
}

/// The id of a type that the business has made up; none for those that every site has.
pub(super) fn custom_id(kind: catalog::ResourceType) -> Option<ID> {
    match kind {
        catalog::ResourceType::Custom(id) => Some(id.to_string().into()),
        _ => None,
    }
}

/// A staff member, a room, a piece of equipment or the like: can do one thing at a time.
#[derive(Clone, Debug)]
pub struct Resource(pub catalog::Resource);

impl From<catalog::Resource> for Resource {
    fn from(resource: catalog::Resource) -> Self {
        Self(resource)
    }
}

/// A staff member, a room, a piece of equipment or the like: can do one thing at a time.
#[Object]
impl Resource {
    /// Whether new bookings can have it. One that can't is in no free times; bookings and sessions that have it keep it.
    async fn bookable(&self) -> bool {
        self.0.bookable
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// What there is to know about it.
    async fn description(&self) -> Option<&str> {
        self.0.details.description.as_deref()
    }

    /// Its e-mail address. Null for customers and other staff members, unless it is `publiclyAccessible`.
    async fn email(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<EmailAddress>> {
        Ok(self
            .0
            .email
            .clone()
            .filter(|_| self.shows_contact(ctx))
            .map(EmailAddress))
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// A picture.
    async fn image(&self) -> Option<MediaItem> {
        self.0.details.image.as_ref().map(MediaItem::from)
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

    /// Its telephone number, as it was written. Null for customers and other staff members, unless it is
    /// `publiclyAccessible`.
    async fn phone(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        Ok(self.0.details.phone.clone().filter(|_| self.shows_contact(ctx)))
    }

    /// Whether everybody may see its e-mail address and telephone number.
    async fn publicly_accessible(&self) -> bool {
        self.0.details.publicly_accessible
    }

    /// Where it stands among others when a service takes its staff by rank, 0 to 5: see `staffSortingPolicy`.
    async fn ranking(&self) -> i32 {
        self.0.ranking
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// Words of the business's own to find it by.
    async fn tags(&self) -> &[String] {
        &self.0.details.tags
    }

    /// What it is.
    #[graphql(name = "type")]
    async fn resource_type(&self) -> ResourceKind {
        self.0.resource_type.into()
    }

    /// The id of its `ResourceTypeDefinition`: built-in ones have one, too.
    async fn type_id(&self, ctx: &Context<'_>) -> ID {
        self.0.resource_type.id(caller(ctx).site).to_string().into()
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
    fn shows_contact(&self, ctx: &Context<'_>) -> bool {
        let may = |caller: &Caller| Permission::ReadResourceContact.covers_resources(&caller.actor, [self.0.id]);
        self.0.details.publicly_accessible || may(caller(ctx))
    }

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
