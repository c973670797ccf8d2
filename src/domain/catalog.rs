//! What can be booked: services, resources, schedules, sessions, and the times in which nothing can be.

use std::fmt;

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use super::{
    Rejection,
    booking::{BookedResource, Location},
    ids::{BlockedTimeId, ResourceId, ScheduleId, SeriesId, ServiceId, SessionId, SiteId},
    money::{Currency, Money},
    recurrence::{Details, Instance, InstanceKey, Overrides, Series},
    rejection::{Field, Invalid},
    text,
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

/// How far apart the starts are that an appointment service offers (§1.7, §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotStep {
    /// So many minutes, 1 to 1440.
    Minutes(i32),
    /// As long as the service's usual length and its buffer.
    SameAsDuration,
}

impl Default for SlotStep {
    fn default() -> Self {
        Self::Minutes(30)
    }
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
    /// How far apart the starts of appointments are.
    #[serde(default)]
    pub slot_step: SlotStep,
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

/// Seats of a session or a run, at the most.
pub const MAX_CAPACITY: i32 = 1000;
/// Minutes that are kept free after an appointment, at the most.
pub const MAX_BUFFER_MINUTES: i32 = 720;
/// Minutes of an appointment, at the most: a minute less than 31 days.
pub const MAX_DURATION_MINUTES: i32 = 44_639;
/// Minutes between the starts that are offered, at the most: a day.
pub const MAX_STEP_MINUTES: i32 = 1440;
/// Lengths that a service offers, at the most.
pub const MAX_DURATIONS: usize = 50;
/// Resources of a service or a session, at the most.
pub const MAX_RESOURCES: usize = 220;

impl Service {
    /// Refuses a service that breaks a rule of its kind (§1.1, §1.3, §1.5, §1.7). `currency` is the site's.
    pub fn check(&self, currency: Currency) -> Result<(), Rejection> {
        text::required(&self.name, 400).map_err(|invalid| invalid.at("name"))?;
        text::slug(&self.slug).map_err(|invalid| invalid.at("slug"))?;
        if let Some(description) = &self.description {
            text::bounded(description, 7000).map_err(|invalid| invalid.at("description"))?;
        }
        match self.kind {
            ServiceKind::Appointment => self.check_appointment()?,
            ServiceKind::Class | ServiceKind::Course => self.check_sessions_of_its_own()?,
        }
        self.check_payment(currency)?;
        let online = self.online_booking;
        let asks = self.kind == ServiceKind::Appointment && online.require_manual_approval;
        if online.allow_multiple_requests && !asks {
            let path = ["onlineBooking", "allowMultipleRequests"];
            return Err(Rejection::invalid(&path, "is for appointments that need approval only"));
        }
        Ok(())
    }

    fn check_appointment(&self) -> Result<(), Rejection> {
        if self.default_capacity != 1 {
            return Err(Rejection::invalid(&["defaultCapacity"], "must be 1 for an appointment"));
        }
        if !(1..=MAX_DURATIONS).contains(&self.durations.len()) {
            let message = format!("must name 1 to {MAX_DURATIONS} lengths in minutes");
            return Err(Rejection::invalid(&["durations"], message));
        }
        for (index, minutes) in self.durations.iter().enumerate() {
            let position = index.to_string();
            if !(1..=MAX_DURATION_MINUTES).contains(minutes) {
                let message = format!("must be between 1 and {MAX_DURATION_MINUTES} minutes");
                return Err(Rejection::invalid(&["durations", &position], message));
            }
            if self.durations.iter().take(index).any(|earlier| earlier == minutes) {
                return Err(Rejection::invalid(&["durations", &position], "is there twice"));
            }
        }
        if !(0..=MAX_BUFFER_MINUTES).contains(&self.buffer_minutes) {
            let message = format!("must be between 0 and {MAX_BUFFER_MINUTES}");
            return Err(Rejection::invalid(&["bufferMinutes"], message));
        }
        if let SlotStep::Minutes(minutes) = self.slot_step
            && !(1..=MAX_STEP_MINUTES).contains(&minutes)
        {
            let message = format!("must be between 1 and {MAX_STEP_MINUTES}");
            return Err(Rejection::invalid(&["slotsSplitInterval", "valueInMinutes"], message));
        }
        if !(1..=MAX_RESOURCES).contains(&self.resources.len()) {
            let message = format!("must name 1 to {MAX_RESOURCES} staff members or rooms");
            return Err(Rejection::invalid(&["resourceIds"], message));
        }
        Ok(())
    }

    fn check_sessions_of_its_own(&self) -> Result<(), Rejection> {
        check_capacity(self.default_capacity).map_err(|invalid| invalid.at("defaultCapacity"))?;
        if !self.durations.is_empty() {
            return Err(Rejection::invalid(
                &["durations"],
                "is for appointments: sessions have their own times",
            ));
        }
        if self.buffer_minutes != 0 {
            return Err(Rejection::invalid(&["bufferMinutes"], "is for appointments"));
        }
        if self.slot_step != SlotStep::default() {
            return Err(Rejection::invalid(&["slotsSplitInterval"], "is for appointments"));
        }
        if !self.resources.is_empty() {
            return Err(Rejection::invalid(
                &["resourceIds"],
                "is for appointments: sessions have their own resources",
            ));
        }
        Ok(())
    }

