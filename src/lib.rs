//! Frontdesk: a self-hosted bookings server with a GraphQL API.
//!
//! Dependencies point one way: `main -> http -> graphql -> live -> service -> store -> domain`.

pub mod domain;
pub mod graphql;
pub mod live;
pub mod store;
