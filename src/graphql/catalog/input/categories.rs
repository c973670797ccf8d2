//! Inputs about categories.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    graphql::input::{Problems, Rejections, id},
    service::{
        IdempotencyKey,
        catalog::{CreateCategory, DeleteCategory, MoveCategory, UpdateCategory},
    },
};

/// A category that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateCategoryInput {
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 100 characters.
    name: String,
    /// Where it stands among the others, the smallest first; behind all of them if not said.
    sort_order: Option<i32>,
}

/// What changes of a category. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateCategoryInput {
    /// The category.
    category_id: ID,
    /// Refuse with `REVISION_MISMATCH` unless the category has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 100 characters.
    name: MaybeUndefined<String>,
    /// Where it stands among the others, the smallest first. To put it behind another, see `moveCategory`.
    sort_order: MaybeUndefined<i32>,
}

/// A category that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteCategoryInput {
    /// The category.
    category_id: ID,
    /// Refuse with `REVISION_MISMATCH` unless the category has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The category to which its services go. If there are any and nothing is said, it is refused with
    /// `CATEGORY_HAS_SERVICES`.
    move_to: Option<ID>,
}

/// Another place for a category.
#[derive(InputObject, Clone, Debug)]
pub struct MoveCategoryInput {
    /// The category behind which it comes to stand; left out, it becomes the first.
    after: Option<ID>,
    /// The category.
    category_id: ID,
    /// Refuse with `REVISION_MISMATCH` unless the category has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
}

impl CreateCategoryInput {
    pub(crate) fn parse(&self) -> Result<(CreateCategory, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let category = CreateCategory {
            name: self.name.clone(),
            sort_order: self.sort_order,
        };
        problems.finish(Some((category, key)))
    }
}

/// What every change of a category is told.
macro_rules! edit_of {
    ($problems:ident, $input:ident) => {{
        let key = key(&mut $problems, $input, $input.idempotency_key.as_ref());
        edit(
            &mut $problems,
            "categoryId",
            &$input.category_id,
            $input.expected_revision,
            key,
        )
    }};
}

impl UpdateCategoryInput {
    pub(crate) fn parse(&self) -> Result<UpdateCategory, Rejections> {
        let mut problems = Problems::default();
        let edit = edit_of!(problems, self);
        let name = given(&mut problems, "name", &self.name);
        let sort_order = given(&mut problems, "sortOrder", &self.sort_order);
        problems.finish(edit.map(|edit| UpdateCategory { edit, name, sort_order }))
    }
}

impl DeleteCategoryInput {
    pub(crate) fn parse(&self) -> Result<DeleteCategory, Rejections> {
        let mut problems = Problems::default();
        let edit = edit_of!(problems, self);
        let move_to = problems.option("moveTo", self.move_to.as_ref().map(id));
        problems.finish(edit.map(|edit| DeleteCategory { edit, move_to }))
    }
}

impl MoveCategoryInput {
    pub(crate) fn parse(&self) -> Result<MoveCategory, Rejections> {
        let mut problems = Problems::default();
        let edit = edit_of!(problems, self);
        let after = problems.option("after", self.after.as_ref().map(id));
        problems.finish(edit.map(|edit| MoveCategory { edit, after }))
    }
}
