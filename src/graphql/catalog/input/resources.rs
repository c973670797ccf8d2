//! Inputs about resources.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{change, edit, given, ids, key, resource_types::told_type};
use crate::{
    domain::text,
    graphql::{
        input::{Problems, Rejections, id},
        scalars::EmailAddress,
        types::{media::MediaItemInput, resource::ResourceKind},
    },
    service::{
        IdempotencyKey,
        catalog::{Change, CreateResource, DeleteResource, ResourceChanges, UpdateResource},
    },
};

/// What a resource tells of itself. What is left out stays as it is.
#[derive(InputObject, Clone, Debug)]
pub struct ResourceDetailsInput {
    /// Whether new bookings can have it; unless said, they can. One that can't is in no free times; bookings and sessions
    /// that have it keep it.
    bookable: MaybeUndefined<bool>,
    /// What there is to know about it, at most 500 characters.
    description: MaybeUndefined<String>,
    /// Its e-mail address, at most 320 characters. Customers don't see it unless `publiclyAccessible` is true.
    email: MaybeUndefined<EmailAddress>,
    /// A picture.
    image: MaybeUndefined<MediaItemInput>,
    /// The only locations of the business at which it serves, 1 to 100 different ones; null: everywhere. Hours that are
    /// bound to another location hold there all the same.
    location_ids: MaybeUndefined<Vec<ID>>,
    /// Its telephone number, as people write it, at most 20 characters. Customers don't see it unless
    /// `publiclyAccessible` is true.
    phone: MaybeUndefined<String>,
    /// Whether everybody may see its e-mail address and telephone number; unless said, not.
    publicly_accessible: MaybeUndefined<bool>,
    /// Where it stands among others when a service takes its staff by rank, 0 to 5; unless said, 0.
    ranking: MaybeUndefined<i32>,
    /// Words of the business's own to find it by: at most 10 different ones of 1 to 50 characters.
    tags: MaybeUndefined<Vec<String>>,
}

impl ResourceDetailsInput {
    fn parse(&self, problems: &mut Problems) -> ResourceChanges {
        let email: Change<text::EmailAddress> = match &self.email {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(email) => problems
                .take("email", email.address())
                .map_or(Change::Keep, Change::Set),
        };
        ResourceChanges {
            email,
            locations: change(&self.location_ids).map(|list| ids(problems, "locationIds", &list)),
            ranking: given(problems, "ranking", &self.ranking),
            bookable: given(problems, "bookable", &self.bookable),
            description: change(&self.description),
            phone: change(&self.phone),
            image: change(&self.image).map(Into::into),
            tags: change(&self.tags),
            publicly_accessible: given(problems, "publiclyAccessible", &self.publicly_accessible),
        }
    }
}

/// A staff member, room or the like that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateResourceInput {
    /// What it tells of itself.
    #[graphql(flatten)]
    details: ResourceDetailsInput,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 40 characters.
    name: String,
    /// What it is; it can't change later. This or `resourceTypeId`.
    #[graphql(name = "type")]
    resource_type: Option<ResourceKind>,
    /// The id of its type, for those that the business has made up; it can't change later.
    resource_type_id: Option<ID>,
}

impl CreateResourceInput {
    pub(crate) fn parse(&self) -> Result<(CreateResource, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let type_id = self.resource_type_id.as_ref();
        let kind = told_type(&mut problems, "type", self.resource_type, type_id);
        let changes = self.details.parse(&mut problems);
        let resource = kind.map(|resource_type| CreateResource {
            resource_type,
            name: self.name.clone(),
            changes,
        });
        problems.finish(resource.map(|resource| (resource, key)))
    }
}

/// What changes of a staff member, room or the like. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateResourceInput {
    /// What it tells of itself.
    #[graphql(flatten)]
    details: ResourceDetailsInput,
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
        let changes = self.details.parse(&mut problems);
        let name = given(&mut problems, "name", &self.name);
        problems.finish(edit.map(|edit| UpdateResource { edit, name, changes }))
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
    /// `SLOT_NOT_AVAILABLE`, as a whole. That it is there at those hours and locations, and serves such services, is
    /// the business's word.
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
