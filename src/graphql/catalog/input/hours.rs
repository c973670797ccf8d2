//! Inputs about opening hours.

use async_graphql::{ID, InputObject};

use super::key;
use crate::{
    domain::{
        hours::{self, HoursOwner, OpeningHours, PlaceId, Weekdays, parse_times},
        ids::{LocationId, TypedId as _},
        rejection::Invalid,
    },
    graphql::{
        input::{Problems, Rejections, id},
        scalars::{LocalDate, LocalTime},
        types::working_hours::DayOfWeek,
    },
    service::{IdempotencyKey, catalog::SetWorkingHours},
};

/// From when to when on one day's wall clock.
#[derive(InputObject, Clone, Debug)]
pub struct DayHoursInput {
    /// When it closes, at most 24 hours after `startTime`. Past midnight, either hours beyond 24 (`26:00`) or the next
    /// day's time (`02:00`): an end earlier than the start means the next day.
    end_time: LocalTime,
    /// The only location of the business at which they hold; if not said, wherever the resource serves. For the hours of
    /// resources alone.
    location_id: Option<ID>,
    /// When it opens, `00:00` to `23:59`.
    start_time: LocalTime,
}

/// Times that come back every week.
#[derive(InputObject, Clone, Debug)]
pub struct WeeklyHoursInput {
    /// On which days they start, at least one.
    days: Vec<DayOfWeek>,
    /// When it closes, at most 24 hours after `startTime`. Past midnight, either hours beyond 24 (`26:00`) or the next
    /// day's time (`02:00`): an end earlier than the start means the next day.
    end_time: LocalTime,
    /// The only location of the business at which they hold; if not said, wherever the resource serves. For the hours of
    /// resources alone.
    location_id: Option<ID>,
    /// When it opens, `00:00` to `23:59`.
    start_time: LocalTime,
    /// The first date on which they may start; since ever if not said.
    valid_from: Option<LocalDate>,
    /// The last date on which they may start; without end if not said.
    valid_until: Option<LocalDate>,
}

/// A date with times of its own.
#[derive(InputObject, Clone, Debug)]
pub struct SpecialDayInput {
    /// The date; each at most once.
    date: LocalDate,
    /// The times that start on it, instead of the weekly ones; none: closed. What started on the day before goes on.
    times: Vec<DayHoursInput>,
}

/// Hours of the business, of a location or of a resource, all of them, on the wall clock of the site's zone. They bind new bookings;
/// what is booked stays. A start that the clock skips moves forward by the gap, of one that it shows twice the earlier
/// is meant.
#[derive(InputObject, Clone, Debug)]
pub struct SetWorkingHoursInput {
    /// Refuse with `REVISION_MISMATCH` unless the hours have this revision; 0: unless none were ever set.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The location, at which they count instead of the business's. Not together with `resourceId`.
    location_id: Option<ID>,
    /// The resource; the business if neither it nor a location is said.
    resource_id: Option<ID>,
    /// Dates with times of their own, at most 731.
    special_days: Option<Vec<SpecialDayInput>>,
    /// Times that come back every week, at most 100; none: closed but for the special days. They may overlap: together
    /// they count as one.
    weekly: Vec<WeeklyHoursInput>,
}

/// Whose hours are to be taken back.
#[derive(InputObject, Clone, Debug)]
pub struct ClearWorkingHoursInput {
    /// Refuse with `REVISION_MISMATCH` unless the hours have this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The location, which then keeps the business's hours. Not together with `resourceId`.
    location_id: Option<ID>,
    /// The resource, which then keeps the hours of the location, or of the business. If neither is said, the business,
    /// which then is open around the clock.
    resource_id: Option<ID>,
}

fn times(from: &LocalTime, until: &LocalTime, location: Option<&ID>) -> Result<hours::DayTimes, Invalid> {
    let location = location.map(id::<LocationId>).transpose();
    let location = location.map_err(|invalid| invalid.at("locationId"))?;
    let place = location.map(|id| PlaceId::from_uuid(id.uuid()));
    Ok(parse_times(&from.0, &until.0)?.at(place))
}

/// The business's, or those of whom the input names.
pub(super) fn owner(problems: &mut Problems, location: Option<&ID>, resource: Option<&ID>) -> Option<HoursOwner> {
    let location = problems.option("locationId", location.map(id));
    let resource = problems.option("resourceId", resource.map(id));
    let owner = HoursOwner::of(location, resource);
    if owner.is_none() {
        problems.complain(&["locationId"], "can't be said together with `resourceId`");
    }
    owner
}

