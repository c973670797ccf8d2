//! What repeats: rules by RFC 5545, the times they give, and series of sessions that follow one.
//!
//! A rule works on the wall clock alone (`occurrences`); a zone comes in only where its times become instants
//! (`timed`), so that there is one answer to gaps and repeated hours in the whole server
//! (`spec/catalog-availability.md` §3.8, §11.4). Nothing here knows of rows, claims or bookings.

mod edit;
mod expand;
mod instants;
mod plan;
mod rule;
mod series;
mod text;

#[cfg(test)]
mod tests;

pub use edit::{Edited, InstanceEdit, SeriesEdit, cancel_all, cancel_following, cancel_one, edit_all};
pub use edit::{edit_following, edit_one, restore};
pub use expand::{ExpandError, Window};
pub use instants::{Occurrence, timed, wall_time};
pub(in crate::domain) use instants::{placed, span};
pub use plan::plan;
pub use rule::{DayOfWeek, End, Frequency, MAX_OCCURRENCES, Recurrence, Rule, RuleError};
pub use series::{
    Change, Details, Inherited, Instance, InstanceKey, Overrides, OwnTime, ResourceUse, Series, SeriesError, Template,
};
pub(in crate::domain) use text::{Stamp, day_of_week};
