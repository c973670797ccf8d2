//! The catalog's queries and mutations.

pub(crate) mod lists;
pub mod mutation;
pub mod query;
