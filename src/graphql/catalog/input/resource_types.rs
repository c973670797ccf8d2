//! Inputs about types of resources.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    domain::{catalog::ResourceType, ids::ResourceTypeId},
    graphql::{
        input::{Problems, Rejections, id},
        types::resource::ResourceKind,
    },
    service::{
        IdempotencyKey,
        catalog::{Edit, UpdateResourceType},
    },
};

/// A type of resource that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateResourceTypeInput {
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 40 characters, unique on the site whatever its case.
    name: String,
}

/// What changes of a type of resource. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateResourceTypeInput {
    /// Refuse with `REVISION_MISMATCH` unless the type has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 40 characters, unique on the site whatever its case.
    name: MaybeUndefined<String>,
    /// The type.
    resource_type_id: ID,
}

/// A type of resource that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteResourceTypeInput {
    /// Refuse with `REVISION_MISMATCH` unless the type has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The type.
    resource_type_id: ID,
}

impl CreateResourceTypeInput {
    pub(crate) fn parse(&self) -> Result<(String, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        problems.finish(Some((self.name.clone(), key)))
    }
}

impl UpdateResourceTypeInput {
    pub(crate) fn parse(&self) -> Result<UpdateResourceType, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.resource_type_id, self.expected_revision);
        let edit = edit(&mut problems, "resourceTypeId", id, revision, key);
        let name = given(&mut problems, "name", &self.name);
        problems.finish(edit.map(|edit| UpdateResourceType { edit, name }))
    }
}

impl DeleteResourceTypeInput {
    pub(crate) fn parse(&self) -> Result<Edit<ResourceTypeId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.resource_type_id, self.expected_revision);
        let edit = edit(&mut problems, "resourceTypeId", id, revision, key);
        problems.finish(edit)
    }
}

/// Which type is meant: one that every site has, by its name, or any by its id. `field` is the name's place in the input.
pub(super) fn told_type(
    problems: &mut Problems,
    field: &str,
    kind: Option<ResourceKind>,
    type_id: Option<&ID>,
) -> Option<ResourceType> {
    let told = problems.option("resourceTypeId", type_id.map(id::<ResourceTypeId>));
    match (kind, type_id) {
        (None | Some(ResourceKind::Custom), Some(_)) => told.map(ResourceType::Custom),
        (Some(kind), None) if kind.built_in().is_some() => kind.built_in(),
        (Some(_), Some(_)) => {
            problems.complain(&[field], "can't stand beside `resourceTypeId`");
            None
        }
        (Some(_), None) => {
            problems.complain(&["resourceTypeId"], "says which of the business's own types it is");
            None
        }
        (None, None) => {
            let message = "is needed, unless `resourceTypeId` says which type it is";
            problems.complain(&[field], message);
            None
        }
    }
}
