//! When something can be booked (`spec/catalog-availability.md` §4): reads what the engine needs to know, and asks it.

mod facts;

pub(in crate::service) use facts::{BusyTimes, Facts, busy_times, positive};
