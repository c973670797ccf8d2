//! Who gets in, who may do and see what, and that sites don't know of each other; over the real HTTP endpoint.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::match_same_arms,
    clippy::needless_for_each,
    clippy::needless_range_loop,
    clippy::unused_self,
    clippy::items_after_statements,
    clippy::similar_names,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub
)]

#[path = "../booking/support/mod.rs"]
mod support;

mod credentials;
mod permissions;
mod schema;
mod stage;
mod tenants;
