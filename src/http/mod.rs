//! HTTP: what the server answers beside, and in front of, GraphQL.

pub mod pages;
