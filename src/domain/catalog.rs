//! What can be booked: services, resources, schedules, sessions, and the times in which nothing can be.

use std::fmt;

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use super::{
    booking::{BookedResource, Location},
    ids::{BlockedTimeId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
    money::{Currency, Money},
    time::{TimeSpan, ZoneName},
};

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// The name by which visitors' browsers name it.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The zone of its wall clock.
    pub time_zone: ZoneName,
    /// The currency of its prices.
    pub currency: Currency,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// The three kinds of service (`spec/catalog-availability.md` §1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServiceKind {
    /// A free time is booked; the booking makes the event.
    Appointment,
    /// One session of many is booked.
    Class,
    /// A whole run of sessions is booked.
    Course,
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Appointment => "appointment",
            Self::Class => "class",
            Self::Course => "course",
        })
    }
}

/// What a service costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Price {
    /// Nothing.
    NoFee,
    /// The same for each participant; more than zero.
    Fixed(Money),
}

/// Whether and how customers book by themselves (§1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineBooking {
    /// Whether customers can book it at all; the business always can.
    pub enabled: bool,
    /// Whether the business has to confirm each booking.
    pub require_manual_approval: bool,
    /// Whether several requests may wait for one time. Appointments that need approval only.
    pub allow_multiple_requests: bool,
}

/// How a service can be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOptions {
    /// Online, at checkout.
    pub online: bool,
    /// At the business.
    pub in_person: bool,
}

/// Something that the business offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Which of the three kinds it is; never changes.
    pub kind: ServiceKind,
    /// Its name, 1 to 400 characters.
    pub name: String,
    /// A name for addresses, unique on the site.
    pub slug: String,
    /// What it is, at most 7000 characters.
    pub description: Option<String>,
    /// Seats of new sessions (class) or of a new run (course), 1 to 1000. Appointments: 1.
    pub default_capacity: i32,
    /// Lengths that an appointment can have, in minutes, the usual one first; empty for classes and courses.
    pub durations: Vec<i32>,
    /// Minutes kept free after an appointment, 0 to 720.
    pub buffer_minutes: i32,
    /// What it costs.
    pub price: Price,
    /// How it can be paid for.
    pub payment_options: PaymentOptions,
    /// Whether and how customers book it by themselves.
    pub online_booking: OnlineBooking,
    /// Where it takes place.
    pub location: Option<Location>,
    /// Who and what an appointment needs: one free resource of each type that occurs here.
    pub resources: Vec<ResourceId>,
    /// The schedule that was made with it: sessions of a class, the first run of a course.
    pub schedule: ScheduleId,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResourceType {
    /// Somebody who does the work.
    Staff,
    /// A room.
    Room,
}

/// A staff member or a room: can do one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is; never changes.
    pub resource_type: ResourceType,
    /// Its name, 1 to 40 characters.
    pub name: String,
    /// Its e-mail address, for staff.
    pub email: Option<String>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// The schedule of a service. A course's run is one; a course may have several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Whose schedule it is.
    pub service: ServiceId,
    /// Its name, such as "Spring run".
    pub name: String,
    /// Seats in the whole run; for a class the number that new sessions get.
    pub capacity: i32,
    /// From the first session's start to the last one's end; none without sessions.
    pub span: Option<TimeSpan>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Whether a session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionStatus {
    /// It does.
    Confirmed,
    /// It doesn't.
    Cancelled,
}

/// One block of time on the schedule of a class or a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// On which schedule.
    pub schedule: ScheduleId,
    /// Of which service.
    pub service: ServiceId,
    /// Its title; the service's name unless it has its own.
    pub title: String,
    /// The wall clock at its start.
    pub local_start: DateTime,
    /// The wall clock at its end.
    pub local_end: DateTime,
    /// The zone of that clock.
    pub time_zone: ZoneName,
    /// The instants.
    pub span: TimeSpan,
    /// Seats. For a session of a course the run's seats count, not these.
    pub capacity: i32,
    /// Whether it takes place.
    pub status: SessionStatus,
    /// Who and what it needs; busy for its time.
    pub resources: Vec<BookedResource>,
    /// Where.
    pub location: Option<Location>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// A time in which a resource can't be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedTime {
    /// Its id.
    pub id: BlockedTimeId,
    /// Whose time.
    pub resource: ResourceId,
    /// From when to when.
    pub span: TimeSpan,
    /// Why, for the business's eyes.
    pub reason: Option<String>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}
