//! The catalog's queries and mutations.

pub mod availability;
pub mod calendar;
pub mod input;
pub(crate) mod lists;
pub mod locations;
pub mod mutation;
pub mod query;
pub mod resources;
pub mod services;
pub mod slugs;
pub mod terms;
