//! Frontdesk: a self-hosted bookings server with a GraphQL API.
//!
//! Dependencies point one way: `main -> app -> http -> graphql -> live -> service -> store -> domain`.

pub mod app;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod live;
pub mod service;
pub mod store;
