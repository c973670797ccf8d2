//! The types of the schema, one file each.

pub mod api_key;
pub mod blocked_time;
pub mod booked;
pub mod booking;
pub mod booking_filter;
pub mod booking_input;
pub mod booking_policy;
pub mod event;
pub mod explanation;
pub mod identity;
pub mod money;
pub mod node;
pub mod notification;
pub mod participants_input;
pub mod resource;
pub mod schedule;
pub mod service;
pub mod service_options;
pub mod session;
pub mod session_series;
pub mod site;
pub mod time_slot;
pub mod working_hours;
