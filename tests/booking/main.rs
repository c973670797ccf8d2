//! Bookings over the real HTTP endpoint, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::redundant_closure_for_method_calls,
    clippy::similar_names,
    clippy::struct_field_names,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub
)]

mod support;

mod bad_input;
mod callers;
mod double_booking;
mod engines;
mod holds;
mod layers;
mod life_cycle;
mod reading;
mod retries;
mod scenarios;
mod schema;
mod state_machine;
mod upgrades;
