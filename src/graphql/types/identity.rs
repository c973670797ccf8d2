//! Who acts, as clients see it.

use async_graphql::{Context, Enum, Object, SimpleObject};

use super::{api_key::ApiKeyScope, resource::Resource, site::Site};
use crate::{
    domain::{
        actor::{self, Actor},
        permission::Permission,
    },
    graphql::{caller, error::failure, service},
    service::Caller,
};

/// The sort of somebody who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::actor::ActorKind")]
pub enum IdentityType {
    /// The site's owner, or somebody with all of the owner's rights.
    Owner,
    /// A staff member, who manages the calendar of one resource.
    Staff,
    /// A program: the bearer of an API key, or of a token for one.
    App,
    /// A logged-in customer.
    Member,
    /// An anonymous customer, known by a visitor token.
    Visitor,
    /// Who runs the server.
    Operator,
    /// The server itself: timers.
    System,
}

/// Somebody who acts.
#[derive(SimpleObject, Debug, Clone)]
pub struct Identity {
    /// The sort.
    #[graphql(name = "type")]
    pub identity_type: IdentityType,
    /// The name: the token's subject, or a visitor's id.
    pub subject: String,
}

impl From<&actor::Identity> for Identity {
    fn from(identity: &actor::Identity) -> Self {
        Self {
            identity_type: identity.kind.into(),
            subject: identity.id.clone(),
        }
    }
}

/// Who the token says the caller is, and what it may do.
#[derive(Debug, Clone)]
pub struct Viewer(pub Caller);

/// Who the token says the caller is, and what it may do.
#[Object]
impl Viewer {
    /// Whether it may confirm, decline, mark as pending and change numbers of bookings: all of them, or, as staff,
    /// those on its own calendar.
    async fn can_manage_bookings(&self) -> bool {
        Permission::ManageBookings.is_granted(&self.0.actor)
    }

    /// Whether it may see and change blocked time: everybody's, or, as staff, its own.
    async fn can_manage_calendar(&self) -> bool {
        Permission::ManageCalendar.is_granted(&self.0.actor)
    }

    /// Whether it may see, make and revoke API keys.
    async fn can_manage_api_keys(&self) -> bool {
        Permission::ManageApiKeys.is_granted(&self.0.actor)
    }

    /// Whether it may change the site, services, resources, schedules and sessions.
    async fn can_manage_catalog(&self) -> bool {
        Permission::ManageCatalog.is_granted(&self.0.actor)
    }

    /// Who it is. A visitor without a token gets a new name with each request until its first booking.
    async fn identity(&self) -> Identity {
        Identity::from(&self.0.actor.identity())
    }

    /// The resource whose calendar it manages, if it is staff.
    async fn resource(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Resource>> {
        let Actor::Staff { resource, .. } = self.0.actor else {
            return None;
        };
        Resource::load(ctx, vec![resource])
            .await
            .map(|mut found| found.pop())
            .transpose()
    }

    /// What it was granted, if it is an app.
    async fn scopes(&self) -> Option<Vec<ApiKeyScope>> {
        match &self.0.actor {
            Actor::App { scopes, .. } => Some(scopes.iter().map(Into::into).collect()),
            _ => None,
        }
    }

    /// The site on which it acts.
    async fn site(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Site>> {
        let found = service(ctx)
            .site(caller(ctx))
            .await
            .map_err(|error| failure(ctx, error));
        found.map(|site| site.map(Site::from)).transpose()
    }
}
