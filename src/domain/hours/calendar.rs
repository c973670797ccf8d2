//! The local days of a zone around a window of time, with what is needed to turn wall clocks into instants quickly.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::MINUTE;

const DAY: i64 = 24 * 60 * MINUTE;

/// How many days before the window are looked at. Times of a day may reach into the next one, and a zone may skip a
/// whole day; the two days that are left tell whether the window begins in the middle of an open time.
const DAYS_BEFORE: i32 = 4;
/// How many of those lie before the horizon, and are looked at for what reaches into it.
const DAYS_BEFORE_HORIZON: i32 = 2;

/// The local days from a little before a window to a little after it.
///
/// Instants are microseconds of the Unix epoch in here: a month of opening times is then made by adding numbers, and
/// only the days near a change of the clock ask the zone's rules.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    days: Vec<Day>,
    horizon: (i64, i64),
}

/// One local date.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) date: Date,
    /// The first instant of the date.
    midnight: i64,
    /// Whether the clock runs evenly on this day and those beside it.
    even: bool,
}

impl Calendar {
    /// The days of `zone` around the window from `from` to `to`. The horizon begins two days before the window and
    /// ends a day or two after it, both at a local midnight.
    #[must_use]
    pub fn new(zone: &TimeZone, from: Timestamp, to: Timestamp) -> Self {
        let first = zone.to_datetime(from).date().saturating_sub(DAYS_BEFORE.days());
        let last = zone.to_datetime(to.max(from)).date().saturating_add(3.days());
        let midnight = |date: Date| {
            zone.to_ambiguous_timestamp(date.to_datetime(Time::midnight()))
                .compatible()
        };
        let mut days: Vec<Day> = Vec::new();
        let mut date = first;
        while date <= last {
            if let Ok(at) = midnight(date) {
                let midnight = at.as_microsecond();
                // A date that the zone skipped begins when the next one does: it has no instants, so no hours either.
                if days.last().is_some_and(|day| day.midnight == midnight) {
                    days.pop();
                }
                let even = true;
                days.push(Day { date, midnight, even });
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
        let start = days.first().map_or(0, |day| day.midnight);
        let end = days.last().map_or(0, |day| day.midnight);
        let changes = changes(zone, start - 2 * DAY, end + 4 * DAY);
        for day in &mut days {
            let near = (day.midnight - DAY)..(day.midnight + 3 * DAY);
            day.even = !changes.iter().any(|change| near.contains(change));
        }
        let horizon_from = first.saturating_add(DAYS_BEFORE_HORIZON.days());
        let begins = days
            .iter()
            .find(|day| day.date >= horizon_from)
            .map_or(start, |day| day.midnight);
        // The last day is there only to end the one before it.
        let horizon = (begins, end);
        Self {
            zone: zone.clone(),
            days,
            horizon,
        }
    }

    /// The first instant of the horizon, and the one after its last.
    #[must_use]
    pub fn horizon(&self) -> (Timestamp, Timestamp) {
        (from_micros(self.horizon.0), from_micros(self.horizon.1))
    }

    /// The first instants of the local dates, in microseconds, ascending. The last one only ends the day before it.
    pub(in crate::domain) fn midnights(&self) -> impl Iterator<Item = i64> {
        self.days.iter().map(|day| day.midnight)
    }

    /// The days whose hours may reach into the horizon.
    pub(super) fn days(&self) -> impl Iterator<Item = &Day> {
        self.days.iter()
    }

    /// The instant at which the wall clock shows so many minutes after midnight of `day`: in a gap it moves forward
    /// by the gap, a repeated one is the earlier.
    pub(super) fn instant(&self, day: &Day, minutes: u16) -> Option<i64> {
        if day.even {
            return Some(day.midnight + i64::from(minutes) * MINUTE);
        }
        let local: DateTime = day
            .date
            .to_datetime(Time::midnight())
            .checked_add(i64::from(minutes).minutes())
            .ok()?;
        Some(
            self.zone
                .to_ambiguous_timestamp(local)
                .compatible()
                .ok()?
                .as_microsecond(),
        )
    }
}

/// The instants between two others at which the zone's clock changes, in microseconds.
fn changes(zone: &TimeZone, from: i64, to: i64) -> Vec<i64> {
    zone.following(from_micros(from))
        .map(|change| change.timestamp().as_microsecond())
        .take_while(|at| *at < to)
        .collect()
}

/// An instant from microseconds; beyond what can be written down, the last one that can be.
pub(in crate::domain) fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
