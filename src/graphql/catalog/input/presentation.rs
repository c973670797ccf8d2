//! Inputs about how a service is shown and found.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{change, given};
use crate::{
    graphql::{
        input::{Problems, id},
        scalars::Json,
        types::media::{MediaInput, SeoDataInput},
    },
    service::catalog::{Change, PresentationChanges},
};

/// How a service is shown and found. What is left out stays as it is; lists and objects are replaced as a whole.
#[derive(InputObject, Clone, Debug)]
pub struct PresentationInput {
    /// The category that it belongs to.
    category_id: MaybeUndefined<ID>,
    /// What apps keep with it: an object of at most 16384 bytes, nested at most 10 deep. Who sees the service sees it,
    /// customers too.
    extended_fields: MaybeUndefined<Json>,
    /// Whether customers don't find it in lists, and can't book it. Unless said, it isn't hidden.
    hidden: MaybeUndefined<bool>,
    /// Pictures and films.
    media: MaybeUndefined<MediaInput>,
    /// What search engines are told.
    seo_data: MaybeUndefined<SeoDataInput>,
    /// Where it stands in its category, the smallest first. Unless said, 0.
    sort_order: MaybeUndefined<i32>,
    /// A short line that makes one want it, at most 6000 characters.
    tag_line: MaybeUndefined<String>,
    /// Words of the business's own to find it by: at most 10 different ones of 1 to 50 characters.
    tags: MaybeUndefined<Vec<String>>,
}

impl PresentationInput {
    /// What changes.
    pub(super) fn parse(&self, problems: &mut Problems) -> PresentationChanges {
        let category = match &self.category_id {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(category) => problems
                .take("categoryId", id(category))
                .map_or(Change::Keep, Change::Set),
        };
        PresentationChanges {
            category,
            hidden: given(problems, "hidden", &self.hidden),
            sort_order: given(problems, "sortOrder", &self.sort_order),
            tag_line: change(&self.tag_line),
            media: change(&self.media).map(Into::into),
            tags: change(&self.tags),
            extended_fields: change(&self.extended_fields).map(|fields| fields.0),
            seo: change(&self.seo_data).map(Into::into),
        }
    }
}
