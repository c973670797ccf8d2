//! Resources: who does the work, and where.

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
}

/// A staff member or a room: can do one thing at a time.
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
