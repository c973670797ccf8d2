//! Bookings over the real HTTP endpoint, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod support;

mod life_cycle;
