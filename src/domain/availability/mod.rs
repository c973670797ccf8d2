//! When something can be booked (spec §4, §5): free times of appointments, seats of classes and courses, chains of
//! appointments, and why a time is not offered.
//!
//! Everything here is a function of facts that are handed in: borrowed plain data about one business, `now`, and what
//! the caller asks. A listing ([`list`]), the check before something is written ([`check()`]), a chain ([`list_chains`])
//! and an explanation ([`explain()`]) all stand on the same test of a resource at a time (`fit`), so they can't disagree.
//!
//! How it is done: a resource's open times and busy times become ranges of starts that fit, a range becomes bits over
//! the grid of starts, and the free resources of a slot are counted by adding up where ranges begin and end. Nothing
//! is allocated for a slot; who is free is read from the bits when somebody asks.

mod appointments;
mod busy;
mod chain;
mod check;
mod choice;
mod explain;
mod facts;
mod fit;
mod grid;
mod matching;
mod open;
mod paging;
mod policy;
mod relay;
mod sessions;
#[cfg(test)]
mod tests;

pub use appointments::{Free, Slot, Slots, list};
pub use busy::{Busy, Entry, Obstacle};
pub use chain::{ChainQuery, ChainRefusal, ChainSlot, Part, check_chain, list_chains, list_served_chains};
pub use check::{Assignment, Pick, Refusal, Start, check};
pub use choice::{Choice, Rank};
pub use explain::{Action, Explanation, Finding, Reason, TimeFindings, explain, explain_start};
pub use facts::{
    Business, HoursMode, HoursSource, PerDay, Place, Query, Requested, Requirement, Resource, Service, Step,
};
pub use matching::{Share, share_out};
pub use paging::per_day;
pub use policy::{NonBookable, Policy, Violations};
pub use sessions::{ClassSession, ClassSlot, CourseOffer, CourseRun, SeatQuery, Seats, Waitlist, classes, course};
