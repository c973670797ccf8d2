//! What stands on the calendar: schedules, sessions and their series, and the times in which nothing can be booked.

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use crate::domain::{
    booking::{BookedResource, Location},
    conflict::OverlapReason,
    hours::HoursOwner,
    ids::{BlockedTimeId, LocationId, ScheduleId, SeriesId, ServiceId, SessionId},
    recurrence::{Details, Instance, InstanceKey, Overrides, ResourceUse, Series},
    rejection::{Field, Invalid},
    time::{TimeSpan, ZoneName},
};

/// Seats of a session or a run, at the most.
pub const MAX_CAPACITY: i32 = 1000;

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
        let span = TimeSpan::new(starts, ends).ok_or_else(|| {
            let message = if start < end {
                // Only a start that the clock skips can get behind an end that is later on it.
                let moved = time_zone.local(starts).strftime("%H:%M");
                format!("must be after `localStart`, which the clock skips that day: it is put forward to {moved}")
            } else {
                "must be after `localStart`".to_owned()
            };
            Invalid::new(Field::Date, message).at("localEnd")
        })?;
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
    /// Who and what it needs; busy for its time, but for those that are transparent.
    pub resources: Vec<BookedResource>,
    /// Whether it keeps none of them busy.
    #[serde(default)]
    pub transparent: bool,
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

    /// What was said of each of its resources.
    pub fn uses(&self) -> impl Iterator<Item = ResourceUse> + '_ {
        self.resources.iter().map(|resource| ResourceUse {
            id: resource.id,
            transparent: resource.transparent,
        })
    }

    /// Its resources as its bookings keep them: each says whether it is kept busy.
    #[must_use]
    pub fn told(&self) -> Vec<BookedResource> {
        let told = |resource: &BookedResource| BookedResource {
            transparent: self.transparent || resource.transparent,
            ..resource.clone()
        };
        self.resources.iter().map(told).collect()
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
            resources: self.uses().collect(),
            transparent: self.transparent,
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

/// How long a transparent time may be, in days; one that blocks has no limit.
pub const MAX_TRANSPARENT_DAYS: i64 = 366;

/// A time in which a resource can't be booked, or the business or one of its locations is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedTime {
    /// Its id.
    pub id: BlockedTimeId,
    /// Whose time.
    #[serde(flatten, with = "owner")]
    pub owner: HoursOwner,
    /// From when to when.
    pub span: TimeSpan,
    /// Why, for the business's eyes.
    pub reason: Option<String>,
    /// Whether it is only shown, and keeps nobody from being booked.
    pub transparent: bool,
    /// Why it stands over bookings that were there before it, if it closes the business or a location. What stands over
    /// something else on a resource has that on its claim.
    #[serde(default)]
    pub overlap: Option<OverlapReason>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Times in which nothing can be had by appointment: of the business, or of one of its locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// What closes it.
    pub block: BlockedTimeId,
    /// Where; everywhere if not said.
    pub location: Option<LocationId>,
    /// From when to when.
    pub span: TimeSpan,
}

impl Closing {
    /// Whether it counts for what takes place at a location of the business, or elsewhere if it is none.
    #[must_use]
    pub fn closes(&self, at: Option<LocationId>) -> bool {
        self.location.is_none() || self.location == at
    }
}

/// Whose time it is, as it is written: by the resource or the location, or by neither.
mod owner {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    use crate::domain::{
        hours::HoursOwner,
        ids::{LocationId, ResourceId},
    };

    #[derive(Serialize, Deserialize)]
    struct Written {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<LocationId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<ResourceId>,
    }

    pub(super) fn serialize<S: Serializer>(owner: &HoursOwner, serializer: S) -> Result<S::Ok, S::Error> {
        let (location, resource) = (owner.location(), owner.resource());
        Written { location, resource }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HoursOwner, D::Error> {
        let Written { location, resource } = Written::deserialize(deserializer)?;
        HoursOwner::of(location, resource).ok_or_else(|| D::Error::custom("both a resource and a location"))
    }
}
