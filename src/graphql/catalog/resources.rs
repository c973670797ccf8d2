//! Types of resources, and what becomes of resources.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    input::{CreateResourceTypeInput, DeleteResourceTypeInput, UpdateResourceTypeInput},
    mutation::act,
};
use crate::{
    domain::permission::Permission,
    graphql::{
        caller,
        connection::Paging,
        error::{Outcome, UserError, outcome},
        mutation::{payload, permitted},
        query::Query,
        service,
        types::{
            resource::Resource,
            resource_type::{ResourceType, ResourceTypeConnection},
        },
    },
    service::catalog::DeletedResource,
};

payload!(
    /// What became of `createResourceType`.
    CreateResourceTypePayload {
        /// The type, if it was made.
        resource_type: ResourceType
    }
);
payload!(
    /// What became of `updateResourceType`.
    UpdateResourceTypePayload {
        /// The type, if it was changed.
        resource_type: ResourceType
    }
);
payload!(
    /// What became of `deleteResourceType`.
    DeleteResourceTypePayload {
        /// The type as it was left, if it was deleted.
        resource_type: ResourceType
    }
);

/// What of the future a deleted resource served.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct ReassignmentImpact {
    /// Bookings: those that have it, those of the sessions, and, with `reassignTo`, those that were only begun with it.
    bookings: i32,
    /// Sessions of classes and courses.
    sessions: i32,
}

/// What became of `deleteResource`.
#[derive(SimpleObject)]
pub struct DeleteResourcePayload {
    /// What passed to `reassignTo`. With `dryRun`, what would; and without `reassignTo`, what is in the way.
    impact: Option<ReassignmentImpact>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// The resource as it was left, if it was deleted.
    resource: Option<Resource>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

impl From<Outcome<DeletedResource>> for DeleteResourcePayload {
    fn from(outcome: Outcome<DeletedResource>) -> Self {
        let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let (deleted, user_errors) = match outcome {
            Ok(deleted) => (Some(deleted), Vec::new()),
            Err(user_errors) => (None, user_errors),
        };
        Self {
            impact: deleted.as_ref().map(|deleted| ReassignmentImpact {
                bookings: small(deleted.impact.bookings),
                sessions: small(deleted.impact.sessions),
            }),
            query: Query::default(),
            resource: deleted.and_then(|deleted| deleted.resource).map(Resource::from),
            user_errors,
        }
    }
}

/// Changing types of resources.
#[derive(Default)]
pub struct ResourceTypeMutation;

/// Changing types of resources.
#[Object]
impl ResourceTypeMutation {
    /// Makes a type of resource, such as "Boat". A site has at most 100, with those that it always has.
    async fn create_resource_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which type.")] input: CreateResourceTypeInput,
    ) -> Option<async_graphql::Result<CreateResourceTypePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(name, key)| service(ctx).create_resource_type(caller(ctx), name, key),
            ResourceType::from
        )
    }

    /// Deletes a type of resource. Refused with `RESOURCE_TYPE_IN_USE` while resources are of it or services need it;
    /// those that every site has can't be deleted.
    async fn delete_resource_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which type.")] input: DeleteResourceTypeInput,
    ) -> Option<async_graphql::Result<DeleteResourceTypePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |edit| service(ctx).delete_resource_type(caller(ctx), edit),
            ResourceType::from
        )
    }

    /// Gives a type of resource another name; those that every site has can have another one, too.
    async fn update_resource_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which type, and what changes.")] input: UpdateResourceTypeInput,
    ) -> Option<async_graphql::Result<UpdateResourceTypePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_resource_type(caller(ctx), input),
            ResourceType::from
        )
    }
}

/// Reading types of resources.
#[derive(Default, Clone)]
pub struct ResourceTypeQuery;

/// Reading types of resources.
#[Object]
impl ResourceTypeQuery {
    /// The types of resources: staff, rooms and equipment, then those that the business has made up, the oldest first.
    async fn resource_types(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<ResourceTypeConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(ResourceType::page(ctx, &paging).await)
    }
}
