//! The GraphQL API.

pub mod shared;
