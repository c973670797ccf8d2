//! One file for each type of the API, with its connection, its enums and how rows become it.

pub mod blocked_time;
pub mod location;
pub mod money;
pub mod resource;
pub mod schedule;
pub mod service;
pub mod session;
pub mod site;
