//! Inputs about what an appointment service needs.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{given, ids, resource_types::told_type};
use crate::{
    domain::catalog::ServiceResource,
    graphql::{
        input::{Problems, Rejections},
        types::resource::ResourceKind,
    },
    service::catalog::{Change, Entries, Requirements},
};

/// So many resources of a type that an appointment needs besides its staff.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceResourceInput {
    /// How many of them at once, 1 to 100, and no more than are named.
    #[graphql(default = 1)]
    required_resources_number: i32,
    /// Those that will do, at most 100. Left out or empty: any of the type, those too that are made later.
    resource_ids: Option<Vec<ID>>,
    /// Of which type: not `STAFF`, who stand in `staffMemberIds`. This or `resourceTypeId`.
    resource_type: Option<ResourceKind>,
    /// The id of the type, for those that the business has made up.
    resource_type_id: Option<ID>,
    /// Whether customers may choose among them; if not, theirs is chosen for them.
    #[graphql(default = true)]
    selectable_resource: bool,
}

impl ServiceResourceInput {
    fn parse(&self) -> Result<ServiceResource, Rejections> {
        let mut problems = Problems::default();
        let named = self.resource_ids.as_deref().unwrap_or_default();
        let resources = ids(&mut problems, "resourceIds", named);
        let kind = told_type(
            &mut problems,
            "resourceType",
            self.resource_type,
            self.resource_type_id.as_ref(),
        );
        problems.finish(kind.map(|resource_type| ServiceResource {
            resource_type,
            resources,
            required: self.required_resources_number,
            selectable: self.selectable_resource,
        }))
    }
}

/// The fields that say it, of which a client uses one form.
pub(super) struct Told<'i> {
    pub(super) resource_ids: &'i MaybeUndefined<Vec<ID>>,
    pub(super) staff_member_ids: &'i MaybeUndefined<Vec<ID>>,
    pub(super) required_staff_members_number: &'i MaybeUndefined<i32>,
    pub(super) required_resources: &'i MaybeUndefined<Vec<ServiceResourceInput>>,
}

impl Told<'_> {
    /// What it comes to; nothing if nothing was said.
    pub(super) fn parse(&self, problems: &mut Problems) -> Option<Requirements> {
        let resources = given(problems, "resourceIds", self.resource_ids);
        let staff_count = given(
            problems,
            "requiredStaffMembersNumber",
            self.required_staff_members_number,
        );
        let others = given(problems, "requiredResources", self.required_resources);
        let staff = match self.staff_member_ids {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(named) => Change::Set(ids(problems, "staffMemberIds", named)),
        };
        let entries = staff_count.is_some() || others.is_some() || !matches!(staff, Change::Keep);
        if let Some(resources) = resources {
            if entries {
                let message =
                    "can't stand beside `staffMemberIds`, `requiredStaffMembersNumber` and `requiredResources`";
                problems.complain(&["resourceIds"], message);
            }
            return Some(Requirements::OfEachType(ids(problems, "resourceIds", &resources)));
        }
        if !entries {
            return None;
        }
        let others = others.map(|others| {
            let read = |(index, entry): (usize, &ServiceResourceInput)| {
                let mut at = Problems::default();
                let parsed = at.nest(&index.to_string(), entry.parse());
                problems.nest("requiredResources", at.finish(parsed))
            };
            others.iter().enumerate().filter_map(read).collect()
        });
        Some(Requirements::Entries(Entries {
            staff,
            staff_count,
            others,
        }))
    }
}
