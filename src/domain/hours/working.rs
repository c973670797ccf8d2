//! The hours on record of the business, its locations and its resources, and how a wall clock's times are read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DayTimes, OpeningHours};
use crate::domain::{
    ids::{LocationId, ResourceId},
    rejection::{Field, Invalid},
};

/// Weekly rules of one record, at the most.
pub const MAX_WEEKLY_RULES: usize = 100;
/// Special days of one record, at the most: two years of them.
pub const MAX_SPECIAL_DAYS: usize = 731;
/// Times of one special day, at the most.
pub const MAX_TIMES_OF_DAY: usize = 24;

/// Whose hours they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoursOwner {
    /// The business.
    Business,
    /// One of its locations: its hours count there instead of the business's.
    Location(LocationId),
    /// One of its resources.
    Resource(ResourceId),
}

impl HoursOwner {
    /// Reads what was said of the two; both at once make no sense.
    #[must_use]
    pub fn of(location: Option<LocationId>, resource: Option<ResourceId>) -> Option<Self> {
        match (location, resource) {
            (None, None) => Some(Self::Business),
            (Some(location), None) => Some(Self::Location(location)),
            (None, Some(resource)) => Some(Self::Resource(resource)),
            (Some(_), Some(_)) => None,
        }
    }

    /// The location, if they are one's.
    #[must_use]
    pub fn location(self) -> Option<LocationId> {
        match self {
            Self::Location(location) => Some(location),
            Self::Business | Self::Resource(_) => None,
        }
    }

    /// The resource, if they are one's.
    #[must_use]
    pub fn resource(self) -> Option<ResourceId> {
        match self {
            Self::Resource(resource) => Some(resource),
            Self::Business | Self::Location(_) => None,
        }
    }
}

/// Hours on record as answers keep them.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    location: Option<LocationId>,
    resource: Option<ResourceId>,
    hours: Option<OpeningHours>,
    revision: i64,
    created: Timestamp,
    updated: Timestamp,
}

impl TryFrom<Kept> for WorkingHours {
    type Error = Invalid;

    fn try_from(kept: Kept) -> Result<Self, Invalid> {
        let owner = HoursOwner::of(kept.location, kept.resource);
        Ok(Self {
            owner: owner.ok_or_else(|| Invalid::new(Field::Other, "are of two owners"))?,
            hours: kept.hours,
            revision: kept.revision,
            created: kept.created,
            updated: kept.updated,
        })
    }
}

impl From<WorkingHours> for Kept {
    fn from(record: WorkingHours) -> Self {
        Self {
            location: record.owner.location(),
            resource: record.owner.resource(),
            hours: record.hours,
            revision: record.revision,
            created: record.created,
            updated: record.updated,
        }
    }
}

/// The hours on record of the business, of a location or of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct WorkingHours {
    /// Whose.
    pub owner: HoursOwner,
    /// When it is open. None: a location or resource keeps others' hours, and the business is open around the clock.
    pub hours: Option<OpeningHours>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When they were set for the first time.
    pub created: Timestamp,
    /// When they changed last.
    pub updated: Timestamp,
}

/// Times of a day from two clock times, `09:00` to `17:00`. The end may be written as an hour past 24, up to `48:00`:
/// `26:00` is 2 o'clock of the next day. An end that is earlier than the start means the next day's, too.
pub fn parse_times(start: &str, end: &str) -> Result<DayTimes, Invalid> {
    let read = |text: &str, most: u16, name: &str| {
        minutes(text)
            .filter(|minutes| *minutes <= most)
            .ok_or_else(|| Invalid::new(Field::Date, "is not a clock time such as `09:00`").at(name))
    };
    let from = read(start, 24 * 60 - 1, "startTime")?;
    let mut until = read(end, 48 * 60, "endTime")?;
    if until < from {
        until += 24 * 60;
    }
    DayTimes::new(from, until, None).map_err(|_| {
        let message = "must be after `startTime`, by 24 hours at the most; a whole day is `00:00` to `24:00`";
        Invalid::new(Field::Date, message).at("endTime")
    })
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_may_run_past_midnight_in_either_way_of_writing() {
        let times = |start, end| parse_times(start, end).map(|times| (times.start(), times.end()));
        assert_eq!(times("09:00", "17:00").unwrap(), (540, 1020));
        assert_eq!(times("22:00", "26:00").unwrap(), (1320, 1560));
        assert_eq!(times("22:00", "02:00").unwrap(), (1320, 1560));
        assert_eq!(times("00:00", "24:00").unwrap(), (0, 1440));
        assert_eq!(times("22:00", "00:00").unwrap(), (1320, 1440));
        for (start, end, place) in [
            ("9:00", "17:00", "startTime"),
            ("24:00", "25:00", "startTime"),
            ("09:60", "17:00", "startTime"),
            ("+9:00", "17:00", "startTime"),
            ("09:00", "09:00", "endTime"),
            ("09:00", "34:00", "endTime"),
            ("09:00", "48:01", "endTime"),
            ("09:00", "", "endTime"),
        ] {
            assert_eq!(times(start, end).unwrap_err().path, [place], "{start} {end}");
        }
    }

    #[test]
    fn hours_read_back_as_they_were_written() {
        use crate::domain::hours::{SpecialDay, Weekdays, WeeklyRule};
        let times = parse_times("09:00", "17:00").unwrap();
        let days = Weekdays::of(&[jiff::civil::Weekday::Friday, jiff::civil::Weekday::Monday]);
        assert_eq!(days.iter().count(), 2);
        let date = jiff::civil::date(2027, 1, 1);
        let rule = WeeklyRule {
            days,
            times,
            from: Some(date),
            until: None,
        };
        let special = SpecialDay { date, times: vec![] };
        let hours = OpeningHours::new(vec![rule], vec![special]).unwrap();
        let text = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<OpeningHours>(&text).unwrap(), hours);
    }
}
