//! The business itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{ids::SiteId, money::Currency, time::ZoneName};

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// The name by which visitors' browsers name it.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The zone of its wall clock.
    pub time_zone: ZoneName,
    /// The currency of its prices.
    pub currency: Currency,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}
