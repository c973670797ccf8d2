//! What an appointment service needs, as it is told.

use super::{Change, find_resources, resource_types::lock_type};
use crate::{
    domain::{
        Rejection,
        catalog::{Resource, ResourceType, ServiceResource},
        ids::ResourceId,
        rejection::Invalid,
    },
    store::{Failure, Tx},
};

/// What is told of who and what an appointment needs, in one of two forms.
#[derive(Debug, Clone)]
pub enum Requirements {
    /// One free resource of each type that occurs here.
    OfEachType(Vec<ResourceId>),
    /// Every entry by itself.
    Entries(Entries),
}

impl Default for Requirements {
    fn default() -> Self {
        Self::OfEachType(Vec::new())
    }
}

/// The staff and the other entries. What isn't said stays.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// The staff members that will do; an empty list: any.
    pub staff: Change<Vec<ResourceId>>,
    /// How many of them at once.
    pub staff_count: Option<i32>,
    /// What is needed besides staff, all of it.
    pub others: Option<Vec<ServiceResource>>,
}

impl Requirements {
    /// What the service needs from now on. Those that it names already may have been deleted since.
    pub(super) async fn resolve(
        &self,
        tx: &mut Tx<'_>,
        before: &[ServiceResource],
    ) -> Result<Vec<ServiceResource>, Failure> {
        match self {
            Self::OfEachType(ids) => {
                let found = find_resources(tx, ids, false, &named(before)).await?;
                Ok(ServiceResource::of_each_type(&found))
            }
            Self::Entries(entries) => entries.resolve(tx, before).await,
        }
    }
}

impl Entries {
    async fn resolve(&self, tx: &mut Tx<'_>, before: &[ServiceResource]) -> Result<Vec<ServiceResource>, Failure> {
        let is_staff = |entry: &&ServiceResource| entry.resource_type == ResourceType::Staff;
        let had = before.iter().find(is_staff).cloned();
        let mut staff = match &self.staff {
            Change::Keep => had,
            Change::Clear => None,
            Change::Set(ids) => {
                check_named(tx, ids, before, ResourceType::Staff, &["staffMemberIds"]).await?;
                let required = had.map_or(1, |had| had.required);
                Some(ServiceResource {
                    required,
                    ..ServiceResource::one_of(ResourceType::Staff, ids.clone())
                })
            }
        };
        match (self.staff_count, &mut staff) {
            (None, _) => {}
            (Some(count), Some(staff)) => staff.required = count,
            (Some(_), None) => {
                let message = "is for services that need staff: `staffMemberIds` names them, or is empty for any";
                return Err(Rejection::invalid(&["requiredStaffMembersNumber"], message).into());
            }
        }
        let mut all: Vec<ServiceResource> = staff.into_iter().collect();
        let Some(others) = &self.others else {
            all.extend(before.iter().filter(|entry| !is_staff(entry)).cloned());
            return Ok(all);
        };
        for (index, entry) in others.iter().enumerate() {
            let index = index.to_string();
            let path = ["requiredResources", &index, "resourceTypeId"];
            let entry = ServiceResource {
                resource_type: lock_type(tx, entry.resource_type, &path).await?,
                ..entry.clone()
            };
            if is_staff(&&entry) {
                let path = ["requiredResources", &index, "resourceType"];
                return Err(Rejection::invalid(&path, "can't be staff: they stand in `staffMemberIds`").into());
            }
            let path = ["requiredResources", &index, "resourceIds"];
            check_named(tx, &entry.resources, before, entry.resource_type, &path).await?;
            all.push(entry);
        }
        Ok(all)
    }
}

/// All that a service names.
fn named(entries: &[ServiceResource]) -> Vec<ResourceId> {
    entries.iter().flat_map(|entry| &entry.resources).copied().collect()
}

/// Refuses ids that there are not, that occur twice, or that are of another type. They stand at `path`.
async fn check_named(
    tx: &mut Tx<'_>,
    ids: &[ResourceId],
    before: &[ServiceResource],
    kind: ResourceType,
    path: &[&str],
) -> Result<(), Failure> {
    let found = find_resources(tx, ids, false, &named(before))
        .await
        .map_err(|failure| match failure {
            Failure::Rejected(rejection) => moved(rejection, path).into(),
            other => other,
        })?;
    let other = |resource: &Resource| resource.resource_type != kind;
    match found.iter().position(other) {
        Some(index) => {
            let message = "is of another type";
            Err(Rejection::invalid(&[&index.to_string()], message).within(path).into())
        }
        None => Ok(()),
    }
}

/// The same refusal at the list's own place instead of `resourceIds`.
fn moved(mut rejection: Rejection, path: &[&str]) -> Rejection {
    if let Rejection::Invalid(Invalid { path: at, .. }) | Rejection::NotFound { path: at, .. } = &mut rejection {
        at.splice(0..1, path.iter().map(|segment| (*segment).to_owned()));
    }
    rejection
}
