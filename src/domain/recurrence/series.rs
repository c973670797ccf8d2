//! A series: a rule, what its sessions have in common, and what single ones have of their own.

use jiff::{SignedDuration, civil::DateTime};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    expand::ExpandError,
    instants::wall_time,
    rule::{Recurrence, RuleError},
};
use crate::domain::{
    booking::Location,
    catalog::WallTime,
    ids::{ResourceId, SeriesId, SessionId},
    rejection::{Field, Invalid, Rejection},
    time::ZoneName,
};

/// Who or what a session needs, and whether it keeps them busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct ResourceUse {
    /// The resource.
    pub id: ResourceId,
    /// Whether it is not kept busy.
    pub transparent: bool,
}

/// As it is written: what is kept busy by its id alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Busy(ResourceId),
    Said { id: ResourceId, transparent: bool },
}

impl From<Written> for ResourceUse {
    fn from(written: Written) -> Self {
        match written {
            Written::Busy(id) => id.into(),
            Written::Said { id, transparent } => Self { id, transparent },
        }
    }
}

impl From<ResourceUse> for Written {
    fn from(needed: ResourceUse) -> Self {
        let ResourceUse { id, transparent } = needed;
        if transparent {
            Self::Said { id, transparent }
        } else {
            Self::Busy(id)
        }
    }
}

impl From<ResourceId> for ResourceUse {
    fn from(id: ResourceId) -> Self {
        let transparent = false;
        Self { id, transparent }
    }
}

/// What every session of a series has, unless it has its own (§3.4 `inheritedFields`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The wall clock at the start of the first session; what the rule counts from.
    pub local_start: DateTime,
    /// The wall clock at its end.
    pub local_end: DateTime,
    /// The zone of that clock.
    pub time_zone: ZoneName,
    /// The title, 1 to 400 characters.
    pub title: String,
    /// Seats, 1 to 1000.
    pub capacity: i32,
    /// Who and what they need.
    pub resources: Vec<ResourceUse>,
    /// Whether they keep none of them busy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transparent: bool,
    /// Where, if not at the service's place.
    pub location: Option<Location>,
}

impl Template {
    /// How long a session is on the clock.
    #[must_use]
    pub fn length(&self) -> SignedDuration {
        self.local_end.duration_since(self.local_start)
    }
}

/// Sessions that follow one rule (§3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// When it takes place, on the template's clock.
    pub recurrence: Recurrence,
    /// What its sessions have in common.
    pub template: Template,
}

/// What one session of a series is known by, whatever becomes of its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceKey {
    /// Which series.
    pub series: SeriesId,
    /// Where the rule had put it, on the series' clock.
    pub original_start: DateTime,
}

/// The time that a session has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnTime {
    /// It was moved: keeps its start and its end, wherever the series goes.
    Moved {
        /// The wall clock at its start.
        local_start: DateTime,
        /// The wall clock at its end.
        local_end: DateTime,
    },
    /// Only its end was: follows the series' start, and keeps its length on the clock.
    Length(SignedDuration),
}

/// What a session has of its own. What isn't there follows the series, and isn't written either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<OwnTime>,
    /// The zone of its clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneName>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its seats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    /// Who and what it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<ResourceUse>>,
    /// Whether it keeps none of them busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transparent: Option<bool>,
    /// Where: another place, or the service's.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub location: Option<Option<Location>>,
}

/// What was written is the session's own, even if it is nothing.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A field that a session takes from its series, or has of its own (§3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inherited {
    /// Start and end.
    Time,
    /// The zone of its clock.
    TimeZone,
    /// The title.
    Title,
    /// The seats.
    Capacity,
    /// Who and what it needs.
    Resources,
    /// Where.
    Location,
    /// Whether it keeps its resources busy.
    Transparency,
}

impl Overrides {
    /// Whether the session follows its series in everything.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the session has one field of its own.
    #[must_use]
    pub fn has(&self, field: Inherited) -> bool {
        match field {
            Inherited::Time => self.time.is_some(),
            Inherited::TimeZone => self.time_zone.is_some(),
            Inherited::Title => self.title.is_some(),
            Inherited::Capacity => self.capacity.is_some(),
            Inherited::Resources => self.resources.is_some(),
            Inherited::Location => self.location.is_some(),
            Inherited::Transparency => self.transparent.is_some(),
        }
    }

    /// Lets the session follow its series again in one field.
    pub fn clear(&mut self, field: Inherited) {
        match field {
            Inherited::Time => self.time = None,
            Inherited::TimeZone => self.time_zone = None,
            Inherited::Title => self.title = None,
            Inherited::Capacity => self.capacity = None,
            Inherited::Resources => self.resources = None,
            Inherited::Location => self.location = None,
            Inherited::Transparency => self.transparent = None,
        }
    }
}

/// What is stored of one session: all that the series and its own fields decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// When it takes place.
    pub time: WallTime,
    /// Its title.
    pub title: String,
    /// Its seats.
    pub capacity: i32,
    /// Who and what it needs.
    pub resources: Vec<ResourceUse>,
    /// Whether it keeps none of them busy.
    pub transparent: bool,
    /// Where, if not at the service's place.
    pub location: Option<Location>,
}

