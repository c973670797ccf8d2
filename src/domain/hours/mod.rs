//! Opening times: weekly rules and special days on a wall clock, and the instants that they mean in a zone.
//!
//! A day's times may run past midnight; they belong to the date on which they start. What a clock shows that was put
//! forward or back is settled here (spec §3.8, §11.4): a time in a gap moves forward by the gap and a repeated one is
//! the earlier, for a start and for an end alike. So an end in a gap or in a repeated hour keeps the length that the
//! wall clock promised, times that touch on paper touch in fact, and who closes at midnight closes at the first one
//! if there are two. Times that hold the whole gap or the whole repeated hour are an hour shorter or longer.

mod calendar;
#[cfg(test)]
mod tests;
mod working;

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use calendar::Calendar;
pub(in crate::domain) use calendar::from_micros;
pub use working::{HoursOwner, MAX_SPECIAL_DAYS, MAX_TIMES_OF_DAY, MAX_WEEKLY_RULES, WorkingHours, parse_times};

use super::{
    rejection::{Field, Invalid},
    spans,
    time::TimeSpan,
};

/// Microseconds of a minute.
pub(in crate::domain) const MINUTE: i64 = 60_000_000;

const MINUTES_OF_DAY: u16 = 24 * 60;

/// A place at which a service is given: a location of the business, its own words for another one, or the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceId(Uuid);

impl PlaceId {
    /// Wraps the place's UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID inside.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekdays(u8);

impl Weekdays {
    /// All seven.
    pub const ALL: Self = Self(0x7f);

    /// Those that are named.
    #[must_use]
    pub fn of(days: &[Weekday]) -> Self {
        Self(days.iter().fold(0, |bits, day| bits | Self::bit(*day)))
    }

    /// Whether `day` is one of them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// Those that are among them, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::Monday
            .cycle_forward()
            .take(7)
            .filter(move |day| self.contains(*day))
    }

    fn bit(day: Weekday) -> u8 {
        1 << day.to_monday_zero_offset()
    }
}

/// From when to when on the wall clock of one day, in minutes after midnight; perhaps at one place only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredTimes")]
pub struct DayTimes {
    start: u16,
    end: u16,
    place: Option<PlaceId>,
}

/// Times as they were stored, before they are checked again.
#[derive(Deserialize)]
struct StoredTimes {
    start: u16,
    end: u16,
    place: Option<PlaceId>,
}

impl TryFrom<StoredTimes> for DayTimes {
    type Error = Invalid;

    fn try_from(stored: StoredTimes) -> Result<Self, Invalid> {
        Self::new(stored.start, stored.end, stored.place)
    }
}

impl DayTimes {
    /// From `start` to `end`, in minutes after midnight: `end` may lie past the next midnight (1560 is 02:00), at most
    /// 24 hours after `start`. With a `place` they hold there and nowhere else.
    pub fn new(start: u16, end: u16, place: Option<PlaceId>) -> Result<Self, Invalid> {
        if start >= MINUTES_OF_DAY {
            return Err(Invalid::new(Field::Date, "must be before midnight").at("start"));
        }
        if end <= start || end - start > MINUTES_OF_DAY {
            return Err(Invalid::new(Field::Date, "must be after `start` and at most 24 hours later").at("end"));
        }
        Ok(Self { start, end, place })
    }

    /// Minutes after midnight at which they start, 0 to 1439.
    #[must_use]
    pub fn start(&self) -> u16 {
        self.start
    }

    /// Minutes after midnight at which they end, 1 to 2879.
    #[must_use]
    pub fn end(&self) -> u16 {
        self.end
    }

    /// The same times, at one place only.
    #[must_use]
    pub fn at(self, place: Option<PlaceId>) -> Self {
        Self { place, ..self }
    }

    /// The only place at which they hold, if there is one.
    #[must_use]
    pub fn place(&self) -> Option<PlaceId> {
        self.place
    }
}

/// Times that come back every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WeeklyRule {
    /// On which days they start.
    pub days: Weekdays,
    /// The times.
    pub times: DayTimes,
    /// The first date on which they may start.
    pub from: Option<Date>,
    /// The last date on which they may start.
    pub until: Option<Date>,
}

impl WeeklyRule {
    fn holds_on(&self, date: Date) -> bool {
        self.days.contains(date.weekday())
            && self.from.is_none_or(|from| from <= date)
            && self.until.is_none_or(|until| date <= until)
    }
}

