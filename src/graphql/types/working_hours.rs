//! When the business, its locations and its resources are open.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use jiff::civil;

use crate::{
    domain::{
        hours::{self, DayTimes, HoursOwner, PlaceId},
        ids::{LocationId, TypedId as _},
    },
    graphql::{
        caller,
        error::failure,
        scalars::{DateTime, LocalDate, LocalTime},
        service,
    },
};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DayOfWeek {
    /// Friday.
    Friday,
    /// Monday.
    Monday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
    /// Thursday.
    Thursday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
}

impl From<civil::Weekday> for DayOfWeek {
    fn from(day: civil::Weekday) -> Self {
        match day {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

impl From<DayOfWeek> for civil::Weekday {
    fn from(day: DayOfWeek) -> Self {
        match day {
            DayOfWeek::Monday => Self::Monday,
            DayOfWeek::Tuesday => Self::Tuesday,
            DayOfWeek::Wednesday => Self::Wednesday,
            DayOfWeek::Thursday => Self::Thursday,
            DayOfWeek::Friday => Self::Friday,
            DayOfWeek::Saturday => Self::Saturday,
            DayOfWeek::Sunday => Self::Sunday,
        }
    }
}

/// From when to when on one day's wall clock.
#[derive(SimpleObject, Clone, Debug)]
pub struct DayHours {
    /// When it closes, at most 24 hours after `startTime`: past midnight hours go on beyond 24, so that `26:00` is two
    /// o'clock of the next day.
    end_time: LocalTime,
    /// The only location of the business at which they hold; null: wherever the resource serves.
    location_id: Option<ID>,
    /// When it opens.
    start_time: LocalTime,
}

fn location(place: Option<PlaceId>) -> Option<ID> {
    place.map(|place| LocationId::from_uuid(place.uuid()).to_string().into())
}

impl From<&DayTimes> for DayHours {
    fn from(times: &DayTimes) -> Self {
        Self {
            end_time: LocalTime::of(times.end()),
            location_id: location(times.place()),
            start_time: LocalTime::of(times.start()),
        }
    }
}

/// Times that come back every week.
#[derive(SimpleObject, Clone, Debug)]
pub struct WeeklyHours {
    /// On which days they start, Monday first.
    days: Vec<DayOfWeek>,
    /// When it closes, at most 24 hours after `startTime`: past midnight hours go on beyond 24, so that `26:00` is two
    /// o'clock of the next day.
    end_time: LocalTime,
    /// The only location of the business at which they hold; null: wherever the resource serves.
    location_id: Option<ID>,
    /// When it opens.
    start_time: LocalTime,
    /// The first date on which they may start; null: since ever.
    valid_from: Option<LocalDate>,
    /// The last date on which they may start; null: without end.
    valid_until: Option<LocalDate>,
}

/// A date with times of its own.
#[derive(SimpleObject, Clone, Debug)]
pub struct SpecialDay {
    /// The date.
    date: LocalDate,
    /// The times that start on it, instead of the weekly ones. None: closed.
    times: Vec<DayHours>,
}

/// When the business, a location or a resource is open, on the wall clock of the site's zone. Times that overlap or touch count as
/// one.
#[derive(Clone, Debug)]
pub struct WorkingHours {
    record: hours::WorkingHours,
}

impl From<hours::WorkingHours> for WorkingHours {
    fn from(record: hours::WorkingHours) -> Self {
        Self { record }
    }
}

/// When the business, a location or a resource is open, on the wall clock of the site's zone. Times that overlap or touch count as
/// one.
#[Object]
impl WorkingHours {
    /// When they were set for the first time.
    async fn created_date(&self) -> DateTime {
        self.record.created.into()
    }

    /// Grows by one with every change of the hours: their own, not that of their owner.
    async fn revision(&self) -> i64 {
        self.record.revision
    }

    /// Dates with times of their own, by date.
    async fn special_days(&self) -> Vec<SpecialDay> {
        let days = self.record.hours.iter().flat_map(hours::OpeningHours::special_days);
        days.map(|(date, times)| SpecialDay {
            date: date.into(),
            times: times.iter().map(DayHours::from).collect(),
        })
        .collect()
    }

    /// When they changed last.
    async fn updated_date(&self) -> DateTime {
        self.record.updated.into()
    }

    /// Times that come back every week.
    async fn weekly(&self) -> Vec<WeeklyHours> {
        let rules = self.record.hours.iter().flat_map(hours::OpeningHours::weekly);
        rules
            .map(|rule| WeeklyHours {
                days: rule.days.iter().map(DayOfWeek::from).collect(),
                end_time: LocalTime::of(rule.times.end()),
                location_id: location(rule.times.place()),
                start_time: LocalTime::of(rule.times.start()),
                valid_from: rule.from.map(LocalDate::from),
                valid_until: rule.until.map(LocalDate::from),
            })
            .collect()
    }
}

impl WorkingHours {
    /// The hours on record of the business, of a location, or of a resource.
    pub(crate) async fn find(ctx: &Context<'_>, owner: HoursOwner) -> async_graphql::Result<Option<Self>> {
        let found = service(ctx)
            .working_hours(caller(ctx), owner)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.map(Self::from))
    }
}
