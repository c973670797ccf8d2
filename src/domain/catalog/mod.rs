//! What can be booked: services, resources, schedules, sessions, and the times in which nothing can be.

mod calendar;
mod category;
mod location;
mod payment;
mod presentation;
mod requirement;
mod resource;
mod service;
mod site;
mod subscription;

pub use calendar::*;
pub use category::*;
pub use location::*;
pub use payment::*;
pub use presentation::*;
pub use requirement::*;
pub use resource::*;
pub use service::*;
pub use site::*;
pub use subscription::*;
