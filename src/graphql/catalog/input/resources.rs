//! Inputs about resources.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{change, edit, given, ids, key};
use crate::{
    domain::{ids::ResourceId, text},
    graphql::{
        input::{Problems, Rejections},
        scalars::EmailAddress,
        types::resource::ResourceType,
    },
    service::{
        IdempotencyKey,
        catalog::{Change, CreateResource, Edit, UpdateResource},
    },
};

/// A staff member or room that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateResourceInput {
    /// The e-mail address of a staff member. Customers don't see it.
    email: Option<EmailAddress>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The only locations of the business at which it serves, 1 to 100 different ones; everywhere if not said. Hours that
    /// are bound to another location hold there all the same.
    location_ids: Option<Vec<ID>>,
    /// Its name, 1 to 40 characters.
    name: String,
    /// What it is; it can't change later.
    #[graphql(name = "type")]
    resource_type: ResourceType,
}

impl CreateResourceInput {
    pub(crate) fn parse(&self) -> Result<(CreateResource, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let email = problems.option("email", self.email.as_ref().map(EmailAddress::address));
        let locations = self
            .location_ids
            .as_ref()
            .map(|list| ids(&mut problems, "locationIds", list));
        let (resource_type, name) = (self.resource_type.into(), self.name.clone());
        problems.finish(Some((
            CreateResource {
                resource_type,
                name,
                email,
                locations,
            },
            key,
        )))
    }
}

/// What changes of a staff member or room. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateResourceInput {
    /// The e-mail address of a staff member.
    email: MaybeUndefined<EmailAddress>,
    /// Refuse with `REVISION_MISMATCH` unless the resource has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The only locations of the business at which it serves, 1 to 100 different ones; null: everywhere. What is booked
    /// stays. Hours that are bound to another location hold there all the same.
    location_ids: MaybeUndefined<Vec<ID>>,
    /// Its name, 1 to 40 characters. Bookings and sessions keep the name that it had.
    name: MaybeUndefined<String>,
    /// The resource.
    resource_id: ID,
}

impl UpdateResourceInput {
    pub(crate) fn parse(&self) -> Result<UpdateResource, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "resourceId",
            &self.resource_id,
            self.expected_revision,
            key,
        );
        let email: Change<text::EmailAddress> = match &self.email {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(email) => problems
                .take("email", email.address())
                .map_or(Change::Keep, Change::Set),
        };
        let name = given(&mut problems, "name", &self.name);
        let locations = change(&self.location_ids).map(|list| ids(&mut problems, "locationIds", &list));
        problems.finish(edit.map(|edit| UpdateResource {
            edit,
            name,
            email,
            locations,
        }))
    }
}

/// A staff member or room that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteResourceInput {
    /// Refuse with `REVISION_MISMATCH` unless the resource has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The resource.
    resource_id: ID,
}

impl DeleteResourceInput {
    pub(crate) fn parse(&self) -> Result<Edit<ResourceId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "resourceId",
            &self.resource_id,
            self.expected_revision,
            key,
        );
        problems.finish(edit)
    }
}
