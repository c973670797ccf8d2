//! The engine against worked examples, test vectors, properties, and a slow model of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod against_model;
mod chains;
mod explanations;
mod model;
mod properties;
mod relay;
mod resources;
mod seats;
mod speed;
mod stage;
mod vectors;
mod worked_examples;
