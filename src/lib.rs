//! Frontdesk.

pub mod http;
