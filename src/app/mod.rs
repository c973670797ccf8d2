//! The program: its configuration, its commands, and the server put together from its layers.

mod api;
pub mod config;
mod demo;
mod log;
mod manage;
mod metrics;
mod operations;
mod serve;
pub mod tokens;
pub mod traces;

pub use api::{Asked, Frontdesk};
pub use config::Cli;
pub use serve::{Fatal, Running, run, start};