/// Puts the complaints about one entry of a list where it stands.
fn entry<T>(problems: &mut Problems, path: &str, index: usize, read: Result<T, Invalid>) -> Option<T> {
    problems.take(path, read.map_err(|invalid| invalid.at(index.to_string())))
}

fn rule(input: &WeeklyHoursInput) -> Result<hours::WeeklyRule, Invalid> {
    let date = |date: &Option<LocalDate>, name: &str| {
        let read = date.as_ref().map(LocalDate::civil).transpose();
        read.map_err(|invalid| invalid.at(name))
    };
    let (from, until) = (
        date(&input.valid_from, "validFrom")?,
        date(&input.valid_until, "validUntil")?,
    );
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        let field = crate::domain::rejection::Field::Date;
        return Err(Invalid::new(field, "must not be before `validFrom`").at("validUntil"));
    }
    if input.days.is_empty() {
        let field = crate::domain::rejection::Field::Other;
        return Err(Invalid::new(field, "must name at least one day").at("days"));
    }
    let days: Vec<_> = input.days.iter().copied().map(Into::into).collect();
    Ok(hours::WeeklyRule {
        days: Weekdays::of(&days),
        times: times(&input.start_time, &input.end_time, input.location_id.as_ref())?,
        from,
        until,
    })
}

fn special_day(input: &SpecialDayInput) -> Result<hours::SpecialDay, Invalid> {
    let read = input.times.iter().enumerate().map(|(index, each)| {
        times(&each.start_time, &each.end_time, each.location_id.as_ref())
            .map_err(|invalid| invalid.at(index.to_string()).at("times"))
    });
    Ok(hours::SpecialDay {
        date: input.date.civil().map_err(|invalid| invalid.at("date"))?,
        times: read.collect::<Result<_, _>>()?,
    })
}

impl SetWorkingHoursInput {
    /// The locations that times are bound to, as far as they can be read, each with its place in the input.
    fn bound(&self) -> Vec<(LocationId, Vec<String>)> {
        let mut bound = Vec::new();
        let mut add = |location: Option<&ID>, path: &[&str]| {
            if let Some(Ok(id)) = location.map(id) {
                bound.push((id, path.iter().map(|segment| (*segment).to_owned()).collect()));
            }
        };
        for (index, each) in self.weekly.iter().enumerate() {
            add(each.location_id.as_ref(), &["weekly", &index.to_string(), "locationId"]);
        }
        for (day, special) in self.special_days.iter().flatten().enumerate() {
            for (index, each) in special.times.iter().enumerate() {
                let path = [
                    "specialDays",
                    &day.to_string(),
                    "times",
                    &index.to_string(),
                    "locationId",
                ];
                add(each.location_id.as_ref(), &path);
            }
        }
        bound
    }

    pub(crate) fn parse(&self) -> Result<(SetWorkingHours, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let owner = owner(&mut problems, self.location_id.as_ref(), self.resource_id.as_ref());
        let weekly = self.weekly.iter().enumerate();
        let weekly = weekly.filter_map(|(index, each)| entry(&mut problems, "weekly", index, rule(each)));
        let weekly: Vec<_> = weekly.collect();
        let special = self.special_days.iter().flatten().enumerate();
        let special = special.filter_map(|(index, each)| entry(&mut problems, "specialDays", index, special_day(each)));
        let special: Vec<_> = special.collect();
        let hours = OpeningHours::new(weekly, special)
            .map_err(|invalid| problems.add(invalid))
            .ok();
        let expected_revision = self.expected_revision.map(i64::from);
        let bound = self.bound();
        problems.finish(hours.zip(owner).map(|(hours, owner)| {
            let set = SetWorkingHours {
                owner,
                hours: Some(hours),
                bound,
                expected_revision,
            };
            (set, key)
        }))
    }
}

impl ClearWorkingHoursInput {
    pub(crate) fn parse(&self) -> Result<(SetWorkingHours, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let owner = owner(&mut problems, self.location_id.as_ref(), self.resource_id.as_ref());
        problems.finish(owner.map(|owner| {
            let clear = SetWorkingHours {
                owner,
                hours: None,
                bound: Vec::new(),
                expected_revision: self.expected_revision.map(i64::from),
            };
            (clear, key)
        }))
    }
}