/// A date with times of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpecialDay {
    /// The date.
    pub date: Date,
    /// The times that start on it, instead of the weekly ones; none: closed. What started on the day before goes on.
    pub times: Vec<DayTimes>,
}

/// Opening times of a business, a place, a resource or a service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "StoredHours", into = "StoredHours")]
pub struct OpeningHours {
    weekly: Vec<WeeklyRule>,
    special: BTreeMap<Date, Vec<DayTimes>>,
}

impl OpeningHours {
    /// How many rules and special days they are of.
    #[must_use]
    pub fn number_of_rules(&self) -> usize {
        self.weekly.len() + self.special.values().map(|times| times.len() + 1).sum::<usize>()
    }
}

/// Hours as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHours {
    weekly: Vec<WeeklyRule>,
    special_days: Vec<SpecialDay>,
}

impl TryFrom<StoredHours> for OpeningHours {
    type Error = Invalid;

    fn try_from(stored: StoredHours) -> Result<Self, Invalid> {
        Self::new(stored.weekly, stored.special_days)
    }
}

impl From<OpeningHours> for StoredHours {
    fn from(hours: OpeningHours) -> Self {
        let day = |(date, times)| SpecialDay { date, times };
        Self {
            weekly: hours.weekly,
            special_days: hours.special.into_iter().map(day).collect(),
        }
    }
}

/// Which of the times count, by the place that they are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All, wherever they hold.
    Everywhere,
    /// Those that are bound to no place.
    Unbound,
    /// Those that are bound to this place.
    BoundTo(PlaceId),
    /// Those that hold at this place: bound to it, or to none.
    At(PlaceId),
}

impl Scope {
    fn admits(self, place: Option<PlaceId>) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Unbound => place.is_none(),
            Self::BoundTo(at) => place == Some(at),
            Self::At(at) => place.is_none_or(|place| place == at),
        }
    }
}

impl OpeningHours {
    /// Hours from rules, in any order, and special days, at most one for a date.
    pub fn new(weekly: Vec<WeeklyRule>, special: Vec<SpecialDay>) -> Result<Self, Invalid> {
        let mut days = BTreeMap::new();
        for (index, day) in special.into_iter().enumerate() {
            if days.insert(day.date, day.times).is_some() {
                let twice = Invalid::new(Field::Date, "is there twice");
                return Err(twice.at("date").at(index.to_string()).at("specialDays"));
            }
        }
        Ok(Self { weekly, special: days })
    }

    /// The rules.
    #[must_use]
    pub fn weekly(&self) -> &[WeeklyRule] {
        &self.weekly
    }

    /// The special days, by date.
    pub fn special_days(&self) -> impl Iterator<Item = (Date, &[DayTimes])> {
        self.special.iter().map(|(date, times)| (*date, times.as_slice()))
    }

    /// Whether there is no time at all on any day.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weekly.is_empty() && self.special.values().all(Vec::is_empty)
    }

    /// Whether some times hold at `place` and nowhere else.
    #[must_use]
    pub fn names(&self, place: PlaceId) -> bool {
        let special = self.special.values().flatten();
        self.weekly
            .iter()
            .map(|rule| &rule.times)
            .chain(special)
            .any(|times| times.place == Some(place))
    }

    /// The instants at which it is open within the calendar's horizon: sorted, disjoint, touching ones merged. Hours
    /// of a date that the zone skipped as a whole are not made up for.
    #[must_use]
    pub fn expand(&self, calendar: &Calendar, scope: Scope) -> Vec<TimeSpan> {
        let mut open = Vec::new();
        for day in calendar.days() {
            let mut add = |times: &DayTimes| {
                if scope.admits(times.place)
                    && let Some(start) = calendar.instant(day, times.start)
                    && let Some(end) = calendar.instant(day, times.end)
                {
                    // A start that a gap moved may come after the end: such times never were.
                    open.extend(TimeSpan::new(from_micros(start), from_micros(end)));
                }
            };
            match self.special.get(&day.date) {
                Some(times) => times.iter().for_each(&mut add),
                None => self
                    .weekly
                    .iter()
                    .filter(|rule| rule.holds_on(day.date))
                    .for_each(|rule| add(&rule.times)),
            }
        }
        let (from, to) = calendar.horizon();
        spans::clip(&spans::normalise(open), from, to)
    }
}
