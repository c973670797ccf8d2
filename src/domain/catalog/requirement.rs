//! What an appointment needs of the business's resources (`spec/catalog-availability.md` §1.8).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{MAX_RESOURCES, Resource, ResourceType};
use crate::domain::{Rejection, ids::ResourceId};

/// Entries of a service besides its staff, at the most.
pub const MAX_SERVICE_RESOURCES: usize = 8;
/// Resources that one such entry names, at the most.
pub const MAX_RESOURCES_OF_ENTRY: usize = 100;
/// Resources that one entry takes at once, at the most.
pub const MAX_REQUIRED: i32 = 100;

/// So many resources of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceResource {
    /// Of which type.
    pub resource_type: ResourceType,
    /// Those that will do; none named: any of the type, those too that are made later.
    pub resources: Vec<ResourceId>,
    /// How many at once.
    pub required: i32,
    /// Whether customers may choose among them.
    pub selectable: bool,
}

impl ServiceResource {
    /// One of the named ones, which customers may choose.
    #[must_use]
    pub fn one_of(resource_type: ResourceType, resources: Vec<ResourceId>) -> Self {
        Self {
            resource_type,
            resources,
            required: 1,
            selectable: true,
        }
    }

    /// The short form: one free resource of each type that occurs, in the order in which they are named.
    #[must_use]
    pub fn of_each_type(named: &[Resource]) -> Vec<Self> {
        let of_type = |kind: &ResourceType| {
            let ids = named.iter().filter(|resource| resource.resource_type == *kind);
            Self::one_of(*kind, ids.map(|resource| resource.id).collect())
        };
        let types: BTreeSet<ResourceType> = named.iter().map(|resource| resource.resource_type).collect();
        types.iter().map(of_type).collect()
    }

    /// Whether a resource would do.
    #[must_use]
    pub fn allows(&self, resource: &Resource) -> bool {
        resource.resource_type == self.resource_type
            && (self.resources.is_empty() || self.resources.contains(&resource.id))
    }
}

/// Refuses what no appointment could need. Staff come first, and once at the most.
pub(super) fn check(requirements: &[ServiceResource]) -> Result<(), Rejection> {
    let mut others = 0_usize;
    for entry in requirements {
        if entry.resource_type == ResourceType::Staff {
            check_count(entry).map_err(|message| Rejection::invalid(&["requiredStaffMembersNumber"], message))?;
            if entry.resources.len() > MAX_RESOURCES {
                let message = format!("must name at most {MAX_RESOURCES} staff members");
                return Err(Rejection::invalid(&["staffMemberIds"], message));
            }
            continue;
        }
        let position = others.to_string();
        let path = |field| ["requiredResources", &position, field];
        check_count(entry).map_err(|message| Rejection::invalid(&path("requiredResourcesNumber"), message))?;
        if entry.resources.len() > MAX_RESOURCES_OF_ENTRY {
            let message = format!("must name at most {MAX_RESOURCES_OF_ENTRY} resources");
            return Err(Rejection::invalid(&path("resourceIds"), message));
        }
        others += 1;
    }
    if others > MAX_SERVICE_RESOURCES {
        let message = format!("must have at most {MAX_SERVICE_RESOURCES} entries");
        return Err(Rejection::invalid(&["requiredResources"], message));
    }
    Ok(())
}

fn check_count(entry: &ServiceResource) -> Result<(), String> {
    let named = i32::try_from(entry.resources.len()).unwrap_or(i32::MAX);
    let most = if named == 0 {
        MAX_REQUIRED
    } else {
        named.min(MAX_REQUIRED)
    };
    if (1..=most).contains(&entry.required) {
        Ok(())
    } else {
        Err(format!(
            "must be between 1 and {most}, as many as there are to choose from"
        ))
    }
}