/// A session of a series as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The session.
    pub session: SessionId,
    /// What it is known by.
    pub key: InstanceKey,
    /// What it has of its own.
    pub own: Overrides,
    /// What it is.
    pub details: Details,
    /// Whether it was called off: it stays a hole in the series.
    pub cancelled: bool,
}

/// What has to be done with one session. To be applied in the order given: no key is taken twice on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "what most sessions of a plan need is the large one"
)]
pub enum Change {
    /// Call it off: the rule has no place for it any more, or it is to go.
    Cancel {
        /// The session.
        session: SessionId,
    },
    /// Write it anew. Whether it is called off stays as it is.
    Update {
        /// The session.
        session: SessionId,
        /// What it is known by from now on.
        key: InstanceKey,
        /// What it has of its own from now on.
        own: Overrides,
        /// What it is from now on.
        details: Details,
    },
    /// Make a session.
    Insert {
        /// What it is known by.
        key: InstanceKey,
        /// What it is.
        details: Details,
    },
    /// Leave it.
    Keep {
        /// The session.
        session: SessionId,
    },
}

/// Why a series, or a change of one, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The rule gives no times, or too many.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// The rule itself.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A time of a session.
    #[error(transparent)]
    Time(#[from] Invalid),
    /// The series has no session there.
    #[error("has no session at {0}")]
    NoOccurrence(DateTime),
    /// The session has begun.
    #[error("the session has begun")]
    Begun,
    /// There is no session after it: then it is that one alone that changes.
    #[error("the session is the last one: change it alone")]
    NoneAfter,
    /// The session was called off.
    #[error("the session was cancelled")]
    Cancelled,
    /// The start moves to a day that the rule doesn't have, and no other rule is given.
    #[error("the rule has no session at {0}: give another rule with the new start")]
    OffTheRule(DateTime),
}

impl From<SeriesError> for Rejection {
    fn from(error: SeriesError) -> Self {
        match error {
            SeriesError::Time(invalid) => Self::Invalid(invalid),
            SeriesError::Expand(_) | SeriesError::Rule(_) => {
                Self::Invalid(Invalid::new(Field::Other, error.to_string()).at("recurrence"))
            }
            other => Self::Invalid(Invalid::new(Field::Date, other.to_string())),
        }
    }
}

impl Series {
    /// A series whose template begins with its first session: a start that isn't on the rule moves forward to the
    /// first time that is, and the end only says how long a session is (§3.5). Refuses an end that isn't after the
    /// start, a session of more than 31 days, and a rule that gives no session.
    pub fn new(id: SeriesId, recurrence: Recurrence, mut template: Template) -> Result<Self, SeriesError> {
        if template.local_end <= template.local_start {
            return Err(Invalid::new(Field::Date, "must be after `localStart`")
                .at("localEnd")
                .into());
        }
        let length = template.length();
        recurrence.first(template.local_start)?;
        // A rule that gives nothing beside dates that do has no anchor; then the start stays where it is.
        template.local_start = recurrence.anchor(template.local_start).unwrap_or(template.local_start);
        template.local_end = end_of(template.local_start, length)?;
        wall_time(template.local_start, template.local_end, &template.time_zone)?;
        Ok(Self {
            id,
            recurrence,
            template,
        })
    }

    /// Where the first session of the series would start if the one at `original_start` started at `local_start`.
    #[must_use]
    pub fn first_if(&self, original_start: DateTime, local_start: DateTime) -> DateTime {
        let first = self.template.local_start;
        first
            .checked_add(local_start.duration_since(original_start))
            .unwrap_or(first)
    }

    /// What the session of this series at `original_start` is, if it has `own` of its own.
    pub fn details(&self, original_start: DateTime, own: &Overrides) -> Result<Details, SeriesError> {
        let template = &self.template;
        let zone = own.time_zone.as_ref().unwrap_or(&template.time_zone);
        let (start, end) = self.clock(original_start, own)?;
        Ok(Details {
            time: wall_time(start, end, zone)?,
            title: own.title.as_ref().unwrap_or(&template.title).clone(),
            capacity: own.capacity.unwrap_or(template.capacity),
            resources: own.resources.as_ref().unwrap_or(&template.resources).clone(),
            transparent: own.transparent.unwrap_or(template.transparent),
            location: own.location.as_ref().unwrap_or(&template.location).clone(),
        })
    }

    /// The local start and end of that session, as they were said.
    pub(super) fn clock(&self, original_start: DateTime, own: &Overrides) -> Result<(DateTime, DateTime), SeriesError> {
        Ok(match own.time {
            Some(OwnTime::Moved { local_start, local_end }) => (local_start, local_end),
            Some(OwnTime::Length(length)) => (original_start, end_of(original_start, length)?),
            None => (original_start, end_of(original_start, self.template.length())?),
        })
    }
}

pub(super) fn end_of(start: DateTime, length: SignedDuration) -> Result<DateTime, SeriesError> {
    start
        .checked_add(length)
        .map_err(|_| Invalid::new(Field::Date, "is out of range").at("localEnd").into())
}
