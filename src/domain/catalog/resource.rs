//! Resources: who does the work, where, and with what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ResourceId;

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
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}
