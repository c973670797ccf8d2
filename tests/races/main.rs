//! What must hold whatever happens at the same time: races, crashes, clients that hang up, full disks, live updates.
//!
//! `docs/testing.md` has the long runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::redundant_closure_for_method_calls,
    clippy::similar_names,
    clippy::struct_field_names,
    clippy::unnested_or_patterns,
    missing_docs,
    unreachable_pub
)]
#![allow(
    clippy::too_many_lines,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

#[path = "../booking/support/mod.rs"]
mod support;

#[path = "../support/program.rs"]
mod program;

mod invariants;
mod retries;
mod socket;
mod stage;

mod crash;
mod full_disk;
mod hangup;
mod http;
mod live;
mod moves;
mod offered;
mod packages;
mod rules;
mod slots;
mod storm;