    fn check_payment(&self, currency: Currency) -> Result<(), Rejection> {
        let options = self.payment_options;
        match self.price {
            Price::Fixed(money) if money.currency != currency => {
                let message = format!("must be the site's, {}", currency.as_str());
                Err(Rejection::invalid(&["payment", "price", "currency"], message))
            }
            Price::Fixed(money) if money.minor < 1 => {
                let message = "must be more than zero; a service without a price is `NO_FEE`";
                Err(Rejection::invalid(&["payment", "price", "amount"], message))
            }
            Price::Fixed(_) if !options.online && !options.in_person => Err(Rejection::invalid(
                &["payment", "options"],
                "must allow at least one way to pay",
            )),
            Price::NoFee if options.online || !options.in_person => {
                let message = "must be `inPerson` alone for a service that costs nothing";
                Err(Rejection::invalid(&["payment", "options"], message))
            }
            Price::Fixed(_) | Price::NoFee => Ok(()),
        }
    }
}

/// Refuses numbers of seats that no session or run has.
pub fn check_capacity(capacity: i32) -> Result<i32, Invalid> {
    if (1..=MAX_CAPACITY).contains(&capacity) {
        Ok(capacity)
    } else {
        Err(Invalid::new(
            Field::Other,
            format!("must be between 1 and {MAX_CAPACITY}"),
        ))
    }
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

/// A time on a wall clock with the instants that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallTime {
    /// The clock at the start.
    pub local_start: DateTime,
    /// The clock at the end.
    pub local_end: DateTime,
    /// The clock's zone.
    pub time_zone: ZoneName,
    /// The instants.
    pub span: TimeSpan,
}

/// How long a session may last, in hours: 31 days.
pub const MAX_SESSION_HOURS: i64 = 31 * 24;

impl WallTime {
    /// The time between two local times. One in a gap moves forward by the gap, a repeated one is the earlier; the
    /// clock shows what the instants say.
    pub fn new(start: DateTime, end: DateTime, time_zone: ZoneName) -> Result<Self, Invalid> {
        let instant = |local, name: &str| {
            time_zone
                .instant(local)
                .ok_or_else(|| Invalid::new(Field::Date, "is out of range").at(name))
        };
        let (starts, ends) = (instant(start, "localStart")?, instant(end, "localEnd")?);
        let span = TimeSpan::new(starts, ends)
            .ok_or_else(|| Invalid::new(Field::Date, "must be after `localStart`").at("localEnd"))?;
        if span.minutes() > MAX_SESSION_HOURS * 60 {
            return Err(Invalid::new(Field::Date, "must be at most 31 days after `localStart`").at("localEnd"));
        }
        let (local_start, local_end) = (time_zone.local(starts), time_zone.local(ends));
        Ok(Self {
            local_start,
            local_end,
            time_zone,
            span,
        })
    }
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
    /// What it is in a series, if it is of one.
    #[serde(default)]
    pub series: Option<SeriesPlace>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// What a session is in its series (§3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPlace {
    /// Which series.
    pub id: SeriesId,
    /// Where the rule had put it, on the series' clock. No two sessions of a series have the same.
    pub original_start: DateTime,
    /// What it has of its own.
    pub own: Overrides,
}

impl Session {
    /// What a series has to know of this session; `None` if it is of none.
    #[must_use]
    pub fn instance(&self) -> Option<Instance> {
        let place = self.series.as_ref()?;
        Some(Instance {
            session: self.id,
            key: InstanceKey {
                series: place.id,
                original_start: place.original_start,
            },
            own: place.own.clone(),
            details: self.details(),
            cancelled: self.status == SessionStatus::Cancelled,
        })
    }

    /// What a series decides of this session.
    #[must_use]
    pub fn details(&self) -> Details {
        Details {
            time: WallTime {
                local_start: self.local_start,
                local_end: self.local_end,
                time_zone: self.time_zone.clone(),
                span: self.span,
            },
            title: self.title.clone(),
            capacity: self.capacity,
            resources: self.resources.iter().map(|resource| resource.id).collect(),
            location: self.location.clone(),
        }
    }
}

/// A series of sessions on a schedule, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSeries {
    /// Its rule, and what its sessions have in common.
    pub series: Series,
    /// On which schedule its sessions are.
    pub schedule: ScheduleId,
    /// Of which service.
    pub service: ServiceId,
    /// How far its sessions are made: up to this instant. None if all are: the rule has an end, or was cancelled.
    pub materialized_until: Option<Timestamp>,
    /// Grows by one with every change of the series itself.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
    /// When it was cancelled before it had taken place even once.
    pub cancelled: Option<Timestamp>,
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
