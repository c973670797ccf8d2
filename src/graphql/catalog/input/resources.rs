//! Inputs about resources.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    domain::text,
    graphql::{
        input::{Problems, Rejections, id},
        scalars::EmailAddress,
        types::resource::ResourceType,
    },
    service::{
        IdempotencyKey,
        catalog::{Change, CreateResource, DeleteResource, UpdateResource},
    },
};

/// A staff member or room that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateResourceInput {
    /// The e-mail address of a staff member. Customers don't see it.
    email: Option<EmailAddress>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
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
        let (resource_type, name) = (self.resource_type.into(), self.name.clone());
        problems.finish(Some((
            CreateResource {
                resource_type,
                name,
                email,
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
        problems.finish(edit.map(|edit| UpdateResource { edit, name, email }))
    }
}

/// A staff member or room that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteResourceInput {
    /// Whether nothing is deleted, and only counted in `impact` what would pass to `reassignTo`, or what is in the way.
    #[graphql(default = false)]
    dry_run: bool,
    /// Refuse with `REVISION_MISMATCH` unless the resource has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Another resource of the same type that takes over all bookings and sessions that aren't over. If there are any
    /// and nothing is said, it is refused with `HAS_BOOKINGS`; if the other one is not free for all of them, with
    /// `SLOT_NOT_AVAILABLE`, as a whole.
    reassign_to: Option<ID>,
    /// The resource.
    resource_id: ID,
}

impl DeleteResourceInput {
    pub(crate) fn parse(&self) -> Result<DeleteResource, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "resourceId",
            &self.resource_id,
            self.expected_revision,
            key,
        );
        let reassign_to = problems.option("reassignTo", self.reassign_to.as_ref().map(id));
        problems.finish(edit.map(|edit| DeleteResource {
            edit,
            reassign_to,
            dry_run: self.dry_run,
        }))
    }
}
