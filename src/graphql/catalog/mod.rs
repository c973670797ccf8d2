//! The catalog's queries and mutations.

pub mod mutation;
pub mod query;
