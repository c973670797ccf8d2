//! Dates, times and lengths.

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime},
};

use super::{
    lines::Line,
    problem::{Problems, Reason},
    zones::Zones,
};
use crate::domain::{
    recurrence::Stamp,
    time::{LATEST_YEAR, ZoneName},
};

/// A date or a time of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// A day, wherever one is.
    Date(Date),
    /// A time on the clock of wherever one is.
    Floating(DateTime),
    /// An instant.
    Utc(Timestamp),
    /// A time on a zone's clock.
    Zoned(DateTime, ZoneName),
}

impl Moment {
    /// As a local time of `zone`. A date is its midnight; floating is any zone's.
    pub(super) fn local(&self, zone: &ZoneName) -> DateTime {
        match self {
            Self::Date(date) => date.at(0, 0, 0, 0),
            Self::Floating(local) => *local,
            Self::Utc(at) => zone.local(*at),
            Self::Zoned(local, its) if its == zone => *local,
            Self::Zoned(local, its) => its.instant(*local).map_or(*local, |at| zone.local(at)),
        }
    }
}

const EXPECTED: &str = "it looks like `20261130T100000`, `20261130T090000Z` or `20261130`";

/// The begin of a value, for a message.
pub(super) fn wrong(name: &'static str, value: &str, expected: &'static str) -> Reason {
    Reason::Value {
        name,
        value: value.chars().take(60).collect(),
        expected,
    }
}

/// The times of a property, one or more. `None` if one of them can't be read; each problem is noted.
pub(super) fn moments(
    line: &Line,
    name: &'static str,
    zones: &mut Zones<'_>,
    problems: &mut Problems,
) -> Option<Vec<Moment>> {
    if line
        .parameter("VALUE")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("PERIOD"))
    {
        problems.put(line.number, Reason::Unsupported("VALUE=PERIOD"));
        return None;
    }
    let read = line.value.split(',').map(|text| moment(line, text.trim(), name, zones));
    // All of them are looked at, but a line has one problem of a kind.
    let read: Result<Vec<Moment>, Reason> = read.collect();
    problems.take(line.number, read)
}

fn moment(line: &Line, text: &str, name: &'static str, zones: &mut Zones<'_>) -> Result<Moment, Reason> {
    let stamp = Stamp::parse(text).ok_or_else(|| wrong(name, text, EXPECTED))?;
    let year = match stamp {
        Stamp::Date(date) => date.year(),
        Stamp::Local(local) => local.year(),
        Stamp::Utc(at) => ZoneName::utc().local(at).year(),
    };
    if !(1970..=LATEST_YEAR).contains(&year) {
        return Err(Reason::OutOfRange(name));
    }
    Ok(match (stamp, line.parameter("TZID")) {
        (Stamp::Date(date), _) => Moment::Date(date),
        (Stamp::Utc(at), _) => Moment::Utc(at),
        (Stamp::Local(local), None) => Moment::Floating(local),
        (Stamp::Local(local), Some(tzid)) => Moment::Zoned(local, zones.zone(tzid, year)?),
    })
}

/// A length: days are the calendar's, the rest is elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

impl Length {
    /// Reads `P1W`, `P1DT2H`, `PT90M`; not a negative one, and none of more than ten years.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = {
            let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
            text.split_once('T')
                .map_or((text, None), |(date, time)| (date, Some(time)))
        };
        let mut length = Self { days: 0, seconds: 0 };
        let mut parts = 0;
        let mut read = |text: &str, units: &[(char, i64)], sum: &mut i64| {
            let mut rest = text;
            for (unit, worth) in units {
                if let Some((number, after)) = rest.split_once(*unit) {
                    let digits = !number.is_empty() && number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit());
                    *sum += digits.then(|| number.parse::<i64>().ok())?? * worth;
                    rest = after;
                    parts += 1;
                }
            }
            rest.is_empty().then_some(())
        };
        read(date, &[('W', 7), ('D', 1)], &mut length.days)?;
        if let Some(time) = time {
            read(time, &[('H', 3600), ('M', 60), ('S', 1)], &mut length.seconds)?;
        }
        let bounded = length.days <= 3653 && length.seconds <= 3653 * 86_400;
        (parts > 0 && bounded).then_some(length)
    }

    /// The local end of what starts at a local time of `zone`.
    pub(super) fn end(self, start: DateTime, zone: &ZoneName) -> Option<DateTime> {
        let day = start.checked_add(self.days.days()).ok()?;
        if self.seconds == 0 {
            return Some(day);
        }
        let at = zone
            .instant(day)?
            .checked_add(SignedDuration::from_secs(self.seconds))
            .ok()?;
        Some(zone.local(at))
    }
}
