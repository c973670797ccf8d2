//! Resources: who does the work, where, and with what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Rejection,
    ids::{LocationId, ResourceId},
};

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResourceType {
    /// Somebody who does the work.
    Staff,
    /// A room.
    Room,
    /// A thing that is used.
    Equipment,
}

impl ResourceType {
    /// All of them, in the order in which a service needs them: the staff's hours set the grid of starts.
    pub const ALL: [Self; 3] = [Self::Staff, Self::Room, Self::Equipment];
}

/// A staff member, a room or a piece of equipment: can do one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is; never changes.
    pub resource_type: ResourceType,
    /// Its name, 1 to 40 characters.
    pub name: String,
    /// Its e-mail address, for staff.
    pub email: Option<String>,
    /// The only locations of the business at which it serves; none: everywhere.
    #[serde(default)]
    pub locations: Option<Vec<LocationId>>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Locations that a resource may be bound to, at the most.
pub const MAX_RESOURCE_LOCATIONS: usize = 100;

impl Resource {
    /// Refuses limits that nobody can keep within.
    pub fn check_locations(&self) -> Result<(), Rejection> {
        let Some(locations) = &self.locations else {
            return Ok(());
        };
        if !(1..=MAX_RESOURCE_LOCATIONS).contains(&locations.len()) {
            let message = format!("must name 1 to {MAX_RESOURCE_LOCATIONS} locations; null means everywhere");
            return Err(Rejection::invalid(&["locationIds"], message));
        }
        for (index, id) in locations.iter().enumerate() {
            if locations.iter().take(index).any(|earlier| earlier == id) {
                return Err(Rejection::invalid(
                    &["locationIds", &index.to_string()],
                    "is there twice",
                ));
            }
        }
        Ok(())
    }
}
